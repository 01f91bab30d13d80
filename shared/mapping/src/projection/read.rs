//! One pass over the bytes of a JSON text. It knows no errors: where a text is wrong it gives up, and what is wrong is
//! told by who reads all of it.

use std::borrow::Cow;

use serde::de::Error;
use serde_json::{Number, Value};

use super::outline::Use;
use super::{Excerpt, Fields, Outline};

/// How many lists and objects may lie inside one another where values are built, as in `serde_json`.
const MOST_LEVELS: usize = 127;

/// For how many fields of an object there is room from the beginning.
const MOST_EXPECTED: usize = 16;

/// Reads what an outline says of a JSON text.
///
/// # Errors
/// The text is not JSON.
pub(crate) fn read<'t>(outline: &Outline, json: &'t str) -> Result<Excerpt<'t>, serde_json::Error> {
    let mut reader = Reader {
        text: json,
        at: 0,
        levels_left: MOST_LEVELS,
        open: Vec::new(),
    };
    reader.document(outline).ok_or_else(|| {
        let error = serde_json::from_str::<Value>(json).err();
        error.unwrap_or_else(|| serde_json::Error::custom("not a JSON text"))
    })
}

struct Reader<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
    levels_left: usize,
    /// The brackets that are still to come in a value that is skipped. Kept for its memory.
    open: Vec<u8>,
}

impl<'t> Reader<'t> {
    fn document(&mut self, outline: &Outline) -> Option<Excerpt<'t>> {
        let excerpt = self.value(outline)?;
        self.significant().is_none().then_some(excerpt)
    }

    /// Reads a value as an outline says.
    fn value(&mut self, outline: &Outline) -> Option<Excerpt<'t>> {
        match self.significant()? {
            b'"' => self.string().map(Excerpt::Text),
            b'{' => self.deeper(|reader| reader.object(outline)),
            b'[' => self.deeper(|reader| reader.list(outline)),
            b't' => self.rest_of(b"rue").map(|()| Excerpt::Bool(true)),
            b'f' => self.rest_of(b"alse").map(|()| Excerpt::Bool(false)),
            b'n' => self.rest_of(b"ull").map(|()| Excerpt::Null),
            first => self.number(first).map(Excerpt::Number),
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Option<Excerpt<'t>>) -> Option<Excerpt<'t>> {
        self.levels_left = self.levels_left.checked_sub(1)?;
        let excerpt = read(self);
        self.levels_left += 1;
        excerpt
    }

    fn object(&mut self, outline: &Outline) -> Option<Excerpt<'t>> {
        if self.take(b'}') {
            return Some(Excerpt::Object(Fields::new(Vec::new())));
        }
        let mut fields = Vec::with_capacity(outline.fields().min(MOST_EXPECTED));
        loop {
            self.expect(b'"')?;
            let key = self.string()?;
            self.expect(b':')?;
            match outline.key(&key) {
                Use::Read(outline) => fields.push((key, self.value(outline)?)),
                Use::Count => {
                    self.skip()?;
                    fields.push((key, Excerpt::Null));
                }
                Use::Skip => self.skip()?,
            }
            match self.significant()? {
                b',' => {}
                b'}' => {
                    // A long list may be of objects that have few of the fields that are used.
                    fields.shrink_to_fit();
                    return Some(Excerpt::Object(Fields::new(fields)));
                }
                _ => return None,
            }
        }
    }

    fn list(&mut self, outline: &Outline) -> Option<Excerpt<'t>> {
        let mut elements = Vec::new();
        if self.take(b']') {
            return Some(Excerpt::List(elements));
        }
        let counted = outline.has_elements();
        loop {
            match outline.element(elements.len()) {
                Use::Read(outline) => elements.push(self.value(outline)?),
                Use::Count | Use::Skip => {
                    self.skip()?;
                    if counted {
                        elements.push(Excerpt::Null);
                    }
                }
            }
            match self.significant()? {
                b',' => {}
                b']' => return Some(Excerpt::List(elements)),
                _ => return None,
            }
        }
    }

    /// Steps over a value. No recursion: the depth is a stranger's, and nothing is built.
    fn skip(&mut self) -> Option<()> {
        self.open.clear();
        loop {
            match self.significant()? {
                b'"' => self.skip_string()?,
                b'{' => {
                    if !self.take(b'}') {
                        self.open.push(b'}');
                        self.skip_key()?;
                        continue;
                    }
                }
                b'[' => {
                    if !self.take(b']') {
                        self.open.push(b']');
                        continue;
                    }
                }
                b't' => self.rest_of(b"rue")?,
                b'f' => self.rest_of(b"alse")?,
                b'n' => self.rest_of(b"ull")?,
                first => drop(self.skip_number(first)?),
            }
            // Behind a value: what it lies in ends, or goes on.
            loop {
                let Some(bracket) = self.open.last().copied() else {
                    return Some(());
                };
                match self.significant()? {
                    b',' => {
                        if bracket == b'}' {
                            self.skip_key()?;
                        }
                        break;
                    }
                    byte if byte == bracket => drop(self.open.pop()),
                    _ => return None,
                }
            }
        }
    }

    fn skip_key(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.skip_string()?;
        self.expect(b':')
    }

    /// Reads a string behind its first quote, borrowed unless something in it is escaped.
    fn string(&mut self) -> Option<Cow<'t, str>> {
        let start = self.at;
        if self.next_in_string()? == b'"' {
            return self.text.get(start..self.at - 1).map(Cow::Borrowed);
        }
        self.at -= 1;
        self.skip_string()?;
        let quoted = self.text.get(start - 1..self.at)?;
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    }

    /// Steps over a string behind its first quote.
    fn skip_string(&mut self) -> Option<()> {
        loop {
            match self.next_in_string()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                // A control character.
                _ => return None,
            }
        }
    }

    /// Steps behind the next byte that is not plain text of a string: a quote, a backslash or a control character.
    fn next_in_string(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let plain = plain(rest);
        self.at += plain + 1;
        rest.get(plain).copied()
    }

    /// Reads a number of which the first byte was taken.
    fn number(&mut self, first: u8) -> Option<Number> {
        let start = self.at - 1;
        let whole = self.skip_number(first)?;
        let written = self.text.get(start..self.at)?;
        // `-0` is not whole: it keeps its sign.
        if whole && first != b'-' && written.len() < 19 {
            return written.parse::<u64>().ok().map(Number::from);
        }
        serde_json::from_str(written).ok()
    }

    /// Steps over a number of which the first byte was taken; gives whether it is written as a whole one.
    fn skip_number(&mut self, first: u8) -> Option<bool> {
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.next().filter(u8::is_ascii_digit)?;
            self.skip_digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.next().filter(u8::is_ascii_digit)?;
            self.skip_digits();
        }
        Some(whole)
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn rest_of(&mut self, word: &[u8]) -> Option<()> {
        let end = self.at + word.len();
        let is_there = self.text.as_bytes().get(self.at..end)? == word;
        self.at = end;
        is_there.then_some(())
    }

    /// Takes a byte behind white space if it is the next.
    fn take(&mut self, byte: u8) -> bool {
        let before = self.at;
        let taken = self.significant() == Some(byte);
        if !taken {
            self.at = before;
        }
        taken
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.significant()? == byte).then_some(())
    }

    /// The next byte that is not white space.
    fn significant(&mut self) -> Option<u8> {
        loop {
            match self.next()? {
                b' ' | b'\n' | b'\r' | b'\t' => {}
                byte => return Some(byte),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// How many bytes from the start are plain text of a string: no quotes, backslashes or control characters.
///
/// It looks at eight bytes at a time. A quote with its second bit flipped is 0x20, and the control characters, flipped
/// likewise, stay below that: one comparison finds both.
fn plain(text: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (eights, rest) = text.as_chunks::<8>();
    for (position, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        let flipped = eight ^ (EACH * 0x02);
        let slash = eight ^ (EACH * b'\\' as u64);
        // The top bit of each byte that is below 0x21, or equal. Above the lowest that is, borrows may set it, too.
        let below = flipped.wrapping_sub(EACH * 0x21) & !flipped;
        let equal = slash.wrapping_sub(EACH) & !slash;
        let found = (below | equal) & (EACH * 0x80);
        if found != 0 {
            return position * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    text.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}
