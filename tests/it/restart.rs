//! A restart keeps state, and a key that a caller gave stays good over it.

use serde_json::json;

use crate::gateway::{Gateway, teamswork};

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_gives_the_first_answer_again_after_a_restart() {
    let sandbox = teamswork(&[]).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state.redb");
    let body = json!({"payload": {"short_description": "A"}}).to_string();
    let key = [("idempotency-key", "order-66")];
    let path = "/v1/teamswork/tickets";

    let gateway = Gateway::with_state(sandbox.url(), &state, &[]);
    let first = gateway
        .request_with("POST", path, Some(body.clone()), &key)
        .await
        .expect(201);
    gateway.interrupt();

    let gateway = Gateway::with_state(sandbox.url(), &state, &[]);
    let again = gateway.request_with("POST", path, Some(body), &key).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), first);
    let made = sandbox
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
        .count();
    assert_eq!(made, 1, "the ticketing system was asked once");

    let other = json!({"payload": {"short_description": "B"}}).to_string();
    let (code, _) = gateway
        .request_with("POST", path, Some(other), &key)
        .await
        .error(409);
    assert_eq!(code, "CONFLICT");
}
