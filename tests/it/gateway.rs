//! A running `ticket-gateway up`, and a client for it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

pub(crate) use sandbox::teamswork::{Options, Quirk, Running};

/// The primary key of the sandbox in these tests; also the canary that must never be seen again.
pub(crate) const CANARY: &str = "canary-9f3c/+2b7d ee41";

/// Starts a TeamsWork stand-in with these quirks and some tickets, without a rate limit.
pub(crate) async fn teamswork(quirks: &[Quirk]) -> Running {
    sandbox::teamswork::start(Options {
        primary_key: CANARY.to_owned(),
        quirks: quirks.iter().copied().collect(),
        seed_tickets: 40,
        rate_limit: None,
        ..Options::default()
    })
    .await
    .expect("the sandbox starts")
}

/// What the stand-in itself answers to a GET, past the gateway.
pub(crate) async fn direct(sandbox: &Running, path: &str) -> Value {
    let request = client().get(format!("{}{path}", sandbox.url()));
    answer_of(request).await
}

/// Creates a ticket past the gateway.
pub(crate) async fn create_directly(sandbox: &Running, body: &Value) -> Value {
    let request = client().post(format!("{}/tickets", sandbox.url()));
    let request = request.header("content-type", "application/json");
    answer_of(request.body(body.to_string())).await
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

async fn answer_of(request: reqwest::RequestBuilder) -> Value {
    let answer = request.query(&[("key", CANARY)]).send().await;
    let answer = answer.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.json().await.expect("JSON")
}

/// An answer of the gateway.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, if the status is the expected one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// `error.code`, if the status is the expected one.
    #[track_caller]
    pub(crate) fn error(self, status: u16) -> (String, String) {
        let body = self.expect(status);
        let text = |key: &str| body["error"][key].as_str().unwrap_or_default().to_owned();
        assert!(
            !text("request_id").is_empty(),
            "an error names its request: {body:#}"
        );
        (text("code"), text("message"))
    }
}

/// The folder of the TeamsWork connector.
pub(crate) fn teamswork_connector() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../connectors/teamswork")
}

/// `ticket-gateway up` as a process of its own; it is ended when this is dropped.
pub(crate) struct Gateway {
    child: Child,
    url: String,
    client: reqwest::Client,
    printed: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    _folder: Option<tempfile::TempDir>,
}

impl Gateway {
    /// With the TeamsWork connector pointed at `upstream`, and further `arguments`.
    pub(crate) fn for_teamswork(upstream: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = folder.path().join("state.redb");
        let mut gateway = Self::with_state(upstream, &state, arguments);
        gateway._folder = Some(folder);
        gateway
    }

    /// As [`Self::for_teamswork`], with a state file that outlives the process.
    pub(crate) fn with_state(upstream: &str, state: &Path, arguments: &[&str]) -> Self {
        Self::with_connector(&teamswork_connector(), upstream, state, arguments)
    }

    /// As [`Self::with_state`], with a changed copy of the TeamsWork connector.
    pub(crate) fn with_connector(connector: &Path, upstream: &str, state: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ticket-gateway"));
        command
            .args([
                "up",
                "--listen",
                "127.0.0.1:0",
                "--allow-private-upstreams",
                "--state",
            ])
            .arg(state)
            .arg("--integration")
            .arg(connector)
            .args(["--set", &format!("teamswork.base_url={upstream}")])
            .args([
                "--set",
                "teamswork.service_user_id=00000000-0000-4000-8000-000000000001",
            ])
            .args(["--set", "teamswork.service_user_name=Service Desk"])
            .args(["--set", "teamswork.service_user_email=service.desk@example.com"])
            .args(arguments)
            .env("TICKET_GATEWAY_SECRET_TEAMSWORK_API_KEY", CANARY)
            .env("RUST_LOG", "trace")
            .env("NO_COLOR", "1");
        Self::start(command)
    }

    /// With any command that starts `up`; the folder stays until the gateway is dropped.
    pub(crate) fn start_in(folder: tempfile::TempDir, command: Command) -> Self {
        let mut gateway = Self::start(command);
        gateway._folder = Some(folder);
        gateway
    }

    fn start(mut command: Command) -> Self {
        // More than one test may come here at once; whoever is first wins, and all of them agree.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let printed = Arc::new(Mutex::new(String::new()));
        let (sender, receiver) = std::sync::mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("piped")),
            Box::new(child.stderr.take().expect("piped")),
        ];
        let mut readers = Vec::new();
        for stream in streams {
            let (printed, sender) = (Arc::clone(&printed), sender.clone());
            readers.push(std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if let Some(address) = listening(&line) {
                        let _ = sender.send(address);
                    }
                    let mut printed = printed.lock().expect("no writer panicked");
                    printed.push_str(&line);
                    printed.push('\n');
                }
            }));
        }
        drop(sender);
        let Ok(address) = receiver.recv_timeout(std::time::Duration::from_secs(60)) else {
            let _ = child.kill();
            panic!(
                "the gateway did not start:\n{}",
                printed.lock().expect("no writer panicked")
            );
        };
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            child,
            url: format!("http://{address}"),
            client,
            printed,
            readers,
            _folder: None,
        }
    }

    /// Ends the process as Ctrl-C does, waits for it, and gives everything it printed, log lines included.
    pub(crate) fn interrupt(mut self) -> String {
        let status = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
        let ended = self.child.wait().expect("it ends");
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panicked");
        }
        let printed = self.printed.lock().expect("no writer panicked").clone();
        assert!(ended.success(), "a graceful stop is a success:\n{printed}");
        printed
    }

    /// Ends the process at once, as a power cut does: it finishes nothing and writes nothing.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.request("PUT", path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request("PATCH", path, Some(body.to_string())).await
    }

    /// Any request; `path` begins with a slash.
    pub(crate) async fn request(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        self.request_with(method, path, body, &[]).await
    }

    pub(crate) async fn request_with(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("the gateway answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a whole answer");
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON ({status}): {text}"));
        Answer {
            status,
            headers,
            body,
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that says where the gateway listens.
fn listening(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Ticket Gateway serves http://")?;
    rest.split('/').next()?.parse().ok()
}
