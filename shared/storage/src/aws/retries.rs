//! When DynamoDB is asked again, beyond what the SDK does by itself.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// A write that met somebody's transaction on the same item did nothing, and may be sent again. The SDK takes it
/// for the caller's mistake.
#[derive(Debug)]
pub(super) struct MetATransaction;

impl ClassifyRetry for MetATransaction {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = match context.output_or_error() {
            Some(Err(error)) => error.as_operation_error(),
            _ => None,
        };
        let Some(error) = error else {
            return RetryAction::NoActionIndicated;
        };
        let code = None
            .or_else(|| {
                error
                    .downcast_ref::<UpdateItemError>()
                    .map(ProvideErrorMetadata::code)
            })
            .or_else(|| {
                error
                    .downcast_ref::<PutItemError>()
                    .map(ProvideErrorMetadata::code)
            })
            .or_else(|| {
                error
                    .downcast_ref::<DeleteItemError>()
                    .map(ProvideErrorMetadata::code)
            })
            .flatten();
        let cancelled = match (error.downcast_ref(), error.downcast_ref()) {
            (Some(TransactWriteItemsError::TransactionCanceledException(cancelled)), _) => {
                is_only_in_the_way(cancelled.cancellation_reasons())
            }
            (_, Some(TransactGetItemsError::TransactionCanceledException(cancelled))) => {
                is_only_in_the_way(cancelled.cancellation_reasons())
            }
            _ => false,
        };
        if cancelled || code == Some("TransactionConflictException") {
            RetryAction::throttling_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "met a transaction"
    }
}

/// Nothing but other writers and throttling stopped the transaction; no condition of it failed.
fn is_only_in_the_way(reasons: &[CancellationReason]) -> bool {
    let mut codes = reasons.iter().filter_map(CancellationReason::code).peekable();
    codes.peek().is_some()
        && codes.all(|code| {
            matches!(
                code,
                "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
            )
        })
}
