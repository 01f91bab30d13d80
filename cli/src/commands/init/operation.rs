//! The requests that an OpenAPI document describes.

use serde_json::Value;

use super::document::Document;
use super::shape::{Kind, Leaf, Shape};
use super::words::words;
use crate::failure::Failure;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One request.
#[derive(Debug)]
pub(crate) struct Operation {
    /// In capital letters.
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) segments: Vec<Segment>,
    pub(crate) id: Option<String>,
    pub(crate) summary: String,
    pub(crate) tags: Vec<String>,
    pub(crate) deprecated: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answer: Shape,
    /// Whether a `Link` header is described.
    pub(crate) has_link_header: bool,
    /// Its own ways to be signed, each with the names of the security schemes that it needs together.
    pub(crate) security: Vec<Vec<String>>,
}

/// A part of a path between two `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Word(String),
    /// `{id}`, or `{id}.json` with its end.
    Parameter {
        name: String,
        end: String,
    },
}

/// A parameter of path, query or header.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub(crate) place: String,
    pub(crate) required: bool,
    pub(crate) leaf: Leaf,
    pub(crate) maximum: Option<u64>,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Form,
    Multipart,
    Binary,
}

#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) kind: BodyKind,
    pub(crate) shape: Shape,
}

impl Operation {
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The words of its path that stand still, of its `operationId` and its summary.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut all = words(self.id.as_deref().unwrap_or_default());
        all.extend(words(&self.summary));
        all
    }

    pub(crate) fn body_shape(&self) -> Option<&Shape> {
        self.body.as_ref().map(|body| &body.shape)
    }

    pub(crate) fn query(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.place == "query")
    }

    pub(crate) fn problems(&self) -> impl Iterator<Item = &String> {
        let body = self.body.iter().flat_map(|body| &body.shape.problems);
        body.chain(&self.answer.problems)
    }
}

/// The last words of a path's literal part: `["comment"]` of `/tickets/{id}/comments`.
pub(crate) fn segments(path: &str) -> Vec<Segment> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(
            |part| match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                Some((name, end)) => Segment::Parameter {
                    name: name.to_owned(),
                    end: end.to_owned(),
                },
                None => Segment::Word(part.to_owned()),
            },
        )
        .collect()
}

/// Every request of the document.
pub(crate) fn read_all(document: &Document) -> Result<Vec<Operation>, Failure> {
    let mut operations = Vec::new();
    let paths = document.root.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        if path.starts_with("x-") {
            continue;
        }
        let pointer = format!("#/paths/{}", path.replace('~', "~0").replace('/', "~1"));
        if !path.starts_with('/') {
            return Err(document.broken(&pointer, "a path begins with `/`"));
        }
        let (item, _) = document
            .resolve(item)
            .map_err(|problem| document.broken(&pointer, &problem))?;
        if !item.is_object() {
            return Err(document.broken(&pointer, "expected an object: methods, and what they do"));
        }
        let shared = parameters(document, item, &pointer)?;
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let pointer = format!("{pointer}/{method}");
            if !operation.is_object() {
                return Err(
                    document.broken(&pointer, "expected an object: what the request takes and answers")
                );
            }
            let mut own = parameters(document, operation, &pointer)?;
            own.extend(described_header(operation));
            for parameter in &shared {
                if !own
                    .iter()
                    .any(|it| it.name == parameter.name && it.place == parameter.place)
                {
                    own.push(parameter.again());
                }
            }
            operations.push(read(document, path, method, operation, own));
        }
    }
    Ok(operations)
}

fn read(
    document: &Document,
    path: &str,
    method: &str,
    operation: &Value,
    parameters: Vec<Parameter>,
) -> Operation {
    let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
    let tags = operation
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let (answer, has_link_header) = answer(document, operation);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        segments: segments(path),
        id: operation
            .get("operationId")
            .and_then(Value::as_str)
            .map(str::to_owned),
        summary: text("summary").to_owned(),
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        deprecated: operation.get("deprecated").and_then(Value::as_bool) == Some(true),
        parameters,
        body: body(document, operation),
        answer,
        has_link_header,
        security: security(operation),
    }
}

/// The ways of a `security`, in their order: the names of the schemes that are needed together.
pub(crate) fn security(holder: &Value) -> Vec<Vec<String>> {
    let needs = holder
        .get("security")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    needs
        .filter_map(Value::as_object)
        .map(|need| need.keys().cloned().collect())
        .collect()
}

fn parameters(document: &Document, holder: &Value, pointer: &str) -> Result<Vec<Parameter>, Failure> {
    let list = match holder.get("parameters") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(document.broken(&format!("{pointer}/parameters"), "expected a list")),
    };
    let mut parameters = Vec::new();
    for (index, parameter) in list.iter().enumerate() {
        let pointer = format!("{pointer}/parameters/{index}");
        let (parameter, _) = document
            .resolve(parameter)
            .map_err(|problem| document.broken(&pointer, &problem))?;
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        let (Some(name), Some(place)) = (text("name"), text("in")) else {
            return Err(document.broken(&pointer, "a parameter has a `name` and an `in`, both texts"));
        };
        let empty = Value::Null;
        let schema = parameter.get("schema").unwrap_or(&empty);
        let (schema, _) = document.resolve(schema).unwrap_or((&empty, None));
        parameters.push(Parameter {
            name: name.to_owned(),
            place: place.to_owned(),
            required: place == "path" || parameter.get("required").and_then(Value::as_bool) == Some(true),
            leaf: parameter_leaf(name, parameter, schema),
            maximum: schema.get("maximum").and_then(Value::as_u64),
        });
    }
    Ok(parameters)
}

/// A header that the description asks for in so many words: "must have a `X-Atlassian-Token: no-check` header".
fn described_header(operation: &Value) -> Option<Parameter> {
    let text = operation.get("description").and_then(Value::as_str)?;
    let quoted = text.split('`').skip(1).step_by(2);
    let (name, value) = quoted
        .filter_map(|text| text.split_once(": "))
        .find(|(name, value)| {
            let is_header = name.contains('-')
                && name.len() <= 40
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
            let is_ours = ["content-type", "accept", "authorization"].contains(&name.to_lowercase().as_str());
            let is_word = !value.is_empty()
                && value.len() <= 20
                && value
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '-');
            let is_asked_for = text.contains("header");
            is_header && is_word && is_asked_for && !is_ours
        })?;
    let schema = serde_json::json!({"type": "string", "enum": [value]});
    Some(Parameter {
        name: name.to_owned(),
        place: "header".to_owned(),
        required: true,
        leaf: parameter_leaf(name, &Value::Null, &schema),
        maximum: None,
    })
}

fn parameter_leaf(name: &str, parameter: &Value, schema: &Value) -> Leaf {
    let wrapped = serde_json::json!({"type": "object", "properties": {name: schema}});
    let document = Document {
        name: String::new(),
        root: Value::Null,
    };
    let shape = Shape::of(&document, &wrapped, &[]);
    let description = parameter.get("description").and_then(Value::as_str);
    let found = shape.leaves.into_iter().next();
    let mut leaf = found.unwrap_or_else(|| Leaf {
        path: vec![name.to_owned()],
        words: words(name),
        kind: Kind::Unknown,
        format: String::new(),
        description: String::new(),
        values: Vec::new(),
        default: None,
        required: false,
        read_only: false,
        in_example: false,
        example: None,
    });
    if let Some(description) = description {
        leaf.description = description.to_owned();
    }
    leaf
}

impl Parameter {
    fn again(&self) -> Self {
        Self {
            name: self.name.clone(),
            place: self.place.clone(),
            required: self.required,
            leaf: self.leaf.clone(),
            maximum: self.maximum,
        }
    }
}

fn body(document: &Document, operation: &Value) -> Option<Body> {
    let (body, _) = document.resolve(operation.get("requestBody")?).ok()?;
    let content = body.get("content")?.as_object()?;
    let of = |fits: &dyn Fn(&str) -> bool| {
        content
            .iter()
            .find(|(kind, _)| fits(kind))
            .map(|(_, media)| media)
    };
    let (kind, media) = None
        .or_else(|| of(&is_json).map(|media| (BodyKind::Json, media)))
        .or_else(|| of(&|kind| kind.starts_with("multipart/")).map(|media| (BodyKind::Multipart, media)))
        .or_else(|| {
            of(&|kind| kind == "application/x-www-form-urlencoded").map(|media| (BodyKind::Form, media))
        })
        .or_else(|| of(&|_| true).map(|media| (BodyKind::Binary, media)))?;
    Some(Body {
        kind,
        shape: media_shape(document, media),
    })
}

/// What a good answer looks like: the first that has a body.
fn answer(document: &Document, operation: &Value) -> (Shape, bool) {
    let mut link = false;
    let mut shape = Shape::default();
    let responses = operation.get("responses").and_then(Value::as_object);
    let good = responses
        .into_iter()
        .flatten()
        .filter(|(status, _)| status.starts_with('2') || *status == "default");
    for (status, response) in good {
        let Ok((response, _)) = document.resolve(response) else {
            continue;
        };
        let headers = response.get("headers").and_then(Value::as_object);
        link |= headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")));
        let content = response.get("content").and_then(Value::as_object);
        let media = content.and_then(|content| content.iter().find(|(kind, _)| is_json(kind)));
        // `default` describes errors wherever a status of its own describes success.
        let takes = shape.leaves.is_empty() && shape.lists.is_empty() && status != "default";
        if let (true, Some((_, media))) = (takes, media) {
            shape = media_shape(document, media);
        }
    }
    (shape, link)
}

fn media_shape(document: &Document, media: &Value) -> Shape {
    let mut examples: Vec<&Value> = media.get("example").into_iter().collect();
    let named = media
        .get("examples")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (_, example) in named {
        if let Ok((example, _)) = document.resolve(example) {
            examples.extend(example.get("value"));
        }
    }
    let nothing = Value::Null;
    Shape::of(document, media.get("schema").unwrap_or(&nothing), &examples)
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || kind.ends_with("+json") || kind == "*/*"
}
