//! What the answers of a list say of further pages, beside what the integration reads of them; and the order of the rows.

use integration::PollOrder;
use jiff::Timestamp;
use serde_json::Value;

use crate::commands::doctor::fields::at;
use crate::live::runs::Run;
use crate::live::tape::Exchange;

/// How deep in an answer it may say something of its pages.
const DEPTH: usize = 3;
/// What a place behind this page is called, in small letters without `_`, `-`, `.` and `@`.
const NEXT: [&str; 10] = [
    "next",
    "nextpage",
    "nextpagetoken",
    "nexttoken",
    "nextcursor",
    "nextlink",
    "nexturl",
    "nextpageurl",
    "odatanextlink",
    "continuationtoken",
];
const MORE: [&str; 5] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "moreresults",
    "hasmoreresults",
];
const LAST: [&str; 3] = ["islast", "islastpage", "lastpage"];
const TOTAL: [&str; 6] = [
    "total",
    "totalcount",
    "totalresults",
    "totalrecords",
    "totalitems",
    "totalelements",
];
const TOTAL_HEADERS: [&str; 3] = ["x-total-count", "x-total", "total-count"];
const SIZE: [&str; 13] = [
    "limit",
    "perpage",
    "pagesize",
    "maxresults",
    "size",
    "count",
    "rows",
    "top",
    "$top",
    "first",
    "pagelen",
    "pagelimit",
    "page[size]",
];

/// The requests of the list alone, of all its pages: not those for people or for the comments of each ticket.
#[derive(Default)]
pub(super) struct Pages {
    /// The step that reads the pages.
    pub(super) step: Option<String>,
    answers: Vec<Exchange>,
    /// Whether the integration may end it before its end.
    is_cut: bool,
}

/// What the answers say of the end of the list, which the integration takes for the end.
pub(super) enum End {
    /// That there is more, in these words.
    IsNone(String),
    /// Nothing, and the last page was as long as a page can be.
    Full(usize),
    Fits,
}

impl Pages {
    /// Adds the requests of one page of ours.
    pub(super) fn add(&mut self, runs: &[Run<'_>]) {
        let of_lists = runs.iter().flat_map(|run| {
            run.steps.iter().filter_map(|reached| {
                let step = run.compound.steps.get(reached.index)?;
                let paginate = step
                    .http_action
                    .paginate
                    .as_ref()
                    .filter(|_| step.for_each.is_none())?;
                Some((step, paginate, reached))
            })
        });
        let of_lists: Vec<_> = of_lists.collect();
        // The last such step gives the rows; one before it looks something up.
        let Some((rows, paginate, _)) = of_lists.last() else {
            return;
        };
        if self.step.as_ref() != Some(&rows.action_name) {
            self.answers.clear();
            self.step = Some(rows.action_name.clone());
            self.is_cut = paginate.stop_when.is_some();
        }
        for (step, _, reached) in &of_lists {
            if step.action_name == rows.action_name {
                self.answers.extend(reached.exchanges.iter().cloned());
            }
        }
    }

    /// Each list that was read for something else, such as the comments of one ticket.
    pub(super) fn of_each(runs: &[Run<'_>]) -> Vec<Self> {
        let lists = runs.iter().flat_map(|run| {
            run.steps.iter().filter_map(|reached| {
                let step = run.compound.steps.get(reached.index)?;
                let paginate = step.http_action.paginate.as_ref()?;
                let is_one = step.for_each.is_none() && !reached.exchanges.is_empty();
                is_one.then(|| Self {
                    step: Some(step.action_name.clone()),
                    answers: reached.exchanges.clone(),
                    is_cut: paginate.stop_when.is_some(),
                })
            })
        });
        lists.collect()
    }

    /// How many pages the ticketing system was asked for.
    pub(super) fn count(&self) -> usize {
        self.answers.len()
    }

    /// What is said of the end, where the integration says that this is it.
    pub(super) fn end(&self) -> End {
        let Some((exchange, answer)) = self.answers.last().and_then(|last| Some((last, good(last)?))) else {
            return End::Fits;
        };
        if self.is_cut {
            return End::Fits;
        }
        let body = body_of(exchange);
        let rows: usize = self.answers.iter().map(|answer| rows_of(&body_of(answer))).sum();
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let range = header("content-range").and_then(last_and_total);
        if let Some((last, total)) = range {
            return match last + 1 < total {
                true => End::IsNone(format!(
                    "`Content-Range: {}`",
                    header("content-range").unwrap_or_default()
                )),
                false => End::Fits,
            };
        }
        if answer.status == 206 {
            return End::IsNone("the status 206, a part of the content".to_owned());
        }
        if let Some(link) =
            header("link").filter(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
        {
            return End::IsNone(format!("`Link: {link}`"));
        }
        let mut totals = Vec::new();
        for name in TOTAL_HEADERS {
            if let Some(total) = header(name).and_then(|value| value.parse::<usize>().ok()) {
                totals.push((name.to_owned(), total));
            }
        }
        if let Some(said) = says_more(&body, "", DEPTH, &mut totals) {
            return End::IsNone(said);
        }
        if let Some((name, total)) = totals.iter().find(|(_, total)| *total > rows) {
            return End::IsNone(format!("`{name}` is {total}, and {rows} came"));
        }
        let own = rows_of(&body);
        match asked(exchange).filter(|asked| *asked == own && own > 1 && totals.is_empty()) {
            Some(size) => End::Full(size),
            None => End::Fits,
        }
    }
}

fn good(exchange: &Exchange) -> Option<&upstream::WholeAnswer> {
    exchange.answer.as_ref()?.as_ref().ok()
}

fn body_of(exchange: &Exchange) -> Value {
    let body = good(exchange).map(|answer| serde_json::from_slice(&answer.body));
    body.and_then(Result::ok).unwrap_or_default()
}

/// The longest list in an answer, which is its rows.
fn rows_of(body: &Value) -> usize {
    fn longest(value: &Value, depth: usize) -> usize {
        match value {
            Value::Array(items) => items.len(),
            Value::Object(fields) if depth > 0 => {
                let below = fields.values().map(|field| longest(field, depth - 1));
                below.max().unwrap_or_default()
            }
            _ => 0,
        }
    }
    longest(body, DEPTH)
}

/// `items 0-49/120` or `0-49/120`: the number of the last row, from 0, and of all.
fn last_and_total(range: &str) -> Option<(usize, usize)> {
    let (rows, total) = range.rsplit_once('/')?;
    let (_, last) = rows.rsplit_once('-')?;
    Some((last.trim().parse().ok()?, total.trim().parse().ok()?))
}

fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '-', '.', '@'], "")
}

/// What an answer says of a further page, outside its rows; and how many rows it says there are.
fn says_more(value: &Value, path: &str, depth: usize, totals: &mut Vec<(String, usize)>) -> Option<String> {
    let fields = value.as_object()?;
    for (name, field) in fields {
        let word = plain(name);
        let path = match path.is_empty() {
            true => name.clone(),
            false => format!("{path}.{name}"),
        };
        let is_named = |names: &[&str]| names.contains(&word.as_str());
        if is_named(&NEXT) && is_place(field) {
            return Some(format!("`{path}` is there"));
        }
        if is_named(&MORE) && field == &Value::Bool(true) || is_named(&LAST) && field == &Value::Bool(false) {
            return Some(format!("`{path}` is {field}"));
        }
        if is_named(&TOTAL)
            && let Some(total) = field.as_u64().and_then(|total| usize::try_from(total).ok())
        {
            totals.push((path.clone(), total));
        }
        if depth > 1
            && let Some(said) = says_more(field, &path, depth - 1, totals)
        {
            return Some(said);
        }
    }
    None
}

/// Whether it is a place that one can go to: a token, a number, a link, or an object with one of them in it.
fn is_place(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_u64().is_some_and(|at| at > 0),
        Value::Object(fields) => fields.values().any(is_place),
        _ => false,
    }
}

/// How many rows were asked for.
fn asked(exchange: &Exchange) -> Option<usize> {
    exchange.request.url.query_pairs().find_map(|(name, value)| {
        if name == "range" {
            let (first, last) = value.split_once('-')?;
            let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
            return last.checked_sub(first)?.checked_add(1);
        }
        let is_size = SIZE.contains(&plain(&name).as_str());
        value.parse().ok().filter(|_| is_size)
    })
}

/// How many times of change there are in rows, and how they contradict the order that the YAML declares.
pub(super) fn against(order: PollOrder, pages: &[Vec<Value>]) -> (usize, Option<String>) {
    let times = |rows: &[Value]| -> Vec<Timestamp> {
        let times = rows
            .iter()
            .filter_map(|row| at(row, "updated_at").as_str()?.parse().ok());
        times.collect()
    };
    let mut all: Vec<Timestamp> = pages.iter().flat_map(|rows| times(rows)).collect();
    all.sort_unstable();
    all.dedup();
    let wrong = |is_right: fn(&Timestamp, &Timestamp) -> bool| {
        pages.iter().find_map(|rows| {
            let times = times(rows);
            let mut pairs = times.iter().zip(times.iter().skip(1));
            let (one, next) = pairs.find(|(one, next)| !is_right(one, next))?;
            Some(format!(
                "a ticket changed {one} stands in front of one changed {next}"
            ))
        })
    };
    let said = match order {
        PollOrder::Asc => wrong(|one, next| one <= next),
        PollOrder::Desc | PollOrder::Feed => wrong(|one, next| one >= next),
        PollOrder::Unsorted => None,
    };
    (all.len(), said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn more(body: &Value) -> Option<String> {
        says_more(body, "", DEPTH, &mut Vec::new())
    }

    #[test]
    fn an_answer_says_in_many_ways_that_there_is_more() {
        for (body, said) in [
            (
                json!({"meta": {"next_cursor": "x"}}),
                "`meta.next_cursor` is there",
            ),
            (
                json!({"_links": {"next": {"href": "/2"}}}),
                "`_links.next` is there",
            ),
            (json!({"isLast": false}), "`isLast` is false"),
            (json!({"page": {"has_more": true}}), "`page.has_more` is true"),
        ] {
            assert_eq!(more(&body).as_deref(), Some(said));
        }
        for body in [
            json!({"next": null, "isLast": true, "has_more": false}),
            json!({"meta": {"next_cursor": ""}}),
            // That of a row is none of the list.
            json!({"items": [{"next": "IT-2"}]}),
        ] {
            assert_eq!(more(&body), None, "{body}");
        }
    }

    #[test]
    fn a_range_is_the_last_row_and_the_number_of_all() {
        assert_eq!(last_and_total("0-49/122"), Some((49, 122)));
        assert_eq!(last_and_total("items 50-99/100"), Some((99, 100)));
        assert_eq!(last_and_total("0-49/*"), None);
    }

    #[test]
    fn rows_are_compared_with_the_order_page_by_page() {
        let row = |minute: u32| json!({"updated_at": format!("2026-03-01T10:{minute:02}:00Z")});
        let newest_first = [vec![row(3), row(2)], vec![row(4), row(1)]];
        assert_eq!(against(PollOrder::Desc, &newest_first), (4, None));
        assert_eq!(against(PollOrder::Unsorted, &newest_first), (4, None));
        let said = against(PollOrder::Asc, &newest_first).1;
        assert!(said.is_some_and(|said| said.contains("stands in front of one changed")));
    }
}
