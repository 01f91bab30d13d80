//! The event log in the embedded database.
//!
//! Events are numbered from 1 in their integration, in the order of the transactions that add them; those run one
//! after the other, so a reader never finds a lower number later.

use async_trait::async_trait;
use jiff::Timestamp;
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::database::{EmbeddedStore, Failure};
use crate::error::StorageError;
use crate::event_log::{EVENTS_KEPT, EventCursor, EventLog, LoggedEvent, cursor, no_longer_kept, number};
use crate::event_sink::{Acceptance, Event, EventSink};

/// (integration, number) to the time of acceptance, in milliseconds since 1970, and the event as JSON.
const EVENTS: TableDefinition<'_, (&str, u64), (i64, &[u8])> = TableDefinition::new("event");
/// (integration, event id) to the event's number.
const IDS: TableDefinition<'_, (&str, &str), u64> = TableDefinition::new("event_id");
/// Integration to the number of its newest event and the time of its acceptance.
const ENDS: TableDefinition<'_, &str, (u64, i64)> = TableDefinition::new("event_end");

const BATCH: usize = 100;
/// Events that are deleted with a write, beyond twice those that it adds.
const TIDIED_BESIDE: usize = 16;
/// Bytes of JSON that one read gives, apart from its last event.
const MOST_AT_ONCE: usize = 4_000_000;

/// Makes the tables.
pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), Failure> {
    transaction.open_table(EVENTS)?;
    transaction.open_table(IDS)?;
    transaction.open_table(ENDS)?;
    Ok(())
}

#[async_trait]
impl EventSink for EmbeddedStore {
    fn batch_size(&self) -> usize {
        BATCH
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        self.append(events, Timestamp::now()).await
    }
}

#[async_trait]
impl EventLog for EmbeddedStore {
    async fn read(
        &self,
        integration: &str,
        after: Option<&EventCursor>,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        self.read_at(integration, after, limit, Timestamp::now()).await
    }

    async fn end(&self, integration: &str) -> Result<Option<EventCursor>, StorageError> {
        let integration = integration.to_owned();
        self.read("cannot read the end of the event log", move |transaction| {
            let end = transaction.open_table(ENDS)?.get(integration.as_str())?;
            Ok(end.map(|end| cursor(end.value().0)))
        })
        .await
    }
}

impl EmbeddedStore {
    async fn append(&self, events: &[Event], now: Timestamp) -> Result<Vec<Acceptance>, StorageError> {
        let events = events.to_vec();
        self.write("cannot add to the event log", move |transaction| {
            let mut log = Log {
                events: transaction.open_table(EVENTS)?,
                ids: transaction.open_table(IDS)?,
                ends: transaction.open_table(ENDS)?,
                now: now.as_millisecond(),
            };
            for event in &events {
                log.tidy(&event.integration, 2 + TIDIED_BESIDE / events.len().max(1))?;
                log.add(event)?;
            }
            Ok(vec![Acceptance::Accepted; events.len()])
        })
        .await
    }

    async fn read_at(
        &self,
        integration: &str,
        after: Option<&EventCursor>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<LoggedEvent>, StorageError> {
        let (integration, after) = (integration.to_owned(), after.cloned());
        self.read("cannot read the event log", move |transaction| {
            let end = transaction.open_table(ENDS)?.get(integration.as_str())?;
            let last = end.map_or(0, |end| end.value().0);
            let before = after
                .as_ref()
                .map(|cursor| number(&integration, cursor, last))
                .transpose()?;
            let events = transaction.open_table(EVENTS)?;
            let from = (integration.as_str(), before.unwrap_or(0) + 1);
            let (mut found, mut bytes) = (Vec::new(), 0);
            for entry in events.range(from..=(integration.as_str(), u64::MAX))? {
                if found.len() >= limit || bytes >= MOST_AT_ONCE {
                    break;
                }
                let (place, record) = entry?;
                let ((_, number), (accepted, json)) = (place.value(), record.value());
                if !is_kept(accepted, now.as_millisecond()) {
                    continue;
                }
                bytes += json.len();
                found.push((number, serde_json::from_slice(json)?));
            }
            // Behind the cursor, nothing may be missing.
            let first = found.first().map(|(number, _)| *number);
            if let (Some(after), Some(before)) = (&after, before) {
                let is_missing = match first {
                    Some(first) => first != before + 1,
                    None => limit > 0 && before < last,
                };
                if is_missing {
                    return Err(no_longer_kept(&integration, after).into());
                }
            }
            let logged = found.into_iter().map(|(number, event)| LoggedEvent {
                cursor: cursor(number),
                event,
            });
            Ok(logged.collect())
        })
        .await
    }
}

struct Log<'t> {
    events: Table<'t, (&'static str, u64), (i64, &'static [u8])>,
    ids: Table<'t, (&'static str, &'static str), u64>,
    ends: Table<'t, &'static str, (u64, i64)>,
    now: i64,
}

impl Log<'_> {
    /// Adds an event that is not there.
    fn add(&mut self, event: &Event) -> Result<(), Failure> {
        let integration = event.integration.as_str();
        let id = (integration, event.event_id.as_str());
        let known = self.ids.get(id)?.map(|number| number.value());
        if let Some(number) = known {
            let accepted = self.events.get((integration, number))?;
            if accepted.is_some_and(|record| is_kept(record.value().0, self.now)) {
                return Ok(());
            }
        }
        let end = self.ends.get(integration)?.map(|end| end.value());
        let (last, newest) = end.unwrap_or((0, i64::MIN));
        // A clock that was put back must not make a younger event end before an older one.
        let (number, accepted) = (last + 1, self.now.max(newest));
        let json = serde_json::to_vec(event)?;
        self.events
            .insert((integration, number), (accepted, json.as_slice()))?;
        self.ids.insert(id, number)?;
        self.ends.insert(integration, (number, accepted))?;
        Ok(())
    }

    /// Deletes some of the oldest events of an integration, if their time is over.
    fn tidy(&mut self, integration: &str, most: usize) -> Result<(), Failure> {
        let mut ended = Vec::new();
        let all = (integration, 0)..=(integration, u64::MAX);
        for entry in self.events.range(all)?.take(most) {
            let (place, record) = entry?;
            let (accepted, json) = record.value();
            if is_kept(accepted, self.now) {
                break;
            }
            let event: Event = serde_json::from_slice(json)?;
            ended.push((place.value().1, event.event_id));
        }
        for (number, id) in ended {
            self.events.remove((integration, number))?;
            let id = (integration, id.as_str());
            // The event may have been added again since.
            if self.ids.get(id)?.is_some_and(|known| known.value() == number) {
                self.ids.remove(id)?;
            }
        }
        Ok(())
    }
}

/// Whether an event that was accepted then can be read now; both in milliseconds since 1970.
fn is_kept(accepted: i64, now: i64) -> bool {
    let kept = i64::try_from(EVENTS_KEPT.as_millis()).unwrap_or(i64::MAX);
    now < accepted.saturating_add(kept)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{EVENTS_KEPT, EmbeddedStore};
    use crate::contract::event_log::event;
    use crate::{Acceptance, Event, EventCursor, EventLog, LoggedEvent};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_000_000 + seconds).unwrap()
    }

    async fn add(store: &EmbeddedStore, ticket: u32, now: Timestamp) {
        let events = [event("one", &format!("T-{ticket}"), 1)];
        let answers = store.append(&events, now).await.unwrap();
        assert_eq!(answers, [Acceptance::Accepted]);
    }

    fn tickets(read: &[LoggedEvent]) -> Vec<&str> {
        let ids = read.iter().map(|logged: &LoggedEvent| {
            let event: &Event = &logged.event;
            event.ticket_id.as_str()
        });
        ids.collect()
    }

    #[tokio::test]
    async fn events_are_kept_for_seven_days_and_a_reader_that_comes_too_late_is_told() {
        let store = EmbeddedStore::in_memory().unwrap();
        for ticket in 0..4 {
            add(&store, ticket, at(10 * i64::from(ticket))).await;
        }
        let read = store.read_at("one", None, 10, at(30)).await.unwrap();
        let cursors: Vec<EventCursor> = read.into_iter().map(|logged| logged.cursor).collect();
        // The first two are over, though nothing was deleted.
        let later = at(15) + EVENTS_KEPT;
        let read = store.read_at("one", None, 10, later).await.unwrap();
        assert_eq!(tickets(&read), ["T-2", "T-3"]);
        let read = store.read_at("one", cursors.get(1), 10, later).await.unwrap();
        assert_eq!(tickets(&read), ["T-2", "T-3"]);
        let late = store
            .read_at("one", cursors.first(), 10, later)
            .await
            .unwrap_err();
        assert!(late.is_not_found(), "{late:?}");
        assert!(late.to_string().contains("7 days"), "{late}");

        // All are over, and a reader that had read all has missed nothing.
        let later = at(100) + EVENTS_KEPT;
        assert!(store.read_at("one", None, 10, later).await.unwrap().is_empty());
        let end = store.read_at("one", cursors.last(), 10, later).await.unwrap();
        assert!(end.is_empty());
        let late = store.read_at("one", cursors.get(1), 10, later).await.unwrap_err();
        assert!(late.is_not_found(), "{late:?}");

        // Numbers go on where they were, and what is over can be added again.
        add(&store, 0, later).await;
        let read = store.read_at("one", cursors.last(), 10, later).await.unwrap();
        assert_eq!(tickets(&read), ["T-0"]);
        let late = store.read_at("one", cursors.get(1), 10, later).await.unwrap_err();
        assert!(late.is_not_found(), "{late:?}");
        add(&store, 0, later).await;
        assert_eq!(store.read_at("one", None, 10, later).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_clock_that_is_put_back_does_not_make_holes() {
        let store = EmbeddedStore::in_memory().unwrap();
        add(&store, 0, at(100)).await;
        add(&store, 1, at(0)).await;
        let later = at(50) + EVENTS_KEPT;
        let read = store.read_at("one", None, 10, later).await.unwrap();
        assert_eq!(tickets(&read), ["T-0", "T-1"]);
    }

    #[tokio::test]
    async fn a_log_that_goes_on_for_weeks_stays_small() {
        let store = EmbeddedStore::in_memory().unwrap();
        let hour = Duration::from_secs(3600);
        for number in 0..500 {
            add(&store, number, at(0) + hour * number).await;
        }
        let kept = EVENTS_KEPT.as_secs() / 3600;
        let rows = store
            .read("cannot count", |transaction| {
                use redb::ReadableTableMetadata as _;
                let events = transaction.open_table(super::EVENTS)?.len()?;
                Ok((events, transaction.open_table(super::IDS)?.len()?))
            })
            .await
            .unwrap();
        assert!(rows.0 <= kept + 1 && rows.1 <= kept + 1, "{rows:?}");
        assert!(store.end("one").await.unwrap().is_some());
    }
}
