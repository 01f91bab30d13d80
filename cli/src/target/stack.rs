//! A gateway that was deployed to AWS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use storage::aws::operate::{SecretsManagerWriter, Stack, UsagePlan, caller_arn};
use storage::aws::{
    Connection, DynamoCallerKeys, DynamoEventLog, DynamoIntegrations, DynamoPollState, DynamoWebhooks,
    DynamoWriteJournal, SecretsManager,
};
use storage::{Secret, SecretStore, StorageError};

use super::{Deployed, Place, Target, person};
use crate::failure::Failure;

/// Long enough for one command.
const KEEP_SECRETS: Duration = Duration::from_secs(60);

/// Finds the stack's tables, secrets and usage plan.
pub(super) async fn open(name: &str) -> Result<Target, Failure> {
    let connection = Connection::from_profile().await?;
    let stack = Stack::find(&connection, name).await?;
    let table = stack.output("IntegrationsTable")?;
    let state = stack.output("StateTable")?;
    let prefix = stack.output("SecretPrefix")?;
    let plan = stack.output("UsagePlanId")?;
    let kms_key = stack.parameter("SecretsKmsKeyArn").map(str::to_owned);
    let options = format!(" --stack {name}");
    // Everybody may ask who they are, so a failure has another reason, which the next request will meet too.
    let person = match caller_arn(&connection).await {
        Ok(arn) if !arn.is_empty() => arn,
        _ => person::of_machine(),
    };
    Ok(Target {
        integrations: Arc::new(DynamoIntegrations::new(&connection, table)),
        keys: Arc::new(DynamoCallerKeys::new(&connection, table)),
        poll_state: Arc::new(DynamoPollState::new(&connection, state)),
        events: Arc::new(DynamoEventLog::new(&connection, state)),
        journal: Arc::new(DynamoWriteJournal::new(&connection, state)),
        webhooks: Arc::new(DynamoWebhooks::new(&connection, state)),
        secrets: Arc::new(OfStack {
            secrets: SecretsManager::new(&connection, prefix, KEEP_SECRETS),
            options: options.clone(),
        }),
        secret_writer: Arc::new(SecretsManagerWriter::new(&connection, prefix, kms_key)),
        usage_plan: Some(UsagePlan::new(&connection, plan)),
        place: Place::Stack(Box::new(Deployed::new(&connection, stack.clone(), state))),
        person,
        options,
    })
}

/// The stack's secrets; a missing one is set by a command that names the stack.
struct OfStack {
    secrets: SecretsManager,
    options: String,
}

#[async_trait]
impl SecretStore for OfStack {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        self.secrets.secret(integration, key).await
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        Some(format!(
            "run: ticket-gateway secret set {integration} {key}{}",
            self.options
        ))
    }
}
