//! One request and its whole answer.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::auth::Credentials;
use crate::error::ErrorKind;
use crate::request::Prepared;
use crate::transport::{Lost, Progress, Transport};

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

    /// The body as text, without the byte order mark that some systems put before it.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        let body = self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body);
        // Much quicker than the loss is looked for.
        match std::str::from_utf8(body) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(body),
        }
    }
}

/// Sends a request and reads its answer, both within `time`.
pub(super) async fn exchange(
    transport: &dyn Transport,
    prepared: &Prepared,
    credentials: &Credentials,
    time: Duration,
    limit: usize,
) -> Result<Response, Lost> {
    let mut request = prepared.clone();
    credentials.apply(&mut request);
    let answer = tokio::time::timeout(time, transport.send(request, limit)).await;
    let answer = answer.unwrap_or_else(|_| {
        Err(Lost {
            kind: ErrorKind::Timeout,
            message: format!("no whole answer within {} s", time.as_secs_f64()),
            status: None,
            progress: Progress::Sent,
        })
    })?;
    Ok(Response {
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
        retry_after: None,
        doubtful: false,
    })
}
