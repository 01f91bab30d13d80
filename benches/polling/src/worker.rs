//! One poll by the product's own poller over the product's own adapters, in this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actions::{Fixed, Gateway, Installations};
use jiff::{SignedDuration, Timestamp};
use nix::sys::resource::{UsageWho, getrusage};
use poller::{Poller, PollerPorts, Tee};
use polling::Clock;
use serde_json::{Map, json};
use storage::aws::{Connection, DynamoEventLog, DynamoPollState, DynamoWriteJournal, EventBridgeSink};
use storage::embedded::StaticSecrets;
use storage::in_process::InProcessBudget;
use storage::{EventSink, StreamKey, WriteJournal};
use upstream::{Client, ClientOptions};

const INTEGRATION: &str = include_str!("../integration.yaml");

/// What a worker is told.
pub struct Order {
    upstream: String,
    aws: String,
    table: String,
    now: Timestamp,
    /// Events go into the log first, and the gateway's own writes are looked up: all that the function does.
    log: bool,
}

impl Order {
    pub fn parse(value: impl Fn(&str) -> Option<String>) -> Self {
        let needed = |name: &str| value(name).unwrap_or_else(|| panic!("{name} is missing"));
        Self {
            upstream: needed("--upstream"),
            aws: needed("--aws"),
            table: needed("--table"),
            now: needed("--now").parse().expect("a time"),
            log: value("--log").is_some_and(|log| log == "yes"),
        }
    }
}

/// A clock that began at a given time.
struct Moved {
    from: Timestamp,
    begun: Instant,
}

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        self.from + self.begun.elapsed()
    }
}

pub async fn run(order: &Order) {
    let poller = poller(order);
    let key = StreamKey {
        integration: "bench".to_owned(),
        destination: None,
    };
    let (begun, spent) = (Instant::now(), processor_time());
    let deadline = order.now + SignedDuration::from_hours(1);
    let report = poller.poll(&key, format!("bench-{}", std::process::id()), deadline);
    let report = report.await.expect("there is such a stream");
    let found = json!({
        "outcome": format!("{:?}", report.outcome),
        "tickets": report.tickets,
        "published": report.published,
        "cpu": (processor_time() - spent).as_secs_f64(),
        "wall": begun.elapsed().as_secs_f64(),
        "peak_kb": peak(),
    });
    println!("{found}");
}

fn poller(order: &Order) -> Poller {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connection = Connection::from_environment(|name| {
        Some(match name {
            "AWS_REGION" => "eu-central-1".to_owned(),
            "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE".to_owned(),
            "AWS_SECRET_ACCESS_KEY" => "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            "AWS_ENDPOINT_URL" => order.aws.clone(),
            _ => return None,
        })
    });
    let connection = connection.expect("a connection");
    let client = Client::new(ClientOptions {
        secrets: Arc::new(StaticSecrets::new()),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: true,
        user_agent: "bench".to_owned(),
    });
    let installations = installations(&order.upstream);
    let gateway = Gateway::builder(client.expect("a client"))
        .installations(Arc::clone(&installations))
        .build()
        .expect("a gateway");
    let bus: Arc<dyn EventSink> = Arc::new(EventBridgeSink::new(&connection, "bench", None));
    let log: Arc<dyn EventSink> = Arc::new(DynamoEventLog::new(&connection, &*order.table));
    let journal: Arc<dyn WriteJournal> = Arc::new(DynamoWriteJournal::new(&connection, &*order.table));
    Poller::new(PollerPorts {
        gateway: Arc::new(gateway),
        installations,
        state: Arc::new(DynamoPollState::new(&connection, &*order.table)),
        sink: if order.log {
            Arc::new(Tee::new(vec![log, bus]))
        } else {
            bus
        },
        journal: order.log.then_some(journal),
        observer: None,
    })
    .with_clock(Arc::new(Moved {
        from: order.now,
        begun: Instant::now(),
    }))
}

fn installations(url: &str) -> Arc<dyn Installations> {
    let loaded = integration::load_text("integration.yaml", INTEGRATION);
    let integration = loaded.integration.expect("integration.yaml has no mistake");
    let settings = Map::from_iter([("base_url".to_owned(), json!(url))]);
    let installation = Arc::new(integration)
        .install(settings)
        .expect("settings that fit");
    Arc::new(Fixed::new(vec![installation]).expect("one name"))
}

/// User and system time of this process.
fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the usage");
    let time = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec() as u64, 0) + Duration::from_micros(time.tv_usec() as u64)
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// The most memory that was resident, in KB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("a number")
}
