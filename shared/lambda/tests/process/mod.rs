//! Stand-ins for what surrounds a function's process: Lambda's Runtime API, DynamoDB, Secrets Manager and a ticketing
//! system. The tests of the functions take this file in; `shared/lambda` itself has no binary.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::process::Command;

/// The secret of the ticketing system.
pub(crate) const SECRET: &str = "canary-9f2c61";

/// The AWS credentials of the process.
pub(crate) const AWS_SECRET: &str = "canary-aws-77ab01";

/// Everything around the process, at one address.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By table, partition key and sort key.
    items: BTreeMap<(String, String, String), Value>,
    aws_fails: bool,
    events: Vec<Value>,
    answers: Vec<(String, Value)>,
    init_errors: Vec<Value>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let world = World {
            address: listener.local_addr().unwrap().to_string(),
            state: Arc::default(),
        };
        let served = world.clone();
        let app = axum::Router::new().fallback(
            move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
                served.answer(&method, &uri, &headers, &body).await
            },
        );
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        world
    }

    /// From now on DynamoDB and Secrets Manager fail.
    pub(crate) fn break_aws(&self) {
        self.state.lock().unwrap().aws_fails = true;
    }

    pub(crate) fn put(&self, table: &str, item: Value) {
        let key = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
        let key = (table.to_owned(), key("pk"), key("sk"));
        self.state.lock().unwrap().items.insert(key, item);
    }

    /// What the process reported to Lambda when it could not start.
    pub(crate) fn init_errors(&self) -> Vec<Value> {
        self.state.lock().unwrap().init_errors.clone()
    }

    /// The environment that Lambda gives a function, and the gateway's own.
    pub(crate) fn environment(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AWS_LAMBDA_RUNTIME_API", self.address.clone()),
            ("AWS_LAMBDA_FUNCTION_NAME", "create-ticket".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", AWS_SECRET.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("TICKET_GATEWAY_INTEGRATIONS_TABLE", "Integrations".to_owned()),
            ("TICKET_GATEWAY_STATE_TABLE", "State".to_owned()),
            ("TICKET_GATEWAY_SECRET_PREFIX", "ticket-gateway/".to_owned()),
            ("TICKET_GATEWAY_ALLOW_PRIVATE_UPSTREAMS", "true".to_owned()),
        ])
    }

    /// Starts the process, hands it the events one after the other, and stops it. Its answers, and its log.
    pub(crate) async fn run(
        &self,
        binary: &str,
        environment: BTreeMap<&'static str, String>,
        events: Vec<Value>,
    ) -> (Vec<(String, Value)>, Log) {
        let wanted = events.len();
        self.state.lock().unwrap().events = events;
        let mut process = Command::new(binary)
            .env_clear()
            .envs(environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let answered = async {
            while self.state.lock().unwrap().answers.len() < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = answered, if wanted > 0 => process.start_kill().unwrap(),
            _ = process.wait() => {}
            () = tokio::time::sleep(Duration::from_secs(60)) => panic!("the process does not answer"),
        }
        let output = process.wait_with_output().await.unwrap();
        let answers = std::mem::take(&mut self.state.lock().unwrap().answers);
        (answers, Log::of(output))
    }

    async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let target = headers
            .get("x-amz-target")
            .map(|target| target.to_str().unwrap().to_owned());
        if let Some(target) = target {
            return self.aws(&target, &serde_json::from_slice(body).unwrap());
        }
        let path = uri.path().strip_prefix("/2018-06-01/runtime/");
        match (method, path) {
            (&Method::GET, Some("invocation/next")) => self.next().await,
            (&Method::POST, Some("init/error")) => {
                let error = serde_json::from_slice(body).unwrap();
                self.state.lock().unwrap().init_errors.push(error);
                StatusCode::ACCEPTED.into_response()
            }
            (&Method::POST, Some(path)) => {
                let end = path.rsplit('/').next().unwrap().to_owned();
                let answer = serde_json::from_slice(body).unwrap();
                self.state.lock().unwrap().answers.push((end, answer));
                StatusCode::ACCEPTED.into_response()
            }
            _ => axum::Json(json!({
                "id": 7, "status": "Open", "title": "x", "changed": "2026-01-12T09:35:29Z",
                "key": headers.get("x-key").and_then(|key| key.to_str().ok()),
            }))
            .into_response(),
        }
    }

    async fn next(&self) -> Response {
        let event = {
            let mut state = self.state.lock().unwrap();
            (!state.events.is_empty()).then(|| state.events.remove(0))
        };
        let Some(event) = event else {
            return std::future::pending().await;
        };
        let deadline = std::time::SystemTime::now() + Duration::from_secs(30);
        let deadline = deadline
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let headers = [
            (
                "lambda-runtime-aws-request-id",
                "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
            ),
            ("lambda-runtime-deadline-ms", deadline.to_string()),
            (
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-central-1:1:function:f".to_owned(),
            ),
            (
                "lambda-runtime-trace-id",
                "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".to_owned(),
            ),
        ];
        (headers, event.to_string()).into_response()
    }

    /// As much of DynamoDB and Secrets Manager as a function needs that only reads.
    fn aws(&self, target: &str, request: &Value) -> Response {
        let state = self.state.lock().unwrap();
        if state.aws_fails {
            return (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response();
        }
        let table = request["TableName"].as_str().unwrap_or_default();
        let answer = match target.rsplit('.').next().unwrap() {
            "GetItem" => {
                let key = |name: &str| request["Key"][name]["S"].as_str().unwrap().to_owned();
                match state.items.get(&(table.to_owned(), key("pk"), key("sk"))) {
                    Some(item) => json!({"Item": item}),
                    None => json!({}),
                }
            }
            "Query" => {
                let pk = &request["ExpressionAttributeValues"][":pk"]["S"];
                let items: Vec<&Value> = state
                    .items
                    .iter()
                    .filter(|((of, _, _), item)| of == table && item["pk"]["S"] == *pk)
                    .map(|(_, item)| item)
                    .collect();
                json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()})
            }
            "GetSecretValue" => {
                assert_eq!(request["SecretId"], "ticket-gateway/desk");
                json!({
                    "Name": "ticket-gateway/desk", "VersionId": "1",
                    "SecretString": json!({"api_key": SECRET}).to_string(),
                })
            }
            other => panic!("a function that reads does not call {other}"),
        };
        let headers = [("content-type", "application/x-amz-json-1.0")];
        (headers, answer.to_string()).into_response()
    }
}

/// What a process wrote.
pub(crate) struct Log {
    /// Standard output, line by line; each is JSON.
    pub(crate) lines: Vec<Value>,
    pub(crate) is_failure: bool,
}

impl Log {
    /// Checks what holds for every log: JSON lines, and no secret.
    fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        for secret in [SECRET, AWS_SECRET] {
            assert!(
                !text.contains(secret) && !errors.contains(secret),
                "{text}{errors}"
            );
        }
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect();
        Log {
            lines,
            is_failure: output.status.code().is_some_and(|code| code != 0),
        }
    }

    /// The line with this message.
    pub(crate) fn line(&self, message: &str) -> &Value {
        let found = self.lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no line says {message:?}: {:#?}", self.lines))
    }
}
