//! The shipped TeamsWork integration, polled by the real core against its stand-in: a ticket that is made, changed and
//! commented on is three events, whatever a live installation does differently from the reference.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actions::{Gateway, Installed, RequestMeta, TasAction};
use async_trait::async_trait;
use jiff::Timestamp;
use poller::{GatewaySource, streams_of};
use polling::{Limits, Outcome, Ports, Report, Settings, SystemClock};
use sandbox::teamswork::{Options, Quirk, Running};
use serde_json::{Value, json};
use storage::embedded::StaticSecrets;
use storage::{
    Acceptance, Change, Event, EventKind, EventSink, PollState, SeenTicket, StorageError, StreamKey,
    StreamRecord, Swap,
};

use crate::desk::{CANARY, gateway, seconds};

/// State and events in memory, without any trouble.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) streams: Mutex<BTreeMap<StreamKey, StreamRecord>>,
    seen: Mutex<BTreeMap<String, SeenTicket>>,
    pub(crate) events: Mutex<Vec<Event>>,
}

#[async_trait]
impl PollState for Memory {
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamRecord>, StorageError> {
        Ok(self.streams.lock().unwrap().get(key).cloned())
    }

    async fn streams(&self) -> Result<Vec<StreamRecord>, StorageError> {
        Ok(self.streams.lock().unwrap().values().cloned().collect())
    }

    async fn store_stream(&self, record: &StreamRecord) -> Result<Swap, StorageError> {
        let mut streams = self.streams.lock().unwrap();
        if streams.get(&record.key).map_or(0, |stored| stored.revision) != record.revision {
            return Ok(Swap::Conflict);
        }
        let mut stored = record.clone();
        stored.revision += 1;
        streams.insert(record.key.clone(), stored);
        Ok(Swap::Stored)
    }

    async fn seen(&self, _integration: &str, ids: &[&str]) -> Result<Vec<SeenTicket>, StorageError> {
        let seen = self.seen.lock().unwrap();
        Ok(ids.iter().filter_map(|id| seen.get(*id).cloned()).collect())
    }

    async fn store_seen(
        &self,
        _integration: &str,
        records: &[SeenTicket],
    ) -> Result<Vec<Swap>, StorageError> {
        let mut seen = self.seen.lock().unwrap();
        let mut store = |record: &SeenTicket| {
            if seen.get(&record.ticket_id).map_or(0, |stored| stored.revision) != record.revision {
                return Swap::Conflict;
            }
            let mut stored = record.clone();
            stored.revision += 1;
            seen.insert(record.ticket_id.clone(), stored);
            Swap::Stored
        };
        Ok(records.iter().map(&mut store).collect())
    }
}

#[async_trait]
impl EventSink for Memory {
    fn batch_size(&self) -> usize {
        10
    }

    async fn publish(&self, events: &[Event]) -> Result<Vec<Acceptance>, StorageError> {
        self.events.lock().unwrap().extend_from_slice(events);
        Ok(vec![Acceptance::Accepted; events.len()])
    }
}

/// TeamsWork, a gateway in front of it, and its stream.
struct World {
    sandbox: Running,
    gateway: Arc<Gateway>,
    installed: Arc<Installed>,
    memory: Memory,
    key: StreamKey,
    settings: Settings,
}

impl World {
    /// The stand-in's clock is a minute behind, so that what happens there has settled at once. Its `Date` is the real
    /// time, as that of any server.
    async fn start(quirks: &[Quirk]) -> Self {
        let sandbox = sandbox::teamswork::start(Options {
            primary_key: CANARY.to_owned(),
            quirks: quirks.iter().copied().collect(),
            seed_tickets: 25,
            rate_limit: None,
            clock: Arc::new(|| Timestamp::now() - Duration::from_secs(60)),
            ..Options::default()
        })
        .await
        .unwrap();
        let yaml = include_str!("../../../../connectors/teamswork/integration.yaml");
        let secrets = StaticSecrets::new().with("teamswork", "api_key", CANARY);
        let settings = json!({
            "base_url": sandbox.url(), "service_user_id": "053660b7-0000-0000-0000-000000000000",
            "service_user_name": "Service Desk", "service_user_email": "service.desk@example.com",
            // Few enough for a poll to need several pages.
            "page_size": 4,
        });
        let (gateway, installed) = gateway(yaml, "teamswork", secrets, &settings).await;
        let [stream] = streams_of(&installed.installation.integration)
            .try_into()
            .unwrap();
        World {
            sandbox,
            gateway,
            installed,
            memory: Memory::default(),
            key: stream.key,
            settings: stream.settings,
        }
    }

    /// A poll as it would come half a minute after the one before.
    async fn poll(&self) -> Report {
        for record in self.memory.streams.lock().unwrap().values_mut() {
            record.caught_up_at = None;
        }
        let source = GatewaySource::new(Arc::clone(&self.gateway), Arc::clone(&self.installed), None);
        let limits = Limits {
            owner: "a run".to_owned(),
            deadline: Timestamp::now() + Duration::from_secs(600),
            reserve: seconds(40),
        };
        let ports = Ports {
            source: &source,
            state: &self.memory,
            sink: &self.memory,
            journal: None,
            clock: &SystemClock,
        };
        let report = polling::run(&self.key, &self.settings, ports, &limits).await;
        assert_eq!(report.outcome, Outcome::CaughtUp, "{report:?}");
        assert_eq!(report.unusable, 0, "{report:?}");
        assert!(report.skew_milliseconds.abs() < 5000, "{report:?}");
        report
    }

    /// The events of one ticket since the last question.
    fn events(&self, ticket: &str) -> Vec<Event> {
        let all = std::mem::take(&mut *self.memory.events.lock().unwrap());
        all.into_iter()
            .filter(|event| event.ticket_id == ticket)
            .collect()
    }

    async fn perform(&self, action: TasAction, input: Value) -> Value {
        let request = RequestMeta::new();
        let done = self.gateway.perform("teamswork", action, input, &request);
        done.await.unwrap()
    }
}

fn change<'e>(event: &'e Event, field: &str) -> &'e Change {
    let changes = event.changes.as_deref().unwrap_or_default();
    let found = changes.iter().find(|change| change.field == field);
    found.unwrap_or_else(|| panic!("no change of {field}: {changes:?}"))
}

fn one(mut events: Vec<Event>) -> Event {
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

async fn a_ticket_from_its_creation_on(quirks: &[Quirk]) {
    let world = World::start(quirks).await;
    world.poll().await;
    let requestor =
        json!({"requestor": {"full_name": "Molly Agent", "email_addr": "molly.agent@example.com"}});

    let made = world
        .perform(
            TasAction::CreateTicket,
            json!({"payload": {"short_description": "Second monitor stays dark"}, "requestor_info": requestor}),
        )
        .await;
    let id = made["raw_ticket"]["id"].as_str().unwrap();
    world.poll().await;
    let created = one(world.events(id));
    assert_eq!((created.kind, &created.changes), (EventKind::Created, &None));
    assert_eq!(created.ticket["short_description"], "Second monitor stays dark");

    let payload = json!({"short_description": "Both monitors stay dark"});
    world
        .perform(
            TasAction::UpdateTicketFields,
            json!({"ticket_id": id, "payload": payload, "requestor_info": requestor}),
        )
        .await;
    world.poll().await;
    let updated = one(world.events(id));
    assert_eq!(updated.kind, EventKind::Updated);
    let title = change(&updated, "short_description");
    assert_eq!(
        (&title.before, &title.after),
        (
            &json!("Second monitor stays dark"),
            &json!("Both monitors stay dark")
        )
    );

    world
        .perform(
            TasAction::AddPublicComment,
            json!({"ticket_id": id, "comment": "We look into it.", "requestor_info": requestor}),
        )
        .await;
    world.poll().await;
    let commented = one(world.events(id));
    let time = change(&commented, "updated_at");
    assert_eq!(time.before, updated.ticket["updated_at"]);
    assert_eq!(time.after, commented.ticket["updated_at"]);
    assert!(time.before.as_str() < time.after.as_str(), "{time:?}");

    world.poll().await;
    assert!(world.events(id).is_empty(), "nothing happened since");

    let mut made = Vec::new();
    for number in 0..9 {
        let payload = json!({"short_description": format!("Monitor {number}")});
        let input = json!({"payload": payload, "requestor_info": requestor});
        let ticket = world.perform(TasAction::CreateTicket, input).await;
        made.push(ticket["raw_ticket"]["id"].as_str().unwrap().to_owned());
    }
    let report = world.poll().await;
    assert!(report.pages > 2, "nine tickets, four on a page: {report:?}");
    let events = std::mem::take(&mut *world.memory.events.lock().unwrap());
    let mut found: Vec<String> = events.into_iter().map(|event| event.ticket_id).collect();
    found.sort();
    made.sort();
    assert_eq!(found, made, "each once");
    world.sandbox.stop().await;
}

#[tokio::test]
async fn as_the_reference_has_it() {
    a_ticket_from_its_creation_on(&[]).await;
}

#[tokio::test]
async fn with_every_difference_at_once() {
    a_ticket_from_its_creation_on(Quirk::all()).await;
}

#[tokio::test]
async fn with_each_difference_of_the_list_alone() {
    for quirk in [
        Quirk::DefaultOrderRandom,
        Quirk::TimesInTimezone,
        Quirk::ItemCount,
        Quirk::TokenInHeader,
        Quirk::TokenMissing,
        Quirk::TokenRepeats,
        Quirk::PagesOverlap,
        Quirk::NullFields,
        Quirk::FlatRecords,
        Quirk::EmailPeople,
        Quirk::QuietComments,
    ] {
        a_ticket_from_its_creation_on(&[quirk]).await;
    }
}

/// What an idle poll costs: one call, of as many rows as the poll of a few minutes needs.
#[tokio::test]
async fn an_idle_poll_is_one_call() {
    let mut world = World::start(&[]).await;
    let mut settings = world.installed.installation.settings.clone();
    settings["page_size"] = json!(1000);
    let yaml = include_str!("../../../../connectors/teamswork/integration.yaml");
    let secrets = StaticSecrets::new().with("teamswork", "api_key", CANARY);
    (world.gateway, world.installed) = gateway(yaml, "teamswork", secrets, &settings).await;
    world.poll().await;
    world.sandbox.forget_requests();
    world.poll().await;
    let asked = world.sandbox.requests();
    assert_eq!(asked.len(), 1, "{asked:#?}");
    assert_eq!(asked[0].parameter("limit"), Some("100"));
    world.sandbox.stop().await;
}
