//! Checks of `polling`: that the integration can be polled, and that the numbers fit each other.

use std::time::Duration;

use mapping::{InputPath, Mapping, Node, Place};

use super::World;
use crate::contract::{TICKET_FIELDS, TasAction};
use crate::model::compound::{ByAction, Compound, Step};
use crate::model::http_action::{Cell, HttpAction};
use crate::model::paginate::Paginate;
use crate::model::polling::{Granularity, Order, Polling};
use crate::polling::Polling as Numbers;
use crate::read::{Report, is_set, suggestion};
use crate::rules;

pub(crate) fn check(world: &World<'_>, report: &mut Report) {
    let polling = world.document.polling.as_ref();
    let Some(polling) = polling.filter(|polling| polling.enabled.is_none_or(|enabled| enabled.0)) else {
        return;
    };
    check_window(polling, report);
    check_numbers(polling, report);
    check_ignored_fields(polling, report);
    let Some(actions) = world.document.actions.get() else {
        return;
    };
    if !actions.has(TasAction::QueryTicketsByTimeRange) {
        let message = "polling needs the action `query_tickets_by_time_range`";
        report.add(&rules::CANNOT_POLL, &polling.place, message);
    }
    let query = ByAction::read(actions).find(|(action, _, _)| *action == TasAction::QueryTicketsByTimeRange);
    let query = query.map(|(_, _, query)| query);
    check_destinations(polling, query, world, report);
    if let Some(query) = query {
        check_pages(query, world, report);
        check_end(polling, query, world, report);
    }
}

/// A window starts a look-back before the watermark, and after one without a change the watermark stays a look-back behind
/// its end: one that is not twice as long would not get on.
fn check_window(polling: &Polling, report: &mut Report) {
    let look_back = look_back(polling);
    if let Some(longest) = polling.max_window_seconds
        && longest.0 < 2 * look_back
    {
        let message = format!(
            "a window of {} s is shorter than twice the look-back of {} s",
            longest.0.as_secs_f64(),
            look_back.as_secs_f64()
        );
        report.add(
            &rules::POLL_WINDOW,
            key(polling, &["max_window_seconds"]),
            message,
        );
    }
}

fn check_numbers(polling: &Polling, report: &mut Report) {
    let mut remark = |names: &[&str], message: String| {
        report.add(&rules::POLL_NUMBER, key(polling, names), message);
    };
    let numbers = Numbers::default();
    let settle = polling.settle_seconds.map_or(numbers.settle, |settle| settle.0);
    if settle > look_back(polling) {
        remark(
            &["settle_seconds", "look_back_seconds"],
            format!(
                "every change waits {} s to be published; a longer `look_back_seconds` finds late writes without that",
                settle.as_secs_f64()
            ),
        );
    }
    let interval = polling
        .interval_seconds
        .map_or(numbers.interval, |interval| interval.0);
    if let Some(ceiling) = polling.backoff_ceiling_seconds
        && ceiling.0 < interval
    {
        let message =
            "the longest wait is shorter than the time between two runs, so that nothing ever waits longer";
        remark(&["backoff_ceiling_seconds"], message.to_owned());
    }
    if polling.granularity == Some(Granularity::Day) {
        let message = "windows end at midnight UTC, so that a change is published a day late: filter the rows by their \
                       time in the integration (`paginate.keep`), and declare the step of that filter";
        remark(&["granularity"], message.to_owned());
    }
    if polling.order == Some(Order::Feed) {
        if polling.max_window_seconds.is_some() {
            let message = "a feed is read from now back to the watermark, in one window of any length";
            remark(&["max_window_seconds"], message.to_owned());
        }
        if polling.max_pages.is_some() {
            let message = "a feed cannot be read in parts: after an outage with more changes than on so many pages the \
                           stream stops until an operator moves it on";
            remark(&["max_pages"], message.to_owned());
        }
    }
}

fn check_ignored_fields(polling: &Polling, report: &mut Report) {
    for field in polling.ignored_fields.iter().flat_map(|fields| &fields.0) {
        let name = field.value.as_str();
        if TICKET_FIELDS.contains(&name) {
            continue;
        }
        let (message, help) = match name.split_once('.') {
            Some((whole, _)) => (
                format!("only a whole field can be ignored, and `{name}` is a part of one"),
                format!("ignore `{whole}`, or leave the part out of the mapping"),
            ),
            None => (
                format!("a ticket has no field `{name}`"),
                suggestion(name, &TICKET_FIELDS),
            ),
        };
        report.push(rules::POLL_IGNORED_FIELD.at(&field.place, message).help(help));
    }
}

fn check_destinations(polling: &Polling, query: Option<&Compound>, world: &World<'_>, report: &mut Report) {
    let ticketing = world.document.ticketing.as_ref();
    let destinations = ticketing.and_then(|ticketing| ticketing.destinations.as_ref());
    let count = destinations.map_or(0, |destinations| destinations.entries.len());
    let by_destination = is_set(polling.by_destination);
    let place = key(polling, &["by_destination"]);
    if by_destination && count == 0 {
        let message = "there are no destinations under `ticketing`";
        report.add(&rules::POLL_WITHOUT_DESTINATIONS, place, message);
        return;
    }
    let Some(query) = query.filter(|_| count > 1 && !report.has_uncompiled()) else {
        return;
    };
    match (by_destination, reads_destination(query)) {
        (true, false) => {
            let message = "`query_tickets_by_time_range` does not read `data.context.destination`, so that each of the \
                           streams would publish the tickets of all";
            report.add(&rules::POLL_DESTINATIONS, place, message);
        }
        (false, true) => {
            let message = "`query_tickets_by_time_range` reads `data.context.destination`, so that only the default \
                           destination is polled";
            let help = "set `by_destination: true`";
            report.push(rules::POLL_DESTINATIONS.at(place, message).help(help));
        }
        _ => {}
    }
}

fn reads_destination(query: &Compound) -> bool {
    let of_steps = query
        .calls()
        .flat_map(|step| step.input_args.iter().chain(&step.when));
    let of_answer = query.answer().and_then(|answer| answer.output_mapper.get());
    of_steps.chain(of_answer).any(|expression| {
        Cell::Mapping(expression).reads().iter().any(|path| {
            let keys: Vec<&str> = path.keys().collect();
            keys.starts_with(&["data", "context", "destination"])
        })
    })
}

/// What is read in pages can be gone on with.
fn check_pages(query: &Compound, world: &World<'_>, report: &mut Report) {
    let lists = ticket_lists(query, world);
    let can_go_on = lists.iter().any(|(_, paginate)| paginate.start_from.is_some());
    if let (false, [(name, paginate), ..]) = (can_go_on, lists.as_slice()) {
        let message = format!(
            "a poll reads all pages of `{name}` before it publishes the first ticket, and fails where there are more than \
             `max_pages`"
        );
        let help = "give it `start_from`, pass `data.context.pagination_info.next_page_token` there, and answer with its \
                    `next_page_token`";
        report.push(rules::POLL_WHOLE_LIST.at(&paginate.place, message).help(help));
    }
}

/// The paginated HTTP actions whose rows become tickets: those that the answer's `items` read, else those that it reads at
/// all, else those that what it reads was made of.
fn ticket_lists<'d>(query: &'d Compound, world: &World<'d>) -> Vec<(&'d str, &'d Paginate)> {
    let list = |step: &'d Step| {
        let name = step.action_name.get()?.value.as_str();
        Some((name, world.http_action(name)?.paginate.as_ref()?))
    };
    let lists_of = |keys: &[String]| -> Vec<_> {
        let read = |step: &&Step| {
            let key = step.output_key.get();
            key.is_some_and(|key| keys.contains(&key.value))
        };
        query.calls().filter(read).filter_map(list).collect()
    };
    let mapper = query.answer().and_then(|answer| answer.output_mapper.get());
    let rows = mapper
        .map(|mapper| results_of_items(&mapper.node))
        .unwrap_or_default();
    let mut keys = mapper
        .map(|mapper| results_of(&mapper.mapping))
        .unwrap_or_default();
    let mut lists = lists_of(&rows);
    let mut seen = Vec::new();
    while lists.is_empty() && !keys.is_empty() {
        lists = lists_of(&keys);
        seen.append(&mut keys);
        let steps = query.calls().filter(|step| {
            let key = step.output_key.get();
            key.is_some_and(|key| seen.contains(&key.value))
        });
        let before = steps.flat_map(|step| step.input_args.iter().chain(&step.for_each));
        keys = before
            .flat_map(|expression| results_of(&expression.mapping))
            .collect();
        keys.retain(|key| !seen.contains(key));
    }
    lists
}

/// The results of steps that a mapping reads, by their `output_key`.
fn results_of(mapping: &Mapping) -> Vec<String> {
    let results = mapping.reads().iter().filter_map(|path| {
        let mut keys = path.keys();
        let result = keys.next().filter(|root| *root == "data").and(keys.next())?;
        (result != "context").then(|| result.to_owned())
    });
    results.collect()
}

/// The same of every `items` below a node.
fn results_of_items(node: &Node) -> Vec<String> {
    let mut results = Vec::new();
    for (key, value) in node.entries() {
        match key.name.as_str() {
            "items" => results.extend(Mapping::compile(value).iter().flat_map(results_of)),
            // What is looked up for each row is in its converter.
            "converter" => {}
            _ => results.extend(results_of_items(value)),
        }
    }
    results
}

/// A list that is cut at its end is asked for an end.
fn check_end(polling: &Polling, query: &Compound, world: &World<'_>, report: &mut Report) {
    let is_cut = polling.order == Some(Order::Desc) && !ticket_lists(query, world).is_empty();
    if !is_cut || report.has_uncompiled() {
        return;
    }
    let is_end = |path: &InputPath| {
        let keys: Vec<&str> = path.keys().collect();
        let end = [
            ["data", "context", "updated_end_ts"],
            ["meta_info", "dates", "updated_end_ts"],
        ];
        // One that reads all of `data` may read its end.
        end.iter()
            .any(|end| keys.starts_with(end) || end.starts_with(&keys))
    };
    let of_steps = query
        .calls()
        .flat_map(|step| step.input_args.iter().chain(&step.for_each));
    let reads_end = of_steps
        .flat_map(|expression| expression.mapping.reads())
        .any(is_end);
    let requests = query
        .calls()
        .filter_map(|step| world.http_action(&step.action_name.get()?.value));
    let sends_end = requests
        .flat_map(HttpAction::request_cells)
        .any(|cell| cell.reads().iter().any(is_end));
    if !reads_end && !sends_end {
        let message = "the query never reads `updated_end_ts`, and the poller cuts a list that is newest first at its end";
        let help = "declare `order: feed`, or pass `data.context.updated_end_ts` on to the ticketing system";
        report.push(rules::POLL_DESC.at(key(polling, &["order"]), message).help(help));
    }
}

fn look_back(polling: &Polling) -> Duration {
    let given = polling.look_back_seconds.map(|look_back| look_back.0);
    given.unwrap_or(Numbers::default().look_back)
}

/// Where the first of these keys is written, or else `polling` itself.
fn key<'p>(polling: &'p Polling, names: &[&str]) -> &'p Place {
    let written = names.iter().find_map(|name| polling.keys.place(name));
    written.unwrap_or(&polling.place)
}
