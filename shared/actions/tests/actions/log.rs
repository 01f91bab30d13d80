//! Every action writes one line to the log: numbers and names, never what was sent.

use std::io::Write;
use std::sync::{Arc, Mutex};

use actions::{RequestMeta, TasAction};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Upstream, gateway, reply};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

impl Lines {
    /// What was written for one request.
    fn of(&self, request_id: &str) -> Vec<Value> {
        let bytes = self.0.lock().unwrap().clone();
        let lines = String::from_utf8(bytes).unwrap();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["request_id"] == request_id).collect()
    }
}

#[tokio::test]
async fn one_line_says_what_was_done_and_how_it_went() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .with_writer(lines.clone())
        .finish();
    // The whole test process writes here; each line names its request.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let upstream = Upstream::start(|seen| match seen.method.as_str() {
        "POST" => reply(200, &json!({"id": 7, "status": "Open"})),
        "GET" => reply(200, &json!({"title": "canary-1", "changed": 1_767_609_045})),
        _ => reply(409, &json!({"reason": "canary-2"})),
    })
    .await;
    let gateway = gateway(&upstream);
    let mut written = Vec::new();
    for (action, input) in [
        (
            TasAction::CreateTicket,
            json!({"payload": {"short_description": "canary-3"}}),
        ),
        (
            TasAction::UpdateTicketFields,
            json!({"ticket_id": "IT-7", "payload": {"x": "canary-4"}}),
        ),
        (
            TasAction::UpdateTicketFields,
            json!({"ticket_id": "IT-7", "payload": "canary-5"}),
        ),
    ] {
        let request = RequestMeta::new();
        let _either_way = gateway.perform("desk", action, input, &request).await;
        let mut of_request = lines.of(&request.request_id);
        assert_eq!(of_request.len(), 1, "{of_request:?}");
        written.append(&mut of_request);
    }

    assert!(!format!("{written:?}").contains("canary"), "{written:?}");
    let [created, refused, wrong] = written.as_slice() else {
        panic!("three lines: {written:?}")
    };
    assert_eq!(created["action"], "create_ticket");
    assert_eq!(created["integration"], "desk");
    assert_eq!(
        (&created["status"], &created["upstream_calls"]),
        (&json!(201), &json!(2))
    );
    assert_eq!(created["outcome"], "done");
    for number in ["duration_ms", "upstream_ms"] {
        assert!(created[number].is_u64(), "{number}: {created}");
    }
    assert_eq!(
        (&refused["status"], &refused["code"]),
        (&json!(409), &json!("CONFLICT"))
    );
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(
        (&wrong["status"], &wrong["upstream_calls"]),
        (&json!(400), &json!(0))
    );
}
