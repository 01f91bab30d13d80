//! Several items written as one.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, TransactWriteItem};

use super::failure::explain_code;
use super::table::{Item, PK, SK, Table, text};
use crate::error::StorageError;

/// The reason of an item whose condition did not hold.
pub(super) const CONDITION_FAILED: &str = "ConditionalCheckFailed";
/// What to say where [`Transacted::InTheWay`] is the end of it.
pub(super) const IN_THE_WAY: &str = "others write the same items all the time";

/// What became of a transaction.
pub(super) enum Transacted {
    /// All of it is written.
    Written,
    /// Nothing is: a condition did not hold. The reasons are in the order of the items.
    Refused(Vec<CancellationReason>),
    /// Nothing is, however often it was tried: other transactions were in the way.
    InTheWay,
}

/// Writes all of `items` or none. One that is sent again after a lost answer is written once: the SDK gives it a
/// token that DynamoDB knows.
pub(super) async fn transact(
    table: &Table,
    doing: &str,
    items: Vec<TransactWriteItem>,
) -> Result<Transacted, StorageError> {
    let request = table
        .client
        .transact_write_items()
        .set_transact_items(Some(items));
    let error = match request.send().await {
        Ok(_) => return Ok(Transacted::Written),
        Err(error) => error,
    };
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return Err(table.explain(doing, &error));
    };
    let reasons = cancelled.cancellation_reasons();
    let mut codes = reasons
        .iter()
        .filter(|reason| reason.code().is_some_and(|code| code != "None"));
    let Some(first) = codes.next() else {
        return Err(table.explain(doing, &error));
    };
    if reasons
        .iter()
        .any(|reason| reason.code() == Some(CONDITION_FAILED))
    {
        return Ok(Transacted::Refused(reasons.to_vec()));
    }
    if first.code() == Some("TransactionConflict") {
        return Ok(Transacted::InTheWay);
    }
    let (code, said) = (first.code().unwrap_or_default(), first.message());
    Err(explain_code(doing, code, said.unwrap_or_default()))
}

/// The write of an item, whatever is in its place.
pub(super) fn put(table: &Table, item: Item) -> Result<TransactWriteItem, StorageError> {
    let put = Put::builder()
        .table_name(&table.name)
        .set_item(Some(item))
        .build();
    Ok(TransactWriteItem::builder().put(put.map_err(incomplete)?).build())
}

/// The deletion of an item, if it is there.
pub(super) fn delete(table: &Table, pk: &str, sk: &str) -> Result<TransactWriteItem, StorageError> {
    let delete = Delete::builder()
        .table_name(&table.name)
        .key(PK, text(pk))
        .key(SK, text(sk))
        .build();
    let delete = delete.map_err(incomplete)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// A part of a transaction lacks something.
pub(super) fn incomplete(error: BuildError) -> StorageError {
    StorageError::failed("cannot build a transaction", error)
}
