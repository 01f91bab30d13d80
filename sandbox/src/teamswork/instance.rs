//! `GET /instance` and `GET /tags`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde_json::{Map, Value, json};

use super::answers::{Answer, ok};
use super::custom_fields::{CATEGORIES, Category, FIELDS, Field};
use super::model::{Person, Status, guid};
use super::query::Parameters;
use super::quirks::{Quirk, Quirks};
use super::running::Sandbox;
use super::tickets::item;
use super::workflow;

/// The people a ticket can be assigned to, who are also the team's owners.
pub(super) fn assignees() -> Vec<Person> {
    [
        ("Alex Wilber", "alex.wilber"),
        ("Megan Bowen", "megan.bowen"),
        ("Diego Siciliani", "diego.siciliani"),
    ]
    .into_iter()
    .zip(1..)
    .map(|((name, mailbox), number)| Person {
        id: guid("assignee", number),
        name: name.to_owned(),
        email: format!("{mailbox}@example.com"),
    })
    .collect()
}

pub(super) async fn read(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Answer {
    Parameters::parse(query.as_deref()).timezone()?;
    ok(item(instance(&sandbox.quirks), &sandbox.quirks))
}

pub(super) async fn tags(State(_): State<Arc<Sandbox>>) -> Answer {
    let items: Vec<Value> = CATEGORIES.iter().map(category).collect();
    ok(json!({"items": items}))
}

fn instance_id() -> String {
    guid("instance", 1)
}

fn category(category: &Category) -> Value {
    let tags: Vec<Value> = category
        .tags
        .iter()
        .map(|(text, deleted)| json!({"text": text, "deleted": deleted}))
        .collect();
    json!({
        "id": category.id,
        "instanceId": instance_id(),
        "text": category.text,
        "color": category.color,
        "tags": tags,
        "deleted": category.deleted,
    })
}

fn instance(quirks: &Quirks) -> Value {
    let lists = FieldLists::new(quirks);
    let people: Vec<Value> = assignees().iter().map(|person| persona(person, quirks)).collect();
    let mut shown = object(json!({
        "id": instance_id(),
        "groupId": guid("group", 1),
        "name": "IT Help Desk",
        "enabled": true,
        "tenantId": guid("tenant", 1),
        "teamId": guid("team", 1),
        "channelId": "19:it-help-desk@thread.tacv2",
        "subscriptionId": guid("subscription", 1),
        "mailAddress": "helpdesk@example.com",
        "customFields": lists.all,
        "customFieldsLeft": lists.left,
        "customFieldsRight": lists.right,
        "optionalFieldsLeft": [optional_field("expectedDate", "Expected date", "3_date", quirks)],
        "optionalFieldsRight": [optional_field("tags", "Tags", "5_list", quirks)],
        "assignees": {"type": "customAssignee", "peoples": people},
        "assigneeRules": [],
        "defaultRuleAssignee": [],
        "isAutomaticAssignTickets": false,
        "alertNotification": {},
        "isAutoAssignIdleTickets": false,
        "dayBeforeTicketsIdle": 7,
        "idleTicketAssignedTo": [],
        "isNotifyIdleTicket": false,
    }));
    if quirks.has(Quirk::ExtraFields) {
        shown.extend(object(json!({
            "instanceName": "IT Help Desk",
            "displayName": "IT Help Desk",
            "code": "IT",
            "instanceType": "ticket",
            "workflows": {"ticket": [workflow_graph(quirks)]},
            "sla": {"frt": 8, "rt": 120},
        })));
    }
    Value::Object(shown)
}

struct FieldLists {
    all: Vec<Value>,
    left: Vec<Value>,
    right: Vec<Value>,
}

impl FieldLists {
    fn new(quirks: &Quirks) -> Self {
        let pick = |keep: fn(usize) -> bool| -> Vec<Value> {
            let kept = FIELDS.iter().enumerate().filter(|(index, _)| keep(*index));
            kept.map(|(_, field)| Field::to_json(field)).collect()
        };
        if quirks.has(Quirk::FieldListsDisagree) {
            // Every field is in at least one list, none is in all three.
            Self {
                all: pick(|index| index < 3),
                left: pick(|index| index > 4),
                right: pick(|index| (2..6).contains(&index)),
            }
        } else {
            Self {
                all: pick(|_| true),
                left: pick(|index| index < 4),
                right: pick(|index| index >= 4),
            }
        }
    }
}

fn optional_field(id: &str, title: &str, kind: &str, quirks: &Quirks) -> Value {
    let kind = if quirks.has(Quirk::FieldListsDisagree) {
        json!(kind)
    } else {
        json!({"key": kind, "text": title})
    };
    json!({"id": id, "title": title, "isMandatory": false, "status": "visible", "type": kind})
}

/// A person as `IPersonaProps`, or as the live service shows one.
fn persona(person: &Person, quirks: &Quirks) -> Value {
    if quirks.has(Quirk::PlainPeople) {
        person.to_json()
    } else {
        json!({"id": person.id, "text": person.name, "secondaryText": person.email})
    }
}

fn workflow_graph(quirks: &Quirks) -> Value {
    let nodes: Vec<Value> = Status::ALL
        .into_iter()
        .map(|status| json!({"id": workflow::state_id(status), "label": workflow::label(status, quirks)}))
        .collect();
    let edges: Vec<Value> = Status::ALL
        .into_iter()
        .flat_map(|from| workflow::next_states(from).iter().map(move |to| (from, *to)))
        .map(|(from, to)| json!({"source": workflow::state_id(from), "target": workflow::state_id(to)}))
        .collect();
    json!({"nodes": nodes, "edges": edges})
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
