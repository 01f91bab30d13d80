//! Good answers that are kept in the process, of HTTP actions that say for how long: look-ups.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::client::Answer;
use crate::error::UpstreamError;
use crate::request::{Form, prepare};
use crate::send::Session;

const MOST_ENTRIES: usize = 1000;
/// A longer answer is not kept.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// Of all answers together: a function has 128 MB or little more.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What tells one look-up from another: the connector's set-up, the HTTP action, its arguments, the request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    connector: u64,
    action: String,
    arguments: String,
    url: String,
}

/// The kept answers of a process.
#[derive(Default)]
pub(crate) struct AnswerCache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    /// The keys in the order in which they were put in.
    order: BTreeMap<u64, Key>,
    next: u64,
    bytes: usize,
}

struct Entry {
    answer: Answer,
    until: Instant,
    number: u64,
    bytes: usize,
}

impl AnswerCache {
    pub(crate) fn get(&self, key: &Key) -> Option<Answer> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.entries.get(key)?;
        if entry.until > Instant::now() {
            return Some(entry.answer.clone());
        }
        kept.remove(key);
        None
    }

    pub(crate) fn put(&self, key: Key, answer: &Answer, time: Duration) {
        let bytes = answer.result.to_string().len()
            + answer.headers.to_string().len()
            + key.arguments.len()
            + key.url.len();
        if bytes > LONGEST_ANSWER {
            tracing::warn!(
                http_action = key.action,
                bytes,
                "the answer is too long to be kept"
            );
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&key);
        while kept.entries.len() >= MOST_ENTRIES || kept.bytes + bytes > MOST_BYTES {
            let Some((_, oldest)) = kept.order.pop_first() else {
                break;
            };
            kept.remove(&oldest);
        }
        let number = kept.next;
        kept.next += 1;
        kept.bytes += bytes;
        kept.order.insert(number, key.clone());
        let entry = Entry {
            answer: answer.clone(),
            until: Instant::now() + time,
            number,
            bytes,
        };
        kept.entries.insert(key, entry);
    }
}

impl Kept {
    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.number);
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }
}

impl Session<'_> {
    /// The key of the action's answer, where it is one that is kept.
    pub(crate) fn cache_key(&self) -> Result<Option<Key>, UpstreamError> {
        let goes_on = self
            .action
            .paginate
            .iter()
            .any(|paginate| paginate.start_from.is_some());
        if self.action.cache.is_none() || goes_on {
            return Ok(None);
        }
        let mut arguments = self.scope.clone();
        if let Some(fields) = arguments.as_object_mut() {
            // They belong to the connector's set-up, and to the one request.
            fields.retain(|name, _| name != "settings" && name != "meta_info");
        }
        let prepared = prepare(self.connector, &Form::of(self.action), &self.root(), None)?;
        Ok(Some(Key {
            connector: self.connector.instance,
            action: self.action.name.clone(),
            arguments: arguments.to_string(),
            url: prepared.url.into(),
        }))
    }
}

/// Whether a list ended before the system's did.
pub(crate) fn is_unfinished(result: &Value) -> bool {
    result
        .get("next_page_token")
        .is_some_and(|token| !token.is_null())
}
