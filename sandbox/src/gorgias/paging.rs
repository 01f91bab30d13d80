//! Lists in pages: cursors are opaque, live for a short time and belong to one query.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::Refusal;
use super::moment::Moment;
use super::query::{Query, invalid};
use super::quirks::{Quirk, Quirks};

const DEFAULT_LIMIT: usize = 30;
const LARGEST_LIMIT: usize = 100;
/// More cursors than this at once are more than anybody follows; the oldest are forgotten.
const MOST_CURSORS: usize = 10_000;

/// Where a row stands: the value it is ordered by, and its id.
pub(super) type Place = (i64, i64);

/// A row of a list.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) shown: Value,
}

#[derive(Clone)]
struct Cursor {
    fingerprint: Vec<(String, String)>,
    place: Place,
    /// Towards the first page.
    back: bool,
    made: Moment,
}

/// The cursors that were given out.
pub(super) struct Cursors {
    known: BTreeMap<String, Cursor>,
    lifetime: i64,
}

impl Cursors {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            known: BTreeMap::new(),
            lifetime: i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// No cursor that was given out is good any more.
    pub(super) fn expire(&mut self) {
        self.known.clear();
    }

    fn give(&mut self, cursor: Cursor) -> String {
        if self.known.len() >= MOST_CURSORS {
            let oldest = self.known.iter().min_by_key(|(_, cursor)| cursor.made);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.known.remove(&name);
            }
        }
        let name = uuid::Uuid::new_v4().simple().to_string();
        self.known.insert(name.clone(), cursor);
        name
    }

    fn find(&self, name: &str, fingerprint: &[(String, String)], now: Moment) -> Result<Cursor, Refusal> {
        let known = self
            .known
            .get(name)
            .filter(|cursor| now.since(cursor.made) < self.lifetime)
            .ok_or_else(|| invalid("cursor", "Invalid or expired cursor."))?;
        if known.fingerprint != fingerprint {
            return Err(invalid("cursor", "The cursor belongs to another query."));
        }
        Ok(known.clone())
    }
}

/// The page that `query` asks for; `descending` says how the rows are ordered.
pub(super) fn page(
    cursors: &mut Cursors,
    quirks: &Quirks,
    uri: &str,
    query: &Query,
    mut rows: Vec<Row>,
    descending: bool,
    now: Moment,
) -> Result<Value, Refusal> {
    let limit = match query.integer("limit")? {
        None => DEFAULT_LIMIT,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
            .ok_or_else(|| {
                invalid(
                    "limit",
                    "Must be greater than or equal to 1 and less than or equal to 100.",
                )
            })?,
    };
    if descending {
        rows.sort_by_key(|row| Reverse(row.place));
    } else {
        rows.sort_by_key(|row| row.place);
    }
    let fingerprint = query.fingerprint();
    let sent = query.get("cursor").filter(|cursor| !cursor.is_empty());
    let start = match sent {
        None => 0,
        Some(name) => {
            let cursor = cursors.find(name, &fingerprint, now)?;
            let is_after = |row: &Row| {
                if descending {
                    row.place < cursor.place
                } else {
                    row.place > cursor.place
                }
            };
            let after = rows.iter().position(is_after).unwrap_or(rows.len());
            if cursor.back {
                let before = rows
                    .iter()
                    .position(|row| row.place == cursor.place)
                    .unwrap_or(after);
                before.saturating_sub(limit)
            } else if quirks.has(Quirk::PagesOverlap) {
                after.saturating_sub(1)
            } else {
                after
            }
        }
    };
    // An overlapping page still leads on.
    let limit = if quirks.has(Quirk::PagesOverlap) && start > 0 {
        limit + 1
    } else {
        limit
    };
    let end = (start + limit).min(rows.len());
    let more = end < rows.len();
    let shown: Vec<Row> = rows.drain(start.min(end)..end).collect();
    let mut give = |place: Option<Place>, back: bool| {
        place.map(|place| {
            cursors.give(Cursor {
                fingerprint: fingerprint.clone(),
                place,
                back,
                made: now,
            })
        })
    };
    let last = shown.last().map(|row| row.place);
    let next = if more {
        give(last, false)
    } else {
        sent.filter(|_| quirks.has(Quirk::CursorRepeats))
            .map(str::to_owned)
    };
    let first = shown.first().map(|row| row.place).filter(|_| start > 0);
    let previous = give(first, true);
    let data: Vec<Value> = shown.into_iter().map(|row| row.shown).collect();
    Ok(json!({
        "object": "list",
        "uri": uri,
        "data": data,
        "meta": {"prev_cursor": previous, "next_cursor": next},
    }))
}
