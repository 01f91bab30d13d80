//! What makes two states of a ticket different, and the name of an event.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use storage::{SeenTicket, TicketVersion};

use crate::source::Ticket;

/// Bytes of a hash that are kept: no two tickets meet by chance.
const KEPT: usize = 16;

/// What a ticket is compared with its last seen version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Comparison {
    /// The same version.
    Same,
    /// An older one: a read that was behind.
    Stale,
    /// One that comes after.
    Newer(TicketVersion),
}

/// Compares a ticket with what was seen of it.
pub(crate) fn compare(ticket: &Ticket, ignored: &[String], seen: Option<&SeenTicket>) -> Comparison {
    let content = content_hash(&ticket.fields, ignored);
    let updated_at = ticket.updated_at;
    let ordinal = match seen.map(|seen| &seen.version) {
        Some(last) if updated_at < last.updated_at => return Comparison::Stale,
        Some(last) if updated_at == last.updated_at && content == last.content => return Comparison::Same,
        // Another content within one tick of the clock. It may be one that was there before.
        Some(last) if updated_at == last.updated_at => last.ordinal.saturating_add(1),
        _ => 0,
    };
    Comparison::Newer(TicketVersion {
        updated_at,
        content,
        ordinal,
    })
}

/// The id of the event of a version.
pub(crate) fn event_id(integration: &str, ticket_id: &str, version: &TicketVersion) -> String {
    let mut hash = Sha256::new();
    for part in [integration, ticket_id, &version.content] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update(nanoseconds(version.updated_at).to_be_bytes());
    hash.update(version.ordinal.to_be_bytes());
    format!("evt_{}", hexadecimal(&hash.finalize()))
}

fn content_hash(fields: &Map<String, Value>, ignored: &[String]) -> String {
    let mut text = Vec::with_capacity(512);
    write_object(fields, ignored, &mut text);
    hexadecimal(&Sha256::digest(&text))
}

/// JSON with its keys in order, so that a hash does not depend on how a mapping orders them.
fn write_object(object: &Map<String, Value>, ignored: &[String], text: &mut Vec<u8>) {
    let mut entries: Vec<_> = object.iter().filter(|(key, _)| !ignored.contains(key)).collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    text.push(b'{');
    for (key, value) in entries {
        write_text(key, text);
        text.push(b':');
        write_value(value, text);
        text.push(b',');
    }
    text.push(b'}');
}

fn write_value(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(object) => write_object(object, &[], text),
        Value::Array(items) => {
            text.push(b'[');
            for item in items {
                write_value(item, text);
                text.push(b',');
            }
            text.push(b']');
        }
        Value::String(string) => write_text(string, text),
        other => text.extend_from_slice(other.to_string().as_bytes()),
    }
}

/// With its length before it, no escape is needed.
fn write_text(string: &str, text: &mut Vec<u8>) {
    text.push(b'"');
    text.extend_from_slice(&string.len().to_be_bytes());
    text.extend_from_slice(string.as_bytes());
}

fn nanoseconds(time: Timestamp) -> i128 {
    time.as_nanosecond()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * KEPT);
    for byte in bytes.iter().take(KEPT) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
