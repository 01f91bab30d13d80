//! Numbers within bounds, lengths of time, and yes or no.

use std::borrow::Cow;
use std::time::Duration;

use mapping::{Content, Node};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Decode, Report};
use crate::rules;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy)]
pub(crate) struct Count<const MIN: u64, const MAX: u64>(pub(crate) u64);

impl<const MIN: u64, const MAX: u64> Decode for Count<MIN, MAX> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Number(number) = &node.content else {
            report.wrong_type(node, "a whole number");
            return None;
        };
        let Some(whole) = number.as_u64().filter(|whole| (MIN..=MAX).contains(whole)) else {
            if number.is_f64() {
                report.add(
                    &rules::WRONG_TYPE,
                    &node.place,
                    format!("expected a whole number, found {number}"),
                );
            } else {
                report.add(
                    &rules::OUT_OF_RANGE,
                    &node.place,
                    format!("expected a number from {MIN} to {MAX}, found {number}"),
                );
            }
            return None;
        };
        Some(Self(whole))
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Count<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("CountFrom{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A length of time given in seconds, from `MIN` to `MAX` milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Seconds<const MIN: u64, const MAX: u64>(pub(crate) Duration);

impl<const MIN: u64, const MAX: u64> Seconds<MIN, MAX> {
    const MIN_SECONDS: f64 = MIN as f64 / 1000.0;
    const MAX_SECONDS: f64 = MAX as f64 / 1000.0;
}

impl<const MIN: u64, const MAX: u64> Decode for Seconds<MIN, MAX> {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Number(number) = &node.content else {
            report.wrong_type(node, "a number of seconds");
            return None;
        };
        let seconds = number
            .as_f64()
            .filter(|seconds| (Self::MIN_SECONDS..=Self::MAX_SECONDS).contains(seconds));
        match seconds {
            Some(seconds) => Some(Self(Duration::from_secs_f64(seconds))),
            None => {
                let (least, most) = (Self::MIN_SECONDS, Self::MAX_SECONDS);
                let message = format!("expected {least} to {most} seconds, found {number}");
                report.add(&rules::OUT_OF_RANGE, &node.place, message);
                None
            }
        }
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Seconds<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("SecondsFrom{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Whole bounds are written as whole numbers, which reads better in an editor.
        let bound = |milliseconds: u64| match milliseconds % 1000 {
            0 => serde_json::json!(milliseconds / 1000),
            _ => serde_json::json!(milliseconds as f64 / 1000.0),
        };
        json_schema!({"type": "number", "minimum": bound(MIN), "maximum": bound(MAX)})
    }
}

/// `true` or `false`.
#[derive(Clone, Copy)]
pub(crate) struct Flag(pub(crate) bool);

impl Decode for Flag {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match node.content {
            Content::Bool(value) => Some(Self(value)),
            _ => {
                report.wrong_type(node, "true or false");
                None
            }
        }
    }
}

impl JsonSchema for Flag {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "boolean"})
    }
}

/// Whether an optional flag is there and true.
pub(crate) fn is_set(flag: Option<Flag>) -> bool {
    flag.is_some_and(|flag| flag.0)
}
