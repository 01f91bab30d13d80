//! The program around the gateway is told of every action.

use std::sync::{Arc, Mutex};

use actions::{Gateway, Observer, Performed};
use serde_json::json;
use storage::embedded::EmbeddedStore;

use crate::support::{DESK, Upstream, client, get, install, send};

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn performed(&self, performed: &Performed<'_>) {
        self.0.lock().unwrap().push(format!(
            "{} {} {} {:?} upstream={:?} replayed={} outcome={:?}",
            performed.integration.unwrap_or("-"),
            performed.action,
            performed.status,
            performed.code,
            performed
                .upstream
                .iter()
                .map(|call| call.status.unwrap_or_default())
                .collect::<Vec<_>>(),
            performed.replayed,
            performed.outcome,
        ));
    }
}

#[tokio::test]
async fn each_action_is_told_with_what_became_of_it() {
    let upstream = Upstream::start(|seen| match seen.method.as_str() {
        "PATCH" => crate::support::record(seen).0.to_string(),
        _ => String::new(),
    })
    .await;
    let seen = Arc::new(Seen::default());
    let gateway = Gateway::builder(client())
        .integration(install(DESK, json!({"base_url": upstream.address})))
        .idempotency(Arc::new(EmbeddedStore::in_memory().unwrap()))
        .observer(Arc::clone(&seen) as Arc<dyn Observer>)
        .build()
        .unwrap();
    for _ in 0..2 {
        let request = http::Request::patch("/v1/desk/tickets/IT-7")
            .header("idempotency-key", "k1")
            .body(bytes::Bytes::from(r#"{"payload": {"a": 1}}"#))
            .unwrap();
        send(&gateway, request).await;
    }
    get(&gateway, "/v1/anything-a-caller-writes/tickets/7").await;
    get(&gateway, "/v1/desk/tickets/..").await;
    let seen = seen.0.lock().unwrap();
    assert_eq!(
        seen[..3],
        [
            "desk update_ticket_fields 200 None upstream=[200] replayed=false outcome=Some(Done)",
            "desk update_ticket_fields 200 None upstream=[] replayed=true outcome=None",
            "- query_ticket_by_id 404 Some(NotFound) upstream=[] replayed=false outcome=None",
        ]
    );
}
