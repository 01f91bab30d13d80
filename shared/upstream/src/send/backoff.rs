//! How long to wait before another attempt.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::fmt::rfc2822::DateTimeParser;
use rand::Rng;

use crate::model::RetryPolicy;

/// A random time below a bound that doubles with each attempt ("full jitter"), so that many callers that
/// failed together do not come back together.
pub(super) fn jitter(policy: &RetryPolicy, attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let bound = policy.initial_delay.saturating_mul(doubled).min(policy.max_delay);
    bound.mul_f64(rand::rng().random_range(0.0..=1.0))
}

/// What `Retry-After` asks for: seconds or a date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at: SystemTime = DateTimeParser::new().parse_timestamp(text).ok()?.into();
    Some(at.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let far = asked("Fri, 31 Dec 2100 23:59:59 GMT").unwrap();
        assert!(far > Duration::from_secs(86_400 * 365), "{far:?}");
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn waits_are_random_below_a_bound_that_doubles() {
        let policy = RetryPolicy {
            max_attempts: 9,
            initial_delay: Duration::from_millis(100),
            max_delay: Duration::from_millis(300),
        };
        for (attempt, bound) in [(1, 100), (2, 200), (3, 300), (40, 300)] {
            for _ in 0..50 {
                assert!(jitter(&policy, attempt) <= Duration::from_millis(bound));
            }
        }
    }
}
