//! The tickets of a stream, through the integration's query by time range.

use std::sync::Arc;
use std::time::Duration;

use actions::{ApiError, ErrorCode, FromUpstream, Gateway, Installed, PollWindow};
use async_trait::async_trait;
use jiff::Timestamp;
use polling::{Page, PageRequest, Source, SourceError, Ticket};
use serde_json::{Map, Value};
use tokio::time::Instant;

/// Asks the ticketing system of an integration for what changed. A request takes no longer than the connector's
/// `action_timeout_seconds`.
pub struct GatewaySource {
    gateway: Arc<Gateway>,
    installed: Arc<Installed>,
    destination: Option<String>,
}

impl GatewaySource {
    /// The tickets of one destination, or of all that the integration's query gives without one.
    pub fn new(gateway: Arc<Gateway>, installed: Arc<Installed>, destination: Option<String>) -> Self {
        Self {
            gateway,
            installed,
            destination,
        }
    }

    fn time(&self) -> Duration {
        self.installed.installation.connector.action_timeout
    }
}

#[async_trait]
impl Source for GatewaySource {
    async fn page(&self, request: &PageRequest) -> Result<Page, SourceError> {
        let window = PollWindow {
            start: request.start,
            end: request.end,
            token: request.token.clone(),
        };
        let deadline = Instant::now() + self.time();
        let destination = self.destination.as_deref();
        let asked = self
            .gateway
            .poll_page(&self.installed, destination, &window, deadline);
        let polled = asked
            .await
            .map_err(|error| source_error(&error, window.token.is_some()))?;
        let mut page = Page {
            tickets: Vec::with_capacity(polled.tickets.len()),
            next: polled.next,
            date: polled.date,
            unusable: polled.unusable,
        };
        for fields in polled.tickets {
            match ticket(fields) {
                Ok(ticket) => page.tickets.push(ticket),
                Err(why) => page.unusable.push(why),
            }
        }
        Ok(page)
    }
}

/// A ticket without a time of its last change has no place in a window. The ticket schema of the gateway asks for it;
/// another one need not.
fn ticket(fields: Map<String, Value>) -> Result<Ticket, String> {
    let Some(id) = text(&fields, "id").map(str::to_owned) else {
        return Err("a ticket has no `id`".to_owned());
    };
    let Some(updated_at) = time(&fields, "updated_at") else {
        return Err(format!("ticket `{}` has no `updated_at`", id.escape_debug()));
    };
    Ok(Ticket {
        updated_at,
        created_at: time(&fields, "created_at"),
        id,
        fields,
    })
}

fn text<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn time(fields: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    text(fields, name)?.parse().ok()
}

/// The messages of the API's errors hold no secrets; details, such as an excerpt of an answer, are left out.
fn source_error(error: &ApiError, with_token: bool) -> SourceError {
    let message = error.message();
    match (error.code(), error.from_upstream()) {
        (ErrorCode::RateLimitExceeded, _) => SourceError::rate_limited(message, error.retry_after()),
        (ErrorCode::ExternalTimeout, _) | (_, Some(FromUpstream::Passing)) => SourceError::transient(message),
        (ErrorCode::InputValidationFailed, _) | (_, Some(FromUpstream::Refused)) if with_token => {
            SourceError::token_expired(message)
        }
        _ => SourceError::permanent(message),
    }
}
