//! Puts a gateway together.

use std::sync::Arc;

use integration::Installation;
use integration::contract::TasAction;
use storage::IdempotencyStore;
use upstream::Client;

use crate::SetupError;
use crate::clock::{Clock, SystemClock};
use crate::gateway::Gateway;
use crate::installations::{Fixed, Installations};
use crate::observer::Observer;
use crate::ticket::TicketSchema;

/// Puts a [`Gateway`] together.
pub struct GatewayBuilder {
    client: Arc<Client>,
    fixed: Vec<Installation>,
    installations: Option<Arc<dyn Installations>>,
    schema: Option<TicketSchema>,
    clock: Arc<dyn Clock>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    observer: Option<Arc<dyn Observer>>,
    only: Option<TasAction>,
}

impl GatewayBuilder {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        GatewayBuilder {
            client,
            fixed: Vec::new(),
            installations: None,
            schema: None,
            clock: Arc::new(SystemClock),
            idempotency: None,
            observer: None,
            only: None,
        }
    }

    /// Adds an integration, known by its name: [`Fixed`] with one more.
    #[must_use]
    pub fn integration(mut self, installation: Installation) -> Self {
        self.fixed.push(installation);
        self
    }

    /// Where integrations are found, instead of those given with [`GatewayBuilder::integration`].
    #[must_use]
    pub fn installations(mut self, installations: Arc<dyn Installations>) -> Self {
        self.installations = Some(installations);
        self
    }

    /// Replaces the ticket schema.
    #[must_use]
    pub fn ticket_schema(mut self, schema: TicketSchema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Replaces the machine's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Keeps idempotency records here. Without a store a key is only passed on to the mappings.
    #[must_use]
    pub fn idempotency(mut self, store: Arc<dyn IdempotencyStore>) -> Self {
        self.idempotency = Some(store);
        self
    }

    /// Tells this of every action that was performed.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Serves the route of one action alone; every other path answers 404.
    #[must_use]
    pub fn only(mut self, action: TasAction) -> Self {
        self.only = Some(action);
        self
    }

    /// The gateway.
    ///
    /// # Errors
    /// When two integrations have one name, or integrations were given in both ways.
    pub fn build(self) -> Result<Gateway, SetupError> {
        let installations = match self.installations {
            None => Arc::new(Fixed::new(self.fixed)?),
            Some(installations) if self.fixed.is_empty() => installations,
            Some(_) => {
                return Err(SetupError::new(
                    "integrations were given one by one and as a whole; use one of the two",
                ));
            }
        };
        Ok(Gateway {
            client: self.client,
            installations,
            schema: self.schema.map_or_else(TicketSchema::shipped, Ok)?,
            clock: self.clock,
            idempotency: self.idempotency,
            observer: self.observer,
            only: self.only,
        })
    }
}
