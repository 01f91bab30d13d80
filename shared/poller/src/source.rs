//! The tickets of a stream, through the integration's query by time range.

use std::sync::Arc;

use actions::{Gateway, Installed};
use async_trait::async_trait;
use polling::{Page, PageRequest, Source, SourceError};

/// Asks the ticketing system of an integration for what changed.
pub struct GatewaySource {
    #[expect(dead_code)]
    gateway: Arc<Gateway>,
    #[expect(dead_code)]
    installed: Arc<Installed>,
    #[expect(dead_code)]
    destination: Option<String>,
}

impl GatewaySource {
    /// The tickets of one destination, or of all that the integration's query gives without one.
    pub fn new(gateway: Arc<Gateway>, installed: Arc<Installed>, destination: Option<String>) -> Self {
        Self {
            gateway,
            installed,
            destination,
        }
    }
}

#[async_trait]
impl Source for GatewaySource {
    async fn page(&self, _request: &PageRequest) -> Result<Page, SourceError> {
        Err(SourceError::permanent("not there yet"))
    }
}
