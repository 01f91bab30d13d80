//! Lets requests pass, and keeps what was sent and answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use upstream::{Lost, Network, Prepared, Transport, WholeAnswer};

/// The way out of the client while a case is recorded.
pub(crate) struct Recorder {
    network: Network,
    seen: Mutex<Vec<Seen>>,
}

/// A request, and its answer once there is one.
pub(crate) struct Seen {
    /// The request, credentials included.
    pub(crate) request: Prepared,
    /// The answer; none while it is awaited.
    pub(crate) answer: Option<Result<WholeAnswer, Lost>>,
}

impl Recorder {
    /// A recorder in front of the network.
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            seen: Mutex::default(),
        }
    }

    /// Everything that was sent, in the order of its sending.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen())
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Prepared, limit: usize) -> Result<WholeAnswer, Lost> {
        let index = {
            let mut seen = self.seen();
            seen.push(Seen {
                request: request.clone(),
                answer: None,
            });
            seen.len() - 1
        };
        let answer = self.network.send(request, limit).await;
        if let Some(seen) = self.seen().get_mut(index) {
            seen.answer = Some(answer.clone());
        }
        answer
    }
}
