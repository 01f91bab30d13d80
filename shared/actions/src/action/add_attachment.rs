//! `add_attachment`: POST `/tickets/{ticket_id}/attachments`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use integration::contract::TasAction;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ActionDefinition;
use crate::context::Context;
use crate::error::ApiError;
use crate::input::{Input, RequestorInfo, as_sent, context_of, schema_of};

/// The largest file, in bytes: as Base64 it is 6,000,000 characters, which leaves the rest of the 6 MiB that
/// Lambda takes in one request for the other fields and the event around them.
pub const MAX_ATTACHMENT_BYTES: usize = 4_500_000;

/// A file to attach.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAttachment {
    /// The ticket's id.
    #[schemars(length(max = super::MAX_ID_LENGTH), regex(pattern = r"\S"))]
    ticket_id: String,
    /// The file's name.
    #[schemars(length(max = 255), regex(pattern = r"\S"))]
    file_name: String,
    /// The file as Base64 (RFC 4648 section 4, padded, without line breaks), of at most 4,500,000 bytes.
    #[schemars(extend("contentEncoding" = "base64"), length(min = 1))]
    content: String,
    /// The file's media type, for example `image/png`.
    content_type: Option<String>,
    /// A text to go with the file.
    comment: Option<String>,
    /// The name of the destination. Without it, the one whose pattern the id matches, else the default.
    destination: Option<String>,
    /// Who attaches it.
    #[serde(default, deserialize_with = "as_sent")]
    #[schemars(with = "Option<RequestorInfo>")]
    requestor_info: Option<Value>,
}

impl Input for AddAttachment {
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError> {
        context.check_ticket_id(&self.ticket_id)?;
        context.choose_destination(self.destination.as_deref(), Some(&self.ticket_id));
        context.set_requestor_info(self.requestor_info)?;
        context.set_ticket(&self.ticket_id);
        if let Some(problem) = content_problem(&self.content) {
            context.problem("content", problem);
        }
        if self
            .file_name
            .contains(|letter: char| letter.is_control() || letter == '/' || letter == '\\')
            || matches!(self.file_name.trim(), "." | "..")
        {
            context.problem(
                "file_name",
                "expected a name, not a path, without control characters",
            );
        }
        if self
            .content_type
            .as_deref()
            .is_some_and(|text| !is_media_type(text))
        {
            context.problem(
                "content_type",
                "expected a media type such as image/png, found other text",
            );
        }
        context.set("file_name", self.file_name);
        context.set("content", self.content);
        context.set_optional("content_type", self.content_type);
        context.set_optional("comment", self.comment);
        Ok(())
    }
}

/// What to say of a file that is too large.
pub(crate) fn too_large() -> String {
    format!("expected a file of at most {MAX_ATTACHMENT_BYTES} bytes (before Base64), found a larger one")
}

fn content_problem(content: &str) -> Option<String> {
    // The length decides before six million characters are decoded for nothing.
    if content.len() / 4 * 3 > MAX_ATTACHMENT_BYTES + 2 {
        return Some(too_large());
    }
    if content.starts_with("data:") {
        return Some(
            "expected Base64 alone, found a data: URL; leave out everything up to the comma".to_owned(),
        );
    }
    match STANDARD.decode(content) {
        Ok(bytes) if bytes.len() > MAX_ATTACHMENT_BYTES => Some(too_large()),
        Ok(_) => None,
        Err(error) => Some(format!(
            "expected Base64 (RFC 4648 section 4, padded, without line breaks): {error}"
        )),
    }
}

fn is_media_type(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    let essence = text.split(';').next().unwrap_or_default().trim();
    !text.contains(|letter: char| letter.is_control())
        && essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| plain(kind) && plain(subtype))
}

pub(super) fn definition() -> ActionDefinition {
    ActionDefinition {
        action: TasAction::AddAttachment,
        method: Method::POST,
        path: "/tickets/{ticket_id}/attachments",
        success: StatusCode::CREATED,
        description: "The whole request may have at most 6 MB.",
        example: || json!({"file_name": "note.txt", "content": "SGVsbG8=", "content_type": "text/plain"}),
        schema: schema_of::<AddAttachment>,
        context: context_of::<AddAttachment>,
    }
}
