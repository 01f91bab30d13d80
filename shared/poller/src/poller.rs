//! Runs one stream once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actions::{ApiError, Gateway, Installations, Installed};
use jiff::Timestamp;
use polling::{Limits, Ports, Report, SystemClock};
use storage::{Event, EventSink, PollState, StreamKey, WriteJournal};

use crate::observer::{PollObserver, Polled};
use crate::source::GatewaySource;
use crate::streams::{Stream, streams_of};

/// What a page may take beyond its request: reading and writing records, publishing.
const PUBLISHING: Duration = Duration::from_secs(10);

/// What a poller works with.
#[derive(Clone)]
pub struct PollerPorts {
    /// Asks the ticketing systems.
    pub gateway: Arc<Gateway>,
    /// The integrations, the same as the gateway's.
    pub installations: Arc<dyn Installations>,
    /// What is remembered of streams and tickets.
    pub state: Arc<dyn PollState>,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
    /// The gateway's own writes.
    pub journal: Option<Arc<dyn WriteJournal>>,
    /// Is told of every run.
    pub observer: Option<Arc<dyn PollObserver>>,
}

/// Why a stream could not be polled at all.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The integration cannot be loaded.
    #[error("{0}")]
    Integration(#[from] ApiError),
    /// There is no such stream: no such integration or destination, or it is not polled.
    #[error("{0}")]
    NoSuchStream(String),
}

/// Polls the streams of installed integrations. One per process.
pub struct Poller(PollerPorts);

impl Poller {
    /// Over these ports.
    pub fn new(ports: PollerPorts) -> Self {
        Self(ports)
    }

    /// What it works with.
    pub fn ports(&self) -> &PollerPorts {
        &self.0
    }

    /// Every stream there is. An integration that cannot be loaded is an error in the log, and its streams are missing.
    ///
    /// # Errors
    /// When the integrations cannot be listed.
    pub async fn streams(&self) -> Result<Vec<Stream>, PollError> {
        let mut streams = Vec::new();
        for name in self.0.installations.names().await? {
            match self.0.installations.find(&name).await {
                Ok(Some(installed)) => streams.extend(streams_of(&installed.installation.integration)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(integration = name, error = error.message(), "it cannot be polled");
                }
            }
        }
        Ok(streams)
    }

    /// Polls a stream once, until `deadline` at the latest. `owner` is a name that no other run has. Writes a line to the
    /// log and tells the observer.
    ///
    /// # Errors
    /// When there is nothing to run; how a run went is in its report.
    pub async fn poll(
        &self,
        key: &StreamKey,
        owner: String,
        deadline: Timestamp,
    ) -> Result<Report, PollError> {
        let (installed, stream) = self.find(key).await?;
        let begun = Instant::now();
        let source = self.source(&installed, key);
        let limits = limits(&installed, owner, deadline);
        let report = polling::run(key, &stream.settings, self.polling_ports(&source), &limits).await;
        let at = Timestamp::now();
        let polled = Polled {
            stream: key,
            report: &report,
            lag: report.watermark.map(|watermark| polling::lag(watermark, at)),
            duration: begun.elapsed(),
            at,
        };
        polled.log();
        if let Some(observer) = &self.0.observer {
            observer.polled(&polled);
        }
        Ok(report)
    }

    /// What [`Poller::poll`] would publish now. Nothing is stored or published.
    ///
    /// # Errors
    /// When there is nothing to run.
    pub async fn dry_run(
        &self,
        key: &StreamKey,
        deadline: Timestamp,
    ) -> Result<(Report, Vec<Event>), PollError> {
        let (installed, stream) = self.find(key).await?;
        let source = self.source(&installed, key);
        let limits = limits(&installed, "dry".to_owned(), deadline);
        Ok(polling::dry_run(key, &stream.settings, self.polling_ports(&source), &limits).await)
    }

    async fn find(&self, key: &StreamKey) -> Result<(Arc<Installed>, Stream), PollError> {
        let name = &key.integration;
        let installed = self
            .0
            .installations
            .find(name)
            .await?
            .ok_or_else(|| PollError::NoSuchStream(format!("there is no integration named `{name}`")))?;
        let mut streams = streams_of(&installed.installation.integration);
        let Some(place) = streams.iter().position(|stream| stream.key == *key) else {
            let message = match (&key.destination, streams.as_slice()) {
                (_, []) => {
                    format!("the integration `{name}` is not polled; its `polling` says so or is missing")
                }
                (Some(destination), _) => {
                    format!("the integration `{name}` is not polled by a destination `{destination}`")
                }
                (None, _) => format!("the integration `{name}` is polled by destination; name one"),
            };
            return Err(PollError::NoSuchStream(message));
        };
        Ok((installed, streams.swap_remove(place)))
    }

    fn source(&self, installed: &Arc<Installed>, key: &StreamKey) -> GatewaySource {
        GatewaySource::new(
            Arc::clone(&self.0.gateway),
            Arc::clone(installed),
            key.destination.clone(),
        )
    }

    fn polling_ports<'a>(&'a self, source: &'a GatewaySource) -> Ports<'a> {
        Ports {
            source,
            state: self.0.state.as_ref(),
            sink: self.0.sink.as_ref(),
            journal: self.0.journal.as_deref(),
            clock: &SystemClock,
        }
    }
}

fn limits(installed: &Installed, owner: String, deadline: Timestamp) -> Limits {
    Limits {
        owner,
        deadline,
        reserve: installed.installation.connector.action_timeout + PUBLISHING,
    }
}
