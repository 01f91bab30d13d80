//! Idempotency records in DynamoDB: `pk` = `IDEMPOTENCY#<key>`.
//!
//! | `sk` | attributes |
//! |---|---|
//! | `RECORD` | `fingerprint`; `ends_at`: the deadline of the claim or the end of the result's time, in ms since 1970 |
//! | | in progress: `in_progress` = the fingerprint, `earlier` = that of a claim that died before, `claim` |
//! | | finished: `claim`, and `result` (compressed JSON) or `chunks` (how many) |
//! | `RESULT#<3 digits>` | `data`: a part of a large result; `claim`: which claim's |
//!
//! A claim is one conditional write; where it fails, DynamoDB sends the record along, so there is no second read.
//! `claim` is random. By it a write knows its own traces, when its answer was lost and the SDK sent it again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use rand::Rng;
use serde_json::Value;

use super::chunks::{self, CHUNK};
use super::connection::Connection;
use super::table::{EXPIRES_AT, Item, PK, Reader, SK, Table, bytes, number, text};
use crate::error::StorageError;
use crate::idempotency::{Begin, IdempotencyStore};

const RECORD: &str = "RECORD";
/// How long a claim that ended without a result is remembered, so that the same request is known to come again.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

const FREE: &str = "attribute_not_exists(pk) OR ends_at <= :now";
/// The right sides see the record as it was before.
const CLAIM: &str = "SET earlier = if_not_exists(in_progress, :none), in_progress = :fingerprint, \
     fingerprint = :fingerprint, claim = :claim, ends_at = :ends_at, expires_at = :expires_at \
     REMOVE #result, chunks";

const HELD: &str = "attribute_exists(in_progress) AND ends_at = :deadline";
const FINISH: &str = "SET claim = :claim, ends_at = :ends_at, expires_at = :expires_at, #result = :result \
     REMOVE in_progress, earlier, chunks";
const FINISH_LARGE: &str = "SET claim = :claim, ends_at = :ends_at, expires_at = :expires_at, chunks = :result \
     REMOVE in_progress, earlier, #result";

/// Idempotency records in a DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoIdempotency {
    table: Table,
}

impl DynamoIdempotency {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
        }
    }

    /// The result of a finished record, or none where its parts are another claim's by now.
    async fn result(&self, key: &str, row: Reader<'_>) -> Result<Option<Value>, StorageError> {
        if !row.has("chunks") {
            let result = chunks::unpack(row.bytes("result")?);
            return result.map(Some).ok_or_else(|| row.is_not_ours("result"));
        }
        let (claim, count) = (row.text("claim")?, row.number("chunks")?);
        let doing = "cannot read the result of an idempotency key";
        let parts = self.table.all(doing, &pk_of(key), Some("RESULT#")).await?;
        let mut packed = Vec::new();
        for index in 0..count {
            let sk = part(index);
            let found = parts
                .iter()
                .map(|item| self.table.read(item))
                .find(|part| part.text(SK).is_ok_and(|it| it == sk));
            match found {
                Some(part) if part.text("claim")? == claim => packed.extend_from_slice(part.bytes("data")?),
                _ => return Ok(None),
            }
        }
        chunks::unpack(&packed)
            .map(Some)
            .ok_or_else(|| row.is_not_ours("chunks"))
    }

    /// Writes the record and the parts of its result, all or nothing. The record as it is, where the claim is over.
    async fn finish_large(
        &self,
        key: &str,
        packed: &[u8],
        times: &Times,
    ) -> Result<Result<(), Option<Item>>, StorageError> {
        let doing = "cannot store the result of an idempotency key";
        let incomplete = |error| StorageError::failed(doing, error);
        let parts: Vec<&[u8]> = packed.chunks(CHUNK).collect();
        let update = Update::builder()
            .table_name(&self.table.name)
            .key(PK, text(pk_of(key)))
            .key(SK, text(RECORD))
            .condition_expression(HELD)
            .update_expression(FINISH_LARGE)
            .expression_attribute_names("#result", "result")
            .set_expression_attribute_values(Some(times.values()))
            .expression_attribute_values(":result", number(parts.len() as u64))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(incomplete)?;
        let mut items = vec![TransactWriteItem::builder().update(update).build()];
        for (index, data) in (0..).zip(parts) {
            let put = Put::builder()
                .table_name(&self.table.name)
                .item(PK, text(pk_of(key)))
                .item(SK, text(part(index)))
                .item("claim", text(&times.claim))
                .item("data", bytes(data))
                .item(EXPIRES_AT, number(times.expires_at()))
                .build()
                .map_err(incomplete)?;
            items.push(TransactWriteItem::builder().put(put).build());
        }
        let request = self
            .table
            .client
            .transact_write_items()
            .set_transact_items(Some(items));
        let Err(error) = request.send().await else {
            return Ok(Ok(()));
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        {
            let record = cancelled.cancellation_reasons().first();
            if let Some(reason) = record.filter(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                return Ok(Err(reason.item().cloned()));
            }
        }
        Err(self.table.explain(doing, &error))
    }

    async fn finish_small(
        &self,
        key: &str,
        packed: &[u8],
        times: &Times,
    ) -> Result<Result<(), Option<Item>>, StorageError> {
        let answer = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key(PK, text(pk_of(key)))
            .key(SK, text(RECORD))
            .condition_expression(HELD)
            .update_expression(FINISH)
            .expression_attribute_names("#result", "result")
            .set_expression_attribute_values(Some(times.values()))
            .expression_attribute_values(":result", bytes(packed))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(Ok(()));
        };
        match refused(&error) {
            Some(record) => Ok(Err(record.cloned())),
            None => Err(self
                .table
                .explain("cannot store the result of an idempotency key", &error)),
        }
    }
}

/// When a claim ended and how long its result is kept; and the mark of this write.
struct Times {
    deadline: u64,
    keep_until: u64,
    claim: String,
}

impl Times {
    fn expires_at(&self) -> u64 {
        self.keep_until.div_ceil(1000)
    }

    fn values(&self) -> Item {
        Item::from([
            (":deadline".to_owned(), number(self.deadline)),
            (":ends_at".to_owned(), number(self.keep_until)),
            (":expires_at".to_owned(), number(self.expires_at())),
            (":claim".to_owned(), text(&self.claim)),
        ])
    }
}

#[async_trait]
impl IdempotencyStore for DynamoIdempotency {
    async fn begin(
        &self,
        key: &str,
        fingerprint: &str,
        deadline: SystemTime,
        now: SystemTime,
    ) -> Result<Begin, StorageError> {
        let doing = "cannot claim an idempotency key";
        let claim = mark();
        let answer = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .key(PK, text(pk_of(key)))
            .key(SK, text(RECORD))
            .condition_expression(FREE)
            .update_expression(CLAIM)
            .expression_attribute_names("#result", "result")
            .expression_attribute_values(":now", number(milliseconds(now)))
            .expression_attribute_values(":none", text("none"))
            .expression_attribute_values(":fingerprint", text(fingerprint))
            .expression_attribute_values(":claim", text(&claim))
            .expression_attribute_values(":ends_at", number(milliseconds(deadline)))
            .expression_attribute_values(
                ":expires_at",
                number(milliseconds(deadline + REMEMBERED).div_ceil(1000)),
            )
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let (record, is_ours) = match &answer {
            Ok(answer) => (answer.attributes(), true),
            Err(error) => match refused(error) {
                Some(record) => (record, false),
                None => return Err(self.table.explain(doing, error)),
            },
        };
        let Some(record) = record else {
            return Err(StorageError::unavailable(
                doing,
                "DynamoDB did not send the record along",
            ));
        };
        let row = self.table.read(record);
        if is_ours || row.text("claim")? == claim {
            let is_again = row.text("earlier")? == fingerprint;
            return Ok(if is_again { Begin::Resumed } else { Begin::Started });
        }
        if row.text("fingerprint")? != fingerprint {
            return Ok(Begin::Conflict);
        }
        if row.has("in_progress") {
            let until = UNIX_EPOCH + Duration::from_millis(row.number("ends_at")?);
            return Ok(Begin::InProgress { until });
        }
        match self.result(key, row).await? {
            Some(result) => Ok(Begin::Replay(result)),
            None => Err(StorageError::unavailable(doing, "its result is being replaced")),
        }
    }

    async fn finish(
        &self,
        key: &str,
        deadline: SystemTime,
        result: Value,
        keep_until: SystemTime,
    ) -> Result<(), StorageError> {
        let packed = chunks::pack("the result of an idempotency key", &result)?;
        let times = Times {
            deadline: milliseconds(deadline),
            keep_until: milliseconds(keep_until),
            claim: mark(),
        };
        let written = if packed.len() > CHUNK {
            self.finish_large(key, &packed, &times).await?
        } else {
            self.finish_small(key, &packed, &times).await?
        };
        match written {
            Ok(()) => Ok(()),
            Err(None) => Err(StorageError::not_found("the idempotency key was never claimed")),
            Err(Some(record)) if self.table.read(&record).text("claim")? == times.claim => Ok(()),
            Err(Some(_)) => Err(StorageError::conflict("the claim on the idempotency key is over")),
        }
    }

    async fn abandon(&self, key: &str, deadline: SystemTime) -> Result<(), StorageError> {
        let answer = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .key(PK, text(pk_of(key)))
            .key(SK, text(RECORD))
            .condition_expression(HELD)
            .expression_attribute_values(":deadline", number(milliseconds(deadline)))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(self.table.explain("cannot free an idempotency key", &error)),
        }
    }
}

/// The record that did not meet the condition, none within where there is no record; or none for another error.
fn refused(error: &SdkError<UpdateItemError>) -> Option<Option<&Item>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refused)) => Some(refused.item()),
        _ => None,
    }
}

fn pk_of(key: &str) -> String {
    format!("IDEMPOTENCY#{key}")
}

fn part(index: u64) -> String {
    format!("RESULT#{index:03}")
}

fn mark() -> String {
    format!("{:016x}", rand::rng().random::<u64>())
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
