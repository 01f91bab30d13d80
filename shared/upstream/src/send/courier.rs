//! Posts to addresses that an operator named: webhooks. As careful about where it connects as a call of an integration.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::guard::check_literal;
use crate::send::backoff::retry_after;
use crate::tls::http_client;
use crate::transport::not_answered;

/// What is read of an answer, so that its connection can be used again. Nobody looks at it.
const MAX_ANSWER: usize = 64 * 1024;

/// What a receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The status.
    pub status: u16,
    /// When it wants the next request, where it says so.
    pub retry_after: Option<Duration>,
}

/// Posts JSON to addresses that are no ticketing systems. The same TLS and the same address guard as [`Client`], no
/// proxies, no redirects, no credentials. One per process.
///
/// [`Client`]: crate::Client
#[derive(Debug, Clone)]
pub struct Courier {
    http: reqwest::Client,
    allow_private: bool,
}

impl Courier {
    /// Builds the client. With `allow_private`, loopback and private addresses and plain `http` are allowed.
    ///
    /// # Errors
    /// When the TLS or HTTP set-up fails.
    pub fn new(user_agent: &str, allow_private: bool) -> Result<Self, UpstreamError> {
        Ok(Self {
            http: http_client(user_agent, allow_private)?,
            allow_private,
        })
    }

    /// Whether [`Courier::post`] would try this address; a name is resolved only then.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] and [`ErrorKind::AddressRefused`], with the reason.
    pub fn check(&self, address: &str) -> Result<(), UpstreamError> {
        self.url(address).map(drop)
    }

    /// Posts `body` as `application/json`, within `time`. Every status is an answer.
    ///
    /// # Errors
    /// When the address is not allowed, or there is no answer. The text does not hold the address's path or query.
    pub async fn post(
        &self,
        address: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        time: Duration,
    ) -> Result<Receipt, UpstreamError> {
        let url = self.url(address)?;
        let mut sent = HeaderMap::new();
        sent.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| input(format!("the header `{name}` cannot hold its value")))?;
            sent.insert(HeaderName::from_static(name), value);
        }
        let request = self.http.post(url).headers(sent).body(body).send();
        let answered = async {
            let mut response = request.await.map_err(|error| {
                let failure = not_answered(&error);
                UpstreamError::new(failure.kind, Outcome::Unknown, failure.message)
            })?;
            let receipt = Receipt {
                status: response.status().as_u16(),
                retry_after: retry_after(response.headers()),
            };
            let mut read = 0;
            // The status has been said; what goes wrong after it is nobody's concern.
            while let Ok(Some(chunk)) = response.chunk().await {
                read += chunk.len();
                if read > MAX_ANSWER {
                    break;
                }
            }
            Ok(receipt)
        };
        tokio::time::timeout(time, answered).await.unwrap_or_else(|_| {
            let message = format!("no answer within {} s", time.as_secs_f64());
            Err(UpstreamError::new(ErrorKind::Timeout, Outcome::Unknown, message))
        })
    }

    fn url(&self, address: &str) -> Result<Url, UpstreamError> {
        let url = Url::parse(address).map_err(|error| input(format!("it is not a URL: {error}")))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            "http" => {
                let message = "plain http is allowed only with --allow-private-upstreams; use https";
                return Err(input(message.to_owned()));
            }
            scheme => return Err(input(format!("expected https, found `{scheme}`"))),
        }
        if url.host().is_none() {
            return Err(input("it names no host".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(input(
                "a user name or a password has no place in it: it is shown in lists".to_owned(),
            ));
        }
        check_literal(&url, self.allow_private)?;
        Ok(url)
    }
}

fn input(message: String) -> UpstreamError {
    UpstreamError::new(ErrorKind::Input, Outcome::NotSent, message)
}
