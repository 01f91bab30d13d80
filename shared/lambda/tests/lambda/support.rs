//! A function over stores in memory, and a fake ticketing system.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lambda::{ActionFunction, Ports, Settings, TasAction};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storage::embedded::{EmbeddedStore, StaticSecrets};
use storage::in_process::InProcessBudget;
use storage::{IntegrationStore, NewVersion};

const CREATE: &str = include_str!("data/create_ticket.json");
const QUERY: &str = include_str!("data/query_tickets_by_time_range.json");
const INTEGRATION: &str = include_str!("data/integration.yaml");

/// The secret of the test's integration: it may stand in no answer and no metric.
pub(crate) const CANARY: &str = "canary-9f2c61";

/// How the fake ticketing system behaves.
#[derive(Clone, Copy)]
pub(crate) enum Upstream {
    Good,
    Slow(Duration),
    Status(u16),
}

/// A fake ticketing system; remembers the paths and queries it was asked for.
pub(crate) async fn upstream(behaviour: Upstream) -> (String, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remember = Arc::clone(&seen);
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let asked = request.uri().path_and_query().unwrap().to_string();
        remember.lock().unwrap().push(asked);
        async move {
            match behaviour {
                Upstream::Good => {}
                Upstream::Slow(time) => tokio::time::sleep(time).await,
                Upstream::Status(status) => return StatusCode::from_u16(status).unwrap().into_response(),
            }
            let ticket = json!({"id": 7, "status": "Open", "title": "x", "changed": "2026-01-12T09:35:29Z"});
            axum::Json(ticket).into_response()
        }
    });
    (serve(app).await, seen)
}

/// Serves until the test ends; its address.
pub(crate) async fn serve(app: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// A store in which the test's integration is active as `desk`.
pub(crate) async fn store(address: &str) -> Arc<EmbeddedStore> {
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let content = NewVersion {
        files: BTreeMap::from([("integration.yaml".to_owned(), INTEGRATION.to_owned())]),
        settings: json!({"base_url": address}).as_object().unwrap().clone(),
        note: "first".to_owned(),
        created_at: "2026-01-05T10:30:45Z".to_owned(),
        created_by: "molly".to_owned(),
        replaces: None,
        streams: Vec::new(),
    };
    let version = store.add("desk", content).await.unwrap();
    store.activate("desk", Some(version), None).await.unwrap();
    store
}

pub(crate) fn ports(store: &Arc<EmbeddedStore>) -> Ports {
    Ports {
        integrations: store.clone(),
        secrets: Arc::new(StaticSecrets::new().with("desk", "api_key", CANARY)),
        budget: Arc::new(InProcessBudget::new()),
        idempotency: Some(store.clone()),
        journal: Some(store.clone()),
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        allow_private_upstreams: true,
        ..Settings::default()
    }
}

/// A function, and the lines of metrics that it wrote.
pub(crate) struct Function {
    pub(crate) function: ActionFunction,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Function {
    pub(crate) async fn of(action: TasAction, address: &str) -> Self {
        Self::over(action, ports(&store(address).await))
    }

    pub(crate) fn over(action: TasAction, ports: Ports) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let sink = Box::new(move |line: &str| sink.lock().unwrap().push(line.to_owned()));
        let function = ActionFunction::with_sink(action, ports, &settings(), sink).unwrap();
        Function { function, lines }
    }

    pub(crate) async fn invoke(&self, event: &Value) -> Answer {
        self.invoke_within(event, Duration::from_secs(30)).await
    }

    /// Invokes the function, which Lambda stops after `time`.
    pub(crate) async fn invoke_within(&self, event: &Value, time: Duration) -> Answer {
        let mut context = Context::default();
        context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
        let deadline = std::time::SystemTime::now() + time;
        let deadline = deadline.duration_since(std::time::UNIX_EPOCH).unwrap();
        context.deadline = u64::try_from(deadline.as_millis()).unwrap();
        let payload = serde_json::from_value(event.clone()).unwrap();
        let answer = self.function.handle(LambdaEvent::new(payload, context)).await;
        Answer::of(&serde_json::to_value(&answer).unwrap())
    }

    pub(crate) fn metrics(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// What API Gateway gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: Value,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn of(answer: &Value) -> Self {
        assert_eq!(answer["isBase64Encoded"], false);
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert!(!answer.to_string().contains(CANARY));
        Answer {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: answer["headers"].clone(),
            body,
        }
    }

    pub(crate) fn code(&self) -> (u64, &str) {
        (
            self.status,
            self.body["error"]["code"].as_str().unwrap_or_default(),
        )
    }
}

pub(crate) fn create_event() -> Value {
    serde_json::from_str(CREATE).unwrap()
}

pub(crate) fn query_event() -> Value {
    serde_json::from_str(QUERY).unwrap()
}

pub(crate) fn read_event(ticket_id: &str) -> Value {
    let mut event = query_event();
    event["queryStringParameters"] = Value::Null;
    event["multiValueQueryStringParameters"] = Value::Null;
    event["resource"] = json!("/{integration}/tickets/{ticket_id}");
    event["requestContext"]["resourcePath"] = json!("/{integration}/tickets/{ticket_id}");
    event["path"] = json!(format!("/desk/tickets/{ticket_id}"));
    event["requestContext"]["path"] = json!(format!("/v1/desk/tickets/{ticket_id}"));
    event["pathParameters"] = json!({"integration": "desk", "ticket_id": ticket_id});
    event
}

/// The authorizer's event of `GET /v1/desk/tickets/IT-7` with these headers.
pub(crate) fn authorizer_event(headers: &[(&str, &str)]) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("data/authorizer.json")).unwrap();
    for (name, value) in headers {
        event["headers"][name] = json!(value);
        let values = &mut event["multiValueHeaders"][name];
        match values.as_array_mut() {
            Some(values) => values.push(json!(value)),
            None => *values = json!([value]),
        }
    }
    event
}

/// Whether API Gateway lets a request through that a policy was made for: IAM's rule, in which a star matches
/// slashes too.
pub(crate) fn allows(policy: &Value, request: &str) -> bool {
    let statement = &policy["policyDocument"]["Statement"][0];
    let resource = format!("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/{request}");
    let matches = |pattern: &str| match pattern.split_once('*') {
        None => pattern == resource,
        Some((start, "")) => resource.starts_with(start),
        Some(_) => panic!("{pattern} has a star in its middle"),
    };
    let is_within = statement["Resource"]
        .as_array()
        .unwrap()
        .iter()
        .any(|pattern| matches(pattern.as_str().unwrap()));
    assert_eq!(policy["policyDocument"]["Version"], "2012-10-17");
    assert_eq!(statement["Action"], "execute-api:Invoke");
    statement["Effect"] == "Allow" && is_within
}
