//! One request and its whole answer.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method};
use reqwest::multipart;

use crate::auth::Credentials;
use crate::error::{ErrorKind, UpstreamError};
use crate::guard::Refused;
use crate::request::{Prepared, PreparedBody, PreparedPart};

/// A whole answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the system wants the next request, where it refused this one for now.
    pub(crate) retry_after: Option<Duration>,
    /// An earlier attempt may have been carried out.
    pub(crate) doubtful: bool,
}

impl Response {
    /// The media type as the system wrote it.
    pub(crate) fn content_type(&self) -> &str {
        let text = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        text.unwrap_or("no content type")
    }
}

/// Why there is no whole answer.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    /// The status, when the beginning of an answer came.
    pub(super) status: Option<u16>,
    pub(super) progress: Progress,
}

/// How far a failed request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There was no connection: nothing was sent, and another attempt may find one.
    NotConnected,
    /// Nothing was sent, and another attempt would end the same way.
    Refused,
    /// It was sent, in part or whole; another attempt may go better.
    Sent,
    /// It was sent and answered; another attempt would end the same way.
    Answered,
}

/// Sends a request and reads its answer, both within `time`.
pub(super) async fn exchange(
    http: &reqwest::Client,
    prepared: &Prepared,
    credentials: &Credentials,
    time: Duration,
    limit: usize,
) -> Result<Response, Failure> {
    let request = request(http, prepared, credentials)?;
    let whole = async {
        let response = http
            .execute(request)
            .await
            .map_err(|error| not_answered(&error))?;
        read(response, limit).await
    };
    tokio::time::timeout(time, whole).await.unwrap_or_else(|_| {
        Err(Failure {
            kind: ErrorKind::Timeout,
            message: format!("no whole answer within {} s", time.as_secs_f64()),
            status: None,
            progress: Progress::Sent,
        })
    })
}

fn request(
    http: &reqwest::Client,
    prepared: &Prepared,
    credentials: &Credentials,
) -> Result<reqwest::Request, Failure> {
    let builder = http
        .request(prepared.method.clone(), prepared.url.clone())
        .headers(prepared.headers.clone());
    let builder = match &prepared.body {
        // Some servers insist on a length where a body could be (RFC 9110 section 8.6).
        PreparedBody::None if matches!(prepared.method, Method::POST | Method::PUT | Method::PATCH) => {
            builder.header(CONTENT_LENGTH, 0)
        }
        PreparedBody::None => builder,
        PreparedBody::Bytes(bytes) => builder.body(bytes.clone()),
        PreparedBody::Multipart(parts) => {
            let mut form = multipart::Form::new().percent_encode_noop();
            for part in parts {
                form = form.part(part.name.clone(), multipart_part(part)?);
            }
            builder.multipart(form)
        }
    };
    let mut request = builder
        .build()
        .map_err(|error| cannot_build(&error.without_url()))?;
    credentials.apply(&mut request);
    Ok(request)
}

fn multipart_part(part: &PreparedPart) -> Result<multipart::Part, Failure> {
    let length = part.content.len() as u64;
    let made = multipart::Part::stream_with_length(part.content.clone(), length);
    match &part.file {
        None => Ok(made),
        Some((name, content_type)) => made
            .file_name(name.clone())
            .mime_str(content_type)
            .map_err(|_| cannot_build(&format!("`{content_type}` is not a media type"))),
    }
}

fn cannot_build(error: &dyn ToString) -> Failure {
    Failure {
        kind: ErrorKind::Input,
        message: format!("the request cannot be made: {}", error.to_string()),
        status: None,
        progress: Progress::Refused,
    }
}

async fn read(mut response: reqwest::Response, limit: usize) -> Result<Response, Failure> {
    let status = response.status().as_u16();
    let too_large = || Failure {
        kind: ErrorKind::BadAnswer,
        message: format!("the answer is longer than {limit} bytes"),
        status: Some(status),
        progress: Progress::Answered,
    };
    if response
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(too_large());
    }
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => {
                return Ok(Response {
                    status,
                    headers,
                    body: body.freeze(),
                    retry_after: None,
                    doubtful: false,
                });
            }
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(_) => {
                return Err(Failure {
                    kind: ErrorKind::BadAnswer,
                    message: "the connection was lost in the middle of the answer".to_owned(),
                    status: Some(status),
                    progress: Progress::Sent,
                });
            }
        }
    }
}

/// Classes a failure to get even the beginning of an answer. Its words come from us: the library's may hold
/// the URL.
fn not_answered(error: &reqwest::Error) -> Failure {
    if let Some(refused) = Refused::among_causes(error) {
        let refused = UpstreamError::from(refused);
        let (kind, message) = (refused.kind(), refused.to_string());
        return Failure {
            kind,
            message,
            status: None,
            progress: Progress::Refused,
        };
    }
    let (kind, message, progress) = if error.is_connect() && error.is_timeout() {
        (
            ErrorKind::Connect,
            "no connection in time".to_owned(),
            Progress::NotConnected,
        )
    } else if error.is_connect() {
        (
            ErrorKind::Connect,
            format!("no connection: {}", root_cause(error)),
            Progress::NotConnected,
        )
    } else if error.is_timeout() {
        (ErrorKind::Timeout, "no answer in time".to_owned(), Progress::Sent)
    } else if error.is_builder() {
        (
            ErrorKind::Input,
            "the request cannot be made".to_owned(),
            Progress::Refused,
        )
    } else {
        (
            ErrorKind::Connect,
            "the connection was lost before an answer came".to_owned(),
            Progress::Sent,
        )
    };
    Failure {
        kind,
        message,
        status: None,
        progress,
    }
}

/// The innermost cause, which says what the operating system or TLS said.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
