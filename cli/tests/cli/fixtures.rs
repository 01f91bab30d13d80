//! A small integration, and an HTTP server that stands for its ticketing system.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tempfile::TempDir;

/// An integration for [`TicketSystem`]: three ticket actions and `describe`.
pub(crate) const GOOD: &str = r#"name: desk
settings:
  base_url: {type: url, required: true}
  page_size: {type: integer, default: 50}
connector:
  base_url: "{{settings.base_url}}"
  auth: {kind: bearer, secret: token}
http_actions:
  create_ticket:
    method: POST
    path: /tickets
    body: {json: {title: title, page_size: settings.page_size}}
  get_ticket:
    method: GET
    path: /tickets/{{ticket_id}}
  get_fields:
    method: GET
    path: /fields
actions:
  create_ticket:
    steps:
      - action:
          action_name: create_ticket
          input_args: {title: data.context.payload.short_description}
          output_key: made
      - return:
          output_mapper:
            raw_ticket:
              id: data.made.id
              state: '"Open"'
              short_description: data.made.title
              updated_at: '"2026-01-05T10:30:45Z"'
  query_ticket_by_id:
    steps:
      - action: {action_name: get_ticket, input_args: {ticket_id: data.context.ticket_id}, output_key: ticket}
      - return:
          output_mapper:
            raw_ticket:
              id: data.ticket.id
              state: '"Open"'
              short_description: data.ticket.title
              updated_at: '"2026-01-05T10:30:45Z"'
describe:
  steps:
    - action: {action_name: get_fields, output_key: fields}
    - return: {output_mapper: {custom_fields: data.fields.items, tags: "[]"}}
ticketing:
  states: {Open: NEW}
"#;

/// A folder with one `integration.yaml`.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn with(integration: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("integration.yaml"), integration).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A ticketing system on a free port, with the token `token-1`. It knows the tickets `T-1` and `slow`, which
/// takes a second.
pub(crate) struct TicketSystem {
    address: SocketAddr,
    slow_requests: Receiver<()>,
}

impl TicketSystem {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (slow, slow_requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, slow) = (stream.unwrap(), slow.clone());
                std::thread::spawn(move || answer(stream, &slow));
            }
        });
        Self {
            address,
            slow_requests,
        }
    }

    /// `--set` for its address.
    pub(crate) fn setting(&self) -> String {
        format!("desk.base_url=http://{}", self.address)
    }

    /// Waits until a request for the ticket `slow` has arrived.
    pub(crate) fn wait_for_slow_request(&self) {
        self.slow_requests.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}

fn answer(mut stream: TcpStream, slow: &Sender<()>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();

    let request = head.first().map(String::as_str).unwrap_or_default();
    let authorized = head.iter().any(|line| line == "authorization: bearer token-1");
    let (status, answer) = match request.split(' ').collect::<Vec<_>>()[..] {
        _ if !authorized => ("401 Unauthorized", "{}"),
        ["post", "/tickets", _] => ("201 Created", r#"{"id": "T-1", "title": "Printer on fire"}"#),
        ["get", "/tickets/t-1", _] => ("200 OK", r#"{"id": "T-1", "title": "Printer on fire"}"#),
        ["get", "/tickets/slow", _] => {
            // The test may have ended.
            let _ = slow.send(());
            std::thread::sleep(Duration::from_secs(1));
            ("200 OK", r#"{"id": "slow", "title": "Slow"}"#)
        }
        ["get", "/fields", _] => (
            "200 OK",
            r#"{"items": [{"id": "f1", "title": "Site", "type": "text", "options": ["Lisbon", "Porto"]}]}"#,
        ),
        _ => ("404 Not Found", "{}"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(answer.as_bytes()).unwrap();
}
