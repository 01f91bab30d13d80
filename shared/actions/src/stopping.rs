//! Tells those who wait that the process is about to end.

use tokio::sync::watch;

/// A switch that is set once.
#[derive(Debug)]
pub(crate) struct Stopping(watch::Sender<bool>);

impl Stopping {
    pub(crate) fn new() -> Self {
        Stopping(watch::Sender::new(false))
    }

    pub(crate) fn set(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is set.
    pub(crate) async fn wait(&self) {
        // The sender lives as long as this does, so there is no error.
        let _ = self.0.subscribe().wait_for(|is_set| *is_set).await;
    }
}
