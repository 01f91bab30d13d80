use std::fmt;
use std::sync::Arc;

/// A text that things are read from.
#[derive(Debug)]
pub struct Source {
    /// What people are shown, usually the path of the file.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A source to point into.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source {
            name: name.into(),
            text: text.into(),
        })
    }
}

/// A stretch of a [`Source`].
#[derive(Clone)]
pub struct Place {
    /// What it is a part of.
    pub source: Arc<Source>,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    written: Written,
}

/// How the text of a scalar is encoded in its source, so that an offset in the one can be found in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Byte for byte.
    AsIs,
    /// Unquoted YAML; may be folded over lines.
    Plain,
    /// `'...'`, where `''` is one quote.
    SingleQuoted,
    /// `"..."` with backslash escapes.
    DoubleQuoted,
    /// A YAML block after `|`, starting at its first character; its lines are indented as much as that.
    Literal,
    /// The same after `>`: line breaks are folded to spaces.
    Folded,
}

impl Place {
    /// The bytes `start..end` of a source. What lies outside of it is cut off.
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Place {
        Place::written(source, start, end, Written::AsIs)
    }

    pub(crate) fn written(source: &Arc<Source>, start: usize, end: usize, written: Written) -> Place {
        let start = floor_char(&source.text, start);
        let end = floor_char(&source.text, end).max(start);
        Place {
            source: Arc::clone(source),
            start,
            end,
            written,
        }
    }

    /// Line and column of the start, counted from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The place of a part of the text that is written here.
    ///
    /// `start` and `length` are bytes of the text as it was read (unquoted, unescaped, unfolded); the result is
    /// where that part stands in the source.
    pub fn within(&self, start: usize, length: usize) -> Place {
        self.ruler(start + length).part(start, length)
    }

    /// Finds the places of many parts, up to byte `until`, without following the encoding again for each.
    pub(crate) fn ruler(&self, until: usize) -> Ruler<'_> {
        let starts = match self.written {
            Written::AsIs => None,
            _ => Some(self.positions(until)),
        };
        Ruler { place: self, starts }
    }

    /// For each byte of the text that is written here, up to and including byte `until`, the byte of the source,
    /// from the start of this, that it comes from.
    fn positions(&self, until: usize) -> Vec<usize> {
        let before = self.source.text.get(..self.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let mut out = Vec::new();
        if matches!(self.written, Written::Literal | Written::Folded) {
            // Empty lines in front of the first are text, too.
            let lines = before.get(..line_start).unwrap_or_default().lines().rev();
            out.resize(lines.take_while(|line| line.trim().is_empty()).count(), 0);
        }
        positions(self.text(), self.written, before.len() - line_start, until, out)
    }

    /// The text at this place as it is written.
    pub fn text(&self) -> &str {
        self.source.text.get(self.start..self.end).unwrap_or_default()
    }
}

/// Where the parts of the text at a [`Place`] stand in the source.
pub(crate) struct Ruler<'p> {
    place: &'p Place,
    /// For each byte of the text the byte of the source; nothing where they are the same.
    starts: Option<Vec<usize>>,
}

impl Ruler<'_> {
    /// As [`Place::within`].
    pub(crate) fn part(&self, start: usize, length: usize) -> Place {
        let (from, to) = match &self.starts {
            None => (start, start + length),
            Some(starts) => {
                let last = starts.last().copied().unwrap_or(0);
                let from = starts.get(start).copied().unwrap_or(last);
                (
                    from,
                    starts.get(start + length).copied().unwrap_or(last).max(from),
                )
            }
        };
        // An error at the end of an expression still needs something to underline.
        let limit = self.place.text().len();
        let from = from.min(limit);
        let base = self.place.start;
        Place::new(&self.place.source, base + from, base + to.clamp(from, limit))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The character boundary at or before `at`.
fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Adds to `out` for each byte of the text that `raw` stands for, up to byte `until`, the byte of `raw` that it
/// comes from. The text itself is not needed: what is read is followed from the encoding alone.
fn positions(
    raw: &str,
    written: Written,
    indentation: usize,
    until: usize,
    mut out: Vec<usize>,
) -> Vec<usize> {
    let quoted = matches!(written, Written::SingleQuoted | Written::DoubleQuoted);
    let end = if quoted {
        raw.len().saturating_sub(1)
    } else {
        raw.len()
    };
    let mut rest = usize::from(quoted);
    while rest < end && out.len() <= until {
        let Some(tail) = raw.get(rest..end) else { break };
        let Some(c) = tail.chars().next() else { break };
        let (taken, given) = match (written, c) {
            (Written::DoubleQuoted, '\\') => escape(tail),
            (Written::SingleQuoted, '\'') => (2, 1),
            // A line break of Windows is one.
            (Written::Literal | Written::Folded, '\r') if tail.starts_with("\r\n") => (1, 0),
            (Written::Literal, '\n') => (1 + spaces(tail.get(1..), indentation), 1),
            (Written::Folded, '\n') => {
                let line = raw.get(..rest).unwrap_or_default();
                // The first line has no indentation left, the others have it in front.
                let line = line
                    .rfind('\n')
                    .and_then(|at| line.get(at + 1 + indentation..))
                    .unwrap_or_default();
                fold_block(tail, indentation, line.starts_with([' ', '\t']))
            }
            (Written::AsIs | Written::Literal | Written::Folded, c) => (c.len_utf8(), c.len_utf8()),
            (_, ' ' | '\t' | '\r' | '\n') => fold(tail),
            (_, c) => (c.len_utf8(), c.len_utf8()),
        };
        for byte in 0..given {
            out.push(rest + if given == taken { byte } else { 0 });
        }
        rest += taken.max(1);
    }
    out.push(rest.min(end));
    out
}

/// How many of the first `most` characters are spaces.
fn spaces(text: Option<&str>, most: usize) -> usize {
    text.unwrap_or_default()
        .bytes()
        .take(most)
        .take_while(|byte| *byte == b' ')
        .count()
}

/// The length of the line break at the start of a text.
fn line_break(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('\r').unwrap_or(text).strip_prefix('\n')?;
    Some(text.len() - rest.len())
}

/// Bytes of source and of text that the line breaks at the start of `tail` take in a folded block. Lines that are
/// indented further than the block keep their breaks.
fn fold_block(tail: &str, indentation: usize, indented_before: bool) -> (usize, usize) {
    let (mut taken, mut breaks) = (0, 0);
    while let Some(length) = tail.get(taken..).and_then(line_break) {
        breaks += 1;
        taken += length;
        taken += spaces(tail.get(taken..), indentation);
    }
    let indented = indented_before
        || tail
            .get(taken..)
            .is_some_and(|rest| rest.starts_with([' ', '\t']));
    match breaks {
        breaks if indented => (taken, breaks),
        1 => (taken, 1),
        breaks => (taken, breaks - 1),
    }
}

/// Bytes of source and of text that the escape at the start of `tail` takes.
fn escape(tail: &str) -> (usize, usize) {
    let code = |digits: usize| {
        let number = tail
            .get(2..2 + digits)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (2 + digits, number)
    };
    let (taken, number) = match tail.chars().nth(1) {
        Some('x') => code(2),
        Some('u') => code(4),
        Some('U') => code(8),
        // A line break that is escaped joins the lines; the indentation of the next is skipped.
        Some('\n') => {
            return (
                2 + tail
                    .get(2..)
                    .map_or(0, |t| t.len() - t.trim_start_matches([' ', '\t']).len()),
                0,
            );
        }
        Some('N' | '_') => return (2, 2),
        Some('L' | 'P') => return (2, 3),
        Some(other) => return (1 + other.len_utf8(), 1),
        None => return (1, 1),
    };
    match number {
        // Two escapes make one character of four bytes; each counts as half.
        Some(0xD800..=0xDFFF) => (taken, 2),
        Some(number) => (taken, char::from_u32(number).map_or(1, char::len_utf8)),
        None => (taken, 1),
    }
}

/// Bytes of source and of text that the white space at the start of `tail` takes: a line break is one space, and
/// n of them are n - 1 line breaks.
fn fold(tail: &str) -> (usize, usize) {
    let space = tail.len() - tail.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let breaks = tail.get(..space).unwrap_or_default().matches('\n').count();
    match breaks {
        0 => (1, 1),
        1 => (space, 1),
        breaks => (space, breaks - 1),
    }
}
