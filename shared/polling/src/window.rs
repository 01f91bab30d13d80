//! The window of a run: where it starts and ends, and where the watermark goes after it (W1, W2, W3, W6, W10).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::settings::Boundary;
use crate::settings::{Order, Settings};
use crate::source::PageRequest;
use crate::time::{between, ceiling, earlier, floor, from_microseconds, later};

/// A difference of clocks up to this is not worth a word, and may be the way of the answer.
pub(crate) const TOLERATED_SKEW: Duration = Duration::from_secs(5);

/// A stretch of time by the ticketing system's clock, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Window {
    pub(crate) fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time <= self.end
    }
}

/// A window and what is known when it is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) window: Window,
    /// Where a window without a limit on its length would end.
    pub(crate) newest: Timestamp,
    /// Where the window ends at the latest if the ticketing system's clock is not to be believed.
    pub(crate) own_end: Timestamp,
}

/// The window of a run that starts now; none if there is nothing yet to read.
pub(crate) fn plan(
    watermark: Timestamp,
    now: Timestamp,
    skew_milliseconds: i64,
    settings: &Settings,
) -> Option<Plan> {
    let newest = floor(
        earlier(upstream_now(now, skew_milliseconds), settings.settle),
        settings.granularity,
    );
    let start = floor(earlier(watermark, settings.look_back), settings.granularity);
    let end = match settings.order {
        Order::Feed => newest,
        _ => newest.min(floor(later(watermark, longest(settings)), settings.granularity)),
    };
    (start < end).then_some(Plan {
        window: Window { start, end },
        newest,
        own_end: earlier(now, settings.settle),
    })
}

/// The ticketing system's time when it is `now` here. A small difference is let be.
fn upstream_now(now: Timestamp, skew_milliseconds: i64) -> Timestamp {
    if is_skewed(skew_milliseconds) {
        from_microseconds(
            now.as_microsecond()
                .saturating_add(skew_milliseconds.saturating_mul(1000)),
        )
    } else {
        now
    }
}

/// Whether two clocks differ by more than is tolerated.
pub(crate) fn is_skewed(skew_milliseconds: i64) -> bool {
    u128::from(skew_milliseconds.unsigned_abs()) > TOLERATED_SKEW.as_millis()
}

/// Its clock minus ours, in milliseconds, from an answer that was received at `received`.
pub(crate) fn skew(date: Timestamp, received: Timestamp) -> i64 {
    date.as_millisecond().saturating_sub(received.as_millisecond())
}

/// An end that the ticketing system's clock had passed, by its `settle`, when it was asked; the given one if it
/// had. `assumed` is the difference of clocks that the window was planned with. Never later than `end`.
pub(crate) fn believable_end(
    end: Timestamp,
    assumed_skew: i64,
    date: Timestamp,
    sent: Timestamp,
    received: Timestamp,
    settings: &Settings,
) -> Timestamp {
    let assumed = if is_skewed(assumed_skew) { assumed_skew } else { 0 };
    if !is_skewed(skew(date, received).saturating_sub(assumed)) {
        return end;
    }
    let asked_at = earlier(date, between(sent, received));
    end.min(floor(earlier(asked_at, settings.settle), settings.granularity))
}

/// The watermark after a window was read to its end. It never goes back.
///
/// `cursor` is the last change in the window. Without one, what is known is only that nothing was visible: the
/// watermark stays the look-back behind.
pub(crate) fn advance(
    watermark: Timestamp,
    window: Window,
    cursor: Option<Timestamp>,
    own_end: Timestamp,
    settings: &Settings,
) -> Timestamp {
    let idle = earlier(window.end.min(own_end), settings.look_back);
    let seen = cursor.map_or(watermark, |cursor| cursor.min(window.end));
    watermark.max(seen).max(idle)
}

/// The request that gives at least what lies in `part`, in the words of the ticketing system's filter.
///
/// The end of the whole window goes out as it is. The end of a part of it goes out one step later: a ticketing
/// system that shows whole seconds may compare fractions.
pub(crate) fn request(
    part: Window,
    whole: Window,
    token: Option<String>,
    settings: &Settings,
) -> PageRequest {
    let step = settings.granularity;
    let outside = match settings.boundary {
        Boundary::Inclusive => Duration::ZERO,
        Boundary::Exclusive => step,
    };
    let spare = if part.end < whole.end {
        step
    } else {
        Duration::ZERO
    };
    PageRequest {
        start: earlier(floor(part.start, step), outside),
        end: later(later(ceiling(part.end, step), outside), spare),
        token,
    }
}

/// The longest window that makes sense: a shorter one than this would not move an idle watermark.
fn longest(settings: &Settings) -> Duration {
    let least = settings.look_back.saturating_mul(2) + settings.granularity.saturating_mul(2);
    settings.max_window.max(least)
}
