//! Starting the stand-in, and the handle to one that runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::moment::Moment;
use super::quirks::Quirks;
use super::rate_limit::RateLimit;
use super::recorder::{RecordedRequest, Recorder};
use super::store::{Store, StoreError};
use super::view::View;
use super::{BASE_PATH, Clock, Options, routes};
use crate::connection::{Cut, CuttableListener};
use crate::faults::{Calls, Fault, Faults};

/// How long [`Running::stop`] waits for requests that are being answered.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// Why the stand-in could not start.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SandboxError(Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("cannot listen on {address}: {error}")]
    Listen {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error("cannot use {} as the state file: {error}", path.display())]
    State { path: PathBuf, error: StoreError },
    #[error("the primary and the secondary key must be there and differ")]
    Keys,
}

impl SandboxError {
    /// Whether the address is taken or not allowed.
    #[must_use]
    pub fn is_listen(&self) -> bool {
        matches!(self.0, Reason::Listen { .. })
    }

    /// Whether the state file cannot be opened or read; also when another process has it open.
    #[must_use]
    pub fn is_state(&self) -> bool {
        matches!(self.0, Reason::State { .. })
    }
}

/// What every request handler shares.
pub(super) struct Sandbox {
    pub(super) quirks: Quirks,
    pub(super) primary_key: String,
    pub(super) secondary_key: String,
    pub(super) url: String,
    clock: Clock,
    store: Mutex<Store>,
    faults: Mutex<Faults>,
    recorder: Mutex<Recorder>,
    rate_limit: Option<Mutex<RateLimit>>,
}

impl Sandbox {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        locked(&self.store)
    }

    pub(super) fn record(&self, request: RecordedRequest) {
        locked(&self.recorder).add(request);
    }

    pub(super) fn take_fault(&self, method: &str, path: &str) -> Option<Fault> {
        locked(&self.faults).take(method, path)
    }

    /// Counts a request, or says in how many seconds the next one will be answered.
    pub(super) fn take_turn(&self) -> Result<(), i64> {
        let now = Moment::of((self.clock)());
        self.rate_limit
            .as_ref()
            .map_or(Ok(()), |limit| locked(limit).take(now))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Everything behind these locks is replaced whole, so a panic elsewhere leaves it usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the stand-in on the current tokio runtime.
///
/// # Errors
/// When the address cannot be listened on, the state file cannot be used, or the keys are empty or equal.
pub async fn start(options: Options) -> Result<Running, SandboxError> {
    let Options {
        listen,
        primary_key,
        secondary_key,
        quirks,
        state,
        seed_tickets,
        rate_limit,
        clock,
    } = options;
    if primary_key.is_empty() || secondary_key.is_empty() || primary_key == secondary_key {
        return Err(SandboxError(Reason::Keys));
    }
    let store = Store::open(state.as_deref(), seed_tickets, clock.clone()).map_err(|error| {
        SandboxError(Reason::State {
            path: state.unwrap_or_default(),
            error,
        })
    })?;
    let refused = |error| {
        SandboxError(Reason::Listen {
            address: listen,
            error,
        })
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let sandbox = Arc::new(Sandbox {
        quirks: Quirks::new(&quirks),
        primary_key,
        secondary_key,
        url: format!("http://{address}{BASE_PATH}"),
        clock,
        store: Mutex::new(store),
        faults: Mutex::default(),
        recorder: Mutex::default(),
        rate_limit: rate_limit.map(|(requests, period)| Mutex::new(RateLimit::new(requests, period))),
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
        sandbox,
        stop,
        task,
    })
}

/// A stand-in that runs. Dropping it stops it too, but without waiting.
pub struct Running {
    address: SocketAddr,
    sandbox: Arc<Sandbox>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// The base URL, such as `http://127.0.0.1:41234/ticketing/v1`; no key in it, no slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.sandbox.url
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, lets requests finish for up to two seconds, and closes the state file.
    pub async fn stop(self) {
        let Self {
            sandbox,
            stop,
            mut task,
            ..
        } = self;
        // Nobody listening any more means that it has stopped already.
        let _ = stop.send(());
        if tokio::time::timeout(STOP_WAIT, &mut task).await.is_err() {
            task.abort();
        }
        sandbox.store().close();
    }

    /// The last requests that arrived (up to 5,000), oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        locked(&self.sandbox.recorder).all()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        locked(&self.sandbox.recorder).clear();
    }

    /// Every ticket in the reference's shape, whatever the quirks, by number.
    #[must_use]
    pub fn tickets(&self) -> Vec<Value> {
        let store = self.sandbox.store();
        let mut records: Vec<_> = store.all().collect();
        records.sort_by_key(|record| record.ticket.number);
        records
            .into_iter()
            .map(|record| View::plain().ticket(record))
            .collect()
    }

    /// A ticket's activities with `isPrivate`, newest first; none for an id that is not known.
    #[must_use]
    pub fn activities(&self, ticket_id: &str) -> Vec<Value> {
        let store = self.sandbox.store();
        store
            .get(ticket_id)
            .map(|record| View::plain().activities(record, &self.sandbox.url))
            .unwrap_or_default()
    }

    /// A ticket's attachments; `content` holds a file's content in Base64.
    #[must_use]
    pub fn attachments(&self, ticket_id: &str) -> Vec<Value> {
        let store = self.sandbox.store();
        let Some(record) = store.get(ticket_id) else {
            return Vec::new();
        };
        let attachment = |attachment| {
            let mut shown = View::plain().attachment(attachment, &self.sandbox.url);
            if let Some(object) = shown.as_object_mut() {
                object.insert("content".to_owned(), attachment.content.clone().into());
            }
            shown
        };
        record.attachments.iter().map(attachment).collect()
    }

    /// Makes the next `times` of these calls go wrong. Several faults for the same calls come in turn.
    pub fn fail_next(&self, fault: Fault, calls: Calls, times: u32) {
        locked(&self.sandbox.faults).add(fault, calls, times);
    }

    /// Takes back the faults that have not happened yet.
    pub fn clear_faults(&self) {
        locked(&self.sandbox.faults).clear();
    }
}
