//! `GET /tickets` as the reference describes it.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::json;

use crate::{Api, Reply, alex, jason, send};

#[tokio::test]
async fn without_parameters_the_ten_newest_tickets_come_newest_first() {
    let api = Api::seeded(&[]).await;
    let reply = api.get("/tickets").await;
    assert_eq!(
        reply.column("ticketId"),
        [
            "1040", "1039", "1038", "1037", "1036", "1035", "1034", "1033", "1032", "1031"
        ]
    );
    let created = reply.column("createdOn");
    assert!(created.is_sorted_by(|left, right| left > right));
    assert!(created[0].ends_with('Z') && created[0].len() == "2026-01-05T10:30:45.123Z".len());
}

#[tokio::test]
async fn seeded_tickets_are_the_same_in_every_run() {
    let (one, other) = (Api::seeded(&[]).await, Api::seeded(&[]).await);
    let ids = |api: &Api| -> Vec<_> {
        api.running
            .tickets()
            .iter()
            .map(|ticket| ticket["id"].clone())
            .collect()
    };
    assert_eq!(ids(&one), ids(&other));
    let requestors: HashSet<_> = one
        .running
        .tickets()
        .iter()
        .map(|ticket| ticket["requestor"]["email"].to_string())
        .collect();
    assert!(requestors.len() > 3 && requestors.contains("\"jason.doe@example.com\""));
}

#[tokio::test]
async fn limit_and_offset_page_through_everything_once() {
    let api = Api::seeded(&[]).await;
    let mut seen = Vec::new();
    for offset in [0, 15, 30, 45] {
        seen.extend(
            api.get(&format!("/tickets?limit=15&offset={offset}"))
                .await
                .column("id"),
        );
    }
    assert_eq!(seen.len(), 40);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 40);
}

async fn next(api: &Api, path: &str, token: &str) -> Reply {
    send(api.request(Method::GET, path).header("continuationToken", token)).await
}

#[tokio::test]
async fn the_continuation_token_leads_through_everything_once_and_then_is_absent() {
    let api = Api::seeded(&[]).await;
    let path = "/tickets?limit=16&orderBy=lastInteraction&order=DESC";
    let mut reply = api.get(path).await;
    let mut seen = reply.column("lastInteraction");
    let mut pages = 1;
    while let Some(token) = reply.body.get("continuationToken") {
        reply = next(&api, path, token.as_str().unwrap()).await;
        seen.extend(reply.column("lastInteraction"));
        pages += 1;
    }
    assert_eq!((seen.len(), pages), (40, 3));
    assert!(seen.is_sorted_by(|left, right| left > right));
}

#[tokio::test]
async fn a_token_keeps_its_place_while_tickets_move_to_the_front() {
    let api = Api::seeded(&[]).await;
    let path = "/tickets?limit=20&orderBy=lastInteraction&order=DESC";
    let first = api.get(path).await;
    let moved = api
        .get("/tickets?limit=1&orderBy=lastInteraction&order=ASC")
        .await
        .column("id")
        .remove(0);
    api.post(
        &format!("/tickets/{moved}/activities"),
        &json!({"comment": "x", "user": jason()}),
    )
    .await;
    let second = next(&api, path, first.body["continuationToken"].as_str().unwrap()).await;
    assert_eq!(
        second.items().len(),
        19,
        "the moved ticket is ahead of the token now"
    );
    assert!(
        second
            .column("id")
            .iter()
            .all(|id| !first.column("id").contains(id))
    );
}

#[tokio::test]
async fn a_token_of_another_query_or_of_nothing_is_refused() {
    let api = Api::seeded(&[]).await;
    let token = api.get("/tickets?limit=5").await.body["continuationToken"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in [
        "/tickets",
        "/tickets?limit=6",
        "/tickets?limit=5&status=Open",
        "/tickets?limit=5&offset=5",
    ] {
        let reply = next(&api, path, &token).await;
        assert_eq!(reply.status, 400, "{path}");
        assert!(reply.message().contains("continuationToken"));
    }
    assert_eq!(next(&api, "/tickets?limit=5", "nonsense").await.status, 400);
    assert_eq!(
        next(&api, "/tickets?limit=5", "").await.status,
        200,
        "an empty header is none"
    );
}

#[tokio::test]
async fn every_order_of_the_reference_works_both_ways() {
    let api = Api::seeded(&[]).await;
    for (order_by, column) in [
        ("status", "status"),
        ("ticketId", "ticketId"),
        ("title", "title"),
        ("requestorName", "requestorName"),
        ("requestorEmail", "requestorEmail"),
        ("assigneeName", "assigneeName"),
        ("assigneeEmail", "assigneeEmail"),
        ("expectedDate", "expectedDate"),
        ("createdDateTime", "createdDateTime"),
        ("lastInteraction", "lastInteraction"),
    ] {
        let path = format!("/tickets?orderBy={order_by}&select=id,{column}&limit=1000");
        let up = api.get(&format!("{path}&order=ASC")).await;
        let down = api.get(&format!("{path}&order=DESC")).await;
        // A ticket without a value comes before those with one.
        let values: Vec<_> = up
            .column(column)
            .into_iter()
            .filter(|value| value != "null")
            .map(|value| value.to_lowercase())
            .collect();
        assert!(values.is_sorted() && !values.is_empty(), "{order_by}: {values:?}");
        let mut reversed = down.column("id");
        reversed.reverse();
        assert_eq!(up.column("id"), reversed, "{order_by}");
    }
    let priorities = api
        .get("/tickets?orderBy=priority&order=DESC&limit=40")
        .await
        .column("priority");
    let rank = |name: &String| {
        ["Urgent", "Important", "Medium", "Low"]
            .iter()
            .position(|known| known == name)
    };
    assert!(priorities.is_sorted_by_key(rank));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let api = Api::seeded(&[]).await;
    let get = async |query: &str| api.get(&format!("/tickets?limit=1000&{query}")).await;
    for status in ["Open", "Reopened", "Started", "Resolved", "Closed"] {
        let found = get(&format!("status={status}")).await.column("status");
        assert!(
            !found.is_empty() && found.iter().all(|value| value == status),
            "{status}: {found:?}"
        );
    }
    for priority in ["Low", "Medium", "Important", "Urgent"] {
        let found = get(&format!("priority={priority}")).await.column("priority");
        assert!(
            !found.is_empty() && found.iter().all(|value| value == priority),
            "{priority}"
        );
    }
    assert!(
        get("title=vpn")
            .await
            .column("title")
            .iter()
            .all(|title| title.contains("VPN"))
    );
    assert_eq!(
        get("search=vpn").await.items().len(),
        4,
        "the title is searched, in any case"
    );
    assert_eq!(
        get("search=Aisle%207").await.items().len(),
        3,
        "the description is searched"
    );
    assert_eq!(
        get("search=1017").await.column("ticketId"),
        ["1017"],
        "the number is searched"
    );
    assert_eq!(
        get("search=jason.doe").await.items().len(),
        0,
        "the requestor is not searched"
    );
    assert_eq!(get("search=").await.items().len(), 40);
}

#[tokio::test]
async fn the_closed_of_the_reference_has_a_space_in_front() {
    let api = Api::seeded(&[]).await;
    let plain = api.get("/tickets?status=Closed").await.column("id");
    assert_eq!(api.get("/tickets?status=%20Closed").await.column("id"), plain);
}

#[tokio::test]
async fn tags_are_named_by_category_and_text() {
    let api = Api::seeded(&[]).await;
    let vip = "2283653a-8d36-40eb-9a68-73eb3b331811_vip";
    let network = "b1f6c0de-54a8-4f3a-8b1d-3c7e9a2d4f60_network";
    let count = async |tags: &str| {
        api.get(&format!("/tickets?limit=1000&tags={tags}"))
            .await
            .items()
            .len()
    };
    assert_eq!(count(vip).await, 6);
    assert_eq!(count(network).await, 10);
    assert_eq!(
        count(&format!("{vip},{network}")).await,
        15,
        "a ticket with any of them"
    );
    assert_eq!(count("2283653a-8d36-40eb-9a68-73eb3b331811_nothing").await, 0);
    assert_eq!(api.get("/tickets?tags=vip").await.status, 400);
}

#[tokio::test]
async fn select_gives_the_columns_asked_for_and_no_other() {
    let api = Api::seeded(&[]).await;
    let reply = api
        .get("/tickets?select=id,ticketId,title,description,status,requestorName&limit=1")
        .await;
    let row = reply.items()[0].as_object().unwrap();
    assert_eq!(
        row.keys().collect::<Vec<_>>(),
        [
            "id",
            "ticketId",
            "title",
            "description",
            "status",
            "requestorName"
        ]
    );
    let all = "id,ticketId,title,description,status,requestor,customFields,priority,assignee,expectedDate,resolution,\
               firstResponseOn,firstResolutionOn,lastResolutionOn,createdOn,tags,lastUpdatedOn,isFrtEscalated,\
               isRtEscalated,createdBy,lastUpdatedBy,lastResolutionComment";
    assert_eq!(api.get(&format!("/tickets?select={all}")).await.status, 200);
    let unknown = api.get("/tickets?select=id,colour").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.message().contains("colour"));
}

#[tokio::test]
async fn the_references_example_works_as_printed() {
    let api = Api::seeded(&[]).await;
    let path = "/tickets?timezone=0&orderBy=status&order=ASC&select=id,ticketId,title,description,status,requestorName&offset=0&limit=20";
    assert_eq!(api.get(path).await.items().len(), 20);
}

#[tokio::test]
async fn values_outside_the_reference_are_refused() {
    let api = Api::with(&[]).await;
    for query in [
        "timezone=x",
        "timezone=15",
        "timezone=-13",
        "timezone=1.5",
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "offset=-1",
        "offset=x",
        "status=New",
        "status=Open,Closed",
        "status=",
        "priority=High",
        "orderBy=id",
        "orderBy=",
        "order=desc",
        "order=",
    ] {
        let reply = api.get(&format!("/tickets?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(
            (&reply.body["error"], &reply.body["statusCode"]),
            (&json!(true), &json!(400)),
            "{query}"
        );
    }
    for query in [
        "timezone=-12",
        "timezone=14",
        "limit=1000",
        "offset=1000",
        "unknown=1",
    ] {
        assert_eq!(api.get(&format!("/tickets?{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn a_ticket_is_read_by_its_id_not_its_number() {
    let api = Api::seeded(&[]).await;
    let row = api.get("/tickets?limit=1").await.items()[0].clone();
    let read = api
        .get(&format!("/tickets/{}?timezone=0", row["id"].as_str().unwrap()))
        .await;
    assert_eq!(read.item(), &row);
    assert_eq!(
        api.get(&format!("/tickets/{}", row["ticketId"])).await.status,
        404
    );
}

#[tokio::test]
async fn every_kind_of_change_moves_the_last_interaction() {
    let api = Api::with(&[]).await;
    let id = api.new_ticket("First").await;
    let mut times = vec![api.kept(&id)["lastInteraction"].clone()];
    api.post(
        &format!("/tickets/{id}/activities"),
        &json!({"comment": "x", "user": alex()}),
    )
    .await;
    times.push(api.kept(&id)["lastInteraction"].clone());
    api.put(
        &format!("/tickets/{id}"),
        &json!({"updates": {"title": "Second"}, "user": alex()}),
    )
    .await;
    times.push(api.kept(&id)["lastInteraction"].clone());
    api.put(
        &format!("/tickets/{id}/status"),
        &json!({"status": "Started", "user": alex()}),
    )
    .await;
    times.push(api.kept(&id)["lastInteraction"].clone());
    let times: Vec<_> = times.iter().map(|time| time.as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|left, right| left < right), "{times:?}");
    assert_eq!(
        api.kept(&id)["lastUpdatedOn"],
        times[3],
        "without quirks both times move together"
    );
}
