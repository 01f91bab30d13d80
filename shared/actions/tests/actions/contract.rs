//! `data.context`, `meta_info` and `settings` are those of the contract, in every action.

use actions::{ActionDefinition, RequestMeta, TasAction};
use serde_json::{Value, json};

use crate::support::{Upstream, gateway_of, record, reply};

/// An integration whose one action sends its whole data bank to the system.
fn showing(action: TasAction) -> String {
    format!(
        "
name: desk
settings: {{base_url: {{type: url, required: true}}}}
connector: {{base_url: '{{{{settings.base_url}}}}', auth: {{kind: none}}}}
http_actions:
  show: {{method: POST, path: /show, body: {{json: {{context: context, meta_info: meta_info, settings: settings}}}}}}
actions:
  {action}:
    steps:
      - action: {{action_name: show, input_args: {{context: data.context}}, output_key: _}}
      - return: {{output_mapper: {{{output}: null}}}}
",
        output = action.output_key(),
    )
}

fn input(action: TasAction) -> Value {
    let definition = ActionDefinition::of(action).unwrap();
    let mut input = (definition.example)();
    for parameter in definition.path_parameters() {
        input[parameter] = json!("IT-7");
    }
    input
}

#[tokio::test]
async fn every_context_has_the_contracts_fields_and_no_others() {
    for action in TasAction::ALL {
        let upstream = Upstream::start(record).await;
        let gateway = gateway_of(&showing(action), &upstream, json!({}));
        let request = RequestMeta {
            request_id: "r-1".to_owned(),
            action_instance_id: Some("key-1".to_owned()),
        };
        let _no_ticket_in_the_answer = gateway.perform("desk", action, input(action), &request).await;

        let shown = upstream.last().body;
        let mut fields: Vec<&str> = shown["context"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut contract: Vec<&str> = action.context_fields().collect();
        fields.sort_unstable();
        contract.sort_unstable();
        assert_eq!(fields, contract, "{action}");
        assert_eq!(shown["context"]["integration"], "desk");
        let marker = shown["meta_info"]["marker"].as_str().unwrap();
        assert!(marker.starts_with("tg-") && marker.len() == 23, "{marker}");
        assert_eq!(
            shown["meta_info"],
            json!({"action_instance_id": "key-1", "marker": marker, "request_id": "r-1"})
        );
        assert_eq!(shown["settings"], json!({"base_url": upstream.address}));
    }
}

#[tokio::test]
async fn a_ticket_that_cannot_be_read_is_its_id() {
    let upstream = Upstream::start(|_| reply(200, &json!({}))).await;
    let gateway = gateway_of(&showing(TasAction::AddPublicComment), &upstream, json!({}));
    let input = input(TasAction::AddPublicComment);
    gateway
        .perform("desk", TasAction::AddPublicComment, input, &RequestMeta::new())
        .await
        .unwrap();
    assert_eq!(upstream.last().body["context"]["ticket"], json!({"id": "IT-7"}));
}
