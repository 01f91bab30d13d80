//! Callers with API keys.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lambda::{Authorizer, AuthorizerSettings, Denied};
use serde_json::{Value, json};
use storage::caller_key::{self, Access, Slot};
use storage::embedded::EmbeddedStore;
use storage::{CallerKey, CallerKeyStore, Secret, StorageError};

use crate::support::{allows, authorizer_event};

/// A store that counts what it is asked and can be made to fail.
struct Keys {
    store: EmbeddedStore,
    asked: AtomicU32,
    fails: AtomicBool,
}

#[async_trait]
impl CallerKeyStore for Keys {
    async fn add_key(&self, key: CallerKey) -> Result<(), StorageError> {
        self.store.add_key(key).await
    }

    async fn key(&self, integration: &str, id: &str) -> Result<Option<CallerKey>, StorageError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(StorageError::unavailable("cannot read a key", "no answer"));
        }
        self.store.key(integration, id).await
    }

    async fn keys(&self, integration: &str) -> Result<Vec<CallerKey>, StorageError> {
        self.store.keys(integration).await
    }

    async fn remove_key(&self, integration: &str, id: &str) -> Result<bool, StorageError> {
        self.store.remove_key(integration, id).await
    }
}

struct Fixture {
    keys: Arc<Keys>,
    authorizer: Authorizer,
    lines: Arc<Mutex<Vec<Value>>>,
}

fn fixture() -> Fixture {
    let keys = Arc::new(Keys {
        store: EmbeddedStore::in_memory().unwrap(),
        asked: AtomicU32::new(0),
        fails: AtomicBool::new(false),
    });
    let settings = AuthorizerSettings {
        namespace: "TicketGateway".to_owned(),
        jwt: None,
    };
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let sink = Box::new(move |line: &str| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    let authorizer = Authorizer::with_sink(keys.clone(), &settings, sink).unwrap();
    Fixture {
        keys,
        authorizer,
        lines,
    }
}

impl Fixture {
    async fn key(&self, integration: &str, access: Access) -> (CallerKey, Secret) {
        let at = "2026-01-05T10:30:45Z".to_owned();
        let (key, text) = caller_key::generate(integration, "portal", Slot::Primary, access, at).unwrap();
        self.keys.add_key(key.clone()).await.unwrap();
        (key, text)
    }

    async fn show(&self, headers: &[(&str, &str)]) -> Result<Value, Denied> {
        let event = serde_json::from_value(authorizer_event(headers)).unwrap();
        self.authorizer.authorize(event).await
    }

    fn counts(&self) -> [Value; 3] {
        let lines = self.lines.lock().unwrap();
        let line = lines.last().unwrap();
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([["Action"]])
        );
        ["AuthorizerAllowed", "AuthorizerRefused", "AuthorizerFailed"].map(|name| line[name].clone())
    }
}

#[tokio::test]
async fn a_key_opens_every_action_of_its_integration_and_nothing_else() {
    let fixture = fixture();
    let (key, text) = fixture.key("desk", Access::ReadWrite).await;
    let policy = fixture.show(&[("x-api-key", text.expose())]).await.unwrap();
    assert_eq!(policy["principalId"], format!("desk/{}", key.id));
    assert_eq!(
        policy["usageIdentifierKey"],
        format!("ticket-gateway-desk-{}", key.id)
    );
    assert_eq!(
        policy["context"],
        json!({"integration": "desk", "access": "read-write", "key_id": key.id})
    );
    for allowed in [
        "GET/desk/tickets/IT-7",
        "POST/desk/tickets",
        "PATCH/desk/tickets/IT-7",
        "PUT/desk/tickets/IT-7/state",
    ] {
        assert!(allows(&policy, allowed), "{allowed}");
    }
    for refused in [
        "GET/other/tickets/IT-7",
        "GET/desk-2/tickets/IT-7",
        // A ticket of another integration that is called like this one.
        "POST/other/tickets/desk/comments",
        "GET/other/requestors/desk/tickets",
        "DELETE/desk/tickets/IT-7",
    ] {
        assert!(!allows(&policy, refused), "{refused}");
    }
    assert_eq!(fixture.counts(), [json!(1), json!(0), json!(0)]);
}

#[tokio::test]
async fn a_read_only_key_opens_the_queries_alone() {
    let fixture = fixture();
    let (_, text) = fixture.key("desk", Access::ReadOnly).await;
    let policy = fixture.show(&[("X-Api-Key", text.expose())]).await.unwrap();
    assert_eq!(policy["context"]["access"], "read-only");
    assert!(allows(&policy, "GET/desk/tickets/IT-7"));
    assert!(allows(&policy, "GET/desk/requestors/7/tickets"));
    assert!(allows(&policy, "GET/desk/events"));
    assert!(!allows(&policy, "GET/other/events"));
    for write in [
        "POST/desk/tickets",
        "PATCH/desk/tickets/7",
        "PUT/desk/tickets/7/state",
    ] {
        assert!(!allows(&policy, write), "{write}");
    }
}

/// With what these policies leave out, the tests of the template show what API Gateway makes of them and the API's own
/// policy.
#[tokio::test]
async fn the_policies_are_those_that_the_template_is_tested_with() {
    let expected: Value = serde_json::from_str(include_str!("data/policies.json")).unwrap();
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let fixture = fixture();
        let (_, text) = fixture.key("desk", access).await;
        let policy = fixture.show(&[("x-api-key", text.expose())]).await.unwrap();
        assert_eq!(policy["policyDocument"], expected[access.to_string()], "{access}");
    }
}

#[tokio::test]
async fn what_is_no_key_of_ours_is_refused() {
    let fixture = fixture();
    let (key, text) = fixture.key("desk", Access::ReadWrite).await;
    let text = text.expose();
    let unknown_id = text.replace(&key.id, "00000000");
    let last = if text.ends_with('A') { 'E' } else { 'A' };
    let wrong_secret = format!("{}{last}", &text[..text.len() - 1]);
    let other_integration = text.replace("desk", "other");
    for shown in [
        "",
        "tgk_desk",
        "hello",
        &"x".repeat(5000),
        &unknown_id,
        &wrong_secret,
        &other_integration,
        &text.to_ascii_uppercase(),
    ] {
        assert_ne!(shown, text);
        let refused = fixture.show(&[("x-api-key", shown)]).await;
        assert_eq!(refused, Err(Denied::Unauthorized), "{shown}");
    }
    assert_eq!(fixture.show(&[]).await, Err(Denied::Unauthorized));
    let twice = [("x-api-key", text), ("x-api-key", text)];
    assert_eq!(fixture.show(&twice).await, Err(Denied::Unauthorized));
    // Tokens are for installations that name an issuer.
    for authorization in ["Bearer a.b.c", "Basic YTpi", "Bearer", ""] {
        let shown = [("Authorization", authorization)];
        assert_eq!(fixture.show(&shown).await, Err(Denied::Unauthorized));
    }
    assert_eq!(fixture.counts(), [json!(0), json!(1), json!(0)]);
}

#[tokio::test]
async fn a_store_that_fails_opens_nothing() {
    let fixture = fixture();
    let (_, text) = fixture.key("desk", Access::ReadWrite).await;
    fixture.keys.fails.store(true, Ordering::Relaxed);
    let end = fixture.show(&[("x-api-key", text.expose())]).await;
    assert_eq!(end, Err(Denied::Failed));
    assert_eq!(fixture.counts(), [json!(0), json!(0), json!(1)]);
}

#[tokio::test]
async fn an_event_of_no_method_opens_nothing() {
    let fixture = fixture();
    let (_, text) = fixture.key("desk", Access::ReadWrite).await;
    for arn in [
        json!(null),
        json!(""),
        json!("a/b/c"),
        json!("arn:aws:lambda:eu:1:f/v1/GET/x"),
    ] {
        let mut event = authorizer_event(&[("x-api-key", text.expose())]);
        event["methodArn"] = arn;
        let end = fixture
            .authorizer
            .authorize(serde_json::from_value(event).unwrap())
            .await;
        assert_eq!(end, Err(Denied::Failed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_right_is_known_for_half_a_minute() {
    let fixture = fixture();
    let (key, text) = fixture.key("desk", Access::ReadWrite).await;
    let shown = [("x-api-key", text.expose())];
    for _ in 0..3 {
        fixture.show(&shown).await.unwrap();
    }
    assert_eq!(fixture.keys.asked.load(Ordering::Relaxed), 1);

    fixture.keys.remove_key("desk", &key.id).await.unwrap();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    assert_eq!(fixture.show(&shown).await, Err(Denied::Unauthorized));
}

#[tokio::test]
async fn a_key_that_was_wrong_is_asked_for_again() {
    let fixture = fixture();
    let at = "2026-01-05T10:30:45Z".to_owned();
    let (key, text) = caller_key::generate("desk", "portal", Slot::Primary, Access::ReadOnly, at).unwrap();
    let shown = [("x-api-key", text.expose())];
    assert_eq!(fixture.show(&shown).await, Err(Denied::Unauthorized));
    fixture.keys.add_key(key).await.unwrap();
    fixture.show(&shown).await.unwrap();
}
