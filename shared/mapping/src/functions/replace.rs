use std::ops::Range;

use regex::Regex;

use super::{Call, Flow, Function, receiver};
use crate::datum::Datum;
use crate::documentation::{Documentation, Example, Parameter};
use crate::fault::Fault;
use crate::pattern::Pattern;

pub(crate) static REPLACE: Function = Function {
    name: "$REPLACE",
    min_arguments: 3,
    max_arguments: 3,
    lambdas: &[],
    patterns: &[1],
    flow: Flow::Computed,
    documentation: Documentation {
        name: "$REPLACE",
        signature: "$REPLACE(text, pattern, replacement) -> text",
        summary: "Replaces every match of a regular expression. The syntax is that of the Rust crate \
                  `regex`: no look-around and no back-references in the pattern, and in exchange no pattern \
                  can hang. `null` stays `null`.",
        parameters: &[
            Parameter {
                name: "text",
                description: "The text.",
            },
            Parameter {
                name: "pattern",
                description: "A regular expression, searched anywhere in the text. `(?i)` at its start \
                              ignores letter case.",
            },
            Parameter {
                name: "replacement",
                description: r#"What to put there; a missing one is empty. `$1`, `\1` and `${name}` stand for groups of the pattern, `$0` for the whole match, `$$` for a dollar sign; anything else, also a group that the pattern does not have, is plain text."#,
            },
        ],
        examples: &[
            Example {
                title: "All matches",
                mapping: r#"name.$REPLACE(" ", "_")"#,
                input: r#"{"name": "Ann B Lee"}"#,
                output: r#""Ann_B_Lee""#,
            },
            Example {
                title: "A pattern; backslashes need no doubling",
                mapping: r#"text.$REPLACE("\.?\s*via @Bot.*", "")"#,
                input: r#"{"text": "Receipt is missing. via @Bot now"}"#,
                output: r#""Receipt is missing""#,
            },
            Example {
                title: "Groups",
                mapping: r#"name.$REPLACE('(\w+), (\w+)', '$2 \1')"#,
                input: r#"{"name": "Lovelace, Ada"}"#,
                output: r#""Ada Lovelace""#,
            },
            Example {
                title: "A price is not a group",
                mapping: r#"text.$REPLACE("PRICE", "$5.00")"#,
                input: r#"{"text": "It costs PRICE"}"#,
                output: r#""It costs $5.00""#,
            },
            Example {
                title: "A missing text",
                mapping: r#"name.$REPLACE("a", "b")"#,
                input: "{}",
                output: "null",
            },
        ],
    },
    evaluate,
};

fn evaluate<'v>(call: &mut Call<'_, 'v>) -> Result<Datum<'v>, Fault> {
    let Some(text) = receiver::text(call, 0)? else {
        return Ok(Datum::Null);
    };
    let Some(pattern) = call.regex(1)? else {
        return Err(call.expected("regular expression", 1, &Datum::Null));
    };
    let price = receiver::spend_on_search(call, &text, &pattern)?;
    let replacement = call.text(2)?.unwrap_or_default();
    let pieces = pieces(&replacement, &pattern);
    let mut replaced = Replaced {
        text: &text,
        pieces: &pieces,
        price,
        out: String::new(),
        copied: 0,
    };
    let needs_groups = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Group(group) if *group > 0));
    match pattern.groups() {
        Some(regex) if needs_groups => {
            for found in regex.captures_iter(&text) {
                let group = |number| found.get(number).map_or("", |group| group.as_str());
                if let Some(whole) = found.get(0) {
                    replaced.replace(call, whole.range(), group)?;
                }
            }
        }
        // To find where a match is takes a fraction of the time that its groups take.
        _ => {
            for whole in pattern.matches(&text) {
                let found = text.get(whole.clone()).unwrap_or_default();
                replaced.replace(call, whole, |_| found)?;
            }
        }
    }
    let Replaced { mut out, copied, .. } = replaced;
    if copied == 0 && out.is_empty() {
        return Ok(Datum::Text(text));
    }
    receiver::append(call, &mut out, text.get(copied..).unwrap_or_default())?;
    call.new_text(out)
}

/// A text under construction.
struct Replaced<'r> {
    text: &'r str,
    pieces: &'r [Piece<'r>],
    /// Of a match, in bytes a step.
    price: u64,
    out: String,
    /// How much of the text is in `out` or replaced there.
    copied: usize,
}

impl Replaced<'_> {
    /// Adds what stands before a match, and the replacement.
    fn replace<'g>(
        &mut self,
        call: &mut Call<'_, '_>,
        found: Range<usize>,
        group: impl Fn(usize) -> &'g str,
    ) -> Result<(), Fault> {
        receiver::spend_on_match(call, self.text.len() - found.start, self.price)?;
        let before = self.text.get(self.copied..found.start).unwrap_or_default();
        receiver::append(call, &mut self.out, before)?;
        self.copied = found.end;
        for piece in self.pieces {
            let piece = match piece {
                Piece::Text(text) => text,
                Piece::Group(number) => group(*number),
            };
            receiver::append(call, &mut self.out, piece)?;
        }
        Ok(())
    }
}

/// A part of a replacement.
enum Piece<'r> {
    Text(&'r str),
    Group(usize),
}

fn pieces<'r>(replacement: &'r str, pattern: &Pattern) -> Vec<Piece<'r>> {
    let mut pieces = Vec::new();
    let mut rest = replacement;
    let mut plain = 0; // bytes at the start of `rest` that are plain text
    while let Some(mark) = rest.get(plain..).and_then(|tail| tail.find(['$', '\\'])) {
        let start = plain + mark;
        let Some((piece, length)) = rest.get(start..).and_then(|tail| reference(tail, pattern)) else {
            plain = start + 1;
            continue;
        };
        pieces.push(Piece::Text(rest.get(..start).unwrap_or_default()));
        pieces.push(piece);
        rest = rest.get(start + length..).unwrap_or_default();
        plain = 0;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The reference that `tail` starts with, and its length.
fn reference<'r>(tail: &'r str, pattern: &Pattern) -> Option<(Piece<'r>, usize)> {
    let after = tail.get(1..)?;
    if tail.starts_with("$$") || tail.starts_with(r"\\") {
        return Some((Piece::Text(after.get(..1)?), 2));
    }
    if let Some(braced) = after.strip_prefix('{').filter(|_| tail.starts_with('$')) {
        let name = braced.get(..braced.find('}')?)?;
        let named = || {
            let mut names = pattern.groups()?.capture_names();
            names.position(|known| known == Some(name))
        };
        let group = group(name, pattern).or_else(named)?;
        return Some((Piece::Group(group), name.len() + 3));
    }
    let digits = after.len() - after.trim_start_matches(|next: char| next.is_ascii_digit()).len();
    // `$12` is group 12 where there is one, else group 1 and the digit 2.
    (1..=digits.min(2)).rev().find_map(|length| {
        let group = group(after.get(..length)?, pattern)?;
        Some((Piece::Group(group), length + 1))
    })
}

fn group(digits: &str, pattern: &Pattern) -> Option<usize> {
    digits
        .parse()
        .ok()
        .filter(|group| *group < pattern.groups().map_or(1, Regex::captures_len))
}
