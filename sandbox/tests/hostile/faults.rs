//! Everything that it can do wrong, it does.

use std::collections::BTreeSet;

use sandbox::hostile::Options;

use crate::{clock, quiet, running};

#[tokio::test]
async fn every_fault_comes_up_and_is_counted() {
    let running = running(Options {
        changes_per_second: 50.0,
        fault_rate: 0.2,
        skew_seconds: None,
        clock: clock(50),
        ..quiet()
    })
    .await;
    let mut token = String::new();
    let mut seen = BTreeSet::new();
    for _ in 0..1500 {
        let path = format!("/tickets?sort=asc&limit=20&token={token}");
        let Ok(answer) = running.get(&path).await else {
            seen.insert("no answer");
            continue;
        };
        let status = answer.status().as_u16();
        let waits = answer.headers().contains_key("retry-after");
        if answer.headers()["date"] == "yesterday" {
            seen.insert("a date that cannot be read");
        }
        let html = answer
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
        let Ok(text) = answer.text().await else {
            seen.insert("half an answer");
            continue;
        };
        let page: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        seen.insert(match (status, &page) {
            (200, None) if html => "200 with HTML",
            (200, None) => "JSON that ends too early",
            (200, Some(_)) => "a page",
            (400, _) => "a token that is refused",
            (410, _) => "a token that has expired",
            (429, _) if waits => "429 with Retry-After",
            (429, _) => "429 without Retry-After",
            (500, _) => "500",
            (503, _) if html => "503 with HTML",
            other => panic!("{other:?}"),
        });
        let Some(page) = page.filter(|_| status == 200) else {
            continue;
        };
        let next = page["next"].as_str().unwrap_or_default().to_owned();
        if !token.is_empty() && next == token {
            seen.insert("the same token again");
        }
        if page["tickets"].as_array().unwrap().is_empty() && !next.is_empty() {
            seen.insert("an empty page with a token");
        }
        token = next;
    }
    let expected = [
        "200 with HTML",
        "429 with Retry-After",
        "429 without Retry-After",
        "500",
        "503 with HTML",
        "JSON that ends too early",
        "a date that cannot be read",
        "a page",
        "a token that has expired",
        "a token that is refused",
        "an empty page with a token",
        "half an answer",
        "no answer",
        "the same token again",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    let counted = running.running.faults();
    for name in [
        "dropped_after",
        "dropped_before",
        "page_again",
        "shuffled",
        "slow",
        "token_round_again",
    ] {
        assert!(counted.contains_key(name), "{name}: {counted:?}");
    }
}

#[tokio::test]
async fn some_changes_show_late_and_many_have_one_time() {
    let running = running(Options {
        tickets: 2000,
        changes_per_second: 50.0,
        fault_rate: 0.02,
        clock: clock(10_000),
        ..quiet()
    })
    .await;
    for _ in 0..10 {
        let _ = running.get("/tickets?limit=1").await;
    }
    let truth = running.truth();
    let mut times = std::collections::BTreeMap::<_, usize>::new();
    let mut late = 0;
    for version in truth.tickets.iter().flat_map(|ticket| &ticket.versions) {
        *times.entry(version.updated_at).or_default() += 1;
        late += usize::from(version.visible_at.duration_since(version.made_at).as_secs() > 10);
    }
    assert!(late > 10, "{late}");
    assert!(
        times.values().any(|count| *count > 100),
        "more than a page at one time"
    );
    for ticket in &truth.tickets {
        assert!(ticket.versions.is_sorted_by_key(|version| version.updated_at));
    }
}
