//! The queue of orders to poll.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use storage::aws::SqsPollQueue;
use storage::{PollMessage, PollQueue, StreamKey};

use crate::fake::{Call, Fake};
use crate::support::{connection, unique};

fn orders(count: u32) -> Vec<(PollMessage, Duration)> {
    let order = |number: u32| PollMessage {
        stream: StreamKey {
            integration: format!("integration-{number}"),
            destination: (number % 2 == 1).then(|| "it".to_owned()),
        },
        due_at: Timestamp::from_second(1_767_000_000 + i64::from(number)).unwrap(),
    };
    (0..count)
        .map(|number| (order(number), Duration::from_secs(u64::from(number))))
        .collect()
}

fn entries(call: &Call) -> Vec<Value> {
    call.1["Entries"].as_array().unwrap().clone()
}

/// Takes all of a batch but what `refused` says.
fn answer(call: &Call, refused: impl Fn(&str) -> Option<Value>) -> (u16, Value) {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries(call) {
        let id = entry["Id"].as_str().unwrap();
        match refused(id) {
            Some(failure) => failed.push(failure),
            None => successful.push(json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "x"})),
        }
    }
    (200, json!({"Successful": successful, "Failed": failed}))
}

fn failure(id: &str, code: &str, is_ours: bool) -> Value {
    json!({"Id": id, "Code": code, "Message": "made up", "SenderFault": is_ours})
}

#[tokio::test]
async fn orders_go_ten_at_a_time_with_their_delays() {
    let fake = Fake::start(|_, call| answer(call, |_| None)).await;
    let queue = SqsPollQueue::new(&fake.connection(), format!("{}/1/poll", fake.address()));
    let mut sent = orders(25);
    sent.push((orders(26).pop().unwrap().0, Duration::from_millis(29_001)));
    sent.push((orders(27).pop().unwrap().0, Duration::from_secs(5000)));
    queue.send(&sent).await.unwrap();
    let calls = fake.calls();
    let mut sizes: Vec<usize> = calls.iter().map(|call| entries(call).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [7, 10, 10]);
    let mut received: Vec<(PollMessage, u64)> = calls
        .iter()
        .flat_map(entries)
        .map(|entry| {
            let body = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
            (body, entry["DelaySeconds"].as_u64().unwrap())
        })
        .collect();
    received.sort_by_key(|(message, _)| message.due_at);
    let mut expected: Vec<(PollMessage, u64)> = sent
        .iter()
        .map(|(message, delay)| (message.clone(), delay.as_secs()))
        .collect();
    // Never before its time, and no later than SQS can.
    expected.get_mut(25).unwrap().1 = 30;
    expected.get_mut(26).unwrap().1 = 900;
    assert_eq!(received, expected);
    queue.send(&[]).await.unwrap();
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn what_was_refused_of_a_batch_is_sent_again_alone() {
    let fake = Fake::start(|number, call| {
        answer(call, |id| {
            (number < 2 && ["3", "7"].contains(&id)).then(|| failure(id, "InternalError", false))
        })
    })
    .await;
    let queue = SqsPollQueue::new(&fake.connection(), format!("{}/1/poll", fake.address()));
    queue.send(&orders(10)).await.unwrap();
    let sent: Vec<Vec<Value>> = fake.calls().iter().map(entries).collect();
    let sizes: Vec<usize> = sent.iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 2, 2]);
    let again = sent.last().unwrap();
    let first = sent.first().unwrap();
    assert_eq!(again.first(), first.get(3));
    assert_eq!(again.last(), first.get(7));
}

#[tokio::test]
async fn what_stays_refused_is_an_error_with_the_reason() {
    let fake = Fake::start(|_, call| {
        answer(call, |id| {
            (id == "3").then(|| failure(id, "InternalError", false))
        })
    })
    .await;
    let queue = SqsPollQueue::new(&fake.connection(), format!("{}/1/poll", fake.address()));
    let error = queue.send(&orders(10)).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let message = error.to_string();
    assert!(
        message.contains("1 of 10") && message.contains("InternalError"),
        "{message}"
    );
    assert_eq!(fake.calls().len(), 5);
}

#[tokio::test]
async fn what_no_repetition_helps_is_not_repeated() {
    let fake = Fake::start(|_, call| {
        answer(call, |id| {
            (id == "3").then(|| failure(id, "InvalidMessageContents", true))
        })
    })
    .await;
    let queue = SqsPollQueue::new(&fake.connection(), format!("{}/1/poll", fake.address()));
    let error = queue.send(&orders(10)).await.unwrap_err();
    assert!(error.to_string().contains("InvalidMessageContents"), "{error}");
    assert_eq!(fake.calls().len(), 1);
}

#[tokio::test]
async fn one_batch_in_trouble_does_not_stop_the_others() {
    let fake = Fake::start(|_, call| {
        let is_first = entries(call)
            .iter()
            .any(|entry| entry["MessageBody"].as_str().unwrap().contains("integration-0\""));
        answer(call, |id| {
            is_first.then(|| failure(id, "InvalidMessageContents", true))
        })
    })
    .await;
    let queue = SqsPollQueue::new(&fake.connection(), format!("{}/1/poll", fake.address()));
    queue.send(&orders(40)).await.unwrap_err();
    assert_eq!(fake.calls().len(), 4);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn an_order_arrives_as_it_was_sent() {
    let connection = connection();
    let sqs = aws_sdk_sqs::Client::new(connection.config());
    let made = sqs
        .create_queue()
        .queue_name(unique("queue"))
        .send()
        .await
        .unwrap();
    let url = made.queue_url().unwrap();
    let (order, _) = orders(2).pop().unwrap();
    SqsPollQueue::new(&connection, url)
        .send(&[(order.clone(), Duration::ZERO)])
        .await
        .unwrap();
    let received = sqs
        .receive_message()
        .queue_url(url)
        .wait_time_seconds(10)
        .send()
        .await
        .unwrap();
    let body = received.messages().first().unwrap().body().unwrap();
    assert_eq!(serde_json::from_str::<PollMessage>(body).unwrap(), order);
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_an_error() {
    let fake = Fake::start(|_, _| {
        let code = "com.amazonaws.sqs#QueueDoesNotExist";
        (400, json!({"__type": code, "message": "made up"}))
    })
    .await;
    let queue = SqsPollQueue::new(&fake.connection(), format!("{}/1/poll", fake.address()));
    let error = queue.send(&orders(100)).await.unwrap_err();
    assert!(error.to_string().contains("QueueDoesNotExist"), "{error}");
    assert!(fake.calls().len() <= 10, "the rest is not tried");
}
