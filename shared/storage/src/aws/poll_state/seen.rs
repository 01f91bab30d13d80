//! The record of one ticket.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::too_large::smaller;
use crate::aws::chunks::{self, CHUNK};
use crate::aws::pause::pause;
use crate::aws::swap::{MARK, Next, REVISION};
use crate::aws::table::{EXPIRES_AT, Item, PK, Reader, SK, Table, bytes, key_text, number, text};
use crate::aws::transaction::{IN_THE_WAY, Transacted, delete, put, transact};
use crate::error::StorageError;
use crate::hash::sha256;
use crate::poll_state::{Pending, SeenTicket, Swap, TicketVersion};

const DATA: &str = "data";
const CHUNKS: &str = "chunks";
/// The ticket's id, in an item whose record is in parts.
const TICKET: &str = "ticket_id";
/// Its version, as JSON, in the same: what is left where DynamoDB deleted the parts before the item.
const VERSION: &str = "version";
/// How often a large record that is being replaced is read, or replaced itself.
const ATTEMPTS: u32 = 8;

/// A record as it is compressed. The ticket is left out where it is that of the pending event, as it is mostly.
#[derive(Serialize)]
struct Body<'r> {
    ticket_id: &'r str,
    version: &'r TicketVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'r Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<&'r Pending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// As [`Body`], read back.
#[derive(Deserialize)]
struct Stored {
    ticket_id: String,
    version: TicketVersion,
    ticket: Option<Map<String, Value>>,
    pending: Option<Pending>,
    expires_at: Option<Timestamp>,
}

/// The key of a ticket's item.
pub(super) fn place(integration: &str, ticket: &str) -> (String, String) {
    let hash = sha256(ticket);
    let shard = hash.get(..2).unwrap_or_default();
    (format!("SEEN#{integration}#{shard}"), key_text(ticket))
}

/// Where the parts of a large record are.
fn parts(integration: &str, ticket: &str) -> String {
    format!("SEENPART#{integration}#{}", sha256(ticket))
}

/// The record in an item, with its parts; none where it was deleted meanwhile.
pub(super) async fn read(
    table: &Table,
    doing: &str,
    integration: &str,
    item: Item,
) -> Result<Option<SeenTicket>, StorageError> {
    let mut item = Some(item);
    let mut incomplete = None;
    for attempt in 0..ATTEMPTS {
        let Some(head) = item else { return Ok(None) };
        let row = table.read(&head);
        if !row.has(CHUNKS) {
            return record(table, &head, row.bytes(DATA)?).map(Some);
        }
        let (pk, sk) = (row.text(PK)?, row.text(SK)?);
        let (mark, count) = (row.text(MARK)?, row.number(CHUNKS)?);
        let found = table
            .all(doing, &parts(integration, row.text(TICKET)?), None)
            .await?;
        let mut packed = Vec::new();
        let mut ours = 0;
        for part in &found {
            let part = table.read(part);
            if part.text(MARK)? == mark {
                packed.extend_from_slice(part.bytes(DATA)?);
                ours += 1;
            }
        }
        if ours == count {
            return record(table, &head, &packed).map(Some);
        }
        // They are written as one, so another write came between the two reads; unless the item is still the same.
        if incomplete.as_deref() == Some(mark) && is_over(&row) {
            return remains(&row).map(Some);
        }
        incomplete = Some(mark.to_owned());
        pause(attempt).await;
        item = table.get(doing, pk, sk).await?;
    }
    Err(StorageError::unavailable(
        doing,
        "the record of a large ticket is replaced all the time",
    ))
}

/// Whether the time has come from which DynamoDB deletes item and parts: each when it gets to it, within two days.
fn is_over(row: &Reader<'_>) -> bool {
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    row.has(EXPIRES_AT) && row.number(EXPIRES_AT).is_ok_and(|end| end <= now)
}

/// The record of which parts were deleted: the version, without the ticket.
fn remains(row: &Reader<'_>) -> Result<SeenTicket, StorageError> {
    let end = i64::try_from(row.number(EXPIRES_AT)?).unwrap_or(i64::MAX);
    Ok(SeenTicket {
        ticket_id: row.text(TICKET)?.to_owned(),
        revision: row.number(REVISION)?,
        version: serde_json::from_str(row.text(VERSION)?).map_err(|_| row.is_not_ours(VERSION))?,
        ticket: Map::new(),
        pending: None,
        expires_at: Timestamp::from_second(end).ok(),
    })
}

fn record(table: &Table, item: &Item, packed: &[u8]) -> Result<SeenTicket, StorageError> {
    let row = table.read(item);
    let stored: Stored = chunks::unpack(packed).ok_or_else(|| row.is_not_ours(DATA))?;
    let of_event = || {
        stored
            .pending
            .as_ref()
            .map(|pending| pending.event.ticket.clone())
    };
    Ok(SeenTicket {
        ticket: stored.ticket.or_else(of_event).unwrap_or_default(),
        ticket_id: stored.ticket_id,
        revision: row.number(REVISION)?,
        version: stored.version,
        pending: stored.pending,
        expires_at: stored.expires_at,
    })
}

/// Puts the record in the place of the one with its revision.
pub(super) async fn store(
    table: &Table,
    doing: &str,
    integration: &str,
    record: &SeenTicket,
) -> Result<Swap, StorageError> {
    let packed = match pack(record) {
        Err(error) if error.is_too_large() => {
            tracing::warn!(
                integration,
                ticket = record.ticket_id,
                "the record of a ticket is too large; its next event will not say what changed"
            );
            let mut smaller = smaller(record).map(|record| pack(&record));
            smaller.find(Result::is_ok).unwrap_or(Err(error))?
        }
        packed => packed?,
    };
    let (pk, sk) = place(integration, &record.ticket_id);
    let mut head = Item::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))]);
    let expires_at = record.expires_at.filter(|_| record.pending.is_none());
    let expires_at = expires_at.map(|end| {
        let seconds = u64::try_from(end.as_second()).unwrap_or_default();
        (EXPIRES_AT.to_owned(), number(seconds.saturating_add(1)))
    });
    head.extend(expires_at.clone());
    let pieces: Vec<&[u8]> = if packed.len() > CHUNK {
        packed.chunks(CHUNK).collect()
    } else {
        head.insert(DATA.to_owned(), bytes(packed.as_slice()));
        Vec::new()
    };
    if !pieces.is_empty() {
        head.insert(CHUNKS.to_owned(), number(pieces.len() as u64));
        head.insert(TICKET.to_owned(), text(&record.ticket_id));
        let version = serde_json::to_string(&record.version);
        let version = version.map_err(|error| StorageError::failed(doing, error))?;
        head.insert(VERSION.to_owned(), text(version));
    }
    let pk = parts(integration, &record.ticket_id);
    // As many parts as there may be of the record before; more of them are found out when the write is refused.
    let mut before = 0;
    for attempt in 0..ATTEMPTS {
        let mut next = Next::new(head.clone(), record.revision);
        next.allow_parts(before.max(pieces.len()));
        let refused = if pieces.is_empty() && before == 0 {
            next.put(table, doing).await?
        } else {
            let mut items = vec![next.as_part_of_transaction(table)?];
            for (index, piece) in pieces.iter().enumerate() {
                let mut part = Item::from([
                    (PK.to_owned(), text(&pk)),
                    (SK.to_owned(), text(format!("{index:03}"))),
                    (MARK.to_owned(), text(next.mark())),
                    (DATA.to_owned(), bytes(*piece)),
                ]);
                part.extend(expires_at.clone());
                items.push(put(table, part)?);
            }
            for index in pieces.len()..before {
                items.push(delete(table, &pk, &format!("{index:03}"))?);
            }
            match transact(table, doing, items).await? {
                Transacted::Written => Ok(()),
                Transacted::Refused(reasons) => {
                    let stored = reasons.first().and_then(|reason| reason.item().cloned());
                    if next.is_there(table, stored.as_ref()) {
                        Ok(())
                    } else {
                        Err(stored)
                    }
                }
                Transacted::InTheWay => {
                    pause(attempt).await;
                    continue;
                }
            }
        };
        let Err(stored) = refused else {
            return Ok(Swap::Stored);
        };
        let Some(stored) = stored else {
            return Ok(Swap::Conflict);
        };
        let row = table.read(&stored);
        if row.number(REVISION)? != record.revision || !row.has(CHUNKS) {
            return Ok(Swap::Conflict);
        }
        before = usize::try_from(row.number(CHUNKS)?).unwrap_or_default();
    }
    Err(StorageError::unavailable(doing, IN_THE_WAY))
}

fn pack(record: &SeenTicket) -> Result<Vec<u8>, StorageError> {
    let is_of_event = |pending: &Pending| pending.event.ticket == record.ticket;
    let ticket = match &record.pending {
        Some(pending) if is_of_event(pending) => None,
        _ => Some(&record.ticket),
    };
    let body = Body {
        ticket_id: &record.ticket_id,
        version: &record.version,
        ticket,
        pending: record.pending.as_ref(),
        expires_at: record.expires_at,
    };
    chunks::pack_quickly(&format!("the record of ticket `{}`", record.ticket_id), &body)
}
