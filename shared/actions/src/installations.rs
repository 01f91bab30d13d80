//! Where the gateway finds the integration that a call names.

mod fixed;
mod installed;
mod stored;

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::ApiError;

pub use fixed::Fixed;
pub use installed::Installed;
pub use stored::Stored;

/// Where the gateway finds the integration that a call names.
#[async_trait]
pub trait Installations: Send + Sync {
    /// The integration of that name as it is to be used now, or none.
    ///
    /// # Errors
    /// When it cannot be told whether there is one, or it cannot be used. The text is safe for callers; the cause
    /// is in the log.
    async fn find(&self, name: &str) -> Result<Option<Arc<Installed>>, ApiError>;

    /// The names of all integrations that there are, loaded or not, in order.
    ///
    /// # Errors
    /// When the store cannot list them.
    async fn names(&self) -> Result<Vec<String>, ApiError>;

    /// The names of the integrations that are loaded now, in order: for banners and logs.
    fn known(&self) -> Vec<String>;
}
