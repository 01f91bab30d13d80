//! Pages of tickets: order, offset and continuation token.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::answers::Refusal;
use super::model::Record;
use super::query::{ListQuery, OrderBy, Parameters};
use super::quirks::{Quirk, Quirks};

/// What a row is ordered by; a number or a text, never both within one order. A missing one comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum SortKey {
    Missing,
    Number(i64),
    Text(String),
}

/// A place between two rows, with what the token belongs to. It names the row before the place by
/// its key, so that rows which come and go elsewhere do not shift it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Token {
    query: u64,
    after: SortKey,
    number: u64,
}

pub(super) struct Page<'a> {
    pub(super) rows: Vec<&'a Record>,
    pub(super) token: Option<String>,
}

/// The page that the parameters and the token of the request ask for.
pub(super) fn page<'a>(
    records: impl Iterator<Item = &'a Record>,
    query: &ListQuery,
    parameters: &Parameters,
    sent_token: Option<&str>,
    quirks: &Quirks,
) -> Result<Page<'a>, Refusal> {
    let identity = identity(parameters);
    let mut rows: Vec<(SortKey, &Record)> = records
        .filter(|record| query.keeps(record))
        .map(|record| (sort_key(record, query.order_by), record))
        .collect();
    let in_order = |left: (&SortKey, u64), right: (&SortKey, u64)| -> Ordering {
        if query.descending {
            right.cmp(&left)
        } else {
            left.cmp(&right)
        }
    };
    rows.sort_by(|(left_key, left), (right_key, right)| {
        in_order((left_key, left.ticket.number), (right_key, right.ticket.number))
    });

    let start = match sent_token {
        None => query.offset,
        Some(text) => {
            let token = Token::decode(text)
                .filter(|token| token.query == identity)
                .ok_or_else(|| {
                    Refusal::invalid("continuationToken is not one of this query; resend the same parameters")
                })?;
            rows.partition_point(|(key, record)| {
                in_order((key, record.ticket.number), (&token.after, token.number)).is_le()
            })
        }
    };
    let end = start.saturating_add(query.limit).min(rows.len());
    let shown = rows.get(start..end).unwrap_or_default();
    let has_more = end < rows.len();

    let token = if quirks.has(Quirk::TokenMissing) {
        None
    } else if has_more {
        // With overlap the token points before the last row; with a single row that would not lead on.
        let back = if quirks.has(Quirk::PagesOverlap) && shown.len() > 1 {
            2
        } else {
            1
        };
        shown.iter().rev().nth(back - 1).map(|(key, record)| {
            Token {
                query: identity,
                after: key.clone(),
                number: record.ticket.number,
            }
            .encode()
        })
    } else if quirks.has(Quirk::TokenRepeats) {
        sent_token.map(str::to_owned)
    } else {
        None
    };
    Ok(Page {
        rows: shown.iter().map(|(_, record)| *record).collect(),
        token,
    })
}

fn sort_key(record: &Record, order_by: OrderBy) -> SortKey {
    let ticket = &record.ticket;
    let text = |text: &str| SortKey::Text(text.to_lowercase());
    match order_by {
        OrderBy::Id => SortKey::Text(ticket.id.clone()),
        OrderBy::Status => text(ticket.status.name()),
        OrderBy::Number => SortKey::Number(i64::try_from(ticket.number).unwrap_or(i64::MAX)),
        OrderBy::Title => text(&ticket.title),
        OrderBy::RequestorName => text(&ticket.requestor.name),
        OrderBy::RequestorEmail => text(&ticket.requestor.email),
        OrderBy::AssigneeName => ticket
            .assignee
            .as_ref()
            .map_or(SortKey::Missing, |person| text(&person.name)),
        OrderBy::AssigneeEmail => ticket
            .assignee
            .as_ref()
            .map_or(SortKey::Missing, |person| text(&person.email)),
        OrderBy::ExpectedDate => ticket
            .expected_date
            .map_or(SortKey::Missing, |date| SortKey::Number(date.milliseconds())),
        OrderBy::Priority => SortKey::Number(ticket.priority as i64),
        OrderBy::Created => SortKey::Number(ticket.created_on.milliseconds()),
        OrderBy::LastInteraction => SortKey::Number(ticket.last_interaction.milliseconds()),
    }
}

fn identity(parameters: &Parameters) -> u64 {
    let mut hasher = DefaultHasher::new();
    parameters.identity().hash(&mut hasher);
    hasher.finish()
}

impl Token {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

/// A token of the activities of a ticket: how many were shown.
pub(super) fn activity_token(ticket_id: &str, shown: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{ticket_id}:{shown}"))
}

/// Where an activity token leads on.
pub(super) fn read_activity_token(ticket_id: &str, text: &str) -> Result<usize, Refusal> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix(ticket_id)?.strip_prefix(':')?.parse().ok())
        .ok_or_else(|| Refusal::invalid("continuationToken is not one of this ticket's activities"))
}
