//! Rules of the poller's state.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::event_log::event;
use crate::{Lease, Pending, PollState, SeenTicket, StreamKey, StreamRecord, Swap, TicketVersion};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(integration: &str, destination: Option<&str>) -> StreamKey {
    StreamKey {
        integration: integration.to_owned(),
        destination: destination.map(str::to_owned),
    }
}

fn stream(integration: &str, destination: Option<&str>) -> StreamRecord {
    let began = time("2026-01-05T10:30:45Z");
    StreamRecord::new(key(integration, destination), began, began)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("not an object")
    };
    object
}

fn seen(ticket: &str) -> SeenTicket {
    SeenTicket {
        ticket_id: ticket.to_owned(),
        revision: 0,
        version: TicketVersion {
            updated_at: time("2026-01-05T10:30:45.123456Z"),
            content: "0123456789abcdef".to_owned(),
            ordinal: 2,
        },
        ticket: object(json!({"id": ticket, "z": 1.5, "a": {"b": null}, "text": "déjà vu"})),
        pending: None,
        expires_at: Some(time("2126-01-05T10:30:45Z")),
    }
}

fn pending(ticket: &str) -> SeenTicket {
    let mut event = event("one", ticket, 1);
    let mut record = seen(ticket);
    event.ticket = record.ticket.clone();
    record.expires_at = None;
    record.pending = Some(Pending {
        event,
        stream: key("one", Some("it")),
        until: time("2026-01-05T10:31:45Z"),
    });
    record
}

async fn read(state: &impl PollState, ticket: &str) -> Option<SeenTicket> {
    let mut found = state.seen("one", &[ticket]).await.unwrap();
    assert!(found.len() < 2);
    found.pop()
}

/// Nothing of it is lost; its revision is the next one.
pub async fn a_stream_is_read_back_as_it_was_written(state: &impl PollState) {
    assert_eq!(state.stream(&key("one", None)).await.unwrap(), None);
    let mut record = StreamRecord {
        watermark: time("2026-01-05T10:31:00.000001Z"),
        paused: true,
        lease: Some(Lease {
            owner: "a".to_owned(),
            until: time("2026-01-05T10:32:00Z"),
        }),
        not_before: Some(time("2026-01-05T10:33:00Z")),
        failures: 3,
        throttled: 1,
        skew_milliseconds: -1500,
        saved: Some(json!({"token": "next", "pages": [1, 2]})),
        in_flight: (0..100).map(|number| format!("T-{number}")).collect(),
        caught_up_at: Some(time("2026-01-05T10:30:00Z")),
        last_error: Some("503 Service Unavailable".to_owned()),
        unusable: 2,
        unusable_reason: Some("row 3: `updated_at` is not a time".to_owned()),
        ..stream("one", None)
    };
    assert_eq!(state.store_stream(&record).await.unwrap(), Swap::Stored);
    record.revision = 1;
    assert_eq!(
        state.stream(&key("one", None)).await.unwrap(),
        Some(record.clone())
    );
    let mut empty = stream("one", None);
    empty.revision = 1;
    assert_eq!(state.store_stream(&empty).await.unwrap(), Swap::Stored);
    empty.revision = 2;
    assert_eq!(state.stream(&key("one", None)).await.unwrap(), Some(empty));
}

/// The whole of an integration and each of its destinations.
pub async fn streams_are_kept_apart_and_listed_by_key(state: &impl PollState) {
    assert!(state.streams().await.unwrap().is_empty());
    let keys = [
        key("one", None),
        key("one", Some("hr")),
        key("one", Some("it")),
        key("one-more", None),
        key("two", Some("hr")),
    ];
    for (index, key) in keys.iter().enumerate().rev() {
        let mut record = stream(&key.integration, key.destination.as_deref());
        record.failures = u32::try_from(index).unwrap();
        assert_eq!(state.store_stream(&record).await.unwrap(), Swap::Stored);
    }
    for (index, key) in keys.iter().enumerate() {
        let record = state.stream(key).await.unwrap().unwrap();
        assert_eq!(
            (&record.key, record.failures),
            (key, u32::try_from(index).unwrap())
        );
    }
    let listed = state.streams().await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|record| record.key).collect();
    assert_eq!(listed, keys);
}

/// And a swap that comes too late changes nothing.
pub async fn a_stream_is_stored_only_over_the_revision_it_was_read_at(state: &impl PollState) {
    let mut ahead = stream("one", None);
    ahead.revision = 1;
    assert_eq!(state.store_stream(&ahead).await.unwrap(), Swap::Conflict);
    assert_eq!(state.stream(&ahead.key).await.unwrap(), None);
    assert!(state.streams().await.unwrap().is_empty());

    let first = stream("one", None);
    assert_eq!(state.store_stream(&first).await.unwrap(), Swap::Stored);
    assert_eq!(state.store_stream(&first).await.unwrap(), Swap::Conflict);
    ahead.failures = 1;
    assert_eq!(state.store_stream(&ahead).await.unwrap(), Swap::Stored);
    ahead.failures = 2;
    assert_eq!(state.store_stream(&ahead).await.unwrap(), Swap::Conflict);
    let stored = state.stream(&ahead.key).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.failures), (2, 1));
}

/// Be it the first write or a later one.
pub async fn of_many_writers_of_a_stream_one_wins(state: &impl PollState) {
    for revision in 0..3 {
        let mut record = stream("one", None);
        record.revision = revision;
        let (a, b, c, d) = tokio::join!(
            state.store_stream(&record),
            state.store_stream(&record),
            state.store_stream(&record),
            state.store_stream(&record),
        );
        let swaps = [a, b, c, d].map(Result::unwrap);
        let stored = swaps.iter().filter(|swap| **swap == Swap::Stored).count();
        assert_eq!(stored, 1, "revision {revision}: {swaps:?}");
    }
}

/// Nothing of it is lost, the order of its fields included; with an event and without.
pub async fn a_ticket_is_read_back_as_it_was_written(state: &impl PollState) {
    assert_eq!(read(state, "T-1").await, None);
    let mut noted = pending("T-1");
    let swaps = state
        .store_seen("one", std::slice::from_ref(&noted))
        .await
        .unwrap();
    assert_eq!(swaps, [Swap::Stored]);
    noted.revision = 1;
    let stored = read(state, "T-1").await.unwrap();
    assert_eq!(stored, noted);
    assert_eq!(
        serde_json::to_string(&stored).unwrap(),
        serde_json::to_string(&noted).unwrap()
    );

    let mut done = seen("T-1");
    done.revision = 1;
    state
        .store_seen("one", std::slice::from_ref(&done))
        .await
        .unwrap();
    done.revision = 2;
    assert_eq!(read(state, "T-1").await, Some(done));

    // The event's ticket need not be the record's.
    let mut other = pending("T-1");
    other.revision = 2;
    other.ticket = object(json!({"id": "T-1", "state": "NEW"}));
    state
        .store_seen("one", std::slice::from_ref(&other))
        .await
        .unwrap();
    other.revision = 3;
    assert_eq!(read(state, "T-1").await, Some(other));
}

/// And a swap that comes too late changes nothing.
pub async fn a_ticket_is_stored_only_over_the_revision_it_was_read_at(state: &impl PollState) {
    let first = seen("T-1");
    let mut ahead = pending("T-1");
    ahead.revision = 1;
    let swap = async |record: &SeenTicket| {
        let swaps = state.store_seen("one", std::slice::from_ref(record)).await;
        swaps.unwrap()[0]
    };
    assert_eq!(swap(&ahead).await, Swap::Conflict);
    assert_eq!(read(state, "T-1").await, None);
    assert_eq!(swap(&first).await, Swap::Stored);
    assert_eq!(swap(&first).await, Swap::Conflict);
    assert_eq!(swap(&ahead).await, Swap::Stored);
    assert_eq!(swap(&ahead).await, Swap::Conflict);
    ahead.revision = 2;
    assert_eq!(read(state, "T-1").await, Some(ahead));
}

/// The answers are in the order of the records.
pub async fn each_ticket_of_a_batch_is_stored_for_itself(state: &impl PollState) {
    state
        .store_seen("one", &[seen("T-2"), seen("T-4")])
        .await
        .unwrap();
    let batch = ["T-1", "T-2", "T-3", "T-4", "T-5"].map(pending);
    let swaps = state.store_seen("one", &batch).await.unwrap();
    let (stored, conflict) = (Swap::Stored, Swap::Conflict);
    assert_eq!(swaps, [stored, conflict, stored, conflict, stored]);
    assert!(read(state, "T-2").await.unwrap().pending.is_none());
    assert!(read(state, "T-3").await.unwrap().pending.is_some());
}

/// The most that a page's group has; those without a record are left out.
pub async fn a_hundred_tickets_are_stored_and_read_at_once(state: &impl PollState) {
    assert!(state.seen("one", &[]).await.unwrap().is_empty());
    assert!(state.store_seen("one", &[]).await.unwrap().is_empty());
    let ids: Vec<String> = (0..100).map(|number| format!("T-{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let records: Vec<SeenTicket> = ids.iter().take(99).map(|id| pending(id)).collect();
    let swaps = state.store_seen("one", &records).await.unwrap();
    assert_eq!(swaps, vec![Swap::Stored; 99]);
    let mut found = state.seen("one", &ids).await.unwrap();
    found.sort_by_key(|record| record.ticket_id.clone());
    let mut expected = records;
    expected.sort_by_key(|record| record.ticket_id.clone());
    for record in &mut expected {
        record.revision = 1;
    }
    assert_eq!(found, expected);
}

/// Two systems give the same id to different tickets.
pub async fn tickets_of_integrations_are_kept_apart(state: &impl PollState) {
    state.store_seen("one", &[seen("T-1")]).await.unwrap();
    assert!(state.seen("two", &["T-1"]).await.unwrap().is_empty());
    let swaps = state.store_seen("two", &[pending("T-1")]).await.unwrap();
    assert_eq!(swaps, [Swap::Stored]);
    assert!(read(state, "T-1").await.unwrap().pending.is_none());
}

/// Whatever a ticketing system calls a ticket.
pub async fn odd_ticket_ids_are_ids(state: &impl PollState) {
    let long = "x".repeat(5000);
    let ids = ["", " ", "#", "T#1", "T/1", "ü", "'\"\\", long.as_str()];
    let records = ids.map(seen);
    let swaps = state.store_seen("one", &records).await.unwrap();
    assert_eq!(swaps, [Swap::Stored; 8]);
    let found = state.seen("one", &ids).await.unwrap();
    assert_eq!(found.len(), ids.len());
    for id in ids {
        assert!(found.iter().any(|record| record.ticket_id == id), "{id}");
    }
}

/// A time in the past deletes nothing that was not published.
pub async fn a_pending_event_outlives_its_record(state: &impl PollState) {
    let past = Some(time("2020-01-01T00:00:00Z"));
    let mut record = pending("T-1");
    record.expires_at = past;
    let mut published = seen("T-2");
    published.expires_at = past;
    state.store_seen("one", &[record, published]).await.unwrap();
    for round in 0..20 {
        let others: Vec<SeenTicket> = (0..5)
            .map(|number| seen(&format!("O-{round}-{number}")))
            .collect();
        state.store_seen("one", &others).await.unwrap();
    }
    assert!(read(state, "T-1").await.unwrap().pending.is_some());
}
