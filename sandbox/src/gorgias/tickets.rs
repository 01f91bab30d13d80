//! `/tickets` and `/tickets/{id}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::answers::{Answer, Refusal, answer, changed, merged};
use super::custom_fields;
use super::fields::{self, Fields};
use super::model::{Message, Sender, Ticket};
use super::paging::{self, Row};
use super::query::{Query, invalid};
use super::quirks::Quirk;
use super::rules;
use super::running::Sandbox;
use super::store::Store;
use super::tags;
use super::view::View;

const LIST_PARAMETERS: [&str; 8] = [
    "cursor",
    "limit",
    "order_by",
    "customer_id",
    "external_id",
    "view_id",
    "rule_id",
    "trashed",
];
const PRIORITIES: [&str; 4] = ["critical", "high", "normal", "low"];
/// Fields that a new ticket and a changed one both take.
const WRITABLE: [&str; 24] = [
    "external_id",
    "status",
    "priority",
    "channel",
    "via",
    "from_agent",
    "spam",
    "is_unread",
    "customer",
    "assignee_user",
    "assignee_team",
    "language",
    "subject",
    "meta",
    "tags",
    "custom_fields",
    "opened_datetime",
    "last_received_message_datetime",
    "last_message_datetime",
    "updated_datetime",
    "closed_datetime",
    "snooze_datetime",
    "trashed_datetime",
    "relationships",
];
/// External ids are found the first time that this many have asked, under the quirk `external-id-late`.
const LATE: u32 = 2;

pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    let query = Query::read(
        query.as_deref(),
        &LIST_PARAMETERS,
        &["ticket_ids", "ticket_ids[]"],
    )?;
    let order = query.get("order_by").unwrap_or("created_datetime:desc");
    let (by_update, descending) = match order {
        "created_datetime:asc" => (false, false),
        "created_datetime:desc" => (false, true),
        "updated_datetime:asc" => (true, false),
        "updated_datetime:desc" => (true, true),
        _ => return Err(invalid("order_by", "Not a valid order.")),
    };
    let ids = query.integers(&["ticket_ids", "ticket_ids[]"])?;
    if ids.len() > 100 {
        return Err(invalid("ticket_ids", "Longer than maximum length 100."));
    }
    let customer = query.integer("customer_id")?;
    let external_id = query.get("external_id");
    // The account has no views and no rules.
    let nothing = query.integer("view_id")?.is_some() || query.integer("rule_id")?.is_some();
    let trashed = query.boolean("trashed")?.unwrap_or(true) || sandbox.quirks.has(Quirk::ListsShowTrashed);
    let mut store = sandbox.store();
    let late = sandbox.quirks.has(Quirk::ExternalIdLate);
    if let (true, Some(wanted)) = (late, external_id) {
        for ticket in store.tickets.values_mut() {
            if ticket.external_id.as_deref() == Some(wanted) {
                ticket.asked_for = ticket.asked_for.saturating_add(1);
            }
        }
    }
    let view = View {
        store: &store,
        quirks: &sandbox.quirks,
    };
    let fits = |ticket: &&Ticket| {
        !nothing
            && ticket.merged_into.is_none()
            && (trashed || ticket.trashed_at.is_none())
            && (ids.is_empty() || ids.contains(&ticket.id))
            && customer.is_none_or(|id| ticket.customer == id)
            && external_id.is_none_or(|wanted| {
                ticket.external_id.as_deref() == Some(wanted) && (!late || ticket.asked_for >= LATE)
            })
    };
    let row = |ticket: &Ticket| Row {
        place: (
            if by_update { ticket.updated } else { ticket.created }.microseconds(),
            ticket.id,
        ),
        shown: view.row(ticket),
    };
    let rows = store.tickets.values().filter(fits).map(row).collect();
    let now = store.now();
    let page = paging::page(
        &mut sandbox.cursors(),
        &sandbox.quirks,
        "/api/tickets/",
        &query,
        rows,
        descending,
        now,
    )?;
    answer(StatusCode::OK, page)
}

pub(super) async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Query::read(query.as_deref(), &["relationships"], &["relationships[]"])?;
    let store = sandbox.store();
    let ticket = match known(&store, &id)? {
        Known::Ticket(ticket) => ticket,
        Known::Merged(into) => return merged(&format!("/api/tickets/{into}")),
    };
    let custom_fields = match query
        .get("relationships")
        .or_else(|| query.get("relationships[]"))
    {
        None => false,
        Some("custom_fields") => true,
        Some(_) => return Err(invalid("relationships", "Must be one of: custom_fields.")),
    };
    let view = View {
        store: &store,
        quirks: &sandbox.quirks,
    };
    answer(StatusCode::OK, view.ticket(ticket, custom_fields))
}

/// A ticket that is there, or was merged into another.
pub(super) enum Known<'a> {
    Ticket(&'a Ticket),
    Merged(i64),
}

pub(super) fn known<'a>(store: &'a Store, id: &str) -> Result<Known<'a>, Refusal> {
    let id: i64 = id.parse().map_err(|_| Refusal::not_found())?;
    let ticket = store.tickets.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(ticket.merged_into.map_or(Known::Ticket(ticket), Known::Merged))
}

/// The number of the ticket that a change is for; for one that was merged, the 301 to the other.
pub(super) fn changeable(
    store: &Store,
    id: &str,
    rest: &str,
) -> Result<Result<i64, axum::response::Response>, Refusal> {
    match known(store, id)? {
        Known::Ticket(ticket) => Ok(Ok(ticket.id)),
        Known::Merged(into) => merged(&format!("/api/tickets/{into}{rest}")).map(Err),
    }
}

pub(super) async fn create(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Answer {
    const FAILED: &str = "Failed to create ticket";
    let body = fields::object(FAILED, &body)?;
    let mut names = WRITABLE.to_vec();
    names.extend(["messages", "created_datetime"]);
    let mut fields = Fields::new(&body, &names);
    fields.require("messages");
    let mut store = sandbox.store();
    let change = Change::read(&store, &mut fields);
    let created = fields.moment("created_datetime");
    let given = fields.list("messages").cloned().unwrap_or_default();
    if fields.value("messages").is_some() && !(1..=500).contains(&given.len()) {
        fields.complain("messages", "Length must be between 1 and 500.");
    }
    fields.finish().map_err(|wrong| Refusal::invalid(FAILED, wrong))?;

    let customer = change
        .customer
        .and_then(|named| rules::customer(&mut store, named));
    let mut messages: Vec<Message> = Vec::new();
    let mut wrong = Map::new();
    for (index, message) in given.iter().enumerate() {
        let empty = Map::new();
        let object = message.as_object().unwrap_or(&empty);
        match rules::message(
            &mut store,
            &sandbox.quirks,
            &sandbox.support_addresses,
            object,
            customer,
        ) {
            Ok(message) => messages.push(message),
            Err(inside) => {
                wrong.insert(index.to_string(), Value::Object(inside));
            }
        }
    }
    if !wrong.is_empty() {
        let data = Map::from_iter([("messages".to_owned(), Value::Object(wrong))]);
        return Err(Refusal::invalid(FAILED, data));
    }
    let written_by = messages.iter().find_map(|message| match message.sender {
        Sender::Customer(id) => Some(id),
        Sender::User(_) => None,
    });
    let customer = customer
        .or(written_by)
        .ok_or_else(|| Refusal::field(FAILED, "customer", "Missing data for required field."))?;
    let first = messages
        .first()
        .map(|message| (message.channel.clone(), message.via.clone(), message.from_agent));
    let (channel, via, from_agent) = first.unwrap_or_default();
    let now = store.change_time();
    let id = store.next_ticket_id();
    let mut ticket = Ticket {
        id,
        external_id: None,
        closed: false,
        priority: Some("normal".to_owned()),
        channel,
        via,
        from_agent,
        spam: false,
        is_unread: !from_agent,
        customer,
        assignee_user: None,
        assignee_team: None,
        language: None,
        subject: messages.iter().find_map(|message| message.subject.clone()),
        meta: None,
        tags: Vec::new(),
        custom_fields: BTreeMap::new(),
        messages: Vec::new(),
        created: created.unwrap_or(now),
        opened: None,
        last_received: None,
        last_message: None,
        updated: now,
        closed_at: None,
        snoozed_until: None,
        trashed_at: None,
        merged_into: None,
        asked_for: 0,
    };
    change.apply(&mut store, &mut ticket);
    ticket.customer = customer;
    store.tickets.insert(id, ticket);
    for message in messages {
        store.add_message(id, message);
    }
    sandbox.shown(&store, id, StatusCode::CREATED)
}

pub(super) async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    const FAILED: &str = "Failed to update ticket";
    Query::read(query.as_deref(), &[], &[])?;
    let mut store = sandbox.store();
    let id = match changeable(&store, &id, "")? {
        Ok(id) => id,
        Err(moved) => return Ok(moved),
    };
    let body = fields::object(FAILED, &body)?;
    let mut fields = Fields::new(&body, &WRITABLE);
    let change = Change::read(&store, &mut fields);
    fields.finish().map_err(|wrong| Refusal::invalid(FAILED, wrong))?;
    let customer = change
        .customer
        .and_then(|named| rules::customer(&mut store, named));
    let mut ticket = store.tickets.get(&id).cloned().ok_or_else(Refusal::not_found)?;
    change.apply(&mut store, &mut ticket);
    ticket.customer = customer.unwrap_or(ticket.customer);
    ticket.updated = store.change_time();
    store.tickets.insert(id, ticket);
    let shown = sandbox
        .view(&store)
        .ticket(store.tickets.get(&id).ok_or_else(Refusal::not_found)?, false);
    changed(&sandbox.quirks, StatusCode::OK, shown)
}

/// What a body says of a ticket. The outer `Option` tells whether the field was there, the inner whether it was null.
struct Change<'a> {
    customer: Option<rules::Named<'a>>,
    texts: Vec<(&'static str, Option<String>)>,
    flags: Vec<(&'static str, bool)>,
    moments: Vec<(&'static str, Option<super::moment::Moment>)>,
    closed: Option<bool>,
    assignee_user: Option<Option<i64>>,
    assignee_team: Option<Option<i64>>,
    meta: Option<Option<Value>>,
    tags: Option<Vec<tags::Wanted>>,
    custom_fields: Option<BTreeMap<i64, Value>>,
}

impl<'a> Change<'a> {
    fn read(store: &Store, fields: &mut Fields<'a>) -> Self {
        let customer = rules::person(fields, "customer");
        if let Some(id) = customer.and_then(|named| named.id)
            && !store.customers.contains_key(&id)
        {
            fields.complain("customer", "Customer not found.");
        }
        let mut texts = Vec::new();
        for (name, longest) in [("external_id", 255), ("subject", 998), ("language", 10)] {
            if fields.has(name) {
                texts.push((name, fields.text(name, longest).map(str::to_owned)));
            }
        }
        if fields.has("priority") {
            texts.push((
                "priority",
                fields.one_of("priority", &PRIORITIES).map(str::to_owned),
            ));
        }
        for (name, is_known) in [
            ("channel", rules::is_channel as fn(&str) -> bool),
            ("via", rules::is_via),
        ] {
            if let Some(text) = fields.text(name, 255) {
                if !is_known(text) {
                    fields.complain(name, "Not a valid choice.");
                }
                texts.push((name, Some(text.to_owned())));
            }
        }
        let closed = fields
            .one_of("status", &["open", "closed"])
            .map(|status| status == "closed");
        let flags = ["from_agent", "spam", "is_unread"]
            .into_iter()
            .filter_map(|name| fields.boolean(name).map(|flag| (name, flag)))
            .collect();
        let mut moments = Vec::new();
        for name in [
            "snooze_datetime",
            "trashed_datetime",
            "closed_datetime",
            "opened_datetime",
        ] {
            if fields.has(name) {
                moments.push((name, fields.moment(name)));
            }
        }
        let meta = fields
            .has("meta")
            .then(|| fields.object("meta").cloned().map(Value::Object));
        Self {
            customer,
            texts,
            flags,
            moments,
            closed,
            assignee_user: assignee(fields, "assignee_user", |id| store.users.contains_key(&id)),
            assignee_team: assignee(fields, "assignee_team", |id| store.teams.contains_key(&id)),
            meta,
            tags: tags::read(fields),
            custom_fields: custom_fields::read(fields),
        }
    }

    fn apply(self, store: &mut Store, ticket: &mut Ticket) {
        for (name, text) in self.texts {
            match (name, text) {
                ("external_id", text) => ticket.external_id = text,
                ("subject", text) => ticket.subject = text,
                ("language", text) => ticket.language = text,
                ("priority", text) => ticket.priority = text,
                ("channel", Some(text)) => ticket.channel = text,
                ("via", Some(text)) => ticket.via = text,
                _ => {}
            }
        }
        for (name, flag) in self.flags {
            match name {
                "from_agent" => ticket.from_agent = flag,
                "spam" => ticket.spam = flag,
                _ => ticket.is_unread = flag,
            }
        }
        let now = store.now();
        if let Some(closed) = self.closed {
            if closed && !ticket.closed {
                ticket.closed_at = Some(now);
            }
            if !closed {
                ticket.closed_at = None;
                ticket.opened.get_or_insert(now);
            }
            ticket.closed = closed;
        }
        for (name, moment) in self.moments {
            match name {
                "snooze_datetime" => ticket.snoozed_until = moment,
                "trashed_datetime" => ticket.trashed_at = moment,
                "closed_datetime" => ticket.closed_at = moment,
                _ => ticket.opened = moment,
            }
        }
        if let Some(user) = self.assignee_user {
            ticket.assignee_user = user;
        }
        if let Some(team) = self.assignee_team {
            ticket.assignee_team = team;
        }
        if let Some(meta) = self.meta {
            ticket.meta = meta;
        }
        if let Some(wanted) = self.tags {
            ticket.tags = tags::found(store, &wanted);
        }
        if let Some(values) = self.custom_fields {
            ticket.custom_fields = values;
        }
    }
}

/// `{"id": n}` or null.
fn assignee(fields: &mut Fields<'_>, name: &str, exists: impl Fn(i64) -> bool) -> Option<Option<i64>> {
    if !fields.has(name) {
        return None;
    }
    let Some(object) = fields.object(name) else {
        return Some(None);
    };
    let mut inner = Fields::new(object, &["id"]);
    inner.require("id");
    let id = inner.integer("id");
    if id.is_some_and(|id| !exists(id)) {
        inner.complain("id", "Not found.");
    }
    if let Err(wrong) = inner.finish() {
        fields.complain_inside(name, wrong);
    }
    Some(id)
}

impl Sandbox {
    pub(super) fn view<'a>(&'a self, store: &'a Store) -> View<'a> {
        View {
            store,
            quirks: &self.quirks,
        }
    }

    fn shown(&self, store: &Store, id: i64, status: StatusCode) -> Answer {
        let ticket = store.tickets.get(&id).ok_or_else(Refusal::not_found)?;
        answer(status, self.view(store).ticket(ticket, false))
    }
}
