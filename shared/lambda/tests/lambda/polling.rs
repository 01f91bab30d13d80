//! What the tests of the two polling functions share: integrations that are polled, a queue and a sink in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;
use storage::{
    Acceptance, Event, EventSink, IntegrationStore, NewVersion, PollMessage, PollQueue, ScheduledStream,
    StorageError,
};

const POLLED: &str = include_str!("data/polled.yaml");

/// Makes a version of the polled integration active under a name.
pub(crate) async fn install(store: &EmbeddedStore, name: &str, address: &str) {
    push(store, name, address, POLLED, 30).await;
}

pub(crate) async fn push(
    store: &EmbeddedStore,
    name: &str,
    address: &str,
    yaml: &str,
    interval_seconds: u32,
) {
    let content = NewVersion {
        files: BTreeMap::from([("integration.yaml".to_owned(), yaml.to_owned())]),
        settings: json!({"base_url": address}).as_object().unwrap().clone(),
        note: "first".to_owned(),
        created_at: "2026-01-05T10:30:45Z".to_owned(),
        streams: vec![ScheduledStream {
            destination: None,
            interval_seconds,
        }],
        ..NewVersion::default()
    };
    let version = store.add(name, content).await.unwrap();
    store.activate(name, Some(version), None).await.unwrap();
}

/// A queue that keeps what is sent; it can refuse the orders of one integration.
#[derive(Default)]
pub(crate) struct Orders {
    sent: Mutex<Vec<(PollMessage, Duration)>>,
    refused: Option<&'static str>,
}

impl Orders {
    pub(crate) fn refusing(integration: &'static str) -> Self {
        Orders {
            refused: Some(integration),
            ..Orders::default()
        }
    }

    pub(crate) fn sent(&self) -> Vec<(PollMessage, Duration)> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl PollQueue for Orders {
    async fn send(&self, messages: &[(PollMessage, Duration)]) -> Result<(), StorageError> {
        let is_refused =
            |(message, _): &(PollMessage, Duration)| Some(&*message.stream.integration) == self.refused;
        if messages.iter().any(is_refused) {
            return Err(StorageError::unavailable("cannot send orders", "no answer"));
        }
        self.sent.lock().unwrap().extend_from_slice(messages);
        Ok(())
    }
}

/// A sink that keeps what it accepts.
#[derive(Default)]
pub(crate) struct Published(Mutex<Vec<Event>>);

impl Published {
    /// The integrations of the events, in order of their names.
    pub(crate) fn integrations(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let mut names: Vec<String> = events.iter().map(|event| event.integration.clone()).collect();
        names.sort();
        names
    }
}

#[async_trait]
impl EventSink for Published {
    fn batch_size(&self) -> usize {
        10
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        self.0.lock().unwrap().extend_from_slice(events);
        Ok(vec![Acceptance::Accepted; events.len()])
    }
}

/// Lines of metrics.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Value>>>);

impl Lines {
    pub(crate) fn sink(&self) -> lambda::Sink {
        let lines = Arc::clone(&self.0);
        Box::new(move |line: &str| lines.lock().unwrap().push(serde_json::from_str(line).unwrap()))
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }
}
