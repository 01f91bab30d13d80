//! What the function of an action works with, and how it is told.

use std::sync::Arc;
use std::time::Duration;

use actions::TasAction;
use storage::aws::{DynamoBudget, DynamoIdempotency, DynamoIntegrations, DynamoWriteJournal, SecretsManager};
use storage::{IdempotencyStore, IntegrationStore, RateBudget, SecretStore, WriteJournal};

use crate::environment::Environment;
use crate::error::Error;
use crate::metrics::DEFAULT_NAMESPACE;

const REFRESH: &str = "TICKET_GATEWAY_REFRESH_SECONDS";
const ALLOW_PRIVATE: &str = "TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS";
const NAMESPACE: &str = "TICKET_GATEWAY_METRICS_NAMESPACE";

/// The stores behind the function of an action.
#[derive(Clone)]
pub struct Ports {
    /// The versions of integrations.
    pub integrations: Arc<dyn IntegrationStore>,
    /// The integrations' secrets.
    pub secrets: Arc<dyn SecretStore>,
    /// The integrations' rate budgets.
    pub budget: Arc<dyn RateBudget>,
    /// Idempotency records; none for a query, which has no use for them.
    pub idempotency: Option<Arc<dyn IdempotencyStore>>,
    /// Where writes are noted, so that the events of their changes can say so; none for a query.
    pub journal: Option<Arc<dyn WriteJournal>>,
}

impl Ports {
    /// The stores on AWS, as the environment of a function names them: `TICKET_GATEWAY_INTEGRATIONS_TABLE` and
    /// `TICKET_GATEWAY_STATE_TABLE` (DynamoDB), `TICKET_GATEWAY_SECRET_PREFIX` (Secrets Manager: the secret of an
    /// integration is this and its name), `TICKET_GATEWAY_SECRET_TTL_SECONDS` (how long a secret
    /// is kept; 300), and what [`storage::aws::Connection::from_environment`] reads. An empty variable counts as none.
    ///
    /// # Errors
    /// When one is missing or has a form that it cannot have.
    pub fn from_environment(
        action: TasAction,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        let integrations = environment.integrations_table()?;
        let state = environment.state_table()?;
        let prefix = environment.secret_prefix()?;
        let kept = environment.secret_ttl()?;
        let is_write = action.is_write();
        let connection = environment.connection()?;
        Ok(Ports {
            integrations: Arc::new(DynamoIntegrations::new(&connection, integrations)),
            secrets: Arc::new(SecretsManager::new(&connection, prefix, kept)),
            budget: Arc::new(DynamoBudget::new(&connection, &*state)),
            idempotency: is_write
                .then(|| Arc::new(DynamoIdempotency::new(&connection, &*state)) as Arc<dyn IdempotencyStore>),
            journal: is_write
                .then(|| Arc::new(DynamoWriteJournal::new(&connection, &*state)) as Arc<dyn WriteJournal>),
        })
    }
}

/// What an operator can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How old the knowledge may be which version of an integration is active.
    pub refresh: Duration,
    /// Whether integrations may reach loopback and private addresses.
    pub allow_private_upstreams: bool,
    /// The CloudWatch namespace of the metrics.
    pub namespace: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            refresh: Duration::from_secs(30),
            allow_private_upstreams: false,
            namespace: DEFAULT_NAMESPACE.to_owned(),
        }
    }
}

impl Settings {
    /// Reads `TICKET_GATEWAY_REFRESH_SECONDS` (30), `TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS` (`false`) and
    /// `TICKET_GATEWAY_METRICS_NAMESPACE` (`TicketGateway`). An empty variable counts as none.
    ///
    /// # Errors
    /// When one has a form that it cannot have.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let environment = Environment::new(&variable);
        Ok(Settings {
            refresh: environment.seconds(REFRESH, 30)?,
            allow_private_upstreams: environment.flag(ALLOW_PRIVATE)?,
            namespace: namespace(&environment)?,
        })
    }
}

/// CloudWatch takes other characters in a namespace too, but not in the names of a dashboard's searches.
pub(crate) fn namespace(environment: &Environment<'_>) -> Result<String, Error> {
    let namespace = environment.or(NAMESPACE, DEFAULT_NAMESPACE);
    let is_valid = namespace.len() <= 255
        && !namespace.starts_with(':')
        && namespace
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte));
    if is_valid {
        Ok(namespace)
    } else {
        Err(Error::environment(
            NAMESPACE,
            "expected up to 255 letters, digits and `.-_/#:`, not beginning with a colon",
        ))
    }
}
