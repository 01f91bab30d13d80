//! Removes secrets from text that leaves this crate.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::{memchr, memchr3, memmem};
use percent_encoding::utf8_percent_encode;
use regex::{Captures, Regex};
use serde_json::Value;
use storage::Secret;

use crate::request::UNRESERVED;

const HIDDEN: &str = "***";
/// Longest excerpt, in characters.
const EXCERPT: usize = 500;
/// Shorter secrets are hidden in errors, but not in good answers, where a short text may be data.
const SHORTEST_IN_ANSWERS: usize = 8;

/// Names of query and form fields whose values are never shown, whoever they belong to.
#[allow(clippy::expect_used, reason = "a constant that a test compiles")]
static NAMED_SECRETS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b([\w.-]*(?:key|token|secret|password|passwd|signature|sig|credential)[\w.-]*)=([^&\s"'<>#;,]+)"#)
        .expect("the pattern is valid")
});

/// How URLs, JSON and HTML write a character that stands for itself elsewhere.
#[allow(clippy::expect_used, reason = "a constant that a test compiles")]
static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"%([[:xdigit:]]{2})|\\u([[:xdigit:]]{4})|&#[xX]([[:xdigit:]]{1,6});|&#([0-9]{1,7});|&(amp|lt|gt|quot|apos);|\\(["/\\])"#,
    )
    .expect("the pattern is valid")
});
/// An echo of an echo is escaped this often.
const NESTED_ESCAPES: usize = 3;

/// The secrets that one call has used, in every form in which a server might repeat them. A tool that shows what was sent
/// and answered has one of its own.
#[derive(Default)]
pub struct Redactor {
    forms: Vec<Secret>,
}

impl Redactor {
    /// Hides this secret from now on.
    pub fn hide(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut forms = vec![
            secret.to_owned(),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ];
        // What URLs do not escape, JSON and HTML do not either.
        if let Cow::Owned(encoded) = Cow::from(utf8_percent_encode(secret, UNRESERVED)) {
            let json = serde_json::to_string(secret).unwrap_or_default();
            let json_inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
            let html = secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;");
            forms.extend([
                encoded.replace("%20", "+"),
                lower_hexadecimal(&encoded),
                encoded,
                json_inner.replace('/', "\\/"),
                json_inner.to_owned(),
                html,
            ]);
        }
        for form in forms {
            if !form.is_empty() && self.forms.iter().all(|known| known.expose() != form) {
                self.forms.push(Secret::new(form));
            }
        }
        // A form that contains another one goes first.
        self.forms
            .sort_by_key(|form| std::cmp::Reverse(form.expose().len()));
    }

    /// The text without secrets and without values of fields that are named like one.
    pub fn text(&self, text: &str) -> String {
        let without = self.without_secrets(text, 1);
        NAMED_SECRETS
            .replace_all(&without, format!("$1={HIDDEN}"))
            .into_owned()
    }

    /// The beginning of a body, for a person; none when there is nothing to show.
    pub(crate) fn excerpt(&self, body: &[u8]) -> Option<String> {
        let text = self.text(&String::from_utf8_lossy(body));
        let words: Vec<&str> = text.split_whitespace().collect();
        let short: String = words
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .take(EXCERPT)
            .collect();
        (!short.is_empty()).then_some(short)
    }

    /// What a refusal by a login or a token endpoint says to people. The rest of it is not shown: it may hold a session or
    /// another token that nobody has seen before.
    pub(crate) fn refusal(&self, body: &[u8]) -> Option<String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let answer: Value = serde_json::from_slice(body).ok()?;
        let mut said = Vec::new();
        collect_words(&answer, &mut said);
        self.excerpt(said.join(" ").as_bytes())
    }

    /// Whether a good answer repeats a secret, in a link for instance, and needs [`Redactor::value`].
    pub(crate) fn occurs(&self, text: &str) -> bool {
        matches!(self.without_secrets(text, SHORTEST_IN_ANSWERS), Cow::Owned(_))
    }

    /// A good answer without secrets, which was read from the text `source`, as JSON or as it is.
    pub(crate) fn value(&self, value: &mut Value, source: &str) {
        if self.forms_of(SHORTEST_IN_ANSWERS).next().is_some() {
            self.hide_in(value, self.may_come_from(source));
        }
    }

    /// Where `any` text may hold a secret, or else only one in which something is escaped.
    fn hide_in(&self, value: &mut Value, any: bool) {
        match value {
            Value::String(text) if any || may_be_escaped(text) => {
                if let Cow::Owned(hidden) = self.without_secrets(text, SHORTEST_IN_ANSWERS) {
                    *text = hidden;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_in(item, any)),
            Value::Object(fields) => {
                if fields
                    .keys()
                    .any(|name| (any || may_be_escaped(name)) && self.occurs(name))
                {
                    let renamed = std::mem::take(fields).into_iter();
                    *fields = renamed
                        .map(|(name, value)| {
                            (
                                self.without_secrets(&name, SHORTEST_IN_ANSWERS).into_owned(),
                                value,
                            )
                        })
                        .collect();
                }
                fields.values_mut().for_each(|field| self.hide_in(field, any));
            }
            _ => {}
        }
    }

    /// Whether some text that is read from `source` may hold a secret as it stands.
    ///
    /// Most answers repeat none, and finding that out in the whole of them is much quicker than in each text. Where none
    /// is in the source, one in a text has a character that the source writes as an escape.
    fn may_come_from(&self, source: &str) -> bool {
        let escaped = Escaped::of(source);
        self.forms_of(SHORTEST_IN_ANSWERS)
            .any(|form| memmem::find(source.as_bytes(), form.as_bytes()).is_some() || escaped.any_of(form))
    }

    /// The text without the secrets that have at least `shortest` bytes; borrowed where there is none in it.
    fn without_secrets<'t>(&self, text: &'t str, shortest: usize) -> Cow<'t, str> {
        // No escape is shorter than what it stands for.
        if self.forms_of(shortest).all(|form| form.len() > text.len()) {
            return Cow::Borrowed(text);
        }
        let mut shown = self.without_forms(text, shortest);
        // Encoders do not agree on what they escape, so the forms cannot name every way.
        let mut plain = shown.clone();
        for _ in 0..NESTED_ESCAPES {
            let Cow::Owned(plainer) = unescaped(&plain) else {
                break;
            };
            plain = match self.without_forms(&plainer, shortest) {
                Cow::Owned(hidden) => {
                    shown = Cow::Owned(hidden.clone());
                    Cow::Owned(hidden)
                }
                Cow::Borrowed(_) => Cow::Owned(plainer),
            };
        }
        shown
    }

    fn without_forms<'t>(&self, text: &'t str, shortest: usize) -> Cow<'t, str> {
        let mut shown = Cow::Borrowed(text);
        for form in self.forms_of(shortest) {
            if shown.contains(form) {
                shown = Cow::Owned(shown.replace(form, HIDDEN));
            }
        }
        shown
    }

    fn forms_of(&self, shortest: usize) -> impl Iterator<Item = &str> {
        self.forms
            .iter()
            .map(Secret::expose)
            .filter(move |form| form.len() >= shortest)
    }
}

/// The characters that a JSON text writes as escapes.
struct Escaped {
    ascii: [bool; 128],
    others: bool,
}

impl Escaped {
    fn of(json: &str) -> Self {
        let mut escaped = Self {
            ascii: [false; 128],
            others: false,
        };
        let mut rest = json.as_bytes();
        while let Some(at) = memchr(b'\\', rest) {
            let Some((kind, after)) = rest.get(at + 1..).and_then(<[u8]>::split_first) else {
                break;
            };
            let code = match kind {
                b'u' => {
                    let digits = after.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
                    digits.and_then(|digits| usize::from_str_radix(digits, 16).ok())
                }
                b'b' => Some(0x08),
                b'f' => Some(0x0c),
                b'n' => Some(0x0a),
                b'r' => Some(0x0d),
                b't' => Some(0x09),
                itself => Some(usize::from(*itself)),
            };
            match code.and_then(|code| escaped.ascii.get_mut(code)) {
                Some(seen) => *seen = true,
                None => escaped.others = true,
            }
            rest = after;
        }
        escaped
    }

    /// Whether a character of the text is among them.
    fn any_of(&self, text: &str) -> bool {
        let mut bytes = text.bytes().map(usize::from);
        bytes.any(|byte| *self.ascii.get(byte).unwrap_or(&self.others))
    }
}

/// Whether something in the text may be escaped, as URLs, JSON or HTML do it.
fn may_be_escaped(text: &str) -> bool {
    memchr3(b'%', b'\\', b'&', text.as_bytes()).is_some()
}

/// The text with the visible ASCII characters that are escaped in it.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !may_be_escaped(text) {
        return Cow::Borrowed(text);
    }
    ESCAPES.replace_all(text, |found: &Captures<'_>| {
        let group = |number| found.get(number).map(|part| part.as_str());
        let named = match group(5) {
            Some("amp") => Some('&'),
            Some("lt") => Some('<'),
            Some("gt") => Some('>'),
            Some("quot") => Some('"'),
            Some(_) => Some('\''),
            None => group(6).and_then(|escaped| escaped.chars().next()),
        };
        let hexadecimal = group(1).or(group(2)).or(group(3));
        let code = match hexadecimal {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => group(4).and_then(|digits| digits.parse().ok()),
        };
        let character = named.or_else(|| char::from_u32(code?).filter(|c| matches!(c, ' '..='~')));
        character.map_or_else(|| found[0].to_owned(), String::from)
    })
}

/// `%2F` as `%2f`, the rest as it is.
fn lower_hexadecimal(encoded: &str) -> String {
    let mut left = 0;
    let lower = |c: char| {
        let inside = left > 0;
        left = if c == '%' { 2 } else { left.max(1) - 1 };
        if inside { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(lower).collect()
}

/// The names of what is said to people in the errors of APIs: RFC 6749 section 5.2, RFC 9457 section 3.1, and habit.
const WORDS: [&str; 14] = [
    "error",
    "errors",
    "error_code",
    "error_description",
    "errorCode",
    "errorMessage",
    "code",
    "status",
    "category",
    "title",
    "detail",
    "details",
    "message",
    "messages",
];

fn collect_words(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) => said.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| collect_words(element, said)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| WORDS.contains(&name.as_str()))
            .for_each(|(_, value)| collect_words(value, said)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let mut redactor = Redactor::default();
        redactor.hide("s3cr/et \"K&y\"");
        for text in [
            "s3cr/et \"K&y\"",
            "s3cr%2Fet%20%22K%26y%22",
            "s3cr%2fet%20%22K%26y%22",
            "s3cr%2Fet+%22K%26y%22",
            "s3cr/et \\\"K&y\\\"",
            "s3cr/et &quot;K&amp;y&quot;",
            "czNjci9ldCAiSyZ5Ig==",
            // Encoders that escape more or less than others, and two on top of each other.
            "s3cr/et%20\"K%26y\"",
            "s3cr/et \\u0022K\\u0026y\\u0022",
            "s3cr&#47;et &#x22;K&#38;y&quot;",
            "s3cr%252Fet%2520%2522K%2526y%2522",
        ] {
            let shown = redactor.text(&format!("before {text} after"));
            assert!(
                !shown.contains("s3cr") && !shown.contains("czNj"),
                "{text} -> {shown}"
            );
            assert!(
                shown.starts_with("before ***") && shown.ends_with(" after"),
                "{shown}"
            );
        }
    }

    #[test]
    fn fields_named_like_a_secret_are_hidden() {
        let shown = Redactor::default().text("https://h/p?api_key=abc&page=2&access_token=d.e-f#x");
        assert_eq!(shown, "https://h/p?api_key=***&page=2&access_token=***#x");
    }

    #[test]
    fn good_answers_lose_long_secrets_only() {
        let mut redactor = Redactor::default();
        redactor.hide("open");
        redactor.hide("0123456789");
        let mut value = json!({"state": "open", "next": "/t?key=0123456789", "0123456789": [["0123456789"]]});
        let source = value.to_string();
        redactor.value(&mut value, &source);
        assert_eq!(
            value,
            json!({"state": "open", "next": "/t?key=***", "***": [["***"]]})
        );
    }

    #[test]
    fn no_escape_hides_a_secret_in_an_answer() {
        let mut redactor = Redactor::default();
        redactor.hide("S3cret+pass/wörd");
        for source in [
            r#"{"a": "plain\n\"text\"", "b": ["S3cret+pass/wörd"]}"#,
            r#"{"b": "\u00533cret+pass/wörd"}"#,
            r#"{"b": "S3cret\u002Bpass/wörd"}"#,
            r#"{"b": "S3cret+pass\/wörd"}"#,
            r#"{"b": "S3cret+pass/w\u00f6rd"}"#,
            r#"{"S3cret\u002bpass/wörd": 1}"#,
            // Escaped once more, in a text inside a text.
            r#"{"b": "{\"c\": \"S3cret\\u002bpass\\/wörd\"}"}"#,
            r#"{"b": "\u0025533cret%2Bpass%2fwörd"}"#,
            r#"{"b": "&#x53;3cret&#43;pass/wörd", "c": "\n"}"#,
            // Base64, of which the system escapes a character.
            r#"{"b": "UzNjcmV0K3Bhc3Mvd\u0038O2cmQ"}"#,
        ] {
            let mut value: Value = serde_json::from_str(source).unwrap();
            redactor.value(&mut value, source);
            let shown = value.to_string();
            assert!(shown.contains("***"), "{source} -> {shown}");
            assert!(
                !shown.contains("3cret") && !shown.contains("UzNj"),
                "{source} -> {shown}"
            );
        }
    }

    #[test]
    fn texts_beside_escapes_stay_as_they_are() {
        let mut redactor = Redactor::default();
        redactor.hide("0123456789+/");
        let source = r#"{"a": "1 + 1\n\/ \u002b %2B &amp; \u00e9\ud83d\ude00", "b\t%20": "\\"}"#;
        let mut value: Value = serde_json::from_str(source).unwrap();
        let before = value.clone();
        redactor.value(&mut value, source);
        assert_eq!(value, before);
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        let body = format!("<html>\n\t<p>{}</p>", "é".repeat(1000));
        let excerpt = Redactor::default().excerpt(body.as_bytes()).unwrap();
        assert_eq!(excerpt.chars().count(), 500);
        assert!(excerpt.starts_with("<html> <p>é"), "{excerpt}");
        assert_eq!(Redactor::default().excerpt(b" \n"), None);
    }
}
