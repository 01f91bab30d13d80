//! Where requests leave: the port, and the real way out.

use std::error::Error;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method};
use reqwest::multipart;

use crate::error::{ErrorKind, UpstreamError};
use crate::guard::Refused;
use crate::request::{Prepared, PreparedBody, PreparedPart};
use crate::tls::http_client;

/// So much is reserved for a body at most before any of it came.
const LARGEST_RESERVED: usize = 1024 * 1024;

/// The way out of a [`Client`](crate::Client). All that it does (credentials, attempts, paging, budgets, redirects)
/// goes over this, requests for tokens and sessions too.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and reads its whole answer, of which the body may have `limit` bytes. Every status is an answer.
    /// The client bounds the time.
    ///
    /// # Errors
    /// When there is no whole answer: how far the request came.
    async fn send(&self, request: Prepared, limit: usize) -> Result<WholeAnswer, Lost>;
}

/// A whole answer as it came.
#[derive(Debug, Clone)]
pub struct WholeAnswer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no whole answer. The message names no URL: it reaches logs and callers.
#[derive(Debug, Clone)]
pub struct Lost {
    /// The class that the error of the call will have.
    pub kind: ErrorKind,
    /// What happened, for a person.
    pub message: String,
    /// The status, when the beginning of an answer came.
    pub status: Option<u16>,
    /// How far it came.
    pub progress: Progress,
}

/// How far a failed request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There was no connection: nothing was sent, and another attempt may find one.
    NotConnected,
    /// Nothing was sent, and another attempt would end the same way.
    Refused,
    /// It was sent, in part or whole; another attempt may go better.
    Sent,
    /// It was sent and answered; another attempt would end the same way.
    Answered,
}

/// Over the network: one TLS stack, the address guard, no proxies, no redirects.
#[derive(Debug, Clone)]
pub struct Network {
    http: reqwest::Client,
}

impl Network {
    /// Sets it up. With `allow_private`, names may lead to addresses that are not public.
    ///
    /// # Errors
    /// When the TLS or HTTP set-up fails.
    pub fn new(user_agent: &str, allow_private: bool) -> Result<Self, UpstreamError> {
        Ok(Self {
            http: http_client(user_agent, allow_private)?,
        })
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: Prepared, limit: usize) -> Result<WholeAnswer, Lost> {
        let request = reqwest_request(&self.http, request)?;
        let response = self.http.execute(request).await;
        read(response.map_err(|error| not_answered(&error))?, limit).await
    }
}

fn reqwest_request(http: &reqwest::Client, prepared: Prepared) -> Result<reqwest::Request, Lost> {
    let expects_body = matches!(prepared.method, Method::POST | Method::PUT | Method::PATCH);
    let builder = http
        .request(prepared.method, prepared.url)
        .headers(prepared.headers);
    let builder = match prepared.body {
        // Some servers insist on a length where a body could be (RFC 9110 section 8.6).
        PreparedBody::None if expects_body => builder.header(CONTENT_LENGTH, 0),
        PreparedBody::None => builder,
        PreparedBody::Bytes(bytes) => builder.body(bytes),
        PreparedBody::Multipart(parts) => {
            let mut form = multipart::Form::new().percent_encode_noop();
            for part in parts {
                form = form.part(part.name.clone(), multipart_part(&part)?);
            }
            builder.multipart(form)
        }
    };
    builder
        .build()
        .map_err(|error| cannot_build(&error.without_url()))
}

fn multipart_part(part: &PreparedPart) -> Result<multipart::Part, Lost> {
    let length = part.content.len() as u64;
    let mut made = multipart::Part::stream_with_length(part.content.clone(), length);
    if let Some(name) = &part.file_name {
        made = made.file_name(name.clone());
    }
    match &part.media_type {
        None => Ok(made),
        Some(media_type) => made
            .mime_str(media_type)
            .map_err(|_| cannot_build(&format!("`{media_type}` is not a media type"))),
    }
}

fn cannot_build(error: &dyn ToString) -> Lost {
    Lost {
        kind: ErrorKind::Input,
        message: format!("the request cannot be made: {}", error.to_string()),
        status: None,
        progress: Progress::Refused,
    }
}

async fn read(mut response: reqwest::Response, limit: usize) -> Result<WholeAnswer, Lost> {
    let status = response.status().as_u16();
    let too_large = || Lost {
        kind: ErrorKind::BadAnswer,
        message: format!("the answer is longer than {limit} bytes"),
        status: Some(status),
        progress: Progress::Answered,
    };
    let length = response.content_length();
    let length = length.map_or(Ok(0), usize::try_from).unwrap_or(usize::MAX);
    if length > limit {
        return Err(too_large());
    }
    let headers = std::mem::take(response.headers_mut());
    // What a system announces is no more than that until it comes.
    let mut body = BytesMut::with_capacity(length.min(LARGEST_RESERVED));
    loop {
        match response.chunk().await {
            Ok(None) => {
                return Ok(WholeAnswer {
                    status,
                    headers,
                    body: body.freeze(),
                });
            }
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(_) => {
                return Err(Lost {
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
pub(crate) fn not_answered(error: &reqwest::Error) -> Lost {
    if let Some(refused) = Refused::among_causes(error) {
        let refused = UpstreamError::from(refused);
        let (kind, message) = (refused.kind(), refused.to_string());
        return Lost {
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
    Lost {
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
