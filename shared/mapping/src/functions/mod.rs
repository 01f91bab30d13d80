//! The functions of the expression language: one file each, with its documentation.

mod add_date;
mod all;
mod any;
mod call;
mod coalesce;
mod concat;
mod decimal;
mod ends_with;
mod escape_html;
mod filter;
mod find;
mod flatten;
mod format_time;
mod integer;
mod length;
mod list;
mod lowercase;
mod map;
mod matches;
mod moment;
mod numeral;
mod parse_json;
mod parse_time;
mod receiver;
mod reduce;
mod replace;
mod split;
mod starts_with;
mod stringify_json;
mod strip_html;
mod text;
mod time;
mod titlecase;
mod trim;
mod unique;
mod uppercase;
mod urlencode;

use crate::datum::Datum;
use crate::documentation::Documentation;
use crate::fault::Fault;

pub(crate) use call::{Argument, Call};

/// Every function, by name.
pub(crate) static FUNCTIONS: &[&Function] = &[
    &add_date::ADD_DATE,
    &all::ALL,
    &any::ANY,
    &coalesce::COALESCE,
    &concat::CONCAT,
    &decimal::DECIMAL,
    &ends_with::ENDS_WITH,
    &escape_html::ESCAPE_HTML,
    &filter::FILTER,
    &find::FIND,
    &flatten::FLATTEN,
    &format_time::FORMAT_TIME,
    &integer::INTEGER,
    &length::LENGTH,
    &list::LIST,
    &lowercase::LOWERCASE,
    &map::MAP,
    &matches::MATCH,
    &parse_json::PARSE_JSON,
    &parse_time::PARSE_TIME,
    &reduce::REDUCE,
    &replace::REPLACE,
    &split::SPLIT,
    &starts_with::STARTS_WITH,
    &stringify_json::STRINGIFY_JSON,
    &strip_html::STRIP_HTML,
    &text::TEXT,
    &time::TIME,
    &titlecase::TITLECASE,
    &trim::TRIM,
    &unique::UNIQUE,
    &uppercase::UPPERCASE,
    &urlencode::URLENCODE,
];

/// A function of the expression language.
#[derive(Debug)]
pub(crate) struct Function {
    /// As it is written, `$TRIM`.
    pub(crate) name: &'static str,
    pub(crate) min_arguments: usize,
    /// `usize::MAX` for any number.
    pub(crate) max_arguments: usize,
    /// The arguments that are lambdas. No other can be one.
    pub(crate) lambdas: &'static [Lambda],
    /// The arguments that are regular expressions: constant ones are compiled with the mapping.
    pub(crate) patterns: &'static [usize],
    /// How the result hangs together with the arguments.
    pub(crate) flow: Flow,
    pub(crate) documentation: Documentation,
    pub(crate) evaluate: for<'c, 'v> fn(&mut Call<'c, 'v>) -> Result<Datum<'v>, Fault>,
}

/// An argument that is a lambda.
#[derive(Debug)]
pub(crate) struct Lambda {
    /// Its position, from 0.
    pub(crate) argument: usize,
    /// How many parameters it has.
    pub(crate) parameters: usize,
    /// Whether anything but a lambda is a mistake there.
    pub(crate) required: bool,
}

/// What of its arguments a function reads. The narrower it is, the less of an input has to be read for a mapping.
///
/// A lambda of a function that is not `Computed` gets an element of argument 0 as its **last** parameter, and what
/// was computed so far as those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// All arguments are read whole and the result is new.
    Computed,
    /// The elements of argument 0 go through the lambda and are read no further; the result is new (`$ANY`).
    Tested,
    /// The result is a list of what the lambda returns (`$MAP`).
    Mapped,
    /// The result is argument 0 with some elements left out by the lambda (`$FILTER`).
    Kept,
    /// The result is an element of argument 0 chosen by the lambda (`$FIND`).
    Chosen,
    /// The result is one of the arguments, by which of them are null; a list that is the only one stands for its
    /// elements (`$COALESCE`).
    OneOf,
    /// The result is a list of the elements of argument 0, and of those of its elements that are lists (`$FLATTEN`).
    Flattened,
    /// The result is argument 0, or a list of it (`$LIST`).
    Listed,
}

/// The function of a name, `$` included.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().copied().find(|function| function.name == name)
}
