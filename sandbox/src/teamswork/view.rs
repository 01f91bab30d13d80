//! Tickets, activities and attachments as they are shown, which depends on the quirks.

use serde_json::{Map, Value, json};

use super::model::{Activity, Attachment, Change, Person, Record, Ticket};
use super::moment::Moment;
use super::quirks::{Quirk, Quirks};
use super::workflow;

/// The columns of a whole ticket, in their order: the reference's `select` list, with
/// `lastInteraction`, which it names as an order and which falls under its "etc...".
pub(super) const COLUMNS: [&str; 23] = [
    "id",
    "ticketId",
    "title",
    "description",
    "status",
    "requestor",
    "customFields",
    "priority",
    "assignee",
    "expectedDate",
    "resolution",
    "firstResponseOn",
    "firstResolutionOn",
    "lastResolutionOn",
    "createdOn",
    "tags",
    "lastUpdatedOn",
    "isFrtEscalated",
    "isRtEscalated",
    "createdBy",
    "lastUpdatedBy",
    "lastResolutionComment",
    "lastInteraction",
];

/// Columns that can be selected but are not in a whole ticket: the reference's example selects
/// `requestorName`, and its list of orders names the others.
pub(super) const FLAT_COLUMNS: [&str; 5] = [
    "requestorName",
    "requestorEmail",
    "assigneeName",
    "assigneeEmail",
    "createdDateTime",
];

/// How long a ticket may go without an answer, and without a resolution, before it is escalated.
const RESPONSE_DUE_MS: i64 = 8 * 3_600_000;
const RESOLUTION_DUE_MS: i64 = 5 * 24 * 3_600_000;

#[derive(Clone)]
pub(super) struct View {
    pub(super) quirks: Quirks,
    /// Hours off UTC of the times shown.
    pub(super) timezone: i8,
    /// Whether HTML texts were asked for.
    pub(super) html: bool,
    /// Whether activities tell if they are private.
    privacy: bool,
}

impl View {
    pub(super) fn new(quirks: &Quirks, timezone: i8, html: bool) -> Self {
        let timezone = if quirks.has(Quirk::TimesInTimezone) {
            timezone
        } else {
            0
        };
        let privacy = quirks.has(Quirk::PrivateComments);
        Self {
            quirks: quirks.clone(),
            timezone,
            html: html && quirks.has(Quirk::HtmlTexts),
            privacy,
        }
    }

    /// The reference's shape, with everything that is kept.
    pub(super) fn plain() -> Self {
        Self {
            quirks: Quirks::none(),
            timezone: 0,
            html: false,
            privacy: true,
        }
    }

    fn time(&self, moment: Moment) -> Value {
        Value::String(moment.text(self.timezone))
    }

    fn optional_time(&self, moment: Option<Moment>) -> Value {
        moment.map_or(Value::Null, |moment| self.time(moment))
    }

    /// A whole ticket.
    pub(super) fn ticket(&self, record: &Record) -> Value {
        let mut shown = Map::new();
        for column in COLUMNS {
            self.put(&mut shown, record, column);
        }
        if self.html {
            let description = record.ticket.description.as_deref();
            self.insert(
                &mut shown,
                "description_HTML",
                description.map_or(Value::Null, |text| html(text).into()),
            );
        }
        if self.quirks.has(Quirk::ResolvedStatus) {
            shown.insert("resolvedStatus".to_owned(), json!(["Resolved", "Closed"]));
        }
        if self.quirks.has(Quirk::CustomWorkflow) {
            shown.insert("isCustomWorkflow".to_owned(), true.into());
            shown.insert("workflow".to_owned(), workflow::to_json(&self.quirks));
        }
        if self.quirks.has(Quirk::ExtraFields) {
            self.put_extras(&mut shown, record);
        }
        Value::Object(shown)
    }

    /// The selected columns of a ticket, in the order asked for.
    pub(super) fn selected(&self, record: &Record, columns: &[String]) -> Value {
        let mut shown = Map::new();
        for column in columns {
            self.put(&mut shown, record, column);
        }
        Value::Object(shown)
    }

    fn insert(&self, shown: &mut Map<String, Value>, name: &str, value: Value) {
        if !value.is_null() || self.quirks.has(Quirk::NullFields) {
            shown.insert(name.to_owned(), value);
        }
    }

    fn put(&self, shown: &mut Map<String, Value>, record: &Record, column: &str) {
        let ticket = &record.ticket;
        let flat = self.quirks.has(Quirk::FlatRecords) && ticket.number.is_multiple_of(4);
        match column {
            "requestor" if flat => self.put_flat(shown, "requestor", Some(&self.requestor(ticket))),
            "assignee" if flat => self.put_flat(shown, "assignee", ticket.assignee.as_ref()),
            "createdOn" if flat => self.insert(shown, "createdDateTime", self.time(ticket.created_on)),
            "ticketId" | "ticketNo" => {
                let name = if self.quirks.has(Quirk::TicketNo) {
                    "ticketNo"
                } else {
                    "ticketId"
                };
                self.insert(shown, name, ticket.number.into());
            }
            _ => self.insert(shown, column, self.column(ticket, column)),
        }
    }

    fn put_flat(&self, shown: &mut Map<String, Value>, name: &str, person: Option<&Person>) {
        let mut part = |suffix: &str, value: Option<&String>| {
            self.insert(shown, &format!("{name}{suffix}"), value.cloned().into());
        };
        part("Id", person.map(|person| &person.id));
        part("Name", person.map(|person| &person.name));
        part("Email", person.map(|person| &person.email));
    }

    fn requestor(&self, ticket: &Ticket) -> Person {
        if self.quirks.has(Quirk::EmailPeople) && ticket.number.is_multiple_of(5) {
            let email = ticket.requestor.email.clone();
            return Person {
                id: email.clone(),
                name: email.clone(),
                email,
            };
        }
        ticket.requestor.clone()
    }

    /// The value of one column; null if the ticket has none.
    pub(super) fn column(&self, ticket: &Ticket, column: &str) -> Value {
        let person = |person: Option<&Person>| person.map_or(Value::Null, Person::to_json);
        match column {
            "id" => ticket.id.clone().into(),
            "title" => ticket.title.clone().into(),
            "description" => ticket.description.clone().into(),
            "status" => workflow::label(ticket.status, &self.quirks).into(),
            "requestor" => self.requestor(ticket).to_json(),
            "requestorName" => self.requestor(ticket).name.into(),
            "requestorEmail" => ticket.requestor.email.clone().into(),
            "customFields" => Value::Object(ticket.custom_fields.clone()),
            "priority" => ticket.priority.name().into(),
            "assignee" => person(ticket.assignee.as_ref()),
            "assigneeName" => ticket.assignee.as_ref().map(|person| person.name.clone()).into(),
            "assigneeEmail" => ticket.assignee.as_ref().map(|person| person.email.clone()).into(),
            "expectedDate" => self.optional_time(ticket.expected_date),
            "resolution" => ticket.resolution.clone().into(),
            "firstResponseOn" => self.optional_time(ticket.first_response_on),
            "firstResolutionOn" => self.optional_time(ticket.first_resolution_on),
            "lastResolutionOn" => self.optional_time(ticket.last_resolution_on),
            "createdOn" | "createdDateTime" => self.time(ticket.created_on),
            "tags" => self.tags(ticket),
            "lastUpdatedOn" => self.time(ticket.last_updated_on),
            "isFrtEscalated" => late(ticket, ticket.first_response_on, RESPONSE_DUE_MS).into(),
            "isRtEscalated" => late(ticket, ticket.first_resolution_on, RESOLUTION_DUE_MS).into(),
            "createdBy" => person(Some(&ticket.created_by)),
            "lastUpdatedBy" => person(Some(&ticket.last_updated_by)),
            "lastResolutionComment" => ticket.last_resolution_comment.clone().into(),
            "lastInteraction" => self.time(ticket.last_interaction),
            _ => Value::Null,
        }
    }

    fn tags(&self, ticket: &Ticket) -> Value {
        let as_text = self.quirks.has(Quirk::TagsAsText);
        ticket
            .tags
            .iter()
            .map(|tag| {
                if as_text {
                    tag.text.clone().into()
                } else {
                    json!({"tagCategoryId": tag.category, "text": tag.text})
                }
            })
            .collect()
    }

    fn put_extras(&self, shown: &mut Map<String, Value>, record: &Record) {
        let ticket = &record.ticket;
        self.insert(shown, "trackingId", format!("TW-{}", ticket.number).into());
        self.insert(shown, "origin", "WebApp".into());
        self.insert(shown, "attachments", json!([]));
        self.insert(shown, "activityCount", record.activities.len().into());
        self.insert(shown, "assigneeUnseenEventCnt", 0.into());
        self.insert(shown, "requestorUnseenEventCnt", 0.into());
        self.insert(shown, "isFrtBreached", false.into());
        self.insert(shown, "isRtBreached", false.into());
        self.insert(shown, "cc", Value::Null);
        self.insert(shown, "mailbox", Value::Null);
    }

    /// A ticket's activities, newest first.
    pub(super) fn activities(&self, record: &Record, url: &str) -> Vec<Value> {
        record
            .activities
            .iter()
            .rev()
            .map(|activity| self.activity(record, activity, url))
            .collect()
    }

    /// An `IActivity`.
    pub(super) fn activity(&self, record: &Record, activity: &Activity, url: &str) -> Value {
        let mut shown = Map::new();
        self.insert(&mut shown, "id", activity.id.clone().into());
        self.insert(&mut shown, "ticketId", record.ticket.id.clone().into());
        self.insert(&mut shown, "comment", activity.comment.clone().into());
        if self.html {
            let text = activity
                .comment_html
                .clone()
                .or_else(|| activity.comment.as_deref().map(html));
            self.insert(&mut shown, "comment_HTML", text.into());
        }
        if self.privacy {
            self.insert(&mut shown, "isPrivate", activity.private.into());
        }
        self.insert(&mut shown, "createdDateTime", self.time(activity.created_on));
        self.insert(&mut shown, "createdBy", activity.created_by.to_json());
        self.insert(
            &mut shown,
            "attachments",
            self.attachments_of(record, activity, url),
        );
        let changes = activity.changes.iter().map(Change::to_json).collect();
        self.insert(&mut shown, "changes", changes);
        Value::Object(shown)
    }

    /// An `IComment`, the answer to a new comment.
    pub(super) fn comment(&self, record: &Record, activity: &Activity, url: &str) -> Value {
        let mut shown = Map::new();
        self.insert(&mut shown, "activityId", activity.id.clone().into());
        self.insert(&mut shown, "ticketId", record.ticket.id.clone().into());
        self.insert(&mut shown, "ticketNo", record.ticket.number.into());
        self.insert(&mut shown, "comment", activity.comment.clone().into());
        if self.quirks.has(Quirk::HtmlTexts) {
            self.insert(&mut shown, "comment_HTML", activity.comment_html.clone().into());
        }
        if self.privacy {
            self.insert(&mut shown, "isPrivate", activity.private.into());
        }
        self.insert(
            &mut shown,
            "attachments",
            self.attachments_of(record, activity, url),
        );
        self.insert(&mut shown, "user", activity.created_by.to_json());
        Value::Object(shown)
    }

    fn attachments_of(&self, record: &Record, activity: &Activity, url: &str) -> Value {
        record
            .attachments
            .iter()
            .filter(|attachment| activity.attachments.contains(&attachment.id))
            .map(|attachment| self.attachment(attachment, url))
            .collect()
    }

    /// An attachment. `url` is the base URL; a file's own address is beside it.
    pub(super) fn attachment(&self, attachment: &Attachment, url: &str) -> Value {
        let origin = url.strip_suffix(super::BASE_PATH).unwrap_or(url);
        let src = attachment
            .link
            .clone()
            .unwrap_or_else(|| format!("{origin}/files/{}", attachment.id));
        let image = attachment
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with("image/"));
        let mut shown = Map::new();
        self.insert(&mut shown, "id", attachment.id.clone().into());
        self.insert(&mut shown, "caption", attachment.caption.clone().into());
        self.insert(&mut shown, "createdDateTime", self.time(attachment.created_on));
        self.insert(&mut shown, "createdBy", attachment.created_by.to_json());
        self.insert(&mut shown, "src", src.into());
        self.insert(&mut shown, "isArchive", false.into());
        self.insert(&mut shown, "isHyperlink", attachment.link.is_some().into());
        self.insert(&mut shown, "isImage", image.into());
        self.insert(&mut shown, "filename", attachment.filename.clone().into());
        Value::Object(shown)
    }
}

impl Change {
    fn to_json(&self) -> Value {
        json!({"name": self.name, "oldValue": self.old, "newValue": self.new})
    }
}

/// Whether something happened too long after the creation, or has not happened by the last change.
fn late(ticket: &Ticket, done: Option<Moment>, due_ms: i64) -> bool {
    done.unwrap_or(ticket.last_interaction).since(ticket.created_on) > due_ms
}

fn html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<p>{}</p>", escaped.replace('\n', "<br>"))
}
