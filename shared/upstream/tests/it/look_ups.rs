//! `result`, `read_only`, kept answers, escapes and lists of parameters.

use std::time::Duration;

use mapping::Replacements;
use serde_json::{Value, json};
use upstream::{ErrorKind, HttpAction, Outcome, Parameter};

use crate::support::{
    Reply, Server, by_token, call, client_with, connector, context, get, mapping, parameters, post, template,
};

#[tokio::test]
async fn a_result_is_made_of_the_whole_answer() {
    let server = Server::start(|_, _| {
        Reply::json(&json!({"id": 7}))
            .with_status(201)
            .header("ETag", "\"abc\"")
            .header("Location", "/tickets/1/notes/42")
    })
    .await;
    let action = |result: &str| HttpAction {
        result: Some(mapping(result)),
        ..post("/t")
    };
    let picked = action(
        r#"{"id": response.headers.Location.$SPLIT("/")[-1], "etag": response.headers.etag, "body": response.body.id}"#,
    );
    let answer = call(&connector(&server.url), &picked, &json!({})).await.unwrap();
    assert_eq!(answer.result, json!({"id": "42", "etag": "\"abc\"", "body": 7}));
    let whole = call(&connector(&server.url), &action("response"), &json!({}))
        .await
        .unwrap();
    assert_eq!(whole.result["status"], 201);
    assert_eq!(whole.result["headers"]["etag"], "\"abc\"");
    assert_eq!(whole.result["body"], json!({"id": 7}));
}

#[tokio::test]
async fn a_result_that_fails_says_what_the_answer_had() {
    let server = Server::start(|_, _| Reply::json(&json!({"name": "x"})).with_status(201)).await;
    let action = HttpAction {
        result: Some(mapping("response.body.name - 1")),
        ..post("/t")
    };
    let error = call(&connector(&server.url), &action, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    // The system said that it was done.
    assert_eq!(error.outcome(), Outcome::Unknown);
    let told = error.to_string();
    assert!(
        told.contains("`result` of `do_it`")
            && told.contains("status 201")
            && told.contains("a body with name"),
        "{told}"
    );
}

#[tokio::test]
async fn a_post_that_only_reads_leaves_nothing_in_doubt() {
    for (read_only, outcome, asked) in [(true, Outcome::Refused, 3), (false, Outcome::Unknown, 1)] {
        let server = Server::start(|_, _| Reply::status(503)).await;
        let action = HttpAction {
            read_only,
            repeatable: read_only,
            ..post("/search")
        };
        let error = call(&connector(&server.url), &action, &json!({}))
            .await
            .unwrap_err();
        assert_eq!((error.outcome(), server.asked().len()), (outcome, asked));
    }
}

fn kept(path: &str, time: Duration) -> HttpAction {
    HttpAction {
        cache: Some(time),
        ..get(path)
    }
}

#[tokio::test]
async fn a_look_up_is_kept_for_the_same_arguments() {
    let server = Server::start(|asked, number| Reply::json(&json!([asked.path, number]))).await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    let action = kept("/users/{{{name}}}", Duration::from_secs(60));
    let look = |scope: Value| {
        let (client, connector, action) = (&client, &connector, &action);
        async move {
            let mut context = context();
            let answer = client
                .call(connector, action, &scope, &mut context)
                .await
                .unwrap();
            (answer.result, context.calls.len())
        }
    };
    let ann = json!({"name": "ann", "settings": {}, "meta_info": {"request_id": "1"}});
    assert_eq!(look(ann).await, (json!(["/users/ann", 0]), 1));
    assert_eq!(
        look(json!({"name": "ann", "meta_info": {"request_id": "2"}})).await,
        (json!(["/users/ann", 0]), 0)
    );
    assert_eq!(look(json!({"name": "bob"})).await, (json!(["/users/bob", 1]), 1));
    // What an argument does elsewhere than in the request is not known.
    assert_eq!(
        look(json!({"name": "ann", "other": 1})).await,
        (json!(["/users/ann", 2]), 1)
    );
}

#[tokio::test]
async fn a_kept_answer_ends_and_belongs_to_one_set_up() {
    let server = Server::agreeable().await;
    let client = client_with(&[]);
    let first = connector(&server.url);
    let action = kept("/t", Duration::ZERO);
    client
        .call(&first, &action, &json!({}), &mut context())
        .await
        .unwrap();
    client
        .call(&first, &action, &json!({}), &mut context())
        .await
        .unwrap();
    assert_eq!(server.asked().len(), 2);
    let action = kept("/t", Duration::from_secs(60));
    for connector in [first, connector(&server.url)] {
        client
            .call(&connector, &action, &json!({}), &mut context())
            .await
            .unwrap();
    }
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn neither_errors_nor_long_answers_nor_unfinished_lists_are_kept() {
    let client = client_with(&[]);
    let mut long = connector("http://127.0.0.1:1");
    long.max_response_bytes = 3_000_000;
    let server = Server::start(|_, number| match number {
        0 => Reply::status(404),
        _ => Reply::json(&json!("x".repeat(1_100_000))),
    })
    .await;
    long.base_url = server.url.parse().unwrap();
    let action = kept("/t", Duration::from_secs(60));
    client
        .call(&long, &action, &json!({}), &mut context())
        .await
        .unwrap_err();
    for _ in 0..2 {
        client
            .call(&long, &action, &json!({}), &mut context())
            .await
            .unwrap();
    }
    assert_eq!(server.asked().len(), 3);

    let server = Server::start(|_, number| Reply::json(&json!({"items": [number], "next": number}))).await;
    let mut list = kept("/t", Duration::from_secs(60));
    list.paginate = Some(upstream::Paginate {
        max_pages: 1,
        start_from: None,
        ..by_token()
    });
    let connector = connector(&server.url);
    for _ in 0..2 {
        client
            .call(&connector, &list, &json!({}), &mut context())
            .await
            .unwrap();
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn at_most_a_thousand_answers_are_kept_and_the_oldest_go_first() {
    let server = Server::agreeable().await;
    let (client, connector) = (client_with(&[]), connector(&server.url));
    let action = kept("/t/{{{n}}}", Duration::from_secs(60));
    for n in (0..=1000).chain([1000, 1, 0]) {
        client
            .call(&connector, &action, &json!({"n": n}), &mut context())
            .await
            .unwrap();
    }
    // The last three: two of them are kept, 0 had to go.
    assert_eq!(server.asked().len(), 1001 + 1);
}

#[tokio::test]
async fn values_are_escaped_for_the_language_they_stand_in() {
    let server = Server::agreeable().await;
    let escape = Replacements::new([
        ("'".to_owned(), Some("\\'".to_owned())),
        ("\\".to_owned(), Some("\\\\".to_owned())),
        ("^".to_owned(), None),
    ]);
    let text = template("Name = '{{{name}}}' AND It = 'it''s'").replacing(escape);
    let mut action = get("/t");
    action.query = vec![(template("q"), text.into())];
    let connector = connector(&server.url);
    call(&connector, &action, &json!({"name": "o'h\\ara\\'"}))
        .await
        .unwrap();
    let asked = server.asked_once();
    assert_eq!(
        asked.parameter("q").as_deref(),
        Some(r"Name = 'o\'h\\ara\\\'' AND It = 'it''s'")
    );
    for name in [json!("a^b"), json!(["a"])] {
        let error = call(&connector, &action, &json!({"name": name}))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        assert!(
            error.to_string().contains("the parameter `q` of `do_it`"),
            "{error}"
        );
        assert!(!error.to_string().contains("a^b"), "{error}");
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_parameter_is_repeated_for_each_element() {
    let server = Server::agreeable().await;
    let mut action = get("/t");
    action.query = parameters(&[("f[]", "status"), ("f[]", "{{x}}")]);
    action
        .query
        .push((template("id[]"), Parameter::Each(mapping("ids"))));
    let connector = connector(&server.url);
    call(&connector, &action, &json!({"x": "a&b", "ids": [1, null, "z"]}))
        .await
        .unwrap();
    call(&connector, &action, &json!({"x": "", "ids": null}))
        .await
        .unwrap();
    let asked = server.asked();
    assert_eq!(
        asked[0].query,
        "f%5B%5D=status&f%5B%5D=a%26b&id%5B%5D=1&id%5B%5D=z"
    );
    assert_eq!(asked[1].query, "f%5B%5D=status&f%5B%5D=");
    for (ids, words) in [
        (json!("x"), "must give a list"),
        (json!(vec![1; 1001]), "1001 elements; 1000"),
    ] {
        let error = call(&connector, &action, &json!({"x": "", "ids": ids}))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}
