//! `http_actions`: templated requests.

use std::borrow::Cow;
use std::sync::LazyLock;

use mapping::{Content, InputPath, Key, Node, Template};
use regex_lite::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::connector::Retry;
use super::paginate::Paginate;
use crate::read::{
    Count, Decode, Entries, EscapedText, Expression, Flag, OneOrMany, Report, Required, Seconds,
    TemplateText, Text, choice, object,
};
use crate::rules;

object! {
    /// A request. Its templates and mappings see the step's `input_args`, `settings` and `meta_info`.
    struct HttpAction, "an HTTP action" {
        /// One line for people.
        description: Option<Text>,
        /// The method.
        method: Required<Method>,
        /// What follows the connector's `base_url`: begins with `/`, no query string. A variable becomes one
        /// percent-encoded segment.
        path: Required<PathTemplate>,
        /// The query parameters. One whose name or whose section is empty is left out.
        query: Option<Parameters>,
        /// Headers of this request, besides the connector's.
        headers: Option<Pairs>,
        /// The body: Mustache JSON text, or an object with one of `json`, `form`, `multipart`, `text`, `binary`.
        body: Option<Body>,
        /// How the answer is read (`json` by default).
        response: Option<ResponseFormat>,
        /// How further pages are fetched.
        paginate: Option<Paginate>,
        /// What the step's result is, instead of the body: a mapping that sees `response` (`status`, `headers`,
        /// `body`); `response` alone gives all three.
        result: Option<Expression>,
        /// The answer that means that there is no such thing, whatever its status (`response.status == 404`): then the
        /// step's result is null. Asked before `fail_when`; not after 401 and 429.
        null_when: Option<Expression>,
        /// Answers that mean failure although their status is good.
        fail_when: Option<OneOrMany<FailWhen>>,
        /// Another form of the request, tried once.
        fallback: Option<Fallback>,
        /// Whether doing it twice does no harm (by default: yes for GET and HEAD, and for a PUT or DELETE with which no
        /// ticket action adds a comment or a file).
        repeatable: Option<Flag>,
        /// Whether a POST changes nothing, such as a search: then it is repeatable, and a failure leaves nothing in doubt.
        read_only: Option<Flag>,
        /// How long a good answer is kept in the process for the same arguments and the same request; for look-ups.
        cache_seconds: Option<Seconds<1_000, 86_400_000>>,
        /// How this request is repeated.
        retry: Option<Retry>,
        /// Longest time for this request.
        timeout_seconds: Option<Seconds<10, 300_000>>,
    }
}

impl HttpAction {
    /// The path, and the fallback's.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathTemplate> {
        let fallback = self.fallback.as_ref();
        let paths = [
            self.path.get(),
            fallback.and_then(|fallback| fallback.path.as_ref()),
        ];
        paths.into_iter().flatten()
    }

    /// Everything that becomes part of a request, the fallback's included.
    pub(crate) fn request_cells(&self) -> Vec<Cell<'_>> {
        let fallback = self.fallback.as_ref();
        let queries = [
            self.query.as_ref(),
            fallback.and_then(|fallback| fallback.query.as_ref()),
        ];
        let headers = [
            self.headers.as_ref(),
            fallback.and_then(|fallback| fallback.headers.as_ref()),
        ];
        let bodies = [
            self.body.as_ref(),
            fallback.and_then(|fallback| fallback.body.as_ref()),
        ];
        let mut cells: Vec<Cell<'_>> = self.paths().map(|path| Cell::Template(&path.template)).collect();
        cells.extend(queries.into_iter().flatten().flat_map(Parameters::cells));
        cells.extend(headers.into_iter().flatten().flat_map(Pairs::cells));
        cells.extend(bodies.into_iter().flatten().flat_map(Body::cells));
        cells
    }
}

choice! {
    /// An HTTP method.
    enum Method, "method" {
        Get = "GET",
        Head = "HEAD",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
    }
}

choice! {
    /// How an answer is read.
    enum ResponseFormat, "response format" {
        Json = "json",
        Text = "text",
        Bytes = "bytes",
    }
}

/// A path below the connector's address.
pub(crate) struct PathTemplate {
    pub(crate) template: Template,
    /// Whether part of it stands in a section, so that a variable may be missing.
    pub(crate) has_sections: bool,
}

impl Decode for PathTemplate {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let written = EscapedText::text_of(node);
        let text = written.as_text().unwrap_or_default();
        if let Some((message, help)) = path_mistake(text).filter(|_| written.as_text().is_some()) {
            report.push(rules::BAD_PATH.at(&written.place, message).help(help));
        }
        let template = EscapedText::decode(node, report)?.0;
        Some(Self {
            template,
            has_sections: text.contains("{{#") || text.contains("{{^"),
        })
    }
}

/// What is wrong with a path, and how to mend it.
fn path_mistake(path: &str) -> Option<(&'static str, &'static str)> {
    #[allow(
        clippy::expect_used,
        reason = "the pattern is a literal that the tests compile"
    )]
    static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)\{\{\{.*?\}\}\}|\{\{.*?\}\}").expect("a valid pattern"));
    let fixed = TAG.replace_all(path, "x");
    if path.starts_with("{{settings.base_url}}") || path.starts_with("/{{settings.base_url}}") {
        Some((
            "a path does not repeat the base URL",
            "leave `{{settings.base_url}}` out; the connector's `base_url` stands before every path",
        ))
    } else if fixed.contains(['{', '}']) || fixed.split('/').any(|segment| segment.starts_with(':')) {
        Some((
            "a path has its variables in braces, three on each side",
            "write a variable as {{{name}}}; `{name}` and `:name` are sent as they are",
        ))
    } else if fixed.contains("://") || fixed.starts_with("//") {
        Some((
            "a path cannot be a full URL",
            "write only the part after the host; the host is the connector's `base_url`",
        ))
    } else if !fixed.starts_with('/') {
        Some(("a path begins with `/`", "put a `/` before it"))
    } else if fixed.contains('?') {
        Some((
            "a path has no query string",
            "move it to `query`, one key for each parameter",
        ))
    } else if fixed.contains('#') {
        Some((
            "a path has no fragment",
            "servers never see what follows `#`; remove it",
        ))
    } else if fixed.split('/').any(|segment| segment == "." || segment == "..") {
        Some((
            "a path has no `.` or `..` segments",
            "write the path that is meant",
        ))
    } else {
        None
    }
}

impl JsonSchema for PathTemplate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let escaped = generator.subschema_for::<EscapedText>();
        json_schema!({"anyOf": [{"type": "string", "pattern": "^/"}, {"type": "object", "allOf": [escaped]}]})
    }
}

/// Names and values of query parameters or form fields. A list of values stands here once for each.
pub(crate) struct Parameters(pub(crate) Vec<(Template, Parameter)>);

/// One value.
pub(crate) enum Parameter {
    One(Template),
    /// Gives a list: the parameter once for each element.
    Each(Box<Expression>),
}

impl Decode for Parameters {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Object(entries) = &node.content else {
            report.wrong_type(node, "an object");
            return None;
        };
        let mut parameters = Vec::new();
        for (key, value) in entries {
            let name = name_template(key, report);
            let values: &[Node] = match &value.content {
                Content::List(values) => values,
                _ => std::slice::from_ref(value),
            };
            for value in values {
                let value = match value.get("each") {
                    Some(_) => Each::decode(value, report)
                        .and_then(|each| each.each.0)
                        .map(|each| Parameter::Each(Box::new(each))),
                    None => EscapedText::decode(value, report).map(|text| Parameter::One(text.0)),
                };
                parameters.extend(name.clone().zip(value));
            }
        }
        Some(Self(parameters))
    }
}

object! {
    /// A parameter that is sent once for each element of a list.
    struct Each, "a parameter with `each`" {
        /// Gives the list; null and an empty list send nothing.
        each: Required<Expression>,
    }
}

/// A name that is a template.
fn name_template(key: &Key, report: &mut Report) -> Option<Template> {
    let name = Node {
        place: key.place.clone(),
        content: Content::Text(key.name.clone()),
    };
    TemplateText::decode(&name, report).map(|name| name.0)
}

impl JsonSchema for Parameters {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Parameters".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<EscapedText>();
        let each = generator.subschema_for::<Each>();
        json_schema!({
            "type": "object",
            "additionalProperties": {"anyOf": [text, each, {"type": "array", "items": {"anyOf": [text, each]}}]},
        })
    }
}

impl Parameters {
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.0.iter().flat_map(|(name, value)| {
            let value = match value {
                Parameter::One(template) => Cell::Template(template),
                Parameter::Each(expression) => Cell::Mapping(expression),
            };
            [Cell::Template(name), value]
        })
    }

    /// The values that are texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().filter_map(|(_, value)| match value {
            Parameter::One(template) => Some(template),
            Parameter::Each(_) => None,
        })
    }
}

/// Names and values that are both templates.
pub(crate) struct Pairs(pub(crate) Vec<(Template, Template)>);

impl Decode for Pairs {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Object(entries) = &node.content else {
            report.wrong_type(node, "an object");
            return None;
        };
        let mut pairs = Vec::new();
        for (key, value) in entries {
            let name = name_template(key, report);
            let value = EscapedText::decode(value, report);
            pairs.extend(name.zip(value).map(|(name, value)| (name, value.0)));
        }
        Some(Self(pairs))
    }
}

impl JsonSchema for Pairs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pairs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<EscapedText>();
        json_schema!({"type": "object", "additionalProperties": value})
    }
}

/// The body of a request.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Body {
    /// JSON text with variables.
    JsonText(TemplateText),
    /// One of the other kinds.
    Object(Box<BodyObject>),
}

impl Decode for Body {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match node.content {
            Content::Object(_) => BodyObject::decode(node, report).map(|body| Self::Object(Box::new(body))),
            Content::Text(_) => TemplateText::decode(node, report).map(Self::JsonText),
            _ => {
                report.wrong_type(
                    node,
                    "JSON text, or an object with `json`, `form`, `multipart`, `text` or `binary`",
                );
                None
            }
        }
    }
}

object! {
    /// A body of one kind.
    struct BodyObject, "a body" {
        /// A mapping whose result is sent as JSON.
        json: Option<Expression>,
        /// Form fields (`application/x-www-form-urlencoded`).
        form: Option<Parameters>,
        /// The parts of a `multipart/form-data` body, by name.
        multipart: Option<Entries<Part>>,
        /// Text.
        text: Option<EscapedText>,
        /// Bytes: an expression that gives Base64 text.
        binary: Option<Expression>,
        /// The media type of `text` (`text/plain` by default) or `binary` (`application/octet-stream`).
        content_type: Option<TemplateText>,
    }
}

object! {
    /// One part: `text`, or `file` with a `file_name`.
    struct Part, "a part" {
        /// A mapping: text as it is, other values as JSON, nothing for null.
        text: Option<Expression>,
        /// The content of a file: an expression that gives Base64 text.
        file: Option<Expression>,
        /// The name of the file.
        file_name: Option<TemplateText>,
        /// The media type of the file or of the text.
        content_type: Option<TemplateText>,
    }
}

/// A condition under which an answer is a failure: an expression, or an object with more.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum FailWhen {
    /// Only the condition.
    Condition(#[schemars(with = "Text")] Expression),
    /// The condition, with what the caller is told.
    Full(FullFailWhen),
}

impl Decode for FailWhen {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        match node.content {
            Content::Object(_) => FullFailWhen::decode(node, report).map(Self::Full),
            Content::Text(_) => Expression::decode(node, report).map(Self::Condition),
            _ => {
                report.wrong_type(
                    node,
                    "an expression, or an object with `condition`, `message` and `code`",
                );
                None
            }
        }
    }
}

object! {
    /// A condition and what the caller is told when it holds.
    struct FullFailWhen, "fail_when" {
        /// The condition.
        condition: Required<Expression>,
        /// A mapping that gives the message.
        message: Option<Expression>,
        /// The error code (`EXTERNAL_REST_ERROR` by default).
        code: Option<ErrorCode>,
    }
}

impl FailWhen {
    pub(crate) fn condition(&self) -> Option<&Expression> {
        match self {
            Self::Condition(condition) => Some(condition),
            Self::Full(full) => full.condition.get(),
        }
    }

    pub(crate) fn message(&self) -> Option<&Expression> {
        match self {
            Self::Condition(_) => None,
            Self::Full(full) => full.message.as_ref(),
        }
    }

    pub(crate) fn code(&self) -> Option<upstream::ErrorCode> {
        match self {
            Self::Condition(_) => None,
            Self::Full(full) => full.code.as_ref().map(|code| code.0),
        }
    }
}

/// One of the API's error codes.
pub(crate) struct ErrorCode(upstream::ErrorCode);

impl Decode for ErrorCode {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Some(word) = node.as_text() else {
            report.wrong_type(node, "text (an error code)");
            return None;
        };
        let code = upstream::ErrorCode::parse(word);
        if code.is_none() {
            let message = format!("`{word}` is no error code");
            report.unknown_word(&rules::UNKNOWN_WORD, &node.place, message, word, &error_words());
        }
        code.map(Self)
    }
}

fn error_words() -> Vec<&'static str> {
    upstream::ErrorCode::ALL
        .iter()
        .map(|code| code.as_str())
        .collect()
}

impl JsonSchema for ErrorCode {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": error_words()})
    }
}

object! {
    /// Another form of the request, tried once, on the answers it names. What it does not say stays.
    struct Fallback, "a fallback" {
        /// Statuses on which it is tried.
        on_status: Option<OneOrMany<Count<100, 599>>>,
        /// A condition under which it is tried; sees `response`.
        when: Option<Expression>,
        /// Another method.
        method: Option<Method>,
        /// Another path.
        path: Option<PathTemplate>,
        /// Another query.
        query: Option<Parameters>,
        /// Other headers.
        headers: Option<Pairs>,
        /// Another body.
        body: Option<Body>,
    }
}

/// Something that reads: a template or a mapping.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'m> {
    Template(&'m Template),
    Mapping(&'m Expression),
}

impl<'m> Cell<'m> {
    pub(crate) fn reads(self) -> &'m [InputPath] {
        match self {
            Self::Template(template) => template.reads(),
            Self::Mapping(expression) => expression.mapping.reads(),
        }
    }

    /// Those of [`Cell::reads`] that can be nothing but parts of the root: not those that a template reads
    /// inside a section, where they may be fields of the section's value.
    pub(crate) fn certain_reads(self) -> &'m [InputPath] {
        match self {
            Self::Template(template) => template.required_reads(),
            Self::Mapping(expression) => expression.mapping.reads(),
        }
    }
}

impl Body {
    /// Everything in it that reads something.
    pub(crate) fn cells(&self) -> Vec<Cell<'_>> {
        let object = match self {
            Self::JsonText(text) => return vec![Cell::Template(&text.0)],
            Self::Object(object) => object,
        };
        let mut cells = Vec::new();
        cells.extend(
            [&object.json, &object.binary]
                .into_iter()
                .flatten()
                .map(Cell::Mapping),
        );
        cells.extend(object.text.iter().map(|it| Cell::Template(&it.0)));
        cells.extend(object.content_type.iter().map(|it| Cell::Template(&it.0)));
        cells.extend(object.form.iter().flat_map(Parameters::cells));
        for (_, part) in object.multipart.iter().flat_map(Entries::read) {
            cells.extend([&part.text, &part.file].into_iter().flatten().map(Cell::Mapping));
            cells.extend(
                [&part.file_name, &part.content_type]
                    .into_iter()
                    .flatten()
                    .map(|it| Cell::Template(&it.0)),
            );
        }
        cells
    }

    /// Whether it is sent as JSON.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::JsonText(_) => true,
            Self::Object(object) => object.json.is_some(),
        }
    }
}

impl Pairs {
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.0
            .iter()
            .flat_map(|(name, value)| [Cell::Template(name), Cell::Template(value)])
    }
}

/// Items of an optional list.
pub(crate) fn all<T>(list: &Option<OneOrMany<T>>) -> &[T] {
    list.as_ref().map_or(&[], |list| list.0.as_slice())
}
