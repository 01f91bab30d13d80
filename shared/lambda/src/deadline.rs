//! How long an invocation may take.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// API Gateway gives up an integration after this time ("Amazon API Gateway quotas").
const API_GATEWAY: Duration = Duration::from_secs(29);

/// What is left for writing down how the action ended and for the way back.
const MARGIN: Duration = Duration::from_millis(1000);

/// The time that an action may take from `now` on: it ends before Lambda stops the function and before API Gateway
/// answers without it, so that the caller gets the gateway's own answer.
///
/// `stop` is when Lambda stops the function; `received` when API Gateway got the request, which is earlier than now
/// by the authorizer's time and a cold start. None or a time that cannot be is taken as now.
pub(crate) fn time_left(now: SystemTime, stop: Option<SystemTime>, received: Option<SystemTime>) -> Duration {
    let waited = received
        .and_then(|received| now.duration_since(received).ok())
        .filter(|waited| *waited < API_GATEWAY)
        .unwrap_or_default();
    let of_api_gateway = API_GATEWAY.saturating_sub(waited);
    let of_lambda = stop.map_or(API_GATEWAY, |stop| stop.duration_since(now).unwrap_or_default());
    of_api_gateway.min(of_lambda).saturating_sub(MARGIN)
}

/// The time that an event gives in milliseconds since 1970; 0 stands for none.
pub(crate) fn from_epoch(milliseconds: i64) -> Option<SystemTime> {
    u64::try_from(milliseconds)
        .ok()
        .filter(|milliseconds| *milliseconds > 0)
        .map(|milliseconds| UNIX_EPOCH + Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_earlier_of_both_ends_counts() {
        let now = UNIX_EPOCH + seconds(1_000_000);
        let left = |stop: Option<u64>, received: Option<u64>| {
            time_left(
                now,
                stop.map(|after| now + seconds(after)),
                received.map(|before| now - seconds(before)),
            )
        };
        assert_eq!(left(None, None), seconds(28));
        assert_eq!(left(Some(60), None), seconds(28));
        assert_eq!(left(Some(10), None), seconds(9));
        assert_eq!(left(Some(60), Some(5)), seconds(23));
        // An event that is sent again later, or another clock, says nothing.
        assert_eq!(left(Some(60), Some(40)), seconds(28));
        assert_eq!(time_left(now, None, Some(now + seconds(3))), seconds(28));
        // Nothing is left.
        assert_eq!(left(Some(1), None), Duration::ZERO);
        assert_eq!(time_left(now, Some(now - seconds(1)), None), Duration::ZERO);
    }
}
