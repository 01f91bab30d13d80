//! `GET /instance` and `GET /tags`.

use std::collections::HashSet;

use sandbox::teamswork::Quirk;
use serde_json::{Value, json};

use crate::Api;

fn ids(list: &Value) -> HashSet<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|field| field["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_instance_names_fields_options_and_assignees() {
    let api = Api::with(&[]).await;
    let reply = api.get("/instance?timezone=0").await;
    let instance = reply.item();
    let fields = instance["customFields"].as_array().unwrap();
    let kinds: HashSet<_> = fields
        .iter()
        .map(|field| field["type"]["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        HashSet::from([
            "1_text",
            "2_textarea",
            "3_date",
            "4_toggle",
            "5_list",
            "6_peoplepicker"
        ])
    );
    assert_eq!(
        fields.iter().filter(|field| field["status"] == "hidden").count(),
        1
    );
    let office = fields.iter().find(|field| field["title"] == "Office").unwrap();
    assert_eq!(
        office["options"][0],
        json!({"key": "f72541a9-c964-4c81-bc1a-4f1f2d948416", "text": "Head office"})
    );
    assert_eq!(instance["assignees"]["type"], "customAssignee");
    let person = &instance["assignees"]["peoples"][0];
    assert_eq!(
        (&person["text"], &person["secondaryText"]),
        (&json!("Alex Wilber"), &json!("alex.wilber@example.com"))
    );
    let mut sides = ids(&instance["customFieldsLeft"]);
    sides.extend(ids(&instance["customFieldsRight"]));
    assert_eq!(sides, ids(&instance["customFields"]));
    assert_eq!(api.get("/instance?timezone=99").await.status, 400);
}

#[tokio::test]
async fn the_tags_come_by_category_with_those_deleted() {
    let api = Api::with(&[]).await;
    let reply = api.get("/tags").await;
    let labels = &reply.items()[0];
    assert_eq!(
        (&labels["id"], &labels["deleted"]),
        (&json!("2283653a-8d36-40eb-9a68-73eb3b331811"), &json!(false))
    );
    assert_eq!(labels["tags"][0], json!({"text": "vip", "deleted": false}));
    assert!(reply.items().iter().any(|category| category["deleted"] == true));
}

#[tokio::test]
async fn field_lists_that_disagree_have_every_field_together() {
    let api = Api::with(&[Quirk::FieldListsDisagree]).await;
    let reply = api.get("/instance").await;
    let lists =
        ["customFields", "customFieldsLeft", "customFieldsRight"].map(|name| ids(&reply.item()[name]));
    let union: HashSet<_> = lists.iter().flatten().collect();
    assert_eq!(union.len(), 8);
    assert!(lists.iter().all(|list| list.len() < 8));
    assert!(reply.item()["optionalFieldsLeft"][0]["type"].is_string());
}

#[tokio::test]
async fn plain_people_have_name_and_email() {
    let api = Api::with(&[Quirk::PlainPeople]).await;
    let person = api.get("/instance").await.item()["assignees"]["peoples"][1].clone();
    assert_eq!(
        (&person["name"], &person["email"]),
        (&json!("Megan Bowen"), &json!("megan.bowen@example.com"))
    );
}
