//! An integration that is polled, the ticketing system behind it, and a state file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::Folder;
use crate::process::{Ended, argument, command};

const POLLED: &str = r#"name: desk
settings:
  base_url: {type: url, required: true}
connector:
  base_url: "{{settings.base_url}}"
  auth: {kind: none}
http_actions:
  list_tickets: {method: GET, path: /tickets}
actions:
  query_tickets_by_time_range:
    steps:
      - action: {action_name: list_tickets, output_key: list}
      - return:
          output_mapper:
            raw_tickets:
              MAP():
                items: data.list.items
                converter:
                  id: item.id
                  state: '"Open"'
                  short_description: item.title
                  updated_at: item.updated
                  created_at: item.created
ticketing:
  states: {Open: NEW}
polling: {enabled: true, interval_seconds: 10, look_back_seconds: 120, settle_seconds: 1}
"#;

/// One HTTP server for two purposes: the ticketing system, and a receiver of webhooks.
pub(crate) struct Site {
    address: SocketAddr,
    tickets: Arc<Mutex<Vec<Value>>>,
    /// Answers every request with 500.
    fails: Arc<Mutex<bool>>,
    posts: Receiver<Post>,
}

/// A request to the receiver: head in small letters, and body.
pub(crate) struct Post {
    pub(crate) head: Vec<String>,
    pub(crate) body: Value,
}

impl Site {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, posts) = channel();
        let site = Self {
            address,
            tickets: Arc::default(),
            fails: Arc::default(),
            posts,
        };
        let (tickets, fails) = (Arc::clone(&site.tickets), Arc::clone(&site.fails));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (tickets, fails, sender) = (Arc::clone(&tickets), Arc::clone(&fails), sender.clone());
                std::thread::spawn(move || answer(stream.unwrap(), &tickets, &fails, &sender));
            }
        });
        site
    }

    /// The address of the receiver.
    pub(crate) fn hook(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next message that the receiver gets.
    pub(crate) fn next_post(&self) -> Post {
        self.posts.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    /// Sets a ticket, changed and made half a minute ago.
    pub(crate) fn set(&self, id: &str, title: &str) {
        let past = jiff::Timestamp::now() - Duration::from_secs(30);
        let mut tickets = self.tickets.lock().unwrap();
        tickets.retain(|ticket| ticket["id"] != id);
        tickets.push(json!({"id": id, "title": title, "updated": past, "created": past}));
    }

    /// Adds a row of which the integration cannot make a ticket.
    pub(crate) fn set_unusable(&self, id: &str) {
        let mut tickets = self.tickets.lock().unwrap();
        tickets.push(json!({"id": id, "title": "x", "updated": "yesterday", "created": "yesterday"}));
    }

    pub(crate) fn set_failing(&self, fails: bool) {
        *self.fails.lock().unwrap() = fails;
    }
}

fn answer(mut stream: TcpStream, tickets: &Mutex<Vec<Value>>, fails: &Mutex<bool>, posts: &Sender<Post>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();

    let request = head.first().cloned().unwrap_or_default();
    let (status, answer) = if *fails.lock().unwrap() {
        ("500 Internal Server Error", "{}".to_owned())
    } else if request.starts_with("get /tickets") {
        let tickets = tickets.lock().unwrap().clone();
        ("200 OK", json!({"items": tickets}).to_string())
    } else if request.starts_with("post /hook") {
        let body = serde_json::from_slice(&body).unwrap();
        // The test may have ended.
        let _ = posts.send(Post { head, body });
        ("204 No Content", String::new())
    } else {
        ("404 Not Found", "{}".to_owned())
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(answer.as_bytes()).unwrap();
}

/// A gateway on this machine with the integration `desk` pushed to it.
pub(crate) struct House {
    pub(crate) site: Site,
    pub(crate) folder: Folder,
    state: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        let house = Self {
            site: Site::start(),
            folder: Folder::with(POLLED),
            state: TempDir::new().unwrap(),
        };
        let setting = format!("base_url=http://{}", house.site.address);
        let folder = argument(house.folder.path());
        let pushed = house.run(&["push", folder, "--name", "desk", "--set", &setting]);
        assert_eq!(pushed.code, Some(0), "{pushed:?}");
        house
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let state = self.state.path().join("state.redb");
        command(&[arguments, &["--state", argument(&state)]].concat())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the command, which has to succeed; its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.json()
    }

    /// Polls `desk` once.
    pub(crate) fn poll(&self) -> Value {
        self.json(&["poll", "run", "desk", "--allow-private-upstreams"])[0].clone()
    }

    /// Every event in the log: ids of tickets and titles.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        let ended = self.run(&["events", "tail", "desk", "--no-follow", "--json"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let events = ended
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        events
            .map(|event| {
                (
                    text(&event["ticket_id"]),
                    text(&event["ticket"]["short_description"]),
                )
            })
            .collect()
    }
}
