//! Who the credentials belong to.

use aws_sdk_sts::Client;

use crate::aws::Connection;
use crate::aws::failure::explain;
use crate::error::StorageError;

/// The ARN of the caller: `arn:aws:iam::123456789012:user/molly`.
///
/// # Errors
/// When AWS does not answer or there are no valid credentials; everybody is allowed to ask.
pub async fn caller_arn(connection: &Connection) -> Result<String, StorageError> {
    let answer = Client::new(connection.config())
        .get_caller_identity()
        .send()
        .await;
    let answer = answer.map_err(|error| explain("cannot ask AWS who the credentials belong to", &error))?;
    Ok(answer.arn.unwrap_or_default())
}
