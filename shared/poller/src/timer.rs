//! Runs every stream at its times, in one process: what a schedule, a queue and workers do for a deployed gateway.

mod schedule;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use polling::{Outcome, Report};
use storage::StreamKey;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::poller::{PollError, Poller};
use crate::streams::Stream;
use schedule::Schedule;

/// A run is told to end by its deadline. One that is still there this much later hangs, and is dropped.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a timer runs: a [`Poller`], or something that stands for one.
#[async_trait]
pub trait Polls: Send + Sync {
    /// Every stream there is now.
    ///
    /// # Errors
    /// When they cannot be listed.
    async fn streams(&self) -> Result<Vec<Stream>, PollError>;

    /// Polls a stream once, until `deadline`. `owner` is a name that no other run has.
    ///
    /// # Errors
    /// When there is nothing to run; how a run went is in its report.
    async fn poll(&self, key: &StreamKey, owner: String, deadline: Timestamp) -> Result<Report, PollError>;
}

#[async_trait]
impl Polls for Poller {
    async fn streams(&self) -> Result<Vec<Stream>, PollError> {
        Poller::streams(self).await
    }

    async fn poll(&self, key: &StreamKey, owner: String, deadline: Timestamp) -> Result<Report, PollError> {
        Poller::poll(self, key, owner, deadline).await
    }
}

/// What a timer keeps to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerOptions {
    /// Runs at one time, at most; those that are due wait, the longest due first. At least 1.
    pub concurrency: usize,
    /// How often the streams are listed anew.
    pub refresh: Duration,
    /// The time that a run has. One that needs longer goes on in the next, which follows at once.
    pub run_time: Duration,
    /// How long runs under way may go on after the stop signal. Then they are dropped, and the next run takes over what
    /// they left.
    pub stop_time: Duration,
}

impl Default for TimerOptions {
    /// 16 runs, of at most 2 minutes; streams are listed every 5 s; 8 s to stop.
    fn default() -> Self {
        Self {
            concurrency: 16,
            refresh: Duration::from_secs(5),
            run_time: Duration::from_secs(120),
            stop_time: Duration::from_secs(8),
        }
    }
}

/// How a timer came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Every run ended by itself.
    InOrder,
    /// Runs were dropped. Nothing is lost by it; the log says how many.
    Cut,
}

/// Runs streams at their times.
///
/// A stream has one run at a time; a run that is due meanwhile is left out. A run that reports more to do is followed by
/// another at once, behind those that are due already. What goes wrong with one stream is in the log and in its record,
/// and no other stream notices.
pub struct Timer {
    polls: Arc<dyn Polls>,
    options: TimerOptions,
}

impl Timer {
    /// Over these streams.
    pub fn new(polls: Arc<dyn Polls>, options: TimerOptions) -> Self {
        Self { polls, options }
    }

    /// Runs until `stop` is there.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) -> Stopped {
        let mut stop = std::pin::pin!(stop);
        let mut rounds = Rounds {
            timer: self,
            schedule: Schedule::new(),
            under_way: JoinSet::new(),
            keys: HashMap::new(),
        };
        let mut listing: Option<Listing> = None;
        let mut listed_before = true;
        let mut refresh = interval(self.options.refresh.max(Duration::from_millis(10)));
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.start_due();
            let wake = rounds.wake();
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = rounds.under_way.join_next_with_id() => rounds.ended(ended),
                // Listing has a task of its own: a slow store holds up no run.
                _ = refresh.tick(), if listing.is_none() => listing = Some(self.list()),
                listed = finished(&mut listing) => {
                    listing = None;
                    listed_before = take_list(listed, listed_before, &mut rounds.schedule);
                }
                () = until(wake) => {}
            }
        }
        if let Some(listing) = listing {
            listing.abort();
        }
        rounds.stop().await
    }

    fn list(&self) -> Listing {
        let polls = Arc::clone(&self.polls);
        tokio::spawn(async move {
            match timeout(PATIENCE, polls.streams()).await {
                Ok(listed) => listed.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            }
        })
    }
}

type Listing = JoinHandle<Result<Vec<Stream>, String>>;

async fn finished(listing: &mut Option<Listing>) -> Result<Vec<Stream>, String> {
    match listing {
        Some(listing) => listing.await.unwrap_or_else(|error| Err(error.to_string())),
        None => std::future::pending().await,
    }
}

/// Where the streams cannot be listed, those that are known go on. Gives whether they could be.
fn take_list(listed: Result<Vec<Stream>, String>, listed_before: bool, schedule: &mut Schedule) -> bool {
    match listed {
        Ok(streams) => {
            schedule.set(streams);
            true
        }
        Err(error) => {
            // Once, and not every few seconds.
            if listed_before {
                tracing::error!(
                    error,
                    "the streams to poll cannot be listed; those that are known go on"
                );
            }
            false
        }
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

/// The runs under way, and when the next ones begin.
struct Rounds<'t> {
    timer: &'t Timer,
    schedule: Schedule,
    /// Gives whether the stream has more to do.
    under_way: JoinSet<bool>,
    keys: HashMap<Id, StreamKey>,
}

impl Rounds<'_> {
    fn has_room(&self) -> bool {
        self.under_way.len() < self.timer.options.concurrency.max(1)
    }

    fn start_due(&mut self) {
        while self.has_room() {
            let Some(key) = self.schedule.take_due(Instant::now()) else {
                return;
            };
            let run = run(
                Arc::clone(&self.timer.polls),
                key.clone(),
                self.timer.options.run_time,
            );
            let handle = self.under_way.spawn(run);
            self.keys.insert(handle.id(), key);
        }
    }

    /// When the next stream is due; never while there is no room for it.
    fn wake(&self) -> Option<Instant> {
        self.schedule.next_due().filter(|_| self.has_room())
    }

    fn ended(&mut self, ended: Result<(Id, bool), JoinError>) {
        let (id, has_more) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "a run of the poller ended unexpectedly");
                (error.id(), false)
            }
        };
        if let Some(key) = self.keys.remove(&id) {
            self.schedule.ended(&key, Instant::now(), has_more);
        }
    }

    async fn stop(mut self) -> Stopped {
        let finished = async { while self.under_way.join_next().await.is_some() {} };
        if timeout(self.timer.options.stop_time, finished).await.is_ok() {
            return Stopped::InOrder;
        }
        let left = self.under_way.len();
        self.under_way.shutdown().await;
        tracing::warn!(
            runs = left,
            "polls were still under way and are dropped; the next start goes on from there"
        );
        Stopped::Cut
    }
}

/// One run; whether another is to follow at once.
async fn run(polls: Arc<dyn Polls>, key: StreamKey, time: Duration) -> bool {
    let deadline = Timestamp::now().saturating_add(time).unwrap_or(Timestamp::MAX);
    let owner = format!("timer-{}", uuid::Uuid::new_v4());
    match timeout(time + PATIENCE, polls.poll(&key, owner, deadline)).await {
        // One that read nothing would say the same again.
        Ok(Ok(report)) => report.outcome == Outcome::MoreToDo && report.pages > 0,
        Ok(Err(error)) => {
            let (integration, destination) = (&key.integration, &key.destination);
            tracing::error!(integration, destination, %error, "the stream cannot be polled");
            false
        }
        Err(_) => {
            let (integration, destination) = (&key.integration, &key.destination);
            tracing::error!(
                integration,
                destination,
                "a poll did not end in time and was dropped"
            );
            false
        }
    }
}
