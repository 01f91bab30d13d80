use std::borrow::Cow;

use serde_json::Number;

use super::{Span, SyntaxError, number};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// A name or a keyword; which of them depends on where it stands.
    Name(&'t str),
    /// `$NAME`
    Function(&'t str),
    /// `$`
    Root,
    Number(Number),
    Text(Cow<'t, str>),
    Symbol(&'static str),
    End,
}

/// Splits an expression. The last token is `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Span)>, SyntaxError> {
    let mut lexer = Lexer { text, at: 0 };
    // Few are shorter than three characters, the space behind them included.
    let mut tokens = Vec::with_capacity(text.len().min(1024) / 3 + 2);
    loop {
        lexer.skip(char::is_whitespace);
        let start = lexer.at;
        let token = lexer.token()?;
        let end = token == Token::End;
        tokens.push((token, Span::new(start, lexer.at)));
        if end {
            return Ok(tokens);
        }
    }
}

/// Names that are joined by dashes without spaces, such as `first-name`, and dates: subtractions that were hardly
/// meant as such.
pub(crate) fn dashed_words(text: &str) -> Vec<Span> {
    if !text.contains('-') {
        return Vec::new();
    }
    let tokens = tokens(text).unwrap_or_default();
    let mut words: Vec<Span> = Vec::new();
    for window in tokens.windows(3) {
        let [(left, start), (Token::Symbol("-"), dash), (right, end)] = window else {
            continue;
        };
        let alike = matches!(
            (left, right),
            (Token::Name(_), Token::Name(_)) | (Token::Number(_), Token::Number(_))
        );
        if !alike || start.end() != dash.start() || dash.end() != end.start() {
            continue;
        }
        match words.last_mut().filter(|word| word.end() == start.end()) {
            Some(word) => *word = word.to(*end),
            None => words.push(start.to(*end)),
        }
    }
    words.retain(|word| {
        let word = text.get(word.start()..word.end()).unwrap_or_default();
        word.starts_with(starts_name) || word.matches('-').count() == 2
    });
    words
}

/// Longest first.
const SYMBOLS: [&str; 21] = [
    "==", "!=", "<=", ">=", "=>", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "/", "<", ">",
    "=",
];

/// What people write who come from other languages, and what to write here. Longest first.
const FOREIGN: [(&str, &str); 23] = [
    ("->", "a lambda is written x => e"),
    ("===", "write == to compare"),
    ("!==", "write != to compare"),
    ("&&", "write AND"),
    ("||", "write OR"),
    ("??", "write OR, which gives its first operand that is not empty"),
    ("?.", "a path never fails; write a plain dot"),
    ("<>", "write != to compare"),
    ("**", "there is no power operator"),
    (
        "//",
        "there are no comments in an expression, and a text such as a URL needs quotes",
    ),
    ("/*", "there are no comments in an expression"),
    ("!", "write NOT; a text needs quotes"),
    ("&", "write AND"),
    ("|", "write OR; functions are called with a dot, as in a.$TRIM()"),
    ("?", "write IF condition THEN a ELSE b"),
    ("%", "there is no remainder operator"),
    ("^", "there is no power operator"),
    (";", "an expression is one value; there is nothing to separate"),
    ("`", "quote texts with ' or \""),
    ("\u{201c}", "quote texts with straight quotes: \""),
    ("\u{201d}", "quote texts with straight quotes: \""),
    ("\u{2018}", "quote texts with straight quotes: '"),
    ("\u{2019}", "quote texts with straight quotes: '"),
];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn token(&mut self) -> Result<Token<'a>, SyntaxError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        if starts_name(first) {
            return Ok(Token::Name(self.skip(continues_name)));
        }
        match first {
            '$' => {
                self.at += 1;
                if !self.rest().starts_with(starts_name) {
                    return Ok(Token::Root);
                }
                let length = 1 + self.skip(continues_name).len();
                Ok(Token::Function(rest.get(..length).unwrap_or_default()))
            }
            '"' | '\'' => self.string(first),
            '0'..='9' => self.number(),
            _ => self.symbol(),
        }
    }

    fn symbol(&mut self) -> Result<Token<'a>, SyntaxError> {
        let rest = self.rest();
        let known = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let foreign = FOREIGN.iter().find(|(symbol, _)| rest.starts_with(symbol));
        // `!=` is ours and `!==` is not: the longer of the two is what was meant.
        if let Some((symbol, help)) = foreign
            && known.is_none_or(|known| known.len() < symbol.len())
        {
            let span = Span::new(self.at, self.at + symbol.len());
            return Err(
                SyntaxError::new(span, format!("`{symbol}` is not part of the language")).help(*help),
            );
        }
        match known {
            Some(&"=") => Err(SyntaxError::new(
                Span::new(self.at, self.at + 1),
                "`=` is not part of the language",
            )
            .help("write == to compare")),
            Some(symbol) => {
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
            None => {
                let c = rest.chars().next().unwrap_or_default();
                let span = Span::new(self.at, self.at + c.len_utf8());
                Err(SyntaxError::new(span, format!("unexpected character `{}`", c.escape_debug())).help(
                    "a key with special characters is written in brackets, a[\"b-c\"], and a text in quotes",
                ))
            }
        }
    }

    fn number(&mut self) -> Result<Token<'a>, SyntaxError> {
        let start = self.at;
        let digit = |c: char| c.is_ascii_digit();
        self.skip(digit);
        if self
            .rest()
            .strip_prefix('.')
            .is_some_and(|after| after.starts_with(digit))
        {
            self.at += 1;
            self.skip(digit);
        }
        if let Some(after) = self.rest().strip_prefix(['e', 'E']) {
            let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
            if digits.starts_with(digit) {
                self.at += 1 + after.len() - digits.len();
                self.skip(digit);
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if self.rest().starts_with(starts_name) {
            let word = self.skip(continues_name);
            return Err(SyntaxError::new(
                Span::new(start, self.at),
                format!("`{text}{word}` is not a number"),
            )
            .help("a name cannot begin with a digit, write a[\"1st\"]; a text needs quotes"));
        }
        number::parse(text).map(Token::Number).ok_or_else(|| {
            SyntaxError::new(
                Span::new(start, self.at),
                format!("the number {text} is too large"),
            )
        })
    }

    fn string(&mut self, quote: char) -> Result<Token<'a>, SyntaxError> {
        let start = self.at;
        let inside = self.rest().get(1..).unwrap_or_default();
        if let Some(length) = inside.find([quote, '\\'])
            && let Some((plain, behind)) = inside.split_at_checked(length)
            && behind.starts_with(quote)
        {
            self.at += length + 2;
            return Ok(Token::Text(Cow::Borrowed(plain)));
        }
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        chars.next();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at = start + at + c.len_utf8();
                return Ok(Token::Text(Cow::Owned(out)));
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, c @ ('"' | '\'' | '\\'))) => out.push(c),
                Some((at, 'u')) => match unicode(self.text.get(start + at + 1..).unwrap_or_default()) {
                    Some((c, length)) => {
                        out.push(c);
                        chars.by_ref().take(length).for_each(drop);
                    }
                    None => out.push_str("\\u"),
                },
                // What is not an escape keeps its backslash: regular expressions are full of them.
                Some((_, c)) => {
                    out.push('\\');
                    out.push(c);
                }
                None => break,
            }
        }
        let shown = Span::new(start, start + 1);
        self.at = self.text.len();
        Err(SyntaxError::new(shown, "this text has no end").help(format!("close it with {quote}")))
    }
}

/// The character of the four digits at the start, or of two such escapes, and how many characters they take.
fn unicode(text: &str) -> Option<(char, usize)> {
    let four = |text: &str| {
        let digits = text
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = four(text)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 4));
    }
    let second = four(text.get(4..)?.strip_prefix("\\u")?)?;
    if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).map(|c| (c, 10))
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a text can be written as a name in an expression.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(starts_name) && text.chars().all(continues_name)
}
