//! What went wrong at AWS, as the crate's error: which store, what to do about it, whether trying again helps.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::StorageError;

/// AWS's codes for "not now". Those with a status of 500 and more are known by their status.
const COME_BACK: &[&str] = &[
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// AWS's codes for "you may not".
const DENIED: &[&str] = &["AccessDenied", "AccessDeniedException"];

/// AWS's codes for credentials that are none.
const BAD_CREDENTIALS: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Turns an error of the SDK into ours. `doing` says what was tried: "cannot read the versions of `x`".
pub(super) fn explain<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> StorageError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let Some(refused) = error.as_service_error() else {
        return unanswered(doing, error);
    };
    let code = refused.code().unwrap_or("an error without a code");
    // AWS's own text names who may not do what with which resource.
    let said = refused.message().unwrap_or("without a message");
    explain_code(doing, code, said)
}

/// As [`explain`], for a code that stands in an answer.
pub(super) fn explain_code(doing: &str, code: &str, said: &str) -> StorageError {
    let answer = format!("AWS answers {code}: {said}");
    if DENIED.contains(&code) {
        StorageError::denied(format!("{doing}: {answer}"))
    } else if BAD_CREDENTIALS.contains(&code) {
        StorageError::denied(format!(
            "{doing}: the AWS credentials are wrong or expired ({answer})"
        ))
    } else if COME_BACK.contains(&code)
        || code.starts_with("Internal")
        || code.starts_with("ServiceUnavailable")
    {
        StorageError::unavailable(doing, answer)
    } else if said.contains("size has exceeded") || said.contains("size limit") {
        StorageError::too_large(format!("{doing}: {answer}"))
    } else {
        StorageError::failed(doing, answer)
    }
}

/// There was no answer, or none that could be read.
fn unanswered<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> StorageError
where
    E: Error + 'static,
{
    let chain = chain(error);
    if chain.iter().any(|cause| cause.is::<CredentialsError>()) {
        return StorageError::configuration(format!(
            "{doing}: no AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ));
    }
    let mut told: Vec<String> = chain.iter().map(ToString::to_string).collect();
    told.dedup();
    StorageError::unavailable(doing, told.join(": "))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| Error::source(*error)).collect()
}
