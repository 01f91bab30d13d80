//! Work beside the server: begun with it, told to stop with it.

use std::future::Future;

use tokio::sync::watch;
use tokio::task::JoinSet;

/// Tasks that run until the server stops. Dropped with it, they end at once.
pub(crate) struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Background {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        }
    }

    /// When the tasks are to stop.
    pub(crate) fn stop(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            // Without its sender there is nothing left to run for either.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Begins a task. It has to end soon after [`Background::stop`].
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Tells every task to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for the tasks to end.
    pub(crate) async fn ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task beside the server ended unexpectedly");
            }
        }
    }
}
