//! Rate budgets in DynamoDB, shared by all functions: `pk` = `RATE#<integration>`, `sk` = `WINDOW`.
//!
//! `starts`, `blocked_until` and `over_at` are the [`Window`], times in ms since 1970; `write` is random and new with
//! each write. A process computes the next window from the last one that it saw, and writes it on the condition that
//! `write` is still the one it saw. Where it is not, DynamoDB sends the newer window along, and it computes again. So
//! there are no reads, and no two processes take the same request.
//!
//! A process takes several requests at a time and counts them all at the end of the time in which it may use them.
//! Whatever the position of a window, no more requests start in it than the limit says, as far as the machines'
//! clocks agree. The price: a request counts up to a tenth of a window too long.
//!
//! What the last window seen refuses, a newer one refuses too: nothing is ever given back. So refusing needs no write.

mod batch;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use rand::Rng;
use tokio::sync::Mutex as AsyncMutex;

use self::batch::Batch;
use self::window::{Window, milliseconds};
use super::connection::Connection;
use super::pause::pause;
use super::table::{EXPIRES_AT, Item, PK, SK, Table, number, text};
use crate::error::StorageError;
use crate::rate::{Budget, Lane, Observation, RateBudget, RateLimit};

/// The sort key of the item.
const WINDOW: &str = "WINDOW";
/// So many others may write before us.
const ATTEMPTS: u32 = 24;
/// So many of the attempts follow each other at once.
const AT_ONCE: u32 = 3;
/// A system that wants no request for longer is asked again all the same: its answer may have been a mistake.
const LONGEST_BLOCK: Duration = Duration::from_secs(60 * 60);
/// A block that ends hardly later than the known one is not worth a write.
const SAME_BLOCK: u64 = 1000;
/// Without a limit nothing is written, so that what others were told is asked for, this often.
const ASKED_EVERY: u64 = 5000;
/// Deletion is only tidying; a process that kept an old window must not find it gone a moment too early.
const KEPT_LONGER: u64 = 3600;

/// Rate budgets in a DynamoDB table.
#[derive(Debug)]
pub struct DynamoBudget {
    table: Table,
    known: Mutex<HashMap<String, Arc<AsyncMutex<Known>>>>,
}

/// What this process knows of an integration's budget.
#[derive(Debug, Default)]
struct Known {
    window: Window,
    /// The mark of the write that made the window; none before the first.
    write: Option<String>,
    /// When that was.
    seen_at: u64,
    /// How long the last write took, in ms.
    writing: u64,
    actions: Batch,
    polls: Batch,
}

impl Known {
    fn batch(&mut self, lane: Lane) -> &mut Batch {
        match lane {
            Lane::Action => &mut self.actions,
            Lane::Poll => &mut self.polls,
        }
    }
}

impl DynamoBudget {
    /// Keeps them in `table`.
    pub fn new(connection: &Connection, table: impl Into<String>) -> Self {
        Self {
            table: Table::new(connection, table),
            known: Mutex::default(),
        }
    }

    fn known(&self, integration: &str) -> Arc<AsyncMutex<Known>> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(integration.to_owned()).or_default())
    }

    /// Writes `next` in the place of the known window; whether that was still the one that is stored. If not, the one
    /// that is stored is known from now on.
    async fn replace(
        &self,
        integration: &str,
        known: &mut Known,
        next: Window,
    ) -> Result<bool, StorageError> {
        let doing = format!("cannot take from the rate budget of `{integration}`");
        let mark = format!("{:016x}", rand::rng().random::<u64>());
        let request = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .item(PK, text(pk_of(integration)))
            .item(SK, text(WINDOW))
            .item("starts", text(next.starts()))
            .item("blocked_until", number(next.blocked_until()))
            .item("write", text(&mark))
            .item("over_at", number(next.over_at()))
            .item(EXPIRES_AT, number(next.over_at().div_ceil(1000) + KEPT_LONGER))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match &known.write {
            Some(seen) => request
                .condition_expression("#write = :seen")
                .expression_attribute_names("#write", "write")
                .expression_attribute_values(":seen", text(seen)),
            None => request.condition_expression("attribute_not_exists(pk)"),
        };
        let started = now();
        let answer = request.send().await;
        known.writing = now().saturating_sub(started);
        let Err(error) = answer else {
            known.window = next;
            known.write = Some(mark);
            known.seen_at = now();
            return Ok(true);
        };
        let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(self.table.explain(&doing, &error));
        };
        self.learn(known, refused.item())?;
        // Our own: the answer was lost and the SDK sent the write again.
        Ok(known.write.as_ref() == Some(&mark))
    }

    /// Takes what is stored for known; none where the item was deleted after its time.
    fn learn(&self, known: &mut Known, stored: Option<&Item>) -> Result<(), StorageError> {
        let (mut window, write) = match stored {
            Some(item) => self.read(item)?,
            None => (Window::default(), None),
        };
        // What this process was told and could not write, it still knows.
        window.block(known.window.blocked_until());
        (known.window, known.write) = (window, write);
        known.seen_at = now();
        Ok(())
    }

    async fn look(&self, integration: &str, known: &mut Known) -> Result<(), StorageError> {
        let doing = format!("cannot read the rate budget of `{integration}`");
        let stored = self.table.get(&doing, &pk_of(integration), WINDOW).await?;
        self.learn(known, stored.as_ref())
    }

    /// After a write that came too late. The newest window is known, so the next write can follow at once; who loses
    /// again and again steps aside first, and looks what is the newest then.
    async fn lost(&self, integration: &str, known: &mut Known, attempt: u32) {
        if attempt < AT_ONCE {
            return;
        }
        pause(attempt).await;
        if let Err(error) = self.look(integration, known).await {
            // The write that failed told the window of then; the next one finds out whether it still is.
            tracing::warn!(integration, %error, "the newest rate budget could not be read");
        }
    }

    /// Nothing is counted; whether the ticketing system wants no requests.
    async fn take_without_limit(&self, integration: &str, known: &mut Known) -> Budget {
        if now() >= known.seen_at + ASKED_EVERY {
            known.seen_at = now();
            if let Err(error) = self.look(integration, known).await {
                // Nothing is counted, so nobody has to wait for the store.
                tracing::warn!(integration, %error, "it is not known what others were told");
            }
        }
        let retry_after = Duration::from_millis(known.window.blocked_until().saturating_sub(now()));
        if retry_after.is_zero() {
            Budget::Granted
        } else {
            Budget::Blocked { retry_after }
        }
    }

    fn read(&self, item: &Item) -> Result<(Window, Option<String>), StorageError> {
        let row = self.table.read(item);
        let window = Window::from_parts(
            row.text("starts")?,
            row.number("blocked_until")?,
            row.number("over_at")?,
        );
        let mut window = window.ok_or_else(|| row.is_not_ours("starts"))?;
        window.forget_after(now().saturating_add(milliseconds(LONGEST_BLOCK)));
        Ok((window, Some(row.text("write")?.to_owned())))
    }

    fn busy(integration: &str) -> StorageError {
        let doing = format!("cannot take from the rate budget of `{integration}`");
        StorageError::unavailable(doing, "too many others do at the same time")
    }
}

#[async_trait]
impl RateBudget for DynamoBudget {
    async fn take(&self, integration: &str, limit: RateLimit, lane: Lane) -> Result<Budget, StorageError> {
        let known = self.known(integration);
        let mut known = known.lock().await;
        if limit == RateLimit::UNLIMITED {
            return Ok(self.take_without_limit(integration, &mut known).await);
        }
        for attempt in 0..ATTEMPTS {
            let now = now();
            if known.window.blocked_until() <= now && known.batch(lane).spend(now, limit) {
                return Ok(Budget::Granted);
            }
            let free = match known.window.free(now, limit, lane) {
                Ok(free) => free,
                Err(retry_after) if known.window.blocked_until() > now => {
                    return Ok(Budget::Blocked { retry_after });
                }
                Err(retry_after) => return Ok(Budget::Exhausted { retry_after }),
            };
            let writing = known.writing;
            let (size, usable_until) = known.batch(lane).plan(now, limit, free, writing);
            let mut next = known.window.clone();
            next.count(now, usable_until, size, limit.per);
            if self.replace(integration, &mut known, next).await? {
                // Spent in the next round, unless writing took so long that it is worthless.
                known.batch(lane).hold(now, limit, size, usable_until);
            } else {
                self.lost(integration, &mut known, attempt).await;
            }
        }
        Err(Self::busy(integration))
    }

    async fn observe(&self, integration: &str, observation: Observation) -> Result<(), StorageError> {
        let used_up = (observation.remaining == Some(0))
            .then_some(observation.resets_in)
            .flatten();
        let Some(wait) = observation
            .retry_after
            .max(used_up)
            .filter(|wait| !wait.is_zero())
        else {
            return Ok(());
        };
        let until = now().saturating_add(milliseconds(wait.min(LONGEST_BLOCK)));
        let known = self.known(integration);
        let mut known = known.lock().await;
        for attempt in 0..ATTEMPTS {
            let is_news = until > known.window.blocked_until().saturating_add(SAME_BLOCK);
            if known.write.is_some() && !is_news {
                known.window.block(until);
                return Ok(());
            }
            let mut next = known.window.clone();
            next.block(until);
            match self.replace(integration, &mut known, next).await {
                Ok(true) => return Ok(()),
                Ok(false) => self.lost(integration, &mut known, attempt).await,
                Err(error) => {
                    // This process at least knows it.
                    known.window.block(until);
                    return Err(error);
                }
            }
        }
        known.window.block(until);
        Err(Self::busy(integration))
    }
}

fn pk_of(integration: &str) -> String {
    format!("RATE#{integration}")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    milliseconds(since.unwrap_or(Duration::ZERO))
}
