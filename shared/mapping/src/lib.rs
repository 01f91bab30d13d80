//! The Data Mapping language: JSON in, JSON out.
//!
//! A mapping is a YAML or JSON document in which every text is an expression over the input and objects with one
//! key such as `MAP()` are operators. It is read with [`parse`], compiled once to a [`Mapping`] and evaluated as
//! often as needed:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mapping::{Environment, Mapping};
//! use serde_json::json;
//!
//! let document = mapping::parse("example.yaml", "id: number\ntitle: short_description.$TRIM()").map_err(|d| d.to_string())?;
//! let mapping = Mapping::compile(&document).map_err(|mistakes| mistakes[0].to_string())?;
//! let ticket = mapping.evaluate(&json!({"number": 7, "short_description": " VPN "}), &Environment::now())?;
//! assert_eq!(ticket, json!({"id": 7, "title": "VPN"}));
//! # Ok(())
//! # }
//! ```
//!
//! What is wrong with a document or a mapping is told by [`Diagnostic`]s with a code, a place and a help. An
//! evaluation fails with an [`EvaluationError`] that knows the place, too. Nothing here does I/O, and every
//! evaluation is bounded by [`Limits`].

mod compile;
mod datum;
mod diagnostic;
mod document;
mod documentation;
mod dsl;
mod environment;
mod explain;
mod fault;
mod functions;
mod html;
mod machine;
mod mapping;
mod operators;
mod pattern;
mod plan;
mod projection;
mod template;
mod time;
mod time_form;

pub use datum::is_truthy;
pub use diagnostic::{Diagnostic, Severity, code, did_you_mean};
pub use document::{Content, Key, Node, Place, Source, from_value, parse, parse_large};
pub use documentation::{Documentation, Example, Parameter, functions, operators};
pub use environment::{Environment, Limits};
pub use explain::{ExplainedKind, Explanation, FollowedPath, Role};
pub use fault::{EvaluationError, fault_code};
pub use mapping::Mapping;
pub use plan::{InputPath, Segment};
pub use projection::Projection;
pub use template::{Escape, HtmlEscape, Replacements, Template};
pub use time_form::TimeForm;
