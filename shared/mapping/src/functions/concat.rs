use super::{Call, Flow, Function, receiver};
use crate::datum::{Datum, List};
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;

pub(crate) static CONCAT: Function = Function {
    name: "$CONCAT",
    min_arguments: 1,
    max_arguments: 3,
    lambdas: &[],
    patterns: &[],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$CONCAT",
        signature: "$CONCAT(list, separator?, skip_empty?) -> text",
        summary: "Joins the elements of a list into one text. Numbers and booleans are written as in JSON \
                  and `null` is left out, with its separator. `null` instead of the list gives `null`.",
        parameters: &[
            Parameter {
                name: "list",
                description: "Texts, numbers, booleans and `null`. Lists and objects are errors.",
            },
            Parameter {
                name: "separator?",
                description: "A text between the elements; nothing without it.",
            },
            Parameter {
                name: "skip_empty?",
                description: "`true` leaves empty texts out too; `false` without it.",
            },
        ],
        examples: &[
            Example {
                title: "Without a separator",
                mapping: r#"$CONCAT([first, " ", last])"#,
                input: r#"{"first": "Ada", "last": "Lovelace"}"#,
                output: r#""Ada Lovelace""#,
            },
            Example {
                title: "With a separator; `null` is left out",
                mapping: r#"'[street, box, city].$CONCAT(", ")'"#,
                input: r#"{"street": "Main St 1", "city": "Bonn"}"#,
                output: r#""Main St 1, Bonn""#,
            },
            Example {
                title: "Numbers and booleans",
                mapping: r#"$CONCAT(["P", priority, "/", urgent])"#,
                input: r#"{"priority": 2, "urgent": true}"#,
                output: r#""P2/true""#,
            },
            Example {
                title: "Without empty texts",
                mapping: r#"$CONCAT(parts, "-", true)"#,
                input: r#"{"parts": ["a", "", "b"]}"#,
                output: r#""a-b""#,
            },
            Example {
                title: "A missing list",
                mapping: r#"$CONCAT(parts, ", ")"#,
                input: "{}",
                output: "null",
            },
            Example {
                title: "An object is not a part of a text",
                mapping: "$CONCAT([user])",
                input: r#"{"user": {"id": 1}}"#,
                output: "TG0301",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let list = match call.value(0)? {
        Datum::Null => return Ok(Datum::Null),
        Datum::List(list) => list,
        other => {
            let found = other.kind();
            return Err(call.fault(format_args!(
                "expected list, found {found}; write $CONCAT([a, b])"
            )));
        }
    };
    let separator = call.text(1)?.unwrap_or_default();
    let skip_empty = call.value(2)?.is_truthy();
    call.spend(list.len() as u64 / 16)?;
    let mut out =
        String::with_capacity(length(&list, &separator).min(call.environment().limits.output_bytes));
    let mut first = true;
    for (position, element) in list.items().enumerate() {
        if matches!(*element, Datum::List(_) | Datum::Object(_)) {
            let (position, found) = (position + 1, element.kind());
            return Err(call.fault(format_args!(
                "element {position} is of type {found}; take a field of it, or $STRINGIFY_JSON() it"
            )));
        }
        if element.is_null() || (skip_empty && matches!(&*element, Datum::Text(text) if text.is_empty())) {
            continue;
        }
        if !first {
            receiver::append(call, &mut out, &separator)?;
        }
        first = false;
        match &*element {
            Datum::Text(text) => receiver::append(call, &mut out, text)?,
            other => {
                let text = call.text_form(other)?;
                receiver::append(call, &mut out, &text)?;
            }
        }
    }
    call.new_text(out)
}

/// The bytes of all texts and separators.
fn length(list: &List<'_>, separator: &str) -> usize {
    let texts = list.items().map(|element| match &*element {
        Datum::Text(text) => text.len() + separator.len(),
        _ => separator.len(),
    });
    texts.sum()
}
