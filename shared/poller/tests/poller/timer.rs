//! The timer over streams that only note that they were polled. Time is tokio's paused clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use poller::timer::{Polls, Stopped, Timer, TimerOptions};
use poller::{PollError, Stream};
use polling::{Outcome, Report, Settings};
use storage::StreamKey;
use tokio::time::{Instant, sleep};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn key(integration: &str) -> StreamKey {
    StreamKey {
        integration: integration.to_owned(),
        destination: None,
    }
}

fn stream(integration: &str, interval: u64) -> Stream {
    let settings = Settings {
        interval: seconds(interval),
        ..Settings::default()
    };
    Stream {
        key: key(integration),
        settings,
    }
}

/// What a stream does when it is polled: takes so long, then ends so.
#[derive(Clone)]
struct Script {
    takes: Duration,
    outcomes: Vec<Outcome>,
    panics: bool,
}

/// One run, in time since the start.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    stream: String,
    from: Duration,
    until: Option<Duration>,
}

struct Fake {
    begun: Instant,
    streams: Mutex<Vec<Stream>>,
    scripts: BTreeMap<String, Script>,
    runs: Mutex<Vec<Run>>,
    owners: Mutex<Vec<String>>,
    list_takes: Mutex<Duration>,
}

impl Fake {
    fn new(streams: &[Stream]) -> Arc<Self> {
        Self::with(streams, [])
    }

    fn with<const N: usize>(streams: &[Stream], scripts: [(&str, Script); N]) -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            streams: Mutex::new(streams.to_vec()),
            scripts: scripts.map(|(name, script)| (name.to_owned(), script)).into(),
            runs: Mutex::default(),
            owners: Mutex::default(),
            list_takes: Mutex::default(),
        })
    }

    fn runs(&self) -> Vec<Run> {
        self.runs.lock().unwrap().clone()
    }

    fn starts(&self, stream: &str) -> Vec<Duration> {
        let runs = self.runs();
        let own = runs.iter().filter(|run| run.stream == stream);
        own.map(|run| run.from).collect()
    }
}

#[async_trait]
impl Polls for Fake {
    async fn streams(&self) -> Result<Vec<Stream>, PollError> {
        let takes = *self.list_takes.lock().unwrap();
        sleep(takes).await;
        Ok(self.streams.lock().unwrap().clone())
    }

    async fn poll(&self, key: &StreamKey, owner: String, _deadline: Timestamp) -> Result<Report, PollError> {
        let name = &key.integration;
        let place = {
            let mut runs = self.runs.lock().unwrap();
            runs.push(Run {
                stream: name.clone(),
                from: self.begun.elapsed(),
                until: None,
            });
            runs.len() - 1
        };
        self.owners.lock().unwrap().push(owner);
        let earlier = self.starts(name).len() - 1;
        let mut outcome = Outcome::CaughtUp;
        if let Some(script) = self.scripts.get(name) {
            sleep(script.takes).await;
            assert!(!script.panics, "a mistake in the program");
            outcome = script.outcomes.get(earlier).cloned().unwrap_or(outcome);
        }
        self.runs.lock().unwrap()[place].until = Some(self.begun.elapsed());
        Ok(Report {
            outcome,
            pages: 1,
            ..Report::default()
        })
    }
}

fn taking(takes: Duration) -> Script {
    Script {
        takes,
        outcomes: Vec::new(),
        panics: false,
    }
}

async fn run_for(time: Duration, fake: &Arc<Fake>, options: TimerOptions) -> Stopped {
    Timer::new(Arc::clone(fake) as _, options).run(sleep(time)).await
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_polled_once_in_every_interval() {
    let fake = Fake::new(&[stream("desk", 30), stream("shop", 60)]);
    assert_eq!(
        run_for(seconds(600), &fake, TimerOptions::default()).await,
        Stopped::InOrder
    );
    let desk = fake.starts("desk");
    assert_eq!(desk.len(), 20, "{desk:?}");
    for pair in desk.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart.abs_diff(seconds(30)) < Duration::from_millis(5), "{desk:?}");
    }
    assert_eq!(fake.starts("shop").len(), 10);
}

#[tokio::test(start_paused = true)]
async fn every_run_has_a_name_of_its_own() {
    let fake = Fake::new(&[stream("desk", 30), stream("shop", 30)]);
    run_for(seconds(300), &fake, TimerOptions::default()).await;
    let mut owners = fake.owners.lock().unwrap().clone();
    let all = owners.len();
    owners.sort();
    owners.dedup();
    assert_eq!((all, owners.len()), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_one_run_at_a_time_and_what_is_due_meanwhile_is_left_out() {
    let fake = Fake::with(&[stream("desk", 10)], [("desk", taking(seconds(25)))]);
    run_for(seconds(300), &fake, TimerOptions::default()).await;
    let runs = fake.runs();
    assert!((9..=10).contains(&runs.len()), "{runs:?}");
    for pair in runs.windows(2) {
        assert!(
            pair[0].until.is_some_and(|until| until <= pair[1].from),
            "{pair:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_streams_run_at_once_than_are_allowed_and_all_get_their_turn() {
    let names: Vec<String> = (0..20).map(|number| format!("s{number:02}")).collect();
    let streams: Vec<Stream> = names.iter().map(|name| stream(name, 30)).collect();
    let fake = Arc::new(Fake {
        begun: Instant::now(),
        streams: Mutex::new(streams),
        scripts: names
            .iter()
            .map(|name| (name.clone(), taking(seconds(5))))
            .collect(),
        runs: Mutex::default(),
        owners: Mutex::default(),
        list_takes: Mutex::default(),
    });
    let options = TimerOptions {
        concurrency: 2,
        ..TimerOptions::default()
    };
    run_for(seconds(600), &fake, options).await;
    let runs = fake.runs();
    for run in &runs {
        let at_once = runs
            .iter()
            .filter(|other| other.from <= run.from && other.until.is_none_or(|until| until > run.from));
        assert!(at_once.count() <= 2);
    }
    // 2 at once of 5 s each are 240 in 600 s: 12 of each stream, where each had 20 times.
    for name in &names {
        assert!((10..=13).contains(&fake.starts(name).len()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_to_do_is_done_at_once() {
    let script = Script {
        takes: seconds(1),
        outcomes: vec![Outcome::MoreToDo, Outcome::MoreToDo, Outcome::CaughtUp],
        panics: false,
    };
    let fake = Fake::with(&[stream("desk", 3600)], [("desk", script)]);
    run_for(seconds(2 * 3600), &fake, TimerOptions::default()).await;
    let starts = fake.starts("desk");
    assert_eq!(
        [starts[1] - starts[0], starts[2] - starts[1]],
        [seconds(1); 2],
        "{starts:?}"
    );
    assert_eq!(starts.len(), 4, "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_hangs_or_panics_holds_up_no_other() {
    let failing = Script {
        takes: Duration::ZERO,
        outcomes: vec![Outcome::Failed("no".to_owned()); 1000],
        panics: false,
    };
    let panicking = Script {
        takes: Duration::ZERO,
        outcomes: Vec::new(),
        panics: true,
    };
    let streams = [
        stream("desk", 30),
        stream("fails", 30),
        stream("hangs", 30),
        stream("panics", 30),
    ];
    let fake = Fake::with(
        &streams,
        [
            ("fails", failing),
            ("hangs", taking(seconds(1_000_000))),
            ("panics", panicking),
        ],
    );
    run_for(seconds(600), &fake, TimerOptions::default()).await;
    for name in ["desk", "fails", "panics"] {
        assert_eq!(fake.starts(name).len(), 20, "{name}");
    }
    // It was dropped at its deadline each time, and tried again.
    assert!((3..=5).contains(&fake.starts("hangs").len()), "{:?}", fake.runs());
}

#[tokio::test(start_paused = true)]
async fn integrations_come_and_go_and_change_their_interval() {
    let fake = Fake::new(&[stream("desk", 30)]);
    let (changing, begun) = (Arc::clone(&fake), fake.begun);
    let changes = async move {
        sleep(seconds(300)).await;
        *changing.streams.lock().unwrap() = vec![stream("desk", 10), stream("shop", 30)];
        sleep(seconds(300)).await;
        *changing.streams.lock().unwrap() = vec![stream("shop", 30)];
        sleep(seconds(300)).await;
    };
    Timer::new(Arc::clone(&fake) as _, TimerOptions::default())
        .run(changes)
        .await;
    assert_eq!(begun.elapsed(), seconds(900));

    let in_third = |name: &str, third: u64| {
        let (from, until) = (seconds(300 * third), seconds(300 * (third + 1)));
        let starts = fake.starts(name);
        starts.iter().filter(|at| **at >= from && **at < until).count()
    };
    assert_eq!([0, 1, 2].map(|third| in_third("shop", third)), [0, 10, 10]);
    assert_eq!(in_third("desk", 0), 10);
    assert!(
        (28..=31).contains(&in_third("desk", 1)),
        "{}",
        in_third("desk", 1)
    );
    assert!(in_third("desk", 2) <= 1, "{}", in_third("desk", 2));
}

#[tokio::test(start_paused = true)]
async fn streams_that_cannot_be_listed_for_a_while_are_polled_all_the_same() {
    let fake = Fake::new(&[stream("desk", 30)]);
    let slow = Arc::clone(&fake);
    let store_fails = async move {
        sleep(seconds(1)).await;
        *slow.list_takes.lock().unwrap() = seconds(100_000);
        sleep(seconds(599)).await;
    };
    Timer::new(Arc::clone(&fake) as _, TimerOptions::default())
        .run(store_fails)
        .await;
    assert_eq!(fake.starts("desk").len(), 20);
}

#[tokio::test(start_paused = true)]
async fn runs_under_way_may_finish_after_the_stop_signal_and_none_begins() {
    let fake = Fake::with(&[stream("desk", 10)], [("desk", taking(seconds(5)))]);
    // Stopped in the middle of the first run.
    let stop = {
        let fake = Arc::clone(&fake);
        async move {
            while fake.runs().is_empty() {
                sleep(Duration::from_millis(100)).await;
            }
            sleep(seconds(1)).await;
        }
    };
    let stopped = Timer::new(Arc::clone(&fake) as _, TimerOptions::default())
        .run(stop)
        .await;
    let runs = fake.runs();
    assert_eq!((stopped, runs.len()), (Stopped::InOrder, 1));
    assert!(runs[0].until.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_finish_in_time_after_the_stop_signal_is_dropped() {
    let fake = Fake::with(&[stream("desk", 10)], [("desk", taking(seconds(100)))]);
    let options = TimerOptions {
        stop_time: seconds(8),
        ..TimerOptions::default()
    };
    let stopped = run_for(seconds(30), &fake, options).await;
    assert_eq!(stopped, Stopped::Cut);
    assert_eq!(fake.begun.elapsed(), seconds(38));
    assert_eq!(fake.runs()[0].until, None);
}
