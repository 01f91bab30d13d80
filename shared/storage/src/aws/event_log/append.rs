//! Adding events.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{
    CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::items::{
    CHUNKS, DATA, END, EVENT_ID, NEWEST, NEWEST_AT, NUMBER, Packed, events_of, place, place_of_id,
};
use super::{DynamoEventLog, End, now};
use crate::aws::chunks::{CHUNK, MOST};
use crate::aws::pause::pause;
use crate::aws::table::{EXPIRES_AT, Item, PK, SK, bytes, number, text};
use crate::aws::transaction::{CONDITION_FAILED, IN_THE_WAY, Transacted, incomplete, put, transact};
use crate::error::StorageError;
use crate::event_log::EVENTS_KEPT;

/// How long others may be faster than we are. What was not added then is offered again; a run has ten seconds for a page.
const PATIENCE: Duration = Duration::from_secs(8);

impl DynamoEventLog {
    /// Adds those of the events that are not there, in their order.
    pub(super) async fn append(&self, integration: &str, events: Vec<Packed>) -> Result<(), StorageError> {
        let doing = format!("cannot add to the events of `{integration}`");
        let mut end = self.end_of(&doing, integration).await?;
        let mut rest = events.into_iter().peekable();
        while rest.peek().is_some() {
            // DynamoDB takes 4 MB in a transaction.
            let (mut group, mut size) = (Vec::new(), 0);
            while let Some(event) = rest.next_if(|event| size == 0 || size + event.data.len() <= MOST) {
                size += event.data.len();
                group.push(event);
            }
            end = self.append_group(&doing, integration, group, end).await?;
        }
        Ok(())
    }

    /// Adds what one transaction takes. Where the log ends then.
    async fn append_group(
        &self,
        doing: &str,
        integration: &str,
        mut left: Vec<Packed>,
        mut end: End,
    ) -> Result<End, StorageError> {
        let begun = Instant::now();
        for attempt in 0.. {
            if left.is_empty() {
                return Ok(end);
            }
            if begun.elapsed() > PATIENCE {
                break;
            }
            let next = End {
                newest: end.newest + left.len() as u64,
                // A clock that is behind must not make a younger event end before an older one.
                at: now().max(end.at),
            };
            let items = self.transaction(integration, end, next, &left)?;
            match transact(&self.table, doing, items).await? {
                Transacted::Written => return Ok(next),
                Transacted::InTheWay => {
                    pause(attempt).await;
                    end = self.end_of(doing, integration).await?;
                }
                Transacted::Refused(reasons) => {
                    let refused = |reason: &CancellationReason| reason.code() == Some(CONDITION_FAILED);
                    // First the end, then the ids in the order of the events.
                    let mut ids = reasons.iter().skip(1);
                    left.retain(|_| !ids.next().is_some_and(refused));
                    if reasons.first().is_some_and(refused) {
                        pause(attempt).await;
                        end = match reasons.first().and_then(CancellationReason::item) {
                            Some(item) => self.end_in(item)?,
                            None => self.end_of(doing, integration).await?,
                        };
                    }
                }
            }
        }
        Err(StorageError::unavailable(doing, IN_THE_WAY))
    }

    /// Moves the end, marks the ids, puts the events; in this order, by which a refusal is read.
    fn transaction(
        &self,
        integration: &str,
        end: End,
        next: End,
        events: &[Packed],
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let expires_at = next.at.saturating_add(EVENTS_KEPT.as_secs());
        let mut items = vec![self.move_end(integration, end, next)?];
        let numbered = || (end.newest + 1..).zip(events);
        for (place, event) in numbered() {
            items.push(self.mark(integration, place, event, expires_at, next.at)?);
        }
        for (at, event) in numbered() {
            let (pk, sk) = place(integration, at);
            let item = |sk: String| {
                Item::from([
                    (PK.to_owned(), text(&pk)),
                    (SK.to_owned(), text(sk)),
                    (EXPIRES_AT.to_owned(), number(expires_at)),
                ])
            };
            let mut head = item(sk.clone());
            head.insert(EVENT_ID.to_owned(), text(&event.id));
            if event.data.len() <= CHUNK {
                head.insert(DATA.to_owned(), bytes(event.data.as_slice()));
                items.push(put(&self.table, head)?);
                continue;
            }
            let parts = event.data.chunks(CHUNK);
            head.insert(CHUNKS.to_owned(), number(parts.len() as u64));
            items.push(put(&self.table, head)?);
            for (index, data) in parts.enumerate() {
                let mut part = item(format!("{sk}#{index:03}"));
                part.insert(DATA.to_owned(), bytes(data));
                items.push(put(&self.table, part)?);
            }
        }
        Ok(items)
    }

    fn move_end(&self, integration: &str, end: End, next: End) -> Result<TransactWriteItem, StorageError> {
        let update = Update::builder()
            .table_name(&self.table.name)
            .key(PK, text(events_of(integration)))
            .key(SK, text(END))
            .update_expression("SET #newest = :next, #at = :at")
            .expression_attribute_names("#newest", NEWEST)
            .expression_attribute_names("#at", NEWEST_AT)
            .expression_attribute_values(":next", number(next.newest))
            .expression_attribute_values(":at", number(next.at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match end.newest {
            0 => update.condition_expression("attribute_not_exists(pk)"),
            newest => update
                .condition_expression("#newest = :newest")
                .expression_attribute_values(":newest", number(newest)),
        };
        let update = update.build().map_err(incomplete)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// One that should have been deleted by now is none.
    fn mark(
        &self,
        integration: &str,
        place: u64,
        event: &Packed,
        expires_at: u64,
        now: u64,
    ) -> Result<TransactWriteItem, StorageError> {
        let (pk, sk) = place_of_id(integration, &event.id);
        let put = Put::builder()
            .table_name(&self.table.name)
            .item(PK, text(pk))
            .item(SK, text(sk))
            .item(NUMBER, number(place))
            .item(EXPIRES_AT, number(expires_at))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", number(now))
            .build()
            .map_err(incomplete)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
