//! What an operator does to a stream. A run that is under way loses its next write and stops.

use jiff::Timestamp;
use storage::{
    Acceptance, EventCursor, EventLog, EventSink, PollState, StorageError, StreamKey, StreamRecord, Swap,
};

/// Writes that are tried against runs that write at the same time.
const ATTEMPTS: usize = 10;
/// Events that a replay has in memory.
const READ_AT_ONCE: usize = 100;

/// Stops a stream until [`resume`]. A stream that was never polled begins at `now`, paused.
///
/// # Errors
/// When the store fails.
pub async fn pause(
    state: &dyn PollState,
    key: &StreamKey,
    now: Timestamp,
) -> Result<StreamRecord, StorageError> {
    change(state, key, now, |record| record.paused = true).await
}

/// Lets a paused stream run again, at once, from its watermark.
///
/// # Errors
/// When the store fails.
pub async fn resume(
    state: &dyn PollState,
    key: &StreamKey,
    now: Timestamp,
) -> Result<StreamRecord, StorageError> {
    change(state, key, now, |record| {
        record.paused = false;
        record.not_before = None;
        record.failures = 0;
        record.throttled = 0;
    })
    .await
}

/// Puts the watermark to `to`, back or forth, and forgets a window that is half read. What was published and
/// is still remembered is not published again.
///
/// # Errors
/// When the store fails.
pub async fn rewind(
    state: &dyn PollState,
    key: &StreamKey,
    to: Timestamp,
    now: Timestamp,
) -> Result<StreamRecord, StorageError> {
    change(state, key, now, |record| {
        record.watermark = to;
        record.began = record.began.min(to);
        record.saved = None;
        // It is behind now, so the next run need not wait for half an interval.
        record.caught_up_at = None;
    })
    .await
}

/// How far a replay came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Events that the sink accepted.
    pub events: u64,
    /// The cursor behind the last of them: a replay that ended early goes on from here.
    pub cursor: Option<EventCursor>,
    /// Why the sink did not take the next one; none if the end of the log was reached.
    pub refused: Option<String>,
}

/// Offers the events of `integration` after `after` to a sink again, with the ids they had, in the log's order.
///
/// # Errors
/// [`StorageError::is_not_found`] when what follows `after` is no longer kept; otherwise when the log cannot be read.
pub async fn replay(
    log: &dyn EventLog,
    sink: &dyn EventSink,
    integration: &str,
    after: Option<EventCursor>,
) -> Result<Replayed, StorageError> {
    let mut replayed = Replayed {
        events: 0,
        cursor: after,
        refused: None,
    };
    loop {
        let mut logged = log
            .read(integration, replayed.cursor.as_ref(), READ_AT_ONCE)
            .await?
            .into_iter();
        let mut is_end = true;
        loop {
            // In order: the first that is refused ends it.
            let batch: Vec<_> = logged.by_ref().take(sink.batch_size().max(1)).collect();
            if batch.is_empty() {
                break;
            }
            is_end = false;
            let (cursors, events): (Vec<_>, Vec<_>) =
                batch.into_iter().map(|one| (one.cursor, one.event)).unzip();
            let answers = match sink.publish(&events).await {
                Ok(answers) => answers,
                Err(error) => vec![Acceptance::Refused(error.to_string())],
            };
            for (cursor, answer) in cursors.into_iter().zip(answers) {
                if let Acceptance::Refused(why) = answer {
                    replayed.refused = Some(why);
                    return Ok(replayed);
                }
                replayed.events += 1;
                replayed.cursor = Some(cursor);
            }
        }
        if is_end {
            return Ok(replayed);
        }
    }
}

async fn change(
    state: &dyn PollState,
    key: &StreamKey,
    now: Timestamp,
    edit: impl Fn(&mut StreamRecord) + Send + Sync,
) -> Result<StreamRecord, StorageError> {
    for _ in 0..ATTEMPTS {
        let stored = state.stream(key).await?;
        let mut record = stored.unwrap_or_else(|| StreamRecord::new(key.clone(), now, now));
        edit(&mut record);
        // The run that held it is out; the next one need not wait for its lease.
        record.lease = None;
        if state.store_stream(&record).await? == Swap::Stored {
            record.revision += 1;
            return Ok(record);
        }
    }
    let busy = "the stream's record was written by others each time; try again";
    Err(StorageError::failed("cannot change the stream", busy))
}
