//! `GET /tickets`: the tickets of a stretch of time, page by page.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::{Refusal, ticket};
use super::fate::{Fate, Page};
use super::random::Random;
use super::world::{Shown, Time, World, mixed_place};

/// The most rows on a page.
const MOST: usize = 100;
/// Before a token: the same place under another name.
const ALIAS: char = '~';
/// The place of the first page, where it needs a name.
const FIRST: &str = "first";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Asc,
    Desc,
    None,
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Query {
    from: Option<Time>,
    to: Option<Time>,
    excludes_ends: bool,
    sort: Sort,
    by_number: bool,
    limit: usize,
    token: Option<String>,
}

impl Query {
    /// Reads the query string.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let mut query = Self {
            from: None,
            to: None,
            excludes_ends: false,
            sort: Sort::Asc,
            by_number: false,
            limit: MOST,
            token: None,
        };
        for (name, value) in pairs {
            let choose = |words: &[&str]| {
                let place = words.iter().position(|word| word == value);
                place.ok_or_else(|| wrong(name, value, &format!("one of {}", words.join(", "))))
            };
            match name.as_str() {
                "updated_from" => query.from = Some(time(name, value)?),
                "updated_to" => query.to = Some(time(name, value)?),
                "ends" => query.excludes_ends = choose(&["included", "excluded"])? == 1,
                "sort" => {
                    query.sort = match choose(&["asc", "desc", "none"])? {
                        0 => Sort::Asc,
                        1 => Sort::Desc,
                        _ => Sort::None,
                    }
                }
                "paging" => query.by_number = choose(&["cursor", "offset"])? == 1,
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    query.limit = limit.ok_or_else(|| wrong(name, value, "a number from 1 to 100"))?;
                }
                "token" => query.token = Some(value.clone()).filter(|token| !token.is_empty()),
                _ => {
                    return Err(Refusal::invalid(format!(
                        "There is no parameter `{name}`; there are updated_from, updated_to, ends, sort, paging, \
                         limit and token"
                    )));
                }
            }
        }
        Ok(query)
    }

    /// The page, with what goes wrong with it.
    pub(super) fn answer(&self, world: &World, now: Time, fate: &Fate) -> Result<Answer, Refusal> {
        let mut applied = None;
        if let (Some(_), Page::Refused { says_why }) = (&self.token, fate.page) {
            return Err(if says_why {
                Refusal::expired()
            } else {
                Refusal::invalid("Bad request")
            });
        }
        let (mut rows, mut next) = self.page(world, now, fate.from_second_copy)?;
        match (fate.page, &self.token) {
            (Page::RoundAgain, Some(token)) => {
                applied = Some("token_round_again");
                next = Some(token.clone());
            }
            (Page::Again, Some(_)) if !self.is_alias() => {
                applied = Some("page_again");
                next = Some(self.alias());
            }
            (Page::Empty, _) if next.is_some() && !self.is_alias() => {
                applied = Some("empty_page");
                rows.clear();
                next = Some(self.alias());
            }
            _ => {}
        }
        if let Some(seed) = fate.shuffled {
            Random::new(seed, 3).shuffle(&mut rows);
        }
        let rows: Vec<Value> = rows.into_iter().map(|row| ticket(row, world.step)).collect();
        Ok(Answer {
            body: json!({"tickets": rows, "next": next}),
            went_wrong: applied,
        })
    }

    fn is_alias(&self) -> bool {
        self.token
            .as_deref()
            .is_some_and(|token| token.starts_with(ALIAS))
    }

    fn alias(&self) -> String {
        format!("{ALIAS}{}", self.token.as_deref().unwrap_or(FIRST))
    }

    fn page<'w>(
        &self,
        world: &'w World,
        now: Time,
        from_second_copy: bool,
    ) -> Result<(Vec<Shown<'w>>, Option<String>), Refusal> {
        let token = self.token.as_deref().map(|token| token.trim_start_matches(ALIAS));
        let place = token
            .filter(|token| *token != FIRST)
            .map(|token| self.place(token))
            .transpose()?;
        let mut rows: Vec<Shown<'w>> = world
            .all(now, from_second_copy)
            .filter(|row| self.contains(row.version.updated_at))
            .collect();
        rows.sort_unstable_by_key(|row| self.key(row.version.updated_at, row.number));
        let first = match place {
            None => 0,
            Some(Place::Number(number)) => number.min(rows.len()),
            Some(Place::After(key)) => {
                rows.partition_point(|row| self.key(row.version.updated_at, row.number) <= key)
            }
        };
        let has_more = rows.len() > first + self.limit;
        let rows: Vec<Shown<'w>> = rows.into_iter().skip(first).take(self.limit).collect();
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|last| {
            if self.by_number {
                (first + self.limit).to_string()
            } else {
                format!("{}.{}", last.version.updated_at, last.number)
            }
        });
        Ok((rows, next))
    }

    fn contains(&self, time: Time) -> bool {
        let (after, before) = (
            self.from
                .is_none_or(|from| from < time || (from == time && !self.excludes_ends)),
            self.to
                .is_none_or(|to| time < to || (to == time && !self.excludes_ends)),
        );
        after && before
    }

    /// What the rows are sorted by, so that no two are equal.
    fn key(&self, time: Time, number: usize) -> (u64, Reverse<Time>, Time, usize) {
        match self.sort {
            Sort::Asc => (0, Reverse(0), time, number),
            Sort::Desc => (0, Reverse(time), 0, number),
            Sort::None => (mixed_place(number), Reverse(0), 0, number),
        }
    }

    fn place(&self, token: &str) -> Result<Place, Refusal> {
        let place = if self.by_number {
            token.parse().ok().map(Place::Number)
        } else {
            token.split_once('.').and_then(|(time, number)| {
                Some(Place::After(self.key(time.parse().ok()?, number.parse().ok()?)))
            })
        };
        place.ok_or_else(|| wrong("token", token, "the `next` of a page of the same list"))
    }
}

/// Where a page begins.
enum Place {
    /// After so many rows.
    Number(usize),
    /// After the row with this key.
    After((u64, Reverse<Time>, Time, usize)),
}

/// A page and what went wrong with it.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) went_wrong: Option<&'static str>,
}

fn time(name: &str, value: &str) -> Result<Time, Refusal> {
    value
        .parse::<Timestamp>()
        .map(Timestamp::as_microsecond)
        .map_err(|_| wrong(name, value, "a time such as 2026-01-05T10:30:45Z"))
}

fn wrong(name: &str, value: &str, expected: &str) -> Refusal {
    Refusal::invalid(format!("`{name}` is `{value}`; it has to be {expected}"))
}
