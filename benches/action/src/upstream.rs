//! The ticketing system: made-up tickets, written before anybody asks. In a thread of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::documents::TYPICAL;
use crate::job::{self, PAGE, TICKETS};

/// The running stand-in.
pub struct Upstream {
    pub address: SocketAddr,
    /// Bytes of the answer with a page.
    pub page_bytes: usize,
    requests: Arc<AtomicU64>,
}

struct Answers {
    by_path: HashMap<String, Bytes>,
    /// April's, and that of any other month.
    short_page: Bytes,
    page: Bytes,
    authorization: String,
    requests: Arc<AtomicU64>,
}

impl Upstream {
    pub fn start() -> Upstream {
        let requests = Arc::new(AtomicU64::new(0));
        let by_path = (0..TICKETS).map(|number| {
            let answer = format!("{{\"result\":{}}}", TYPICAL.json(number));
            (format!("/api/tickets/{}", job::ticket_id(number)), answer.into())
        });
        let answers = Answers {
            by_path: by_path.collect(),
            short_page: page(1),
            page: page(PAGE),
            authorization: job::authorization(),
            requests: Arc::clone(&requests),
        };
        let page_bytes = answers.page.len();
        let (ready, address) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                ready
                    .send(listener.local_addr().expect("an address"))
                    .expect("somebody waits");
                serve(listener, Arc::new(answers)).await;
            });
        });
        Upstream {
            address: address.recv().expect("an address"),
            page_bytes,
            requests,
        }
    }

    /// How often it was asked since the last time.
    pub fn take_requests(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

fn page(count: usize) -> Bytes {
    let tickets: Vec<String> = (0..count).map(|number| TYPICAL.json(number)).collect();
    format!("{{\"result\":[{}],\"next\":null}}", tickets.join(",")).into()
}

async fn serve(listener: TcpListener, answers: Arc<Answers>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let answers = Arc::clone(&answers);
        let service = service_fn(move |request| {
            let answer = answers.answer(&request);
            async { Ok::<_, Infallible>(answer) }
        });
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

impl Answers {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (status, body) = self.find(request);
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status.try_into().expect("a status");
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    fn find(&self, request: &Request<Incoming>) -> (u16, Bytes) {
        let shown = request.headers().get(AUTHORIZATION);
        if shown.is_none_or(|shown| shown.as_bytes() != self.authorization.as_bytes()) {
            return (401, "{}".into());
        }
        let query = request.uri().query().unwrap_or_default();
        if request.uri().path() == "/api/tickets" {
            let is_whole = ["updated_from=", "updated_to=", "limit=100"]
                .iter()
                .all(|part| query.contains(part));
            return match is_whole {
                false => (400, "{}".into()),
                true if query.contains("updated_from=2026-04") => (200, self.short_page.clone()),
                true => (200, self.page.clone()),
            };
        }
        match self.by_path.get(request.uri().path()) {
            Some(answer) => (200, answer.clone()),
            None => (404, "{}".into()),
        }
    }
}
