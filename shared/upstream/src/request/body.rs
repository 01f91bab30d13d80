//! Request bodies.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use mapping::{Escape, HtmlEscape, Mapping, Template};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};

use super::render::{Plain, text_or_json};
use super::{Form, Root, UNRESERVED, json, mistaken, query, refused, show_path};
use crate::error::UpstreamError;
use crate::model::{Body, Part, PartContent};

/// Standard Base64, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A body that can be sent any number of times.
#[derive(Clone)]
pub enum PreparedBody {
    /// No body.
    None,
    /// A body whose media type is among the headers.
    Bytes(Bytes),
    /// `multipart/form-data`; its boundary is chosen when it is sent.
    Multipart(Vec<PreparedPart>),
}

/// A part of a multipart body.
#[derive(Clone)]
pub struct PreparedPart {
    /// The field's name.
    pub name: String,
    /// The field's value, or the file.
    pub content: Bytes,
    /// The name, of a file.
    pub file_name: Option<String>,
    /// The media type; every file has one.
    pub media_type: Option<String>,
}

/// A body that a page position can still be put into.
pub(super) enum Draft {
    /// JSON, and its text when it was written as text: numbers stay as they were written.
    Json(Value, Option<String>),
    Ready(PreparedBody),
}

impl Draft {
    /// Puts a page position into a top-level key.
    pub(super) fn set(&mut self, key: &str, value: &Value, action: &str) -> Result<(), UpstreamError> {
        if matches!(self, Self::Ready(PreparedBody::None)) {
            *self = Self::Json(Value::Object(Map::new()), None);
        }
        let Self::Json(Value::Object(fields), text) = self else {
            let what = format!("the body of `{action}`");
            return Err(refused(
                &what,
                "paging sends its position in the body, which must be a JSON object",
            ));
        };
        fields.insert(key.to_owned(), value.clone());
        *text = None;
        Ok(())
    }

    /// The body as it is sent.
    pub(super) fn finish(self) -> PreparedBody {
        match self {
            Self::Json(_, Some(text)) => PreparedBody::Bytes(text.into()),
            Self::Json(value, None) => PreparedBody::Bytes(value.to_string().into()),
            Self::Ready(body) => body,
        }
    }
}

/// Renders the body and says its media type. Multipart says its own when it is sent.
pub(super) fn body(form: &Form<'_>, root: &Root<'_>) -> Result<(Draft, Option<String>), UpstreamError> {
    let what = format!("the body of `{}`", form.action);
    let json_type = || Some("application/json".to_owned());
    Ok(match form.body {
        Body::None => (Draft::Ready(PreparedBody::None), None),
        Body::JsonTemplate(template) => {
            // What a caller may send is escaped, so that what goes wrong here is the template's mistake.
            let text = root
                .render(template, &mut json::ByPlace::default(), &what)
                .map_err(UpstreamError::of_integration)?;
            let value = serde_json::from_str(&text).map_err(|error| {
                let why = format!("it is not JSON once its values are filled in: {error}");
                mistaken(&what, &why)
            })?;
            (Draft::Json(value, Some(text)), json_type())
        }
        Body::Json(mapping) => (Draft::Json(root.evaluate(mapping, &what)?, None), json_type()),
        Body::Form(pairs) => {
            let text = query::encode(&query::pairs(pairs, form.action, root)?);
            let body = PreparedBody::Bytes(text.into());
            (
                Draft::Ready(body),
                Some("application/x-www-form-urlencoded".to_owned()),
            )
        }
        Body::Multipart(parts) => {
            let mut prepared = Vec::new();
            for part in parts {
                prepared.extend(self::part(part, form.action, root)?);
            }
            (Draft::Ready(PreparedBody::Multipart(prepared)), None)
        }
        Body::Text {
            content,
            content_type,
        } => {
            let content_type = media_type(root.plain(content_type, &what)?, "text/plain; charset=utf-8");
            let text = root.render(content, escape_for(&content_type).as_mut(), &what)?;
            (Draft::Ready(PreparedBody::Bytes(text.into())), Some(content_type))
        }
        Body::Binary {
            content,
            content_type,
        } => {
            let bytes = decode(&root.evaluate(content, &what)?, content, &what)?.unwrap_or_default();
            let content_type = root.plain(content_type, &what)?;
            (
                Draft::Ready(PreparedBody::Bytes(bytes)),
                Some(media_type(content_type, "application/octet-stream")),
            )
        }
    })
}

/// The media type that a template gave, or the usual one where it gave nothing.
fn media_type(given: String, usual: &str) -> String {
    if given.trim().is_empty() {
        usual.to_owned()
    } else {
        given
    }
}

fn part(part: &Part, action: &str, root: &Root<'_>) -> Result<Option<PreparedPart>, UpstreamError> {
    let name = part.name.clone();
    let what = format!("the part `{name}` of `{action}`");
    if name.contains(['"', '\r', '\n']) {
        return Err(refused(&what, "a part name must not hold quotes or line breaks"));
    }
    let media_type_of = |template: &Option<Template>| {
        let given = template.as_ref().map(|template| root.plain(template, &what));
        given
            .transpose()
            .map(|given| given.filter(|given| !given.trim().is_empty()))
    };
    Ok(match &part.content {
        PartContent::Text {
            content,
            content_type,
        } => match root.evaluate(content, &what)? {
            Value::Null => None,
            value => Some(PreparedPart {
                name,
                content: text_or_json(&value).into(),
                file_name: None,
                media_type: media_type_of(content_type)?,
            }),
        },
        PartContent::File {
            content,
            file_name,
            content_type,
        } => {
            let Some(bytes) = decode(&root.evaluate(content, &what)?, content, &what)? else {
                return Ok(None);
            };
            let file_name = root.plain(file_name, &what)?;
            if file_name.chars().any(char::is_control) {
                return Err(refused(&what, "a file name must not hold control characters"));
            }
            let media_type = media_type_of(content_type)?;
            Some(PreparedPart {
                name,
                content: bytes,
                file_name: Some(file_name),
                media_type: Some(media_type.unwrap_or_else(|| "application/octet-stream".to_owned())),
            })
        }
    })
}

/// The bytes of Base64 text; none for null. Line breaks in it are allowed, as MIME writes them.
fn decode(value: &Value, mapping: &Mapping, what: &str) -> Result<Option<Bytes>, UpstreamError> {
    let argument = || match mapping.reads() {
        [only] => format!("`{}`", show_path(only)),
        _ => "the file content".to_owned(),
    };
    match value {
        Value::Null => Ok(None),
        Value::String(text) => {
            let text: String = text.split_ascii_whitespace().collect();
            let decoded = BASE64.decode(text);
            let bytes = decoded.map_err(|_| refused(what, &format!("{} is not Base64 text", argument())))?;
            Ok(Some(bytes.into()))
        }
        _ => Err(refused(what, &format!("{} must be Base64 text", argument()))),
    }
}

/// How values are written into text of a media type: so that they cannot change its structure.
fn escape_for(content_type: &str) -> Box<dyn Escape> {
    let content_type = content_type.to_ascii_lowercase();
    if content_type.contains("x-www-form-urlencoded") {
        Box::new(FormValue)
    } else if content_type.contains("xml") || content_type.contains("html") {
        Box::new(HtmlEscape)
    } else if content_type.contains("json") {
        Box::new(json::ByPlace::default())
    } else {
        Box::new(Plain)
    }
}

/// Percent-encodes values in a form that is written by hand.
struct FormValue;

impl Escape for FormValue {
    fn literal(&mut self, text: &str, out: &mut String) {
        out.push_str(text);
    }

    fn value(&mut self, value: &Value, _raw: bool, out: &mut String) -> Result<(), String> {
        out.extend(utf8_percent_encode(&text_or_json(value), UNRESERVED));
        Ok(())
    }
}
