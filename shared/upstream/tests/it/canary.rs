//! A secret is planted, the system repeats it in every way it can, and everything that comes out is searched.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use upstream::{
    ApiKeyLocation, Auth, ClientAuthentication, Connector, FailWhen, Method, PageKind, Paginate,
    ResponseFormat,
};

use crate::support::{
    Asked, Reply, Server, action, by_token, client_with, connector, context, get, mapping, nobody,
    parameters, post, raw_server, template,
};

/// Long, with characters that every encoding writes differently.
const CANARY: &str = "canary/7f3a+9c&\"d1 e5";
/// Parts of it that survive any of the encodings.
const TRACES: [&str; 4] = ["canary", "7f3a", "Y2FuYXJ5", "hbmFyeS"];

/// Everything that is logged on one thread. Other tests run in the same process.
#[derive(Clone)]
struct Log {
    thread: ThreadId,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().id() == self.thread {
            self.bytes.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn search(what: &str, text: &str) {
    for trace in TRACES {
        assert!(!text.contains(trace), "{what} holds {trace:?}:\n{text}");
    }
}

/// Repeats the whole request: query, headers and body.
fn echo(status: u16) -> impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static {
    move |asked, _| {
        if asked.path == "/token" && status == 200 {
            return Reply::json(&json!({"access_token": CANARY, "token_type": "bearer", "expires_in": 60}));
        }
        let headers: Vec<String> = asked
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        let decoded: Vec<_> = url::form_urlencoded::parse(asked.query.as_bytes()).collect();
        let body = json!({
            "query": asked.query, "headers": headers, "body": String::from_utf8_lossy(&asked.body),
            "decoded": decoded, "next": format!("/t?{}", asked.query), "items": [asked.query.clone()],
        });
        let link = format!("</t?{}>; rel=\"next\"", asked.query);
        Reply::json(&body)
            .with_status(status)
            .header("x-echo", &asked.query)
            .header("link", &link)
    }
}

/// Repeats the key as encoders do that escape more, or less, than most: .NET in JSON, and in a link a server
/// that decodes the slash alone.
fn echo_otherwise(status: u16) -> impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static {
    move |asked, _| {
        let decoded: Vec<_> = url::form_urlencoded::parse(asked.query.as_bytes()).collect();
        let half_decoded = asked.query.replace("%2F", "/");
        let body = json!({"decoded": decoded, "query": half_decoded, "items": [half_decoded]}).to_string();
        let body = body
            .replace('+', "\\u002B")
            .replace('&', "\\u0026")
            .replace("\\\"", "\\u0022");
        Reply::status(status)
            .body(body)
            .header("x-echo", &half_decoded)
            .header("content-type", "application/json")
    }
}

fn kinds_of_auth(url: &str) -> Vec<Auth> {
    let secret = || "planted".to_owned();
    let key = |location| Auth::ApiKey {
        location,
        secret: secret(),
        fallback_secret: None,
    };
    vec![
        Auth::Basic {
            username: template("user"),
            secret: secret(),
        },
        Auth::BasicKey {
            secret: secret(),
            password: Some(template("X")),
        },
        Auth::Bearer { secret: secret() },
        key(ApiKeyLocation::Header {
            name: "X-Key".to_owned(),
            pattern: "Key %s".to_owned(),
        }),
        key(ApiKeyLocation::Query { name: "k".to_owned() }),
        Auth::OAuth2ClientCredentials {
            token_url: template(&format!("{url}/token")),
            client_id: template("me"),
            secret: secret(),
            scope: None,
            client_authentication: ClientAuthentication::Auto,
            extra: Vec::new(),
        },
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn a_planted_secret_comes_out_nowhere() {
    let log = Log {
        thread: thread::current().id(),
        bytes: Arc::default(),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // For the whole process: what a test without a subscriber says first would stay silent for all.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::callsite::rebuild_interest_cache();

    let mut errors = 0;
    let mut answers = 0;
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\": 1";
    let mut urls = vec![nobody().await, raw_server(half).await.0, raw_server(b"").await.0];
    let mut servers = Vec::new();
    for status in [200, 400, 401, 403, 404, 429, 500, 503] {
        servers.push(Server::start(echo(status)).await);
    }
    servers.push(Server::start(echo_otherwise(200)).await);
    servers.push(Server::start(echo_otherwise(500)).await);
    servers.push(
        Server::start(|asked, _| {
            Reply::status(302).header("location", &format!("http://h/?{}", asked.query))
        })
        .await,
    );
    servers.push(
        Server::start(|asked, _| Reply::status(200).body(format!("<a href='?{}'>", asked.query))).await,
    );
    urls.extend(servers.iter().map(|server| server.url.clone()));

    for url in &urls {
        for auth in kinds_of_auth(url) {
            let mut pages = get("/t");
            pages.paginate = Some(by_token());
            let mut links = get("/t");
            links.query = parameters(&[("page", "1")]);
            links.paginate = Some(Paginate {
                kind: PageKind::NextUrl {
                    next: mapping("response.body.next"),
                },
                max_pages: 1,
                ..by_token()
            });
            let mut failing = post("/t");
            failing.fail_when = vec![FailWhen {
                condition: mapping("true"),
                message: Some(mapping("response.body.query")),
                code: None,
            }];
            let mut text = get("/t");
            text.response = ResponseFormat::Text;
            for one in [pages, links, failing, text, action(&Method::PUT, "/t")] {
                let connector = Connector {
                    auth: auth.clone(),
                    ..connector(url)
                };
                let mut context = context();
                let client = client_with(&[("planted", CANARY)]);
                match client.call(&connector, &one, &json!({}), &mut context).await {
                    Ok(answer) => {
                        answers += 1;
                        search("an answer", &format!("{answer:?}"));
                        if let Some(token) = answer.result["next_page_token"].as_str() {
                            let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
                            search("a page token", &String::from_utf8(bytes).unwrap());
                        }
                    }
                    Err(error) => {
                        errors += 1;
                        search("an error", &format!("{error}\n{error:?}\n{:?}", error.excerpt()));
                    }
                }
                search("a record", &format!("{:?} {connector:?}", context.calls));
            }
        }
    }
    assert!(errors > 100 && answers > 10, "{errors} errors, {answers} answers");
    let log = String::from_utf8(log.bytes.lock().unwrap().clone()).unwrap();
    assert!(log.contains("upstream request"), "the log was captured");
    search("the log", &log);
}
