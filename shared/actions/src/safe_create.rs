//! Creating a ticket once, although the answer to the first attempt was lost.
//!
//! Few ticketing systems know an idempotency key. An integration with a `safe_create` writes a marker into every
//! ticket it makes and says how to search for it; then a creation that ended in doubt (a timeout, a dropped
//! connection, a 5xx, a process that was killed) is first looked for, and done again only where it is not there.

use std::time::Duration;

use integration::CompoundAction;
use integration::contract::TasAction;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use storage::hexadecimal;

use crate::engine::Engine;
use crate::error::ApiError;
use crate::error::outcome::{Failure, Outcome};
use crate::output::Output;

/// What came of looking for a ticket that may have been created already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeCreate {
    /// It was there, and is the answer.
    Found,
    /// It was not there.
    NotFound,
    /// It could not be looked for.
    SearchFailed,
}

impl SafeCreate {
    /// The word in the log and in `error.details.safe_create`.
    pub fn as_str(self) -> &'static str {
        match self {
            SafeCreate::Found => "found",
            SafeCreate::NotFound => "not_found",
            SafeCreate::SearchFailed => "search_failed",
        }
    }
}

/// `meta_info.marker`: the same for the same request, whichever process carries it out. `fingerprint` tells apart two
/// requests that were sent with one key on different days.
pub(crate) fn marker(integration: &str, instance: &str, fingerprint: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [integration, instance, fingerprint.unwrap_or_default()] {
        hash.update(part);
        hash.update([0]);
    }
    let mut digits = hexadecimal(&hash.finalize());
    digits.truncate(20);
    format!("tg-{digits}")
}

/// One creation.
pub(crate) struct Creation<'c> {
    pub(crate) compound: &'c CompoundAction,
    pub(crate) plan: &'c integration::SafeCreate,
    pub(crate) context: Value,
    pub(crate) output: Output<'c>,
    /// Whether an earlier request with the same key ended without a result.
    pub(crate) resumed: bool,
}

/// What a look gave.
enum Look {
    Found(Value),
    NotFound,
    Failed(ApiError),
}

impl Creation<'_> {
    /// Creates the ticket, or finds the one that was created in doubt. `seen` becomes what the looking gave.
    pub(crate) async fn run(
        self,
        engine: &mut Engine<'_>,
        seen: &mut Option<SafeCreate>,
    ) -> Result<Value, Failure> {
        if self.resumed {
            let look = self.look(engine, [Duration::ZERO, self.plan.settle], seen).await;
            match look {
                Look::Found(answer) => return Ok(answer),
                Look::NotFound => {}
                Look::Failed(error) => {
                    let error = error
                        .and_say("An earlier request with this key may have created the ticket, and it could not be looked for")
                        .detail("safe_create", SafeCreate::SearchFailed.as_str());
                    let outcome = Outcome::Unknown;
                    return Err(Failure { error, outcome });
                }
            }
        }
        let mut attempt = 1;
        let mut doubt: Option<ApiError> = None;
        loop {
            let failure = match engine.run(self.compound, self.context.clone()).await {
                Ok(mapped) => return self.answer(mapped, engine),
                Err(failure) => failure,
            };
            let refused = failure.outcome.is_harmless();
            // A refusal says nothing of an earlier attempt, of this call or of a process that died. And it is not
            // what to tell of one in this call: a 429 is sent again by many clients, without looking.
            let failure = match &doubt {
                Some(error) if refused => Failure {
                    error: error.clone(),
                    outcome: Outcome::Unknown,
                },
                None if refused && self.resumed => Failure {
                    outcome: Outcome::Unknown,
                    ..failure
                },
                _ => failure,
            };
            if failure.outcome != Outcome::Unknown {
                return Err(failure);
            }
            if !engine.is_first_change_in_doubt() {
                // The ticket is there: what is in doubt is a change that came after it.
                let outcome = Outcome::PartlyDone;
                return Err(Failure { outcome, ..failure });
            }
            let settle = self.plan.settle;
            match self.look(engine, [settle, settle.saturating_mul(2)], seen).await {
                Look::Found(answer) => return Ok(answer),
                // Only where no change was confirmed: one that was is not made a second time. Nor what was refused,
                // which would be refused again.
                Look::NotFound
                    if !refused && attempt < self.plan.attempts && engine.has_changed_nothing_for_sure() =>
                {
                    attempt += 1;
                    doubt.get_or_insert(failure.error);
                }
                Look::NotFound => {
                    return Err(told(
                        failure,
                        SafeCreate::NotFound,
                        "The ticket was looked for and not found",
                    ));
                }
                Look::Failed(error) => {
                    tracing::warn!(%error, "a ticket that may have been created could not be looked for");
                    return Err(told(
                        failure,
                        SafeCreate::SearchFailed,
                        "The ticket could not be looked for",
                    ));
                }
            }
        }
    }

    fn answer(&self, mapped: Value, engine: &Engine<'_>) -> Result<Value, Failure> {
        self.output.answer(mapped).map_err(|error| Failure {
            error,
            outcome: engine.outcome(),
        })
    }

    /// Looks once after each wait, until the ticket is seen. The last look decides.
    async fn look(
        &self,
        engine: &mut Engine<'_>,
        waits: [Duration; 2],
        seen: &mut Option<SafeCreate>,
    ) -> Look {
        tracing::warn!("a ticket may have been created without an answer; looking for it");
        let mut last = Look::NotFound;
        for wait in waits {
            last = self.look_once(engine, wait).await;
            if matches!(last, Look::Found(_)) {
                break;
            }
        }
        *seen = Some(match &last {
            Look::Found(_) => SafeCreate::Found,
            Look::NotFound => SafeCreate::NotFound,
            Look::Failed(_) => SafeCreate::SearchFailed,
        });
        last
    }

    async fn look_once(&self, engine: &mut Engine<'_>, wait: Duration) -> Look {
        if let Err(error) = engine.pause(wait).await {
            return Look::Failed(error);
        }
        let found = match engine.look(&self.plan.search, self.context.clone()).await {
            Ok(mapped) => self.pick(mapped),
            Err(failure) => Err(failure.error),
        };
        match found {
            Ok(Some(answer)) => Look::Found(answer),
            Ok(None) => Look::NotFound,
            Err(error) => Look::Failed(error),
        }
    }

    /// The answer with the ticket that a search gave; the oldest, where it gave several.
    fn pick(&self, mapped: Value) -> Result<Option<Value>, ApiError> {
        let tickets = candidates(mapped);
        if tickets.is_empty() {
            return Ok(None);
        }
        if tickets.len() > 1 {
            tracing::warn!(
                tickets = tickets.len(),
                "several tickets have the marker of one request; the oldest is the answer"
            );
        }
        let as_list = Output {
            action: TasAction::QueryTicketsByTimeRange,
            query: None,
            ..self.output
        };
        let mut answer = as_list.answer(Value::Array(tickets))?;
        let tickets = answer.get_mut("raw_tickets").map(Value::take).unwrap_or_default();
        let Value::Array(tickets) = tickets else {
            return Ok(None);
        };
        // The times are in one form by now, so their order as texts is theirs as times.
        let oldest = tickets.into_iter().min_by_key(|ticket| {
            let created = ticket.get("created_at").and_then(Value::as_str);
            (created.is_none(), created.map(str::to_owned))
        });
        let Some(ticket) = oldest else { return Ok(None) };
        Ok(Some(Value::Object(Map::from_iter([(
            "raw_ticket".to_owned(),
            ticket,
        )]))))
    }
}

/// The tickets in what a search gave: a list, one, either below its key, or nothing. One whose id is null was mapped
/// from an item that is not there.
fn candidates(mapped: Value) -> Vec<Value> {
    let inner = match mapped {
        Value::Object(mut fields) => ["raw_tickets", "raw_ticket"]
            .iter()
            .find_map(|key| fields.remove(*key))
            .unwrap_or(Value::Object(fields)),
        bare => bare,
    };
    let tickets = match inner {
        Value::Array(tickets) => tickets,
        one => vec![one],
    };
    let is_there = |ticket: &Value| match ticket {
        Value::Null => false,
        Value::Object(fields) => fields.get("id").is_some_and(|id| !id.is_null()),
        // Told as an unusable answer, rather than taken for no ticket at all.
        _ => true,
    };
    tickets.into_iter().filter(is_there).collect()
}

fn told(failure: Failure, seen: SafeCreate, sentence: &str) -> Failure {
    let error = failure
        .error
        .and_say(sentence)
        .detail("safe_create", seen.as_str());
    Failure { error, ..failure }
}
