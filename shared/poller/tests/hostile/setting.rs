//! The sandbox, the integration for it, and the poller over a store in memory.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actions::{Fixed, Gateway, Installations};
use jiff::{SignedDuration, Timestamp};
use poller::{Poller, PollerPorts};
use polling::{Clock, Outcome, Report};
use sandbox::hostile::{Options, Running, start};
use serde_json::{Map, json};
use storage::embedded::{EmbeddedStore, StaticSecrets};
use storage::{PollState, StreamKey, StreamRecord};
use upstream::{Client, ClientOptions};

use crate::CHANGES;
use crate::chance::Chance;
use crate::unreliable::Unreliable;
use crate::virtual_time::{VirtualBudget, VirtualTime};

/// Seconds.
pub(crate) const LOOK_BACK: i64 = 40;

/// How late a change may show. With the step of a second, the copy that is behind and the unnoticed part of the skew, it
/// is still within what look-back and settle cover.
pub(crate) const COVERED: Duration = Duration::from_secs(30);

const INTEGRATION: &str = include_str!("../../../../sandbox/hostile/integration.yaml");

/// Which list the integration asks for, and what it declares of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    sort: &'static str,
    paging: &'static str,
    ends: &'static str,
    is_feed: bool,
}

impl List {
    pub(crate) fn new(sort: &'static str, paging: &'static str, ends: &'static str) -> Self {
        Self {
            sort,
            paging,
            ends,
            is_feed: false,
        }
    }

    /// Newest first, by cursor, without a filter by time.
    pub(crate) fn feed() -> Self {
        Self {
            is_feed: true,
            ..Self::new("desc", "cursor", "included")
        }
    }

    /// The integration, changed to ask for this list.
    fn integration(self) -> String {
        let order = match self.sort {
            _ if self.is_feed => "feed",
            "none" => "unsorted",
            sort => sort,
        };
        let paging = if self.paging == "cursor" {
            "stable"
        } else {
            "shifting"
        };
        let boundary = if self.ends == "included" {
            "inclusive"
        } else {
            "exclusive"
        };
        let mut changes = vec![
            // Less is read twice, and lists have more pages.
            (
                "look_back_seconds: 120",
                format!("look_back_seconds: {LOOK_BACK}"),
            ),
            ("limit: \"100\"", "limit: \"40\"".to_owned()),
            (
                "backoff_ceiling_seconds: 60",
                "backoff_ceiling_seconds: 20".to_owned(),
            ),
            ("sort: asc ", format!("sort: {} ", self.sort)),
            ("paging: cursor ", format!("paging: {} ", self.paging)),
            ("ends: included ", format!("ends: {} ", self.ends)),
            ("order: asc\n", format!("order: {order}\n")),
            ("paging: stable\n", format!("paging: {paging}\n")),
            ("boundary: inclusive\n", format!("boundary: {boundary}\n")),
        ];
        if self.is_feed {
            changes.push((
                "      updated_from: \"{{from}}\"\n      updated_to: \"{{to}}\"\n",
                String::new(),
            ));
        }
        changes
            .into_iter()
            .fold(INTEGRATION.to_owned(), |yaml, (from, to)| {
                assert_eq!(yaml.matches(from).count(), 1, "`{from}` is where it was");
                yaml.replace(from, &to)
            })
    }
}

pub(crate) struct Setting {
    pub(crate) sandbox: Running,
    pub(crate) clock: Arc<VirtualTime>,
    pub(crate) began: Timestamp,
    pub(crate) chance: Arc<Chance>,
    /// The poller's records and the log.
    pub(crate) store: EmbeddedStore,
    /// What the poller has in front of them.
    pub(crate) unreliable: Arc<Unreliable>,
    pub(crate) poller: Poller,
    pub(crate) stream: StreamKey,
    /// Workers that were dropped where they stood.
    pub(crate) dropped: AtomicU64,
    /// How the others ended, and how often; the text of a failure with it.
    pub(crate) outcomes: Mutex<BTreeMap<String, u32>>,
}

impl Setting {
    pub(crate) async fn new(seed: u64, list: List, latest: Duration) -> Self {
        // Of several tests in this process, whoever is first wins, and all of them agree.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(VirtualTime::new());
        let began = clock.now();
        let moving = Arc::clone(&clock);
        let sandbox = start(Options {
            seed,
            changes_per_second: 2.0,
            changes: Some(CHANGES),
            fault_rate: 0.025,
            tickets: 600,
            latest,
            slow: Duration::from_millis(5),
            clock: Arc::new(move || {
                moving.advance(250);
                moving.now()
            }),
            ..Options::default()
        })
        .await
        .unwrap();

        let installations = installations(&list.integration(), sandbox.url());
        let client = Client::new(ClientOptions {
            secrets: Arc::new(StaticSecrets::new()),
            budget: Arc::new(VirtualBudget::new(Arc::clone(&clock))),
            allow_private_addresses: true,
            user_agent: "test".to_owned(),
        });
        let gateway = Gateway::builder(client.unwrap())
            .installations(Arc::clone(&installations))
            .build()
            .unwrap();
        let store = EmbeddedStore::in_memory().unwrap();
        let chance = Arc::new(Chance::new(seed));
        let unreliable = Arc::new(Unreliable::new(
            store.clone(),
            Arc::clone(&clock),
            Arc::clone(&chance),
        ));
        let poller = Poller::new(PollerPorts {
            gateway: Arc::new(gateway),
            installations,
            state: Arc::clone(&unreliable) as _,
            sink: Arc::clone(&unreliable) as _,
            journal: None,
            observer: None,
        });
        let stream = poller.streams().await.unwrap().remove(0).key;
        // It was polled before; so every ticket that is made from now on is a new one.
        let [first, watermark] = [1800, 200].map(|before| began - SignedDuration::from_secs(before));
        let record = StreamRecord::new(stream.clone(), first, watermark);
        store.store_stream(&record).await.unwrap();
        Self {
            poller: poller.with_clock(Arc::clone(&clock) as _),
            sandbox,
            clock,
            began,
            chance,
            store,
            unreliable,
            stream,
            dropped: AtomicU64::new(0),
            outcomes: Mutex::default(),
        }
    }

    pub(crate) fn note(&self, report: &Report) {
        let outcome = match &report.outcome {
            Outcome::Failed(why) => format!("failed: {why}"),
            outcome => {
                let text = format!("{outcome:?}");
                text.split(' ').next().unwrap_or_default().to_owned()
            }
        };
        *self.outcomes.lock().unwrap().entry(outcome).or_default() += 1;
    }
}

fn installations(yaml: &str, url: &str) -> Arc<dyn Installations> {
    let loaded = integration::load_text("integration.yaml", yaml);
    let Some(integration) = loaded.integration else {
        panic!("{:?}", loaded.diagnostics)
    };
    let settings = Map::from_iter([("base_url".to_owned(), json!(url))]);
    let installation = Arc::new(integration).install(settings).unwrap();
    Arc::new(Fixed::new(vec![installation]).unwrap())
}
