//! Lists that are read one page at a time, for the poller.

use std::time::Duration;

use serde_json::{Value, json};
use upstream::{CallContext, ErrorKind, HttpAction, PageKind, Paginate, SendTo, UpstreamError};

use crate::support::{Reply, Server, by_token, client_with, connector, get, mapping};

fn list(paginate: Paginate) -> HttpAction {
    HttpAction {
        paginate: Some(paginate),
        ..get("/tickets")
    }
}

fn by_offset(page_size: u32) -> Paginate {
    Paginate {
        kind: PageKind::Offset {
            send: SendTo::Query("offset".to_owned()),
            first: 0,
            range: None,
            page_size: Some(mapping(&page_size.to_string())),
        },
        ..by_token()
    }
}

/// One page, as the poller asks for it, and the context after it.
async fn page(
    server: &Server,
    paginate: &Paginate,
    token: &Value,
) -> (Result<Value, UpstreamError>, CallContext) {
    page_of(server, &list(paginate.clone()), token).await
}

async fn page_of(
    server: &Server,
    action: &HttpAction,
    token: &Value,
) -> (Result<Value, UpstreamError>, CallContext) {
    let mut context = CallContext::within(Duration::from_secs(10));
    context.one_page = true;
    context.strict_lists = true;
    let scope = json!({"page_token": token});
    let answer = client_with(&[])
        .call(&connector(&server.url), action, &scope, &mut context)
        .await;
    (answer.map(|answer| answer.result), context)
}

/// The items of every page, each read by a call of its own.
async fn walk(server: &Server, paginate: &Paginate) -> Result<Vec<Value>, UpstreamError> {
    walk_of(server, &list(paginate.clone())).await
}

async fn walk_of(server: &Server, action: &HttpAction) -> Result<Vec<Value>, UpstreamError> {
    let (mut token, mut all) = (Value::Null, Vec::new());
    loop {
        let asked = server.asked().len();
        let (result, _) = page_of(server, action, &token).await;
        let result = result?;
        assert_eq!(server.asked().len(), asked + 1, "one request for each page");
        all.push(result["items"].clone());
        token = result["next_page_token"].clone();
        if token.is_null() {
            return Ok(all);
        }
        assert!(all.len() < 20, "{all:?}");
    }
}

#[tokio::test]
async fn each_call_reads_one_page_and_says_how_to_go_on() {
    let server = Server::start(|asked, _| match asked.parameter("cursor").as_deref() {
        None => Reply::json(&json!({"items": [0, 1], "next": "p1"})),
        Some("p1") => Reply::json(&json!({"items": [], "next": "p2"})),
        Some("p2") => Reply::json(&json!({"items": [4]})),
        other => panic!("{other:?}"),
    })
    .await;
    assert_eq!(
        walk(&server, &by_token()).await.unwrap(),
        [json!([0, 1]), json!([]), json!([4])]
    );
}

#[tokio::test]
async fn rows_are_counted_on_over_the_calls() {
    let server = Server::start(|asked, _| {
        let offset: usize = asked.parameter("offset").map_or(0, |text| text.parse().unwrap());
        let items: Vec<usize> = (0..5).skip(offset).take(2).collect();
        Reply::json(&json!({"items": items}))
    })
    .await;
    assert_eq!(
        walk(&server, &by_offset(2)).await.unwrap(),
        [json!([0, 1]), json!([2, 3]), json!([4])]
    );
}

#[tokio::test]
async fn a_list_that_takes_no_token_is_read_as_a_whole() {
    let server = Server::start(|asked, _| match asked.parameter("cursor") {
        None => Reply::json(&json!({"items": [0], "next": "p1"})),
        Some(_) => Reply::json(&json!({"items": [1]})),
    })
    .await;
    let paginate = Paginate {
        start_from: None,
        ..by_token()
    };
    let (result, context) = page(&server, &paginate, &Value::Null).await;
    assert_eq!(result.unwrap()["items"], json!([0, 1]));
    assert_eq!(context.unfinished, None);
}

#[tokio::test]
async fn a_list_that_ended_before_the_systems_is_named() {
    let server =
        Server::start(|_, number| Reply::json(&json!({"items": [number], "next": number + 1}))).await;
    let (_, context) = page(&server, &by_token(), &Value::Null).await;
    assert_eq!(context.unfinished.as_deref(), Some("do_it"));

    let paginate = Paginate {
        start_from: None,
        max_pages: 2,
        ..by_token()
    };
    let (_, context) = page(&server, &paginate, &Value::Null).await;
    assert_eq!(context.unfinished.as_deref(), Some("do_it"), "the cap of pages");
}

/// What a walk in one call knows, walks of one page each know by their tokens.
#[tokio::test]
async fn a_page_that_comes_again_is_known_over_the_calls() {
    // New tokens for ever.
    let server = Server::start(|_, number| Reply::json(&json!({"items": [0, 1], "next": number}))).await;
    let error = walk(&server, &by_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress, "{error}");
}

/// With `stop_on_repeat` too: what comes behind it would be lost.
#[tokio::test]
async fn a_page_that_comes_again_in_the_middle_of_the_list_is_not_its_end() {
    let quiet = Paginate {
        stop_on_repeat: true,
        ..by_token()
    };
    let server = Server::start(|asked, _| match asked.parameter("cursor").as_deref() {
        None => Reply::json(&json!({"items": [0, 1], "next": "p1"})),
        Some("p1") => Reply::json(&json!({"items": [2, 3], "next": "p2"})),
        // The items of the page before: under a new token, or with all that was in that answer.
        Some("p2") if asked.parameter("stale").is_some() => {
            Reply::json(&json!({"items": [2, 3], "next": "p2"}))
        }
        Some("p2") => Reply::json(&json!({"items": [2, 3], "next": "p3"})),
        other => panic!("{other:?}"),
    })
    .await;
    let error = walk(&server, &quiet).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress, "{error}");
    assert!(error.to_string().contains("`p2`"), "{error}");
    let stale = HttpAction {
        query: crate::support::parameters(&[("stale", "yes")]),
        ..list(quiet)
    };
    let error = walk_of(&server, &stale).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress, "{error}");
}

#[tokio::test]
async fn a_last_page_that_names_its_own_token_is_the_end() {
    let server = Server::start(|asked, _| match asked.parameter("cursor").as_deref() {
        None => Reply::json(&json!({"items": [0, 1], "next": "p1"})),
        _ => Reply::json(&json!({"items": [2], "next": "p1"})),
    })
    .await;
    let quiet = Paginate {
        stop_on_repeat: true,
        ..by_token()
    };
    assert_eq!(walk(&server, &quiet).await.unwrap(), [json!([0, 1]), json!([2])]);
}

/// A system that does not know offsets cannot be read beyond a full page, and does not say whether there is more. One
/// that does shows the same page again where as many rows came in above it.
#[tokio::test]
async fn an_offset_that_leads_nowhere_is_not_the_end() {
    let server = Server::start(|_, _| Reply::json(&json!({"items": [0, 1]}))).await;
    let paginate = Paginate {
        otherwise: Some(by_offset(2).kind),
        stop_on_repeat: true,
        ..by_token()
    };
    let error = walk(&server, &paginate).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress, "{error}");
}

#[tokio::test]
async fn a_system_that_shows_its_last_page_for_every_further_number_may_be_read() {
    let server = Server::start(|asked, _| match asked.parameter("offset").as_deref() {
        None | Some("0") => Reply::json(&json!({"items": [0, 1]})),
        _ => Reply::json(&json!({"items": [2, 3]})),
    })
    .await;
    let quiet = Paginate {
        stop_on_repeat: true,
        unique_by: Some(mapping("item")),
        ..by_offset(2)
    };
    let pages = walk(&server, &quiet).await.unwrap();
    assert_eq!(pages.first(), Some(&json!([0, 1])));
    assert_eq!(pages.get(1), Some(&json!([2, 3])));
}

#[tokio::test]
async fn an_answer_without_a_list_is_an_error_on_every_page() {
    let server = Server::start(|asked, _| match asked.parameter("cursor").as_deref() {
        None => Reply::json(&json!({"items": [0, 1], "next": "p1"})),
        _ => Reply::json(&json!({"status": "maintenance"})),
    })
    .await;
    let (result, _) = page(&server, &by_token(), &Value::Null).await;
    let token = result.unwrap()["next_page_token"].clone();
    let (result, _) = page(&server, &by_token(), &token).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer, "{error}");
    assert!(error.to_string().contains("... OR []"), "{error}");

    let server = Server::start(|_, _| Reply::json(&json!({"status": "maintenance"}))).await;
    let (result, _) = page(&server, &by_token(), &Value::Null).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::BadAnswer);
}

#[tokio::test]
async fn a_system_that_leaves_an_empty_list_out_is_read_where_the_integration_says_so() {
    let server = Server::start(|_, _| Reply::json(&json!({"total": 0}))).await;
    let paginate = Paginate {
        items: mapping("response.body.items OR []"),
        ..by_token()
    };
    assert_eq!(walk(&server, &paginate).await.unwrap(), [json!([])]);
}

#[tokio::test]
async fn a_next_page_that_no_token_can_name_is_read_at_once() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/tickets" => Reply::json(&json!({"items": [0], "next": "/tickets/page/2"})),
        _ => Reply::json(&json!({"items": [1]})),
    })
    .await;
    let paginate = Paginate {
        kind: PageKind::NextUrl {
            next: mapping("response.body.next"),
        },
        ..by_token()
    };
    let (result, context) = page(&server, &paginate, &Value::Null).await;
    assert_eq!(
        result.unwrap(),
        json!({"items": [0, 1], "next_page_token": null, "pages": 2})
    );
    assert_eq!(context.unfinished, None);
}

#[tokio::test]
async fn the_date_is_that_of_the_last_answer_as_it_came() {
    const DATE: &str = "Mon, 05 Jan 2026 10:30:45 GMT";
    let server = Server::start(|asked, _| {
        let reply = Reply::json(&json!({"items": []})).header("date", DATE);
        match asked.parameter("cached") {
            Some(_) => reply.header("age", "60"),
            None => reply,
        }
    })
    .await;
    let (_, context) = page(&server, &by_token(), &Value::Null).await;
    assert_eq!(context.date.as_deref(), Some(DATE));

    let action = HttpAction {
        query: crate::support::parameters(&[("cached", "yes")]),
        ..get("/tickets")
    };
    let mut context = CallContext::within(Duration::from_secs(10));
    let client = client_with(&[]);
    let connector = connector(&server.url);
    client
        .call(&connector, &action, &json!({}), &mut context)
        .await
        .unwrap();
    assert_eq!(
        context.date, None,
        "the time at which a cache got it says nothing"
    );
}
