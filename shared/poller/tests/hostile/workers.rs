//! Workers that come and go: every few seconds one or two, some with little time, some dropped where they stand.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use polling::{Clock, operate};
use storage::PollState;

use crate::CHANGES;
use crate::setting::Setting;

/// Rounds without an end: a poller that does not get on fails the test instead of the patience.
const MOST_ROUNDS: u32 = 3000;
/// Rounds of half a minute, with nothing going wrong, to catch up: more than the longest back-off and lease.
const LAST_ROUNDS: u32 = 10;

/// Polls until the sandbox has made all its changes and rests.
pub(crate) async fn run(setting: &Setting) {
    let mut rounds = 0;
    while rounds % 10 > 0 || !has_made_all(setting) {
        rounds += 1;
        assert!(
            rounds < MOST_ROUNDS,
            "{} changes in {rounds} rounds",
            setting.sandbox.truth().changes
        );
        setting.clock.advance(setting.chance.between(3_000, 12_000));
        if setting.chance.of(0.01) {
            rewind(setting).await;
        }
        if setting.chance.of(0.3) {
            tokio::join!(worker(setting, rounds, 1), worker(setting, rounds, 2));
        } else {
            worker(setting, rounds, 1).await;
        }
    }
    setting.sandbox.calm();
    setting.unreliable.calm();
    for round in 0..LAST_ROUNDS {
        setting.clock.advance(30_000);
        let deadline = later(setting, 600);
        let run = setting
            .poller
            .poll(&setting.stream, format!("last-{round}"), deadline);
        setting.note(&run.await.unwrap());
    }
}

/// No change for a while of virtual time is the sign.
fn has_made_all(setting: &Setting) -> bool {
    let truth = setting.sandbox.truth();
    let versions = truth.tickets.iter().flat_map(|ticket| &ticket.versions);
    let last = versions.map(|version| version.made_at).max();
    truth.changes >= CHANGES && last.is_some_and(|last| truth.now.duration_since(last).as_secs() > 30)
}

async fn worker(setting: &Setting, round: u32, number: u32) {
    // The second one comes a little later.
    for _ in 0..setting.chance.between(0, 40) * i64::from(number - 1) {
        tokio::task::yield_now().await;
    }
    let life = [16, 25, 60, 600][usize::try_from(setting.chance.between(0, 3)).unwrap()];
    let polls = if setting.chance.of(0.25) {
        setting.chance.between(1, 150)
    } else {
        i64::MAX
    };
    let owner = format!("run-{round}-{number}");
    let run = setting.poller.poll(&setting.stream, owner, later(setting, life));
    let mortal = Mortal {
        run: pin!(run),
        polls,
    };
    match mortal.await {
        Some(report) => setting.note(&report.unwrap()),
        None => {
            setting.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// An operator reads some minutes again: no event may come of it.
async fn rewind(setting: &Setting) {
    let state = setting.unreliable.as_ref();
    // The store may be unreliable at this moment too; the operator would try again.
    if let Ok(Some(record)) = state.stream(&setting.stream).await {
        let back = jiff::SignedDuration::from_secs(setting.chance.between(60, 600));
        // Not so far that a ticket of the start would count as made since.
        let earliest = setting.began - jiff::SignedDuration::from_secs(600);
        let to = (record.watermark - back).max(earliest);
        let _ = operate::rewind(state, &setting.stream, to, setting.clock.now()).await;
    }
}

fn later(setting: &Setting, seconds: i64) -> jiff::Timestamp {
    setting.clock.now() + jiff::SignedDuration::from_secs(seconds)
}

/// A future that is dropped where it waits after it was polled a number of times.
struct Mortal<'f, F> {
    run: Pin<&'f mut F>,
    polls: i64,
}

impl<F: Future> Future for Mortal<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.run.as_mut().poll(context).map(Some)
    }
}
