//! What all adapters share: region, credentials, HTTP client, timeouts and retries.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::retries::MetATransaction;
use super::transport::Transport;
use crate::error::StorageError;

/// Attempts of one operation, the first included. Between them the SDK waits with jittered exponential backoff.
const ATTEMPTS: u32 = 4;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// A function that waits longer than this for its store has no time left for the ticketing system.
const FUNCTION_TIMEOUTS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];
/// An operator may push megabytes over a slow line.
#[cfg(feature = "operate")]
const OPERATOR_TIMEOUTS: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(60)];

/// How AWS is reached. Made once per process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Connection {
    config: SdkConfig,
    dynamo: aws_sdk_dynamodb::Client,
}

impl Connection {
    /// For functions: everything is in the environment there, so nothing else is read.
    ///
    /// `variable` reads `AWS_REGION` or `AWS_DEFAULT_REGION`; `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`; and `AWS_ENDPOINT_URL`, which sends everything elsewhere, over plain HTTP too.
    ///
    /// One attempt takes at most 2 s, an operation with its retries at most 5 s.
    ///
    /// # Errors
    /// [`StorageError::is_configuration`] when the region or the credentials are missing.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, StorageError> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let needed = |name: &str| {
            given(name).ok_or_else(|| {
                StorageError::configuration(format!(
                    "the environment variable {name} is not set; AWS needs it"
                ))
            })
        };
        let credentials = Credentials::new(
            needed("AWS_ACCESS_KEY_ID")?,
            needed("AWS_SECRET_ACCESS_KEY")?,
            given("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let region = given("AWS_REGION").map_or_else(|| needed("AWS_DEFAULT_REGION"), Ok)?;
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(Transport::new()?)
            .retry_config(retries())
            .timeout_config(timeouts(FUNCTION_TIMEOUTS))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(given("AWS_ENDPOINT_URL"));
        Ok(Self::new(config.build()))
    }

    /// For operators: region and credentials where the AWS command line finds them, which are the environment, the
    /// profile, and the roles that these name.
    ///
    /// One attempt takes at most 20 s, an operation with its retries at most 60 s.
    ///
    /// # Errors
    /// [`StorageError::is_configuration`] when no region is found. Credentials are looked for with the first request.
    #[cfg(feature = "operate")]
    pub async fn from_profile() -> Result<Self, StorageError> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(Transport::new()?)
            .retry_config(retries())
            .timeout_config(timeouts(OPERATOR_TIMEOUTS))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .load()
            .await;
        if config.region().is_none() {
            let message = "no AWS region is set; set AWS_REGION, or run: aws configure set region <region>";
            return Err(StorageError::configuration(message));
        }
        Ok(Self::new(config))
    }

    fn new(config: SdkConfig) -> Self {
        let dynamo = aws_sdk_dynamodb::config::Builder::from(&config)
            .retry_classifier(MetATransaction)
            .build();
        Self {
            config,
            dynamo: aws_sdk_dynamodb::Client::from_conf(dynamo),
        }
    }

    /// What a client of the SDK is made from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub(super) fn dynamo(&self) -> &aws_sdk_dynamodb::Client {
        &self.dynamo
    }
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
}

fn timeouts([attempt, operation]: [Duration; 2]) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
