//! Goes on from event to event, of one integration or of all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use storage::{EventCursor, LoggedEvent, StorageError};
use tokio::time::{Instant, sleep};

use super::tail::polled;
use crate::failure::Failure;
use crate::output::Output;
use crate::serve::stop::StopSignals;
use crate::target::Target;

/// How many events are read at once.
const AT_ONCE: usize = 100;

/// How often the log is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked for integrations that are polled by now.
const SEARCH_HERE_EVERY: Duration = Duration::from_secs(2);

/// The same for a deployed gateway, where it is a scan of a table.
const SEARCH_STACK_EVERY: Duration = Duration::from_secs(60);

/// The longest pause after a store that did not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where to begin.
#[derive(Debug, Clone)]
pub(super) enum Start {
    /// With what comes.
    Now,
    /// With the oldest event that is kept.
    Oldest,
    /// Behind a place.
    After(EventCursor),
}

/// Prints an event.
pub(super) type Print<'p> = dyn Fn(&mut Output, &LoggedEvent) -> io::Result<()> + 'p;

/// Reads the logs of one integration or of all.
pub(super) struct Follower<'t> {
    target: &'t Target,
    /// The only integration; none for all that are polled.
    only: Option<String>,
    start: Start,
    /// The place in the log of each integration.
    places: BTreeMap<String, Option<EventCursor>>,
}

impl<'t> Follower<'t> {
    /// Of `only`, or of all that are polled.
    pub(super) fn new(target: &'t Target, only: Option<String>, start: Start) -> Self {
        Self {
            target,
            only,
            start,
            places: BTreeMap::new(),
        }
    }

    /// The place in the log, where it is only one.
    pub(super) fn place(&self) -> Option<&EventCursor> {
        self.places.get(self.only.as_ref()?)?.as_ref()
    }

    /// Takes its place in each log. An integration that is polled only later has all its events to come.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn begin(&mut self, polled: BTreeSet<String>) -> Result<(), Failure> {
        let names = match &self.only {
            Some(only) => BTreeSet::from([only.clone()]),
            None => polled,
        };
        for name in names {
            let place = match &self.start {
                Start::Now => self.target.events.end(&name).await?,
                Start::Oldest => None,
                Start::After(cursor) => Some(cursor.clone()),
            };
            self.places.insert(name, place);
        }
        Ok(())
    }

    /// Prints events until Ctrl-C. A store that does not answer is asked again.
    ///
    /// # Errors
    /// When the store fails for good, or the events that follow are not kept any more.
    pub(super) async fn follow(
        &mut self,
        polled: BTreeSet<String>,
        output: &mut Output,
        print: &Print<'_>,
    ) -> Result<(), Failure> {
        let mut signals = StopSignals::listen()?;
        self.begin(polled).await?;
        self.say_what_is_waited_for(output);
        let search_every = match self.target.usage_plan {
            Some(_) => SEARCH_STACK_EVERY,
            None => SEARCH_HERE_EVERY,
        };
        let following = async {
            let mut pause = LOOK_EVERY;
            let mut searched = Instant::now();
            loop {
                let round = async {
                    if self.only.is_none() && searched.elapsed() >= search_every {
                        self.search(output).await?;
                        searched = Instant::now();
                    }
                    self.read_all(output, print).await
                };
                match round.await {
                    Ok(()) => pause = LOOK_EVERY,
                    Err(Stop::Storage(_, error)) if error.is_unavailable() => {
                        if pause == LOOK_EVERY {
                            output.warning(&format!("{error}; trying again"));
                        }
                        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                    }
                    Err(stop) => return Err(self.failure(stop)),
                }
                sleep(pause).await;
            }
        };
        tokio::select! {
            ended = following => ended,
            () = signals.next() => Ok(()),
        }
    }

    /// Prints what there is.
    ///
    /// # Errors
    /// As [`Follower::follow`], and when the store does not answer.
    pub(super) async fn read(&mut self, output: &mut Output, print: &Print<'_>) -> Result<(), Failure> {
        let read = self.read_all(output, print).await;
        read.map_err(|stop| self.failure(stop))
    }

    async fn read_all(&mut self, output: &mut Output, print: &Print<'_>) -> Result<(), Stop> {
        for (name, place) in &mut self.places {
            loop {
                let read = self.target.events.read(name, place.as_ref(), AT_ONCE).await;
                let read = read.map_err(|error| Stop::Storage(Some(name.clone()), error))?;
                if read.is_empty() {
                    break;
                }
                for logged in read {
                    print(output, &logged)?;
                    *place = Some(logged.cursor);
                }
            }
        }
        Ok(())
    }

    /// Adds integrations that were not polled before: of them, every event is new.
    async fn search(&mut self, output: &mut Output) -> Result<(), Stop> {
        for name in polled(self.target).await? {
            if let Entry::Vacant(new) = self.places.entry(name) {
                output.remark(&format!("`{}` is polled by now", new.key()));
                new.insert(None);
            }
        }
        Ok(())
    }

    fn say_what_is_waited_for(&self, output: &mut Output) {
        let names: Vec<&str> = self.places.keys().map(String::as_str).collect();
        if names.is_empty() {
            output.remark("nothing is polled here yet; waiting (Ctrl-C ends)");
        } else {
            output.remark(&format!("events of {} (Ctrl-C ends)", names.join(", ")));
        }
    }

    fn failure(&self, stop: Stop) -> Failure {
        match stop {
            Stop::Storage(Some(name), error) if error.is_not_found() => {
                let options = &self.target.options;
                Failure::failed(error.to_string()).help(format!(
                    "some events of `{name}` were missed; begin with the oldest that is kept: ticket-gateway events \
                     tail {name} --from-start{options}"
                ))
            }
            Stop::Storage(_, error) => error.into(),
            Stop::Output(error) => error.into(),
        }
    }
}

/// Why reading stopped.
enum Stop {
    /// The store failed, in the log of this integration.
    Storage(Option<String>, StorageError),
    /// Nobody reads what is printed.
    Output(io::Error),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Stop::Storage(None, error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Output(error)
    }
}
