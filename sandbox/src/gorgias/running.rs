//! Starting the stand-in, and the handle to one that runs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::bucket::{Bucket, Turn};
use super::model::{Message, Ticket};
use super::moment::Moment;
use super::oauth::Tokens;
use super::paging::Cursors;
use super::quirks::Quirks;
use super::recorder::{RecordedRequest, Recorder};
use super::store::Store;
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
    #[error("the two logins must have an e-mail address and a key each, and differ")]
    Logins,
}

impl SandboxError {
    /// Whether the address is taken or not allowed.
    #[must_use]
    pub fn is_listen(&self) -> bool {
        matches!(self.0, Reason::Listen { .. })
    }
}

/// What every request handler shares.
pub(super) struct Sandbox {
    pub(super) quirks: Quirks,
    pub(super) subdomain: String,
    pub(super) email: String,
    pub(super) api_key: String,
    pub(super) observer_email: String,
    pub(super) observer_key: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) refresh_token: String,
    pub(super) support_addresses: Vec<String>,
    /// The account's own address, without the path of the API.
    pub(super) site: String,
    url: String,
    clock: Clock,
    store: Mutex<Store>,
    cursors: Mutex<Cursors>,
    tokens: Mutex<Tokens>,
    faults: Mutex<Faults>,
    recorder: Mutex<Recorder>,
    /// Of API keys, and of OAuth apps.
    buckets: Option<Mutex<(Bucket, Bucket)>>,
}

impl Sandbox {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        locked(&self.store)
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        locked(&self.cursors)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        locked(&self.tokens)
    }

    pub(super) fn now(&self) -> Moment {
        Moment::of((self.clock)())
    }

    pub(super) fn record(&self, request: RecordedRequest) {
        locked(&self.recorder).add(request);
    }

    pub(super) fn take_fault(&self, method: &str, path: &str) -> Option<Fault> {
        locked(&self.faults).take(method, path)
    }

    /// Counts a request; none where there is no limit.
    pub(super) fn take_turn(&self, is_app: bool) -> Option<Turn> {
        let now = self.now();
        let mut buckets = locked(self.buckets.as_ref()?);
        let (keys, apps) = &mut *buckets;
        Some(if is_app { apps.take(now) } else { keys.take(now) })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Everything behind these locks is replaced whole, so a panic elsewhere leaves it usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the stand-in on the current tokio runtime.
///
/// # Errors
/// When the address cannot be listened on, or the logins are empty or the same.
pub async fn start(options: Options) -> Result<Running, SandboxError> {
    let Options {
        listen,
        subdomain,
        email,
        api_key,
        observer_email,
        observer_key,
        client_id,
        client_secret,
        refresh_token,
        support_addresses,
        quirks,
        seed_tickets,
        rate_limit,
        cursor_lifetime,
        clock,
    } = options;
    let empty = [&email, &api_key, &observer_email, &observer_key]
        .iter()
        .any(|text| text.is_empty());
    if empty || email.eq_ignore_ascii_case(&observer_email) {
        return Err(SandboxError(Reason::Logins));
    }
    let refused = |error| {
        SandboxError(Reason::Listen {
            address: listen,
            error,
        })
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let buckets = rate_limit.map(|(requests, period)| {
        let keys = Bucket::new(requests, period);
        // An app may do twice as much as a key.
        Mutex::new((keys, Bucket::new(requests.saturating_mul(2), period)))
    });
    let sandbox = Arc::new(Sandbox {
        quirks: Quirks::new(quirks),
        subdomain,
        store: Mutex::new(Store::new(clock.clone(), &email, &observer_email, seed_tickets)),
        email,
        api_key,
        observer_email,
        observer_key,
        client_id,
        client_secret,
        refresh_token,
        support_addresses,
        site: format!("http://{address}"),
        url: format!("http://{address}{BASE_PATH}"),
        clock,
        cursors: Mutex::new(Cursors::new(cursor_lifetime)),
        tokens: Mutex::default(),
        faults: Mutex::default(),
        recorder: Mutex::default(),
        buckets,
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
    /// The base URL of the API, such as `http://127.0.0.1:41234/api`; no slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.sandbox.url
    }

    /// The address of the account, such as `http://127.0.0.1:41234`, below which `/oauth/token` is.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.sandbox.site
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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

    /// The last requests that arrived (up to 5,000), oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        locked(&self.sandbox.recorder).all()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        locked(&self.sandbox.recorder).clear();
    }

    /// Every ticket with all of its messages, its custom fields and its priority, whatever the quirks, by id.
    #[must_use]
    pub fn tickets(&self) -> Vec<Value> {
        let store = self.sandbox.store();
        let plain = Quirks::default();
        let view = View {
            store: &store,
            quirks: &plain,
        };
        store
            .tickets
            .values()
            .map(|ticket| view.ticket(ticket, true))
            .collect()
    }

    /// The messages that Gorgias sent to customers, in any channel: nobody asked for these by accident, one hopes.
    #[must_use]
    pub fn sent(&self) -> Vec<Value> {
        let store = self.sandbox.store();
        let plain = Quirks::default();
        let view = View {
            store: &store,
            quirks: &plain,
        };
        let sent_of = |ticket: &Ticket| -> Vec<Value> {
            let sent = |message: &&Message| message.goes_out;
            let messages = ticket.messages.iter().filter(sent);
            messages.map(|message| view.message(ticket.id, message)).collect()
        };
        store.tickets.values().flat_map(sent_of).collect()
    }

    /// The files that were uploaded: `{url, name, content_type, size, content}`, the content in Base64.
    #[must_use]
    pub fn files(&self) -> Vec<Value> {
        let store = self.sandbox.store();
        let shown = |file: &super::model::File| {
            json!({"url": file.url, "name": file.name, "content_type": file.content_type,
                   "size": file.content.len(), "content": STANDARD.encode(&file.content)})
        };
        store.files.iter().map(shown).collect()
    }

    /// Ends every access token that was given out.
    pub fn expire_tokens(&self) {
        self.sandbox.tokens().expire();
    }

    /// Ends every cursor that was given out.
    pub fn expire_cursors(&self) {
        self.sandbox.cursors().expire();
    }

    /// Merges a ticket into another: its messages go there, and its own address answers 301. False where one of the
    /// two is not there.
    pub fn merge(&self, from: i64, into: i64) -> bool {
        let mut store = self.sandbox.store();
        if from == into || !store.tickets.contains_key(&into) {
            return false;
        }
        let time = store.change_time();
        let Some(gone) = store.tickets.get_mut(&from) else {
            return false;
        };
        gone.merged_into = Some(into);
        let messages = std::mem::take(&mut gone.messages);
        if let Some(target) = store.tickets.get_mut(&into) {
            target.messages.extend(messages);
            target
                .messages
                .sort_by_key(|message| (message.created, message.id));
            target.updated = time;
        }
        true
    }

    /// Puts a ticket in the trash. False where it is not there.
    pub fn trash(&self, ticket: i64) -> bool {
        let mut store = self.sandbox.store();
        let time = store.change_time();
        let Some(ticket) = store.tickets.get_mut(&ticket) else {
            return false;
        };
        ticket.trashed_at = Some(time);
        ticket.updated = time;
        true
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
