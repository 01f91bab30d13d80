//! What a function needs to start.

use std::sync::Arc;

use async_trait::async_trait;
use lambda::{
    ActionFunction, AuthorizerSettings, PollDispatch, PollMetrics, PollWorkerPorts, Ports, ReadEvents,
    Settings, TasAction,
};
use storage::embedded::EmbeddedStore;
use storage::{IntegrationStore, Secret, SecretStore, StorageError};

use crate::support::{Upstream, ports, settings, store, upstream};

fn environment<'e>(variables: &'e [(&'e str, &'e str)]) -> impl Fn(&str) -> Option<String> + 'e {
    |name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

const COMPLETE: [(&str, &str); 6] = [
    ("TICKET_GATEWAY_INTEGRATIONS_TABLE", "Integrations"),
    ("TICKET_GATEWAY_STATE_TABLE", "State"),
    ("TICKET_GATEWAY_SECRET_PREFIX", "desk/"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "example"),
];

#[test]
fn a_complete_environment_is_enough() {
    let ports = Ports::from_environment(TasAction::CreateTicket, environment(&COMPLETE)).unwrap();
    assert!(ports.idempotency.is_some() && ports.journal.is_some());
    let ports = Ports::from_environment(TasAction::QueryTicketById, environment(&COMPLETE)).unwrap();
    assert!(
        ports.idempotency.is_none() && ports.journal.is_none(),
        "a query writes nothing"
    );
}

const OF_POLLING: [(&str, &str); 2] = [
    ("TICKET_GATEWAY_POLL_QUEUE_URL", "https://sqs.example/poll"),
    ("TICKET_GATEWAY_EVENT_BUS", "ticket-gateway"),
];

#[test]
fn the_functions_of_polling_name_what_they_miss() {
    let complete = [&COMPLETE[..], &OF_POLLING].concat();
    assert!(PollWorkerPorts::from_environment(environment(&complete)).is_ok());
    assert!(PollDispatch::from_environment(environment(&complete)).is_ok());
    assert!(ReadEvents::from_environment(environment(&COMPLETE)).is_ok());
    type Start = fn(&[(&str, &str)]) -> Option<lambda::Error>;
    let worker: Start = |variables| PollWorkerPorts::from_environment(environment(variables)).err();
    let dispatch: Start = |variables| PollDispatch::from_environment(environment(variables)).err();
    let reader: Start = |variables| ReadEvents::from_environment(environment(variables)).err();
    for (start, missing) in [
        (worker, "TICKET_GATEWAY_STATE_TABLE"),
        (worker, "TICKET_GATEWAY_SECRET_PREFIX"),
        (worker, "TICKET_GATEWAY_POLL_QUEUE_URL"),
        (worker, "TICKET_GATEWAY_EVENT_BUS"),
        (dispatch, "TICKET_GATEWAY_INTEGRATIONS_TABLE"),
        (dispatch, "TICKET_GATEWAY_POLL_QUEUE_URL"),
        (reader, "TICKET_GATEWAY_STATE_TABLE"),
    ] {
        let mut variables = complete.clone();
        variables.retain(|(name, _)| *name != missing);
        let told = start(&variables).unwrap().to_string();
        assert!(told.contains(missing) && told.contains("is not set"), "{told}");
    }
}

#[test]
fn whether_integrations_have_metrics_of_their_own_is_said_in_one_of_two_words() {
    let metrics =
        |value: &str| PollMetrics::from_environment(environment(&[("TICKET_GATEWAY_POLL_METRICS", value)]));
    assert_eq!(metrics("").unwrap(), PollMetrics::default());
    assert!(!metrics("Together").unwrap().by_integration);
    let told = metrics("none").unwrap_err().to_string();
    assert!(
        told.contains("TICKET_GATEWAY_POLL_METRICS") && told.contains("`Together`"),
        "{told}"
    );
}

#[test]
fn a_missing_or_empty_variable_is_named() {
    for missing in [
        "TICKET_GATEWAY_INTEGRATIONS_TABLE",
        "TICKET_GATEWAY_STATE_TABLE",
        "TICKET_GATEWAY_SECRET_PREFIX",
        "AWS_ACCESS_KEY_ID",
    ] {
        let mut variables = COMPLETE;
        variables.iter_mut().find(|(name, _)| *name == missing).unwrap().1 = "";
        let error = Ports::from_environment(TasAction::CreateTicket, environment(&variables));
        let told = error.err().unwrap().to_string();
        assert!(told.contains(missing) && told.contains("is not set"), "{told}");
    }
}

#[test]
fn settings_have_defaults_and_wrong_ones_are_told() {
    let settings =
        Settings::from_environment(environment(&[("TICKET_GATEWAY_REFRESH_SECONDS", "")])).unwrap();
    assert_eq!(settings, Settings::default());
    for (variable, value) in [
        ("TICKET_GATEWAY_REFRESH_SECONDS", "soon"),
        ("TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS", "yes"),
        ("TICKET_GATEWAY_METRICS_NAMESPACE", "a b"),
    ] {
        let error = Settings::from_environment(environment(&[(variable, value)])).unwrap_err();
        assert!(
            error.is_environment() && error.to_string().contains(variable),
            "{error}"
        );
    }
}

#[test]
fn half_of_an_issuers_settings_is_told() {
    let issuer = ("TICKET_GATEWAY_JWT_ISSUER", "https://issuer.example/");
    let audience = ("TICKET_GATEWAY_JWT_AUDIENCE", "ticket-gateway");
    assert_eq!(
        AuthorizerSettings::from_environment(environment(&[]))
            .unwrap()
            .jwt,
        None
    );
    let told = AuthorizerSettings::from_environment(environment(&[issuer])).unwrap_err();
    assert!(told.to_string().contains("TICKET_GATEWAY_JWT_AUDIENCE"), "{told}");
    let told = AuthorizerSettings::from_environment(environment(&[audience])).unwrap_err();
    assert!(told.to_string().contains("TICKET_GATEWAY_JWT_ISSUER"), "{told}");
    let jwt = AuthorizerSettings::from_environment(environment(&[issuer, audience]))
        .unwrap()
        .jwt
        .unwrap();
    assert_eq!(jwt.jwks_url, "https://issuer.example/.well-known/jwks.json");
}

/// Counts the secrets that are read, or fails.
#[derive(Default)]
struct Counted {
    read: std::sync::Mutex<Vec<String>>,
    fails: bool,
}

#[async_trait]
impl SecretStore for Counted {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        self.read.lock().unwrap().push(format!("{integration}/{key}"));
        if self.fails {
            return Err(StorageError::unavailable("cannot read a secret", "no answer"));
        }
        Ok(None)
    }
}

#[tokio::test]
async fn only_the_secrets_of_active_integrations_are_read_ahead() {
    let (address, _) = upstream(Upstream::Good).await;
    let store = store(&address).await;
    let inactive = store.version("desk", 1).await.unwrap().unwrap().content;
    store.add("bench", inactive).await.unwrap();
    for fails in [false, true] {
        let secrets = Arc::new(Counted {
            fails,
            ..Counted::default()
        });
        let mut ports = ports(&store);
        ports.secrets = secrets.clone();
        let function = ActionFunction::new(TasAction::CreateTicket, ports, &settings()).unwrap();
        function.warm().await;
        assert_eq!(*secrets.read.lock().unwrap(), ["desk/api_key"]);
    }
}

#[tokio::test]
async fn an_empty_store_is_no_reason_not_to_start() {
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let function = ActionFunction::new(TasAction::CreateTicket, ports(&store), &settings()).unwrap();
    function.warm().await;
}
