//! JSON with places. Only text that is JSON to the letter is taken; everything else is YAML's.

use std::sync::Arc;

use super::known_keys::KnownKeys;
use super::{Content, Key, MAX_DEPTH, MAX_NODES, Node, Place, Source, Written};
use crate::Diagnostic;
use crate::diagnostic::code;

/// `None` when the text is not JSON.
pub(super) fn parse(source: &Arc<Source>) -> Option<Result<Node, Diagnostic>> {
    let text = source.text.as_str();
    if !text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '[', '"'])
    {
        return None;
    }
    let mut reader = Reader {
        source,
        text,
        at: text.len() - text.trim_start_matches('\u{feff}').len(),
        nodes: 0,
    };
    match reader.value(0) {
        Ok(node) => {
            reader.space();
            (reader.at == text.len()).then_some(Ok(node))
        }
        Err(Stop::NotJson) => None,
        Err(Stop::Mistake(diagnostic)) => Some(Err(*diagnostic)),
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    nodes: usize,
}

enum Stop {
    NotJson,
    Mistake(Box<Diagnostic>),
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Stop> {
        self.space();
        self.count()?;
        let start = self.at;
        let mut written = Written::AsIs;
        let content = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => {
                written = Written::DoubleQuoted;
                Content::Text(self.string()?)
            }
            _ => self.word()?,
        };
        Ok(Node {
            place: Place::written(self.source, start, self.at, written),
            content,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Content, Stop> {
        self.deeper(depth)?;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut known = KnownKeys::default();
        if self.opens_empty(b'}') {
            return Ok(Content::Object(entries));
        }
        loop {
            self.space();
            self.count()?;
            let start = self.at;
            let name = self.string()?;
            let place = Place::written(self.source, start, self.at, Written::DoubleQuoted);
            if !known.add(&entries, &name) {
                return Err(Stop::Mistake(Box::new(super::yaml::duplicate_key(
                    &entries, &name, &place,
                ))));
            }
            self.expect(b':')?;
            let node = self.value(depth + 1)?;
            entries.push((Key { place, name }, node));
            if !self.more(b'}')? {
                return Ok(Content::Object(entries));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Content, Stop> {
        self.deeper(depth)?;
        let mut elements = Vec::new();
        if self.opens_empty(b']') {
            return Ok(Content::List(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if !self.more(b']')? {
                return Ok(Content::List(elements));
            }
        }
    }

    fn string(&mut self) -> Result<String, Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut bytes = rest.bytes().enumerate();
        if bytes.next().map(|(_, byte)| byte) != Some(b'"') {
            return Err(Stop::NotJson);
        }
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'"' => {
                    let written = rest.get(..=at).unwrap_or_default();
                    self.at += at + 1;
                    return serde_json::from_str(written).map_err(|_| Stop::NotJson);
                }
                _ => {}
            }
        }
        Err(Stop::NotJson)
    }

    fn word(&mut self) -> Result<Content, Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let content = match word {
            "null" => Content::Null,
            "true" => Content::Bool(true),
            "false" => Content::Bool(false),
            number => {
                serde_json::from_str::<serde_json::Number>(number).map_err(|_| Stop::NotJson)?;
                // The parser of serde_json is fast and may miss the nearest float by one digit.
                match super::yaml::number(number) {
                    super::yaml::Resolved::Number(number) => Content::Number(number),
                    _ => return Err(Stop::NotJson),
                }
            }
        };
        self.at += length;
        Ok(content)
    }

    /// Steps over an opening bracket, and over the closing one if nothing lies between.
    fn opens_empty(&mut self, close: u8) -> bool {
        self.at += 1;
        self.space();
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        empty
    }

    /// Steps over a comma or the closing bracket; whether another element follows.
    fn more(&mut self, close: u8) -> Result<bool, Stop> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(Stop::NotJson),
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        self.space();
        if self.peek() != Some(byte) {
            return Err(Stop::NotJson);
        }
        self.at += 1;
        Ok(())
    }

    /// One more value or key.
    fn count(&mut self) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let place = Place::new(self.source, self.at, self.at + 1);
        Err(Stop::Mistake(Box::new(too_many(MAX_NODES, &place))))
    }

    fn deeper(&self, depth: usize) -> Result<(), Stop> {
        if depth < MAX_DEPTH {
            return Ok(());
        }
        let place = Place::new(self.source, self.at, self.at + 1);
        Err(Stop::Mistake(Box::new(too_deep(&place))))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

pub(super) fn too_deep(place: &Place) -> Diagnostic {
    Diagnostic::error(
        code::DOCUMENT,
        format!("more than {MAX_DEPTH} lists and objects inside one another"),
    )
    .at(place)
}

pub(super) fn too_many(most: usize, place: &Place) -> Diagnostic {
    Diagnostic::error(
        code::DOCUMENT,
        format!("more than {most} values and keys in one document, aliases followed"),
    )
    .at(place)
    .help("long tables do not belong in an integration; where aliases stand in what other aliases stand for, write less of it twice")
}
