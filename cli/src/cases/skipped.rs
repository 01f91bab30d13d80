//! Answers hold more than an integration looks at, and what it does not look at is skipped. The cases of the shipped
//! connectors, with much more in each answer, end as they do when the answers are read whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::{Gateway, Reached, Witness};
use bytes::Bytes;
use integration::Integration;
use serde_json::{Value, json};
use storage::in_process::InProcessBudget;
use upstream::{Client, ClientOptions};

use super::case::{Case, Reply};
use super::play::{placeholders, request, runtime};
use super::player::Player;
use super::{folder, read};
use crate::documents::read_document;

/// Somebody who watches an action is shown whole answers.
struct Watching;

impl Witness for Watching {
    fn reached(&self, _: &Reached<'_>) {}
}

#[test]
fn what_is_skipped_makes_no_difference() {
    let runtime = runtime().unwrap();
    let (mut cases, mut good) = (0, 0);
    for connector in connectors() {
        let integration = Arc::new(integration::load(&connector).integration.unwrap());
        for file in folder::case_files(&connector).unwrap() {
            let node = read_document(&file).unwrap().unwrap();
            let mut case = read::case(&node, false).unwrap();
            for exchange in &mut case.exchanges {
                if let Reply::Answer(answer) = &mut exchange.reply {
                    answer.body = with_more(&answer.body);
                }
            }
            let mut ends = [true, false].map(|whole| runtime.block_on(play(&integration, &case, whole)));
            assert_eq!(ends[1], ends[0], "{}", file.display());
            cases += 1;
            good += usize::from(ends[0].take().is_some_and(|end| end.get("error").is_none()));
        }
    }
    // Most cases are about errors.
    assert!(cases > 200 && good > 50, "{cases} cases, {good} with an output");
}

fn connectors() -> impl Iterator<Item = PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors");
    let folders = all.read_dir().unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|path| path.join("tests").is_dir())
}

/// What the API answers; none where the case's settings cannot be installed.
async fn play(integration: &Arc<Integration>, case: &Case, whole: bool) -> Option<Value> {
    let installation = integration.install(case.settings.clone()).ok()?;
    let base = installation.connector.base_url.clone();
    let name = integration.name.clone();
    let options = ClientOptions {
        secrets: placeholders(&installation, case),
        budget: Arc::new(InProcessBudget::new()),
        allow_private_addresses: true,
        user_agent: "test".to_owned(),
    };
    let player = Player::new(case.exchanges.clone(), case.in_any_order, base);
    let mut builder = Gateway::builder(Client::over(Arc::new(player), options))
        .integration(installation)
        .clock(case.now);
    if whole {
        builder = builder.witness(Arc::new(Watching));
    }
    let gateway = builder.build().unwrap();
    let context = case.context.clone();
    let end = gateway.perform(&name, case.action, context, &request(case)).await;
    Some(end.unwrap_or_else(|error| error.to_json("case")))
}

/// The body with unknown fields in each of its objects. What is no JSON stays as it is.
fn with_more(body: &Bytes) -> Bytes {
    match serde_json::from_slice(body) {
        Ok(mut value) => {
            add_more(&mut value);
            value.to_string().into()
        }
        Err(_) => body.clone(),
    }
}

fn add_more(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add_more),
        Value::Object(fields) => {
            fields.values_mut().for_each(add_more);
            fields.insert("x_notes".to_owned(), "é \"more\" \n".repeat(100).into());
            fields.insert(
                "x_links".to_owned(),
                json!([{"id": 1, "self": {"href": "/1"}}, null, 1.5e300]),
            );
        }
        _ => {}
    }
}
