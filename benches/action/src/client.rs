//! A connection on which requests are made one after the other.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Who is asked, and the header that opens the door.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub header: (HeaderName, String),
}

pub struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    host: HeaderValue,
    header: (HeaderName, HeaderValue),
}

impl Connection {
    pub async fn open(target: &Target) -> Connection {
        let stream = TcpStream::connect(target.address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        let (name, value) = &target.header;
        Connection {
            sender,
            host: target.address.to_string().parse().expect("a header"),
            header: (name.clone(), value.parse().expect("a header")),
        }
    }

    /// The status and the whole body.
    pub async fn get(&mut self, path: &str) -> Result<(u16, Bytes), hyper::Error> {
        let response = self.send(path).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Reads the whole body and throws it away; whether the status was 200.
    pub async fn ask(&mut self, path: &str) -> Result<bool, hyper::Error> {
        let mut response = self.send(path).await?;
        while let Some(frame) = response.body_mut().frame().await {
            frame?;
        }
        Ok(response.status() == 200)
    }

    async fn send(&mut self, path: &str) -> Result<hyper::Response<hyper::body::Incoming>, hyper::Error> {
        self.sender.ready().await?;
        let request = Request::get(path)
            .header(HOST, &self.host)
            .header(&self.header.0, &self.header.1)
            .body(Empty::new())
            .expect("a request");
        self.sender.send_request(request).await
    }
}
