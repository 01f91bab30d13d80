//! Starting it, and the handle to one that runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fate::Fate;
use super::truth::Truth;
use super::world::{SECOND, Time, World, instant};
use super::{BASE_PATH, Clock, Options, routes};
use crate::connection::{Cut, CuttableListener};

/// How long [`Running::stop`] waits for requests that are being answered.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// Above this, hardly an answer is good.
const HIGHEST_RATE: f64 = 0.2;

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HostileError(Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("cannot listen on {address}: {error}")]
    Listen {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error("the fault rate is {0}; it has to be between 0 and {HIGHEST_RATE}")]
    FaultRate(f64),
    #[error("the changes per second are {0}; they have to be between 0 and 1000")]
    Changes(f64),
}

impl HostileError {
    /// Whether the address is taken or not allowed.
    #[must_use]
    pub fn is_listen(&self) -> bool {
        matches!(self.0, Reason::Listen { .. })
    }
}

/// What every request handler shares.
pub(super) struct Sandbox {
    seed: u64,
    fault_rate: f64,
    pub(super) slow: Duration,
    clock: Clock,
    is_calm: AtomicBool,
    pub(super) requests: AtomicU64,
    world: Mutex<World>,
    /// The time that was seen last.
    now: Mutex<Time>,
    faults: Mutex<BTreeMap<&'static str, u64>>,
}

impl Sandbox {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }

    /// Looks at the clock and makes the changes that are due.
    pub(super) fn advance(&self) -> Time {
        let time = (self.clock)().as_microsecond();
        let mut now = locked(&self.now);
        // Two requests that look at the clock at once come in here one after the other.
        *now = time.max(*now);
        self.world().advance(*now);
        *now
    }

    pub(super) fn fate(&self, request: u64) -> Fate {
        if self.is_calm.load(Ordering::Relaxed) {
            Fate::GOOD
        } else {
            Fate::of(self.seed, request, self.fault_rate)
        }
    }

    pub(super) fn count(&self, fault: &'static str) {
        *locked(&self.faults).entry(fault).or_default() += 1;
    }

    pub(super) fn faults(&self) -> BTreeMap<&'static str, u64> {
        locked(&self.faults).clone()
    }

    pub(super) fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
        self.world().is_calm = true;
    }

    pub(super) fn truth(&self) -> Truth {
        let now = *locked(&self.now);
        let world = self.world();
        Truth {
            now: instant(now),
            skew_seconds: world.skew / SECOND,
            changes: world.changes,
            requests: self.requests.load(Ordering::Relaxed),
            tickets: world.truth(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked elsewhere still wants to know what was true.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts it on the current tokio runtime.
///
/// # Errors
/// When the address cannot be listened on, or a rate is out of its range.
pub async fn start(options: Options) -> Result<Running, HostileError> {
    if !(0.0..=HIGHEST_RATE).contains(&options.fault_rate) {
        return Err(HostileError(Reason::FaultRate(options.fault_rate)));
    }
    if !(0.0..=1000.0).contains(&options.changes_per_second) {
        return Err(HostileError(Reason::Changes(options.changes_per_second)));
    }
    let address = options.listen;
    let refused = |error| HostileError(Reason::Listen { address, error });
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let now = (options.clock)();
    let sandbox = Arc::new(Sandbox {
        seed: options.seed,
        fault_rate: options.fault_rate,
        slow: options.slow,
        world: Mutex::new(World::new(&options, now)),
        now: Mutex::new(now.as_microsecond()),
        clock: options.clock,
        is_calm: AtomicBool::new(false),
        requests: AtomicU64::new(0),
        faults: Mutex::default(),
    });
    let service = routes::router(&sandbox).into_make_service_with_connect_info::<Cut>();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async move {
            // A dropped `Running` stops the server too.
            let _ = stopped.await;
        };
        if let Err(error) = axum::serve(CuttableListener(listener), service)
            .with_graceful_shutdown(stopped)
            .await
        {
            tracing::error!(%error, "the sandbox stopped");
        }
    });
    Ok(Running {
        address,
        url: format!("http://{address}{BASE_PATH}"),
        sandbox,
        stop,
        task,
    })
}

/// One that runs. Dropping it stops it too, but without waiting.
pub struct Running {
    address: SocketAddr,
    url: String,
    sandbox: Arc<Sandbox>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// The base URL, such as `http://127.0.0.1:41234/api`; no slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every version that ever stood, as of the last request.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.sandbox.truth()
    }

    /// What went wrong so far: how often, by name.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.sandbox.faults()
    }

    /// From now on it makes no more changes, and nothing goes wrong.
    pub fn calm(&self) {
        self.sandbox.calm();
    }

    /// Stops listening and lets requests finish for up to two seconds.
    pub async fn stop(self) {
        let Self { stop, mut task, .. } = self;
        // Nobody listening any more means that it has stopped already.
        let _ = stop.send(());
        if tokio::time::timeout(STOP_WAIT, &mut task).await.is_err() {
            task.abort();
        }
    }
}
