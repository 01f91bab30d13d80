//! Secrets: cached, and read again when the ticketing system refuses one.

use std::time::Duration;

use storage::aws::SecretsManager;
use storage::{Secret, SecretStore};

use crate::proxy::{Fault, Proxy};
use crate::support::{connection, unique};

/// A secret of one integration, and what reads it through a proxy.
struct Fixture {
    prefix: String,
    proxy: Proxy,
    client: aws_sdk_secretsmanager::Client,
}

impl Fixture {
    async fn new(text: &str) -> Self {
        let fixture = Self::without_secret().await;
        fixture
            .client
            .create_secret()
            .name(fixture.id())
            .secret_string(text)
            .send()
            .await
            .unwrap();
        fixture
    }

    async fn without_secret() -> Self {
        Self {
            prefix: format!("{}/", unique("ticket-gateway")),
            proxy: Proxy::start().await,
            client: aws_sdk_secretsmanager::Client::new(connection().config()),
        }
    }

    fn id(&self) -> String {
        format!("{}one", self.prefix)
    }

    fn store(&self, keep: Duration) -> SecretsManager {
        SecretsManager::new(&self.proxy.connection(), &self.prefix, keep)
    }

    async fn put(&self, text: &str) {
        self.client
            .put_secret_value()
            .secret_id(self.id())
            .secret_string(text)
            .send()
            .await
            .unwrap();
    }

    fn requests(&self) -> usize {
        self.proxy.operations().len()
    }
}

const LONG: Duration = Duration::from_secs(300);

fn shown(secret: Option<Secret>) -> Option<String> {
    secret.map(|secret| secret.expose().to_owned())
}

async fn read(store: &SecretsManager, key: &str) -> Option<String> {
    shown(store.secret("one", key).await.unwrap())
}

async fn another(store: &SecretsManager, tried: &[&str]) -> Option<String> {
    let tried: Vec<Secret> = tried.iter().map(|text| Secret::new((*text).to_owned())).collect();
    shown(store.another("one", "key", &tried).await.unwrap())
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_secret_is_read_once_for_all_its_keys_and_all_calls() {
    let fixture = Fixture::new(r#"{"key": "abc", "other": "def", "empty": ""}"#).await;
    let store = fixture.store(LONG);
    let (a, b, c) = tokio::join!(
        read(&store, "key"),
        read(&store, "other"),
        read(&store, "missing")
    );
    assert_eq!(
        [a.as_deref(), b.as_deref(), c.as_deref()],
        [Some("abc"), Some("def"), None]
    );
    assert_eq!(read(&store, "empty").await, None);
    assert_eq!(fixture.requests(), 1);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_secret_is_read_again_after_its_time_and_the_old_one_kept_when_that_fails() {
    let fixture = Fixture::new(r#"{"key": "old"}"#).await;
    let store = fixture.store(Duration::ZERO);
    assert_eq!(read(&store, "key").await.as_deref(), Some("old"));
    fixture.put(r#"{"key": "new"}"#).await;
    fixture
        .proxy
        .next(vec![Fault::Refused(400, "AccessDeniedException"); 1]);
    assert_eq!(read(&store, "key").await.as_deref(), Some("old"));
    assert_eq!(read(&store, "key").await.as_deref(), Some("new"));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_refused_secret_is_read_afresh() {
    let fixture = Fixture::new(r#"{"key": "old"}"#).await;
    let store = fixture.store(LONG);
    assert_eq!(read(&store, "key").await.as_deref(), Some("old"));
    fixture.put(r#"{"key": "new"}"#).await;
    assert_eq!(another(&store, &["old"]).await.as_deref(), Some("new"));
    assert_eq!(read(&store, "key").await.as_deref(), Some("new"));
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_system_that_does_not_know_the_new_secret_yet_is_given_the_previous_one() {
    let fixture = Fixture::new(r#"{"key": "old"}"#).await;
    fixture.put(r#"{"key": "new"}"#).await;
    let store = fixture.store(LONG);
    assert_eq!(read(&store, "key").await.as_deref(), Some("new"));
    assert_eq!(another(&store, &["new"]).await.as_deref(), Some("old"));
    store.accepted("one", "key", &Secret::new("old".to_owned()));
    assert_eq!(read(&store, "key").await.as_deref(), Some("old"));
    // Later the system has the new one, and refuses the old.
    assert_eq!(another(&store, &["old"]).await.as_deref(), Some("new"));
    store.accepted("one", "key", &Secret::new("new".to_owned()));
    assert_eq!(read(&store, "key").await.as_deref(), Some("new"));
    assert_eq!(another(&store, &["new", "old"]).await, None);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn many_refused_calls_read_once() {
    let fixture = Fixture::new(r#"{"key": "only"}"#).await;
    let store = fixture.store(LONG);
    read(&store, "key").await;
    fixture.requests();
    for _ in 0..5 {
        let calls = tokio::join!(another(&store, &["only"]), another(&store, &["only"]));
        assert_eq!(calls, (None, None));
    }
    assert_eq!(fixture.requests(), 2, "the current and the previous version");
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_secret_that_is_missing_is_none_and_how_to_set_it_is_said() {
    let fixture = Fixture::without_secret().await;
    let store = fixture.store(LONG);
    assert_eq!(read(&store, "key").await, None);
    assert_eq!(read(&store, "key").await, None);
    assert_eq!(fixture.requests(), 1);
    let how = store.how_to_set("one", "key").unwrap();
    assert!(
        how.contains(&fixture.id()) && how.contains("ticket-gateway secret set one key"),
        "{how}"
    );
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_secret_of_another_shape_is_described_without_its_content() {
    for text in [
        "918273645",
        r#"{"key": 918273645}"#,
        r#"{"key": {"a": "918273645"}}"#,
        "key: 918273645",
        r#"["918273645"]"#,
    ] {
        let fixture = Fixture::new(text).await;
        let error = fixture.store(LONG).secret("one", "key").await.err().unwrap();
        let message = error.to_string();
        assert!(error.is_configuration(), "{error:?}");
        assert!(
            message.contains(&fixture.id()) && message.contains("line 1"),
            "{message}"
        );
        assert!(
            !message.contains("918273645") && !format!("{error:?}").contains("918273645"),
            "{message}"
        );
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_missing_permission_names_the_secret() {
    let fixture = Fixture::new("{}").await;
    fixture.proxy.next([Fault::Refused(400, "AccessDeniedException")]);
    let error = fixture.store(LONG).secret("one", "key").await.err().unwrap();
    assert!(error.is_denied(), "{error:?}");
    assert!(error.to_string().contains(&fixture.id()), "{error}");
}
