//! Which windows are read, and how far the watermark goes.

use std::time::Duration;

use polling::{Boundary, Limits, Order, Outcome, Page, PageRequest, Paging, Settings, SourceError};

use crate::support::{World, at, failure, key, listing, page, ticket};

/// Interval 30, look-back 120, settle 10, in steps of a second.
fn settings(order: Order) -> Settings {
    Settings {
        order,
        paging: Paging::Stable,
        ..Settings::default()
    }
}

#[test]
fn w1_a_window_reaches_from_the_look_back_to_the_settle_and_is_fixed_before_page_1() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    // Each page takes 20 s; the end stays where it was.
    world.with(|inner| inner.page_takes = 20.0);
    world.answers([page(vec![], Some("2")), page(vec![], Some("3"))]);
    world.poll(&settings(Order::Asc));
    let window = |token: Option<&str>| (840.0, 990.0, token.map(str::to_owned));
    let requests = world.requests();
    assert_eq!(
        requests[..3],
        [window(None), window(Some("2")), window(Some("3"))]
    );
}

#[test]
fn w1_after_an_outage_the_window_starts_at_the_watermark_however_old() {
    let world = World::at(100_000.0);
    world.polled_until(1000.0);
    world.model(listing(
        vec![ticket("A", 1010.0, "New"), ticket("B", 50_000.0, "New")],
        50,
    ));
    let report = world.poll(&settings(Order::Asc));
    assert_eq!(report.outcome, Outcome::CaughtUp);
    assert_eq!(world.published(), ["A New", "B New"]);
    let requests = world.requests();
    assert_eq!(
        requests[0],
        (880.0, 4600.0, None),
        "the longest window is an hour"
    );
    assert_eq!(requests.last().unwrap().1, 99_990.0);
}

#[test]
fn w2_a_coarse_granularity_widens_the_window_down_and_never_up() {
    let world = World::at(1000.0);
    world.polled_until(950.5);
    let minutes = Settings {
        granularity: Duration::from_secs(60),
        ..settings(Order::Asc)
    };
    world.poll(&minutes);
    // 830.5 and 990 in whole minutes.
    assert_eq!(world.requests(), [(780.0, 960.0, None)]);
}

#[test]
fn w2_a_part_of_a_window_is_asked_for_in_whole_steps_too() {
    for order in [Order::Asc, Order::Desc, Order::Unsorted] {
        let world = World::at(1000.0);
        world.polled_until(960.0);
        // 20 tickets a minute, on pages of 30: the window is read in parts that end between two minutes.
        let mut listed: Vec<_> = (0..40)
            .map(|number| ticket(&format!("T{number:02}"), 840.0 + 3.0 * f64::from(number), "New"))
            .collect();
        if order == Order::Desc {
            listed.reverse();
        }
        world.model(listing(listed, 30));
        let minutes = Settings {
            granularity: Duration::from_secs(60),
            paging: Paging::Shifting,
            ..settings(order)
        };
        assert_eq!(world.poll(&minutes).outcome, Outcome::CaughtUp);
        assert_eq!(world.published().len(), 40, "{order:?}");
        let in_steps = |(start, end, _): (f64, f64, Option<String>)| start % 60.0 == 0.0 && end % 60.0 == 0.0;
        assert!(world.requests().into_iter().all(in_steps), "{order:?}");
    }
}

#[test]
fn w2_times_are_compared_as_instants() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut zoned = ticket("A", 970.0, "New");
    zoned.updated_at = "2026-01-05T15:46:10+05:30".parse().unwrap();
    world.answers([page(vec![zoned], None)]);
    world.poll(&settings(Order::Asc));
    assert_eq!(world.published(), ["A New"]);
    assert_eq!(world.watermark(), 970.0);
}

#[test]
fn w3_an_exclusive_filter_is_asked_for_one_step_more_on_both_sides() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let exclusive = Settings {
        boundary: Boundary::Exclusive,
        ..settings(Order::Asc)
    };
    world.poll(&exclusive);
    assert_eq!(world.requests(), [(839.0, 991.0, None)]);
}

#[test]
fn w3_what_lies_outside_the_window_is_left_for_another_one() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.answers([page(
        vec![
            ticket("before", 839.9, "New"),
            ticket("first", 840.0, "New"),
            ticket("last", 990.0, "New"),
            ticket("after", 990.1, "New"),
        ],
        None,
    )]);
    world.poll(&settings(Order::Unsorted));
    assert_eq!(world.published(), ["first New", "last New"]);
    assert_eq!(world.watermark(), 990.0);
}

#[test]
fn w4_the_watermark_moves_only_when_the_window_is_read_to_its_end() {
    for order in [Order::Asc, Order::Desc, Order::Unsorted, Order::Feed] {
        let world = World::at(1000.0);
        world.polled_until(900.0);
        world.answers([page(vec![ticket("A", 950.0, "New")], Some("2"))]);
        world.fails(SourceError::transient("connection reset"));
        world.poll(&settings(order));
        assert_eq!(world.published(), ["A New"]);
        assert_eq!(world.watermark(), 900.0, "{order:?}");
        world.poll(&settings(order));
        assert_eq!(
            world.requests().last().unwrap().2.as_deref(),
            Some("2"),
            "{order:?} goes on"
        );
        assert_eq!(world.watermark(), 950.0, "{order:?}");
    }
}

#[test]
fn w4_a_run_that_ends_within_a_window_leaves_the_watermark_where_it_was() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.with(|inner| inner.page_takes = 10.0);
    world.answers([
        page(vec![ticket("A", 970.0, "New")], Some("2")),
        page(vec![ticket("B", 965.0, "New")], None),
    ]);
    let short = Limits {
        deadline: at(1015.0),
        ..world.limits()
    };
    let report = world.poll_as(&key(), &settings(Order::Unsorted), &short);
    assert_eq!((report.outcome, report.pages), (Outcome::MoreToDo, 1));
    assert_eq!(world.published(), ["A New"]);
    assert_eq!(world.watermark(), 960.0);
    world.poll(&settings(Order::Unsorted));
    assert_eq!(world.published(), ["A New", "B New"]);
    assert_eq!(world.watermark(), 970.0);
}

#[test]
fn w4_a_feed_is_read_until_it_reaches_what_lies_before_the_window() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.answers([
        page(
            vec![ticket("A", 980.0, "New"), ticket("B", 970.0, "New")],
            Some("2"),
        ),
        page(
            vec![ticket("C", 850.0, "New"), ticket("D", 839.0, "New")],
            Some("3"),
        ),
        page(vec![ticket("E", 500.0, "New")], Some("4")),
    ]);
    let report = world.poll(&settings(Order::Feed));
    assert_eq!(report.pages, 2);
    assert_eq!(world.published(), ["A New", "B New", "C New"]);
}

#[test]
fn w4_a_ticket_that_a_feed_keeps_on_top_does_not_end_it() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.answers([
        page(
            vec![ticket("B", 970.0, "New"), ticket("pinned", 1.0, "New")],
            Some("2"),
        ),
        page(
            vec![ticket("pinned", 1.0, "New"), ticket("C", 850.0, "New")],
            Some("3"),
        ),
        page(vec![ticket("E", 500.0, "New")], Some("4")),
    ]);
    // A page in order that ends before the window is the end of it; one that is not in order is not.
    let feed = settings(Order::Feed);
    world.poll(&feed);
    world.set(1030.0);
    world.with(|inner| inner.script.clear());
    world.answers([
        page(
            vec![ticket("pinned", 1.0, "New"), ticket("D", 975.0, "New")],
            Some("2"),
        ),
        page(
            vec![ticket("C", 900.0, "New"), ticket("E", 500.0, "New")],
            Some("3"),
        ),
    ]);
    world.poll(&feed);
    assert_eq!(world.published(), ["B New", "D New", "C New"]);
}

#[test]
fn w5_an_event_that_is_not_accepted_holds_the_watermark() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.with(|inner| inner.refuse = vec!["B".to_owned()]);
    world.model(listing(
        vec![ticket("A", 970.0, "New"), ticket("B", 971.0, "New")],
        50,
    ));
    let report = world.poll(&settings(Order::Asc));
    assert_eq!(failure(&report), "the sink did not take events: busy");
    assert_eq!(
        (world.published(), world.watermark()),
        (vec!["A New".to_owned()], 960.0)
    );
    world.with(|inner| inner.refuse.clear());
    world.set(1030.0);
    world.poll(&settings(Order::Asc));
    assert_eq!(
        (world.published(), world.watermark()),
        (vec!["A New".to_owned(), "B New".to_owned()], 971.0)
    );
    assert_eq!(
        world.with(|inner| inner.accepted),
        2,
        "what was accepted was not offered again"
    );
}

#[test]
fn w5_whoever_lost_the_stream_does_not_move_its_watermark() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let rewound = world.clone();
    world.model(move |_| {
        // While the page is read, an operator puts the watermark back.
        rewound.with(|inner| {
            let record = inner.records.get_mut(&key()).unwrap();
            (record.watermark, record.revision) = (at(100.0), record.revision + 1);
        });
        Ok(page(vec![ticket("A", 970.0, "New")], None))
    });
    let report = world.poll(&settings(Order::Asc));
    assert_eq!(report.outcome, Outcome::Superseded);
    assert_eq!((world.published().len(), world.watermark()), (0, 100.0));
}

#[test]
fn w5_a_second_run_stays_away_while_the_lease_lasts() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(listing(vec![ticket("A", 970.0, "New")], 50));
    // A run that dies while it publishes leaves its lease.
    let mut steps = 1;
    while world.with(|inner| inner.log.is_empty()) {
        world.with(|inner| inner.seen.clear());
        world.polled_until(960.0);
        assert!(world.poll_killed_after(&settings(Order::Asc), steps));
        steps += 1;
    }
    let report = world.poll(&settings(Order::Asc));
    assert_eq!(report.outcome, Outcome::Busy { until: at(1060.0) });
    world.set(1061.0);
    assert_eq!(world.poll(&settings(Order::Asc)).outcome, Outcome::CaughtUp);
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn w6_the_watermark_goes_to_the_last_change_and_without_one_stays_the_look_back_behind() {
    let world = World::at(1000.0);
    world.polled_until(700.0);
    world.poll(&settings(Order::Unsorted));
    assert_eq!(world.watermark(), 870.0, "990 - 120");
    world.set(1030.0);
    world.answers([page(
        vec![ticket("A", 1015.0, "New"), ticket("B", 1001.0, "New")],
        None,
    )]);
    world.poll(&settings(Order::Unsorted));
    assert_eq!(world.watermark(), 1015.0);
    world.set(1060.0);
    world.poll(&settings(Order::Unsorted));
    assert_eq!(world.watermark(), 1015.0, "it does not go back to 930");
}

#[test]
fn w6_a_change_that_shows_late_is_within_the_look_back() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.answers([page(vec![ticket("A", 985.0, "New")], None)]);
    world.poll(&settings(Order::Asc));
    // Made at 870, visible only now.
    world.set(1000.0 + 15.0);
    world.answers([page(
        vec![ticket("late", 870.0, "New"), ticket("A", 985.0, "New")],
        None,
    )]);
    world.poll(&settings(Order::Asc));
    assert_eq!(world.published(), ["A New", "late New"]);
}

#[test]
fn w8_a_run_that_nears_its_deadline_saves_its_page_and_the_next_goes_on_in_the_same_window() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.with(|inner| inner.page_takes = 10.0);
    world.answers([
        page(vec![ticket("A", 961.0, "New")], Some("2")),
        page(vec![ticket("B", 962.0, "New")], Some("3")),
        page(vec![ticket("C", 963.0, "New")], Some("4")),
    ]);
    let short = Limits {
        deadline: at(1025.0),
        ..world.limits()
    };
    let report = world.poll_as(&key(), &settings(Order::Asc), &short);
    assert_eq!((report.outcome, report.pages), (Outcome::MoreToDo, 2));
    assert_eq!(world.record().lease, None, "the next run may start at once");
    let report = world.poll(&settings(Order::Asc));
    assert_eq!(report.outcome, Outcome::CaughtUp);
    let requests = world.requests();
    assert_eq!(
        requests[2],
        (840.0, 990.0, Some("3".to_owned())),
        "the same window, the next page"
    );
    assert_eq!(world.published(), ["A New", "B New", "C New"]);
    assert_eq!(world.watermark(), 963.0);
}

#[test]
fn w8_a_saved_token_that_expired_starts_the_window_again() {
    for error in [SourceError::token_expired("gone"), SourceError::permanent("400")] {
        let world = World::at(1000.0);
        world.polled_until(960.0);
        world.answers([page(vec![ticket("A", 961.0, "New")], Some("2"))]);
        world.fails(error);
        world.poll(&settings(Order::Asc));
        world.answers([page(
            vec![ticket("A", 961.0, "New"), ticket("B", 962.0, "New")],
            None,
        )]);
        world.poll(&settings(Order::Asc));
        let tokens: Vec<_> = world.requests().into_iter().map(|request| request.2).collect();
        assert_eq!(tokens, [None, Some("2".to_owned()), None]);
        assert_eq!(world.published(), ["A New", "B New"]);
    }
}

#[test]
fn w9_a_token_that_does_not_change_is_an_error_that_shows_it() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(|_| Ok(page(vec![], Some("again"))));
    let report = world.poll(&settings(Order::Asc));
    assert!(
        failure(&report).contains("is the one that was sent (`again`)"),
        "{:?}",
        report.outcome
    );
    assert_eq!((report.pages, world.watermark()), (2, 960.0));
}

#[test]
fn w9_tokens_that_come_round_are_an_error() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(|request| {
        let number: u64 = request.token.as_deref().map_or(0, |token| token.parse().unwrap());
        Ok(page(vec![], Some(&((number + 1) % 7).to_string())))
    });
    let report = world.poll(&settings(Order::Asc));
    assert!(failure(&report).contains("come round"), "{:?}", report.outcome);
    assert!(report.pages < 40);
}

#[test]
fn w9_the_same_page_under_new_tokens_is_an_error() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.model(|request| {
        let number: u64 = request.token.as_deref().map_or(0, |token| token.parse().unwrap());
        Ok(page(
            vec![ticket("A", 970.0, "New")],
            Some(&(number + 1).to_string()),
        ))
    });
    let report = world.poll(&settings(Order::Unsorted));
    assert!(
        failure(&report).contains("the same tickets"),
        "{:?}",
        report.outcome
    );
    assert_eq!(report.pages, 5);
}

#[test]
fn w9_an_empty_page_with_a_token_is_not_the_end() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    world.answers([
        page(vec![], Some("2")),
        page(vec![], Some("3")),
        page(vec![ticket("A", 970.0, "New")], None),
    ]);
    assert_eq!(world.poll(&settings(Order::Asc)).outcome, Outcome::CaughtUp);
    assert_eq!(world.published(), ["A New"]);
}

#[test]
fn w9_a_window_with_more_pages_than_the_cap_is_split() {
    let many: Vec<_> = (0..90)
        .map(|number| ticket(&format!("T{number}"), 870.0 + f64::from(number), "New"))
        .collect();
    for order in [Order::Asc, Order::Desc, Order::Unsorted] {
        for paging in [Paging::Stable, Paging::Shifting] {
            let world = World::at(1000.0);
            world.polled_until(960.0);
            let mut listed = many.clone();
            match order {
                Order::Desc => listed.reverse(),
                Order::Unsorted => listed.sort_by_key(|ticket| ticket.id.clone()),
                _ => {}
            }
            let inner = listing(listed, 5);
            world.model(move |request| {
                assert!(
                    request
                        .token
                        .as_deref()
                        .is_none_or(|token| token.parse::<u32>().unwrap() < 20)
                );
                inner(request)
            });
            let capped = Settings {
                max_pages: Some(4),
                paging,
                ..settings(order)
            };
            let report = world.poll(&capped);
            assert_eq!(report.outcome, Outcome::CaughtUp, "{order:?} {paging:?}");
            assert_eq!(
                (world.published().len(), world.watermark()),
                (90, 960.0),
                "{order:?} {paging:?}"
            );
        }
    }
}

/// `updated_since` and nothing else: the newest page comes whatever end is asked for.
#[test]
fn w9_a_list_that_takes_no_end_is_followed_and_not_cut_at_its_end() {
    let burst: Vec<_> = (0..230)
        .map(|number| ticket(&format!("T{number}"), 970.0 + f64::from(number) / 20.0, "New"))
        .collect();
    // With tickets after the window it shows on the first page, without them on the first part.
    for (order, unsettled) in [
        (Order::Desc, 10),
        (Order::Desc, 0),
        (Order::Unsorted, 10),
        (Order::Unsorted, 0),
    ] {
        let after = (0..unsettled).map(|number| ticket(&format!("N{number}"), 995.0, "New"));
        let newest_first: Vec<_> = after.chain(burst.iter().rev().cloned()).collect();
        let world = World::at(1000.0);
        world.polled_until(960.0);
        let all = listing(newest_first, 20);
        world.model(move |request| {
            all(&PageRequest {
                end: at(2000.0),
                ..request.clone()
            })
        });
        let report = world.poll(&Settings {
            paging: Paging::Shifting,
            ..settings(order)
        });
        assert_eq!(report.outcome, Outcome::CaughtUp, "{order:?}");
        assert_eq!(world.published().len(), 230, "{order:?}");
        let asked = world.requests().len();
        assert!(
            asked <= 55,
            "{order:?} {unsettled}: twelve pages, twice, for each of two parts, in {asked} requests"
        );
    }
}

/// A filter that the ticketing system does not know, or that the integration misspells: all tickets come, the oldest first
/// or in no order, whatever part is asked for.
#[test]
fn w9_a_list_that_takes_no_start_is_followed_and_not_cut_at_its_start() {
    let old = (0..300).map(|number| ticket(&format!("O{number}"), -900_000.0 + f64::from(number), "New"));
    let new = (0..30).map(|number| ticket(&format!("T{number}"), 970.0 + f64::from(number) / 20.0, "New"));
    let oldest_first: Vec<_> = old.chain(new).collect();
    for (order, most) in [(Order::Asc, 40), (Order::Unsorted, 40), (Order::Desc, 70)] {
        let world = World::at(1000.0);
        world.polled_until(960.0);
        let mut tickets = oldest_first.clone();
        if order == Order::Desc {
            tickets.reverse();
        }
        let all = listing(tickets, 20);
        world.model(move |request| {
            all(&PageRequest {
                start: at(-2_000_000.0),
                ..request.clone()
            })
        });
        let report = world.poll(&Settings {
            paging: Paging::Shifting,
            ..settings(order)
        });
        assert_eq!(report.outcome, Outcome::CaughtUp, "{order:?}");
        assert_eq!(world.published().len(), 30, "{order:?}");
        let asked = world.requests().len();
        assert!(asked <= most, "{order:?}: {asked} requests");
    }
}

/// `refilter`: what the ticketing system gives of other times is dropped before it comes here.
#[test]
fn w9_pages_without_a_ticket_of_the_window_are_followed_and_not_cut() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let mut tickets: Vec<_> = (0..300)
        .map(|number| ticket(&format!("O{number}"), -900_000.0 + f64::from(number), "New"))
        .collect();
    tickets.extend((0..30).map(|number| ticket(&format!("T{number}"), 970.0, "New")));
    let all = listing(tickets, 20);
    world.model(move |request| {
        let mut page = all(&PageRequest {
            start: at(-2_000_000.0),
            end: at(2000.0),
            ..request.clone()
        })?;
        page.tickets
            .retain(|ticket| request.start <= ticket.updated_at && ticket.updated_at <= request.end);
        Ok(page)
    });
    let report = world.poll(&Settings {
        paging: Paging::Shifting,
        ..settings(Order::Unsorted)
    });
    assert_eq!(report.outcome, Outcome::CaughtUp);
    assert_eq!(world.published().len(), 30);
    let asked = world.requests().len();
    assert!(asked <= 34, "seventeen pages, twice, in {asked} requests");
}

/// A list without an order can only be cut by time; what was enough for one part is tried for the next.
#[test]
fn w9_a_list_without_an_order_is_read_in_about_as_many_requests_as_it_has_parts() {
    let even: Vec<_> = (0..400)
        .map(|number| ticket(&format!("E{number}"), 850.0 + f64::from(number) / 4.0, "New"))
        .collect();
    let burst = (0..100).map(|number| ticket(&format!("B{number}"), 861.0 + f64::from(number) / 25.0, "New"));
    let then_quiet: Vec<_> = burst
        .chain((0..20).map(|number| ticket(&format!("Q{number}"), 890.0 + 4.0 * f64::from(number), "New")))
        .collect();
    for (tickets, most) in [(even, 40), (then_quiet, 30)] {
        let world = World::at(1000.0);
        world.polled_until(960.0);
        let count = tickets.len();
        world.model(listing(tickets, 30));
        let report = world.poll(&Settings {
            paging: Paging::Shifting,
            ..settings(Order::Unsorted)
        });
        assert_eq!(report.outcome, Outcome::CaughtUp);
        assert_eq!(world.published().len(), count);
        let asked = world.requests().len();
        assert!(asked <= most, "{count} tickets in {asked} requests");
    }
}

#[test]
fn w9_more_tickets_at_one_time_than_the_pages_hold_is_an_error_that_says_where() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let same: Vec<_> = (0..30)
        .map(|number| ticket(&format!("T{number}"), 970.0, "New"))
        .collect();
    world.model(listing(same, 5));
    let capped = Settings {
        max_pages: Some(4),
        ..settings(Order::Unsorted)
    };
    let report = world.poll(&capped);
    assert!(
        failure(&report).contains("no more than 4 pages"),
        "{:?}",
        report.outcome
    );
    assert!(
        failure(&report).contains("2026-01-05T10:16:"),
        "{:?}",
        report.outcome
    );
}

#[test]
fn w9_a_row_that_leaves_the_list_while_it_is_read_hides_no_other() {
    let tickets: Vec<_> = (0..23)
        .map(|number| ticket(&format!("T{number:02}"), 900.0 + f64::from(number), "New"))
        .collect();
    for order in [Order::Asc, Order::Desc, Order::Unsorted] {
        for same_time in [false, true] {
            let mut listed = tickets.clone();
            if same_time {
                listed.iter_mut().for_each(|ticket| ticket.updated_at = at(900.0));
            } else if order == Order::Desc {
                listed.reverse();
            }
            let world = World::at(1000.0);
            world.polled_until(960.0);
            let whole = listing(listed.clone(), 10);
            let without_first = listing(listed[1..].to_vec(), 10);
            let calls = std::sync::atomic::AtomicUsize::new(0);
            world.model(move |request| {
                // After the first page with rows on it, its first ticket is changed and out of the window.
                let answer = if calls.load(std::sync::atomic::Ordering::Relaxed) == 0 {
                    whole(request)
                } else {
                    without_first(request)
                };
                let rows = answer.as_ref().map_or(0, |page: &Page| page.tickets.len());
                let is_long = rows == 10 && answer.as_ref().is_ok_and(|page| page.next.is_some());
                if is_long && (!same_time || request.end.as_second() - request.start.as_second() < 5) {
                    calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
                answer
            });
            let shifting = Settings {
                paging: Paging::Shifting,
                ..settings(order)
            };
            assert_eq!(world.poll(&shifting).outcome, Outcome::CaughtUp);
            assert_eq!(
                world.published().len(),
                23,
                "{order:?}, all at one time: {same_time}"
            );
        }
    }
}

#[test]
fn w9_equal_times_across_a_page_boundary_are_all_seen() {
    let tickets: Vec<_> = (0..25)
        .map(|number| ticket(&format!("T{number:02}"), 900.0, "New"))
        .collect();
    for order in [Order::Asc, Order::Desc, Order::Unsorted] {
        for paging in [Paging::Stable, Paging::Shifting] {
            let world = World::at(1000.0);
            world.polled_until(960.0);
            world.model(listing(tickets.clone(), 10));
            assert_eq!(
                world
                    .poll(&Settings {
                        paging,
                        ..settings(order)
                    })
                    .outcome,
                Outcome::CaughtUp
            );
            assert_eq!(world.published().len(), 25, "{order:?} {paging:?}");
        }
    }
}

#[test]
fn w10_a_clock_that_is_behind_ours_pulls_the_window_back_already_on_its_first_page() {
    let world = World::at(1000.0);
    world.polled_until(800.0);
    // It is 940 there: a ticket of 935 may not be settled, and one of 925 is.
    let mut first = page(vec![ticket("A", 925.0, "New"), ticket("B", 935.0, "New")], None);
    first.date = Some(at(940.0));
    world.answers([first]);
    let report = world.poll(&settings(Order::Asc));
    assert!(report.is_skewed());
    assert_eq!(world.published(), ["A New"]);
    assert_eq!(world.watermark(), 925.0);
    world.set(1030.0);
    world.poll(&settings(Order::Asc));
    assert_eq!(world.requests()[1], (805.0, 960.0, None), "1030 - 60 - 10");
}

#[test]
fn w10_a_token_of_the_list_before_its_end_was_pulled_back_is_not_followed() {
    let world = World::at(1000.0);
    world.polled_until(800.0);
    let mut first = page(
        vec![ticket("A", 925.0, "New"), ticket("B", 935.0, "New")],
        Some("2"),
    );
    first.date = Some(at(940.0));
    let mut again = page(vec![ticket("A", 925.0, "New")], Some("2 of the shorter list"));
    again.date = Some(at(940.0));
    let last = page(vec![ticket("C", 920.0, "New")], None);
    world.answers([first, again, last]);
    let report = world.poll(&settings(Order::Unsorted));
    assert_eq!((report.outcome, report.pages), (Outcome::CaughtUp, 3));
    let asked: Vec<_> = world
        .requests()
        .into_iter()
        .map(|request| (request.1, request.2))
        .collect();
    let shorter = Some("2 of the shorter list".to_owned());
    assert_eq!(asked, [(990.0, None), (930.0, None), (930.0, shorter)]);
    assert_eq!(world.published(), ["A New", "C New"]);
}

#[test]
fn w10_a_clock_that_is_ahead_of_ours_moves_the_window_but_an_idle_watermark_does_not_trust_it() {
    let world = World::at(1000.0);
    world.polled_until(800.0);
    let empty = Page {
        date: Some(at(1500.0)),
        ..Page::default()
    };
    world.answers([empty]);
    world.poll(&settings(Order::Asc));
    // The window is 500 s behind, so the run goes on at once.
    let ends: Vec<f64> = world.requests().iter().map(|request| request.1).collect();
    assert_eq!(ends, [990.0, 1490.0], "1000 + 500 - 10");
    assert_eq!(world.watermark(), 870.0, "1000 - 10 - 120, by our own clock");
}

#[test]
fn w10_a_difference_of_a_few_seconds_moves_nothing() {
    let world = World::at(1000.0);
    world.polled_until(960.0);
    let near = Page {
        date: Some(at(996.0)),
        ..Page::default()
    };
    world.answers([near]);
    assert!(!world.poll(&settings(Order::Asc)).is_skewed());
    world.set(1030.0);
    world.poll(&settings(Order::Asc));
    assert_eq!(world.requests()[1].1, 1020.0);
}
