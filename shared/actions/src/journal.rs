//! Notes the gateway's own writes, so that the poller can say which changes they made.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use storage::{JournalledWrite, StorageError, WriteJournal};
use tokio::time::{Instant, timeout_at};

use crate::error::outcome::{Failure, Outcome};

/// How long the answer may have to wait for the note.
const TIME: Duration = Duration::from_secs(1);

/// How long, where the time of the call is over.
const TIME_BEYOND: Duration = Duration::from_millis(200);

/// A note of a write that is being carried out.
pub(crate) struct Note<'n> {
    journal: &'n dyn WriteJournal,
    integration: &'n str,
    request_id: &'n str,
    /// When the write began.
    from: Timestamp,
    /// The ticket's ids: the caller's, and those that the ticketing system gave, which the poller sees.
    tickets: Vec<String>,
}

impl<'n> Note<'n> {
    /// A note of a write that begins now, of no ticket yet.
    pub(crate) fn new(
        journal: &'n dyn WriteJournal,
        integration: &'n str,
        request_id: &'n str,
        now: Timestamp,
    ) -> Self {
        Note {
            journal,
            integration,
            request_id,
            from: now,
            tickets: Vec::new(),
        }
    }

    /// Adds the ticket that the context is about; a creation has none yet.
    pub(crate) fn of_context(mut self, context: &Map<String, Value>) -> Self {
        self.add_ticket(context.get("ticket").and_then(|ticket| ticket.get("id")));
        self
    }

    /// Adds the ticket of an answer that has one.
    pub(crate) fn add_answer(&mut self, ran: &Result<Value, Failure>) {
        let answer = ran.as_ref().ok().and_then(|answer| answer.get("raw_ticket"));
        self.add_ticket(answer.and_then(|ticket| ticket.get("id")));
    }

    /// Adds a ticket by its id.
    pub(crate) fn add_ticket(&mut self, id: Option<&Value>) {
        if let Some(Value::String(id)) = id
            && !id.is_empty()
            && !self.tickets.contains(id)
        {
            self.tickets.push(id.clone());
        }
    }

    /// Stores the note, unless nothing was changed. One that fails is a warning: it is not worth the action.
    pub(crate) async fn write(self, outcome: Outcome, ended: Timestamp, until: Option<Instant>) {
        if outcome.is_harmless() {
            return;
        }
        let now = Instant::now();
        let patience = now + TIME;
        let until = until.map_or(patience, |until| until.max(now + TIME_BEYOND).min(patience));
        let (integration, request_id) = (self.integration, self.request_id);
        let noting = async {
            for ticket_id in self.tickets {
                let write = JournalledWrite {
                    ticket_id,
                    request_id: request_id.to_owned(),
                    from: self.from,
                    until: ended,
                };
                self.journal.note(integration, &write).await?;
            }
            Ok::<_, StorageError>(())
        };
        let why = match timeout_at(until, noting).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(
            request_id,
            integration,
            error = why,
            "a write could not be noted; the event of its change may lack `caused_by`"
        );
    }
}
