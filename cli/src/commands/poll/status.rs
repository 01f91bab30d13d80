//! `poll status`: how each stream is doing.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use polling::{due, lag};
use serde_json::{Map, Value, json};
use storage::StreamRecord;

use super::streams::{Choice, Known, chosen, known, shown};
use crate::failure::Failure;
use crate::moments;
use crate::names;
use crate::output::Output;
use crate::tables;
use crate::target::TargetArguments;

/// A stream is late when so many runs are missing,
const MISSED_RUNS: u32 = 3;
/// and this much time, which orders may wait and a run may take.
const SLACK: Duration = Duration::from_secs(120);

/// Show every stream: how far it is, what its last run came to, when the next one is
///
/// WATERMARK: what changed up to then is published. LAG: how long ago that is; without changes it stays at about the
/// look-back and the settle time of the integration (130 s). CAUGHT_UP: when a run last had published everything.
/// UNUSABLE_ROWS: rows of the last run that the integration could not make tickets of, and of which nothing is published.
/// An integration that `up` serves from a folder, and not from what was pushed, shows no NEXT_RUN.
///
/// STATE is `late` where a run is missing: the last one was three intervals and two minutes ago, and nothing makes the
/// stream wait. Then nobody polls it, or its integration cannot be loaded.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway poll status --stack prod
  ticket-gateway poll status --json | jq '.[] | select(.failures > 0)'")]
pub(super) struct Arguments {
    /// The integration [default: all]
    #[arg(value_parser = names::integration)]
    name: Option<String>,

    /// Print a JSON array instead of a table, with everything that is known
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let streams = match &arguments.name {
        None => known(&target, None).await?,
        Some(name) => {
            let choice = Choice {
                name: name.clone(),
                destination: None,
            };
            chosen(&target, &choice).await?
        }
    };
    let now = Timestamp::now();
    if arguments.json {
        let all = streams.iter().map(|stream| described(stream, now)).collect();
        return Ok(output.json(&Value::Array(all), false)?);
    }
    let rows: Vec<_> = streams.iter().map(|stream| row(stream, now)).collect();
    output.text(&tables::rows(&rows))?;
    for stream in &streams {
        let reason = stream
            .record
            .as_ref()
            .and_then(|record| record.unusable_reason.as_ref());
        if let Some(reason) = reason {
            let stream = shown(&stream.key);
            output.warning(&format!("`{stream}`: a row cannot be made a ticket: {reason}"));
        }
    }
    if streams.is_empty() {
        output.help(&format!(
            "push an integration that has `polling` enabled: ticket-gateway push DIR --name NAME{}",
            target.options
        ));
    }
    Ok(())
}

fn row(stream: &Known, now: Timestamp) -> Map<String, Value> {
    let record = stream.record.as_ref();
    let watermark = record.map(|record| record.watermark);
    let ago = |moment: Timestamp| format!("{} ago", moments::stretch(moments::since(moment, now)));
    let in_time = |moment: Timestamp| match moments::since(now, moment) {
        Duration::ZERO => "now".to_owned(),
        wait => format!("in {}", moments::stretch(wait)),
    };
    let row = json!({
        "stream": shown(&stream.key),
        "state": state(stream, now),
        "watermark": watermark.map(moments::shown),
        "lag": watermark.map(|watermark| moments::stretch(lag(watermark, now))),
        "caught_up": record.and_then(|record| record.caught_up_at).map(ago),
        "next_run": next_run(stream, now).map(in_time),
        "failures": record.map(|record| record.failures),
        "unusable_rows": record.map(|record| record.unusable),
        "last_error": record.and_then(|record| record.last_error.clone()),
    });
    into_row(row)
}

fn described(stream: &Known, now: Timestamp) -> Value {
    let record = stream.record.as_ref();
    json!({
        "integration": stream.key.integration,
        "destination": stream.key.destination,
        "state": state(stream, now),
        "paused": record.is_some_and(|record| record.paused),
        "watermark": record.map(|record| record.watermark),
        "lag_seconds": record.map(|record| lag(record.watermark, now).as_secs()),
        "caught_up_at": record.and_then(|record| record.caught_up_at),
        "interval_seconds": stream.interval.map(|interval| interval.as_secs()),
        "next_run_at": next_run(stream, now),
        "not_before": record.and_then(|record| record.not_before),
        "failures": record.map_or(0, |record| record.failures),
        "throttled": record.map_or(0, |record| record.throttled),
        "last_error": record.and_then(|record| record.last_error.clone()),
        "unusable_rows": record.map_or(0, |record| record.unusable),
        "unusable_reason": record.and_then(|record| record.unusable_reason.clone()),
        "running_until": record.and_then(|record| lease_end(record, now)),
        "skew_milliseconds": record.map(|record| record.skew_milliseconds),
    })
}

/// In one word or two.
fn state(stream: &Known, now: Timestamp) -> &'static str {
    let Some(record) = &stream.record else {
        return "never polled";
    };
    if record.paused {
        "paused"
    } else if stream.interval.is_none() && lease_end(record, now).is_none() && is_old(record, now) {
        "not polled any more"
    } else if stream
        .interval
        .is_some_and(|interval| is_late(record, interval, now))
    {
        "late"
    } else if record.failures > 0 {
        "failing"
    } else if record.throttled > 0 {
        "throttled"
    } else if lease_end(record, now).is_some() {
        "running"
    } else if record.caught_up_at.is_none() {
        "behind"
    } else {
        "ok"
    }
}

/// A run should have been there, and none was. Of a stream that never caught up nothing says when one last was.
fn is_late(record: &StreamRecord, interval: Duration, now: Timestamp) -> bool {
    let lease = record.lease.as_ref().map(|lease| lease.until);
    let last = [record.caught_up_at, record.not_before, lease]
        .into_iter()
        .flatten()
        .max();
    last.is_some_and(|last| moments::since(last, now) > interval * MISSED_RUNS + SLACK)
}

/// The longest interval there is has passed since.
fn is_old(record: &StreamRecord, now: Timestamp) -> bool {
    let last = record.caught_up_at.unwrap_or(record.watermark);
    moments::since(last, now) > Duration::from_secs(2 * 3600)
}

fn lease_end(record: &StreamRecord, now: Timestamp) -> Option<Timestamp> {
    let lease = record.lease.as_ref();
    lease.map(|lease| lease.until).filter(|until| now < *until)
}

/// When the schedule has the stream next, and it may run.
fn next_run(stream: &Known, now: Timestamp) -> Option<Timestamp> {
    let interval = stream.interval?;
    let record = stream.record.as_ref();
    if record.is_some_and(|record| record.paused) {
        return None;
    }
    let not_before = record.and_then(|record| record.not_before);
    let from = not_before.map_or(now, |not_before| not_before.max(now));
    let delay = due(&stream.key, interval, from, interval + Duration::from_secs(1))
        .into_iter()
        .next()?;
    from.checked_add(delay).ok()
}

fn into_row(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use storage::{Lease, StreamKey};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + seconds).unwrap()
    }

    /// A stream that is polled every 30 s and had everything published at 0.
    fn stream(edit: impl FnOnce(&mut StreamRecord)) -> Known {
        let key = StreamKey {
            integration: "desk".to_owned(),
            destination: None,
        };
        let mut record = StreamRecord::new(key.clone(), at(-1000), at(-130));
        record.caught_up_at = Some(at(0));
        edit(&mut record);
        Known {
            key,
            interval: Some(Duration::from_secs(30)),
            record: Some(record),
        }
    }

    #[test]
    fn a_stream_that_nobody_polls_is_late() {
        assert_eq!(state(&stream(|_| {}), at(200)), "ok");
        assert_eq!(state(&stream(|_| {}), at(211)), "late");
        assert_eq!(state(&stream(|record| record.failures = 1), at(211)), "late");
        let waited = stream(|record| {
            record.failures = 9;
            record.not_before = Some(at(900));
        });
        assert_eq!(state(&waited, at(1111)), "late");
    }

    #[test]
    fn a_stream_that_waits_or_runs_or_rests_is_not_late() {
        let fails = stream(|record| {
            record.failures = 9;
            record.not_before = Some(at(900));
        });
        assert_eq!(state(&fails, at(899)), "failing");
        let held = stream(|record| {
            let (owner, until) = ("a".to_owned(), at(600));
            record.lease = Some(Lease { owner, until });
        });
        assert_eq!(state(&held, at(599)), "running");
        assert_eq!(state(&stream(|record| record.paused = true), at(9000)), "paused");
        let catches_up = stream(|record| record.caught_up_at = None);
        assert_eq!(state(&catches_up, at(9000)), "behind");
    }
}
