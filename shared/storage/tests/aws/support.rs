//! The server, and what a test makes on it for itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use storage::aws::Connection;
use storage::{Event, EventKind, EventWindow, NewVersion, TicketVersion};

/// The variable that names the server.
const ENDPOINT: &str = "TICKET_GATEWAY_TEST_AWS_ENDPOINT";

/// Where the server is.
pub(crate) fn endpoint() -> String {
    std::env::var(ENDPOINT).expect("set by tests/with-aws-server")
}

/// A connection to the server.
pub(crate) fn connection() -> Connection {
    connection_to(&endpoint())
}

/// A connection to a server at this address.
pub(crate) fn connection_to(endpoint: &str) -> Connection {
    let endpoint = endpoint.to_owned();
    Connection::from_environment(move |name| match name {
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        _ => None,
    })
    .unwrap()
}

/// A name that no other test and no earlier run has.
pub(crate) fn unique(kind: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{kind}-{}-{number}", std::process::id())
}

/// A client of the SDK, to look at the items from outside.
pub(crate) fn dynamo() -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(connection().config())
}

/// Makes a table with the keys that `template.yaml` gives both of its tables, and gives its name.
pub(crate) async fn table() -> String {
    let name = unique("table");
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let text = |name: &str| {
        let kind = ScalarAttributeType::S;
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    dynamo()
        .create_table()
        .table_name(&name)
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    name
}

/// A small version of an integration.
pub(crate) fn content(note: &str) -> NewVersion {
    NewVersion {
        files: BTreeMap::from([("integration.yaml".to_owned(), format!("name: {note}\n"))]),
        settings: serde_json::Map::new(),
        note: note.to_owned(),
        created_at: "2026-01-05T10:30:45Z".to_owned(),
        created_by: "molly".to_owned(),
        replaces: None,
        streams: Vec::new(),
    }
}

/// Text of this many bytes that does not compress to less than half.
pub(crate) fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + u8::try_from((state >> 33) % 95).unwrap())
    };
    std::iter::repeat_with(&mut next).take(bytes).collect()
}

/// A small event of an integration `one`.
pub(crate) fn event(ticket: &str, version: u32) -> Event {
    let ticket_body = serde_json::json!({"id": ticket, "state": "Open", "comments": [{"body": "Hello"}]});
    Event {
        event_id: format!("evt_{ticket}_{version}"),
        kind: EventKind::Updated,
        integration: "one".to_owned(),
        destination: None,
        ticket_id: ticket.to_owned(),
        version: TicketVersion {
            updated_at: "2026-01-05T10:30:45.123456Z".parse().unwrap(),
            content: "0123456789abcdef".to_owned(),
            ordinal: version,
        },
        window: EventWindow {
            start: "2026-01-05T10:30:00Z".parse().unwrap(),
            end: "2026-01-05T10:31:00Z".parse().unwrap(),
        },
        observed_at: "2026-01-05T10:31:10Z".parse().unwrap(),
        ticket: ticket_body.as_object().unwrap().clone(),
        changes: Some(Vec::new()),
        caused_by: None,
        omitted: Vec::new(),
    }
}
