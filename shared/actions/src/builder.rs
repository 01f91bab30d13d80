//! Puts a gateway together.

use std::sync::Arc;

use integration::Installation;
use integration::contract::TasAction;
use storage::{EventLog, IdempotencyStore, WriteJournal};
use upstream::Client;

use crate::SetupError;
use crate::clock::{Clock, SystemClock};
use crate::gateway::{Gateway, Serves};
use crate::installations::{Fixed, Installations};
use crate::observer::Observer;
use crate::stopping::Stopping;
use crate::ticket::TicketSchema;
use crate::witness::Witness;

/// Puts a [`Gateway`] together.
pub struct GatewayBuilder {
    client: Arc<Client>,
    fixed: Vec<Installation>,
    installations: Option<Arc<dyn Installations>>,
    schema: Option<TicketSchema>,
    clock: Arc<dyn Clock>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    observer: Option<Arc<dyn Observer>>,
    events: Option<Arc<dyn EventLog>>,
    journal: Option<Arc<dyn WriteJournal>>,
    witness: Option<Arc<dyn Witness>>,
    serves: Serves,
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
            events: None,
            journal: None,
            witness: None,
            serves: Serves::All,
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

    /// Where the events of polled integrations are read. Without a log their route answers 422.
    #[must_use]
    pub fn events(mut self, log: Arc<dyn EventLog>) -> Self {
        self.events = Some(log);
        self
    }

    /// Notes here which changes the gateway itself made in polled integrations, so that their events can say
    /// `caused_by`.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn WriteJournal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Shows this how every action comes about. For tools; see [`Witness`].
    #[must_use]
    pub fn witness(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Serves the route of one action alone; every other path answers 404.
    #[must_use]
    pub fn only(mut self, action: TasAction) -> Self {
        self.serves = Serves::Action(action);
        self
    }

    /// Serves `GET /v1/{integration}/events` alone; every other path answers 404.
    #[must_use]
    pub fn only_events(mut self) -> Self {
        self.serves = Serves::Events;
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
            events: self.events,
            journal: self.journal,
            witness: self.witness,
            serves: self.serves,
            stopping: Stopping::new(),
        })
    }
}
