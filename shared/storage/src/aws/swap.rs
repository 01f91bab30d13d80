//! Compare-and-swap on the `revision` of an item.
//!
//! Each write leaves a random `mark`. By it a write knows its own traces, when its answer was lost and the SDK sent it
//! again: the condition does not hold any more then, but what is stored is ours.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use rand::Rng;

use super::table::{Item, Table, number, text};
use super::transaction::incomplete;
use crate::error::StorageError;
use crate::poll_state::Swap;

/// Counts the writes of an item.
pub(super) const REVISION: &str = "revision";
/// Tells one write of it from all others.
pub(super) const MARK: &str = "mark";

/// An item that is to take the place of another one.
pub(super) struct Next {
    /// Its attributes, with the next revision and a mark.
    item: Item,
    /// Holds if nothing came in between.
    condition: String,
    values: Option<Item>,
    mark: String,
}

impl Next {
    /// `item` in the place of the one with this revision; 0 for the place of none.
    pub(super) fn new(mut item: Item, revision: u64) -> Self {
        let mark = format!("{:016x}", rand::rng().random::<u64>());
        item.insert(REVISION.to_owned(), number(revision.saturating_add(1)));
        item.insert(MARK.to_owned(), text(&mark));
        let (condition, values) = match revision {
            0 => ("attribute_not_exists(pk)", None),
            _ => (
                "revision = :revision",
                Some(Item::from([(":revision".to_owned(), number(revision))])),
            ),
        };
        Self {
            item,
            condition: condition.to_owned(),
            values,
            mark,
        }
    }

    /// Refuses, beyond the revision, an item whose record is in more parts than these. They would be left behind.
    pub(super) fn allow_parts(&mut self, most: usize) {
        if let Some(values) = &mut self.values {
            self.condition
                .push_str(" AND (attribute_not_exists(chunks) OR chunks <= :parts)");
            values.insert(":parts".to_owned(), number(most as u64));
        }
    }

    /// The write as the first of a transaction's.
    pub(super) fn as_part_of_transaction(&self, table: &Table) -> Result<TransactWriteItem, StorageError> {
        let put = Put::builder()
            .table_name(&table.name)
            .set_item(Some(self.item.clone()))
            .condition_expression(&self.condition)
            .set_expression_attribute_values(self.values.clone())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let put = put.map_err(incomplete)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The mark that the write leaves.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// Whether the item that refused it is this one, written before.
    pub(super) fn is_there(&self, table: &Table, stored: Option<&Item>) -> bool {
        stored.is_some_and(|item| table.read(item).text(MARK).is_ok_and(|mark| mark == self.mark))
    }

    /// Writes it alone. The item that refused it, if one did and there is one.
    pub(super) async fn put(
        &self,
        table: &Table,
        doing: &str,
    ) -> Result<Result<(), Option<Item>>, StorageError> {
        let answer = table
            .client
            .put_item()
            .table_name(&table.name)
            .set_item(Some(self.item.clone()))
            .condition_expression(&self.condition)
            .set_expression_attribute_values(self.values.clone())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(Ok(()));
        };
        let stored = match refused(&error) {
            Some(stored) => stored.cloned(),
            None => return Err(table.explain(doing, &error)),
        };
        Ok(if self.is_there(table, stored.as_ref()) {
            Ok(())
        } else {
            Err(stored)
        })
    }
}

/// Puts `item` in the place of the one with this revision; 0 for the place of none.
pub(super) async fn swap(
    table: &Table,
    doing: &str,
    item: Item,
    revision: u64,
) -> Result<Swap, StorageError> {
    let written = Next::new(item, revision).put(table, doing).await?;
    Ok(match written {
        Ok(()) => Swap::Stored,
        Err(_) => Swap::Conflict,
    })
}

/// The item that did not meet the condition, none within where there is none; or none for another error.
fn refused(error: &SdkError<PutItemError>) -> Option<Option<&Item>> {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(refused)) => Some(refused.item()),
        _ => None,
    }
}
