//! YAML events, made into a tree. No recursion: the depth is a stranger's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use serde_json::Number;

use super::json::{too_deep, too_many};
use super::known_keys::KnownKeys;
use super::{Bounds, Content, Key, MAX_DEPTH, Node, Place, Source, Written};
use crate::Diagnostic;
use crate::diagnostic::code;

pub(super) fn parse(source: &Arc<Source>, bounds: Bounds) -> Result<Node, Diagnostic> {
    let mut builder = Builder::new(source, bounds);
    let mut events = Parser::new_from_str(&source.text);
    while let Some(event) = events.next_event() {
        let (event, span) = event.map_err(|error| {
            let at = builder.offset(*error.marker());
            let place = Place::new(source, at, at + 1);
            let diagnostic =
                Diagnostic::error(code::DOCUMENT, format!("not valid YAML: {}", error.info())).at(&place);
            match hint(&source.text, at, error.info()) {
                Some(hint) => diagnostic.help(hint),
                None => diagnostic,
            }
        })?;
        builder.event(event, span)?;
    }
    Ok(builder.root.unwrap_or_else(|| Node {
        place: Place::new(source, 0, 0),
        content: Content::Null,
    }))
}

/// What most likely has to be mended where the parser stopped at the byte `at` and `said` why: its words tell what it
/// expected, not what was meant.
fn hint(text: &str, at: usize, said: &str) -> Option<&'static str> {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |line_break| line_break + 1);
    let line = text
        .get(start..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let indentation = line.get(..line.len() - line.trim_start().len())?;
    if has(&[" tab", "tabs "]) || indentation.contains('\t') {
        return Some("indent with spaces: YAML takes no tabs there");
    }
    if has(&["flow", "illegal placement of ':'", "misplaced bracket"]) {
        return Some(
            "between { } and [ ] an expression with brackets, braces or commas needs quotes; is a bracket above not closed?",
        );
    }
    if has(&["mapping values are not allowed"]) {
        // A key stands before the place where another one begins.
        let written = text.get(start..at).unwrap_or_default();
        return Some(if written.contains(": ") {
            "an expression with `: ` in it needs quotes, and a key stands on a line of its own"
        } else {
            "this key stands deeper than the one above, which has a value already: indent it like its siblings, \
             and write a space after each colon"
        });
    }
    if has(&["trailing content"]) {
        return Some(
            "a value that begins with a quote ends with it: put the whole expression in the other kind of quotes, \
             or write it below `>-`",
        );
    }
    if has(&[
        "indentation in quoted scalar",
        "quoted scalar, found unexpected end",
    ]) {
        return Some("is the closing quote missing? A text of several lines is indented more than its key");
    }
    if has(&["simple key expect"]) {
        return Some(
            "a colon and a space follow a key; a text of several lines is indented more than its key",
        );
    }
    if has(&["unexpected character"]) {
        return Some("a value that begins with this character needs quotes");
    }
    if has(&["unknown escape"]) {
        return Some("write each backslash twice between double quotes, or use single quotes");
    }
    if has(&[
        "did not find expected key",
        "expected '-'",
        "expected <document start>",
    ]) {
        return Some(
            "indent this line exactly like its siblings above: keys of one object, or dashes of one list",
        );
    }
    None
}

/// What is said about a key that an object has already.
pub(super) fn duplicate_key(entries: &[(Key, Node)], name: &str, place: &Place) -> Diagnostic {
    let diagnostic = Diagnostic::error(code::DOCUMENT, format!("the key \"{name}\" appears twice"))
        .at(place)
        .label("again here");
    match entries.iter().find(|(key, _)| key.name == name) {
        Some((key, _)) => diagnostic.help(format!("it is first given on line {}", key.place.line_column().0)),
        None => diagnostic,
    }
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    /// Byte of each character; empty when the text is ASCII and they are the same.
    bytes: Vec<usize>,
    open: Vec<Open>,
    /// Finished nodes with an anchor, with their depth and their size.
    anchors: HashMap<usize, (Node, usize, Size)>,
    /// What was read so far, aliases followed.
    size: Size,
    bounds: Bounds,
    documents: usize,
    root: Option<Node>,
}

/// How much memory something takes.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Values and keys.
    nodes: usize,
    /// Bytes of their texts.
    text: usize,
}

/// A list or an object that is not finished.
struct Open {
    start: usize,
    anchor: usize,
    size_before: Size,
    deepest: usize,
    collection: Collection,
}

enum Collection {
    List(Vec<Node>),
    Object {
        entries: Vec<(Key, Node)>,
        known: KnownKeys,
        key: Option<Key>,
    },
}

impl Size {
    fn grow(&mut self, by: Size, bounds: Bounds, place: &Place) -> Result<(), Diagnostic> {
        self.nodes += by.nodes;
        self.text += by.text;
        if self.nodes > bounds.nodes {
            return Err(too_many(bounds.nodes, place));
        }
        if self.text > bounds.text_bytes {
            let message = format!(
                "more than {} bytes of text in one document, aliases followed",
                bounds.text_bytes
            );
            return Err(Diagnostic::error(code::DOCUMENT, message).at(place));
        }
        Ok(())
    }
}

impl<'a> Builder<'a> {
    fn new(source: &'a Arc<Source>, bounds: Bounds) -> Self {
        let text = &source.text;
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        let anchors = HashMap::new();
        Builder {
            source,
            bytes,
            open: Vec::new(),
            anchors,
            size: Size::default(),
            bounds,
            documents: 0,
            root: None,
        }
    }

    fn offset(&self, marker: Marker) -> usize {
        if self.bytes.is_empty() {
            return marker.index();
        }
        self.bytes
            .get(marker.index())
            .copied()
            .unwrap_or(self.source.text.len())
    }

    fn place(&self, span: Span) -> Place {
        Place::new(self.source, self.offset(span.start), self.offset(span.end))
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(
                        Diagnostic::error(code::DOCUMENT, "a second YAML document starts here")
                            .at(&self.place(span))
                            .help("keep one document in a file"),
                    );
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(text, style, anchor, tag.as_deref(), span)?;
            }
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, tag, "seq", Collection::List(Vec::new()), span)?;
            }
            Event::MappingStart(anchor, tag) => {
                let object = Collection::Object {
                    entries: Vec::new(),
                    known: KnownKeys::default(),
                    key: None,
                };
                self.open(anchor, tag, "map", object, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        expected: &str,
        collection: Collection,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let place = self.place(span);
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && tag.suffix == expected)
        {
            return Err(unknown_tag(&tag, &place));
        }
        if let Some(Open {
            collection: Collection::Object { key: None, .. },
            ..
        }) = self.open.last()
        {
            return Err(key_not_scalar(&place));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(&place));
        }
        self.open.push(Open {
            start: self.offset(span.start),
            anchor,
            size_before: self.size,
            deepest: 0,
            collection,
        });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let end = self.offset(span.end);
        // The end of an indented collection is only known to be where the next thing begins.
        let written = self
            .source
            .text
            .get(open.start..end)
            .unwrap_or_default()
            .trim_end();
        let place = Place::new(self.source, open.start, open.start + written.len());
        let content = match open.collection {
            Collection::List(elements) => Content::List(elements),
            Collection::Object { entries, .. } => Content::Object(entries),
        };
        let node = Node { place, content };
        if open.anchor != 0 {
            let size = Size {
                nodes: self.size.nodes - open.size_before.nodes,
                text: self.size.text - open.size_before.text,
            };
            // The copy that is kept for the aliases takes as much again.
            self.size.grow(size, self.bounds, &node.place)?;
            self.anchors
                .insert(open.anchor, (node.clone(), open.deepest + 1, size));
        }
        self.add(node, open.deepest + 1)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Diagnostic> {
        let place = self.place(span);
        let Some(&(ref node, depth, size)) = self.anchors.get(&anchor) else {
            return Err(
                Diagnostic::error(code::DOCUMENT, "this alias is part of what it stands for").at(&place),
            );
        };
        self.size.grow(size, self.bounds, &place)?;
        if self.open.len() + depth > MAX_DEPTH {
            return Err(too_deep(&place));
        }
        let node = node.clone();
        self.add(node, depth)
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let place = self.scalar_place(style, span);
        let as_key = matches!(
            self.open.last(),
            Some(Open {
                collection: Collection::Object { key: None, .. },
                ..
            })
        );
        if as_key && style == ScalarStyle::Plain && text == "<<" {
            return Err(
                Diagnostic::error(code::DOCUMENT, "merge keys (`<<`) are not part of YAML 1.2")
                    .at(&place)
                    .help("write the keys out, or use MERGE() in a mapping"),
            );
        }
        let size = Size {
            nodes: 0,
            text: text.len(),
        };
        let content = if as_key {
            Content::Text(text.into_owned())
        } else {
            resolve(text, style, tag, &place)?
        };
        self.size.grow(size, self.bounds, &place)?;
        let node = Node { place, content };
        if anchor != 0 {
            self.size.grow(size, self.bounds, &node.place)?;
            self.anchors.insert(anchor, (node.clone(), 0, size));
        }
        self.add(node, 0)
    }

    /// Where the scalar itself is written, without the anchor and the tag before it.
    fn scalar_place(&self, style: ScalarStyle, span: Span) -> Place {
        let written = match style {
            ScalarStyle::Plain => Written::Plain,
            ScalarStyle::SingleQuoted => Written::SingleQuoted,
            ScalarStyle::DoubleQuoted => Written::DoubleQuoted,
            ScalarStyle::Literal => Written::Literal,
            ScalarStyle::Folded => Written::Folded,
        };
        let (mut start, end) = (self.offset(span.start), self.offset(span.end));
        let mut raw = self.source.text.get(start..end).unwrap_or_default().trim_end();
        while !matches!(written, Written::Literal | Written::Folded) && raw.starts_with(['&', '!']) {
            let word = raw.find(char::is_whitespace).unwrap_or(raw.len());
            let rest = raw.get(word..).unwrap_or_default().trim_start();
            start += raw.len() - rest.len();
            raw = rest;
        }
        Place::written(self.source, start, start + raw.len(), written)
    }

    /// Puts a finished node into what is open, as its key, its value or its element.
    fn add(&mut self, node: Node, depth: usize) -> Result<(), Diagnostic> {
        self.size
            .grow(Size { nodes: 1, text: 0 }, self.bounds, &node.place)?;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.deepest = open.deepest.max(depth);
        match &mut open.collection {
            Collection::List(elements) => elements.push(node),
            Collection::Object { entries, known, key } => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let Content::Text(name) = node.content else {
                        return Err(key_not_scalar(&node.place));
                    };
                    if !known.add(entries, &name) {
                        return Err(duplicate_key(entries, &name, &node.place));
                    }
                    *key = Some(Key {
                        place: node.place,
                        name,
                    });
                }
            },
        }
        Ok(())
    }
}

fn key_not_scalar(place: &Place) -> Diagnostic {
    Diagnostic::error(code::DOCUMENT, "a key must be a text, not a list or an object")
        .at(place)
        .help("an expression has no braces around it: {{ name }} is written name")
}

fn unknown_tag(tag: &Tag, place: &Place) -> Diagnostic {
    Diagnostic::error(
        code::DOCUMENT,
        format!("the tag {}{} is not known here", tag.handle, tag.suffix),
    )
    .at(place)
    .help("remove the tag; a text is written in quotes")
}

/// The value of a scalar by the YAML 1.2 core schema: only what is not quoted can be other than text.
fn resolve(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    place: &Place,
) -> Result<Content, Diagnostic> {
    let plain = match tag {
        None => style == ScalarStyle::Plain,
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => false,
            "null" | "bool" | "int" | "float" => true,
            _ => return Err(unknown_tag(tag, place)),
        },
        Some(tag) => return Err(unknown_tag(tag, place)),
    };
    if !plain {
        return Ok(Content::Text(text.into_owned()));
    }
    Ok(match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        _ => match number(&text) {
            Resolved::Number(number) => Content::Number(number),
            Resolved::Text => Content::Text(text.into_owned()),
            Resolved::NoNumber => {
                return Err(Diagnostic::error(
                    code::DOCUMENT,
                    format!("{text} is not a number that JSON has"),
                )
                .at(place)
                .help("put it in quotes if it is a text"));
            }
        },
    })
}

pub(super) enum Resolved {
    Number(Number),
    Text,
    /// A number to YAML that no JSON value holds: infinite, not a number, or beyond a 64-bit float.
    NoNumber,
}

/// The number that a plain scalar is.
pub(super) fn number(text: &str) -> Resolved {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Resolved::NoNumber;
    }
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(Number::from);
    if let Some(digits) = text
        .strip_prefix("0x")
        .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return radix(digits, 16).map_or(Resolved::NoNumber, Resolved::Number);
    }
    if let Some(digits) = text
        .strip_prefix("0o")
        .filter(|d| !d.is_empty() && d.bytes().all(|b| (b'0'..=b'7').contains(&b)))
    {
        return radix(digits, 8).map_or(Resolved::NoNumber, Resolved::Number);
    }
    if !is_decimal(unsigned) {
        return Resolved::Text;
    }
    let whole = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = whole.parse::<i64>() {
        return Resolved::Number(Number::from(number));
    }
    if let Ok(number) = whole.parse::<u64>() {
        return Resolved::Number(Number::from(number));
    }
    match whole.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Resolved::Number(number),
        None => Resolved::NoNumber,
    }
}

/// `[0-9]+` or `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = text.get(whole..).unwrap_or_default();
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        fraction = digits(after);
        rest = after.get(fraction..).unwrap_or_default();
    }
    if whole + fraction == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}
