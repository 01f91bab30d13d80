//! How an event lies in the table.

use crate::aws::chunks;
use crate::error::StorageError;
use crate::event_sink::Event;
use crate::hash::sha256;

/// The sort key of the item with the number of the newest event.
pub(super) const END: &str = "END";
pub(super) const NEWEST: &str = "newest";
pub(super) const NEWEST_AT: &str = "newest_at";
pub(super) const EVENT_ID: &str = "event_id";
pub(super) const NUMBER: &str = "number";
pub(super) const DATA: &str = "data";
pub(super) const CHUNKS: &str = "chunks";

/// Numbers in a partition.
const BLOCK: u64 = 1000;

/// An event that is to be added.
pub(super) struct Packed {
    pub(super) id: String,
    /// Compressed JSON.
    pub(super) data: Vec<u8>,
}

impl Packed {
    /// Packs an event; without its comments where no transaction would take it, and without its ticket where none
    /// would take that.
    pub(super) fn new(event: &Event) -> Result<Self, StorageError> {
        let what = format!("the event {}", event.event_id);
        let data = match chunks::pack_quickly(&what, event) {
            Err(error) if error.is_too_large() => {
                tracing::warn!(
                    integration = event.integration,
                    event_id = event.event_id,
                    "an event is too large for the log; it is kept without comments, or without the ticket"
                );
                let smaller = event.clone().without_comments();
                match chunks::pack_quickly(&what, &smaller) {
                    Err(error) if error.is_too_large() => {
                        chunks::pack_quickly(&what, &smaller.without_ticket())?
                    }
                    packed => packed?,
                }
            }
            packed => packed?,
        };
        Ok(Self {
            id: event.event_id.clone(),
            data,
        })
    }
}

/// The partition of an integration's end, and what those of its events begin with.
pub(super) fn events_of(integration: &str) -> String {
    format!("EVENT#{integration}")
}

/// The key of an event.
pub(super) fn place(integration: &str, number: u64) -> (String, String) {
    let block = number / BLOCK;
    (
        format!("{}#{block:012}", events_of(integration)),
        sort_key(number),
    )
}

/// The last number in the partition of this one.
pub(super) fn last_beside(number: u64) -> u64 {
    (number / BLOCK) * BLOCK + (BLOCK - 1)
}

/// What the sort keys of an event and its parts begin with.
pub(super) fn sort_key(number: u64) -> String {
    format!("{number:016}")
}

/// The key of the mark that an event is in the log.
pub(super) fn place_of_id(integration: &str, event_id: &str) -> (String, String) {
    let hash = sha256(event_id);
    let shard = hash.get(..2).unwrap_or_default();
    (format!("EVENTID#{integration}#{shard}"), event_id.to_owned())
}
