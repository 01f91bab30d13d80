use serde_json::{Map, Value};

use super::{Compiler, Resolved};
use crate::Place;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::dsl::{self, Ast, AstKind, AstSegment, Span, SyntaxError};
use crate::environment::Limits;
use crate::functions::{self, Argument, Function, Lambda};
use crate::pattern::Pattern;
use crate::plan::{Expression, Kind, Origin, Path, PathSegment, loop_slot};

impl Compiler {
    /// Compiles a text as an expression; a mistake in it is noted and leaves a null. `place` is where the text is
    /// written.
    pub(crate) fn expression(&mut self, text: &str, place: &Place) -> Expression {
        match dsl::parse(text) {
            Ok(ast) => {
                self.warn_of_dashes(text, place);
                self.ast(ast, place)
            }
            Err(SyntaxError {
                span,
                message,
                help,
                too_deep,
            }) => {
                let code = if too_deep { code::TOO_DEEP } else { code::SYNTAX };
                let diagnostic = Diagnostic::error(code, message).at(&place.within(span.start(), span.len()));
                self.report(Diagnostic { help, ..diagnostic });
                nothing(Span::default())
            }
        }
    }

    /// `person.first-name` is `person.first` minus `name`, and null where nobody looks.
    fn warn_of_dashes(&mut self, text: &str, place: &Place) {
        for span in dsl::dashed_words(text) {
            let (before, rest) = text.split_at_checked(span.start()).unwrap_or((text, ""));
            let word = rest.get(..span.len()).unwrap_or(rest);
            let help = if word.starts_with(|first: char| first.is_ascii_digit()) {
                format!(
                    "a date is a text, \"{word}\" with quotes of its own; a subtraction has spaces around -"
                )
            } else {
                let base = if before.trim_end().ends_with('.') {
                    "a"
                } else {
                    "$"
                };
                format!(
                    "a field is written in brackets, {base}[\"{word}\"]; a subtraction has spaces around -"
                )
            };
            let message = format!("`{word}` is a subtraction");
            self.report(
                Diagnostic::warning(code::DASH, message)
                    .at(&place.within(span.start(), span.len()))
                    .help(help),
            );
        }
    }

    fn ast(&mut self, ast: Ast, place: &Place) -> Expression {
        let span = ast.span;
        let kind = self.nested(|compiler| compiler.kind(ast, place));
        let kind = kind.unwrap_or_else(|| {
            self.too_deep(&place.within(span.start(), span.len()));
            Kind::Constant(Value::Null)
        });
        Expression { span, kind }
    }

    fn boxed(&mut self, ast: Ast, place: &Place) -> Box<Expression> {
        Box::new(self.ast(ast, place))
    }

    fn all(&mut self, asts: Vec<Ast>, place: &Place) -> Vec<Expression> {
        asts.into_iter().map(|ast| self.ast(ast, place)).collect()
    }

    fn kind(&mut self, ast: Ast, place: &Place) -> Kind {
        let span = ast.span;
        match ast.kind {
            AstKind::Constant(value) => Kind::Constant(value),
            AstKind::Root => Kind::Path(Path {
                origin: Origin::Root,
                segments: Vec::new(),
            }),
            AstKind::Name(name) => self.name(&name),
            AstKind::Path { base, segments } => self.path(*base, segments, place),
            AstKind::Call {
                name,
                name_span,
                arguments,
            } => self.call(&name, name_span, arguments, place),
            AstKind::Lambda { .. } => {
                let message = "a lambda can only be an argument of a function that takes one";
                self.report(
                    Diagnostic::error(code::LAMBDA, message).at(&place.within(span.start(), span.len())),
                );
                Kind::Constant(Value::Null)
            }
            AstKind::List(elements) => constant_list(self.all(elements, place)),
            AstKind::Object(entries) => {
                let entries = entries.into_iter();
                constant_object(
                    entries
                        .map(|(key, value)| (self.ast(key, place), self.ast(value, place)))
                        .collect(),
                )
            }
            AstKind::Negate(operand) => Kind::Negate(self.boxed(*operand, place)),
            AstKind::Not(operand) => Kind::Not(self.boxed(*operand, place)),
            AstKind::Binary {
                operator,
                left,
                right,
            } => Kind::Binary {
                operator,
                left: self.boxed(*left, place),
                right: self.boxed(*right, place),
            },
            AstKind::And(operands) => Kind::And(self.all(operands, place)),
            AstKind::Or(operands) => Kind::Or(self.all(operands, place)),
            AstKind::If {
                condition,
                then,
                otherwise,
            } => Kind::If {
                condition: self.boxed(*condition, place),
                then: self.boxed(*then, place),
                otherwise: otherwise.map(|otherwise| self.boxed(*otherwise, place)),
            },
        }
    }

    fn path(&mut self, base: Ast, segments: Vec<AstSegment>, place: &Place) -> Kind {
        let mut segments = segments.into_iter().peekable();
        let origin = match base.kind {
            AstKind::Root => Origin::Root,
            AstKind::Name(name) => match self.resolve(&name) {
                Resolved::Local(slot) => Origin::Local(slot),
                Resolved::Root => Origin::Name(name),
                Resolved::Loop(slot) => match self.loop_field(&name, segments.peek(), place) {
                    Some(field) => {
                        segments.next();
                        Origin::Local(slot + field)
                    }
                    None => Origin::Loop(slot),
                },
            },
            _ => Origin::Value(self.boxed(base, place)),
        };
        let segments = segments.map(|segment| self.segment(segment, place)).collect();
        Kind::Path(Path { origin, segments })
    }

    /// The slot of the field of `loop` that a path goes on with.
    fn loop_field(&mut self, iterator: &str, segment: Option<&AstSegment>, place: &Place) -> Option<usize> {
        let (field, span) = match segment? {
            AstSegment::Key(field, span) => (field, *span),
            AstSegment::Index(Ast {
                kind: AstKind::Constant(Value::String(field)),
                span,
                ..
            }) => (field, *span),
            _ => return None,
        };
        let known = loop_slot::FIELDS.iter().find(|(name, _)| name == field);
        if known.is_none() {
            let names = loop_slot::FIELDS.map(|(name, _)| name);
            let help = match did_you_mean(field, names) {
                Some(name) => format!("did you mean {iterator}.{name}?"),
                None => format!("it has {}", names.join(", ")),
            };
            self.report(
                Diagnostic::error(code::LOOP_FIELD, format!("{iterator} has no field \"{field}\""))
                    .at(&place.within(span.start(), span.len()))
                    .help(help),
            );
        }
        known.map(|(_, slot)| *slot)
    }

    fn segment(&mut self, segment: AstSegment, place: &Place) -> PathSegment {
        match segment {
            AstSegment::Key(key, _) => PathSegment::Key(key),
            AstSegment::Index(index) => match self.ast(index, place) {
                Expression {
                    kind: Kind::Constant(Value::String(key)),
                    ..
                } => PathSegment::Key(key),
                Expression {
                    kind: Kind::Constant(Value::Number(number)),
                    span,
                } => match number.as_i64() {
                    Some(index) => PathSegment::Index(index),
                    None => PathSegment::Computed(Expression {
                        kind: Kind::Constant(Value::Number(number)),
                        span,
                    }),
                },
                computed => PathSegment::Computed(computed),
            },
            AstSegment::Slice { from, to } => PathSegment::Slice {
                from: from.map(|from| self.ast(from, place)),
                to: to.map(|to| self.ast(to, place)),
            },
        }
    }

    fn call(&mut self, name: &str, name_span: Span, arguments: Vec<Ast>, place: &Place) -> Kind {
        // Finding a place takes time, which only mistakes are worth.
        let at = || place.within(name_span.start(), name_span.len());
        let Some(function) = functions::find(name) else {
            let names = functions::FUNCTIONS.iter().map(|function| function.name);
            let help = foreign_function(name)
                .map(str::to_owned)
                .or_else(|| did_you_mean(name, names).map(|name| format!("did you mean {name}?")));
            let diagnostic =
                Diagnostic::error(code::UNKNOWN_FUNCTION, format!("there is no function {name}")).at(&at());
            self.report(Diagnostic { help, ..diagnostic });
            // The arguments may have mistakes of their own.
            for argument in arguments {
                self.any_argument(argument, place);
            }
            return Kind::Constant(Value::Null);
        };
        if !(function.min_arguments..=function.max_arguments).contains(&arguments.len()) {
            self.report(
                Diagnostic::error(code::ARGUMENT_COUNT, argument_count(function, arguments.len()))
                    .at(&at())
                    .help(function.documentation.signature),
            );
        }
        let arguments = lambda_in_place(function, arguments)
            .into_iter()
            .enumerate()
            .map(|(position, argument)| self.argument(function, position, argument, place))
            .collect();
        Kind::Call { function, arguments }
    }

    fn argument(
        &mut self,
        function: &'static Function,
        position: usize,
        ast: Ast,
        place: &Place,
    ) -> Argument {
        let expected = function.lambdas.iter().find(|lambda| lambda.argument == position);
        let span = ast.span;
        if let Some(message) = lambda_mistake(function, expected, &ast) {
            self.report(
                Diagnostic::error(code::LAMBDA, message)
                    .at(&place.within(span.start(), span.len()))
                    .help(function.documentation.signature),
            );
            self.any_argument(ast, place);
            return Argument::Value {
                expression: nothing(span),
                pattern: None,
            };
        }
        let argument = self.any_argument(ast, place);
        match argument {
            Argument::Value { expression, .. } if function.patterns.contains(&position) => {
                let pattern = self.pattern(&expression, place);
                Argument::Value { expression, pattern }
            }
            other => other,
        }
    }

    fn any_argument(&mut self, ast: Ast, place: &Place) -> Argument {
        match ast.kind {
            AstKind::Lambda { parameters, body } => {
                let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
                let (body, _) = self.with_locals(&names, |compiler| compiler.ast(*body, place));
                Argument::Lambda {
                    parameters: names.len(),
                    body,
                }
            }
            _ => Argument::Value {
                expression: self.ast(ast, place),
                pattern: None,
            },
        }
    }

    /// The regular expression of an argument that is a constant.
    fn pattern(&mut self, expression: &Expression, place: &Place) -> Option<Pattern> {
        let Kind::Constant(Value::String(pattern)) = &expression.kind else {
            return None;
        };
        match Pattern::new(pattern, Limits::default().regex_bytes) {
            Ok(pattern) => Some(pattern),
            Err(message) => {
                let at = place.within(expression.span.start(), expression.span.len());
                self.report(
                    Diagnostic::error(code::PATTERN, format!("not a regular expression: {message}")).at(&at),
                );
                None
            }
        }
    }
}

fn nothing(span: Span) -> Expression {
    Expression {
        span,
        kind: Kind::Constant(Value::Null),
    }
}

/// A lambda may also stand last: `$REDUCE(list, 0, (a, b) => a + b)`.
fn lambda_in_place(function: &Function, mut arguments: Vec<Ast>) -> Vec<Ast> {
    let is_lambda = |ast: Option<&Ast>| matches!(ast.map(|ast| &ast.kind), Some(AstKind::Lambda { .. }));
    if let [lambda] = function.lambdas
        && arguments.len() <= function.max_arguments
        && is_lambda(arguments.last())
        && !is_lambda(arguments.get(lambda.argument))
        && let Some(behind @ [_, ..]) = arguments.get_mut(lambda.argument..)
    {
        behind.rotate_right(1);
    }
    arguments
}

fn lambda_mistake(function: &Function, expected: Option<&Lambda>, ast: &Ast) -> Option<String> {
    let name = function.name;
    match (expected, &ast.kind) {
        (None, AstKind::Lambda { .. }) => Some(format!("{name} takes no lambda here")),
        (Some(lambda), AstKind::Lambda { parameters, .. }) if parameters.len() != lambda.parameters => {
            let wanted = lambda.parameters;
            let written = if wanted == 1 { "x => ..." } else { "(a, b) => ..." };
            Some(format!(
                "the lambda of {name} has {wanted} parameter{}: {written}",
                plural(wanted)
            ))
        }
        (
            Some(Lambda {
                required: true,
                parameters,
                ..
            }),
            kind,
        ) if !matches!(kind, AstKind::Lambda { .. }) => {
            let written = if *parameters == 1 {
                "x => ..."
            } else {
                "(a, b) => ..."
            };
            Some(format!("{name} needs a lambda here: {written}"))
        }
        _ => None,
    }
}

fn argument_count(function: &Function, found: usize) -> String {
    let wanted = match (function.min_arguments, function.max_arguments) {
        (min, max) if min == max => format!("{min} argument{}", plural(min)),
        (min, usize::MAX) => format!("at least {min} argument{}", plural(min)),
        (min, max) => format!("{min} to {max} arguments"),
    };
    format!(
        "{} takes {wanted}, its receiver included; found {found}",
        function.name
    )
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Functions that examples elsewhere use and that do not exist.
fn foreign_function(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "$CONTAINS" | "$INCLUDES" => "write \"a\" IN text or x IN list",
        "$IF" => "write IF condition THEN a ELSE b",
        "$UPPER" | "$TOUPPER" => "write $UPPERCASE",
        "$LOWER" | "$TOLOWER" => "write $LOWERCASE",
        "$NOW" => "write $TIME()",
        "$JOIN" => "write $CONCAT(list, separator)",
        "$LEN" | "$COUNT" | "$SIZE" => "write $LENGTH",
        "$NOT" => "write NOT x",
        "$STRING" | "$STR" | "$TO_STRING" => "write $TEXT",
        "$NUMBER" | "$FLOAT" => "write $DECIMAL or $INTEGER",
        "$INT" => "write $INTEGER",
        "$DEFAULT" => "write x OR y",
        "$SUBSTRING" | "$SUBSTR" | "$SLICE" => "write text[0:5]",
        "$FIRST" => "write list[0]",
        "$LAST" => "write list[-1]",
        "$SUM" => "write $REDUCE(list, (sum, x) => sum + x, 0)",
        "$DISTINCT" | "$UNIQ" => "write $UNIQUE",
        "$ARRAY" | "$TO_LIST" => "write $LIST",
        "$SORT" | "$MERGE" | "$LOOKUP" | "$CONDITIONAL" | "$RENDER" => {
            "it is an operator of the mapping, such as SORT(), not a function of expressions"
        }
        _ => return None,
    })
}

/// A list of constants is a constant.
fn constant_list(elements: Vec<Expression>) -> Kind {
    if elements
        .iter()
        .any(|element| !matches!(element.kind, Kind::Constant(_)))
    {
        return Kind::List(elements);
    }
    let values = elements.into_iter().map(|element| match element.kind {
        Kind::Constant(value) => value,
        _ => Value::Null,
    });
    Kind::Constant(Value::Array(values.collect()))
}

/// An object of constants is a constant. Text keys only: others must be looked at when they are known.
fn constant_object(entries: Vec<(Expression, Expression)>) -> Kind {
    let constant = entries.iter().all(|(key, value)| {
        matches!(
            (&key.kind, &value.kind),
            (Kind::Constant(Value::String(_)), Kind::Constant(_))
        )
    });
    if !constant {
        return Kind::Object(entries);
    }
    let mut map = Map::new();
    for (key, value) in entries {
        if let (Kind::Constant(Value::String(key)), Kind::Constant(value)) = (key.kind, value.kind) {
            map.insert(key, value);
        }
    }
    Kind::Constant(Value::Object(map))
}
