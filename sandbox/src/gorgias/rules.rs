//! Which messages are taken: the fields of each channel, and who may be sender and receiver in which direction.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::model::{Message, Sender};
use super::quirks::{Quirk, Quirks};
use super::store::{BOT, Store};

/// The channels of the documentation.
pub(super) const CHANNELS: [&str; 21] = [
    "aircall",
    "api",
    "chat",
    "contact_form",
    "email",
    "facebook",
    "facebook-mention",
    "facebook-messenger",
    "facebook-recommendations",
    "help-center",
    "instagram-ad-comment",
    "instagram-comment",
    "instagram-direct-message",
    "instagram-mention",
    "internal-note",
    "phone",
    "sms",
    "twitter",
    "twitter-direct-message",
    "whatsapp",
    "yotpo-review",
];
/// A channel that this account made for itself.
const OWN_CHANNEL: &str = "returns-portal";
/// What `via` knows beside most of the channels.
const MORE_VIAS: [&str; 11] = [
    "form",
    "gorgias_chat",
    "helpdesk",
    "instagram",
    "offline_capture",
    "rule",
    "self_service",
    "shopify",
    "twilio",
    "yotpo",
    "zendesk",
];
const FIELDS: [&str; 22] = [
    "channel",
    "via",
    "from_agent",
    "public",
    "sender",
    "receiver",
    "source",
    "external_id",
    "message_id",
    "integration_id",
    "subject",
    "body_text",
    "body_html",
    "stripped_text",
    "stripped_html",
    "attachments",
    "headers",
    "meta",
    "created_datetime",
    "sent_datetime",
    "failed_datetime",
    "mention_ids",
];
const PERSON: [&str; 6] = ["id", "email", "name", "firstname", "lastname", "external_id"];

/// What a message is, by its channel and `from_agent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Incoming,
    Outgoing,
    Note,
}

pub(super) fn is_channel(name: &str) -> bool {
    CHANNELS.contains(&name) || name == OWN_CHANNEL
}

pub(super) fn is_via(name: &str) -> bool {
    is_channel(name) || MORE_VIAS.contains(&name)
}

/// A person as a body names one: by id, by address, or not at all.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) id: Option<i64>,
    pub(super) email: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

/// Reads `{id, email, name}` under `field`.
pub(super) fn person<'a>(fields: &mut Fields<'a>, field: &str) -> Option<Named<'a>> {
    let object = fields.object(field)?;
    let mut inner = Fields::new(object, &PERSON);
    let named = Named {
        id: inner.integer("id"),
        email: inner.text("email", 320),
        name: inner.text("name", 255),
    };
    if named.email.is_some_and(|email| !email.contains('@')) {
        inner.complain("email", "Not a valid email address.");
    }
    if named.id.is_none() && named.email.is_none() {
        inner.complain("id", "One of id and email is needed.");
    }
    match inner.finish() {
        Ok(()) => Some(named),
        Err(wrong) => {
            fields.complain_inside(field, wrong);
            None
        }
    }
}

/// The customer that `named` means; one that is not known is made where an address was given.
pub(super) fn customer(store: &mut Store, named: Named<'_>) -> Option<i64> {
    match (named.id, named.email) {
        (Some(id), _) => store.customers.contains_key(&id).then_some(id),
        (None, Some(email)) => Some(store.customer(Some(email), None, named.name)),
        (None, None) => None,
    }
}

/// Checks a message and makes it. `customer` is the ticket's, where there is a ticket. Nobody is made before all of
/// it is right.
pub(super) fn message(
    store: &mut Store,
    quirks: &Quirks,
    support_addresses: &[String],
    body: &Map<String, Value>,
    ticket_customer: Option<i64>,
) -> Result<Message, Map<String, Value>> {
    let mut fields = Fields::new(body, &FIELDS);
    for needed in ["channel", "via", "from_agent"] {
        fields.require(needed);
    }
    let channel = fields.text("channel", 255).unwrap_or_default();
    if fields.has("channel") && !is_channel(channel) {
        fields.complain("channel", "Not a valid channel.");
    }
    let via = fields.text("via", 255).unwrap_or_default();
    if fields.has("via") && !is_via(via) {
        fields.complain("via", "Not a valid via.");
    }
    let from_agent = fields.boolean("from_agent").unwrap_or_default();
    let direction = match (channel, from_agent) {
        ("internal-note", _) => Direction::Note,
        (_, true) => Direction::Outgoing,
        (_, false) => Direction::Incoming,
    };
    let public = fields.boolean("public");
    if direction == Direction::Note {
        check_note(&mut fields, quirks, via, from_agent, public);
    }
    let source = source(&mut fields, quirks, support_addresses, channel, direction);
    let sender = person(&mut fields, "sender");
    if direction == Direction::Incoming {
        check_incoming(store, &mut fields, quirks, channel, sender, source.is_some());
    } else {
        check_agent(store, &mut fields, quirks, sender);
    }
    let receiver = receiver(store, &mut fields, direction, ticket_customer);
    let external_id = fields.text("external_id", 255);
    let integration_id = fields.integer("integration_id");
    let subject = fields.text("subject", 998);
    let mut text = |name: &str| fields.text(name, 1_000_000).map(str::to_owned);
    let (body_text, body_html) = (text("body_text"), text("body_html"));
    let (stripped_text, stripped_html) = (text("stripped_text"), text("stripped_html"));
    let attachments = attachments(&mut fields);
    let meta = fields.object("meta").cloned().map(Value::Object);
    let created = fields.moment("created_datetime");
    let sent = fields.moment("sent_datetime");
    fields.finish()?;

    let sender = match direction {
        Direction::Incoming => {
            let from = source.as_ref().and_then(|source| source.pointer("/from/address"));
            let from = from.and_then(Value::as_str);
            let found = sender
                .and_then(|sender| customer(store, sender))
                .unwrap_or_else(|| {
                    let (email, phone) = match from {
                        Some(address) if address.contains('@') => (Some(address), None),
                        other => (None, other),
                    };
                    store.customer(email, phone, None)
                });
            Sender::Customer(found)
        }
        Direction::Outgoing | Direction::Note => {
            Sender::User(sender.and_then(|sender| user(store, sender)).unwrap_or(BOT))
        }
    };
    let now = store.change_time();
    let goes_out = direction == Direction::Outgoing && sent.is_none() && channel != "api";
    Ok(Message {
        id: store.next_message_id(),
        channel: channel.to_owned(),
        via: via.to_owned(),
        public: direction != Direction::Note,
        from_agent,
        sender,
        receiver,
        source,
        external_id: external_id.map(str::to_owned),
        integration_id,
        subject: subject.map(str::to_owned),
        body_text,
        body_html,
        stripped_text,
        stripped_html,
        attachments,
        meta,
        created: created.unwrap_or(now),
        sent: sent.or_else(|| (direction == Direction::Incoming).then_some(now)),
        goes_out,
    })
}

fn check_note(fields: &mut Fields<'_>, quirks: &Quirks, via: &str, from_agent: bool, public: Option<bool>) {
    if fields.has("from_agent") && !from_agent {
        fields.complain("from_agent", "An internal note is always from an agent.");
    }
    if public == Some(true) {
        fields.complain("public", "An internal note cannot be public.");
    }
    let fits = via == "api" || (via == "internal-note" && !quirks.has(Quirk::NoteViaApi));
    if fields.has("via") && !fits {
        fields.complain("via", "Not a valid via for the channel internal-note.");
    }
}

fn check_incoming(
    store: &Store,
    fields: &mut Fields<'_>,
    quirks: &Quirks,
    channel: &str,
    sender: Option<Named<'_>>,
    has_source: bool,
) {
    let by_source = match channel {
        "email" => has_source,
        "phone" | "sms" => has_source && !quirks.has(Quirk::PhoneSenderRequired),
        _ => false,
    };
    if !by_source {
        fields.require("sender");
    }
    if let Some(id) = sender.and_then(|sender| sender.id)
        && !store.customers.contains_key(&id)
    {
        fields.complain("sender", "The sender of an incoming message must be a customer.");
    }
}

fn check_agent(store: &Store, fields: &mut Fields<'_>, quirks: &Quirks, sender: Option<Named<'_>>) {
    let found = sender.and_then(|sender| user(store, sender));
    let named_by_id = sender.is_some_and(|sender| sender.id.is_some());
    if found.is_none() && (named_by_id || quirks.has(Quirk::SenderMustExist)) {
        fields.complain("sender", "The sender must be an existing user.");
    }
}

fn user(store: &Store, named: Named<'_>) -> Option<i64> {
    match (named.id, named.email) {
        (Some(id), _) => store.users.contains_key(&id).then_some(id),
        (None, Some(email)) => store.user_by_email(email).map(|user| user.id),
        (None, None) => None,
    }
}

/// Only an outgoing message has a receiver, and it is the ticket's customer.
fn receiver(
    store: &Store,
    fields: &mut Fields<'_>,
    direction: Direction,
    ticket_customer: Option<i64>,
) -> Option<i64> {
    fields.value("receiver")?;
    if direction != Direction::Outgoing {
        fields.complain(
            "receiver",
            "Must not be set for an incoming message or an internal note.",
        );
        return None;
    }
    let named = person(fields, "receiver")?;
    let known = match (named.id, named.email) {
        (Some(id), _) => Some(id),
        (None, Some(email)) => store.customer_by_email(email).map(|customer| customer.id),
        (None, None) => None,
    };
    if known.is_none() || (ticket_customer.is_some() && known != ticket_customer) {
        fields.complain("receiver", "The receiver must be the customer of the ticket.");
    }
    known
}

fn source(
    fields: &mut Fields<'_>,
    quirks: &Quirks,
    support_addresses: &[String],
    channel: &str,
    direction: Direction,
) -> Option<Value> {
    let needed = direction != Direction::Note && matches!(channel, "email" | "phone" | "sms");
    if needed {
        fields.require("source");
    }
    let object = fields.object("source")?;
    let mut inner = Fields::new(object, &["type", "to", "from", "cc", "bcc", "extra"]);
    let kind = inner.text("type", 255);
    if needed {
        inner.require("to");
        inner.require("from");
        let fits = match channel {
            "email" => kind.is_none_or(|kind| kind == "email"),
            "phone" => kind.is_none_or(|kind| kind == "phone"),
            _ if quirks.has(Quirk::SmsSourceType) => kind == Some("sms"),
            _ => kind.is_none_or(|kind| matches!(kind, "phone" | "sms")),
        };
        if !fits {
            inner.complain("type", "Not a valid source type for the channel.");
        }
    }
    let usable = |address: &Value| {
        let address = address.get("address").and_then(Value::as_str).unwrap_or_default();
        !address.is_empty() && (channel != "email" || address.contains('@'))
    };
    if let Some(to) = inner.list("to")
        && needed
        && (to.is_empty() || !to.iter().all(usable))
    {
        inner.complain("to", "Missing or not a valid address.");
    }
    if let Some(from) = inner.value("from")
        && needed
    {
        let address = from.get("address").and_then(Value::as_str).unwrap_or_default();
        let ours = support_addresses
            .iter()
            .any(|known| known.eq_ignore_ascii_case(address));
        if !usable(from) {
            inner.complain("from", "Missing or not a valid address.");
        } else if direction == Direction::Outgoing && channel == "email" && !ours {
            inner.complain("from", "No email integration has this address.");
        }
    }
    match inner.finish() {
        Ok(()) => Some(Value::Object(object.clone())),
        Err(wrong) => {
            fields.complain_inside("source", wrong);
            None
        }
    }
}

fn attachments(fields: &mut Fields<'_>) -> Vec<Map<String, Value>> {
    let Some(list) = fields.list("attachments") else {
        return Vec::new();
    };
    let mut wrong = Map::new();
    let mut kept = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let empty = Map::new();
        let object = entry.as_object().unwrap_or(&empty);
        let mut inner = Fields::new(
            object,
            &["url", "name", "content_type", "size", "public", "extra"],
        );
        inner.require("url");
        inner.require("content_type");
        inner.text("url", 2_000);
        inner.text("name", 1_000);
        inner.text("content_type", 255);
        let size = inner.value("size");
        let is_size =
            |size: &Value| size.is_u64() || size.as_str().is_some_and(|text| text.parse::<u64>().is_ok());
        if size.is_some_and(|size| !is_size(size)) {
            inner.complain("size", "Not a valid integer.");
        }
        match inner.finish() {
            Ok(()) => kept.push(object.clone()),
            Err(inside) => {
                wrong.insert(index.to_string(), Value::Object(inside));
            }
        }
    }
    if !wrong.is_empty() {
        fields.complain("attachments", &json!(wrong).to_string());
    }
    kept
}
