//! The tickets, and what happens to them.

use jiff::Timestamp;

use super::Options;
use super::random::{Random, mix};
use super::truth::{TicketTruth, VersionTruth};

/// Microseconds since 1970.
pub(super) type Time = i64;

pub(super) const SECOND: Time = 1_000_000;

/// The statuses that a ticket can have.
pub(super) const STATUSES: [&str; 5] = ["New", "Started", "Waiting", "Resolved", "Closed"];

/// How far the second copy is behind, at most. A poller that settles for 10 s is spared the worst of it: an older
/// version, after a newer one with the same time.
const FURTHEST_BEHIND: Time = 5 * SECOND;
/// More tickets in one bulk change than a page holds.
const BULK: (i64, i64) = (110, 160);

/// A version of a ticket.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) updated_at: Time,
    made_at: Time,
    /// In the first copy.
    visible_at: Time,
    status: usize,
    title: String,
}

#[derive(Debug)]
struct Ticket {
    created_at: Time,
    versions: Vec<Version>,
}

/// A ticket as an answer shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'w> {
    pub(super) number: usize,
    pub(super) revision: usize,
    pub(super) created_at: Time,
    pub(super) version: &'w Version,
}

impl Shown<'_> {
    pub(super) fn title(&self) -> &str {
        &self.version.title
    }

    pub(super) fn status(&self) -> &'static str {
        status(self.version.status)
    }
}

/// What somebody wants of a ticket.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) title: Option<String>,
    /// A place in [`STATUSES`].
    pub(super) status: Option<usize>,
}

pub(super) struct World {
    random: Random,
    pub(super) step: Time,
    pub(super) skew: Time,
    /// How far the second copy is behind.
    behind: Time,
    latest: Time,
    rate: f64,
    limit: Option<u64>,
    made_itself: u64,
    next_change: Time,
    pub(super) is_calm: bool,
    pub(super) changes: u64,
    tickets: Vec<Ticket>,
}

impl World {
    pub(super) fn new(options: &Options, now: Timestamp) -> Self {
        let mut random = Random::new(options.seed, 1);
        let now = now.as_microsecond();
        let step = Time::try_from(options.step.as_micros()).unwrap_or(SECOND).max(1);
        let drawn = random.between(-90, 90);
        let is_hostile = options.fault_rate > 0.0;
        let behind = random.between(0, FURTHEST_BEHIND);
        let mut world = Self {
            step,
            skew: options.skew_seconds.unwrap_or(drawn).saturating_mul(SECOND),
            behind: if is_hostile { behind } else { 0 },
            latest: if is_hostile {
                Time::try_from(options.latest.as_micros()).unwrap_or(0)
            } else {
                0
            },
            rate: options.changes_per_second,
            limit: options.changes,
            made_itself: 0,
            next_change: now,
            is_calm: false,
            changes: 0,
            tickets: Vec::new(),
            random,
        };
        for _ in 0..options.tickets {
            let made_at = now - world.random.between(3600, 24 * 3600) * SECOND;
            world.add(made_at, 0, "Was here before".to_owned());
        }
        world.changes = 0;
        world.draw_next(1);
        world
    }

    /// Makes the changes that are due.
    pub(super) fn advance(&mut self, now: Time) {
        while !self.is_calm && self.is_going_on() && self.next_change <= now {
            let count = self.change_something(self.next_change);
            self.draw_next(count);
        }
    }

    fn is_going_on(&self) -> bool {
        self.rate > 0.0 && self.limit.is_none_or(|limit| self.made_itself < limit)
    }

    /// After so many changes at once the next one takes as many times as long: the average is what was asked for.
    fn draw_next(&mut self, made: u32) {
        if self.rate > 0.0 {
            let wait = self.random.wait(self.rate) * f64::from(made);
            self.next_change = self.next_change.saturating_add((wait * SECOND as f64) as Time);
        }
    }

    /// Changes a ticket, makes one, or changes many at once; how many.
    fn change_something(&mut self, now: Time) -> u32 {
        if self.random.chance(0.08) || self.tickets.is_empty() {
            self.made_itself += 1;
            let late = self.lateness();
            let number = self.tickets.len() + 1;
            self.add(now, late, format!("Ticket {number}"));
            return 1;
        }
        let all = self.tickets.len();
        let first = self.random.below(all);
        let most = if self.random.chance(0.005) {
            usize::try_from(self.random.between(BULK.0, BULK.1)).unwrap_or(1)
        } else {
            1
        };
        let mut made = 0;
        for ticket in (first..all).take(most) {
            if !self.is_going_on() {
                break;
            }
            self.made_itself += 1;
            made += 1;
            let late = self.lateness();
            let status = self.random.below(STATUSES.len());
            let wanted = Wanted {
                title: None,
                status: Some(status),
            };
            self.change(ticket, now, late, wanted);
        }
        made
    }

    fn lateness(&mut self) -> Time {
        // Drawn in any case, so that the same seed gives the same changes with and without faults.
        let (is_late, late) = (self.random.chance(0.02), self.random.between(SECOND, self.latest));
        if is_late { late.min(self.latest) } else { 0 }
    }

    /// A new ticket; its number.
    pub(super) fn add(&mut self, now: Time, late: Time, title: String) -> usize {
        self.changes += 1;
        let updated_at = self.stamp(now);
        self.tickets.push(Ticket {
            created_at: updated_at,
            versions: vec![Version {
                updated_at,
                made_at: now,
                visible_at: now + late,
                status: 0,
                title,
            }],
        });
        self.tickets.len() - 1
    }

    /// Makes a version of a ticket. Whether there is one of that number.
    pub(super) fn change(&mut self, number: usize, now: Time, late: Time, wanted: Wanted) -> bool {
        let stamp = self.stamp(now);
        let Some(ticket) = self.tickets.get_mut(number) else {
            return false;
        };
        let Some(last) = ticket.versions.last() else {
            return false;
        };
        self.changes += 1;
        // A ticket's own time does not go back, and of two contents with one time the later one shows at once.
        let updated_at = stamp.max(last.updated_at);
        let late = if updated_at == last.updated_at { 0 } else { late };
        let version = Version {
            updated_at,
            made_at: now,
            visible_at: now + late,
            status: wanted.status.unwrap_or(last.status),
            title: wanted.title.unwrap_or_else(|| last.title.clone()),
        };
        ticket.versions.push(version);
        true
    }

    /// The time as this ticketing system writes it down.
    fn stamp(&self, now: Time) -> Time {
        (now + self.skew).div_euclid(self.step) * self.step
    }

    /// A ticket as one of the copies shows it now: its newest version that has come there.
    pub(super) fn show(&self, number: usize, now: Time, from_second_copy: bool) -> Option<Shown<'_>> {
        let ticket = self.tickets.get(number)?;
        let behind = if from_second_copy { self.behind } else { 0 };
        let revision = ticket
            .versions
            .iter()
            .rposition(|version| version.visible_at + behind <= now)?;
        Some(Shown {
            number,
            revision: revision + 1,
            created_at: ticket.created_at,
            version: ticket.versions.get(revision)?,
        })
    }

    /// All tickets, as [`World::show`] does.
    pub(super) fn all(&self, now: Time, from_second_copy: bool) -> impl Iterator<Item = Shown<'_>> {
        (0..self.tickets.len()).filter_map(move |number| self.show(number, now, from_second_copy))
    }

    pub(super) fn truth(&self) -> Vec<TicketTruth> {
        let tickets = self.tickets.iter().enumerate();
        tickets
            .map(|(number, ticket)| TicketTruth {
                id: id(number),
                created_at: instant(ticket.created_at),
                versions: (1..)
                    .zip(&ticket.versions)
                    .map(|(revision, version)| VersionTruth {
                        revision,
                        updated_at: instant(version.updated_at),
                        made_at: instant(version.made_at),
                        visible_at: instant(version.visible_at + self.behind),
                        title: version.title.clone(),
                        status: status(version.status),
                    })
                    .collect(),
            })
            .collect()
    }
}

fn status(place: usize) -> &'static str {
    STATUSES.get(place).copied().unwrap_or("New")
}

/// The id of the ticket with this number.
pub(super) fn id(number: usize) -> String {
    format!("H-{}", number + 1)
}

/// The number of the ticket with this id.
pub(super) fn number(id: &str) -> Option<usize> {
    id.strip_prefix("H-")?.parse::<usize>().ok()?.checked_sub(1)
}

/// A place in a list that has nothing to do with the time.
pub(super) fn mixed_place(number: usize) -> u64 {
    mix(number as u64)
}

pub(super) fn instant(time: Time) -> Timestamp {
    Timestamp::from_microsecond(time).unwrap_or(Timestamp::UNIX_EPOCH)
}
