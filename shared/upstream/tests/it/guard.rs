//! The address guard.

use std::sync::Arc;

use serde_json::json;
use storage::embedded::StaticSecrets;
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions, ErrorKind, Outcome};

use crate::support::{Server, connector, context, post};

fn guarded() -> Client {
    Client::new(ClientOptions {
        secrets: Arc::new(StaticSecrets::new()),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: false,
        user_agent: "ticket-gateway/test".to_owned(),
    })
    .unwrap()
}

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_written() {
    let server = Server::agreeable().await;
    let port = server.url.rsplit_once(':').unwrap().1;
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "[fd00:ec2::254]",
    ] {
        let connector = connector(&format!("http://{host}:{port}"));
        let error = guarded()
            .call(&connector, &post("/t"), &json!({}), &mut context())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::AddressRefused, Outcome::NotSent),
            "{host}: {error}"
        );
        assert_eq!(error.code(), "TG0401");
        assert!(error.to_string().contains("--allow-private-upstreams"), "{error}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_refused_address_is_not_tried_again() {
    let mut context = context();
    let connector = connector("http://localhost:1");
    guarded()
        .call(&connector, &post("/t"), &json!({}), &mut context)
        .await
        .unwrap_err();
    assert_eq!(context.calls.len(), 1);
}
