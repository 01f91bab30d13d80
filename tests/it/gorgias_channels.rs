//! A new ticket on every channel of the vendor's tutorial: what is sent, field by field beside the tutorial's own
//! payload, and what is refused before anything is sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::gorgias::{MOLLY, connector, count, gateway, gorgias, requestor};

const TICKETS: &str = "/v1/gorgias/tickets";
const BEGIN: &str = "<!-- payloads:begin -->\n";
const END: &str = "<!-- payloads:end -->";

/// The tutorial's payloads, what a caller of the gateway says for the same ticket, and why fields differ.
fn cases() -> Vec<Value> {
    let text = include_str!("gorgias_tutorial.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

/// Every leaf of a document by its path, such as `messages[0].source.to[0].address`.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(inner, &format!("{path}{dot}{key}"), found);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                leaves(inner, &format!("{path}[{index}]"), found);
            }
        }
        leaf => {
            // The marker differs from request to request.
            let leaf = match leaf.as_str() {
                Some(text) if text.starts_with("tg-") => json!("tg-..."),
                _ => leaf.clone(),
            };
            found.insert(path.to_owned(), leaf);
        }
    }
}

fn cell(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| format!("`{value}`"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_what_the_tutorial_shows_or_the_readme_says_why_not() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    let mut tables = String::new();
    for case in cases() {
        let name = case["name"].as_str().expect("a name");
        sandbox.forget_requests();
        gateway.post(TICKETS, case["request"].clone()).await.expect(201);
        let requests = sandbox.requests();
        let sent = requests
            .iter()
            .find(|request| request.method == "POST")
            .expect("a ticket was made")
            .json();
        let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        leaves(&sent, "", &mut ours);
        leaves(&case["tutorial"], "", &mut theirs);
        tables.push_str(&format!(
            "\n**{name}** ({})\n\n",
            case["origin"].as_str().expect("an origin")
        ));
        tables.push_str("| Field | Tutorial | Sent | Why it differs |\n|---|---|---|---|\n");
        let mut paths: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
        paths.sort();
        paths.dedup();
        let mut explained = 0;
        for path in paths {
            let (our, their) = (ours.get(path), theirs.get(path));
            let why = case["differences"][path].as_str();
            if our == their {
                assert_eq!(why, None, "{name}: {path} does not differ");
            } else {
                assert!(
                    why.is_some(),
                    "{name}: {path} differs: tutorial {their:?}, sent {our:?}"
                );
                explained += 1;
            }
            tables.push_str(&format!(
                "| `{path}` | {} | {} | {} |\n",
                cell(their),
                cell(our),
                why.unwrap_or_default()
            ));
        }
        let listed = case["differences"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(
            explained, listed,
            "{name}: a difference is explained that is none"
        );
    }
    assert!(sandbox.sent().is_empty(), "nobody got a mail");

    let path = connector().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("a place for the tables");
    let (_, after) = rest.split_once(END).expect("the end of the tables");
    let renewed = format!("{before}{BEGIN}{tables}\n{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &renewed).expect("the README can be written");
    } else {
        assert_eq!(readme, renewed, "renew with UPDATE_DOCS=1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_field_is_named_with_its_channel_and_nothing_is_sent() {
    let sandbox = gorgias(&[]).await;
    let gateway = gateway(&sandbox, &[]);
    let somebody = requestor(MOLLY);
    let cases = [
        (json!({"channel": "api"}), Value::Null, ["channel api", "sender"]),
        (
            json!({"channel": "api", "message_channel": "internal-note"}),
            Value::Null,
            ["channel internal-note", "customer"],
        ),
        (
            json!({"channel": "api", "message_channel": "email"}),
            somebody.clone(),
            ["channel email", "source.to"],
        ),
        (
            json!({"channel": "email"}),
            somebody.clone(),
            ["channel email", "source.to"],
        ),
        (
            json!({"channel": "email", "to": "help"}),
            somebody.clone(),
            ["channel email", "source.to"],
        ),
        (
            json!({"channel": "email", "to": "help@shop.example.com", "requested_for": {"id": 7001}}),
            somebody.clone(),
            ["channel email", "source.from"],
        ),
        (
            json!({"channel": "phone", "from": "+15550100"}),
            somebody.clone(),
            ["channel phone", "source.to"],
        ),
        (
            json!({"channel": "phone", "to": "+15550100"}),
            somebody.clone(),
            ["channel phone", "source.from"],
        ),
        (
            json!({"channel": "sms", "from": "+15550100"}),
            somebody.clone(),
            ["channel sms", "source.to"],
        ),
        (
            json!({"channel": "sms", "to": "+15550100", "from": "me"}),
            somebody.clone(),
            ["channel sms", "source.from"],
        ),
        (
            json!({"channel": "phone", "message_channel": "sms"}),
            somebody.clone(),
            ["channel phone", "message_channel"],
        ),
        (
            json!({"channel": "sms", "via": "email"}),
            somebody.clone(),
            ["channel sms", "via"],
        ),
    ];
    for (fields, requestor_info, words) in cases {
        let mut payload = fields.clone();
        payload["short_description"] = json!("A");
        let body = json!({"payload": payload, "requestor_info": requestor_info});
        let (code, message) = gateway.post(TICKETS, body).await.error(400);
        assert_eq!(code, "INPUT_VALIDATION_FAILED", "{fields}");
        for word in words {
            assert!(message.contains(word), "{fields}: {word} is not in: {message}");
        }
    }
    assert_eq!(sandbox.requests().len(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_rules_answers_422_until_the_installer_turns_it_on() {
    let sandbox = gorgias(&[]).await;
    let strict = gateway(&sandbox, &[]);
    for channel in [
        "chat",
        "aircall",
        "facebook-mention",
        "help-center",
        "internal-note",
        "whatsapp",
        "nonsense",
    ] {
        let body = json!({"payload": {"short_description": "A", "channel": channel}, "requestor_info": requestor(MOLLY)});
        let (code, message) = strict.post(TICKETS, body).await.error(422);
        assert_eq!(code, "ACTION_NOT_SUPPORTED", "{channel}");
        let reason = message.contains(channel) && message.contains("extra_channels");
        assert!(reason, "{message}");
    }
    assert_eq!(sandbox.requests().len(), 0, "nothing was sent");

    let open = gateway(&sandbox, &[r#"extra_channels=["chat"]"#]);
    let body =
        json!({"payload": {"short_description": "A", "channel": "Chat"}, "requestor_info": requestor(MOLLY)});
    let ticket = open.post(TICKETS, body).await.expect(201);
    assert_eq!(ticket["raw_ticket"]["custom_data"]["channel"], "chat");
    assert_eq!(count(&sandbox, "POST", "/tickets"), 1);
    assert!(sandbox.sent().is_empty());
}
