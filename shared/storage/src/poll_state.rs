//! What the poller remembers: one record per stream, one per ticket.
//!
//! Every write is a compare-and-swap on a `revision`, so that of two workers that hold the same stream, be it
//! because a lease ran out, one loses. The protocol over this port is that of the `polling` crate.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::StorageError;
use crate::event_sink::Event;

/// What is polled as one: an integration, or one destination of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamKey {
    /// Name of the integration.
    pub integration: String,
    /// Name of the destination; none where the integration has no destinations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}

/// The state of a stream: watermark, lease and saved place in one record, so that one conditional write commits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// Which stream.
    #[serde(flatten)]
    pub key: StreamKey,
    /// Counts the writes of this record; 0 if it was never stored.
    pub revision: u64,
    /// Start of the first window that was ever read. A ticket made before it is not new to the world.
    pub began: Timestamp,
    /// Everything that changed up to here was published, apart from what the look-back is for.
    pub watermark: Timestamp,
    /// Set by an operator: no run starts.
    #[serde(default)]
    pub paused: bool,
    /// Who works on the stream now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// No run starts before this time: the ticketing system asked for it, or the stream keeps failing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Runs that failed since the last one that did not.
    #[serde(default)]
    pub failures: u32,
    /// Runs since the last good one that the ticketing system turned away for the number of calls.
    #[serde(default)]
    pub throttled: u32,
    /// Clock of the ticketing system minus ours, in milliseconds, as its last `Date` had it.
    #[serde(default)]
    pub skew_milliseconds: i64,
    /// Where a window that is not finished goes on: the poller's own form, opaque here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Value>,
    /// Tickets that may have an event pending: see [`SeenTicket::pending`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_flight: Vec<String>,
    /// When a run last had everything up to then published; none while the stream is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caught_up_at: Option<Timestamp>,
    /// Why the last run failed, for the operator; none if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Rows that the last run that read anything could not make tickets of: nothing is published of them.
    #[serde(default)]
    pub unusable: u64,
    /// Why, of the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable_reason: Option<String>,
}

impl StreamRecord {
    /// The record of a stream that was never stored.
    pub fn new(key: StreamKey, began: Timestamp, watermark: Timestamp) -> Self {
        Self {
            key,
            revision: 0,
            began,
            watermark,
            paused: false,
            lease: None,
            not_before: None,
            failures: 0,
            throttled: 0,
            skew_milliseconds: 0,
            saved: None,
            in_flight: Vec::new(),
            caught_up_at: None,
            last_error: None,
            unusable: 0,
            unusable_reason: None,
        }
    }
}

/// A claim on a stream. Others stay away until it ends; the compare-and-swap stops those who do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run that holds it.
    pub owner: String,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// What makes two states of a ticket different.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TicketVersion {
    /// When the ticket last changed, by the ticketing system's clock.
    pub updated_at: Timestamp,
    /// Hash of the normalised ticket, hexadecimal: two changes can have the same time.
    pub content: String,
    /// How many other contents were seen before this one at the same `updated_at`: a ticket can return to
    /// what it was within one tick of a coarse clock.
    #[serde(default)]
    pub ordinal: u32,
}

/// The last version of a ticket that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenTicket {
    /// Id of the ticket in its integration.
    pub ticket_id: String,
    /// Counts the writes of this record; 0 if it was never stored.
    pub revision: u64,
    /// The version.
    pub version: TicketVersion,
    /// The normalised ticket of that version, to compare the next one with. Empty if it was too large to be kept.
    pub ticket: Map<String, Value>,
    /// The event of that version, as long as it may not have been accepted by the sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// After this time the record may be deleted. None while an event is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An event that is on its way to the sink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The event, complete: whoever publishes it again publishes the same.
    pub event: Event,
    /// The stream whose run is publishing it.
    pub stream: StreamKey,
    /// Until then only that stream publishes it.
    pub until: Timestamp,
}

/// What a compare-and-swap came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// Stored; the stored revision is one more than the given one.
    Stored,
    /// Another revision is stored, or none where one was expected; nothing was changed.
    Conflict,
}

/// Keeps the records of streams and tickets.
///
/// An error of a writing method leaves open whether it wrote. Reads are consistent: they show every write that
/// was answered.
#[async_trait]
pub trait PollState: Send + Sync {
    /// The record of a stream. One read.
    ///
    /// # Errors
    /// When the store fails.
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError>;

    /// The records of all streams, by key: for the operator and for tidying, not for polling.
    ///
    /// # Errors
    /// When the store fails.
    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError>;

    /// Stores `record` with the next revision if its `revision` is the stored one, or is 0 and nothing is
    /// stored. One write.
    ///
    /// # Errors
    /// When the store fails; the record may have been written.
    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError>;

    /// The records of at most 100 tickets, in any order; those without a record are left out. One batch read.
    /// An expired record may be among them.
    ///
    /// # Errors
    /// When the store fails.
    async fn seen(&self, integration: &str, ticket_ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError>;

    /// Stores each of at most 100 records as [`PollState::store_stream`] does, each for itself, and answers for
    /// each, in order. A record with something pending must not be deleted.
    ///
    /// # Errors
    /// When the store fails; any of the records may have been written.
    async fn store_seen(&self, integration: &str, records: &[SeenTicket]) -> Result<Vec<Swap>, StorageError>;
}
