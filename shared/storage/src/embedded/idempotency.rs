//! Idempotency records in the embedded database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use redb::{ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::database::{EmbeddedStore, Failure};
use crate::error::StorageError;
use crate::idempotency::{Begin, IdempotencyStore};

/// Key to record, as JSON.
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("idempotency");
/// (milliseconds since 1970, key): from when on a record can be deleted.
pub(super) const BY_END: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("idempotency_by_end");

/// How long a claim that ended without a result is remembered, so that the same request is known to come again.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Records that one claim deletes, so that the file stays bounded without a pass over all of it.
const TIDIED_PER_CLAIM: usize = 16;

#[derive(Serialize, Deserialize)]
struct Record {
    fingerprint: String,
    /// Milliseconds since 1970: the deadline of the claim, or how long the result is kept.
    end: u64,
    finished: bool,
    /// Null while in progress.
    result: Value,
}

impl Record {
    /// From when on the record says nothing any more.
    fn deletable_from(&self) -> u64 {
        if self.finished {
            self.end
        } else {
            let remembered = u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX);
            self.end.saturating_add(remembered)
        }
    }

    fn is_claim_until(&self, deadline: SystemTime) -> bool {
        !self.finished && self.end == milliseconds(deadline)
    }
}

#[async_trait]
impl IdempotencyStore for EmbeddedStore {
    async fn begin(
        &self,
        key: &str,
        fingerprint: &str,
        deadline: SystemTime,
        now: SystemTime,
    ) -> Result<Begin, StorageError> {
        let (key, fingerprint) = (key.to_owned(), fingerprint.to_owned());
        self.write("cannot claim an idempotency key", move |transaction| {
            let mut records = transaction.open_table(RECORDS)?;
            let mut by_end = transaction.open_table(BY_END)?;
            let now = milliseconds(now);
            tidy(&mut records, &mut by_end, now)?;
            let before = get(&records, &key)?;
            let begun = match &before {
                Some(record) if !record.finished && record.fingerprint == fingerprint => Begin::Resumed,
                _ => Begin::Started,
            };
            if let Some(record) = before.filter(|record| record.end > now) {
                return Ok(if record.fingerprint != fingerprint {
                    Begin::Conflict
                } else if record.finished {
                    Begin::Replay(record.result)
                } else {
                    Begin::InProgress {
                        until: UNIX_EPOCH + Duration::from_millis(record.end),
                    }
                });
            }
            let record = Record {
                fingerprint,
                end: milliseconds(deadline),
                finished: false,
                result: Value::Null,
            };
            put(&mut records, &mut by_end, &key, &record)?;
            Ok(begun)
        })
        .await
    }

    async fn finish(
        &self,
        key: &str,
        deadline: SystemTime,
        result: Value,
        keep_until: SystemTime,
    ) -> Result<(), StorageError> {
        let key = key.to_owned();
        self.write(
            "cannot store the result of an idempotency key",
            move |transaction| {
                let mut records = transaction.open_table(RECORDS)?;
                let mut by_end = transaction.open_table(BY_END)?;
                let Some(mut record) = get(&records, &key)? else {
                    return Err(StorageError::not_found("the idempotency key was never claimed").into());
                };
                if !record.is_claim_until(deadline) {
                    return Err(StorageError::conflict("the claim on the idempotency key is over").into());
                }
                record.end = milliseconds(keep_until);
                record.finished = true;
                record.result = result;
                put(&mut records, &mut by_end, &key, &record)
            },
        )
        .await
    }

    async fn abandon(&self, key: &str, deadline: SystemTime) -> Result<(), StorageError> {
        let key = key.to_owned();
        self.write("cannot free an idempotency key", move |transaction| {
            let mut records = transaction.open_table(RECORDS)?;
            let mut by_end = transaction.open_table(BY_END)?;
            if let Some(record) = get(&records, &key)?.filter(|record| record.is_claim_until(deadline)) {
                by_end.remove((record.deletable_from(), key.as_str()))?;
                records.remove(key.as_str())?;
            }
            Ok(())
        })
        .await
    }
}

fn get(
    records: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<Record>, Failure> {
    let found = records.get(key)?;
    Ok(found
        .map(|record| serde_json::from_slice(record.value()))
        .transpose()?)
}

fn put(
    records: &mut Table<'_, &'static str, &'static [u8]>,
    by_end: &mut Table<'_, (u64, &'static str), ()>,
    key: &str,
    record: &Record,
) -> Result<(), Failure> {
    if let Some(previous) = get(records, key)? {
        by_end.remove((previous.deletable_from(), key))?;
    }
    by_end.insert((record.deletable_from(), key), ())?;
    records.insert(key, serde_json::to_vec(record)?.as_slice())?;
    Ok(())
}

fn tidy(
    records: &mut Table<'_, &'static str, &'static [u8]>,
    by_end: &mut Table<'_, (u64, &'static str), ()>,
    now: u64,
) -> Result<(), Failure> {
    let mut ended = Vec::new();
    for entry in by_end.range(..(now, ""))?.take(TIDIED_PER_CLAIM) {
        let key = entry?.0;
        let (end, key) = key.value();
        ended.push((end, key.to_owned()));
    }
    for (end, key) in ended {
        by_end.remove((end, key.as_str()))?;
        records.remove(key.as_str())?;
    }
    Ok(())
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
