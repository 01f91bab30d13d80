//! Virtual time: tasks that only ever wait for the clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// Microseconds since 1970.
pub type Time = i64;
pub type Task = u64;

/// What happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happening {
    /// A task goes on.
    Wake(Task),
    /// The machine stops a task that is still there.
    Stop(Task),
    /// Something of the world's own.
    World(u8, u64),
}

#[derive(Default)]
struct Inner {
    now: Time,
    current: Task,
    number: u64,
    due: BinaryHeap<Reverse<(Time, u64, Happening)>>,
}

/// The clock and what is due.
#[derive(Clone, Default)]
pub struct Timeline(Arc<Mutex<Inner>>);

impl Timeline {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub fn starting_at(now: Time) -> Self {
        let line = Self::default();
        line.inner().now = now;
        line
    }

    pub fn now(&self) -> Time {
        self.inner().now
    }

    pub fn at(&self, time: Time, what: Happening) {
        let mut inner = self.inner();
        inner.number += 1;
        let entry = (time.max(inner.now), inner.number, what);
        inner.due.push(Reverse(entry));
    }

    /// Moves the clock to what is due next.
    pub fn next(&self) -> Option<(Time, Happening)> {
        let mut inner = self.inner();
        let Reverse((time, _, what)) = inner.due.pop()?;
        inner.now = time;
        Some((time, what))
    }

    /// Waits. Every wait is a place where the task can be killed.
    pub async fn sleep(&self, microseconds: i64) {
        let (until, task) = (self.now() + microseconds, self.inner().current);
        self.at(until, Happening::Wake(task));
        let line = self.clone();
        std::future::poll_fn(move |_| {
            if line.now() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks that are under way.
#[derive(Default)]
pub struct Tasks {
    running: HashMap<Task, Work>,
    last: Task,
}

impl Tasks {
    pub fn start(&mut self, line: &Timeline, work: impl Future<Output = ()> + Send + 'static) -> Task {
        self.last += 1;
        self.running.insert(self.last, Box::pin(work));
        line.at(line.now(), Happening::Wake(self.last));
        self.last
    }

    /// Lets a task go on.
    pub fn wake(&mut self, line: &Timeline, task: Task) {
        if let Some(work) = self.running.get_mut(&task) {
            line.inner().current = task;
            let mut context = Context::from_waker(Waker::noop());
            if work.as_mut().poll(&mut context).is_ready() {
                self.running.remove(&task);
            }
        }
    }

    pub fn kill(&mut self, task: Task) -> bool {
        self.running.remove(&task).is_some()
    }

    pub fn is_running(&self, task: Task) -> bool {
        self.running.contains_key(&task)
    }
}
