//! What the API shows of what is kept.

use serde_json::{Map, Value, json};

use super::model::{Customer, File, Message, Sender, Tag, Team, Ticket, User};
use super::moment::Moment;
use super::quirks::{Quirk, Quirks};
use super::store::{FIELDS, Store};

/// How many messages a ticket shows under the quirk `messages-cut`.
const FIRST_MESSAGES: usize = 30;
/// How long an excerpt is at most, in characters.
const EXCERPT: usize = 100;

pub(super) struct View<'a> {
    pub(super) store: &'a Store,
    pub(super) quirks: &'a Quirks,
}

impl View<'_> {
    /// Leaves out what has no value, under the quirk.
    fn tidy(&self, value: Value) -> Value {
        match value {
            Value::Object(mut object) if self.quirks.has(Quirk::FieldsLeftOut) => {
                object.retain(|_, value| !value.is_null());
                Value::Object(object)
            }
            other => other,
        }
    }

    fn time(&self, moment: Moment) -> String {
        moment.text(self.quirks.has(Quirk::DatesWithOffset))
    }

    fn times(&self, moment: Option<Moment>) -> Option<String> {
        moment.map(|moment| self.time(moment))
    }

    /// A row of a list: no messages, no custom fields.
    pub(super) fn row(&self, ticket: &Ticket) -> Value {
        let mut row = self.base(ticket);
        let excerpt = ticket
            .messages
            .last()
            .and_then(|message| message.body_text.as_ref());
        row.insert("messages_count".to_owned(), json!(ticket.messages.len()));
        row.insert(
            "excerpt".to_owned(),
            json!(excerpt.map(|text| text.chars().take(EXCERPT).collect::<String>())),
        );
        row.insert("integrations".to_owned(), json!([]));
        self.tidy(Value::Object(row))
    }

    /// One ticket with its messages.
    pub(super) fn ticket(&self, ticket: &Ticket, custom_fields: bool) -> Value {
        let mut shown = self.base(ticket);
        let most = if self.quirks.has(Quirk::MessagesCut) {
            FIRST_MESSAGES
        } else {
            usize::MAX
        };
        let messages: Vec<Value> = ticket
            .messages
            .iter()
            .take(most)
            .map(|message| self.message(ticket.id, message))
            .collect();
        shown.insert("messages_count".to_owned(), json!(ticket.messages.len()));
        shown.insert("messages".to_owned(), Value::Array(messages));
        shown.insert("satisfaction_survey".to_owned(), Value::Null);
        shown.insert(
            "reply_options".to_owned(),
            json!({"internal-note": {"answerable": true}}),
        );
        // Deprecated, and empty for years.
        shown.insert("events".to_owned(), json!([]));
        if custom_fields {
            shown.insert("custom_fields".to_owned(), self.custom_fields(ticket));
        }
        self.tidy(Value::Object(shown))
    }

    /// By the definition's id, as a ticket has them.
    fn custom_fields(&self, ticket: &Ticket) -> Value {
        let fields = ticket.custom_fields.iter().map(|(id, value)| {
            let shown = json!({"id": id, "value": value, "prediction": null});
            (id.to_string(), self.tidy(shown))
        });
        Value::Object(fields.collect())
    }

    /// As a list, as the endpoint of their own has them.
    pub(super) fn custom_field_list(&self, ticket: &Ticket) -> Value {
        let fields = ticket.custom_fields.iter().map(|(id, value)| {
            let definition = FIELDS.iter().find(|field| field.id == *id);
            json!({"id": id, "value": value, "field": definition.map(|field| json!({"id": id, "label": field.label}))})
        });
        json!({"object": "list", "data": fields.collect::<Vec<_>>(), "meta": {"prev_cursor": null, "next_cursor": null}})
    }

    fn base(&self, ticket: &Ticket) -> Map<String, Value> {
        let priority = ticket
            .priority
            .as_ref()
            .filter(|_| !self.quirks.has(Quirk::PriorityNotRead));
        let tags: Vec<Value> = ticket
            .tags
            .iter()
            .filter_map(|id| self.store.tags.get(id))
            .map(|tag| self.short_tag(tag))
            .collect();
        let customer = self.store.customers.get(&ticket.customer);
        let user = ticket.assignee_user.and_then(|id| self.store.users.get(&id));
        let team = ticket.assignee_team.and_then(|id| self.store.teams.get(&id));
        let shown = json!({
            "id": ticket.id,
            "uri": format!("/api/tickets/{}/", ticket.id),
            "external_id": ticket.external_id,
            "status": if ticket.closed { "closed" } else { "open" },
            "priority": priority,
            "channel": ticket.channel,
            "via": ticket.via,
            "from_agent": ticket.from_agent,
            "spam": ticket.spam,
            "is_unread": ticket.is_unread,
            "customer": customer.map(|customer| self.short_customer(customer)),
            "assignee_user": user.map(|user| self.short_user(user)),
            "assignee_user_id": ticket.assignee_user,
            "assignee_team": team.map(|team| json!({"id": team.id, "name": team.name})),
            "assignee_team_id": ticket.assignee_team,
            "language": ticket.language,
            "subject": ticket.subject,
            "meta": ticket.meta,
            "tags": tags,
            "created_datetime": self.time(ticket.created),
            "opened_datetime": self.times(ticket.opened),
            "last_received_message_datetime": self.times(ticket.last_received),
            "last_message_datetime": self.times(ticket.last_message),
            "updated_datetime": self.time(ticket.updated),
            "closed_datetime": self.times(ticket.closed_at),
            "snooze_datetime": self.times(ticket.snoozed_until),
            "trashed_datetime": self.times(ticket.trashed_at),
        });
        match shown {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    pub(super) fn message(&self, ticket: i64, message: &Message) -> Value {
        let sender = match message.sender {
            Sender::Customer(id) => self
                .store
                .customers
                .get(&id)
                .map(|person| self.short_customer(person)),
            Sender::User(id) => self.store.users.get(&id).map(|person| self.short_user(person)),
        };
        let receiver = message.receiver.and_then(|id| self.store.customers.get(&id));
        let attachments: Vec<Value> = message.attachments.iter().cloned().map(Value::Object).collect();
        self.tidy(json!({
            "id": message.id,
            "uri": format!("/api/tickets/{ticket}/messages/{}/", message.id),
            "message_id": null,
            "ticket_id": ticket,
            "external_id": message.external_id,
            "public": message.public,
            "channel": message.channel,
            "via": message.via,
            "source": message.source,
            "sender": sender,
            "integration_id": message.integration_id,
            "intents": [],
            "rule_id": null,
            "from_agent": message.from_agent,
            "receiver": receiver.map(|customer| self.short_customer(customer)),
            "subject": message.subject,
            "body_text": message.body_text,
            "body_html": message.body_html,
            "stripped_text": message.stripped_text,
            "stripped_html": message.stripped_html,
            "stripped_signature": null,
            "headers": null,
            "attachments": attachments,
            "actions": null,
            "macros": null,
            "meta": message.meta,
            "created_datetime": self.time(message.created),
            "sent_datetime": self.times(message.sent),
            "failed_datetime": null,
            "opened_datetime": null,
            "deleted_datetime": null,
            "last_sending_error": null,
            "is_retriable": false,
        }))
    }

    fn short_customer(&self, customer: &Customer) -> Value {
        self.tidy(json!({
            "id": customer.id,
            "email": customer.email,
            "name": customer.name,
            "firstname": first_name(&customer.name),
            "lastname": last_name(&customer.name),
            "external_id": customer.external_id,
            "meta": null,
        }))
    }

    pub(super) fn customer(&self, customer: &Customer) -> Value {
        let email = customer.email.as_ref().map(|address| ("email", address));
        let phone = customer.phone.as_ref().map(|address| ("phone", address));
        let channels: Vec<Value> = email
            .into_iter()
            .chain(phone)
            .map(|(kind, address)| json!({"type": kind, "address": address, "preferred": true}))
            .collect();
        self.tidy(json!({
            "id": customer.id,
            "email": customer.email,
            "name": customer.name,
            "firstname": first_name(&customer.name),
            "lastname": last_name(&customer.name),
            "external_id": customer.external_id,
            "channels": channels,
            "integrations": {},
            "language": null,
            "timezone": null,
            "note": null,
            "data": null,
            "meta": null,
            "created_datetime": self.time(customer.created),
            "updated_datetime": self.time(customer.updated),
        }))
    }

    fn short_user(&self, user: &User) -> Value {
        self.tidy(json!({
            "id": user.id,
            "email": user.email,
            "name": user.name,
            "firstname": first_name(&user.name),
            "lastname": last_name(&user.name),
        }))
    }

    pub(super) fn user(&self, user: &User) -> Value {
        self.tidy(json!({
            "id": user.id,
            "active": true,
            "bio": null,
            "country": null,
            "email": user.email,
            "external_id": null,
            "name": user.name,
            "firstname": first_name(&user.name),
            "lastname": last_name(&user.name),
            "language": "en",
            "meta": null,
            "role": {"name": user.role},
            "timezone": "UTC",
            "created_datetime": self.time(user.created),
            "updated_datetime": self.time(user.created),
            "deactivated_datetime": null,
        }))
    }

    pub(super) fn team(&self, team: &Team) -> Value {
        self.tidy(json!({
            "id": team.id,
            "uri": format!("/api/teams/{}/", team.id),
            "name": team.name,
            "description": null,
            "members": [],
            "created_datetime": self.time(team.created),
        }))
    }

    fn short_tag(&self, tag: &Tag) -> Value {
        self.tidy(json!({"id": tag.id, "name": tag.name, "uri": format!("/api/tags/{}/", tag.id), "decoration": null}))
    }

    pub(super) fn tag(&self, tag: &Tag) -> Value {
        self.tidy(json!({
            "id": tag.id,
            "name": tag.name,
            "uri": format!("/api/tags/{}/", tag.id),
            "decoration": null,
            "description": null,
            "created_datetime": self.time(tag.created),
            "deleted_datetime": null,
        }))
    }

    pub(super) fn file(&self, file: &File) -> Value {
        let size = if self.quirks.has(Quirk::FileSizeText) {
            json!(file.content.len().to_string())
        } else {
            json!(file.content.len())
        };
        json!({"url": file.url, "name": file.name, "size": size, "content_type": file.content_type})
    }
}

fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

fn last_name(name: &str) -> &str {
    name.split_once(' ').map_or("", |(_, last)| last)
}
