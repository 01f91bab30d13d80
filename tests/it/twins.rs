//! One request that comes many times at once is carried out once.

use std::sync::Arc;
use std::time::Duration;

use sandbox::teamswork::{Calls, Fault};
use serde_json::json;

use crate::gateway::{Gateway, teamswork};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_creates_with_one_key_are_one_ticket_and_fifty_equal_answers() {
    let sandbox = teamswork(&[]).await;
    let gateway = Arc::new(Gateway::for_teamswork(sandbox.url(), &[]));
    // Slow enough for all of them to come while the first is under way.
    let creating = Calls::to("POST", "/tickets");
    sandbox.fail_next(Fault::Delay(Duration::from_millis(500)), creating, 50);
    let body = json!({"payload": {"short_description": "Fifty times"}}).to_string();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (gateway, body) = (Arc::clone(&gateway), body.clone());
            tokio::spawn(async move {
                let key = [("idempotency-key", "fifty")];
                gateway
                    .request_with("POST", "/v1/teamswork/tickets", Some(body), &key)
                    .await
            })
        })
        .collect();
    let mut answers = Vec::new();
    let mut replayed = 0;
    for call in calls {
        let answer = call.await.expect("it ends");
        replayed += usize::from(answer.headers.contains_key("idempotency-replayed"));
        answers.push(answer.expect(201));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(replayed, 49);
    let made = sandbox
        .tickets()
        .iter()
        .filter(|ticket| ticket["title"] == "Fifty times")
        .count();
    assert_eq!(made, 1);
    let writes = sandbox
        .requests()
        .iter()
        .filter(|request| request.method != "GET")
        .count();
    assert_eq!(writes, 1, "one write went to the ticketing system");
}
