//! `POST /upload` and the files that came by it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::answers::{Answer, Refusal, answer};
use super::model::File;
use super::query::{Query, invalid};
use super::running::Sandbox;

const TYPES: [&str; 4] = [
    "attachment",
    "public_attachment",
    "profile_picture",
    "widget_picture",
];
/// The largest upload, in bytes. The documentation names a 413 and no number.
pub(super) const LARGEST: usize = 20 * 1024 * 1024;

/// Every part is a file; the name of its form field becomes the file's label.
pub(super) async fn upload(
    State(sandbox): State<Arc<Sandbox>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    const FAILED: &str = "Failed to upload";
    let query = Query::read(query.as_deref(), &["type"], &[])?;
    let kind = query.get("type").unwrap_or_default();
    if !TYPES.contains(&kind) {
        return Err(invalid("type", &format!("Must be one of: {}.", TYPES.join(", "))));
    }
    let mut request = Request::new(bytes.into());
    *request.headers_mut() = headers;
    let broken = || Refusal::field(FAILED, "_schema", "Not a valid multipart body.");
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| broken())?;
    let mut files = Vec::new();
    while let Some(part) = form.next_field().await.map_err(|_| broken())? {
        let name = part.name().unwrap_or_default().to_owned();
        let given = part.file_name().map(str::to_owned);
        let content_type = part
            .content_type()
            .unwrap_or("application/octet-stream")
            .to_owned();
        let Some(given) = given else {
            return Err(Refusal::field(FAILED, &name, "Not a file."));
        };
        let content = part.bytes().await.map_err(|_| broken())?.to_vec();
        if content.len() > LARGEST {
            return Err(Refusal::too_large());
        }
        let extension = given.rsplit_once('.').map_or("bin", |(_, extension)| extension);
        let resource = format!("{}.{extension}", uuid::Uuid::new_v4().simple());
        files.push(File {
            url: format!("{}/api/{kind}/download/3f2a/{resource}", sandbox.site),
            name,
            content_type,
            content,
        });
    }
    if files.is_empty() {
        return Err(Refusal::field(FAILED, "_schema", "No file was sent."));
    }
    let mut store = sandbox.store();
    let shown: Vec<Value> = {
        let view = sandbox.view(&store);
        files.iter().map(|file| view.file(file)).collect()
    };
    store.files.extend(files);
    answer(StatusCode::CREATED, Value::Array(shown))
}

/// `GET /{type}/download/{domain_hash}/{name}`: 307 to an address that works without a login.
pub(super) async fn download(
    State(sandbox): State<Arc<Sandbox>>,
    Path((kind, hash, name)): Path<(String, String, String)>,
) -> Answer {
    let suffix = format!("/{kind}/download/{hash}/{name}");
    let known = sandbox
        .store()
        .files
        .iter()
        .any(|file| file.url.ends_with(&suffix));
    let location = HeaderValue::from_str(&format!("{}/files/{name}", sandbox.site)).ok();
    match location.filter(|_| known) {
        Some(location) => {
            Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response())
        }
        None => Err(Refusal::not_found()),
    }
}

/// The signed address.
pub(super) async fn file(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> Response {
    let store = sandbox.store();
    let suffix = format!("/{name}");
    match store.files.iter().find(|file| file.url.ends_with(&suffix)) {
        Some(file) => (
            [(header::CONTENT_TYPE, file.content_type.clone())],
            file.content.clone(),
        )
            .into_response(),
        None => Refusal::not_found().into_response(),
    }
}
