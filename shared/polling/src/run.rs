//! One run of a stream: from the stored watermark through the windows to the next watermark (W5, W8, W10).

use std::time::Duration;

use jiff::Timestamp;
use storage::{
    EventSink, EventWindow, Lease, PollState, StorageError, StreamKey, StreamRecord, Swap, WriteJournal,
};

use crate::clock::Clock;
use crate::report::{Outcome, Report};
use crate::schedule::backoff;
use crate::settings::Settings;
use crate::source::{Page, Source, SourceError};
use crate::time::{between, later};
use crate::walk::{Stall, Step, Walk};
use crate::window::{advance, believable_end, plan, skew};

/// The longest wait that a ticketing system may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Characters of the reason why a row is no ticket, in the stream's record.
const MAX_REASON: usize = 300;

/// What a run works with.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The ticketing system.
    pub source: &'a dyn Source,
    /// What is remembered.
    pub state: &'a dyn PollState,
    /// Where events go.
    pub sink: &'a dyn EventSink,
    /// Which writes were our own; without it no event has a `caused_by`.
    pub journal: Option<&'a dyn WriteJournal>,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What a run has to keep to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A name that no other run has, such as the request id of the function.
    pub owner: String,
    /// When the run is stopped from outside.
    pub deadline: Timestamp,
    /// The most that a page takes, from asking for it to having published it. A page that may not be finished
    /// before the deadline is not begun.
    pub reserve: Duration,
}

/// Polls a stream once: up to now, or as far as the deadline lets it.
///
/// Everything that goes wrong is in the report and, for the next run to wait, in the stream's record. A run may
/// be dropped at any `await`; the next one takes over.
pub async fn run(key: &StreamKey, settings: &Settings, ports: Ports<'_>, limits: &Limits) -> Report {
    let now = ports.clock.now();
    let mut run = Run {
        settings,
        ports,
        limits,
        record: StreamRecord::new(key.clone(), now, now),
        walk: None,
        report: Report::default(),
    };
    let mut is_known = true;
    let outcome = match run.go(now).await {
        Ok(outcome) => outcome,
        Err(stop) => {
            is_known = !matches!(stop, Stop::NotLoaded(_));
            run.give_up(stop).await
        }
    };
    let mut report = run.report;
    report.outcome = outcome;
    // What was not read must not look like a stream that is up to date.
    report.watermark = is_known.then_some(run.record.watermark);
    report.skew_milliseconds = run.record.skew_milliseconds;
    report.failures = run.record.failures;
    report
}

/// Why a run ends before its window does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("{0}")]
    Source(#[from] SourceError),
    #[error("{0}")]
    Stall(#[from] Stall),
    #[error("{0}")]
    State(#[from] StorageError),
    #[error("the sink did not take events: {0}")]
    Sink(String),
    #[error("the records of the page's tickets were written by others each time")]
    Contended,
    #[error("another stream is publishing a change of ticket `{ticket}`")]
    Waiting { ticket: String, until: Timestamp },
    #[error("the lease ran out before the page was published")]
    LeaseOver,
    #[error("the watermark could not be read")]
    NotLoaded(#[source] StorageError),
    #[error("another run took the stream over")]
    Superseded,
}

pub(crate) struct Run<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) ports: Ports<'a>,
    pub(crate) limits: &'a Limits,
    pub(crate) record: StreamRecord,
    pub(crate) walk: Option<Walk>,
    pub(crate) report: Report,
}

impl Run<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    async fn go(&mut self, now: Timestamp) -> Result<Outcome, Stop> {
        self.load(now).await?;
        if let Some(outcome) = self.stay_away(now) {
            return Ok(outcome);
        }
        self.recover().await?;
        loop {
            let Some(mut walk) = self.saved_or_planned() else {
                return self.finish().await;
            };
            let step = self.read(&mut walk).await;
            self.walk = Some(walk);
            if step? == Step::Page {
                self.store_progress(None).await?;
                return Ok(Outcome::MoreToDo);
            }
            if let Some(outcome) = self.commit().await? {
                return Ok(outcome);
            }
        }
    }

    async fn load(&mut self, now: Timestamp) -> Result<(), Stop> {
        let key = &self.record.key;
        match self.ports.state.stream(key).await.map_err(Stop::NotLoaded)? {
            Some(record) => self.record = record,
            None => {
                // What changed in the last look-back is the first that is published.
                let began = plan(now, now, 0, self.settings).map_or(now, |plan| plan.window.start);
                self.record = StreamRecord::new(key.clone(), began, now);
            }
        }
        Ok(())
    }

    /// Whether this run has nothing to do.
    fn stay_away(&self, now: Timestamp) -> Option<Outcome> {
        let record = &self.record;
        if record.paused {
            return Some(Outcome::Paused);
        }
        if let Some(lease) = record.lease.as_ref().filter(|lease| now < lease.until) {
            return Some(Outcome::Busy { until: lease.until });
        }
        if let Some(until) = record.not_before.filter(|until| now < *until) {
            return Some(Outcome::NotDue { until });
        }
        // The same message twice, or two that were late: there would be nothing new.
        let next = record
            .caught_up_at
            .map(|last| later(last, self.settings.interval / 2));
        next.filter(|next| now < *next)
            .map(|until| Outcome::NotDue { until })
    }

    fn saved_or_planned(&mut self) -> Option<Walk> {
        // What an older version of the program saved and this one cannot read is read again from its start.
        let saved = self
            .record
            .saved
            .take()
            .and_then(|saved| serde_json::from_value(saved).ok());
        saved.or_else(|| {
            let record = &self.record;
            plan(
                record.watermark,
                self.now(),
                record.skew_milliseconds,
                self.settings,
            )
            .map(|plan| Walk::new(&plan))
        })
    }

    /// Reads and publishes the window, to its end (`Step::Done`) or as far as the deadline allows (`Step::Page`).
    async fn read(&mut self, walk: &mut Walk) -> Result<Step, Stop> {
        let mut first = true;
        loop {
            if !first {
                if self.is_near_deadline() {
                    return Ok(Step::Page);
                }
                // More than one page: let others stay away, and be able to go on from here.
                if self.lease_needs_renewal() {
                    self.hold(Some(walk), Vec::new()).await?;
                }
            }
            first = false;
            let asked_to = walk.window.end;
            let page = self.fetch(walk).await?;
            self.report.pages += 1;
            if walk.window.end <= walk.window.start {
                return Ok(Step::Done);
            }
            if walk.window.end < asked_to && page.next.is_some() {
                // The token is of the longer list that was asked for.
                walk.begin_again();
                continue;
            }
            self.note_unusable(&page.unusable);
            self.publish_page(walk, &page).await?;
            if walk.take(&page, self.settings)? == Step::Done {
                return Ok(Step::Done);
            }
        }
    }

    async fn fetch(&mut self, walk: &mut Walk) -> Result<Page, SourceError> {
        let sent = self.now();
        let page = self.ports.source.page(&walk.request(self.settings)).await?;
        let received = self.now();
        if let Some(date) = page.date {
            if !walk.begun {
                let assumed = self.record.skew_milliseconds;
                let end = believable_end(walk.window.end, assumed, date, sent, received, self.settings);
                walk.lower_end(end);
            }
            self.record.skew_milliseconds = skew(date, received);
        }
        Ok(page)
    }

    /// The stream's record has those of this run, so that the operator sees them as long as they are in its windows.
    fn note_unusable(&mut self, reasons: &[String]) {
        self.report.note_unusable(reasons);
        self.record.unusable = self.report.unusable;
        let first = self.report.unusable_reasons.first();
        self.record.unusable_reason = first.map(|reason| reason.chars().take(MAX_REASON).collect());
    }

    /// Notes the window as read. None: the stream is behind, and the run goes on.
    async fn commit(&mut self) -> Result<Option<Outcome>, Stop> {
        let Some(walk) = self.walk.take() else {
            return Ok(Some(Outcome::CaughtUp));
        };
        let now = self.now();
        let record = &mut self.record;
        record.watermark = advance(
            record.watermark,
            walk.window,
            walk.cursor,
            walk.own_end,
            self.settings,
        );
        record.saved = None;
        record.in_flight.clear();
        record.not_before = None;
        record.failures = 0;
        record.throttled = 0;
        record.last_error = None;
        self.report.window = Some(EventWindow {
            start: walk.window.start,
            end: walk.window.end,
        });
        let newest = plan(
            self.record.watermark,
            now,
            self.record.skew_milliseconds,
            self.settings,
        );
        let is_behind = newest
            .is_some_and(|next| between(walk.window.end, next.newest) > self.settings.interval)
            && walk.window.start < walk.window.end;
        let goes_on = is_behind && !self.is_near_deadline();
        self.record.caught_up_at = (!is_behind).then_some(now);
        if !goes_on {
            self.record.lease = None;
        }
        self.store().await?;
        Ok(match (goes_on, is_behind) {
            (true, _) => None,
            (false, true) => Some(Outcome::MoreToDo),
            (false, false) => Some(Outcome::CaughtUp),
        })
    }

    /// There is nothing to read yet.
    async fn finish(&mut self) -> Result<Outcome, Stop> {
        if self.record.lease.take().is_some() {
            self.record.in_flight.clear();
            self.store().await?;
        }
        Ok(Outcome::CaughtUp)
    }

    fn is_near_deadline(&self) -> bool {
        later(self.now(), self.limits.reserve) >= self.limits.deadline
    }

    fn lease_needs_renewal(&self) -> bool {
        let (now, renewed) = (self.now(), self.lease_end());
        let left = self.record.lease.as_ref().map(|lease| between(now, lease.until));
        left.is_none_or(|left| left < between(now, renewed) * 2 / 3)
    }

    /// Takes or renews the lease, in one write with the place in the window and the tickets that are about to be
    /// published.
    pub(crate) async fn hold(&mut self, walk: Option<&Walk>, in_flight: Vec<String>) -> Result<(), Stop> {
        self.record.lease = Some(Lease {
            owner: self.limits.owner.clone(),
            until: self.lease_end(),
        });
        if let Some(walk) = walk {
            self.record.saved = serde_json::to_value(walk).ok();
        }
        self.record.in_flight = in_flight;
        self.store().await
    }

    /// When a lease, or a claim on a ticket, that is taken now ends: a run does not outlive its deadline.
    pub(crate) fn lease_end(&self) -> Timestamp {
        later(self.now(), self.settings.lease).min(self.limits.deadline)
    }

    /// Saves the place and lets the stream go.
    async fn store_progress(&mut self, not_before: Option<Timestamp>) -> Result<(), Stop> {
        if let Some(walk) = &self.walk {
            self.record.saved = serde_json::to_value(walk).ok();
        }
        self.record.not_before = not_before;
        self.record.lease = None;
        self.store().await
    }

    /// The compare-and-swap that every step of a run ends in (W5).
    async fn store(&mut self) -> Result<(), Stop> {
        match self.ports.state.store_stream(&self.record).await? {
            Swap::Stored => {
                self.record.revision += 1;
                Ok(())
            }
            Swap::Conflict => Err(Stop::Superseded),
        }
    }

    /// Notes why the run ends, and when the next one may start.
    async fn give_up(&mut self, stop: Stop) -> Outcome {
        let now = self.now();
        let text = stop.to_string();
        match &stop {
            Stop::Superseded => return Outcome::Superseded,
            Stop::NotLoaded(error) => return Outcome::Failed(format!("{text}: {error}")),
            _ => {}
        }
        let (key, settings) = (&self.record.key, self.settings);
        let wait = |times| backoff(key, times, settings.interval, settings.backoff_ceiling);
        let limited = match &stop {
            Stop::Source(error) => error.rate_limit(),
            _ => None,
        };
        let outcome = if let Some(asked) = limited {
            self.record.throttled = self.record.throttled.saturating_add(1);
            let wait = asked
                .unwrap_or_else(|| wait(self.record.throttled))
                .min(LONGEST_WAIT);
            let until = later(now, wait);
            self.record.not_before = Some(until);
            Outcome::Throttled { until }
        } else if let Stop::Waiting { until, .. } = stop {
            self.record.not_before = Some(until);
            Outcome::NotDue { until }
        } else {
            let failures = self.record.failures.saturating_add(1);
            self.record.failures = failures;
            // The first failure costs nothing: the next run comes by itself.
            self.record.not_before = (failures > 1).then(|| later(now, wait(failures)));
            Outcome::Failed(text.clone())
        };
        self.record.last_error = Some(text);
        if let Some(walk) = &mut self.walk {
            // A token that is refused, leads nowhere, or fails again at once may be the reason.
            let fails_again = self.record.failures > 1 && self.report.pages == 0;
            let blames_token = match &stop {
                Stop::Source(error) => limited.is_none() && (!error.is_transient() || fails_again),
                Stop::Stall(_) => true,
                _ => false,
            };
            if blames_token {
                walk.restart();
            }
        }
        let not_before = self.record.not_before;
        // If this write fails too, the next run finds the lease or nothing, and does the work again.
        match self.store_progress(not_before).await {
            Err(Stop::Superseded) => Outcome::Superseded,
            _ => outcome,
        }
    }
}
