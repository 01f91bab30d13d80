//! A server on loopback that answers as a test says, for what the AWS-compatible one cannot be made to do.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use storage::aws::Connection;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::proxy::request;
use crate::support::connection_to;

/// What a request asked for: the operation, as `PutEvents`, and its JSON.
pub(crate) type Call = (String, Value);
type Answer = dyn Fn(usize, &Call) -> (u16, Value) + Send + Sync;

/// A server; each request is one connection.
pub(crate) struct Fake {
    port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Fake {
    /// `answer` gets the number of the call, from 0, and the call; it gives a status and the JSON of the answer.
    pub(crate) async fn start(answer: impl Fn(usize, &Call) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (of_server, answer): (_, Arc<Answer>) = (Arc::clone(&calls), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (calls, answer) = (Arc::clone(&of_server), Arc::clone(&answer));
                tokio::spawn(async move { serve(client, &calls, answer.as_ref()).await });
            }
        });
        Self { port, calls }
    }

    /// A connection to this server.
    pub(crate) fn connection(&self) -> Connection {
        connection_to(&self.address())
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

async fn serve(mut client: TcpStream, calls: &Mutex<Vec<Call>>, answer: &Answer) -> Option<()> {
    let (head, body) = request(&mut client).await?;
    let operation = head
        .lines()
        .find_map(|line| line.strip_prefix("x-amz-target: ")?.rsplit('.').next())?;
    let call = (operation.to_owned(), serde_json::from_slice(&body).ok()?);
    let number = {
        let mut calls = calls.lock().unwrap();
        calls.push(call.clone());
        calls.len() - 1
    };
    let (status, json) = answer(number, &call);
    let json = json.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        json.len()
    );
    client.write_all((head + &json).as_bytes()).await.ok()
}
