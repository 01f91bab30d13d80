//! The texts that the doctor writes, and what became of them on the way there and back.

use mapping::{Environment, Mapping};
use serde_json::{Value, json};

use crate::live::shown;

/// What HTML writes otherwise, and what is not ASCII.
const SIGNS: &str = "a < b & \"c\" – ü";
/// Characters of a value in a message.
const WIDTH: usize = 120;
/// Characters in front of a difference that are shown.
const BEFORE: usize = 24;
/// So often a system may have encoded a text.
const MOST_TIMES: u8 = 3;

/// A word that is nowhere else.
pub(super) fn mark() -> String {
    let mark = uuid::Uuid::new_v4().simple().to_string();
    mark.get(..8).unwrap_or_default().to_owned()
}

/// A title.
pub(super) fn title(begin: &str) -> String {
    format!("{begin}, {SIGNS}")
}

/// A text of two lines. The entity in it tells a text that is taken for HTML from one that is escaped: of the signs alone,
/// every browser makes the same as of their entities.
pub(super) fn text(begin: &str) -> String {
    format!("{begin} {SIGNS}, &amp; as it stands.\nThis is the second line.")
}

/// A text that is not read as it was sent.
#[derive(Debug)]
pub(super) struct Unlike {
    pub(super) said: String,
    pub(super) kind: Kind,
}

/// Something that is not in the ticket as it should be.
pub(super) struct Amiss {
    /// Where in the ticket, such as `comments[0].body`.
    pub(super) field: String,
    pub(super) unlike: Unlike,
}

impl Amiss {
    pub(super) fn new(field: impl Into<String>, said: impl Into<String>) -> Self {
        let unlike = Unlike {
            said: said.into(),
            kind: Kind::Otherwise,
        };
        Self {
            field: field.into(),
            unlike,
        }
    }

    /// What is worth knowing and no fault.
    pub(super) fn note(field: impl Into<String>, said: impl Into<String>) -> Self {
        let mut amiss = Self::new(field, said);
        amiss.unlike.kind = Kind::Harmless;
        amiss
    }

    /// A text that is not what was sent; `name` is what people call it.
    pub(super) fn of_text(field: impl Into<String>, name: &str, sent: &str, read: &Value) -> Option<Self> {
        let unlike = unlike(sent, read)?;
        let how = match unlike.kind {
            Kind::IsHtml(_) => " is read as HTML",
            Kind::TakenForHtml => " is taken for HTML",
            Kind::Harmless | Kind::Otherwise => "",
        };
        Some(Self {
            field: field.into(),
            unlike: Unlike {
                said: format!("{name}{how}: {}", unlike.said),
                ..unlike
            },
        })
    }
}

/// In which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space, or more text around it: no fault.
    Harmless,
    /// `STRIP_HTML()` so many times makes what was sent of what is read.
    IsHtml(u8),
    /// What is read is what a browser shows of what was sent.
    TakenForHtml,
    Otherwise,
}

/// How a text that was read differs from the one that was sent; none where it is the same, but for line ends and white
/// space at the end of lines.
pub(super) fn unlike(sent: &str, read: &Value) -> Option<Unlike> {
    let Some(text) = read.as_str() else {
        return Some(Unlike {
            said: format!("sent {}, read {read}", quoted(sent)),
            kind: Kind::Otherwise,
        });
    };
    if lines(sent) == lines(text) {
        return None;
    }
    let (wanted, found) = (dense(sent), dense(text));
    if wanted == found {
        let said = match text.lines().count() < sent.lines().count() {
            true => "its lines became one".to_owned(),
            false => format!(
                "only white space differs: sent {}, read {}",
                quoted(sent),
                quoted(text)
            ),
        };
        return Some(Unlike {
            said,
            kind: Kind::Harmless,
        });
    }
    if let Some((before, after)) = found.split_once(&wanted)
        && !looks_like_html(before)
        && !looks_like_html(after)
    {
        return Some(Unlike {
            said: format!("there is more text around it: {}", quoted(text)),
            kind: Kind::Harmless,
        });
    }
    let same = sent
        .chars()
        .zip(text.chars())
        .take_while(|(one, other)| one == other)
        .count();
    let from = |text: &str| match same > BEFORE {
        true => quoted(&format!(
            "...{}",
            text.chars().skip(same - BEFORE).collect::<String>()
        )),
        false => quoted(text),
    };
    let said = format!("sent {}, read {}", from(sent), from(text));
    let mut plain = text.to_owned();
    for times in 1..=MOST_TIMES {
        plain = stripped(&plain);
        if dense(&plain).contains(&wanted) {
            return Some(Unlike {
                said,
                kind: Kind::IsHtml(times),
            });
        }
    }
    if found.contains(&dense(&stripped(sent))) {
        return Some(Unlike {
            said,
            kind: Kind::TakenForHtml,
        });
    }
    let missing = missing(&wanted, &found);
    Some(Unlike {
        said: match missing.is_empty() {
            true => said,
            false => format!("{said}; missing: {missing}"),
        },
        kind: Kind::Otherwise,
    })
}

/// A text as it is compared: line ends are `\n`, and white space at the end of lines and around the whole is none.
fn lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether there is a tag, a comment or an entity in it.
fn looks_like_html(text: &str) -> bool {
    stripped(text) != lines(text)
}

/// What `STRIP_HTML()` makes of it.
fn stripped(text: &str) -> String {
    let mapping = Mapping::compile_value(&json!({"STRIP_HTML()": "text"}));
    let stripped = mapping.ok().and_then(|mapping| {
        let value = mapping.evaluate(&json!({"text": text}), &Environment::now());
        value.ok()?.as_str().map(str::to_owned)
    });
    stripped.unwrap_or_else(|| text.to_owned())
}

/// The parts that were sent and did not come back, where nothing else came in their place.
fn missing(wanted: &str, found: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut is_gap = false;
    let mut rest = found.chars().peekable();
    for letter in wanted.chars() {
        if rest.peek() == Some(&letter) {
            rest.next();
            is_gap = false;
        } else if is_gap && let Some(part) = parts.last_mut() {
            part.push(letter);
        } else {
            parts.push(letter.to_string());
            is_gap = true;
        }
    }
    match rest.next() {
        None => parts
            .iter()
            .map(|part| format!("`{part}`"))
            .collect::<Vec<_>>()
            .join(", "),
        // Something else came instead: name the signs that are nowhere.
        Some(_) => {
            let mut signs: Vec<char> = wanted.chars().filter(|sign| !found.contains(*sign)).collect();
            signs.sort_unstable();
            signs.dedup();
            signs
                .iter()
                .map(|sign| format!("`{sign}`"))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

fn quoted(text: &str) -> String {
    shown::cut(&Value::from(text).to_string(), WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(sent: &str, read: &str) -> Option<Kind> {
        unlike(sent, &read.into()).map(|unlike| unlike.kind)
    }

    #[test]
    fn line_ends_and_white_space_at_the_end_are_no_difference() {
        assert_eq!(kind("one\ntwo", "one  \r\ntwo\n"), None);
    }

    #[test]
    fn other_white_space_and_more_text_are_no_fault() {
        assert_eq!(kind("one\ntwo", "one two"), Some(Kind::Harmless));
        assert_eq!(kind("one two", "Ana wrote: one two [tg-1]"), Some(Kind::Harmless));
    }

    #[test]
    fn tags_and_entities_are_told_with_how_often_to_strip_them() {
        let sent = text("It says");
        let escaped = sent.replace('&', "&amp;").replace('<', "&lt;");
        assert_eq!(kind(&sent, &escaped), Some(Kind::IsHtml(1)));
        let twice = format!("<p>{escaped}</p>")
            .replace('&', "&#38;")
            .replace('<', "&#60;");
        assert_eq!(kind(&sent, &twice), Some(Kind::IsHtml(2)));
        assert_eq!(kind("one", "<p>one</p>"), Some(Kind::IsHtml(1)));
    }

    #[test]
    fn a_text_that_was_not_escaped_is_told_from_one_that_was() {
        let sent = text("It says");
        assert_eq!(kind(&sent, &stripped(&sent)), Some(Kind::TakenForHtml));
    }

    #[test]
    fn what_went_missing_is_named() {
        let said = unlike("a < b ü c", &"a b c".into()).unwrap().said;
        assert!(said.ends_with("missing: `<`, `ü`"), "{said}");
        let said = unlike("a – ü", &"a ? ?".into()).unwrap().said;
        assert!(said.ends_with("missing: `ü`, `–`"), "{said}");
    }
}
