//! A proxy on loopback that stands between an adapter and the server, counts what passes, and does damage on request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use storage::aws::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{connection_to, endpoint};

/// What happens to a request instead of its being passed on.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// AWS's own way to refuse: a status and the name of an exception.
    Refused(u16, &'static str),
    /// The connection is closed and the request was not passed on.
    Lost,
    /// The request is passed on, but the connection is closed before its answer.
    AnswerLost,
    /// Nothing ever comes.
    Silence,
}

/// A proxy; each request is one connection.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    faults: Mutex<VecDeque<Fault>>,
    passed: Mutex<Vec<String>>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let of_server = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&of_server);
                tokio::spawn(async move { serve(client, &shared).await });
            }
        });
        Self { port, shared }
    }

    /// A connection through this proxy.
    pub(crate) fn connection(&self) -> Connection {
        connection_to(&format!("http://127.0.0.1:{}", self.port))
    }

    /// The next requests meet these.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// How many faults no request has met yet.
    pub(crate) fn left(&self) -> usize {
        self.shared.faults.lock().unwrap().len()
    }

    /// The operations that were asked for since the last call, in order: `PutItem`.
    pub(crate) fn operations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.passed.lock().unwrap())
    }
}

async fn serve(mut client: TcpStream, shared: &Shared) -> Option<()> {
    let (head, body) = request(&mut client).await?;
    let operation = head
        .lines()
        .find_map(|line| line.strip_prefix("x-amz-target: ")?.rsplit('.').next())?;
    shared.passed.lock().unwrap().push(operation.to_owned());
    let fault = shared.faults.lock().unwrap().pop_front();
    match fault {
        Some(Fault::Lost) => return None,
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Refused(status, code)) => {
            let body =
                format!(r#"{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "made up"}}"#);
            let head = format!(
                "HTTP/1.1 {status} No\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            client.write_all((head + &body).as_bytes()).await.ok()?;
            return None;
        }
        Some(Fault::AnswerLost) | None => {}
    }
    let mut server = TcpStream::connect(endpoint().strip_prefix("http://").unwrap())
        .await
        .ok()?;
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    server.write_all(head.as_bytes()).await.ok()?;
    server.write_all(&body).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    if fault.is_none() {
        client.write_all(&answer).await.ok()?;
    }
    Some(())
}

/// Head and body of a request.
pub(crate) async fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = read.split_off(head);
    let head = String::from_utf8(read).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or(0);
    while body.len() < length {
        if client.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}
