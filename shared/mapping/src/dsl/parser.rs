use serde_json::{Number, Value};

use super::ast::{Ast, AstKind, AstSegment, BinaryOperator};
use super::lexer::{self, Token};
use super::{MAX_HEIGHT, Span, SyntaxError};

/// Longer texts are not expressions that somebody wrote.
const MAX_LENGTH: usize = 1 << 20;

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Ast, SyntaxError> {
    if text.len() > MAX_LENGTH {
        let mut error = SyntaxError::new(Span::new(0, 1), format!("longer than {MAX_LENGTH} bytes"));
        error.too_deep = true;
        return Err(error);
    }
    if text.trim().is_empty() {
        return Err(
            SyntaxError::new(Span::new(0, text.len()), "an expression is missing")
                .help("an empty text is written '\"\"', no value is written NULL"),
        );
    }
    let mut parser = Parser {
        tokens: lexer::tokens(text)?,
        at: 0,
        depth: 0,
    };
    let ast = parser.expression(Level::Or)?;
    match parser.peek() {
        Token::End => Ok(ast),
        _ => Err(parser.leftover(&ast)),
    }
}

/// How tightly operators bind, loosest first. `NOT` stands between AND and the comparisons; all comparisons and IN
/// are one level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Unary,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Infix {
    Or,
    And,
    Binary(BinaryOperator),
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, Span)>,
    at: usize,
    depth: usize,
}

const IN_QUOTES: &str = "a text is written in quotes inside the YAML text: '\"some text\"'";

const KEYWORDS: [&str; 10] = [
    "TRUE", "FALSE", "NULL", "AND", "OR", "NOT", "IN", "IF", "THEN", "ELSE",
];

/// The keyword that a word is, whatever its case.
pub(super) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS
        .iter()
        .copied()
        .find(|keyword| keyword.eq_ignore_ascii_case(word))
}

impl<'t> Parser<'t> {
    fn peek(&self) -> &Token<'t> {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn peek_after(&self, count: usize) -> &Token<'t> {
        self.tokens
            .get(self.at + count)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Span {
        self.tokens
            .get(self.at)
            .or(self.tokens.last())
            .map_or(Span::default(), |(_, span)| *span)
    }

    fn next(&mut self) -> (Token<'t>, Span) {
        let next = (self.peek().clone(), self.span());
        self.at += 1;
        next
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(s) if *s == symbol)
    }

    fn is_keyword(&self, word: &str) -> bool {
        is_keyword(self.peek(), word)
    }

    /// Steps over a symbol if it is next.
    fn take(&mut self, symbol: &str) -> bool {
        let taken = self.is_symbol(symbol);
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, symbol: &str, opened: Span) -> Result<Span, SyntaxError> {
        let span = self.span();
        if self.take(symbol) {
            return Ok(span);
        }
        let error = self.expected(&format!("`{symbol}`"));
        Err(match self.peek() {
            Token::End => SyntaxError::new(opened, "this bracket is not closed")
                .help(format!("close it with `{symbol}`")),
            _ => error,
        })
    }

    fn expected(&self, what: &str) -> SyntaxError {
        SyntaxError::new(
            self.span(),
            format!("expected {what}, found {}", describe(self.peek())),
        )
    }

    /// What stands behind a complete expression.
    fn leftover(&self, ast: &Ast) -> SyntaxError {
        let error = self.expected("an operator or the end");
        match (&ast.kind, self.peek()) {
            (AstKind::Name(name), Token::Symbol("(")) => error.help(format!(
                "functions begin with $, as in ${}(...)",
                name.to_uppercase()
            )),
            (AstKind::Path { .. }, Token::Symbol("(")) => {
                error.help("functions begin with $, as in a.$TRIM()".to_owned())
            }
            (_, Token::Symbol("=>")) => error.help("a lambda can only be an argument of a function"),
            (_, Token::Symbol(")" | "]" | "}")) => error.help("it closes nothing"),
            (_, Token::Symbol("{")) => {
                error.help("a text with {{...}} is a template: RENDER(): {template: ...}")
            }
            (_, Token::Name(word)) => match word.to_ascii_lowercase().as_str() {
                "is" => error.help("write == to compare, as in a == NULL"),
                "contains" | "includes" => error.help("write \"part\" IN text or x IN list"),
                _ => error.help(IN_QUOTES),
            },
            (_, Token::Symbol(":") | Token::Number(_)) => error.help(IN_QUOTES),
            _ => error,
        }
    }

    fn make(&self, span: Span, height: usize, kind: AstKind) -> Result<Ast, SyntaxError> {
        if height >= MAX_HEIGHT {
            return Err(too_deep(span));
        }
        Ok(Ast {
            span,
            height: height + 1,
            kind,
        })
    }

    fn expression(&mut self, level: Level) -> Result<Ast, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_HEIGHT {
            return Err(too_deep(self.span()));
        }
        let mut left = self.prefix()?;
        while let Some((infix, binds, tokens)) = self.infix() {
            if binds < level {
                break;
            }
            self.at += tokens;
            left = self.operation(left, infix, binds)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// The operator that is next, how tightly it binds, and how many tokens it is.
    fn infix(&self) -> Option<(Infix, Level, usize)> {
        use BinaryOperator as B;
        let (operator, level) = match self.peek() {
            Token::Symbol(symbol) => match *symbol {
                "+" => (B::Add, Level::Sum),
                "-" => (B::Subtract, Level::Sum),
                "*" => (B::Multiply, Level::Product),
                "/" => (B::Divide, Level::Product),
                "==" => (B::Equal, Level::Comparison),
                "!=" => (B::NotEqual, Level::Comparison),
                "<" => (B::Less, Level::Comparison),
                "<=" => (B::LessOrEqual, Level::Comparison),
                ">" => (B::Greater, Level::Comparison),
                ">=" => (B::GreaterOrEqual, Level::Comparison),
                _ => return None,
            },
            Token::Name(word) => match keyword(word)? {
                "OR" => return Some((Infix::Or, Level::Or, 1)),
                "AND" => return Some((Infix::And, Level::And, 1)),
                "IN" => (B::In, Level::Comparison),
                "NOT" if is_keyword(self.peek_after(1), "IN") => {
                    return Some((Infix::Binary(B::NotIn), Level::Comparison, 2));
                }
                _ => return None,
            },
            _ => return None,
        };
        Some((Infix::Binary(operator), level, 1))
    }

    fn operation(&mut self, left: Ast, infix: Infix, binds: Level) -> Result<Ast, SyntaxError> {
        let tighter = match binds {
            Level::Or => Level::And,
            Level::And => Level::Comparison,
            Level::Comparison => Level::Sum,
            Level::Sum => Level::Product,
            Level::Product | Level::Unary => Level::Unary,
        };
        let right = self.expression(tighter)?;
        let span = left.span.to(right.span);
        let height = left.height.max(right.height);
        match infix {
            Infix::Binary(operator) => {
                let (left, right) = (Box::new(left), Box::new(right));
                self.make(
                    span,
                    height,
                    AstKind::Binary {
                        operator,
                        left,
                        right,
                    },
                )
            }
            // A long chain is one node, however long.
            Infix::And => self.chain(left, right, span, matches_and, AstKind::And),
            Infix::Or => self.chain(left, right, span, matches_or, AstKind::Or),
        }
    }

    fn chain(
        &self,
        left: Ast,
        right: Ast,
        span: Span,
        same: fn(AstKind) -> Result<Vec<Ast>, AstKind>,
        build: fn(Vec<Ast>) -> AstKind,
    ) -> Result<Ast, SyntaxError> {
        let (left_span, left_height) = (left.span, left.height);
        match same(left.kind) {
            Ok(mut operands) => {
                let height = left_height.max(right.height + 1) - 1;
                operands.push(right);
                self.make(span, height, build(operands))
            }
            Err(kind) => {
                let left = Ast {
                    span: left_span,
                    height: left_height,
                    kind,
                };
                let height = left.height.max(right.height);
                self.make(span, height, build(vec![left, right]))
            }
        }
    }

    fn prefix(&mut self) -> Result<Ast, SyntaxError> {
        let start = self.span();
        if self.is_keyword("NOT") {
            self.at += 1;
            let operand = self.expression(Level::Comparison)?;
            let (span, height) = (start.to(operand.span), operand.height);
            return self.make(span, height, AstKind::Not(Box::new(operand)));
        }
        if self.is_keyword("IF") {
            return self.conditional();
        }
        if self.take("-") {
            // `-3` is one literal, also before a call: `-3.$TEXT()`.
            if let Token::Number(number) = self.peek() {
                let number = negative(number);
                let span = start.to(self.span());
                self.at += 1;
                let literal = self.make(span, 0, AstKind::Constant(Value::Number(number)))?;
                return self.postfix(literal);
            }
            let operand = self.expression(Level::Unary)?;
            let (span, height) = (start.to(operand.span), operand.height);
            return self.make(span, height, AstKind::Negate(Box::new(operand)));
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn conditional(&mut self) -> Result<Ast, SyntaxError> {
        let (_, start) = self.next();
        let condition = self.expression(Level::Or)?;
        if !self.is_keyword("THEN") {
            return Err(self.expected("THEN").help("write IF condition THEN a ELSE b"));
        }
        self.at += 1;
        let then = self.expression(Level::Or)?;
        let mut span = start.to(then.span);
        let mut height = condition.height.max(then.height);
        let mut otherwise = None;
        if self.is_keyword("ELSE") {
            self.at += 1;
            let branch = self.expression(Level::Or)?;
            span = start.to(branch.span);
            height = height.max(branch.height);
            otherwise = Some(Box::new(branch));
        }
        let (condition, then) = (Box::new(condition), Box::new(then));
        self.make(
            span,
            height,
            AstKind::If {
                condition,
                then,
                otherwise,
            },
        )
    }

    fn primary(&mut self) -> Result<Ast, SyntaxError> {
        let (token, span) = self.next();
        let kind = match token {
            Token::Number(number) => AstKind::Constant(Value::Number(number)),
            Token::Text(text) => AstKind::Constant(Value::String(text.into_owned())),
            Token::Root => AstKind::Root,
            Token::Name(word) => match keyword(word) {
                None => AstKind::Name(word.to_owned()),
                Some("TRUE") => AstKind::Constant(Value::Bool(true)),
                Some("FALSE") => AstKind::Constant(Value::Bool(false)),
                Some("NULL") => AstKind::Constant(Value::Null),
                Some(_) => {
                    self.at -= 1;
                    return Err(self.expected("a value").help(format!(
                        "{word} is a keyword; a field of that name is written $[\"{word}\"], and a text \
                         in quotes inside the YAML text: '\"{word} ...\"'"
                    )));
                }
            },
            Token::Function(name) => {
                if !self.is_symbol("(") && !name.contains(char::is_uppercase) {
                    let field = name.trim_start_matches('$');
                    return Err(self.expected("`(`").help(format!(
                        "the field {field} of the input is written {field} or $.{field}; $ without a dot begins \
                         the name of a function"
                    )));
                }
                let (arguments, end) = self.arguments(Vec::new())?;
                return self.call(span.to(end), name, span, arguments);
            }
            Token::Symbol("(") => {
                let mut inner = self.expression(Level::Or)?;
                let end = self.expect(")", span)?;
                inner.span = span.to(end);
                return Ok(inner);
            }
            Token::Symbol("[") => return self.list(span),
            Token::Symbol("{") => return self.object(span),
            other => {
                self.at -= 1;
                let error = self.expected("a value");
                return Err(match other {
                    Token::Symbol(".") => error.help("a path begins with a name, or with $, the input: $.a"),
                    _ => error,
                });
            }
        };
        self.make(span, 0, kind)
    }

    /// The members, indexes, slices and calls behind a value.
    fn postfix(&mut self, mut value: Ast) -> Result<Ast, SyntaxError> {
        loop {
            if self.take(".") {
                let (token, span) = self.next();
                value = match token {
                    // Behind a dot a keyword is a name like any other.
                    Token::Name(name) => {
                        self.segment(value, AstSegment::Key(name.to_owned(), span), span, 0)?
                    }
                    Token::Function(name) => {
                        let start = value.span;
                        let (arguments, end) = self.arguments(vec![value])?;
                        self.call(start.to(end), name, span, arguments)?
                    }
                    other => {
                        self.at -= 1;
                        let error = self.expected("a name or a function");
                        return Err(match other {
                            Token::Number(number) => {
                                error.help(format!("an element is written in brackets: [{number}]"))
                            }
                            Token::Text(key) => error.help(format!("without the dot: [\"{key}\"]")),
                            Token::Symbol("[") => error.help("without the dot: a[0]"),
                            _ => error,
                        });
                    }
                };
            } else if self.is_symbol("[") {
                let (segment, end, height) = self.bracket()?;
                value = self.segment(value, segment, end, height)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn bracket(&mut self) -> Result<(AstSegment, Span, usize), SyntaxError> {
        let (_, start) = self.next();
        if self.is_symbol("*") {
            return Err(self
                .expected("an index")
                .help("of each element: list.$MAP(x => x.id)"));
        }
        let from = if self.is_symbol(":") {
            None
        } else {
            Some(self.expression(Level::Or)?)
        };
        let height = from.as_ref().map_or(0, |from| from.height);
        if !self.take(":") {
            let end = self.expect("]", start)?;
            return match from {
                Some(index) => Ok((AstSegment::Index(index), end, height)),
                None => Err(self.expected("an index")),
            };
        }
        let to = if self.is_symbol("]") {
            None
        } else {
            Some(self.expression(Level::Or)?)
        };
        let height = height.max(to.as_ref().map_or(0, |to| to.height));
        if self.is_symbol(":") {
            return Err(self.expected("`]`").help("slices have no step"));
        }
        let end = self.expect("]", start)?;
        Ok((AstSegment::Slice { from, to }, end, height))
    }

    fn segment(&self, value: Ast, segment: AstSegment, end: Span, height: usize) -> Result<Ast, SyntaxError> {
        let span = value.span.to(end);
        match value.kind {
            AstKind::Path { base, mut segments } => {
                segments.push(segment);
                let height = (value.height - 1).max(height);
                self.make(span, height, AstKind::Path { base, segments })
            }
            _ => {
                let height = value.height.max(height);
                self.make(
                    span,
                    height,
                    AstKind::Path {
                        base: Box::new(value),
                        segments: vec![segment],
                    },
                )
            }
        }
    }

    fn call(&self, span: Span, name: &str, name_span: Span, arguments: Vec<Ast>) -> Result<Ast, SyntaxError> {
        let height = tallest(&arguments);
        self.make(
            span,
            height,
            AstKind::Call {
                name: name.to_owned(),
                name_span,
                arguments,
            },
        )
    }

    fn arguments(&mut self, mut arguments: Vec<Ast>) -> Result<(Vec<Ast>, Span), SyntaxError> {
        let start = self.span();
        if !self.take("(") {
            return Err(self
                .expected("`(`")
                .help("a function is called with parentheses, also without arguments"));
        }
        let mut first = true;
        loop {
            let end = self.span();
            if self.take(")") {
                return Ok((arguments, end));
            }
            if !first && !self.take(",") {
                self.expect(")", start)?;
            }
            first = false;
            arguments.push(self.argument()?);
        }
    }

    fn argument(&mut self) -> Result<Ast, SyntaxError> {
        let start = self.span();
        let Some(count) = self.lambda_parameters() else {
            return self.expression(Level::Or);
        };
        let mut parameters: Vec<(String, Span)> = Vec::new();
        while !self.is_symbol("=>") {
            if let (Token::Name(name), span) = self.next() {
                if keyword(name).is_some() {
                    return Err(SyntaxError::new(span, format!("{name} is a keyword"))
                        .help("give the parameter another name"));
                }
                if parameters.iter().any(|(other, _)| *other == name) {
                    return Err(SyntaxError::new(
                        span,
                        format!("two parameters are called {name}"),
                    ));
                }
                parameters.push((name.to_owned(), span));
            }
        }
        debug_assert_eq!(parameters.len(), count);
        self.at += 1;
        let body = self.expression(Level::Or)?;
        let (span, height) = (start.to(body.span), body.height);
        self.make(
            span,
            height,
            AstKind::Lambda {
                parameters,
                body: Box::new(body),
            },
        )
    }

    /// How many parameters the lambda that begins here has: `x =>` or `(a, b) =>`.
    fn lambda_parameters(&self) -> Option<usize> {
        if matches!(self.peek(), Token::Name(_)) {
            return (*self.peek_after(1) == Token::Symbol("=>")).then_some(1);
        }
        if !self.is_symbol("(") {
            return None;
        }
        let mut count = 0;
        loop {
            let Token::Name(_) = self.peek_after(1 + 2 * count) else {
                return None;
            };
            count += 1;
            match self.peek_after(2 * count) {
                Token::Symbol(",") => {}
                Token::Symbol(")") => break,
                _ => return None,
            }
        }
        (*self.peek_after(2 * count + 1) == Token::Symbol("=>")).then_some(count)
    }

    fn list(&mut self, start: Span) -> Result<Ast, SyntaxError> {
        let mut elements = Vec::new();
        loop {
            let end = self.span();
            if self.take("]") {
                let height = tallest(&elements);
                return self.make(start.to(end), height, AstKind::List(elements));
            }
            if !elements.is_empty() && !self.take(",") {
                self.expect("]", start)?;
            }
            elements.push(self.expression(Level::Or)?);
        }
    }

    fn object(&mut self, start: Span) -> Result<Ast, SyntaxError> {
        if self.is_symbol("{") {
            return Err(self
                .expected("a key")
                .help("{{...}} is for templates; in an expression a field is written by its name alone"));
        }
        let mut entries: Vec<(Ast, Ast)> = Vec::new();
        loop {
            let end = self.span();
            if self.take("}") {
                let height = entries
                    .iter()
                    .map(|(key, value)| key.height.max(value.height))
                    .max()
                    .unwrap_or(0);
                return self.make(start.to(end), height, AstKind::Object(entries));
            }
            if !entries.is_empty() && !self.take(",") {
                self.expect("}", start)?;
            }
            let key = self.object_key()?;
            if !self.take(":") {
                return Err(self.expected("`:` and the value of the key"));
            }
            entries.push((key, self.expression(Level::Or)?));
        }
    }

    /// A keyword in the place of a key can only be meant as a text.
    fn object_key(&mut self) -> Result<Ast, SyntaxError> {
        if let Token::Name(word) = self.peek()
            && keyword(word).is_some()
            && *self.peek_after(1) == Token::Symbol(":")
        {
            let key = AstKind::Constant(Value::String((*word).to_owned()));
            let (_, span) = self.next();
            return self.make(span, 0, key);
        }
        self.expression(Level::Or)
    }
}

fn matches_and(kind: AstKind) -> Result<Vec<Ast>, AstKind> {
    match kind {
        AstKind::And(operands) => Ok(operands),
        other => Err(other),
    }
}

fn matches_or(kind: AstKind) -> Result<Vec<Ast>, AstKind> {
    match kind {
        AstKind::Or(operands) => Ok(operands),
        other => Err(other),
    }
}

fn is_keyword(token: &Token<'_>, word: &str) -> bool {
    matches!(token, Token::Name(name) if keyword(name) == Some(word))
}

fn tallest(asts: &[Ast]) -> usize {
    asts.iter().map(|ast| ast.height).max().unwrap_or(0)
}

fn negative(number: &Number) -> Number {
    // `-9223372036854775808` is the one whole number whose positive does not fit.
    let text = format!("-{number}");
    super::number::parse(&text).unwrap_or_else(|| number.clone())
}

fn too_deep(span: Span) -> SyntaxError {
    let mut error = SyntaxError::new(span, format!("more than {MAX_HEIGHT} levels inside one another"))
        .help("split the expression with EVAL() and args");
    error.too_deep = true;
    error
}

fn describe(token: &Token<'_>) -> String {
    match token {
        Token::Name(name) => format!("`{name}`"),
        Token::Function(name) => format!("`{name}`"),
        Token::Root => "`$`".to_owned(),
        Token::Number(number) => format!("the number {number}"),
        Token::Text(_) => "a text".to_owned(),
        Token::Symbol(symbol) => format!("`{symbol}`"),
        Token::End => "the end".to_owned(),
    }
}
