//! The real core in virtual time, against a hostile ticketing system, an unreliable store and an unreliable
//! sink. Everything follows from the seed.
//!
//! **What must be seen.** A poller reads states, not changes: a state that was replaced before it was read is
//! not missed. So two things are checked. When a watermark moves, every state up to it that was visible in
//! every copy of the ticketing system before the window's first page was asked for, and still stood when the
//! watermark moved, has had its event. And at the end, when the changes have stopped, the last state of every
//! ticket has.

pub mod executor;
pub mod ports;
pub mod truth;
pub mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use polling::{Limits, Outcome, Ports, due, run};

use executor::{Happening, Tasks, Time, Timeline};
use ports::{Shared, Worker};
use truth::Score;
use world::{BEGIN, Faults, HOUR, MINUTE, SECOND, World, happening};

/// Changes a second, of all streams together.
const RATE: f64 = 9.6;
/// Tickets at the beginning.
const TICKETS: usize = 5000;

pub struct Simulation {
    world: Shared,
    line: Timeline,
    tasks: Tasks,
    changes: u64,
    /// When the changes ended.
    quiet_since: Option<Time>,
}

impl Simulation {
    pub fn new(seed: u64, changes: u64, faults: Faults) -> Self {
        let line = Timeline::starting_at(BEGIN);
        let mut world = World::new(seed, line.clone(), faults);
        world.found(TICKETS);
        let streams = world.streams.len();
        let simulation = Self {
            world: Arc::new(Mutex::new(world)),
            line,
            tasks: Tasks::default(),
            changes,
            quiet_since: None,
        };
        let line = &simulation.line;
        // The poller is there before the first change.
        line.at(BEGIN + 5 * MINUTE, Happening::World(happening::CHANGE, 0));
        for stream in 0..streams {
            line.at(BEGIN, Happening::World(happening::TICK, stream as u64));
        }
        if faults.outages {
            line.at(BEGIN + 10 * MINUTE, Happening::World(happening::OUTAGE, 0));
            line.at(BEGIN + 15 * MINUTE, Happening::World(happening::REWIND, 0));
        }
        line.at(BEGIN + 8 * MINUTE, Happening::World(happening::BURST, 0));
        simulation
    }

    /// Runs to the end and compares.
    pub fn run(mut self) -> Score {
        while let Some((now, what)) = self.line.next() {
            match what {
                Happening::Wake(task) => self.wake(task),
                Happening::Stop(task) => {
                    self.tasks.kill(task);
                }
                Happening::World(kind, number) => self.happen(now, kind, number),
            }
            let is_tick = what == Happening::World(happening::TICK, 0);
            let quiet_for = self.quiet_since.map_or(0, |since| now - since);
            if quiet_for > 2 * HOUR
                || (quiet_for > 20 * MINUTE && is_tick && self.world.lock().unwrap().is_published())
            {
                break;
            }
        }
        let mut world = self.world.lock().unwrap();
        world.check_end();
        std::mem::take(&mut world.score)
    }

    fn wake(&mut self, task: executor::Task) {
        if !self.tasks.is_running(task) {
            return;
        }
        let dies = {
            let mut world = self.world.lock().unwrap();
            let kill = world.faults.kill;
            world.chance(kill)
        };
        if dies {
            self.world.lock().unwrap().score.killed += 1;
            self.tasks.kill(task);
        } else {
            self.tasks.wake(&self.line, task);
        }
    }

    fn happen(&mut self, now: Time, kind: u8, number: u64) {
        let shared = Arc::clone(&self.world);
        let mut world = shared.lock().unwrap();
        let world = &mut *world;
        match kind {
            happening::CHANGE => {
                let stream = u16::try_from(world.between(0, 7)).unwrap();
                world.change(stream);
                if world.score.changes < self.changes {
                    let wait = -(1.0 - rand::Rng::random::<f64>(&mut world.rng)).ln() / RATE;
                    self.line
                        .at(now + (wait * SECOND as f64) as i64, Happening::World(kind, 0));
                } else {
                    // Nothing goes wrong any more: the poller has two hours to catch up.
                    self.quiet_since = Some(now);
                    world.faults = Faults {
                        rate: 0.0,
                        kill: 0.0,
                        outages: false,
                    };
                    (world.store_down_until, world.sink_down_until) = (0, 0);
                    for stream in &mut world.streams {
                        stream.down_until = 0;
                    }
                }
            }
            happening::VISIBLE => world.show(number),
            happening::TICK => self.tick(world, now, number),
            happening::MESSAGE => self.start_run(world, number),
            happening::OUTAGE if world.faults.outages => {
                match world.between(0, 9) {
                    0 => world.store_down_until = now + world.between(MINUTE, 30 * MINUTE),
                    1 => world.sink_down_until = now + world.between(MINUTE, HOUR),
                    _ => {
                        let stream = usize::try_from(world.between(0, 7)).unwrap();
                        world.streams[stream].down_until = now + world.between(5 * MINUTE, 4 * HOUR);
                    }
                }
                world.note_outage();
                let wait = world.between(HOUR, 6 * HOUR);
                self.line.at(now + wait, Happening::World(kind, 0));
            }
            happening::BURST if world.faults.rate > 0.0 => {
                // A bulk change: more tickets at one time than a page holds.
                let stream = u16::try_from(world.between(0, 7)).unwrap();
                let tickets = u32::try_from(world.tickets.len()).unwrap();
                let first = u32::try_from(world.between(0, i64::from(tickets))).unwrap();
                let count = u32::try_from(world.between(50, 300)).unwrap();
                for ticket in first..(first + count).min(tickets) {
                    if world.score.changes < self.changes {
                        world.change_ticket(ticket, stream);
                    }
                }
                let wait = world.between(5 * MINUTE, HOUR);
                self.line.at(now + wait, Happening::World(kind, 0));
            }
            happening::REWIND if world.faults.outages => {
                // An operator reads two hours again: no event may come of it.
                let stream = usize::try_from(world.between(0, 7)).unwrap();
                let key = world.streams[stream].key.clone();
                let back = world.between(MINUTE, 2 * HOUR);
                if let Some(record) = world.records.get_mut(&key) {
                    let to = record.watermark.as_microsecond() - back;
                    record.watermark = Timestamp::from_microsecond(to.max(BEGIN)).unwrap();
                    (record.saved, record.lease) = (None, None);
                    record.revision += 1;
                }
                let wait = world.between(HOUR, 8 * HOUR);
                self.line.at(now + wait, Happening::World(kind, 0));
            }
            _ => {}
        }
    }

    /// The dispatcher looks at a stream once a minute and sends messages for its runs.
    fn tick(&self, world: &mut World, now: Time, stream: u64) {
        let place = &world.streams[stream as usize];
        let from = Timestamp::from_microsecond(now).unwrap();
        let delays = due(&place.key, place.settings.interval, from, Duration::from_secs(60));
        for delay in delays {
            let at = now + i64::try_from(delay.as_micros()).unwrap();
            // The queue delivers some twice and some late.
            let late = if world.fault(0.5) {
                world.between(0, 300 * SECOND)
            } else {
                world.between(0, SECOND)
            };
            self.line
                .at(at + late, Happening::World(happening::MESSAGE, stream));
            if world.fault(1.0) {
                let late = world.between(0, 60 * SECOND);
                self.line
                    .at(at + late, Happening::World(happening::MESSAGE, stream));
            }
        }
        self.line
            .at(now + MINUTE, Happening::World(happening::TICK, stream));
    }

    fn start_run(&mut self, world: &mut World, stream: u64) {
        world.score.runs += 1;
        let worker = Worker {
            world: Arc::clone(&self.world),
            line: self.line.clone(),
            stream: stream as usize,
            window_began: Arc::default(),
        };
        let place = &world.streams[worker.stream];
        let (key, settings) = (place.key.clone(), place.settings.clone());
        // Most workers have the short life of a function, some a very short one, some the long one of a process.
        let life = match world.between(0, 9) {
            0 | 1 => 15 * SECOND,
            2..=6 => MINUTE,
            _ => 10 * MINUTE,
        };
        let end = self.line.now() + life;
        let limits = Limits {
            owner: format!("run-{}", world.score.runs),
            deadline: Timestamp::from_microsecond(end).unwrap(),
            reserve: Duration::from_secs(5),
        };
        let (line, shared) = (self.line.clone(), Arc::clone(&self.world));
        let task = self.tasks.start(&self.line, async move {
            let ports = Ports {
                source: &worker,
                state: &worker,
                sink: &worker,
                journal: None,
                clock: &worker,
            };
            let report = run(&key, &settings, ports, &limits).await;
            let name = match &report.outcome {
                Outcome::CaughtUp => "caught up",
                Outcome::MoreToDo => "more to do",
                Outcome::Busy { .. } => "busy",
                Outcome::NotDue { .. } => "not due",
                Outcome::Paused => "paused",
                Outcome::Throttled { .. } => "throttled",
                Outcome::Superseded => "superseded",
                Outcome::Failed(_) => "failed",
            };
            {
                let mut world = shared.lock().unwrap();
                *world.score.outcomes.entry(name).or_default() += 1;
                world.score.stale += report.stale;
            }
            if report.outcome == Outcome::MoreToDo {
                line.at(line.now() + SECOND, Happening::World(happening::MESSAGE, stream));
            }
        });
        if life <= MINUTE {
            self.line.at(end, Happening::Stop(task));
        }
    }
}
