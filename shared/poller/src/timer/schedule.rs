//! When which stream is due.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use polling::due;
use storage::StreamKey;
use tokio::time::Instant;

use crate::streams::Stream;

/// The streams that are known. Times are those of the process's steady clock: one that is set back or forth does not
/// stop a stream.
pub(super) struct Schedule {
    /// The same moment on both clocks.
    begun: (Instant, Timestamp),
    slots: BTreeMap<StreamKey, Slot>,
}

struct Slot {
    interval: Duration,
    next: Instant,
    is_running: bool,
    /// Whether the last list had it.
    is_listed: bool,
}

impl Schedule {
    pub(super) fn new() -> Self {
        Self {
            begun: (Instant::now(), Timestamp::now()),
            slots: BTreeMap::new(),
        }
    }

    /// These streams and no others. What was known and has the same interval keeps its time.
    pub(super) fn set(&mut self, streams: Vec<Stream>) {
        for slot in self.slots.values_mut() {
            slot.is_listed = false;
        }
        let now = Instant::now();
        for Stream { key, settings } in streams {
            let interval = settings.interval;
            if let Some(slot) = self.slots.get_mut(&key)
                && slot.interval == interval
            {
                slot.is_listed = true;
                continue;
            }
            let next = self.due_after(&key, interval, now);
            let is_running = self.slots.get(&key).is_some_and(|slot| slot.is_running);
            let slot = Slot {
                interval,
                next,
                is_running,
                is_listed: true,
            };
            self.slots.insert(key, slot);
        }
        self.slots.retain(|_, slot| slot.is_listed || slot.is_running);
    }

    /// Takes the stream that has been due for the longest; it is running now.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<StreamKey> {
        let waiting = self
            .slots
            .iter_mut()
            .filter(|(_, slot)| slot.is_waiting() && slot.next <= now);
        let (key, slot) = waiting.min_by_key(|(_, slot)| slot.next)?;
        slot.is_running = true;
        Some(key.clone())
    }

    /// When the next stream is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waiting = self.slots.values().filter(|slot| slot.is_waiting());
        waiting.map(|slot| slot.next).min()
    }

    /// A run is over. The next one follows at once, or at the stream's next time.
    pub(super) fn ended(&mut self, key: &StreamKey, now: Instant, at_once: bool) {
        let Some(interval) = self.slots.get(key).map(|slot| slot.interval) else {
            return;
        };
        let next = match at_once {
            true => now,
            false => self.due_after(key, interval, now),
        };
        if let Some(slot) = self.slots.get_mut(key) {
            slot.is_running = false;
            slot.next = next;
        }
        self.slots.retain(|_, slot| slot.is_listed || slot.is_running);
    }

    /// The stream's first time after `now`.
    fn due_after(&self, key: &StreamKey, interval: Duration, now: Instant) -> Instant {
        let (instant, timestamp) = self.begun;
        let wall = timestamp
            .saturating_add(now.saturating_duration_since(instant))
            .unwrap_or(Timestamp::MAX);
        let delays = due(key, interval, wall, interval.saturating_mul(2));
        let delay = delays.into_iter().find(|delay| !delay.is_zero());
        now + delay.unwrap_or(interval)
    }
}

impl Slot {
    fn is_waiting(&self) -> bool {
        self.is_listed && !self.is_running
    }
}
