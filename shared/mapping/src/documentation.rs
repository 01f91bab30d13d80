//! What every operator and function says about itself. The reference page is made from it and its examples are
//! tests, so that it cannot be wrong.

/// The description of one operator or function.
#[derive(Clone, Copy, Debug)]
pub struct Documentation {
    /// The name as it is written: `MAP()`, `$TRIM`.
    pub name: &'static str,
    /// How it is called, receiver first: `$CONCAT(list, separator?) -> text`.
    pub signature: &'static str,
    /// What it does, in Markdown. The first sentence stands alone in overviews.
    pub summary: &'static str,
    /// Its arguments, in order.
    pub parameters: &'static [Parameter],
    /// What it does, shown.
    pub examples: &'static [Example],
}

/// One argument of an operator or a function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is and what happens without it.
    pub description: &'static str,
}

/// A mapping with an input and what comes out. Times are those of an evaluation at 2024-05-01T12:00:00Z.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it shows.
    pub title: &'static str,
    /// The mapping, YAML.
    pub mapping: &'static str,
    /// The input, JSON.
    pub input: &'static str,
    /// The result, JSON; or the code of the error (`TG0301`).
    pub output: &'static str,
}

/// Every operator, in the order of the guide.
pub fn operators() -> impl Iterator<Item = &'static Documentation> {
    crate::operators::OPERATORS
        .iter()
        .map(|operator| &operator.documentation)
}

/// The functions of the expression language, by name.
pub fn functions() -> impl Iterator<Item = &'static Documentation> {
    crate::functions::FUNCTIONS
        .iter()
        .map(|function| &function.documentation)
}
