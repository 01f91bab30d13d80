//! What a schema describes, laid flat: each property with its path, its kind and its words.

use serde_json::Value;

use super::document::Document;
use super::words::words;

/// How deep properties are looked at.
const MAX_DEPTH: usize = 4;
/// How many properties of one schema are looked at.
const MAX_LEAVES: usize = 600;
/// How many schemas are walked through for one: `allOf` and its like can multiply.
const MAX_STEPS: usize = 4_000;

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Boolean,
    Object,
    List,
    Unknown,
}

/// A property, however deep it lies.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    /// The words of its own name.
    pub(crate) words: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) format: String,
    pub(crate) description: String,
    /// The words or numbers of an `enum`.
    pub(crate) values: Vec<String>,
    pub(crate) default: Option<Value>,
    /// Whether it, and all it lies in, must be given.
    pub(crate) required: bool,
    pub(crate) read_only: bool,
    /// Whether an example has it.
    pub(crate) in_example: bool,
    /// The object or the list that an example has there.
    pub(crate) example: Option<Value>,
}

impl Leaf {
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    pub(crate) fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// Whether the words of its name, without those of tickets, are one of `names`, written as in `updated at`.
    pub(crate) fn is_called(&self, names: &[&str]) -> bool {
        let own = self.words.join(" ");
        names.contains(&own.as_str())
    }
}

/// A schema, laid flat.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) leaves: Vec<Leaf>,
    /// The schema's name, where it is one that others refer to.
    pub(crate) name: Option<String>,
    /// Where a list of objects lies in it, what those are called and look like: an empty path where it is a list itself.
    pub(crate) lists: Vec<(Vec<String>, Shape)>,
    /// References that lead nowhere.
    pub(crate) problems: Vec<String>,
}

impl Shape {
    /// A schema and the examples that stand beside it.
    pub(crate) fn of(document: &Document, schema: &Value, examples: &[&Value]) -> Self {
        let mut shape = Self::default();
        let mut walk = Walk { document, steps: 0 };
        walk.schema(&mut shape, schema, &mut Vec::new(), true, true);
        for example in examples {
            walk.example(&mut shape, example, &mut Vec::new(), true);
        }
        shape
    }

    /// The first property with one of the names, nearest to the top; the names in the order of their likelihood.
    pub(crate) fn find(&self, names: &[&str]) -> Option<&Leaf> {
        self.find_where(names, |_| true)
    }

    /// The same among those properties that fit.
    pub(crate) fn find_where(&self, names: &[&str], fits: impl Fn(&Leaf) -> bool) -> Option<&Leaf> {
        let mut best: Option<(usize, &Leaf)> = None;
        for leaf in self.leaves.iter().filter(|leaf| fits(leaf)) {
            let own = leaf.words.join(" ");
            if let Some(rank) = names.iter().position(|name| *name == own) {
                let weight = (leaf.path.len() - 1) * 3 + rank;
                if best.is_none_or(|(other, _)| weight < other) {
                    best = Some((weight, leaf));
                }
            }
        }
        best.map(|(_, leaf)| leaf)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.leaves.is_empty() && self.lists.is_empty()
    }

    pub(crate) fn at(&self, path: &[String]) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| leaf.path == path)
    }
}

struct Walk<'a> {
    document: &'a Document,
    steps: usize,
}

impl Walk<'_> {
    fn schema(
        &mut self,
        shape: &mut Shape,
        schema: &Value,
        path: &mut Vec<String>,
        required: bool,
        lists: bool,
    ) {
        self.steps += 1;
        if path.len() > MAX_DEPTH || shape.leaves.len() > MAX_LEAVES || self.steps > MAX_STEPS {
            return;
        }
        let (schema, reference) = match self.document.resolve(schema) {
            Ok(resolved) => resolved,
            Err(problem) => {
                shape.problems.push(problem);
                return;
            }
        };
        if path.is_empty() && shape.name.is_none() {
            shape.name = reference.and_then(|it| it.rsplit('/').next()).map(str::to_owned);
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            let parts = schema.get(key).and_then(Value::as_array);
            for part in parts.into_iter().flatten() {
                // Of alternatives nothing must be there.
                self.parts(shape, part, path, required && key == "allOf", lists);
            }
        }
        if kind(schema) == Kind::List {
            if let (true, Some(items)) = (lists, schema.get("items")) {
                let mut of_items = Shape::default();
                self.schema(&mut of_items, items, &mut Vec::new(), true, false);
                shape.problems.append(&mut of_items.problems);
                if !shape.lists.iter().any(|(known, _)| known == path) {
                    shape.lists.push((path.clone(), of_items));
                }
            }
            return;
        }
        let must: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            path.push(name.clone());
            let required = required && must.contains(&name.as_str());
            self.property(shape, property, path, required);
            self.schema(shape, property, path, required, lists);
            path.pop();
        }
        if let Some(example) = schema.get("example") {
            self.example(shape, example, path, lists);
        }
    }

    /// A part of `allOf` and its like, which is no schema with a name of its own.
    fn parts(
        &mut self,
        shape: &mut Shape,
        part: &Value,
        path: &mut Vec<String>,
        required: bool,
        lists: bool,
    ) {
        let name = shape.name.clone();
        self.schema(shape, part, path, required, lists);
        if path.is_empty() {
            shape.name = name.or_else(|| shape.name.take());
        }
    }

    fn property(&mut self, shape: &mut Shape, property: &Value, path: &[String], required: bool) {
        let Ok((schema, _)) = self.document.resolve(property) else {
            return;
        };
        let text = |key: &str| {
            [schema, property]
                .iter()
                .find_map(|it| it.get(key).and_then(Value::as_str))
                .unwrap_or_default()
                .to_owned()
        };
        if let Some(known) = shape.leaves.iter_mut().find(|leaf| leaf.path == path) {
            known.required |= required;
            return;
        }
        shape.leaves.push(Leaf {
            words: words(path.last().map_or("", String::as_str)),
            path: path.to_vec(),
            kind: self.kind_through_parts(schema),
            format: text("format"),
            description: text("description"),
            values: values(schema),
            default: schema.get("default").cloned(),
            required,
            read_only: schema.get("readOnly").and_then(Value::as_bool) == Some(true),
            in_example: false,
            example: None,
        });
    }

    /// A property that is one of several things is what the first of them says.
    fn kind_through_parts(&self, schema: &Value) -> Kind {
        let own = kind(schema);
        if own != Kind::Unknown {
            return own;
        }
        ["allOf", "anyOf", "oneOf"]
            .iter()
            .filter_map(|key| schema.get(*key).and_then(Value::as_array))
            .flatten()
            .filter_map(|part| self.document.resolve(part).ok())
            .map(|(part, _)| kind(part))
            .find(|kind| *kind != Kind::Unknown)
            .unwrap_or(Kind::Unknown)
    }

    /// What an example shows beyond the schema. Some documents have it as text.
    fn example(&mut self, shape: &mut Shape, example: &Value, path: &mut Vec<String>, lists: bool) {
        self.steps += 1;
        if path.len() > MAX_DEPTH || shape.leaves.len() > MAX_LEAVES || self.steps > MAX_STEPS {
            return;
        }
        match example {
            Value::String(text) if path.is_empty() && text.trim_start().starts_with(['{', '[']) => {
                if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                    self.example(shape, &value, path, lists);
                }
            }
            Value::Object(entries) => {
                for (name, value) in entries {
                    path.push(name.clone());
                    match shape.leaves.iter_mut().find(|leaf| leaf.path == *path) {
                        Some(leaf) => {
                            leaf.in_example = true;
                            leaf.example = leaf.example.take().or_else(|| structure(value));
                        }
                        None => shape.leaves.push(shown(path, value)),
                    }
                    self.example(shape, value, path, lists);
                    path.pop();
                }
            }
            Value::Array(items) if lists => {
                let mut of_items = Shape::default();
                for item in items.iter().filter(|item| item.is_object()).take(3) {
                    self.example(&mut of_items, item, &mut Vec::new(), false);
                }
                match shape.lists.iter_mut().find(|(known, _)| known == path) {
                    Some((_, known)) => {
                        for leaf in of_items.leaves {
                            match known.leaves.iter_mut().find(|it| it.path == leaf.path) {
                                Some(known) => known.in_example = true,
                                None => known.leaves.push(leaf),
                            }
                        }
                    }
                    None if !of_items.leaves.is_empty() => shape.lists.push((path.clone(), of_items)),
                    None => {}
                }
            }
            _ => {}
        }
    }
}

fn shown(path: &[String], value: &Value) -> Leaf {
    Leaf {
        words: words(path.last().map_or("", String::as_str)),
        path: path.to_vec(),
        kind: match value {
            Value::String(_) => Kind::Text,
            Value::Number(_) => Kind::Number,
            Value::Bool(_) => Kind::Boolean,
            Value::Object(_) => Kind::Object,
            Value::Array(_) => Kind::List,
            Value::Null => Kind::Unknown,
        },
        format: String::new(),
        description: String::new(),
        values: Vec::new(),
        default: None,
        required: false,
        read_only: false,
        in_example: true,
        example: structure(value),
    }
}

fn structure(value: &Value) -> Option<Value> {
    (value.is_object() || value.is_array()).then(|| value.clone())
}

/// `type` is a word, or since 3.1 a list of them.
fn kind(schema: &Value) -> Kind {
    let word = match schema.get("type") {
        Some(Value::String(word)) => word.as_str(),
        Some(Value::Array(words)) => words
            .iter()
            .filter_map(Value::as_str)
            .find(|word| *word != "null")
            .unwrap_or_default(),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ if schema.get("enum").is_some() => "string",
        _ => "",
    };
    match word {
        "string" => Kind::Text,
        "number" | "integer" => Kind::Number,
        "boolean" => Kind::Boolean,
        "object" => Kind::Object,
        "array" => Kind::List,
        _ => Kind::Unknown,
    }
}

fn values(schema: &Value) -> Vec<String> {
    let list = schema.get("enum").or_else(|| schema.get("items")?.get("enum"));
    let values = list.and_then(Value::as_array).into_iter().flatten();
    values
        .filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect()
}
