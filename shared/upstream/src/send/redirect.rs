//! Redirects: followed only when asked, only for reads, only within the origin.

use http::Method;
use http::header::LOCATION;

use super::exchange::Response;
use super::session::Session;
use crate::error::{ErrorKind, UpstreamError};
use crate::request::Prepared;

const MOST_REDIRECTS: u32 = 5;

impl Session<'_> {
    /// Sends a request and follows redirects as far as the connector allows.
    pub(super) async fn follow(
        &mut self,
        name: &str,
        prepared: &Prepared,
        repeatable: bool,
    ) -> Result<Response, UpstreamError> {
        let mut request = prepared.clone();
        let mut followed = 0;
        loop {
            let credentials = self.credentials.clone();
            let response = self
                .send_with_retries(name, &request, &credentials, repeatable)
                .await?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            // Systems with login pages lead there once a session died.
            if self.says_session_died(&response)? {
                return Ok(response);
            }
            let refused = |why: &str| {
                let message = format!(
                    "`{name}` was answered with a redirect ({}): {why}",
                    response.status
                );
                UpstreamError::new(ErrorKind::Redirect, self.once_sent(&request.method), message)
                    .with_status(response.status)
            };
            if !self.connector.follow_redirects {
                return Err(refused(
                    "redirects are not followed; check the base URL and the path",
                ));
            }
            if !matches!(request.method, Method::GET | Method::HEAD) {
                return Err(refused("only GET and HEAD follow redirects"));
            }
            if followed == MOST_REDIRECTS {
                return Err(refused("it is the sixth in a row"));
            }
            let location = response
                .headers
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            let target = location.and_then(|location| request.url.join(location).ok());
            let mut target = target.ok_or_else(|| refused("it names no place"))?;
            if target.origin() != self.connector.base_url.origin() {
                return Err(refused(
                    "it leads to another origin, where credentials must not go",
                ));
            }
            self.credentials.strip(&mut target);
            request.url = target;
            followed += 1;
        }
    }
}
