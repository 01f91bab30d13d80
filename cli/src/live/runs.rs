//! Which lists of steps ran, and how far each came.

use actions::{Point, TasAction};
use integration::CompoundAction;
use jiff::Timestamp;
use mapping::Environment;
use serde_json::Value;

use crate::live::Live;
use crate::live::tape::{Entry, Exchange};

/// One run of a list of steps.
pub(crate) struct Run<'i> {
    /// The action, or what the gateway ran for it.
    pub(crate) name: String,
    pub(crate) compound: &'i CompoundAction,
    /// The steps that were reached, in order; a step that was done again is there again.
    pub(crate) steps: Vec<StepRun>,
    /// What the mappings saw after the last step; none where it did not come so far.
    pub(crate) at_return: Option<Value>,
    /// The time of the mappings: that of the case, or on a live system that of the action to a moment.
    now: Timestamp,
}

/// One step as it was reached.
pub(crate) struct StepRun {
    /// Its number, from 0.
    pub(crate) index: usize,
    /// What its mappings saw.
    pub(crate) bank: Value,
    /// What was sent for it.
    pub(crate) exchanges: Vec<Exchange>,
}

impl Run<'_> {
    /// What the mappings are explained with.
    pub(crate) fn environment(&self) -> Environment {
        Environment::at(self.now)
    }

    /// The step that it stopped at; none where it came to its end.
    pub(crate) fn stopped_at(&self) -> Option<&StepRun> {
        match self.at_return {
            Some(_) => None,
            None => self.steps.last(),
        }
    }
}

/// Sorts what happened by the list of steps it belongs to.
pub(crate) fn runs(live: &Live, action: TasAction, entries: Vec<Entry>) -> Vec<Run<'_>> {
    let integration = &live.installed.installation.integration;
    let now = live.clock.unwrap_or_else(Timestamp::now);
    let mut runs: Vec<Run<'_>> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Reached {
                compound,
                point,
                bank,
            } => {
                let is_same = |known: &CompoundAction| {
                    known.place.start == compound.start && known.place.source.name == compound.source.name
                };
                match point {
                    Point::Start => {
                        let found = integration.actions.iter().find(|(_, known)| is_same(known));
                        let own = integration.action(action).filter(|own| is_same(own));
                        let (name, compound) = match (own, found) {
                            (Some(own), _) => (action.key().to_owned(), own),
                            (None, Some((before, known))) => {
                                (format!("{before}, which the gateway does first"), known)
                            }
                            // The search of `safe_create`: its requests count as those of the run before it.
                            (None, None) => continue,
                        };
                        runs.push(Run {
                            name,
                            compound,
                            steps: Vec::new(),
                            at_return: None,
                            now,
                        });
                    }
                    _ => {
                        let Some(run) = runs.last_mut().filter(|run| is_same(run.compound)) else {
                            continue;
                        };
                        match point {
                            Point::Step(index) => run.steps.push(StepRun {
                                index,
                                bank,
                                exchanges: Vec::new(),
                            }),
                            _ => run.at_return = Some(bank),
                        }
                    }
                }
            }
            Entry::Sent(exchange) => {
                let step = runs.last_mut().and_then(|run| run.steps.last_mut());
                if let Some(step) = step {
                    step.exchanges.push(*exchange);
                }
            }
        }
    }
    runs
}
