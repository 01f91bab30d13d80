//! The function that serves the events of polled integrations.

use std::sync::Arc;

use actions::{Gateway, Stored};
use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use lambda_runtime::LambdaEvent;
use storage::aws::{DynamoEventLog, DynamoIntegrations};
use storage::in_process::InProcessBudget;
use storage::{EventLog, IntegrationStore, Secret, SecretStore, StorageError};
use upstream::{Client, ClientOptions};

use crate::environment::Environment;
use crate::error::Error;
use crate::ports::Settings;
use crate::{runtime, serving};

/// Runs the function behind `GET /v1/{integration}/events` until Lambda stops it.
///
/// Its environment: `TICKET_GATEWAY_INTEGRATIONS_TABLE` and `TICKET_GATEWAY_STATE_TABLE`, and what
/// [`Settings::from_environment`] reads.
///
/// # Errors
/// When the environment is not complete or the Lambda runtime cannot be reached.
pub async fn run_read_events() -> Result<(), Error> {
    let function = runtime::start(async {
        let variable = |name: &str| std::env::var(name).ok();
        ReadEvents::from_environment(variable).map(Arc::new)
    })
    .await?;
    runtime::serve(move |event: LambdaEvent<ApiGatewayProxyRequest>, _| {
        let function = Arc::clone(&function);
        async move { Ok(function.handle(event).await) }
    })
    .await
}

/// Serves the events of polled integrations. One per process.
pub struct ReadEvents(Gateway);

impl ReadEvents {
    /// Over these stores.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn new(
        integrations: Arc<dyn IntegrationStore>,
        log: Arc<dyn EventLog>,
        settings: &Settings,
    ) -> Result<Self, Error> {
        // Nothing here calls a ticketing system.
        let client = Client::new(ClientOptions {
            secrets: Arc::new(NoSecrets),
            budget: Arc::new(InProcessBudget::new()),
            allow_private_addresses: false,
            user_agent: concat!("ticket-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
        })
        .map_err(|error| Error::setup(&error))?;
        let gateway = Gateway::builder(client)
            .installations(Arc::new(Stored::new(integrations, settings.refresh)))
            .events(log)
            .only_events()
            .build()
            .map_err(|error| Error::setup(&error))?;
        Ok(ReadEvents(gateway))
    }

    /// Over the stores on AWS that the environment names.
    ///
    /// # Errors
    /// When a variable is missing or has a form that it cannot have.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        let integrations = environment.integrations_table()?;
        let state = environment.state_table()?;
        let settings = Settings::from_environment(&variable)?;
        let connection = environment.connection()?;
        Self::new(
            Arc::new(DynamoIntegrations::new(&connection, integrations)),
            Arc::new(DynamoEventLog::new(&connection, state)),
            &settings,
        )
    }

    /// Answers one event of a REST API (proxy integration).
    pub async fn handle(&self, event: LambdaEvent<ApiGatewayProxyRequest>) -> ApiGatewayProxyResponse {
        serving::answer(&self.0, None, event).await
    }
}

/// The function has no right to any secret.
struct NoSecrets;

#[async_trait]
impl SecretStore for NoSecrets {
    async fn secret(&self, _integration: &str, _key: &str) -> Result<Option<Secret>, StorageError> {
        Ok(None)
    }
}
