//! The function of one ticket action.

use std::sync::Arc;
use std::time::Duration;

use actions::{Gateway, Installations, Stored, TasAction};
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use lambda_runtime::LambdaEvent;
use storage::SecretStore;
use upstream::{Client, ClientOptions};

use crate::error::Error;
use crate::metrics::{Metrics, Sink, to_standard_output};
use crate::ports::{Ports, Settings};
use crate::{runtime, serving};

/// The most integrations that are loaded before the first call; the others are loaded when they are named.
const WARM_LIMIT: usize = 20;

/// The longest time for that. Lambda gives the whole start-up 10 s.
const WARM_TIME: Duration = Duration::from_secs(4);

/// Runs the Lambda function of one action until Lambda stops it.
///
/// # Errors
/// When the environment is not complete (see [`Ports::from_environment`] and [`Settings::from_environment`]), or
/// the Lambda runtime cannot be reached. The message is for the operator; it is in the log, and Lambda is told.
pub async fn run(action: TasAction) -> Result<(), Error> {
    let function = runtime::start(async {
        let variable = |name: &str| std::env::var(name).ok();
        let ports = Ports::from_environment(action, variable)?;
        let settings = Settings::from_environment(variable)?;
        let function = ActionFunction::new(action, ports, &settings)?;
        Box::pin(function.warm()).await;
        Ok(Arc::new(function))
    })
    .await?;
    runtime::serve(move |event: LambdaEvent<ApiGatewayProxyRequest>, is_cold| {
        let function = Arc::clone(&function);
        async move {
            function.metrics.begin(is_cold);
            Ok(function.handle(event).await)
        }
    })
    .await
}

/// Answers the events of one action. One per process.
pub struct ActionFunction {
    action: TasAction,
    gateway: Gateway,
    installations: Arc<Stored>,
    secrets: Arc<dyn SecretStore>,
    metrics: Arc<Metrics>,
}

impl ActionFunction {
    /// A function over these stores, that writes its metrics to standard output.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(action: TasAction, ports: Ports, settings: &Settings) -> Result<Self, Error> {
        Self::with_sink(action, ports, settings, to_standard_output())
    }

    /// As [`ActionFunction::new`], with another place for the metrics.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn with_sink(
        action: TasAction,
        ports: Ports,
        settings: &Settings,
        sink: Sink,
    ) -> Result<Self, Error> {
        let client = Client::new(ClientOptions {
            secrets: Arc::clone(&ports.secrets),
            budget: ports.budget,
            allow_private_addresses: settings.allow_private_upstreams,
            user_agent: concat!("ticket-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
        })
        .map_err(|error| Error::setup(&error))?;
        let installations = Arc::new(Stored::new(ports.integrations, settings.refresh));
        let metrics = Arc::new(Metrics::new(settings.namespace.clone(), sink));
        let mut builder = Gateway::builder(client)
            .installations(Arc::clone(&installations) as Arc<dyn Installations>)
            .observer(Arc::clone(&metrics) as Arc<dyn actions::Observer>)
            .only(action);
        if let Some(idempotency) = ports.idempotency.filter(|_| action.is_write()) {
            builder = builder.idempotency(idempotency);
        }
        if let Some(journal) = ports.journal.filter(|_| action.is_write()) {
            builder = builder.journal(journal);
        }
        Ok(ActionFunction {
            action,
            gateway: builder.build().map_err(|error| Error::setup(&error))?,
            installations,
            secrets: ports.secrets,
            metrics,
        })
    }

    /// Loads the active integrations and reads their secrets, and so opens the connections to the stores, while
    /// Lambda gives the start-up its full processor. What fails is a warning: the first call tries again.
    pub async fn warm(&self) {
        let warming = async {
            if let Err(error) = self.installations.warm(WARM_LIMIT).await {
                tracing::warn!(%error, "the active integrations could not be loaded ahead of the first call");
                return;
            }
            for name in self.installations.known() {
                self.warm_secrets(&name).await;
            }
        };
        if tokio::time::timeout(WARM_TIME, warming).await.is_err() {
            let seconds = WARM_TIME.as_secs();
            tracing::warn!(
                seconds,
                "the active integrations could not all be loaded ahead of the first call"
            );
        }
    }

    async fn warm_secrets(&self, name: &str) {
        let Ok(Some(installed)) = self.installations.find(name).await else {
            return;
        };
        for secret in installed.installation.required_secrets() {
            if let Err(error) = self.secrets.secret(name, &secret.name).await {
                tracing::warn!(integration = name, %error, "a secret could not be read ahead of the first call");
            }
        }
    }

    /// Answers one event of a REST API (proxy integration).
    pub async fn handle(&self, event: LambdaEvent<ApiGatewayProxyRequest>) -> ApiGatewayProxyResponse {
        serving::answer(&self.gateway, Some(self.action), event).await
    }
}
