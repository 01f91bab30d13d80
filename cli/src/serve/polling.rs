//! What `up` does beside answering requests: polls, and delivers to webhooks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actions::{Gateway, Installations};
use poller::timer::{Timer, TimerOptions};
use poller::webhook::{WebhookPorts, deliver_until};
use poller::{Poller, PollerPorts};
use polling::SystemClock;
use storage::embedded::EmbeddedStore;
use upstream::Courier;

use crate::failure::Failure;
use crate::install::secrets::BesideState;
use crate::install::state;
use crate::serve::background::Background;

/// How soon an event that was published is offered to webhooks.
const LOOK_FOR_EVENTS: Duration = Duration::from_secs(1);
/// How long deliveries under way may go on after Ctrl-C.
const STOP_TIME: Duration = Duration::from_secs(8);

/// The poller of this process: what it remembers and what it publishes is in `store`.
pub(crate) fn poller(
    gateway: Arc<Gateway>,
    installations: Arc<dyn Installations>,
    store: &EmbeddedStore,
    interval: Option<Duration>,
) -> Poller {
    let poller = Poller::new(PollerPorts {
        gateway,
        installations,
        state: Arc::new(store.clone()),
        sink: Arc::new(store.clone()),
        journal: Some(Arc::new(store.clone())),
        observer: None,
    });
    match interval {
        Some(interval) => poller.with_interval(interval),
        None => poller,
    }
}

/// Polls in the background.
pub(crate) fn poll(poller: Arc<Poller>, background: &mut Background) {
    let stop = background.stop();
    background.spawn(async move {
        Timer::new(poller, TimerOptions::default()).run(stop).await;
    });
}

/// Delivers to webhooks in the background. Their signing secrets are in the file beside the state file, where
/// `webhooks add` puts them.
///
/// # Errors
/// When that file cannot be used, or the HTTP client cannot be set up.
pub(crate) fn deliver(
    state_file: &Path,
    store: &EmbeddedStore,
    allow_private: bool,
    background: &mut Background,
) -> Result<(), Failure> {
    let ports = WebhookPorts {
        store: Arc::new(store.clone()),
        log: Arc::new(store.clone()),
        secrets: Arc::new(BesideState::open(state::secrets_file(state_file), "")?),
        courier: courier(allow_private)?,
        clock: Arc::new(SystemClock),
    };
    let stop = background.stop();
    background.spawn(deliver_until(ports, LOOK_FOR_EVENTS, STOP_TIME, stop));
    Ok(())
}

/// Sends to webhooks.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(crate) fn courier(allow_private: bool) -> Result<Courier, Failure> {
    let user_agent = concat!("ticket-gateway/", env!("CARGO_PKG_VERSION"));
    Courier::new(user_agent, allow_private).map_err(|error| Failure::failed(error.to_string()))
}
