//! Pagination of every kind.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use upstream::{
    ApiKeyLocation, Auth, Body, ErrorKind, FailWhen, HttpAction, Outcome, PageKind, Paginate, RateLimit,
    ResponseFormat, SendTo, UpstreamError,
};

use crate::support::{
    Asked, Reply, Server, by_token, call, client_with, connector, context, get, mapping, parameters, post,
    template,
};

fn with(paginate: Paginate) -> HttpAction {
    HttpAction {
        paginate: Some(paginate),
        query: parameters(&[("order", "DESC")]),
        ..get("/tickets")
    }
}

fn in_query(name: &str) -> SendTo {
    SendTo::Query(name.to_owned())
}

fn offset(page_size: u32) -> PageKind {
    PageKind::Offset {
        send: in_query("offset"),
        first: 0,
        range: None,
        page_size: (page_size > 0).then(|| mapping(&page_size.to_string())),
    }
}

async fn pages(server: &Server, paginate: Paginate) -> Result<Value, UpstreamError> {
    pages_of(server, paginate, &json!({})).await
}

async fn pages_of(server: &Server, paginate: Paginate, scope: &Value) -> Result<Value, UpstreamError> {
    call(&connector(&server.url), &with(paginate), scope)
        .await
        .map(|answer| answer.result)
}

/// Ten tickets, `0` to `9`, by offset.
async fn ten_by_offset(page_size: usize) -> Server {
    Server::start(move |asked, _| {
        let offset: usize = asked.parameter("offset").map_or(0, |text| text.parse().unwrap());
        let items: Vec<usize> = (0..10).skip(offset).take(page_size).collect();
        Reply::json(&json!({"items": items}))
    })
    .await
}

/// Pages `[0, 1]`, `[2, 3]`, `[4, 5]` by the tokens `p1` and `p2`.
fn three_by_token(asked: &Asked) -> Reply {
    let (items, next) = match asked.parameter("cursor").as_deref() {
        None => ([0, 1], json!("p1")),
        Some("p1") => ([2, 3], json!("p2")),
        Some("p2") => ([4, 5], json!(null)),
        other => panic!("asked for {other:?}"),
    };
    Reply::json(&json!({"items": items, "next": next}))
}

#[tokio::test]
async fn tokens_are_sent_back_with_the_same_query_until_there_is_none() {
    let server = Server::start(|asked, _| three_by_token(asked)).await;
    let result = pages(&server, by_token()).await.unwrap();
    assert_eq!(
        result,
        json!({"items": [0, 1, 2, 3, 4, 5], "next_page_token": null, "pages": 3})
    );
    let queries: Vec<_> = server.asked().into_iter().map(|asked| asked.query).collect();
    assert_eq!(
        queries,
        ["order=DESC", "order=DESC&cursor=p1", "order=DESC&cursor=p2"]
    );
}

#[tokio::test]
async fn a_token_may_come_in_a_header_and_go_in_a_header() {
    let server = Server::start(|asked, number| {
        let reply = Reply::json(&json!({"items": [number]}));
        match asked.header("continuationtoken") {
            None => reply.header("ContinuationToken", "abc=="),
            Some("abc==") => reply.header("ContinuationToken", ""),
            Some(other) => panic!("{other}"),
        }
    })
    .await;
    let kind = PageKind::Token {
        next: mapping("response.body.continuationToken OR response.headers.continuationToken"),
        send: SendTo::Header("continuationToken".to_owned()),
    };
    let result = pages(&server, Paginate { kind, ..by_token() }).await.unwrap();
    assert_eq!((&result["items"], &result["pages"]), (&json!([0, 1]), &json!(2)));
}

#[tokio::test]
async fn a_position_may_go_in_a_json_body() {
    let server = Server::start(|asked, _| {
        let start = asked.json()["startAt"].as_u64().unwrap();
        let items: Vec<u64> = (0..5).skip(start as usize).take(2).collect();
        Reply::json(&json!({"items": items}))
    })
    .await;
    let kind = PageKind::Offset {
        send: SendTo::Body("startAt".to_owned()),
        first: 0,
        range: None,
        page_size: Some(mapping("2")),
    };
    let mut action = HttpAction {
        paginate: Some(Paginate { kind, ..by_token() }),
        ..post("/search")
    };
    action.body = Body::Json(mapping("filter"));
    let answer = call(&connector(&server.url), &action, &json!({"filter": {"q": "x"}}))
        .await
        .unwrap();
    assert_eq!(answer.result["items"], json!([0, 1, 2, 3, 4]));
    assert_eq!(server.asked()[1].text(), r#"{"q":"x","startAt":2}"#);
    action.body = Body::Json(mapping("filter.q"));
    let error = call(&connector(&server.url), &action, &json!({"filter": {"q": "x"}}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[tokio::test]
async fn offsets_go_up_by_what_came_until_a_short_page() {
    let server = ten_by_offset(4).await;
    let result = pages(
        &server,
        Paginate {
            kind: offset(4),
            ..by_token()
        },
    )
    .await
    .unwrap();
    assert_eq!(
        (&result["items"], &result["pages"]),
        (&json!((0..10).collect::<Vec<_>>()), &json!(3))
    );
    let asked: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.parameter("offset").unwrap())
        .collect();
    assert_eq!(asked, ["0", "4", "8"]);
    let server = ten_by_offset(5).await;
    let result = pages(
        &server,
        Paginate {
            kind: offset(5),
            ..by_token()
        },
    )
    .await
    .unwrap();
    assert_eq!(
        (result["items"].as_array().unwrap().len(), &result["pages"]),
        (10, &json!(3))
    );
}

#[tokio::test]
async fn without_a_known_page_size_offsets_go_up_until_an_empty_page() {
    for paginate in [
        Paginate {
            kind: offset(0),
            ..by_token()
        },
        Paginate {
            otherwise: Some(offset(0)),
            unique_by: Some(mapping("item")),
            ..by_token()
        },
    ] {
        let server = ten_by_offset(4).await;
        let result = pages(&server, paginate).await.unwrap();
        assert_eq!(
            (result["items"].as_array().unwrap().len(), &result["pages"]),
            (10, &json!(4))
        );
    }
}

#[tokio::test]
async fn page_numbers_go_up_until_a_short_or_an_empty_page() {
    let start = || {
        Server::start(|asked, _| {
            let page: usize = asked.parameter("page").unwrap().parse().unwrap();
            let items: Vec<usize> = (0..5).skip((page - 1) * 2).take(2).collect();
            Reply::json(&json!({"items": items}))
        })
    };
    for (page_size, requests) in [(Some(mapping("2")), 3), (None, 4)] {
        let server = start().await;
        let kind = PageKind::Page {
            send: in_query("page"),
            first: 1,
            page_size,
        };
        let result = pages(&server, Paginate { kind, ..by_token() }).await.unwrap();
        assert_eq!(result["items"], json!([0, 1, 2, 3, 4]));
        assert_eq!(server.asked().len(), requests);
    }
}

#[tokio::test]
async fn link_headers_are_followed_within_the_origin() {
    let server = Server::start(|asked, _| match asked.parameter("page").as_deref() {
        None => Reply::json(&json!({"items": [1]})).header("Link", r#"</tickets?page=2>; rel="next""#),
        _ => Reply::json(&json!({"items": [2]})).header("Link", r#"</tickets?page=1>; rel="prev""#),
    })
    .await;
    let kind = || PageKind::LinkHeader {
        rel: "next".to_owned(),
    };
    let result = pages(
        &server,
        Paginate {
            kind: kind(),
            ..by_token()
        },
    )
    .await
    .unwrap();
    assert_eq!(result["items"], json!([1, 2]));
    assert_eq!(server.asked()[1].query, "page=2", "the link is used as it is");

    let other = Server::agreeable().await;
    let link = format!("<{}/tickets?page=2>; rel=next", other.url);
    let server = Server::start(move |_, _| Reply::json(&json!({"items": [1]})).header("link", &link)).await;
    let error = pages(
        &server,
        Paginate {
            kind: kind(),
            ..by_token()
        },
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    assert!(error.to_string().contains("another origin"), "{error}");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_next_url_is_relative_to_its_page_and_loses_the_key() {
    let server = Server::start(|asked, _| match asked.parameter("page").as_deref() {
        None => Reply::json(&json!({"items": [1], "next": "tickets?page=2&k=old"})),
        Some("2") => Reply::json(&json!({"items": [2], "next": "?page=3"})),
        _ => Reply::json(&json!({"items": [3], "next": ""})),
    })
    .await;
    let kind = PageKind::NextUrl {
        next: mapping("response.body.next"),
    };
    let mut connector = connector(&format!("{}/api/v1", server.url));
    connector.auth = Auth::ApiKey {
        location: ApiKeyLocation::Query { name: "k".to_owned() },
        secret: "key".to_owned(),
        fallback_secret: None,
    };
    let action = with(Paginate { kind, ..by_token() });
    let client = client_with(&[("key", "new")]);
    let answer = client
        .call(&connector, &action, &json!({}), &mut context())
        .await
        .unwrap();
    assert_eq!(answer.result["items"], json!([1, 2, 3]));
    let asked: Vec<_> = server
        .asked()
        .into_iter()
        .map(|asked| (asked.path, asked.query))
        .collect();
    let path = || "/api/v1/tickets".to_owned();
    assert_eq!(
        asked,
        [
            (path(), "order=DESC&k=new".into()),
            (path(), "page=2&k=new".into()),
            (path(), "page=3&k=new".into())
        ]
    );
}

#[tokio::test]
async fn without_a_token_a_full_page_is_followed_by_an_offset() {
    let server = ten_by_offset(4).await;
    let paginate = || Paginate {
        otherwise: Some(offset(4)),
        unique_by: Some(mapping("item")),
        ..by_token()
    };
    let result = pages(&server, paginate()).await.unwrap();
    assert_eq!(
        (result["items"].as_array().unwrap().len(), &result["pages"]),
        (10, &json!(3))
    );
    assert_eq!(server.asked()[0].parameter("offset"), None);

    // A page that is not full, or a token seen before: nothing more is asked.
    let server = ten_by_offset(3).await;
    assert_eq!(pages(&server, paginate()).await.unwrap()["pages"], json!(1));
    let server = Server::start(|asked, _| three_by_token(asked)).await;
    let result = pages(
        &server,
        Paginate {
            otherwise: Some(offset(2)),
            ..by_token()
        },
    )
    .await
    .unwrap();
    assert_eq!(result["pages"], json!(3));
}

#[tokio::test]
async fn a_system_that_ignores_the_offset_is_left_quietly() {
    for unique_by in [Some(mapping("item")), None] {
        let server = Server::start(|_, _| Reply::json(&json!({"items": [1, 2]}))).await;
        let paginate = Paginate {
            otherwise: Some(offset(2)),
            unique_by,
            ..by_token()
        };
        let result = pages(&server, paginate).await.unwrap();
        assert_eq!(
            result,
            json!({"items": [1, 2], "next_page_token": null, "pages": 2})
        );
    }
}

#[tokio::test]
async fn the_same_token_or_the_same_page_again_is_an_error_that_shows_both() {
    let server = Server::start(|_, number| Reply::json(&json!({"items": [number], "next": "again"}))).await;
    let error = pages(&server, by_token()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NoProgress, "TG0412"));
    assert_eq!(error.to_string().matches("`again`").count(), 2, "{error}");
    assert_eq!(server.asked().len(), 2);

    let server =
        Server::start(|_, number| Reply::json(&json!({"items": [1], "next": format!("t{number}")}))).await;
    let error = pages(&server, by_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress);
    assert!(
        error.to_string().contains("`t0`") && error.to_string().contains("`t1`"),
        "{error}"
    );

    let server = Server::start(|_, _| Reply::json(&json!({"items": [1, 2]}))).await;
    let error = pages(
        &server,
        Paginate {
            kind: offset(2),
            ..by_token()
        },
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress);
    assert!(
        error.to_string().contains("the offset 2") && error.to_string().contains("the offset 4"),
        "{error}"
    );
}

#[tokio::test]
async fn an_empty_page_ends_only_where_it_is_said_to() {
    let start = || {
        Server::start(|_, number| match number {
            0 | 1 => Reply::json(&json!({"items": [], "next": format!("t{number}")})),
            _ => Reply::json(&json!({"items": [1]})),
        })
    };
    let server = start().await;
    assert_eq!(pages(&server, by_token()).await.unwrap()["items"], json!([1]));
    let server = start().await;
    let result = pages(
        &server,
        Paginate {
            empty_page_ends: true,
            ..by_token()
        },
    )
    .await
    .unwrap();
    assert_eq!(
        (&result["pages"], &result["next_page_token"]),
        (&json!(1), &json!(null))
    );
    let server = Server::start(|_, _| Reply::json(&json!({"items": null}))).await;
    assert_eq!(pages(&server, by_token()).await.unwrap()["items"], json!([]));
}

#[tokio::test]
async fn items_are_kept_once_and_only_those_that_are_wanted() {
    let server = Server::start(|asked, _| match asked.parameter("cursor") {
        None => Reply::json(&json!({"items": [{"id": 1, "by": "a"}, {"id": 2, "by": "b"}], "next": "x"})),
        _ => {
            Reply::json(&json!({"items": [{"id": 2, "by": "b"}, {"id": 1, "by": "a"}, {"id": 3, "by": "a"}]}))
        }
    })
    .await;
    let paginate = Paginate {
        keep: Some(mapping("item.by == email")),
        unique_by: Some(mapping("item.id")),
        ..by_token()
    };
    let result = pages_of(&server, paginate, &json!({"email": "a"})).await.unwrap();
    assert_eq!(
        result["items"],
        json!([{"id": 1, "by": "a"}, {"id": 3, "by": "a"}])
    );
}

#[tokio::test]
async fn a_stop_condition_ends_and_leaves_no_page_token() {
    let server = Server::start(|asked, _| three_by_token(asked)).await;
    let paginate = Paginate {
        stop_when: Some(mapping("response.body.items[-1] >= since")),
        ..by_token()
    };
    let result = pages_of(&server, paginate, &json!({"since": 3})).await.unwrap();
    assert_eq!(
        result,
        json!({"items": [0, 1, 2, 3], "next_page_token": null, "pages": 2})
    );
}

#[tokio::test]
async fn caps_give_a_page_token_that_goes_on_where_it_stopped() {
    let server = Server::start(|asked, _| three_by_token(asked)).await;
    for paginate in [
        || Paginate {
            max_pages: 1,
            ..by_token()
        },
        || Paginate {
            max_items: 2,
            ..by_token()
        },
    ] {
        let mut token = json!(null);
        let mut items = Vec::new();
        for _ in 0..3 {
            let result = pages_of(&server, paginate(), &json!({"page_token": token}))
                .await
                .unwrap();
            items.extend(result["items"].as_array().unwrap().clone());
            token = result["next_page_token"].clone();
        }
        assert_eq!((json!(items), token), (json!([0, 1, 2, 3, 4, 5]), json!(null)));
    }
}

#[tokio::test]
async fn every_kind_of_position_survives_in_a_page_token() {
    let offsets = || Paginate {
        kind: offset(4),
        max_pages: 1,
        ..by_token()
    };
    let otherwise = || Paginate {
        otherwise: Some(offset(4)),
        max_pages: 1,
        ..by_token()
    };
    let numbers = || Paginate {
        kind: PageKind::Page {
            send: in_query("offset"),
            first: 0,
            page_size: Some(mapping("4")),
        },
        max_pages: 1,
        ..by_token()
    };
    let server = ten_by_offset(4).await;
    for (paginate, second) in [(offsets(), "4"), (otherwise(), "4"), (numbers(), "1")] {
        let first = pages(&server, paginate.clone()).await.unwrap();
        let scope = json!({"page_token": first["next_page_token"]});
        pages_of(&server, paginate, &scope).await.unwrap();
        assert_eq!(
            server.asked().last().unwrap().parameter("offset").as_deref(),
            Some(second)
        );
    }
    let server = Server::start(|asked, _| {
        let next = asked
            .parameter("page")
            .is_none()
            .then_some("/tickets?page=2&x=%2F");
        Reply::json(&json!({"items": [asked.query], "next": next}))
    })
    .await;
    let urls = || Paginate {
        kind: PageKind::NextUrl {
            next: mapping("response.body.next"),
        },
        max_pages: 1,
        ..by_token()
    };
    let first = pages(&server, urls()).await.unwrap();
    let second = pages_of(&server, urls(), &json!({"page_token": first["next_page_token"]}))
        .await
        .unwrap();
    assert_eq!(second["items"], json!(["page=2&x=%2F"]));
}

#[tokio::test]
async fn a_page_token_that_is_not_ours_is_refused_by_name() {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let server = Server::start(|asked, _| three_by_token(asked)).await;
    let first = pages(
        &server,
        Paginate {
            max_pages: 1,
            ..by_token()
        },
    )
    .await
    .unwrap();
    let good = first["next_page_token"].as_str().unwrap().to_owned();
    let before = server.asked().len();
    for token in [
        json!("rubbish"),
        json!(7),
        json!(format!("{good}A")),
        json!("x".repeat(100_000)),
        json!(encode("{}")),
        json!(encode(r#"{"action": "do_it", "token": "a\r\nX-Evil: 1"}"#)),
        json!(encode(r#"{"action": "do_it", "token": {"a": 1}}"#)),
        json!(encode(r#"{"action": "do_it", "offset": 5}"#)),
        json!(encode(r#"{"action": "do_it", "otherwise": true, "offset": 5}"#)),
        json!(encode(r#"{"action": "do_it", "query": "a=b"}"#)),
        json!(encode(r#"{"action": "another", "token": "a"}"#)),
    ] {
        let error = pages_of(&server, by_token(), &json!({"page_token": token}))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Input, Outcome::NotSent),
            "{token}"
        );
        assert!(
            error.to_string().contains("`page_token` is not a page token"),
            "{error}"
        );
    }
    assert_eq!(server.asked().len(), before);
}

#[tokio::test]
async fn a_token_that_does_not_fit_a_header_is_a_bad_answer() {
    for token in [
        json!("a\r\nX-Evil: 1"),
        json!("é"),
        json!({"a": 1}),
        json!("x".repeat(10_000)),
    ] {
        let server = Server::start(move |_, _| Reply::json(&json!({"items": [1], "next": token}))).await;
        let error = pages(&server, by_token()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadAnswer, "{error}");
        server.asked_once();
    }
}

#[tokio::test]
async fn a_page_that_fails_fails_the_call() {
    let server = Server::start(|asked, number| match number {
        0 => three_by_token(asked),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(
        pages(&server, by_token()).await.unwrap_err().kind(),
        ErrorKind::Status(404)
    );

    let server = Server::start(|asked, number| match number {
        0 => three_by_token(asked),
        _ => Reply::json(&json!({"error": true})),
    })
    .await;
    let mut action = with(by_token());
    action.fail_when = vec![FailWhen {
        condition: mapping("response.body.error == true"),
        message: None,
        code: None,
    }];
    let error = call(&connector(&server.url), &action, &json!({}))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FailWhen(_)), "{error}");

    let server = Server::start(|_, _| Reply::json(&json!({"items": {"a": 1}}))).await;
    let error = pages(&server, by_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
}

#[tokio::test]
async fn every_page_is_taken_from_the_rate_budget() {
    let server = Server::start(|asked, _| three_by_token(asked)).await;
    let mut connector = connector(&server.url);
    connector.rate_limit = Some(RateLimit {
        requests: 2,
        per: Duration::from_secs(60),
        reserved: 0,
    });
    let error = call(&connector, &with(by_token()), &json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn an_answer_that_is_nothing_is_not_an_empty_list() {
    let server = Server::start(|_, _| Reply::status(200)).await;
    let error = pages(&server, by_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    let server = Server::start(|_, _| Reply::json(&json!({"total": 0}))).await;
    assert_eq!(pages(&server, by_token()).await.unwrap()["items"], json!([]));
}

#[tokio::test]
async fn a_page_that_names_itself_ends_the_walk_where_that_is_said() {
    let server = Server::start(|_, _| Reply::json(&json!({"items": [1], "next": "same"}))).await;
    let error = pages(&server, by_token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoProgress);
    let paginate = Paginate {
        unique_by: Some(mapping("item")),
        stop_on_repeat: true,
        ..by_token()
    };
    assert_eq!(
        pages(&server, paginate).await.unwrap(),
        json!({"items": [1], "next_page_token": null, "pages": 2})
    );
}

/// A page that is taken for an earlier one would end the list without a word.
#[tokio::test]
async fn pages_that_begin_alike_or_hold_the_same_in_another_shape_are_different_pages() {
    let lines = "IF response.body == \"\" THEN [] ELSE response.body.$SPLIT(\"\n\")";
    for [first, second] in [
        ["2024-05-01,INC1", "2024-05-02,INC2"],
        ["\"id\",\"title\"\n1,a", "\"id\",\"title\"\n2,b"],
    ] {
        let pages = [first, second, "x", ""].map(str::to_owned);
        assert_eq!(pages_read(ResponseFormat::Text, lines, pages).await, 4, "{first}");
    }
    for [first, second] in [
        ["[null, 1]", "[1, null]"],
        ["[[]]", "[0]"],
        ["[{}]", "[[]]"],
        ["[0]", "[0.0]"],
        ["[-1]", "[18446744073709551615]"],
        ["[\"1\"]", "[1]"],
        ["[[1], 2]", "[1, [2]]"],
    ] {
        let pages = [first, second, "[9]", "[]"].map(|items| format!(r#"{{"items": {items}}}"#));
        let read = pages_read(ResponseFormat::Json, "response.body.items", pages).await;
        assert_eq!(read, 4, "{first}");
    }
}

/// How many of these pages are read, asked for by number, where a page that comes again is the end.
async fn pages_read(response: ResponseFormat, items: &str, pages: [String; 4]) -> u64 {
    let server = Server::start(move |asked, _| {
        let number: usize = asked.parameter("page").unwrap().parse().unwrap();
        Reply::status(200).body(pages[number - 1].as_str())
    })
    .await;
    let paginate = Paginate {
        kind: PageKind::Page {
            send: in_query("page"),
            first: 1,
            page_size: None,
        },
        items: mapping(items),
        items_at: None,
        stop_on_repeat: true,
        ..by_token()
    };
    let action = HttpAction {
        response,
        ..with(paginate)
    };
    let answer = call(&connector(&server.url), &action, &json!({})).await;
    answer.unwrap().result["pages"].as_u64().unwrap()
}

/// Ten tickets by a range such as `0-3`; one that begins behind them is an error.
async fn ten_by_range(first: usize) -> Server {
    Server::start(move |asked, _| {
        let range = asked.parameter("range").unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        if from >= 10 + first {
            let error = json!([
                "ERROR_RANGE_EXCEED_TOTAL",
                "Provided range exceed total count of data: 10"
            ]);
            return Reply::json(&error).with_status(400);
        }
        let items: Vec<usize> = (from..=to.min(9 + first)).collect();
        Reply::json(&json!({"items": items})).with_status(206)
    })
    .await
}

fn by_range(first: u32, page_size: &str) -> Paginate {
    Paginate {
        kind: PageKind::Offset {
            send: in_query("range"),
            first,
            range: Some(template("{{first}}-{{last}}")),
            page_size: Some(mapping(page_size)),
        },
        ..by_token()
    }
}

fn ranges(server: &Server) -> Vec<String> {
    let asked = server.asked();
    asked
        .iter()
        .map(|asked| asked.parameter("range").unwrap())
        .collect()
}

#[tokio::test]
async fn a_range_of_items_is_asked_for_by_its_first_and_its_last() {
    let server = ten_by_range(0).await;
    let result = pages_of(&server, by_range(0, "size"), &json!({"size": 4}))
        .await
        .unwrap();
    assert_eq!(result["items"], json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(ranges(&server), ["0-3", "4-7", "8-11"]);

    let counted_from_one = ten_by_range(1).await;
    pages_of(&counted_from_one, by_range(1, "4"), &json!({}))
        .await
        .unwrap();
    assert_eq!(ranges(&counted_from_one), ["1-4", "5-8", "9-12"]);
}

#[tokio::test]
async fn an_answer_can_say_that_its_page_lies_behind_the_end_of_the_list() {
    let behind = || Some(mapping("response.body[0] == \"ERROR_RANGE_EXCEED_TOTAL\""));
    let server = ten_by_range(0).await;
    let error = pages(&server, by_range(0, "5")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status(400), "without `end_when`");

    let paginate = Paginate {
        end_when: behind(),
        ..by_range(0, "5")
    };
    let result = pages(&ten_by_range(0).await, paginate).await.unwrap();
    assert_eq!(
        result,
        json!({"items": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "next_page_token": null, "pages": 3})
    );

    // The first page of an empty list, and the poller's way to read it.
    let server =
        Server::start(|_, _| Reply::json(&json!(["ERROR_RANGE_EXCEED_TOTAL"])).with_status(400)).await;
    let paginate = Paginate {
        end_when: behind(),
        ..by_range(0, "5")
    };
    let mut strict = context();
    strict.strict_lists = true;
    let answer = client_with(&[])
        .call(&connector(&server.url), &with(paginate), &json!({}), &mut strict)
        .await
        .unwrap();
    assert_eq!(answer.result["items"], json!([]));

    // Refused credentials are never the end of a list.
    let server = Server::start(|_, _| Reply::status(401)).await;
    let paginate = Paginate {
        end_when: Some(mapping("true")),
        ..by_range(0, "5")
    };
    let error = pages(&server, paginate).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
}

#[tokio::test]
async fn a_page_says_itself_how_many_items_fill_it() {
    let server = Server::start(|asked, _| {
        let offset: usize = asked.parameter("offset").unwrap().parse().unwrap();
        // Asked for 100, the system gives 4.
        let items: Vec<usize> = (0..10).skip(offset).take(4).collect();
        Reply::json(&json!({"items": items, "maxResults": 4}))
    })
    .await;
    let kind = PageKind::Offset {
        send: in_query("offset"),
        first: 0,
        range: None,
        page_size: Some(mapping("response.body.maxResults")),
    };
    let result = pages(&server, Paginate { kind, ..by_token() }).await.unwrap();
    assert_eq!((&result["pages"], &result["items"][9]), (&json!(3), &json!(9)));
}
