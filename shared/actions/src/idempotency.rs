//! A write that is sent twice with one idempotency key is carried out once.
//!
//! Kept are the answers of writes that changed something or may have: a success, and the errors whose
//! outcome is `unknown`, `partly_done` or `done`. After `not_sent` and `refused` the key is free again, because
//! another try can do no harm. A call that died frees its key when its time is up. A write that comes while the
//! same one is under way waits for its answer.

use std::time::{Duration, SystemTime};

use integration::contract::TasAction;
use rand::Rng;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use storage::{Begin, IdempotencyStore, StorageError, hexadecimal};
use tokio::time::{Instant, sleep};

use crate::error::outcome::Outcome;
use crate::error::{ApiError, ErrorCode};

/// How long an answer is kept: long enough for a caller that tries again the next morning.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How much longer than an action may take its claim on the key holds.
const GRACE: Duration = Duration::from_secs(5);

/// How soon the end of the same write, carried out by somebody else, is asked for; then after twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest key, as the header's description says.
pub(crate) const MAX_KEY_LENGTH: usize = 255;

/// Whether a text can be an idempotency key: 1 to 255 visible ASCII characters.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=MAX_KEY_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A claimed key.
pub(crate) struct Claim<'s> {
    store: &'s dyn IdempotencyStore,
    key: String,
    deadline: SystemTime,
    now: SystemTime,
    claimed: Instant,
    resumed: bool,
}

/// What became of an attempt to claim a key.
pub(crate) enum Claimed<'s> {
    /// Carry the write out, then [`Claim::settle`].
    Ours(Claim<'s>),
    /// It was carried out before; this was its end.
    Before(Result<Value, ApiError>),
}

/// One write, as the store tells it from another.
pub(crate) struct Write {
    key: String,
    fingerprint: String,
}

impl Write {
    /// What tells this request from another with the same key.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The write with the caller's `key`, known by everything that was sent, in whatever order: a caller that
    /// writes its request anew may write the fields of an object in another one.
    pub(crate) fn new(integration: &str, action: TasAction, key: &str, input: &Value) -> Self {
        let mut input = input.clone();
        input.sort_all_objects();
        let mut hash = Sha256::new();
        hash.update(action.key());
        hash.update([0]);
        hash.update(input.to_string());
        let fingerprint = hexadecimal(&hash.finalize());
        Write {
            key: format!("{integration}/{key}"),
            fingerprint,
        }
    }
}

/// Claims a write's key. `time` is how long the write may take, waiting included: while somebody else carries the
/// same write out, this waits for their answer.
pub(crate) async fn claim<'s>(
    store: &'s dyn IdempotencyStore,
    write: &Write,
    time: Duration,
    now: SystemTime,
) -> Result<Claimed<'s>, ApiError> {
    let asked = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let now = now + asked.elapsed();
        let deadline = now + time + GRACE;
        let begun = store
            .begin(&write.key, &write.fingerprint, deadline, now)
            .await
            .map_err(|error| unavailable(&error))?;
        let claim = |resumed| Claim {
            store,
            key: write.key.clone(),
            deadline,
            now,
            claimed: Instant::now(),
            resumed,
        };
        // Whoever takes a write over needs the time to do it.
        let is_late = |waited: Duration| waited > time / 2;
        let until = match begun {
            Begin::Started if is_late(asked.elapsed()) => {
                report(store.abandon(&write.key, deadline).await);
                return Err(in_progress(Duration::from_secs(1)));
            }
            Begin::Started => return Ok(Claimed::Ours(claim(false))),
            Begin::Resumed => return Ok(Claimed::Ours(claim(true))),
            Begin::Replay(kept) => return Ok(Claimed::Before(restore(kept))),
            Begin::Conflict => {
                return Err(ApiError::new(
                    ErrorCode::Conflict,
                    "this Idempotency-Key was used for another request; a new request needs a new key",
                ));
            }
            Begin::InProgress { until } => until,
        };
        let wait = pause.mul_f64(rand::rng().random_range(0.5..=1.0));
        let waited = asked.elapsed() + wait;
        let frees_itself = now + wait >= until;
        if waited >= time || (frees_itself && is_late(waited)) {
            return Err(in_progress(until.duration_since(now).unwrap_or_default()));
        }
        sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn in_progress(retry_in: Duration) -> ApiError {
    ApiError::new(
        ErrorCode::Conflict,
        "a request with this Idempotency-Key is being carried out; send it again to get its answer",
    )
    .retry_in(Some(retry_in.max(Duration::from_secs(1))))
}

/// Nothing was sent yet, so the same request can be sent again.
fn unavailable(error: &StorageError) -> ApiError {
    tracing::error!(%error, "the idempotency store failed, so a write was not begun");
    ApiError::internal(
        "nothing was changed: the gateway could not note the Idempotency-Key; send the request again in a moment",
    )
    .retry_in(Some(Duration::from_secs(1)))
}

impl Claim<'_> {
    /// Whether an earlier request with this key ended without a result: it may have been carried out.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Leaves the key claimed until its deadline, for an end in doubt that the same request can clear up when it is
    /// sent again. Says so in the error.
    pub(crate) fn leave(self, error: ApiError) -> ApiError {
        let whole = self.deadline.duration_since(self.now).unwrap_or_default();
        let left = whole.saturating_sub(self.claimed.elapsed());
        error
            .and_say(
                "The same request with the same Idempotency-Key, sent again after the time in Retry-After, looks for \
                 the ticket first",
            )
            .retry_in(Some(left))
    }

    /// Keeps the end of the write, or frees the key where nothing was changed.
    pub(crate) async fn settle(self, end: &Result<Value, ApiError>, outcome: Outcome) {
        let settled = if end.is_err() && outcome.is_harmless() {
            self.store.abandon(&self.key, self.deadline).await
        } else {
            let until = self.now + KEPT;
            match self
                .store
                .finish(&self.key, self.deadline, keep(end), until)
                .await
            {
                // Without a record the same write would be carried out again.
                Err(error) if error.is_too_large() => {
                    tracing::warn!(%error, "an answer is too large to be kept; a repeated request is told so");
                    let instead = keep(&Err(too_large(end, outcome)));
                    self.store.finish(&self.key, self.deadline, instead, until).await
                }
                settled => settled,
            }
        };
        report(settled);
    }
}

/// The write is over, so its caller gets its answer whatever the store says.
fn report(settled: Result<(), StorageError>) {
    if let Err(error) = settled {
        tracing::error!(%error, "an idempotency record was not written; the same key may run again");
    }
}

/// What a repeated request gets in the place of an answer that could not be kept.
fn too_large(end: &Result<Value, ApiError>, outcome: Outcome) -> ApiError {
    match end {
        Ok(_) => ApiError::internal(
            "the change was made, but its answer was too large to be kept for a repeated request; read the ticket instead",
        )
        .detail("outcome", Outcome::Done.as_str()),
        Err(error) => ApiError::new(error.code(), "this request failed before; its answer was too large to be kept")
            .detail("outcome", outcome.as_str()),
    }
}

fn keep(end: &Result<Value, ApiError>) -> Value {
    match end {
        Ok(answer) => json!({"answer": answer}),
        Err(error) => json!({
            "error": {"code": error.code().as_str(), "message": error.message(), "details": error.details()},
        }),
    }
}

fn restore(mut kept: Value) -> Result<Value, ApiError> {
    if let Some(answer) = kept.get_mut("answer") {
        return Ok(answer.take());
    }
    let text = |key: &str| {
        kept.pointer(&format!("/error/{key}"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let code = ErrorCode::parse(text("code")).unwrap_or(ErrorCode::InternalServerError);
    let mut error = ApiError::new(code, text("message"));
    let details = kept.pointer("/error/details").and_then(Value::as_object);
    for (key, value) in details.unwrap_or(&Map::new()) {
        error = error.detail(key, value.clone());
    }
    Err(error)
}
