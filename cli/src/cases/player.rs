//! Answers requests from a case, and nothing that the case does not expect.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value};
use upstream::{ErrorKind, Lost, Prepared, Progress, Transport, WholeAnswer};
use url::Url;

use super::case::{Exchange, Loss, Reply};
use super::shown;

/// The way out of the client while a case is played.
pub(crate) struct Player {
    exchanges: Vec<Exchange>,
    in_any_order: bool,
    base: Url,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often each exchange was played.
    played: Vec<u32>,
    surprise: Option<Surprise>,
}

/// The first request that was not expected. Everything after it is a consequence, so nothing more is answered.
pub(crate) enum Surprise {
    /// Another one than that of this exchange.
    Different {
        /// The number of the exchange, from 0.
        index: usize,
        /// What was sent, with the headers that the case names.
        sent: Value,
    },
    /// One after the last.
    Unexpected {
        /// What was sent.
        sent: Value,
    },
}

impl Player {
    /// A player from the first exchange. `base` is the connector's base URL.
    pub(crate) fn new(exchanges: Vec<Exchange>, in_any_order: bool, base: Url) -> Self {
        let played = vec![0; exchanges.len()];
        Self {
            exchanges,
            in_any_order,
            base,
            state: Mutex::new(State {
                played,
                surprise: None,
            }),
        }
    }

    /// What went otherwise than expected: the first surprise, and the numbers of the exchanges that were not played as
    /// often as they should.
    pub(crate) fn finish(&self) -> (Option<Surprise>, Vec<usize>) {
        let mut state = self.state();
        let counts = self.exchanges.iter().zip(&state.played).enumerate();
        let unplayed = counts.filter(|(_, (exchange, played))| exchange.times > **played);
        let unplayed = unplayed.map(|(index, _)| index).collect();
        (state.surprise.take(), unplayed)
    }

    /// The reply to a request, or none where it was not expected.
    fn reply(&self, request: &Prepared) -> Option<Reply> {
        let sent = shown::request(request, &self.base);
        let mut state = self.state();
        if state.surprise.is_some() {
            return None;
        }
        let mut open = (0..self.exchanges.len()).filter(|index| {
            let times = self.exchanges.get(*index).map(|exchange| exchange.times);
            times > state.played.get(*index).copied()
        });
        let fits = |index: &usize| {
            self.exchanges
                .get(*index)
                .is_some_and(|exchange| matches(exchange, &sent))
        };
        let first = open.next();
        let chosen = match first {
            Some(first) if fits(&first) => Some(first),
            Some(_) if self.in_any_order => open.find(fits),
            _ => None,
        };
        let Some(index) = chosen else {
            state.surprise = Some(match first {
                Some(index) => Surprise::Different {
                    index,
                    sent: match self.exchanges.get(index) {
                        Some(exchange) => as_far_as_named(&sent, &exchange.request),
                        None => sent,
                    },
                },
                None => Surprise::Unexpected {
                    sent: as_far_as_named(&sent, &Value::Null),
                },
            });
            return None;
        };
        if let Some(played) = state.played.get_mut(index) {
            *played += 1;
        }
        self.exchanges.get(index).map(|exchange| exchange.reply.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn matches(exchange: &Exchange, sent: &Value) -> bool {
    as_far_as_named(sent, &exchange.request) == exchange.request
}

/// What was sent, with those headers alone that the expected request names. A header named with null is not to be there.
fn as_far_as_named(sent: &Value, expected: &Value) -> Value {
    let mut sent = sent.clone();
    let Value::Object(fields) = &mut sent else {
        return sent;
    };
    let all = fields.remove("headers").unwrap_or_default();
    if let Some(Value::Object(named)) = expected.get("headers") {
        let named: Map<String, Value> = named
            .keys()
            .map(|name| (name.clone(), all.get(name).cloned().unwrap_or_default()))
            .collect();
        fields.insert("headers".to_owned(), named.into());
    }
    sent
}

#[async_trait]
impl Transport for Player {
    async fn send(&self, request: Prepared, limit: usize) -> Result<WholeAnswer, Lost> {
        let lost = |kind, message: &str, progress| {
            Err(Lost {
                kind,
                message: message.to_owned(),
                status: None,
                progress,
            })
        };
        match self.reply(&request) {
            None => lost(
                ErrorKind::Input,
                "the case does not expect this request",
                Progress::Refused,
            ),
            Some(Reply::Answer(answer)) if answer.body.len() > limit => lost(
                ErrorKind::BadAnswer,
                &format!("the answer is longer than {limit} bytes"),
                Progress::Answered,
            ),
            Some(Reply::Answer(answer)) => Ok(answer),
            Some(Reply::Lost(Loss::NoConnection)) => lost(
                ErrorKind::Connect,
                "no connection in time",
                Progress::NotConnected,
            ),
            Some(Reply::Lost(Loss::Timeout)) => lost(ErrorKind::Timeout, "no answer in time", Progress::Sent),
            Some(Reply::Lost(Loss::Lost)) => lost(
                ErrorKind::Connect,
                "the connection was lost before an answer came",
                Progress::Sent,
            ),
        }
    }
}
