//! The API without faults.

use sandbox::hostile::Options;
use serde_json::json;

use crate::{Sandbox, ids, quiet, running};

/// Every row of a list, page by page.
async fn all(running: &Sandbox, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = running.body(&format!("/tickets?{query}&token={token}")).await;
        found.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return found,
        }
    }
}

#[tokio::test]
async fn every_order_and_paging_gives_every_ticket_once() {
    let running = running(Options {
        tickets: 47,
        ..quiet()
    })
    .await;
    for sort in ["asc", "desc", "none"] {
        for paging in ["cursor", "offset"] {
            let mut found = all(&running, &format!("sort={sort}&paging={paging}&limit=10")).await;
            assert_eq!(found.len(), 47, "{sort} {paging}");
            found.sort();
            found.dedup();
            assert_eq!(found.len(), 47, "{sort} {paging}");
        }
    }
}

#[tokio::test]
async fn a_list_keeps_to_its_order_and_range() {
    let running = running(quiet()).await;
    let page = running.body("/tickets?sort=asc").await;
    let times: Vec<&str> = page["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["updated_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let (from, to) = (times[10], times[20]);

    let included = running
        .body(&format!("/tickets?updated_from={from}&updated_to={to}"))
        .await;
    let excluded = format!("/tickets?updated_from={from}&updated_to={to}&ends=excluded");
    let excluded = running.body(&excluded).await;
    assert!(ids(&included).len() >= 11);
    assert!(ids(&excluded).len() <= ids(&included).len() - 2);

    let down = running.body("/tickets?sort=desc&limit=1").await;
    let up = all(&running, "sort=asc").await;
    assert_eq!(ids(&down)[0], up[up.len() - 1]);
}

#[tokio::test]
async fn a_write_makes_a_version() {
    let running = running(Options {
        tickets: 1,
        ..quiet()
    })
    .await;
    let title = json!({"title": "Printer"}).to_string();
    let made = running.send("POST", "/tickets", title).await.unwrap();
    assert_eq!(made.status(), 201);
    let status = json!({"status": "Started"}).to_string();
    let changed = running.send("PATCH", "/tickets/H-2", status).await.unwrap();
    assert_eq!(changed.status(), 200);

    let shown = running.body("/tickets/H-2").await;
    assert_eq!(
        (&shown["title"], &shown["status"]),
        (&json!("Printer"), &json!("Started"))
    );
    assert_eq!(shown["revision"], 2);
    let truth = running.truth();
    assert_eq!(truth.changes, 2);
    assert_eq!(truth.tickets[1].versions.len(), 2);
}

#[tokio::test]
async fn bad_input_is_refused_with_the_reason() {
    let running = running(quiet()).await;
    for (path, expected) in [
        ("/tickets?sort=sideways", "one of asc, desc, none"),
        ("/tickets?updated_from=monday", "a time such as"),
        ("/tickets?limit=1000", "from 1 to 100"),
        ("/tickets?token=abc", "the `next` of a page"),
        ("/tickets?query=x", "There is no parameter `query`"),
    ] {
        let answer = running.get(path).await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(expected), "{path}: {text}");
    }
    assert_eq!(running.get("/tickets/H-9999").await.unwrap().status(), 404);
}

#[tokio::test]
async fn its_clock_is_the_one_of_its_times_and_of_date() {
    let running = running(Options {
        tickets: 0,
        skew_seconds: Some(-3600),
        ..quiet()
    })
    .await;
    let title = r#"{"title": "A"}"#.to_owned();
    let made = running.send("POST", "/tickets", title).await.unwrap();
    let date = made.headers()["date"].to_str().unwrap().to_owned();
    assert_eq!(date, "Mon, 05 Jan 2026 09:30:45 GMT");
    let body: serde_json::Value = made.json().await.unwrap();
    assert_eq!(body["updated_at"], "2026-01-05T09:30:45Z");
}
