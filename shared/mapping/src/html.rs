//! HTML to plain text: the work of `STRIP_HTML()`.
//!
//! One pass over the text, after the tokenizer of the HTML standard (section 13.2.5) as far as it
//! matters for text: tags, comments, declarations, and the raw content of `script` and `style`.
//! There is nothing HTML can hold that is an error here; a `<` that opens no tag is text.

/// Elements that start and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "title",
    "tr",
    "ul",
];

/// The text of `html`: tags, comments, scripts and styles left out, entities decoded, white space
/// collapsed outside `<pre>`, one line for each block element and each `<br>`, no line end at the end.
pub(crate) fn strip(html: &str) -> String {
    let mut text = Text::default();
    let mut tags = Tags {
        html,
        quotes_balance: true,
        last_close: html.rfind('>'),
    };
    let mut at = 0;
    let mut start = 0; // of the text not yet written
    while let Some(found) = tags.find('<', at) {
        let Some((tag, end)) = tags.read(found) else {
            at = found + 1;
            continue;
        };
        text.push(html.get(start..found).unwrap_or_default());
        at = end;
        match tag {
            Tag::Nothing => {}
            Tag::Element { name, opens } => {
                text.element(&name, opens);
                if opens && (name == "script" || name == "style") {
                    at = tags.end_of_raw(&name, end);
                }
            }
        }
        start = at;
    }
    text.push(html.get(start..).unwrap_or_default());
    text.finish()
}

enum Tag {
    /// A comment, declaration or processing instruction.
    Nothing,
    /// A start tag (`opens`) or an end tag, its name in lower case.
    Element { name: String, opens: bool },
}

struct Tags<'a> {
    html: &'a str,
    /// False once a quote in a tag was found to be left open. From there a tag ends at the first `>`,
    /// which also keeps the whole pass linear.
    quotes_balance: bool,
    /// The last `>` of all; a tag that opens behind it never ends and is text.
    last_close: Option<usize>,
}

impl Tags<'_> {
    fn find(&self, wanted: char, from: usize) -> Option<usize> {
        self.rest(from).find(wanted).map(|offset| from + offset)
    }

    fn rest(&self, from: usize) -> &str {
        self.html.get(from..).unwrap_or_default()
    }

    /// The tag that the `<` at `start` opens, and where it ends; nothing when that `<` is text.
    fn read(&mut self, start: usize) -> Option<(Tag, usize)> {
        let all = self.html.len();
        let inside = self.rest(start + 1);
        if let Some(comment) = inside.strip_prefix("!--") {
            // `<!-->` and `<!--->` are whole, empty comments.
            let body = start + 4;
            let end = if comment.starts_with('>') {
                body + 1
            } else if comment.starts_with("->") {
                body + 2
            } else {
                comment.find("-->").map_or(all, |offset| body + offset + 3)
            };
            return Some((Tag::Nothing, end));
        }
        if inside.starts_with(['!', '?']) {
            return Some((Tag::Nothing, self.find('>', start).map_or(all, |end| end + 1)));
        }
        if self.last_close.is_none_or(|close| close < start) {
            return None;
        }
        let opens = !inside.starts_with('/');
        let named = if opens {
            inside
        } else {
            inside.get(1..).unwrap_or_default()
        };
        if !named.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        let length = named
            .find(|next: char| next.is_ascii_whitespace() || matches!(next, '/' | '>'))
            .unwrap_or(named.len());
        let name = named.get(..length).unwrap_or_default().to_ascii_lowercase();
        let end = self.end_of_tag(all - named.len() + length)?;
        Some((Tag::Element { name, opens }, end))
    }

    /// Behind the `>` of a tag; a `>` inside a quoted attribute value does not count.
    fn end_of_tag(&mut self, from: usize) -> Option<usize> {
        if self.quotes_balance {
            let mut quote = None;
            for (offset, byte) in self.rest(from).bytes().enumerate() {
                match (quote, byte) {
                    (None, b'>') => return Some(from + offset + 1),
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (Some(open), _) if open == byte => quote = None,
                    _ => {}
                }
            }
            self.quotes_balance = false;
        }
        self.find('>', from).map(|end| end + 1)
    }

    /// Where the end tag of a `script` or `style` starts, or the end of the text.
    fn end_of_raw(&self, name: &str, from: usize) -> usize {
        let mut at = from;
        while let Some(found) = self.find('<', at) {
            let end = self
                .rest(found)
                .strip_prefix("</")
                .and_then(|tag| tag.get(..name.len()));
            if end.is_some_and(|end| end.eq_ignore_ascii_case(name)) {
                return found;
            }
            at = found + 1;
        }
        self.html.len()
    }
}

/// The plain text as it grows.
#[derive(Default)]
struct Text {
    out: String,
    /// Line ends to write before the next word; what follows the last word is never written.
    lines: usize,
    /// Something stands on the current line.
    begun: bool,
    /// A gap to write before the next word on this line.
    gap: bool,
    /// Open `<pre>` elements.
    preformatted: usize,
    /// A line end right behind `<pre>` is not text.
    pre_just_opened: bool,
}

impl Text {
    fn push(&mut self, html: &str) {
        for character in html_escape::decode_html_entities(html).chars() {
            // A no-break space is only a means of layout; in plain text it trips searches.
            let space = character.is_ascii_whitespace() || character == '\u{a0}';
            if self.preformatted > 0 {
                match character {
                    '\n' if self.pre_just_opened => {}
                    '\n' => self.end_line(),
                    '\r' => continue,
                    '\u{a0}' => self.write(' '),
                    _ => self.write(character),
                }
                self.pre_just_opened = false;
            } else if space {
                self.gap = self.begun;
            } else {
                self.write(character);
            }
        }
    }

    fn write(&mut self, character: char) {
        if !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', self.lines));
        }
        self.lines = 0;
        if self.gap {
            self.out.push(' ');
        }
        self.gap = false;
        self.begun = true;
        self.out.push(character);
    }

    fn end_line(&mut self) {
        self.lines += 1;
        self.begun = false;
        self.gap = false;
    }

    fn element(&mut self, name: &str, opens: bool) {
        match name {
            "br" => self.end_line(),
            // Cells of one row stay on one line, apart.
            "td" | "th" => self.gap = self.begun,
            _ if self.begun && BLOCKS.contains(&name) => self.end_line(),
            _ => {}
        }
        if name == "pre" {
            self.preformatted = if opens {
                self.preformatted.saturating_add(1)
            } else {
                self.preformatted.saturating_sub(1)
            };
            self.pre_just_opened = opens;
        }
    }

    fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}
