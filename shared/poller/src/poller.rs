//! Runs one stream once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actions::{ApiError, Gateway, Installations, Installed};
use jiff::Timestamp;
use polling::{Clock, Limits, Outcome, Ports, Report, SystemClock};
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
pub struct Poller {
    ports: PollerPorts,
    interval: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl Poller {
    /// Over these ports.
    pub fn new(ports: PollerPorts) -> Self {
        Self {
            ports,
            interval: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Takes the time of windows, leases and waits from this clock instead of the machine's: for tests, and to try out
    /// another day. Requests and their time-outs still take real time.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Polls every stream in this interval, whatever its integration says.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// What it works with.
    pub fn ports(&self) -> &PollerPorts {
        &self.ports
    }

    /// Every stream there is. An integration that cannot be loaded is an error in the log, and its streams are missing.
    ///
    /// # Errors
    /// When the integrations cannot be listed.
    pub async fn streams(&self) -> Result<Vec<Stream>, PollError> {
        let mut streams = Vec::new();
        for name in self.ports.installations.names().await? {
            match self.ports.installations.find(&name).await {
                Ok(Some(installed)) => streams.extend(self.of(&installed)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(integration = name, error = error.message(), "it cannot be polled");
                }
            }
        }
        Ok(streams)
    }

    /// The streams of one integration; none where it is not polled.
    ///
    /// # Errors
    /// When there is no such integration, or it cannot be loaded.
    pub async fn streams_of(&self, integration: &str) -> Result<Vec<Stream>, PollError> {
        let installed = self.installed(integration).await?;
        Ok(self.of(&installed))
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
        self.run(key, owner, deadline, None).await
    }

    /// As [`Poller::poll`], but begins no page, except the first, once `turn` is over: for a stream beside others that
    /// wait for its end.
    ///
    /// # Errors
    /// When there is nothing to run; how a run went is in its report.
    pub async fn poll_in_turn(
        &self,
        key: &StreamKey,
        owner: String,
        deadline: Timestamp,
        turn: Duration,
    ) -> Result<Report, PollError> {
        self.run(key, owner, deadline, Some(turn)).await
    }

    async fn run(
        &self,
        key: &StreamKey,
        owner: String,
        deadline: Timestamp,
        turn: Option<Duration>,
    ) -> Result<Report, PollError> {
        let (installed, stream) = self.find(key).await?;
        let begun = Instant::now();
        let source = self.source(&installed, key);
        let mut limits = limits(&installed, owner, deadline);
        if let Some(turn) = turn {
            // A page that is begun at the end of the turn has all of its time.
            let end = self.clock.now().saturating_add(turn + limits.reserve);
            limits.deadline = end.map_or(deadline, |end| end.min(deadline));
        }
        let report = polling::run(key, &stream.settings, self.polling_ports(&source), &limits).await;
        let at = self.clock.now();
        let polled = Polled {
            stream: key,
            report: &report,
            lag: report.watermark.map(|watermark| polling::lag(watermark, at)),
            overdue: report.watermark.map(|watermark| match report.outcome {
                Outcome::CaughtUp => Duration::ZERO,
                _ => polling::overdue(watermark, at, report.skew_milliseconds, &stream.settings),
            }),
            duration: begun.elapsed(),
            at,
        };
        polled.log();
        if let Some(observer) = &self.ports.observer {
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

    fn of(&self, installed: &Installed) -> Vec<Stream> {
        let mut streams = streams_of(&installed.installation.integration);
        for stream in &mut streams {
            stream.settings.interval = self.interval.unwrap_or(stream.settings.interval);
        }
        streams
    }

    async fn installed(&self, name: &str) -> Result<Arc<Installed>, PollError> {
        let found = self.ports.installations.find(name).await?;
        found.ok_or_else(|| PollError::NoSuchStream(format!("there is no integration named `{name}`")))
    }

    async fn find(&self, key: &StreamKey) -> Result<(Arc<Installed>, Stream), PollError> {
        let name = &key.integration;
        let installed = self.installed(name).await?;
        let mut streams = self.of(&installed);
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
            Arc::clone(&self.ports.gateway),
            Arc::clone(installed),
            key.destination.clone(),
        )
    }

    fn polling_ports<'a>(&'a self, source: &'a GatewaySource) -> Ports<'a> {
        Ports {
            source,
            state: self.ports.state.as_ref(),
            sink: self.ports.sink.as_ref(),
            journal: self.ports.journal.as_deref(),
            clock: self.clock.as_ref(),
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
