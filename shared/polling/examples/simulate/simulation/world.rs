//! The world of a simulation: streams, their tickets, the copies of the ticketing system, the poller's store.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use polling::{Boundary, Order, Paging, Settings};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use storage::{SeenTicket, StreamKey, StreamRecord};

use super::executor::{Happening, Time, Timeline};
use super::truth::{Score, TicketTruth, Version};

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
/// 2026-01-01T00:00:00Z.
pub const BEGIN: Time = 1_767_225_600 * SECOND;

pub mod happening {
    pub const CHANGE: u8 = 0;
    pub const VISIBLE: u8 = 1;
    pub const TICK: u8 = 2;
    pub const MESSAGE: u8 = 3;
    pub const OUTAGE: u8 = 4;
    pub const BURST: u8 = 5;
    pub const REWIND: u8 = 6;
}

/// A ticketing system, and how its stream is polled.
pub struct Stream {
    pub key: StreamKey,
    pub settings: Settings,
    /// The step of its times.
    pub tick: i64,
    /// Its clock minus the true one.
    pub skew: i64,
    /// How far its second copy is behind its first.
    pub replica_lag: i64,
    pub page_size: usize,
    pub down_until: Time,
    /// Changes in this time, and a while after it, are waited for longer.
    pub outage: (Time, Time),
    /// Streams of the same integration, to which tickets move.
    pub neighbour: Option<u16>,
    /// When the reading of the window began that is saved.
    pub saved_window_began: Option<Time>,
}

/// One copy of all ticketing systems.
#[derive(Default)]
pub struct Replica {
    pub current: Vec<u32>,
    pub by_time: Vec<BTreeSet<(Time, u32)>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// Chance that a call of a port fails in one of its ways.
    pub rate: f64,
    /// Chance that a worker is killed, at each place where it waits.
    pub kill: f64,
    pub outages: bool,
}

pub struct World {
    pub line: Timeline,
    pub rng: StdRng,
    pub faults: Faults,
    pub streams: Vec<Stream>,
    pub tickets: Vec<TicketTruth>,
    pub replicas: [Replica; 2],
    /// Changes that are to become visible: (ticket, version, replica).
    pub becoming: Vec<(u32, u32, u8)>,
    pub records: BTreeMap<StreamKey, StreamRecord>,
    pub seen: HashMap<(String, String), SeenTicket>,
    pub accepted: HashMap<String, u64>,
    pub store_down_until: Time,
    pub sink_down_until: Time,
    pub score: Score,
}

impl World {
    pub fn new(seed: u64, line: Timeline, faults: Faults) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let streams: Vec<Stream> = (0..8).map(|number| stream(number, &mut rng)).collect();
        let replica = || Replica {
            current: Vec::new(),
            by_time: vec![BTreeSet::new(); streams.len()],
        };
        Self {
            replicas: [replica(), replica()],
            line,
            rng,
            faults,
            streams,
            tickets: Vec::new(),
            becoming: Vec::new(),
            records: BTreeMap::new(),
            seen: HashMap::new(),
            accepted: HashMap::new(),
            store_down_until: 0,
            sink_down_until: 0,
            score: Score::default(),
        }
    }

    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.rng.random_bool(share)
    }

    /// Whether something goes wrong that happens `weight` times as often as the usual fault.
    pub fn fault(&mut self, weight: f64) -> bool {
        let rate = self.faults.rate * weight;
        self.chance(rate)
    }

    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.rng.random_range(low..=high)
    }

    fn add_ticket(&mut self) -> usize {
        self.tickets.push(TicketTruth::default());
        for replica in &mut self.replicas {
            replica.current.push(0);
        }
        self.tickets.len() - 1
    }

    /// Makes the tickets that were there before the poller was. Nothing is published of them until they change.
    pub fn found(&mut self, tickets: usize) {
        for number in 0..tickets {
            let ticket = self.add_ticket();
            let home = u16::try_from(number % self.streams.len()).unwrap();
            let made_at = (BEGIN - 24 * HOUR + self.between(0, 10 * HOUR)) / MINUTE * MINUTE;
            let truth = &mut self.tickets[ticket];
            truth.created_at = made_at;
            truth.published = 1;
            truth.versions.push(Version {
                updated_at: made_at,
                made_at,
                visible_at: made_at,
                home,
                state: 0,
            });
            for replica in &mut self.replicas {
                replica.current[ticket] = 1;
                replica.by_time[usize::from(home)].insert((made_at, u32::try_from(ticket).unwrap()));
            }
        }
    }

    /// Changes a ticket, or makes one.
    pub fn change(&mut self, stream: u16) {
        let ticket = if self.chance(0.08) {
            self.add_ticket()
        } else {
            // Most changes are to tickets that are in work; some to old ones.
            let all = self.tickets.len();
            let recent = if self.chance(0.9) { all.min(8000) } else { all };
            all - 1 - self.rng.random_range(0..recent)
        };
        self.change_ticket(u32::try_from(ticket).unwrap(), stream);
    }

    pub fn change_ticket(&mut self, ticket: u32, stream: u16) {
        let now = self.line.now();
        let last = self.tickets[ticket as usize].versions.last().copied();
        let mut home = last.map_or(stream, |last| last.home);
        if let Some(neighbour) = self.streams[usize::from(home)].neighbour
            && last.is_some()
            && self.chance(0.03)
        {
            home = neighbour;
        }
        let place = &self.streams[usize::from(home)];
        let (tick, skew, lag) = (place.tick, place.skew, place.replica_lag);
        let (look_back, settle) = (place.settings.look_back, place.settings.settle);
        let updated_at = (now + skew).div_euclid(tick) * tick;
        // The clocks of two ticketing systems differ; a ticket's own time does not go back.
        let updated_at = last.map_or(updated_at, |last| updated_at.max(last.updated_at));
        // Where answers can be far behind, a ticket never has two versions with one time.
        let is_far_behind = lag > 9 * SECOND;
        let updated_at = match last {
            Some(last) if is_far_behind && last.updated_at == updated_at => updated_at + tick,
            _ => updated_at,
        };
        let same_tick = last.is_some_and(|last| last.updated_at == updated_at);
        // As late as the look-back and the time to settle allow, less what else eats them up.
        let covered = i64::try_from((look_back + settle).as_micros()).unwrap();
        let latest = covered - tick - lag - 15 * SECOND;
        let late = if !same_tick && self.faults.rate > 0.0 && self.chance(0.02) {
            self.between(SECOND, latest)
        } else {
            self.between(0, SECOND / 2)
        };
        let state = (last.map_or(0, |last| last.state) + u8::try_from(self.between(1, 4)).unwrap()) % 5;
        let truth = &mut self.tickets[ticket as usize];
        if last.is_none() {
            truth.created_at = updated_at;
        }
        truth.versions.push(Version {
            updated_at,
            made_at: now,
            visible_at: now + late + lag,
            home,
            state,
        });
        let number = u32::try_from(truth.versions.len()).unwrap();
        self.score.changes += 1;
        for (replica, delay) in [(0, late), (1, late + lag)] {
            self.becoming.push((ticket, number, replica));
            let index = u64::try_from(self.becoming.len() - 1).unwrap();
            self.line
                .at(now + delay, Happening::World(happening::VISIBLE, index));
        }
    }

    /// A change shows in a copy of the ticketing system.
    pub fn show(&mut self, index: u64) {
        let (ticket, number, replica) = self.becoming[usize::try_from(index).unwrap()];
        let replica = &mut self.replicas[usize::from(replica)];
        let current = replica.current[ticket as usize];
        if current >= number {
            return;
        }
        let versions = &self.tickets[ticket as usize].versions;
        if let Some(old) = current.checked_sub(1) {
            let old = &versions[old as usize];
            replica.by_time[usize::from(old.home)].remove(&(old.updated_at, ticket));
        }
        let new = &versions[number as usize - 1];
        replica.by_time[usize::from(new.home)].insert((new.updated_at, ticket));
        replica.current[ticket as usize] = number;
    }

    /// Something was put out of order just now.
    pub fn note_outage(&mut self) {
        let now = self.line.now();
        let everywhere = self.store_down_until.max(self.sink_down_until);
        for stream in &mut self.streams {
            let end = stream.down_until.max(everywhere);
            if end > now {
                let begin = if stream.outage.1 > now {
                    stream.outage.0
                } else {
                    now
                };
                stream.outage = (begin, end);
            }
        }
    }

    /// A window of `stream` was committed whose reading began at `began`: what stood all that time, up to the
    /// watermark, is published.
    pub fn check_commit(&mut self, stream: usize, began: Time, start: Time, watermark: Time) {
        let now = self.line.now();
        if start > watermark {
            return;
        }
        for (_, ticket) in self.replicas[0].by_time[stream].range((start, 0)..=(watermark, u32::MAX)) {
            let current = self.replicas[0].current[*ticket as usize];
            let truth = &self.tickets[*ticket as usize];
            let version = &truth.versions[current as usize - 1];
            if version.visible_at < began && truth.published < current {
                self.score.lost += 1;
                let (key, published) = (&self.streams[stream].key, truth.published);
                let text = format!(
                    "{}: the watermark of {key:?} passes version {current} of T{ticket} ({version:?}), of which \
                     {published} is the last that was published",
                    super::truth::text(now)
                );
                self.score.problem(|| text);
            }
        }
    }

    /// Whether the last version of every ticket is published.
    pub fn is_published(&self) -> bool {
        let is_published = |truth: &TicketTruth| truth.published as usize == truth.versions.len();
        self.tickets.iter().all(is_published)
    }

    /// At the end: the last version of every ticket is published.
    pub fn check_end(&mut self) {
        for (ticket, truth) in self.tickets.iter().enumerate() {
            let last = u32::try_from(truth.versions.len()).unwrap();
            if truth.published < last {
                self.score.lost += 1;
                let published = truth.published;
                let version = truth.versions[last as usize - 1];
                self.score.problem(|| {
                    format!(
                        "end: T{ticket} has {last} versions, {published} is the last published; {version:?}"
                    )
                });
            }
        }
    }
}

fn stream(number: u16, rng: &mut StdRng) -> Stream {
    let seconds = Duration::from_secs;
    let mut settings = Settings {
        retention: seconds(12 * 3600),
        ..Settings::default()
    };
    let (mut tick, mut page_size, mut replica_lag) = (SECOND, 50, rng.random_range(0..8 * SECOND));
    (settings.order, settings.paging) = match number {
        0 => (Order::Asc, Paging::Stable),
        1 | 7 => (Order::Asc, Paging::Shifting),
        2 => (Order::Desc, Paging::Shifting),
        3 => (Order::Unsorted, Paging::Stable),
        4 => (Order::Unsorted, Paging::Shifting),
        5 => (Order::Feed, Paging::Stable),
        _ => (Order::Desc, Paging::Stable),
    };
    match number {
        2 => replica_lag = rng.random_range(10 * SECOND..60 * SECOND),
        1 => {
            replica_lag = rng.random_range(10 * SECOND..60 * SECOND);
            (settings.boundary, settings.granularity, tick) =
                (Boundary::Exclusive, Duration::from_micros(1), 1);
        }
        3 => (settings.max_pages, page_size) = (Some(6), 100),
        4 => page_size = 100,
        5 => page_size = 100,
        6 => (settings.boundary, settings.granularity) = (Boundary::Exclusive, seconds(60)),
        7 => {
            // Times in whole minutes: reads must not go back within one.
            (settings.granularity, tick, replica_lag) = (seconds(60), MINUTE, 0);
        }
        _ => {}
    }
    let pair = matches!(number, 4 | 5);
    let skew = match number % 4 {
        // Two destinations of one integration have one clock.
        _ if pair => 20 * SECOND,
        0 => rng.random_range(-90 * SECOND..=90 * SECOND),
        1 => rng.random_range(-3 * SECOND..=3 * SECOND),
        2 => rng.random_range(-20 * SECOND..=20 * SECOND),
        _ => 0,
    };
    Stream {
        key: StreamKey {
            integration: if pair {
                "pair".to_owned()
            } else {
                format!("integration-{number}")
            },
            destination: pair.then(|| format!("destination-{number}")),
        },
        settings,
        tick,
        skew,
        replica_lag,
        page_size,
        down_until: 0,
        outage: (0, 0),
        neighbour: match number {
            4 => Some(5),
            5 => Some(4),
            _ => None,
        },
        saved_window_began: None,
    }
}
