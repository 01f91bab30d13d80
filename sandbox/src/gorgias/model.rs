//! What the stand-in keeps.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::moment::Moment;

/// A person whom the company serves.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) id: i64,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) name: String,
    pub(super) external_id: Option<String>,
    pub(super) created: Moment,
    pub(super) updated: Moment,
}

/// A person who works for the company, or its bot.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) email: Option<String>,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) created: Moment,
}

#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) created: Moment,
}

#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) created: Moment,
}

/// What a custom field takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum FieldKind {
    Text,
    Number,
    Boolean,
    Dropdown(&'static [&'static str]),
}

/// The definition of a custom field of tickets.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldDefinition {
    pub(super) id: i64,
    pub(super) label: &'static str,
    pub(super) kind: FieldKind,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Customer(i64),
    User(i64),
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) channel: String,
    pub(super) via: String,
    pub(super) public: bool,
    pub(super) from_agent: bool,
    pub(super) sender: Sender,
    pub(super) receiver: Option<i64>,
    pub(super) source: Option<Value>,
    pub(super) external_id: Option<String>,
    pub(super) integration_id: Option<i64>,
    pub(super) subject: Option<String>,
    pub(super) body_text: Option<String>,
    pub(super) body_html: Option<String>,
    pub(super) stripped_text: Option<String>,
    pub(super) stripped_html: Option<String>,
    pub(super) attachments: Vec<Map<String, Value>>,
    pub(super) meta: Option<Value>,
    pub(super) created: Moment,
    pub(super) sent: Option<Moment>,
    /// Gorgias itself sends it to the customer.
    pub(super) goes_out: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) id: i64,
    pub(super) external_id: Option<String>,
    pub(super) closed: bool,
    pub(super) priority: Option<String>,
    pub(super) channel: String,
    pub(super) via: String,
    pub(super) from_agent: bool,
    pub(super) spam: bool,
    pub(super) is_unread: bool,
    pub(super) customer: i64,
    pub(super) assignee_user: Option<i64>,
    pub(super) assignee_team: Option<i64>,
    pub(super) language: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) meta: Option<Value>,
    pub(super) tags: Vec<i64>,
    /// By the id of the definition.
    pub(super) custom_fields: BTreeMap<i64, Value>,
    /// Oldest first.
    pub(super) messages: Vec<Message>,
    pub(super) created: Moment,
    pub(super) opened: Option<Moment>,
    pub(super) last_received: Option<Moment>,
    pub(super) last_message: Option<Moment>,
    pub(super) updated: Moment,
    pub(super) closed_at: Option<Moment>,
    pub(super) snoozed_until: Option<Moment>,
    pub(super) trashed_at: Option<Moment>,
    pub(super) merged_into: Option<i64>,
    /// How often somebody asked for it by its external id.
    pub(super) asked_for: u32,
}

/// A file that was uploaded.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) content: Vec<u8>,
}
