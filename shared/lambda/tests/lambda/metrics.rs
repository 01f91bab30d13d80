//! The line of metrics that each invocation writes, checked against the specification of the embedded metric format
//! ("Embedded metric format" in the Amazon CloudWatch user guide).

use lambda::TasAction;
use serde_json::{Value, json};

use crate::support::{CANARY, Function, Upstream, create_event, read_event, upstream};

/// Checks the rules of the specification, by hand.
fn check(line: &Value) {
    let root = line.as_object().expect("the document is an object");
    assert!(line.to_string().len() < 256 * 1024);
    assert!(!line.to_string().contains(CANARY));
    let metadata = root["_aws"].as_object().expect("_aws is an object");
    assert!(
        metadata
            .keys()
            .all(|key| ["Timestamp", "CloudWatchMetrics"].contains(&key.as_str()))
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let age = now
        .as_millis()
        .abs_diff(u128::from(metadata["Timestamp"].as_u64().unwrap()));
    assert!(age < 60_000, "milliseconds since 1970");
    let directives = metadata["CloudWatchMetrics"].as_array().expect("directives");
    for directive in directives {
        let members: Vec<&String> = directive.as_object().unwrap().keys().collect();
        assert_eq!(members, ["Namespace", "Dimensions", "Metrics"]);
        assert_eq!(directive["Namespace"], "TicketGateway");
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for set in sets {
            let names = set.as_array().expect("a dimension set is an array");
            assert!(names.len() <= 30);
            for name in names {
                let value = root[name.as_str().unwrap()]
                    .as_str()
                    .expect("a dimension is a text");
                assert!((1..=1024).contains(&value.len()) && value.is_ascii());
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let metric = metric.as_object().unwrap();
            assert!(metric.keys().all(|key| ["Name", "Unit"].contains(&key.as_str())));
            assert!(["Count", "Milliseconds"].contains(&metric["Unit"].as_str().unwrap()));
            match &root[metric["Name"].as_str().unwrap()] {
                Value::Number(_) => {}
                Value::Array(values) => {
                    assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number));
                }
                other => panic!("{other} is no value of a metric"),
            }
        }
    }
}

/// The one line of one invocation.
async fn line(function: &Function, event: &Value) -> Value {
    let before = function.metrics().len();
    function.invoke(event).await;
    let mut lines = function.metrics();
    assert_eq!(lines.len(), before + 1);
    let line = lines.pop().unwrap();
    check(&line);
    line
}

/// The dimension of each group of metrics.
fn dimensions(line: &Value) -> Vec<&str> {
    let groups = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    groups
        .iter()
        .map(|group| group["Dimensions"][0][0].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_invocation_writes_one_line() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::CreateTicket, &address).await;
    let first = line(&function, &create_event()).await;
    assert_eq!(dimensions(&first), ["Action", "Integration"]);
    for (name, value) in [
        ("Integration", json!("desk")),
        ("Action", json!("create_ticket")),
        ("Action2xx", json!(1)),
        ("Action4xx", json!(0)),
        ("Action5xx", json!(0)),
        ("UpstreamCalls", json!(1)),
        ("Upstream4xx", json!(0)),
        ("Upstream5xx", json!(0)),
        ("UpstreamNoAnswer", json!(0)),
        ("BudgetWait", json!(0.0)),
        ("BudgetExhausted", json!(0)),
        ("IdempotentReplays", json!(0)),
        ("SafeCreateFound", json!(0)),
        ("version", json!(1)),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    let latency = first["ActionLatency"].as_f64().unwrap();
    let upstream = first["UpstreamLatency"][0].as_f64().unwrap();
    assert!(upstream > 0.0 && upstream <= latency);

    let second = line(&function, &create_event()).await;
    assert_eq!(
        (&second["IdempotentReplays"], &second["UpstreamCalls"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(second.get("UpstreamLatency"), None);
}

#[tokio::test]
async fn a_failing_ticketing_system_is_counted() {
    for (status, upstream_class, own_class) in [
        (500, "Upstream5xx", "Action5xx"),
        (404, "Upstream4xx", "Action4xx"),
    ] {
        let (address, _) = upstream(Upstream::Status(status)).await;
        let function = Function::of(TasAction::QueryTicketById, &address).await;
        let line = line(&function, &read_event("IT-7")).await;
        assert_eq!((&line[upstream_class], &line[own_class]), (&json!(1), &json!(1)));
    }
}

#[tokio::test]
async fn a_name_that_a_caller_makes_up_is_no_dimension() {
    let (address, _) = upstream(Upstream::Good).await;
    let function = Function::of(TasAction::QueryTicketById, &address).await;
    let mut event = read_event("IT-7");
    event["pathParameters"]["integration"] = json!("made-up");
    event["requestContext"]["authorizer"]["integration"] = json!("made-up");
    let line = line(&function, &event).await;
    assert_eq!(dimensions(&line), ["Action"]);
    assert_eq!(line["Action4xx"], 1);
    assert!(!line.to_string().contains("made-up"));
}
