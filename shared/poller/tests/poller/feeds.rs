//! The shipped integrations whose lists are feeds, over their stand-ins and a network that falsifies a page: whatever it
//! does to one, every ticket is published in the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use actions::{Gateway, Installed};
use axum::extract::Request;
use axum::response::Response;
use jiff::Timestamp;
use poller::{GatewaySource, streams_of};
use polling::{Limits, Outcome, Ports, Settings, SystemClock};
use serde_json::{Value, json};
use storage::embedded::StaticSecrets;
use storage::{PollState, StreamKey, StreamRecord};

use crate::desk::{CANARY, answer, gateway, seconds};
use crate::teamswork::Memory;

/// What the network makes of the list.
#[derive(Debug, Clone)]
enum Falsified {
    /// Nothing.
    Not,
    /// Once, this page has the rows of the page before, and its own token of the next one.
    Repeats(usize),
    /// Once, this page is an object of another kind.
    NoList(usize),
    /// Another page with these rows comes between the first and the second.
    Between(Vec<Value>),
    /// This row of the first page has these fields.
    Row(usize, Value),
}

/// Where a ticketing system keeps what a page is made of.
#[derive(Debug, Clone, Copy)]
struct Form {
    rows: &'static str,
    next: &'static str,
    token_of: fn(&Request) -> Option<String>,
}

const TEAMSWORK: Form = Form {
    rows: "/items",
    next: "/continuationToken",
    token_of: |request| {
        let token = request.headers().get("continuationToken")?;
        token.to_str().ok().map(str::to_owned)
    },
};

const GORGIAS: Form = Form {
    rows: "/data",
    next: "/meta/next_cursor",
    token_of: |request| {
        let query = request.uri().query()?;
        let (_, token) = query.split_once("cursor=")?;
        token.split('&').next().map(str::to_owned)
    },
};

/// The token of the page that the network puts in.
const PUT_IN: &str = "put-in";

/// What the network remembers of the walk through the list.
#[derive(Default)]
struct Seen {
    page: usize,
    rows: Value,
    next: Value,
}

/// Passes requests on to a ticketing system.
struct Network {
    to: String,
    form: Form,
    http: reqwest::Client,
    falsified: Mutex<Falsified>,
    seen: Mutex<Seen>,
}

impl Network {
    /// Gives its address too.
    async fn start(to: &str, form: Form) -> (Arc<Self>, String) {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let (origin, path) = to.split_at(to.match_indices('/').nth(2).unwrap().0);
        let network = Arc::new(Self {
            to: origin.to_owned(),
            form,
            http: reqwest::Client::new(),
            falsified: Mutex::new(Falsified::Not),
            seen: Mutex::default(),
        });
        let shared = Arc::clone(&network);
        let app = axum::Router::new().fallback(move |request: Request| {
            let network = Arc::clone(&shared);
            async move { network.pass(request).await }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (network, url)
    }

    async fn pass(&self, request: Request) -> Response {
        let token = (self.form.token_of)(&request);
        if token.as_deref() == Some(PUT_IN)
            && let Falsified::Between(rows) = &*self.falsified.lock().unwrap()
        {
            let next = self.seen.lock().unwrap().next.clone();
            return answer(200, &self.page(rows, &next));
        }
        let url = format!("{}{}", self.to, request.uri());
        let mut headers = request.headers().clone();
        headers.remove("host");
        let answered = self.http.get(url).headers(headers).send().await.unwrap();
        let status = answered.status().as_u16();
        let body: Value = answered.json().await.unwrap();
        let body = match status {
            200 => self.falsify(token.is_none(), body),
            _ => body,
        };
        answer(status, &body)
    }

    /// A page of the system's form.
    fn page(&self, rows: &[Value], next: &Value) -> Value {
        match self.form.rows {
            "/items" => json!({"items": rows, "continuationToken": next}),
            _ => json!({"data": rows, "meta": {"next_cursor": next}}),
        }
    }

    fn falsify(&self, first: bool, mut body: Value) -> Value {
        let mut seen = self.seen.lock().unwrap();
        let mut falsified = self.falsified.lock().unwrap();
        seen.page = if first { 1 } else { seen.page + 1 };
        let rows = body.pointer(self.form.rows).unwrap().clone();
        let before = std::mem::replace(&mut seen.rows, rows);
        match falsified.clone() {
            Falsified::Repeats(page) if page == seen.page => {
                *body.pointer_mut(self.form.rows).unwrap() = before;
                *falsified = Falsified::Not;
            }
            Falsified::NoList(page) if page == seen.page => {
                body = json!({"status": "maintenance"});
                *falsified = Falsified::Not;
            }
            Falsified::Between(_) if first => {
                let next = body.pointer_mut(self.form.next).unwrap();
                seen.next = std::mem::replace(next, json!(PUT_IN));
            }
            Falsified::Row(row, fields) if first => {
                let row = body.pointer_mut(self.form.rows).unwrap().get_mut(row).unwrap();
                for (name, value) in fields.as_object().unwrap() {
                    row[name] = value.clone();
                }
            }
            _ => {}
        }
        body
    }
}

/// A ticketing system, the network before it, and a gateway before that.
struct World {
    network: Arc<Network>,
    gateway: Arc<Gateway>,
    installed: Arc<Installed>,
    key: StreamKey,
    settings: Settings,
}

impl World {
    async fn new(network: Arc<Network>, yaml: &str, name: &str, settings: &Value) -> Self {
        let secrets = StaticSecrets::new().with(name, "api_key", CANARY);
        let (gateway, installed) = gateway(yaml, name, secrets, settings).await;
        let [stream] = streams_of(&installed.installation.integration)
            .try_into()
            .unwrap();
        Self {
            network,
            gateway,
            installed,
            key: stream.key,
            settings: stream.settings,
        }
    }

    /// Polls from long before the first ticket until there is nothing more to read. Gives the published tickets, and how
    /// many runs failed.
    async fn read(&self, falsified: Falsified) -> (BTreeSet<String>, usize) {
        let what = format!("{falsified:?}");
        *self.network.falsified.lock().unwrap() = falsified;
        let memory = Memory::default();
        let long_ago: Timestamp = "2010-01-01T00:00:00Z".parse().unwrap();
        let record = StreamRecord::new(self.key.clone(), long_ago, long_ago);
        memory.store_stream(&record).await.unwrap();
        let mut failed = 0;
        while let Err(why) = self.run(&memory).await {
            failed += 1;
            assert!(failed < 5, "{what}: {why}");
            for record in memory.streams.lock().unwrap().values_mut() {
                record.not_before = None;
            }
        }
        let events = std::mem::take(&mut *memory.events.lock().unwrap());
        let published: BTreeSet<String> = events.iter().map(|event| event.ticket_id.clone()).collect();
        assert_eq!(published.len(), events.len(), "{what}: each once");
        (published, failed)
    }

    async fn run(&self, memory: &Memory) -> Result<(), String> {
        let source = GatewaySource::new(Arc::clone(&self.gateway), Arc::clone(&self.installed), None);
        let limits = Limits {
            owner: "a run".to_owned(),
            deadline: Timestamp::now() + Duration::from_secs(600),
            reserve: seconds(40),
        };
        let ports = Ports {
            source: &source,
            state: memory,
            sink: memory,
            journal: None,
            clock: &SystemClock,
        };
        let report = polling::run(&self.key, &self.settings, ports, &limits).await;
        match report.outcome {
            Outcome::CaughtUp => Ok(()),
            Outcome::Failed(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    /// What is published of the list as it is.
    async fn all(&self) -> BTreeSet<String> {
        let (all, failed) = self.read(Falsified::Not).await;
        assert_eq!(failed, 0);
        all
    }
}

/// Four pages.
async fn teamswork() -> (sandbox::teamswork::Running, World) {
    let sandbox = sandbox::teamswork::start(sandbox::teamswork::Options {
        primary_key: CANARY.to_owned(),
        seed_tickets: 25,
        rate_limit: None,
        clock: Arc::new(|| Timestamp::now() - Duration::from_secs(60)),
        ..sandbox::teamswork::Options::default()
    })
    .await
    .unwrap();
    let (network, url) = Network::start(sandbox.url(), TEAMSWORK).await;
    let yaml = include_str!("../../../../connectors/teamswork/integration.yaml");
    let settings = json!({
        "base_url": url, "service_user_id": "053660b7-0000-0000-0000-000000000000",
        "service_user_name": "Service Desk", "service_user_email": "service.desk@example.com",
        "page_size": 7,
    });
    (sandbox, World::new(network, yaml, "teamswork", &settings).await)
}

/// Four pages.
async fn gorgias() -> (sandbox::gorgias::Running, World) {
    let sandbox = sandbox::gorgias::start(sandbox::gorgias::Options {
        api_key: CANARY.to_owned(),
        seed_tickets: 330,
        rate_limit: None,
        clock: Arc::new(|| Timestamp::now() - Duration::from_secs(60)),
        ..sandbox::gorgias::Options::default()
    })
    .await
    .unwrap();
    let (network, url) = Network::start(sandbox.url(), GORGIAS).await;
    let yaml = include_str!("../../../../connectors/gorgias/integration.yaml");
    let settings = json!({"domain": "sandbox", "base_url": url, "email": "support@example.com"});
    (sandbox, World::new(network, yaml, "gorgias", &settings).await)
}

/// What fails is read again; what looks like the end of the list is not taken for it.
async fn loses_nothing(world: &World, without_date: Value) {
    let all = world.all().await;
    for falsified in [
        Falsified::Repeats(2),
        Falsified::Repeats(3),
        Falsified::NoList(1),
        Falsified::NoList(2),
        Falsified::NoList(3),
    ] {
        let what = format!("{falsified:?}");
        assert_eq!(world.read(falsified).await, (all.clone(), 1), "{what}");
    }
    for rows in [vec![], vec![without_date]] {
        let what = format!("{rows:?} between two pages");
        assert_eq!(
            world.read(Falsified::Between(rows)).await,
            (all.clone(), 0),
            "{what}"
        );
    }
}

#[tokio::test]
async fn teamswork_loses_nothing_to_a_falsified_page() {
    let (sandbox, world) = teamswork().await;
    assert_eq!(world.all().await.len(), 25);
    let without_date =
        json!({"id": "5e0d7c52-0000-0000-0000-000000000000", "title": "No date", "status": "Open"});
    loses_nothing(&world, without_date).await;
    sandbox.stop().await;
}

#[tokio::test]
async fn gorgias_loses_nothing_to_a_falsified_page() {
    let (sandbox, world) = gorgias().await;
    assert!(world.all().await.len() > 300);
    let without_date = json!({"id": 999_999, "subject": "No date", "status": "open"});
    loses_nothing(&world, without_date).await;
    sandbox.stop().await;
}

/// One that is older than what stands around it, first, in the middle or last on its page, with a time of its own or
/// with that of its creation alone.
#[tokio::test]
async fn one_old_row_out_of_order_does_not_end_the_list() {
    let (sandbox, world) = teamswork().await;
    let all = world.all().await;
    let old = "2001-01-01T00:00:00Z";
    for row in [0, 3, 6] {
        let fields = json!({"lastUpdatedOn": old, "lastInteraction": old, "createdOn": old});
        let (published, failed) = world.read(Falsified::Row(row, fields)).await;
        assert_eq!((published.len(), failed), (all.len() - 1, 0), "row {row}");
    }
    sandbox.stop().await;

    let (sandbox, world) = gorgias().await;
    let all = world.all().await;
    for (row, fields) in [
        (0, json!({"updated_datetime": old, "created_datetime": old})),
        (50, json!({"updated_datetime": old, "created_datetime": old})),
        (0, json!({"updated_datetime": null, "created_datetime": old})),
        (50, json!({"updated_datetime": null, "created_datetime": old})),
        (99, json!({"updated_datetime": null, "created_datetime": old})),
    ] {
        let (published, failed) = world.read(Falsified::Row(row, fields)).await;
        assert_eq!((published.len(), failed), (all.len() - 1, 0), "row {row}");
    }
    sandbox.stop().await;
}
