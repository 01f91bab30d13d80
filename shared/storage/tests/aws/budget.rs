//! The rate budget that several functions share.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use storage::aws::DynamoBudget;
use storage::{Budget, Lane, Observation, RateBudget, RateLimit};

use crate::proxy::{Fault, Proxy};
use crate::support::{connection, dynamo, table};

const HUNDRED_A_MINUTE: RateLimit = RateLimit {
    requests: 100,
    per: Duration::from_secs(60),
    reserved: 20,
};

async fn granted(budget: &DynamoBudget, limit: RateLimit, lane: Lane) -> bool {
    budget.take("one", limit, lane).await.unwrap() == Budget::Granted
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_warm_function_does_not_write_for_each_call() {
    let proxy = Proxy::start().await;
    let budget = DynamoBudget::new(&proxy.connection(), table().await);
    let limit = RateLimit {
        requests: 1000,
        ..HUNDRED_A_MINUTE
    };
    for _ in 0..400 {
        assert!(granted(&budget, limit, Lane::Action).await);
    }
    let writes = proxy.operations();
    assert!(
        writes.iter().all(|operation| operation == "PutItem"),
        "{writes:?}"
    );
    assert!(writes.len() <= 16, "{} writes for 400 calls", writes.len());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn all_of_the_limit_can_be_used_and_refusing_costs_nothing() {
    let proxy = Proxy::start().await;
    let budget = DynamoBudget::new(&proxy.connection(), table().await);
    let mut uses = 0;
    while granted(&budget, HUNDRED_A_MINUTE, Lane::Action).await {
        uses += 1;
    }
    assert_eq!(uses, 100);
    let writes = proxy.operations().len();
    assert!(writes <= 40, "{writes} writes for 100 calls");
    for _ in 0..50 {
        assert!(!granted(&budget, HUNDRED_A_MINUTE, Lane::Action).await);
    }
    assert!(proxy.operations().is_empty());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn functions_share_one_budget_and_polls_leave_the_reserve() {
    let table = table().await;
    let functions: Vec<_> = (0..4).map(|_| DynamoBudget::new(&connection(), &table)).collect();
    let mut uses = [0, 0];
    for (use_count, lane) in uses.iter_mut().zip([Lane::Poll, Lane::Action]) {
        let mut refused = 0;
        for budget in functions.iter().cycle().take(400) {
            if granted(budget, HUNDRED_A_MINUTE, lane).await {
                *use_count += 1;
            } else {
                refused += 1;
            }
        }
        assert!(refused > 0);
    }
    let [polls, actions] = uses;
    assert!((70..=80).contains(&polls), "{polls} polls");
    assert!(
        (90..=100).contains(&(polls + actions)),
        "{polls} polls and {actions} actions"
    );
}

/// The rule that counts: no window of any position holds more starts than the limit.
#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn no_window_of_several_functions_holds_more_than_the_limit() {
    let table = table().await;
    let limit = RateLimit {
        requests: 30,
        per: Duration::from_secs(1),
        reserved: 5,
    };
    let start = Instant::now();
    let mut functions = tokio::task::JoinSet::new();
    for number in 0..5 {
        let budget = DynamoBudget::new(&connection(), &table);
        let lane = if number == 0 { Lane::Poll } else { Lane::Action };
        functions.spawn(async move {
            let mut starts = Vec::new();
            while start.elapsed() < Duration::from_millis(4500) {
                match budget.take("one", limit, lane).await {
                    Ok(Budget::Granted) => starts.push(start.elapsed()),
                    Ok(Budget::Exhausted { retry_after } | Budget::Blocked { retry_after }) => {
                        tokio::time::sleep(retry_after).await;
                    }
                    // Too many at the same time, on a machine that is busy with other tests: nothing was granted.
                    Err(error) => assert!(error.is_unavailable(), "{error:?}"),
                }
            }
            starts
        });
    }
    let mut starts: Vec<Duration> = functions.join_all().await.into_iter().flatten().collect();
    starts.sort_unstable();
    // A start more than the limit after another one is at least a window later.
    for (first, next) in starts.iter().zip(starts.iter().skip(30)) {
        assert!(
            *next - *first >= limit.per,
            "31 starts from {first:?} to {next:?}"
        );
    }
    assert!(starts.len() >= 45, "only {} starts in 4.5 s", starts.len());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_function_with_an_old_window_takes_no_request_twice() {
    let table = table().await;
    let limit = RateLimit {
        requests: 5,
        ..HUNDRED_A_MINUTE
    };
    let (one, two) = (
        DynamoBudget::new(&connection(), &table),
        DynamoBudget::new(&connection(), &table),
    );
    assert!(granted(&one, limit, Lane::Action).await);
    for _ in 0..3 {
        assert!(granted(&two, limit, Lane::Action).await);
    }
    assert!(granted(&one, limit, Lane::Action).await);
    assert!(!granted(&one, limit, Lane::Action).await);
    assert!(!granted(&two, limit, Lane::Action).await);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn what_the_system_said_to_one_function_stops_another() {
    let table = table().await;
    let proxy = Proxy::start().await;
    let (one, two) = (
        DynamoBudget::new(&proxy.connection(), &table),
        DynamoBudget::new(&connection(), &table),
    );
    let refusal = Observation {
        retry_after: Some(Duration::from_secs(20)),
        ..Observation::default()
    };
    one.observe("one", refusal).await.unwrap();
    assert_eq!(proxy.operations().len(), 1);
    one.observe("one", refusal).await.unwrap();
    one.observe(
        "one",
        Observation {
            remaining: Some(7),
            ..refusal
        },
    )
    .await
    .unwrap();
    one.observe(
        "one",
        Observation {
            remaining: Some(7),
            retry_after: None,
            resets_in: None,
        },
    )
    .await
    .unwrap();
    assert_eq!(proxy.operations().len(), 0, "nothing new was said");
    assert!(!granted(&two, HUNDRED_A_MINUTE, Lane::Action).await);
    let three = DynamoBudget::new(&connection(), &table);
    assert!(!granted(&three, RateLimit::UNLIMITED, Lane::Poll).await);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_write_whose_answer_was_lost_counts_once() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let limit = RateLimit {
        requests: 3,
        ..HUNDRED_A_MINUTE
    };
    let budget = DynamoBudget::new(&proxy.connection(), &table);
    proxy.next([Fault::AnswerLost]);
    let mut uses = 0;
    while granted(&budget, limit, Lane::Action).await {
        uses += 1;
    }
    assert_eq!(uses, 3);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn without_a_limit_nothing_is_written_and_no_failure_of_the_store_refuses() {
    let proxy = Proxy::start().await;
    let budget = DynamoBudget::new(&proxy.connection(), table().await);
    proxy.next(vec![Fault::Refused(400, "AccessDeniedException")]);
    for _ in 0..20 {
        assert!(granted(&budget, RateLimit::UNLIMITED, Lane::Action).await);
    }
    assert_eq!(proxy.operations(), ["GetItem"]);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_block_by_a_wrong_clock_stops_nobody() {
    let table = table().await;
    let far = "99999999999999".to_owned();
    dynamo()
        .put_item()
        .table_name(&table)
        .item("pk", AttributeValue::S("RATE#one".to_owned()))
        .item("sk", AttributeValue::S("WINDOW".to_owned()))
        .item("starts", AttributeValue::S(format!("[[{far}, 100]]")))
        .item("blocked_until", AttributeValue::N(far.clone()))
        .item("over_at", AttributeValue::N(far))
        .item("write", AttributeValue::S("0".to_owned()))
        .send()
        .await
        .unwrap();
    for limit in [RateLimit::UNLIMITED, HUNDRED_A_MINUTE] {
        let budget = DynamoBudget::new(&connection(), &table);
        assert!(granted(&budget, limit, Lane::Action).await);
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn who_loses_again_and_again_and_cannot_read_goes_on_writing() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let budget = DynamoBudget::new(&proxy.connection(), &table);
    let conflict = Fault::Refused(400, "ConditionalCheckFailedException");
    proxy.next([
        conflict.clone(),
        conflict.clone(),
        conflict.clone(),
        conflict,
        Fault::Refused(400, "AccessDeniedException"),
    ]);
    assert!(granted(&budget, HUNDRED_A_MINUTE, Lane::Action).await);
    assert_eq!(
        proxy.operations(),
        ["PutItem", "PutItem", "PutItem", "PutItem", "GetItem", "PutItem"]
    );
}
