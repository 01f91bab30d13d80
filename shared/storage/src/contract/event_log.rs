//! Rules of an event log.

use std::collections::HashSet;

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Acceptance, Change, Event, EventCursor, EventKind, EventLog, EventWindow, LoggedEvent, TicketVersion,
};

/// An event of a ticket's version.
pub(crate) fn event(integration: &str, ticket: &str, version: u32) -> Event {
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let body = json!({"id": ticket, "state": "Open", "version": version, "comments": [{"body": "Hello"}]});
    Event {
        event_id: format!("evt_{integration}_{ticket}_{version}"),
        kind: EventKind::Updated,
        integration: integration.to_owned(),
        destination: Some("it".to_owned()),
        ticket_id: ticket.to_owned(),
        version: TicketVersion {
            updated_at: time("2026-01-05T10:30:45.123456Z"),
            content: "0123456789abcdef".to_owned(),
            ordinal: version,
        },
        window: EventWindow {
            start: time("2026-01-05T10:30:00Z"),
            end: time("2026-01-05T10:31:00Z"),
        },
        observed_at: time("2026-01-05T10:31:10.5Z"),
        ticket: body.as_object().unwrap().clone(),
        changes: Some(vec![Change {
            field: "state".to_owned(),
            before: json!(null),
            after: json!("Open"),
        }]),
        caused_by: Some("request-1".to_owned()),
        omitted: Vec::new(),
    }
}

fn events(integration: &str, tickets: std::ops::Range<u32>) -> Vec<Event> {
    tickets
        .map(|ticket| event(integration, &format!("T-{ticket}"), 1))
        .collect()
}

/// Offers the events in batches, as the poller does: again, until all are accepted.
async fn publish(log: &impl EventLog, events: &[Event]) {
    for batch in events.chunks(log.batch_size().min(10)) {
        let answers = loop {
            match log.publish(batch).await {
                Err(error) if error.is_unavailable() => tokio::task::yield_now().await,
                answers => break answers.unwrap(),
            }
        };
        assert_eq!(answers, vec![Acceptance::Accepted; batch.len()]);
    }
}

/// Everything after the cursor, read in steps, and that no step gave an event twice or went back.
async fn follow(log: &impl EventLog, integration: &str, after: Option<EventCursor>) -> Vec<Event> {
    let (mut all, mut cursor) = (Vec::new(), after);
    loop {
        let step = log.read(integration, cursor.as_ref(), 7).await.unwrap();
        assert!(step.len() <= 7);
        let Some(last) = step.last() else { return all };
        cursor = Some(last.cursor.clone());
        all.extend(step.into_iter().map(|logged| logged.event));
    }
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.event_id.as_str()).collect()
}

/// And nothing to read.
pub async fn an_empty_log_has_no_end(log: &impl EventLog) {
    assert_eq!(log.end("one").await.unwrap(), None);
    assert!(log.read("one", None, 10).await.unwrap().is_empty());
}

/// As they were offered, byte for byte of their JSON.
pub async fn events_are_read_in_the_order_of_acceptance(log: &impl EventLog) {
    let (first, second) = (events("one", 5..8), events("one", 0..3));
    publish(log, &first).await;
    publish(log, &second).await;
    let read = log.read("one", None, 100).await.unwrap();
    let read: Vec<Event> = read.into_iter().map(|logged| logged.event).collect();
    let expected = [first, second].concat();
    assert_eq!(read, expected);
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(
            serde_json::to_string(read).unwrap(),
            serde_json::to_string(expected).unwrap()
        );
    }
}

/// It gets what follows, whenever that was accepted.
pub async fn a_reader_goes_on_from_its_cursor(log: &impl EventLog) {
    publish(log, &events("one", 0..3)).await;
    let read = log.read("one", None, 2).await.unwrap();
    assert_eq!(read.len(), 2);
    let LoggedEvent { cursor, .. } = &read[1];
    let rest = log.read("one", Some(cursor), 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].event.ticket_id, "T-2");
    let LoggedEvent { cursor, .. } = &rest[0];
    assert!(log.read("one", Some(cursor), 2).await.unwrap().is_empty());
    publish(log, &events("one", 3..4)).await;
    let rest = log.read("one", Some(cursor), 2).await.unwrap();
    assert_eq!(rest[0].event.ticket_id, "T-3");
    assert!(*cursor < rest[0].cursor);
    assert!(log.read("one", Some(cursor), 0).await.unwrap().is_empty());
}

/// Now, and after others.
pub async fn an_event_that_is_offered_again_is_accepted_and_not_added(log: &impl EventLog) {
    let first = events("one", 0..1);
    publish(log, &first).await;
    publish(log, &first).await;
    publish(log, &events("one", 1..5)).await;
    publish(log, &first).await;
    assert_eq!(ids(&follow(log, "one", None).await), ids(&events("one", 0..5)));
}

/// Wherever in the batch it is.
pub async fn a_batch_with_an_event_that_is_known_adds_the_others(log: &impl EventLog) {
    publish(log, &events("one", 2..3)).await;
    publish(log, &events("one", 0..5)).await;
    let read = follow(log, "one", None).await;
    let order: Vec<&str> = read.iter().map(|event| event.ticket_id.as_str()).collect();
    assert_eq!(order, ["T-2", "T-0", "T-1", "T-3", "T-4"]);
}

/// Though a batch may have events of several.
pub async fn integrations_do_not_share_a_log(log: &impl EventLog) {
    let mut same_id = event("two", "T-0", 1);
    same_id.event_id = event("one", "T-0", 1).event_id;
    let batch = [
        event("one", "T-0", 1),
        same_id.clone(),
        event("one", "T-1", 1),
        event("one-more", "T-0", 1),
    ];
    let answers = log.publish(&batch).await.unwrap();
    assert_eq!(answers, vec![Acceptance::Accepted; 4]);
    assert_eq!(ids(&follow(log, "one", None).await), ids(&events("one", 0..2)));
    assert_eq!(follow(log, "two", None).await, [same_id]);
    assert_eq!(follow(log, "one-more", None).await.len(), 1);
}

/// More than any part of the log holds.
pub async fn reading_many_is_reading_them_in_parts(log: &impl EventLog) {
    let many = events("one", 0..250);
    publish(log, &many).await;
    assert_eq!(ids(&follow(log, "one", None).await), ids(&many));
    let at_once = log.read("one", None, 230).await.unwrap();
    let at_once: Vec<Event> = at_once.into_iter().map(|logged| logged.event).collect();
    assert!(!at_once.is_empty() && at_once.len() <= 230);
    assert_eq!(at_once, many[..at_once.len()]);
}

/// And it moves with each event.
pub async fn the_end_is_where_only_new_events_follow(log: &impl EventLog) {
    publish(log, &events("one", 0..3)).await;
    let end = log.end("one").await.unwrap();
    assert!(end.is_some());
    assert!(follow(log, "one", end.clone()).await.is_empty());
    publish(log, &events("one", 3..5)).await;
    assert_eq!(
        ids(&follow(log, "one", end.clone()).await),
        ids(&events("one", 3..5))
    );
    assert!(end < log.end("one").await.unwrap());
    assert_eq!(log.end("two").await.unwrap(), None);
}

/// And from one that is ahead of the log.
pub async fn what_is_no_cursor_is_told_apart_from_one_that_is_too_old(log: &impl EventLog) {
    publish(log, &events("one", 0..3)).await;
    for wrong in [
        "",
        "x",
        "1",
        "-000000000000001",
        "+000000000000001",
        "00000000000000001",
        "2026-01-05T10:30",
    ] {
        let cursor = EventCursor(wrong.to_owned());
        let error = log.read("one", Some(&cursor), 10).await.unwrap_err();
        assert!(error.is_invalid(), "{wrong}: {error:?}");
        assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
    }
    let end = log.end("one").await.unwrap().unwrap();
    let error = log.read("two", Some(&end), 10).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    assert!(error.to_string().contains("`two`"), "{error}");
}

/// Twenty, each with its own tickets, and each ticket's events in their order.
pub async fn of_many_appenders_at_once_nothing_is_lost_or_repeated(log: &impl EventLog) {
    let appenders = (0..20).map(async |appender: u32| {
        for version in 1..=5 {
            let batch: Vec<Event> = (0..3)
                .map(|ticket| event("one", &format!("T-{appender}-{ticket}"), version))
                .collect();
            publish(log, &batch).await;
        }
    });
    join_all(appenders).await;
    let read = follow(log, "one", None).await;
    assert_eq!(read.len(), 20 * 5 * 3);
    assert_eq!(ids(&read).into_iter().collect::<HashSet<_>>().len(), read.len());
    for appender in 0..20 {
        let of_ticket = read
            .iter()
            .filter(|event| event.ticket_id == format!("T-{appender}-1"));
        let versions: Vec<u32> = of_ticket.map(|event| event.version.ordinal).collect();
        assert_eq!(versions, [1, 2, 3, 4, 5]);
    }
}

/// Two workers, because a lease ran out.
pub async fn twins_that_offer_the_same_at_once_add_it_once(log: &impl EventLog) {
    let same = events("one", 0..20);
    let twins = (0..8).map(|_| publish(log, &same));
    join_all(twins).await;
    let read = follow(log, "one", None).await;
    let distinct: HashSet<&str> = ids(&read).into_iter().collect();
    assert_eq!((read.len(), distinct.len()), (20, 20));
}

/// It reads while they write and never goes back.
pub async fn a_reader_beside_appenders_misses_nothing(log: &impl EventLog) {
    let appenders = join_all((0..5).map(async |appender: u32| {
        for ticket in 0..20 {
            publish(log, &[event("one", &format!("T-{appender}-{ticket}"), 1)]).await;
        }
    }));
    let reader = async {
        let (mut read, mut cursor) = (Vec::new(), None);
        while read.len() < 100 {
            for logged in log.read("one", cursor.as_ref(), 9).await.unwrap() {
                cursor = Some(logged.cursor);
                read.push(logged.event);
            }
            tokio::task::yield_now().await;
        }
        read
    };
    let (read, _) = tokio::join!(reader, appenders);
    let distinct: HashSet<&str> = ids(&read).into_iter().collect();
    assert_eq!((read.len(), distinct.len()), (100, 100));
    assert!(
        log.read("one", log.end("one").await.unwrap().as_ref(), 9)
            .await
            .unwrap()
            .is_empty()
    );
}
