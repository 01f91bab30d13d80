//! Mustache text to its parts.
//!
//! The grammar is that of mustache(5) and of the specification at github.com/mustache/spec, without
//! partials and without another pair of delimiters.

use std::ops::Range;

use super::names;
use crate::compile::Compiler;
use crate::document::Ruler;
use crate::plan::Expression;
use crate::{Diagnostic, Place, code, dsl};

/// Sections inside sections. Rendering recurses this deep.
const DEEPEST: usize = 64;

/// One piece of a template; a span is the bytes of its tag.
#[derive(Debug)]
pub(super) enum Part {
    /// Text to copy.
    Text(String),
    /// `{{x}}`, or `{{{x}}}` and `{{&x}}`, which are raw.
    Value {
        what: Reference,
        raw: bool,
        span: Range<usize>,
    },
    /// `{{#x}}...{{/x}}`, or `{{^x}}...{{/x}}`, which is inverted.
    Section {
        what: Reference,
        inverted: bool,
        parts: Vec<Part>,
        span: Range<usize>,
    },
}

/// What stands in a tag.
#[derive(Debug)]
pub(super) enum Reference {
    /// `.`
    Current,
    /// `a.b.0`; never empty.
    Name(Vec<String>),
    /// An expression of the mapping language.
    Expression(Computed),
}

#[derive(Debug)]
pub(super) struct Computed {
    pub(super) expression: Expression,
    /// The names in it. They are its locals, in this order, so that sections decide what they stand for.
    pub(super) names: Vec<String>,
    pub(super) span: Range<usize>,
}

/// Splits a template. Mistakes inside expressions are reported to the compiler.
pub(super) fn parse(text: &str, place: &Place, compiler: &mut Compiler) -> Result<Vec<Part>, Diagnostic> {
    let mut parser = Parser {
        text,
        ruler: place.ruler(text.len()),
        compiler,
        open: Vec::new(),
        parts: Vec::new(),
    };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{{")) {
        let start = at + found;
        let tag = parser.read_tag(start)?;
        let (text_end, next) = match (tag.kind.may_stand_alone(), line_of(text, &tag.whole)) {
            (true, Some(line)) => (line.start, line.end),
            _ => (tag.whole.start, tag.whole.end),
        };
        parser.push_text(at..text_end);
        at = next;
        parser.push_tag(tag)?;
    }
    parser.push_text(at..text.len());
    parser.finish()
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Value { raw: bool },
    Open { inverted: bool },
    Close,
    Comment,
}

impl Kind {
    /// A tag that writes nothing itself takes its line with it when it is alone there.
    fn may_stand_alone(self) -> bool {
        !matches!(self, Kind::Value { .. })
    }
}

struct Tag {
    kind: Kind,
    /// With the braces.
    whole: Range<usize>,
    /// Without braces, mark and white space.
    content: Range<usize>,
}

struct Section {
    what: Reference,
    inverted: bool,
    /// As written in the opening tag.
    name: String,
    span: Range<usize>,
    /// The parts in front of it.
    before: Vec<Part>,
}

struct Parser<'a> {
    text: &'a str,
    ruler: Ruler<'a>,
    compiler: &'a mut Compiler,
    open: Vec<Section>,
    parts: Vec<Part>,
}

impl Parser<'_> {
    fn at(&self, range: &Range<usize>) -> Place {
        self.ruler.part(range.start, range.len())
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The tag whose `{{` is at `start`.
    fn read_tag(&self, start: usize) -> Result<Tag, Diagnostic> {
        let all = self.text.len();
        let inside = self.slice(&(start + 2..all));
        let (opening, closing) = if inside.starts_with('{') {
            (3, "}}}")
        } else {
            (2, "}}")
        };
        let body = start + opening;
        let inside = self.slice(&(body..all));
        let mark_at = body + (inside.len() - inside.trim_start().len());
        let mark = if opening == 3 {
            None
        } else {
            inside.trim_start().chars().next()
        };
        let end = if mark == Some('!') {
            // A comment ends at the first braces: its words may hold a lone quote.
            inside.find(closing)
        } else {
            end_outside_quotes(inside, closing).or_else(|| inside.find(closing))
        };
        let Some(end) = end else {
            let line = inside.lines().next().unwrap_or_default().len();
            return Err(
                Diagnostic::error(code::TEMPLATE, format!("this `{{{{` has no `{closing}`"))
                    .at(&self.at(&(start..body + line)))
                    .help(format!("close the tag with `{closing}`")),
            );
        };
        let whole = start..body + end + closing.len();
        let (kind, marked) = match mark {
            Some('#') => (Kind::Open { inverted: false }, true),
            Some('^') => (Kind::Open { inverted: true }, true),
            Some('/') => (Kind::Close, true),
            Some('!') => (Kind::Comment, true),
            Some('&') => (Kind::Value { raw: true }, true),
            Some('>') => {
                return Err(self.unsupported(&whole, "partials (`{{> name}}`)", "write the text out here"));
            }
            Some('=') => {
                return Err(self.unsupported(
                    &whole,
                    "other delimiters (`{{=<% %>=}}`)",
                    "keep `{{` and `}}`",
                ));
            }
            _ => (Kind::Value { raw: opening == 3 }, false),
        };
        let from = if marked { mark_at + 1 } else { body };
        let content = self.slice(&(from..body + end));
        let from = from + (content.len() - content.trim_start().len());
        let content = from..from + content.trim().len();
        if content.is_empty() && kind != Kind::Comment {
            return Err(Diagnostic::error(code::TEMPLATE, "this tag is empty")
                .at(&self.at(&whole))
                .help("name a value, as in `{{ticket_id}}`"));
        }
        Ok(Tag { kind, whole, content })
    }

    fn unsupported(&self, whole: &Range<usize>, what: &str, instead: &str) -> Diagnostic {
        Diagnostic::error(code::TEMPLATE, format!("templates have no {what}"))
            .at(&self.at(whole))
            .help(instead)
    }

    fn push_text(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            let text = self.slice(&range).to_owned();
            self.parts.push(Part::Text(text));
        }
    }

    fn push_tag(&mut self, tag: Tag) -> Result<(), Diagnostic> {
        let span = tag.whole;
        match tag.kind {
            Kind::Comment => {}
            Kind::Value { raw } => {
                let what = self.reference(&tag.content);
                self.parts.push(Part::Value { what, raw, span });
            }
            Kind::Open { inverted } => {
                if self.open.len() == DEEPEST {
                    return Err(Diagnostic::error(
                        code::TOO_DEEP,
                        format!("more than {DEEPEST} sections inside each other"),
                    )
                    .at(&self.at(&span))
                    .help("prepare the data in a mapping and give the template less to do"));
                }
                let what = self.reference(&tag.content);
                let name = self.slice(&tag.content).to_owned();
                let before = std::mem::take(&mut self.parts);
                self.open.push(Section {
                    what,
                    inverted,
                    name,
                    span,
                    before,
                });
            }
            Kind::Close => {
                let name = self.text.get(tag.content.clone()).unwrap_or_default();
                let Some(section) = self.open.pop() else {
                    return Err(Diagnostic::error(
                        code::TEMPLATE,
                        format!("`{{{{/{name}}}}}` closes no section"),
                    )
                    .at(&self.at(&span))
                    .help(format!("open it with `{{{{#{name}}}}}`, or leave this tag out")));
                };
                if !same_words(name, &section.name) {
                    let opened = &section.name;
                    return Err(Diagnostic::error(
                        code::TEMPLATE,
                        format!("`{{{{/{name}}}}}` stands where `{{{{/{opened}}}}}` must close the section"),
                    )
                    .at(&self.at(&span))
                    .help(format!(
                        "close `{opened}` first: sections end in the reverse order of their start"
                    )));
                }
                let Section {
                    what,
                    inverted,
                    span,
                    before,
                    ..
                } = section;
                let parts = std::mem::replace(&mut self.parts, before);
                self.parts.push(Part::Section {
                    what,
                    inverted,
                    parts,
                    span,
                });
            }
        }
        Ok(())
    }

    fn reference(&mut self, content: &Range<usize>) -> Reference {
        let text = self.text.get(content.clone()).unwrap_or_default();
        if text == "." {
            return Reference::Current;
        }
        if let Some(names) = plain_names(text) {
            return Reference::Name(names);
        }
        // A text that is no expression is reported when it is compiled.
        let names = dsl::parse(text).map(|ast| names::of(&ast)).unwrap_or_default();
        let locals: Vec<&str> = names.iter().map(String::as_str).collect();
        let place = self.at(content);
        let (expression, _) = self
            .compiler
            .with_locals(&locals, |compiler| compiler.expression(text, &place));
        Reference::Expression(Computed {
            expression,
            names,
            span: content.clone(),
        })
    }

    fn finish(mut self) -> Result<Vec<Part>, Diagnostic> {
        match self.open.pop() {
            None => Ok(self.parts),
            Some(section) => {
                let name = section.name;
                Err(
                    Diagnostic::error(code::TEMPLATE, format!("the section `{name}` is not closed"))
                        .at(&self.at(&section.span))
                        .help(format!("end it with `{{{{/{name}}}}}`")),
                )
            }
        }
    }
}

/// The names of a plain dotted path; nothing when the tag is an expression. A dash belongs to a
/// name: Mustache has no arithmetic, and keys like `first-name` are common.
fn plain_names(text: &str) -> Option<Vec<String>> {
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|next| next.is_alphanumeric() || matches!(next, '_' | '-' | '@' | ':'))
    };
    text.split('.')
        .map(str::trim)
        .map(|name| plain(name).then(|| name.to_owned()))
        .collect()
}

/// Where `closing` starts, outside quoted text and outside the braces of an object.
fn end_outside_quotes(inside: &str, closing: &str) -> Option<usize> {
    let bytes = inside.as_bytes();
    let mut quote = None;
    let mut objects = 0usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => objects += 1,
            (None, b'}') if objects > 0 => objects -= 1,
            (None, b'}')
                if bytes
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with(closing.as_bytes())) =>
            {
                return Some(at);
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The whole line of a tag that is alone on it but for spaces, with its line end.
fn line_of(text: &str, tag: &Range<usize>) -> Option<Range<usize>> {
    let blank = [' ', '\t'];
    let before = text.get(..tag.start)?.trim_end_matches(blank);
    if !before.is_empty() && !before.ends_with('\n') {
        return None;
    }
    let after = text.get(tag.end..)?.trim_start_matches(blank);
    let rest = match after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')) {
        Some(rest) => rest,
        None if after.is_empty() => after,
        None => return None,
    };
    Some(before.len()..text.len() - rest.len())
}

/// Equal but for white space.
fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace()
        .flat_map(str::chars)
        .eq(other.split_whitespace().flat_map(str::chars))
}
