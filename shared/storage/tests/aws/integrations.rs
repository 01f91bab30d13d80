//! Versions of integrations: large ones, and writers that meet.

use storage::IntegrationStore;
use storage::aws::DynamoIntegrations;

use crate::proxy::{Fault, Proxy};
use crate::support::{connection, content, dynamo, noise, table};

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_version_larger_than_an_item_is_read_back_as_it_was_written() {
    let table = table().await;
    let store = DynamoIntegrations::new(&connection(), &table);
    let mut large = content("large");
    large.files.insert("table.csv".to_owned(), noise(2_500_000));
    assert_eq!(store.add("one", large.clone()).await.unwrap(), 1);
    assert_eq!(store.version("one", 1).await.unwrap().unwrap().content, large);
    let items = dynamo().scan().table_name(&table).into_paginator().items().send();
    let items: Vec<_> = items.collect::<Result<_, _>>().await.unwrap();
    assert!(items.len() > 5, "{} items", items.len());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_version_that_fits_just_into_one_item_is_taken() {
    let store = DynamoIntegrations::new(&connection(), table().await);
    // Both sides of the place where a second item begins.
    for size in [415_000, 420_000, 425_000, 430_000] {
        let mut version = content("edge");
        version.files.insert("table.csv".to_owned(), noise(size));
        let number = store.add("one", version.clone()).await.unwrap();
        assert_eq!(
            store.version("one", number).await.unwrap().unwrap().content,
            version
        );
    }
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_version_that_is_too_large_says_how_large_it_may_be_and_leaves_nothing() {
    let store = DynamoIntegrations::new(&connection(), table().await);
    let mut large = content("large");
    large.files.insert("table.csv".to_owned(), noise(6_000_000));
    let error = store.add("one", large).await.unwrap_err();
    assert!(error.is_too_large(), "{error:?}");
    assert!(error.to_string().contains("at most 3500 KB"), "{error}");
    assert!(store.versions("one").await.unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_write_that_is_refused_leaves_nothing() {
    let (table, proxy) = (table().await, Proxy::start().await);
    let store = DynamoIntegrations::new(&proxy.connection(), &table);
    store.versions("one").await.unwrap();
    proxy.next([Fault::AnswerLost]);
    proxy.next(vec![Fault::Refused(400, "ThrottlingException"); 3]);
    store.versions("one").await.unwrap_err();
    proxy.next(vec![Fault::Refused(400, "ThrottlingException"); 20]);
    assert!(store.add("one", content("a")).await.unwrap_err().is_unavailable());
    let items = dynamo().scan().table_name(&table).send().await.unwrap();
    assert_eq!(items.count(), 0);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn ten_writers_at_once_get_ten_numbers() {
    let table = table().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..10 {
        // Each has its own connection, as another process would.
        let store = DynamoIntegrations::new(&connection(), &table);
        writers.spawn(async move {
            store
                .add("one", content(&format!("writer {writer}")))
                .await
                .unwrap()
        });
    }
    let mut numbers = writers.join_all().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    let store = DynamoIntegrations::new(&connection(), &table);
    assert_eq!(store.versions("one").await.unwrap().len(), 10);
}

#[tokio::test]
#[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
async fn a_swap_that_came_too_late_says_what_is_active_now() {
    let store = DynamoIntegrations::new(&connection(), table().await);
    store.add("one", content("a")).await.unwrap();
    store.add("one", content("b")).await.unwrap();
    store.activate("one", Some(2), None).await.unwrap();
    let error = store.activate("one", Some(1), None).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    assert_eq!(error.to_string(), "the active version of `one` is 2, not none");
    let error = store.activate("one", Some(9), Some(2)).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
}

#[tokio::test]
async fn a_name_that_could_pass_for_another_item_is_refused() {
    let nowhere = crate::support::connection_to("http://127.0.0.1:9");
    let store = DynamoIntegrations::new(&nowhere, "table");
    let error = store.add("one#000000000001", content("a")).await.unwrap_err();
    assert!(error.is_configuration(), "{error:?}");
}
