//! What an answer says of the system's own rate limit.
//!
//! Read without configuration: `Retry-After` of a 429 (RFC 9110 section 10.2.3), the `RateLimit` field of the
//! IETF draft "RateLimit header fields for HTTP" in its present form (`"default";r=50;t=30`) and its earlier one
//! (`limit=100, remaining=50, reset=30`), and the pairs `RateLimit-Remaining` and `-Reset`,
//! `X-RateLimit-…`, `X-Rate-Limit-…`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use mapping::Mapping;
use serde_json::Value;
use storage::Observation;

use super::backoff;
use super::exchange::Response;
use super::session::Session;
use crate::model::ResponseFormat;
use crate::reads::BodyReads;
use crate::request::Prepared;
use crate::response;

/// A system that asks for more is asked again after this time, lest one wrong header stops an integration.
const LONGEST_BLOCK: Duration = Duration::from_secs(60 * 60);
/// A reset above this number is a moment in seconds since 1970, not a number of seconds: 2001-09-09.
const SMALLEST_EPOCH: f64 = 1e9;
/// And one above this is in milliseconds.
const SMALLEST_EPOCH_MILLISECONDS: f64 = 1e12;
/// The headers that come in pairs: how many requests remain, and when the count begins anew.
const PAIRS: [(&str, &str); 3] = [
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
];

impl Session<'_> {
    /// Takes note of what an answer says of the limit: for this request in the answer, for all in the budget.
    pub(super) async fn heed(&self, prepared: &Prepared, response: &mut Response) {
        response.retry_after = backoff::retry_after(&response.headers);
        // Another host, that of the tokens, has limits of its own.
        if prepared.url.origin() != self.connector.base_url.origin() {
            return;
        }
        let (mut remaining, resets_in) = self.said(response);
        if response.status == 429 {
            // A system that refuses has nothing left, whatever it says.
            remaining = Some(0);
            response.retry_after = response.retry_after.or(resets_in);
        }
        let retry_after = response.retry_after.filter(|_| response.status == 429);
        if remaining.is_none() && retry_after.is_none() {
            return;
        }
        let observation = Observation {
            remaining,
            resets_in: resets_in.map(|time| time.min(LONGEST_BLOCK)),
            retry_after: retry_after.map(|time| time.min(LONGEST_BLOCK)),
        };
        let integration = &self.connector.integration;
        let observe = self.client.options.budget.observe(integration, observation);
        // The answer is there; that others do not hear of the limit is no reason to lose it.
        if let Ok(Err(error)) = tokio::time::timeout(self.left(), observe).await {
            tracing::warn!(%integration, %error, "cannot tell the rate budget what the system said");
        }
    }

    /// How many requests remain and the time until the reset, by the connector's mappings or else the headers.
    fn said(&self, response: &Response) -> (Option<u32>, Option<Duration>) {
        let (mut remaining, mut resets_in) = in_headers(&response.headers);
        let signals = &self.connector.rate_signals;
        if signals.remaining.is_none() && signals.resets_in_seconds.is_none() {
            return (remaining, resets_in);
        }
        let reads = BodyReads::of(signals.remaining.iter().chain(&signals.resets_in_seconds));
        let body = response::body(response, ResponseFormat::Json, &reads, &self.redactor).unwrap_or_default();
        let seen = response::object(response, body, self.action, &self.redactor);
        let evaluate = |mapping: &Mapping, key: &str| {
            let what = format!("`rate_limit.{key}`");
            match self.evaluate_after(mapping, &[("response", &seen)], &what) {
                Ok(Value::String(text)) => text,
                Ok(other) => other.to_string(),
                Err(error) => {
                    let integration = &self.connector.integration;
                    tracing::warn!(%integration, %error, "the rate limit cannot be read");
                    String::new()
                }
            }
        };
        if let Some(mapping) = &signals.remaining {
            remaining = count(&evaluate(mapping, "remaining"));
        }
        if let Some(mapping) = &signals.resets_in_seconds {
            resets_in = time_until(&evaluate(mapping, "resets_in_seconds"));
        }
        (remaining, resets_in)
    }
}

/// What the usual headers say: how many requests remain, and the time until the reset.
fn in_headers(headers: &HeaderMap) -> (Option<u32>, Option<Duration>) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some((remaining, resets_in)) = header("ratelimit").and_then(structured) {
        return (Some(remaining), resets_in);
    }
    let mut pairs = PAIRS.iter().filter_map(|(remaining, reset)| {
        let remaining = count(header(remaining)?)?;
        Some((Some(remaining), header(reset).and_then(time_until)))
    });
    pairs.next().unwrap_or_default()
}

/// The `RateLimit` field: of several policies, the one that is nearest to its end.
fn structured(text: &str) -> Option<(u32, Option<Duration>)> {
    let mut policies = Vec::new();
    // The earlier form is one policy, its parameters separated by commas.
    let (mut remaining, mut resets_in) = (None, None);
    for member in text.split(',') {
        let (mut r, mut t) = (None, None);
        for parameter in member.split(';') {
            match parameter.trim().split_once('=') {
                Some(("r", value)) => r = count(value),
                Some(("t", value)) => t = time_until(value),
                Some(("remaining", value)) => remaining = count(value),
                Some(("reset", value)) => resets_in = time_until(value),
                _ => {}
            }
        }
        policies.extend(r.map(|r| (r, t)));
    }
    policies.extend(remaining.map(|remaining| (remaining, resets_in)));
    policies
        .into_iter()
        .min_by_key(|(remaining, resets_in)| (*remaining, std::cmp::Reverse(*resets_in)))
}

/// A number of requests; what follows it (`10, 10;w=1`) is about the window.
fn count(text: &str) -> Option<u32> {
    let number = text.split([',', ';']).next()?.trim();
    let number: f64 = number.parse().ok()?;
    // More than fits is plenty; a system that owes is one with nothing left.
    number.is_finite().then_some(number as u32)
}

/// Seconds, a moment in seconds or milliseconds since 1970 (told by its size), or a date.
fn time_until(text: &str) -> Option<Duration> {
    let text = text.trim();
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let at = if let Ok(number) = text.parse::<f64>() {
        if number < SMALLEST_EPOCH {
            return Duration::try_from_secs_f64(number).ok();
        }
        let seconds = if number < SMALLEST_EPOCH_MILLISECONDS {
            number
        } else {
            number / 1000.0
        };
        Duration::try_from_secs_f64(seconds).ok()?
    } else {
        let parsed = text.parse::<Timestamp>();
        let at = parsed
            .or_else(|_| DateTimeParser::new().parse_timestamp(text))
            .ok()?;
        SystemTime::from(at).duration_since(UNIX_EPOCH).ok()?
    };
    Some(at.saturating_sub(since_1970))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> (Option<u32>, Option<u64>) {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let (remaining, resets_in) = in_headers(&headers);
        (remaining, resets_in.map(|time| time.as_secs()))
    }

    fn in_a_minute() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs() + 60
    }

    #[test]
    fn every_usual_spelling_is_read() {
        for (remaining, reset) in [
            ("RateLimit-Remaining", "RateLimit-Reset"),
            ("X-RateLimit-Remaining", "X-RateLimit-Reset"),
            ("X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"),
        ] {
            assert_eq!(read(&[(remaining, "7"), (reset, "30")]), (Some(7), Some(30)));
            assert_eq!(read(&[(remaining, "7, 9;w=1")]), (Some(7), None));
            assert_eq!(read(&[(remaining, "many"), (reset, "30")]), (None, None));
        }
        assert_eq!(read(&[]), (None, None));
    }

    #[test]
    fn the_draft_of_the_ietf_is_read_in_both_forms() {
        let read = |text| read(&[("RateLimit", text)]);
        assert_eq!(read("\"default\";r=50;t=30"), (Some(50), Some(30)));
        assert_eq!(read("limit=100, remaining=50, reset=30"), (Some(50), Some(30)));
        assert_eq!(
            read("\"burst\";r=9;t=1, \"day\";r=0;t=900, \"hour\";r=0;t=60"),
            (Some(0), Some(900))
        );
        assert_eq!(read("\"default\";r=50"), (Some(50), None));
        assert_eq!(read("?"), (None, None));
    }

    #[test]
    fn a_reset_is_seconds_or_a_moment_told_by_its_size() {
        let at = in_a_minute();
        let date = Timestamp::from_second(at as i64).unwrap().to_string();
        for moment in [at.to_string(), (at * 1000).to_string(), date] {
            let (_, reset) = read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &moment)]);
            assert!((58..=60).contains(&reset.unwrap()), "{moment} {reset:?}");
        }
        for past in [
            "1445412480",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "2015-10-21T07:28:00Z",
        ] {
            let (_, reset) = read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", past)]);
            assert_eq!(reset, Some(0), "{past}");
        }
        for nonsense in ["soon", "-5", "1e999", ""] {
            let (_, reset) = read(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", nonsense)]);
            assert_eq!(reset, None, "{nonsense}");
        }
    }
}
