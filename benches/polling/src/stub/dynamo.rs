//! DynamoDB, in memory, with the keys `pk` and `sk`. Operations that the workers do not use stop it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::expression::{Expression, Item};

#[derive(Default)]
pub struct Tables(HashMap<String, BTreeMap<(String, String), Item>>);

const PREFIX: &str = "com.amazonaws.dynamodb.v20120810#";

impl Tables {
    pub fn answer(&mut self, operation: &str, request: &Value) -> (u16, Value) {
        let answer = match operation {
            "GetItem" => found(self.get(request)),
            "BatchGetItem" => {
                let mut responses = serde_json::Map::new();
                for (table, keys) in request["RequestItems"].as_object().expect("items") {
                    let keys = keys["Keys"].as_array().expect("keys");
                    assert!(keys.len() <= 100, "DynamoDB takes 100 keys");
                    let stored = self.table(table);
                    let items = keys.iter().filter_map(|wanted| stored.get(&key(wanted)));
                    responses.insert(table.clone(), items.cloned().map(Value::Object).collect());
                }
                json!({"Responses": responses, "UnprocessedKeys": {}})
            }
            "PutItem" | "UpdateItem" => match self.is_allowed(request) {
                Ok(()) => {
                    self.write(request);
                    json!({})
                }
                Err(item) => {
                    let mut refused = json!({
                        "__type": format!("{PREFIX}ConditionalCheckFailedException"),
                        "message": "The conditional request failed",
                    });
                    if let Some(item) = item {
                        refused["Item"] = Value::Object(item);
                    }
                    return (400, refused);
                }
            },
            "TransactWriteItems" => return self.transact(request),
            "TransactGetItems" => {
                let wanted = request["TransactItems"].as_array().expect("items");
                let items: Vec<Value> = wanted
                    .iter()
                    .map(|wanted| found(self.get(&wanted["Get"])))
                    .collect();
                json!({"Responses": items})
            }
            "Query" => {
                let expression = request["KeyConditionExpression"].as_str().expect("an expression");
                assert_eq!(expression, "pk = :pk", "this stand-in does not know it");
                let pk = request["ExpressionAttributeValues"][":pk"]["S"]
                    .as_str()
                    .expect("a key")
                    .to_owned();
                let from = (pk.clone(), String::new());
                let rows = self.table(name(request)).range(from..);
                let items: Vec<Value> = rows
                    .take_while(|(key, _)| key.0 == pk)
                    .map(|(_, item)| Value::Object(item.clone()))
                    .collect();
                json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
            }
            other => panic!("this stand-in does not know {other}"),
        };
        (200, answer)
    }

    fn table(&mut self, name: &str) -> &mut BTreeMap<(String, String), Item> {
        self.0.entry(name.to_owned()).or_default()
    }

    fn get(&mut self, request: &Value) -> Option<&Item> {
        self.table(name(request)).get(&key(&request["Key"]))
    }

    /// The item in the way, if there is one, where the condition does not hold.
    fn is_allowed(&mut self, request: &Value) -> Result<(), Option<Item>> {
        let Some(condition) = request["ConditionExpression"].as_str() else {
            return Ok(());
        };
        let place = place(request);
        let stored = self.table(name(request)).get(&place);
        if Expression::new(condition, request).holds(stored) {
            Ok(())
        } else {
            Err(stored.cloned())
        }
    }

    fn write(&mut self, request: &Value) {
        let place = place(request);
        let table = self.table(name(request));
        if let Some(item) = request["Item"].as_object() {
            table.insert(place, item.clone());
        } else if let Some(update) = request["UpdateExpression"].as_str() {
            let key = request["Key"].as_object().expect("a key");
            let item = table.entry(place).or_insert_with(|| key.clone());
            Expression::new(update, request).set(item);
        } else {
            table.remove(&place);
        }
    }

    fn transact(&mut self, request: &Value) -> (u16, Value) {
        let items = request["TransactItems"].as_array().expect("items");
        assert!(items.len() <= 100, "DynamoDB takes 100 items");
        let writes: Vec<&Value> = items
            .iter()
            .map(|item| {
                item.as_object()
                    .and_then(|item| item.values().next())
                    .expect("a write")
            })
            .collect();
        let reasons: Vec<Value> = writes
            .iter()
            .map(|write| match self.is_allowed(write) {
                Ok(()) => json!({"Code": "None"}),
                Err(item) => json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item}),
            })
            .collect();
        if reasons.iter().any(|reason| reason["Code"] != "None") {
            let refused = json!({
                "__type": format!("{PREFIX}TransactionCanceledException"),
                "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
                "CancellationReasons": reasons,
            });
            return (400, refused);
        }
        for write in writes {
            self.write(write);
        }
        (200, json!({}))
    }
}

fn found(item: Option<&Item>) -> Value {
    item.map_or_else(|| json!({}), |item| json!({"Item": item}))
}

fn name(request: &Value) -> &str {
    request["TableName"].as_str().expect("a table")
}

/// The key of the item that a write is about.
fn place(request: &Value) -> (String, String) {
    let key_of = if request["Item"].is_object() {
        &request["Item"]
    } else {
        &request["Key"]
    };
    key(key_of)
}

fn key(value: &Value) -> (String, String) {
    let part = |name: &str| value[name]["S"].as_str().expect("a key").to_owned();
    (part("pk"), part("sk"))
}
