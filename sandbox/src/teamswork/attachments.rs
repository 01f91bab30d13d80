//! `/tickets/{id}/attachments`: files and links. Not in the reference; exists under a quirk.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::activities::{comment_of, commented};
use super::answers::{Answer, Refusal, gateway, ok};
use super::input;
use super::model::{Attachment, guid};
use super::quirks::{Quirk, Quirks};
use super::running::Sandbox;
use super::tickets::item;
use super::view::View;

/// What is attached: a file's content, or a link.
struct Given {
    caption: String,
    filename: Option<String>,
    content_type: Option<String>,
    content: Option<String>,
    link: Option<String>,
}

pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Answer {
    let view = View::new(&sandbox.quirks, 0, false);
    let store = sandbox.store();
    let record = store.get(&id).ok_or_else(|| Refusal::no_ticket(&id))?;
    let items: Vec<Value> = record
        .attachments
        .iter()
        .map(|attachment| view.attachment(attachment, &sandbox.url))
        .collect();
    ok(json!({"items": items}))
}

pub(super) async fn of_activity(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Answer {
    let view = View::new(&sandbox.quirks, 0, false);
    let store = sandbox.store();
    let items: Vec<Value> = store
        .all()
        .flat_map(|record| &record.attachments)
        .filter(|attachment| attachment.activity_id == id)
        .map(|attachment| view.attachment(attachment, &sandbox.url))
        .collect();
    if items.is_empty() {
        return Err(Refusal::internal("Internal server error"));
    }
    ok(json!({"items": items}))
}

pub(super) async fn file(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let store = sandbox.store();
    let attachment = store
        .all()
        .flat_map(|record| &record.attachments)
        .find(|attachment| attachment.id == id);
    let content = attachment.and_then(|attachment| attachment.content.as_ref());
    match (
        attachment,
        content.and_then(|content| STANDARD.decode(content).ok()),
    ) {
        (Some(attachment), Some(content)) => {
            let kind = attachment
                .content_type
                .clone()
                .unwrap_or("application/octet-stream".to_owned());
            ([(header::CONTENT_TYPE, kind)], content).into_response()
        }
        _ => gateway(StatusCode::NOT_FOUND, "Resource not found"),
    }
}

pub(super) async fn add(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let quirks = &sandbox.quirks;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let (body, given) = if kind.starts_with("multipart/form-data") {
        if quirks.has(Quirk::MultipartNamesQuoted) && has_unquoted_name(&bytes) {
            return Err(Refusal::internal("Internal server error"));
        }
        read_form(kind, bytes).await?
    } else {
        let body = input::body(&bytes)?;
        let links = links(&body)?;
        (body, links)
    };
    attach(&sandbox, &id, &body, given, quirks)
}

fn attach(
    sandbox: &Sandbox,
    id: &str,
    body: &Map<String, Value>,
    given: Vec<Given>,
    quirks: &Quirks,
) -> Answer {
    let mut store = sandbox.store();
    let mut record = store.get(id).cloned().ok_or_else(|| Refusal::no_ticket(id))?;
    let user = input::user(body)?;
    let mut logged = comment_of(body, quirks)?;
    if given.is_empty() {
        return Err(Refusal::invalid("files or attachments are required"));
    }
    let time = store.change_time();
    // The id of the upload is not that of the activity in the list, as reported of the live service.
    let upload_id = guid("upload", time.milliseconds().unsigned_abs());
    for Given {
        caption,
        filename,
        content_type,
        content,
        link,
    } in given
    {
        let id = record.next_attachment_id();
        logged.attachments.push(id.clone());
        record.attachments.push(Attachment {
            id,
            activity_id: upload_id.clone(),
            caption,
            filename,
            content_type,
            content,
            link,
            created_on: time,
            created_by: user.clone(),
        });
    }
    commented(&mut record, &user, time, quirks);
    let activity = record.log(logged, user, time);
    let mut shown = View::new(quirks, 0, false).comment(&record, &activity, &sandbox.url);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("activityId".to_owned(), upload_id.into());
    }
    store.save(record)?;
    Ok((StatusCode::CREATED, Json(item(shown, quirks))).into_response())
}

/// Reads the parts into the body that the same request would have as JSON, and the files.
async fn read_form(kind: &str, bytes: Bytes) -> Result<(Map<String, Value>, Vec<Given>), Refusal> {
    let wrong =
        |error: &dyn std::fmt::Display| Refusal::invalid(format!("The form is not readable: {error}"));
    let request = Request::builder()
        .method("POST")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(bytes))
        .map_err(|error| wrong(&error))?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| wrong(&error))?;
    let mut body = Map::new();
    let mut files = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|error| wrong(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "files" {
            let filename = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(str::to_owned);
            let content = part.bytes().await.map_err(|error| wrong(&error))?;
            if filename.as_deref().unwrap_or_default().is_empty() {
                return Err(Refusal::invalid("files needs a file name"));
            }
            files.push(Given {
                caption: filename.clone().unwrap_or_default(),
                filename,
                content_type,
                content: Some(STANDARD.encode(content)),
                link: None,
            });
            continue;
        }
        let text = part.text().await.map_err(|error| wrong(&error))?;
        let value = match (name.as_str(), text.as_str()) {
            ("user", _) => serde_json::from_str(&text)
                .map_err(|error| Refusal::invalid(format!("user must be JSON text: {error}")))?,
            ("isPrivate", "true") => true.into(),
            ("isPrivate", "false") => false.into(),
            _ => text.into(),
        };
        body.insert(name, value);
    }
    Ok((body, files))
}

fn links(body: &Map<String, Value>) -> Result<Vec<Given>, Refusal> {
    let shape = || Refusal::invalid("attachments must be a list of {src, caption}");
    let entries = body
        .get("attachments")
        .and_then(Value::as_array)
        .ok_or_else(shape)?;
    let link = |entry: &Value| {
        let src = entry
            .get("src")
            .and_then(Value::as_str)
            .filter(|src| !src.is_empty())
            .ok_or_else(shape)?;
        let caption = entry.get("caption").and_then(Value::as_str).unwrap_or(src);
        Ok(Given {
            caption: caption.to_owned(),
            filename: None,
            content_type: None,
            content: None,
            link: Some(src.to_owned()),
        })
    };
    entries.iter().map(link).collect()
}

/// Whether a part's `Content-Disposition` has a name without quotation marks.
fn has_unquoted_name(bytes: &[u8]) -> bool {
    // Part headers are lines of text; file contents cannot be mistaken for one unless they are one.
    String::from_utf8_lossy(bytes)
        .lines()
        .map(str::to_ascii_lowercase)
        .filter(|line| line.starts_with("content-disposition:"))
        .flat_map(|line| {
            line.split(';')
                .map(|part| part.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .any(|part| part.starts_with("name=") && !part.starts_with("name=\""))
}
