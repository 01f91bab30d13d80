//! `/tickets`: list, create, read, update, and the status.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::answers::{Answer, Refusal, ok};
use super::input::{self, TicketFields};
use super::instance::assignees;
use super::model::{Activity, Change, Person, Priority, Record, Status, Ticket, guid};
use super::moment::Moment;
use super::paging;
use super::query::{ListQuery, Parameters};
use super::quirks::{Quirk, Quirks};
use super::running::Sandbox;
use super::view::View;
use super::workflow;

const TOKEN_HEADER: &str = "continuationtoken";

/// The columns of a ticket that a create or an update sets.
const WRITABLE: [&str; 8] = [
    "title",
    "description",
    "requestor",
    "customFields",
    "priority",
    "assignee",
    "expectedDate",
    "tags",
];

/// `{item}`, or the bare object.
pub(super) fn item(value: Value, quirks: &Quirks) -> Value {
    if quirks.has(Quirk::BareAnswers) {
        value
    } else {
        json!({"item": value})
    }
}

/// The token that the request sent; an empty one counts as none.
pub(super) fn sent_token(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(TOKEN_HEADER) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| Refusal::invalid("continuationToken must be visible ASCII"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A page's envelope, with the token where the quirks want it.
pub(super) fn envelope(items: Vec<Value>, token: Option<String>, quirks: &Quirks) -> Answer {
    let mut body = Map::new();
    if quirks.has(Quirk::ItemCount) {
        body.insert("itemCount".to_owned(), items.len().into());
    }
    body.insert("items".to_owned(), items.into());
    let in_header = quirks.has(Quirk::TokenInHeader);
    if !in_header && (token.is_some() || quirks.has(Quirk::NullFields)) {
        body.insert("continuationToken".to_owned(), token.clone().into());
    }
    let mut response = Json(body).into_response();
    if let Some(token) = token
        .filter(|_| in_header)
        .and_then(|token| HeaderValue::from_str(&token).ok())
    {
        response.headers_mut().insert(TOKEN_HEADER, token);
    }
    Ok(response)
}

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let quirks = &sandbox.quirks;
    let parameters = Parameters::parse(query.as_deref());
    let query = ListQuery::parse(&parameters, quirks)?;
    let view = View::new(
        quirks,
        parameters.timezone()?,
        parameters.includes("description_HTML"),
    );
    let store = sandbox.store();
    let page = paging::page(store.all(), &query, &parameters, sent_token(&headers)?, quirks)?;
    let show = |record: &&Record| {
        if query.select.is_empty() {
            view.ticket(record)
        } else {
            view.selected(record, &query.select)
        }
    };
    envelope(page.rows.iter().map(show).collect(), page.token, quirks)
}

pub(super) async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let parameters = Parameters::parse(query.as_deref());
    let view = View::new(
        &sandbox.quirks,
        parameters.timezone()?,
        parameters.includes("description_HTML"),
    );
    let store = sandbox.store();
    let record = store.get(&id).ok_or_else(|| Refusal::no_ticket(&id))?;
    ok(item(view.ticket(record), &sandbox.quirks))
}

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Answer {
    const CREATED: &str = "Ticket created successfully";
    let quirks = &sandbox.quirks;
    let timezone = Parameters::parse(query.as_deref()).timezone()?;
    let body = input::body(&bytes)?;
    let ticket = body
        .get("ticket")
        .ok_or_else(|| Refusal::invalid("ticket is required"))?;
    let fields = input::ticket_fields(ticket, "ticket", timezone)?;
    let user = input::user(&body)?;
    let title = fields
        .title
        .clone()
        .ok_or_else(|| Refusal::invalid("ticket.title is required"))?;
    let requestor = fields
        .requestor
        .clone()
        .ok_or_else(|| Refusal::invalid("ticket.requestor is required"))?;

    let has_custom_fields = fields
        .custom_fields
        .as_ref()
        .is_some_and(|fields| !fields.is_empty());
    if fields.expected_date_has_time && has_custom_fields && quirks.has(Quirk::ExpectedDateNoTicket) {
        return ok(json!({"error": false, "message": CREATED}));
    }
    check_expected_date(&fields, quirks)?;

    let mut store = sandbox.store();
    let time = store.change_time();
    let number = store.next_number();
    let ticket = new_ticket(guid("ticket", number), number, title, requestor, user, time);
    let mut record = Record {
        ticket,
        activities: Vec::new(),
        attachments: Vec::new(),
    };
    let priority = fields
        .priority
        .filter(|_| !quirks.has(Quirk::PriorityIgnoredOnCreate));
    apply(&mut record.ticket, TicketFields { priority, ..fields }, quirks);
    let shown = View::new(quirks, timezone, false).ticket(&record);
    store.save(record)?;

    if quirks.has(Quirk::CreateWithoutItem) {
        return ok(json!({"error": false, "message": CREATED}));
    }
    let answer = if quirks.has(Quirk::BareAnswers) {
        shown
    } else {
        json!({"item": shown, "error": false, "message": CREATED})
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// A ticket with nothing but what a create must give.
pub(super) fn new_ticket(
    id: String,
    number: u64,
    title: String,
    requestor: Person,
    user: Person,
    time: Moment,
) -> Ticket {
    Ticket {
        id,
        number,
        title,
        description: None,
        status: Status::Open,
        requestor,
        custom_fields: Map::new(),
        priority: Priority::Medium,
        assignee: None,
        expected_date: None,
        resolution: None,
        first_response_on: None,
        first_resolution_on: None,
        last_resolution_on: None,
        last_resolution_comment: None,
        created_on: time,
        last_updated_on: time,
        last_interaction: time,
        tags: Vec::new(),
        created_by: user.clone(),
        last_updated_by: user,
    }
}

pub(super) async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Answer {
    let quirks = &sandbox.quirks;
    let timezone = Parameters::parse(query.as_deref()).timezone()?;
    let mut store = sandbox.store();
    let mut record = store.get(&id).cloned().ok_or_else(|| Refusal::no_ticket(&id))?;
    let body = input::body(&bytes)?;
    let user = input::user(&body)?;
    let view = View::new(quirks, timezone, false);
    let Some((key, changes)) = changes_of(&body, quirks)? else {
        return ok(item(view.ticket(&record), quirks));
    };
    let fields = input::ticket_fields(changes, key, timezone)?;
    check_expected_date(&fields, quirks)?;

    let changes = apply(&mut record.ticket, fields, quirks);
    if !changes.is_empty() {
        let time = store.change_time();
        record.touch(time, &user);
        record.log(
            Logged {
                changes,
                ..Logged::default()
            },
            user,
            time,
        );
    }
    let shown = view.ticket(&record);
    store.save(record)?;
    ok(item(shown, quirks))
}

/// The object with the changes and the key it came under; none when it is to be ignored.
fn changes_of<'a>(
    body: &'a Map<String, Value>,
    quirks: &Quirks,
) -> Result<Option<(&'static str, &'a Value)>, Refusal> {
    let updates = body.get("updates").filter(|_| !quirks.has(Quirk::TicketKeyOnly));
    let ticket = body.get("ticket").filter(|_| !quirks.has(Quirk::UpdatesKeyOnly));
    let missing = match (updates, ticket) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("send either updates or ticket, not both")),
        (Some(updates), None) => return Ok(Some(("updates", updates))),
        (None, Some(ticket)) => return Ok(Some(("ticket", ticket))),
        (None, None) if quirks.has(Quirk::TicketKeyOnly) => "ticket",
        (None, None) => "updates",
    };
    let other_key_sent = body.contains_key("updates") || body.contains_key("ticket");
    if other_key_sent && quirks.has(Quirk::WrongUpdateKeyIgnored) {
        return Ok(None);
    }
    Err(Refusal::invalid(format!("{missing} is required")))
}

fn check_expected_date(fields: &TicketFields, quirks: &Quirks) -> Result<(), Refusal> {
    if fields.expected_date_has_time && quirks.has(Quirk::ExpectedDateOnly) {
        return Err(Refusal::invalid("expectedDate must be YYYY-MM-DD"));
    }
    Ok(())
}

/// Sets the fields that were sent and tells what changed.
fn apply(ticket: &mut Ticket, fields: TicketFields, quirks: &Quirks) -> Vec<Change> {
    let old = shown_fields(ticket);
    if let Some(title) = fields.title {
        ticket.title = title;
    }
    if let Some(description) = fields.description {
        ticket.description = description;
    }
    if let Some(requestor) = fields.requestor {
        ticket.requestor = requestor;
    }
    if let Some(priority) = fields.priority {
        ticket.priority = priority;
    }
    if let Some(assignee) = fields.assignee {
        ticket.assignee = assignee;
    }
    if let Some(expected_date) = fields.expected_date {
        ticket.expected_date = expected_date;
    }
    if let Some(tags) = fields.tags {
        ticket.tags = tags;
    }
    if let Some(custom_fields) = fields.custom_fields {
        if quirks.has(Quirk::CustomFieldsReplaced) {
            ticket.custom_fields.clear();
        }
        for (id, value) in custom_fields {
            if value.is_null() {
                ticket.custom_fields.shift_remove(&id);
            } else {
                ticket.custom_fields.insert(id, value);
            }
        }
    }
    WRITABLE
        .iter()
        .zip(old)
        .zip(shown_fields(ticket))
        .filter(|((_, old), new)| old != new)
        .map(|((name, old), new)| Change {
            name: (*name).to_owned(),
            old,
            new,
        })
        .collect()
}

fn shown_fields(ticket: &Ticket) -> Vec<Value> {
    WRITABLE
        .iter()
        .map(|name| View::plain().column(ticket, name))
        .collect()
}

pub(super) async fn set_status(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Answer {
    let quirks = &sandbox.quirks;
    let timezone = Parameters::parse(query.as_deref()).timezone()?;
    let mut store = sandbox.store();
    let mut record = store.get(&id).cloned().ok_or_else(|| Refusal::no_ticket(&id))?;
    let body = input::body(&bytes)?;
    let user = input::user(&body)?;
    let to = wanted_status(&body, quirks)?;
    let resolution = resolution(&body)?;
    let comment = input::optional_text(&body, "comment")?.filter(|text| !text.trim().is_empty());
    if quirks.has(Quirk::CustomWorkflow) {
        workflow::allow(&record.ticket, to, &user, &assignees())?;
    }
    if comment.is_none() && workflow::needs_comment(to, quirks) {
        return Err(Refusal::invalid("comment is required for this status"));
    }

    let time = store.change_time();
    let ticket = &mut record.ticket;
    let change = Change {
        name: "status".to_owned(),
        old: workflow::label(ticket.status, quirks).into(),
        new: workflow::label(to, quirks).into(),
    };
    ticket.status = to;
    if to.is_resolved() {
        ticket.resolution = resolution.or_else(|| ticket.resolution.take());
        ticket.first_resolution_on.get_or_insert(time);
        ticket.last_resolution_on = Some(time);
        ticket.last_resolution_comment.clone_from(&comment);
    } else {
        ticket.resolution = None;
    }
    record.touch(time, &user);
    record.log(
        Logged {
            changes: vec![change],
            comment,
            ..Logged::default()
        },
        user,
        time,
    );
    let shown = View::new(quirks, timezone, false).ticket(&record);
    store.save(record)?;
    ok(item(shown, quirks))
}

fn wanted_status(body: &Map<String, Value>, quirks: &Quirks) -> Result<Status, Refusal> {
    let text = input::optional_text(body, "status")?.ok_or_else(|| Refusal::invalid("status is required"))?;
    if quirks.has(Quirk::CustomWorkflow) {
        return workflow::state_of_id(&text)
            .ok_or_else(|| Refusal::invalid("status must be the id of a state of the workflow"));
    }
    Status::from_name(&text)
        .filter(|status| !matches!(status, Status::Open | Status::Pending))
        .ok_or_else(|| Refusal::invalid("status must be Started, Resolved, Closed or Reopened"))
}

fn resolution(body: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let resolution = input::optional_text(body, "resolution")?;
    match resolution.as_deref() {
        None | Some("fixed" | "cannotResolve" | "cancelled") => Ok(resolution),
        Some(_) => Err(Refusal::invalid(
            "resolution must be fixed, cannotResolve or cancelled",
        )),
    }
}

/// What an activity tells besides who and when.
#[derive(Default)]
pub(super) struct Logged {
    pub(super) changes: Vec<Change>,
    pub(super) comment: Option<String>,
    pub(super) comment_html: Option<String>,
    pub(super) private: bool,
    /// Ids of attachments.
    pub(super) attachments: Vec<String>,
}

impl Record {
    /// Moves the times of the last change. The first by anybody but the requestor is the response.
    pub(super) fn touch(&mut self, time: Moment, user: &Person) {
        self.ticket.last_updated_on = time;
        self.ticket.last_updated_by = user.clone();
        self.interact(time, user);
    }

    /// Moves the time of the last interaction only.
    pub(super) fn interact(&mut self, time: Moment, user: &Person) {
        self.ticket.last_interaction = time;
        if !self.ticket.requestor.is(user) {
            self.ticket.first_response_on.get_or_insert(time);
        }
    }

    /// Adds an activity.
    pub(super) fn log(&mut self, logged: Logged, user: Person, time: Moment) -> Activity {
        let activity = Activity {
            id: self.next_activity_id(),
            comment: logged.comment,
            comment_html: logged.comment_html,
            private: logged.private,
            created_on: time,
            created_by: user,
            changes: logged.changes,
            attachments: logged.attachments,
        };
        self.activities.push(activity.clone());
        activity
    }
}
