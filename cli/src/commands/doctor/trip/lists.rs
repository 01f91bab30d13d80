//! The queries that give lists.

use std::time::{Duration, Instant};

use actions::TasAction;
use integration::PollOrder;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::alike;
use super::paging::{self, End, Pages};
use super::texts::Kind;
use super::{LOOK_AGAIN, MOST_CALLS, MOST_PAGES, Trip, counted};
use crate::commands::doctor::check::{Check, Verdict};
use crate::commands::doctor::fields::at;
use crate::live::cause::Cause;
use crate::live::places::line;
use crate::live::runs::Run;

/// How far before its making the ticket is looked for.
const BEFORE: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A list as it was read.
struct Listed {
    check: Check,
    /// The tickets of each page.
    pages: Vec<Vec<Value>>,
    /// Whether our ticket is on it.
    is_found: bool,
    /// Whether there are no pages behind those that were read.
    is_whole: bool,
    /// Whether the ticketing system was asked for a second page.
    is_paged: bool,
}

type Range = (Timestamp, Timestamp);

impl Trip<'_> {
    pub(super) async fn by_requestor(&mut self, is_expected: bool) {
        let person = self.plan.requestor.clone().unwrap_or_default();
        let action = TasAction::QueryTicketsByRequestor;
        let input = json!({"requestor_id": person});
        let mut listed = self.until_found(action, input, None, is_expected).await;
        self.tell_of_other_people(&mut listed, action);
        self.push_list(listed);
    }

    fn push_list(&mut self, mut listed: Listed) {
        if !listed.pages.is_empty() && !listed.is_paged {
            listed
                .check
                .notes
                .push("paging was not tried: one page".to_owned());
        }
        self.checks.push(listed.check);
    }

    pub(super) async fn by_time(&mut self, is_expected: bool) {
        let action = TasAction::QueryTicketsByTimeRange;
        let changed = at(&self.last, "updated_at").as_str();
        let changed = changed.and_then(|text| text.parse::<Timestamp>().ok());
        let changed = changed.filter(|_| is_expected).unwrap_or_else(Timestamp::now);
        // Without a ticket of ours, the last day.
        let before = if is_expected { BEFORE } else { DAY };
        let range = around(changed, before);
        let mut listed = self
            .until_found(action, in_range(range), Some(range), is_expected)
            .await;
        if is_expected && listed.check.verdict == Verdict::Works && !listed.is_paged {
            // One new ticket says nothing of the order and of the pages: those of a day may.
            let range = around(changed, DAY);
            let day = self.pages(action, &in_range(range), Some(range), 2).await;
            match day.check.verdict {
                Verdict::Failed => {
                    let why = day.check.findings.first().map(|finding| finding.message.as_str());
                    let why = why.unwrap_or_default();
                    listed
                        .check
                        .notes
                        .push(format!("the changes of a whole day cannot be had: {why}"));
                }
                _ => {
                    listed.is_paged = day.is_paged;
                    listed.check.took += day.check.took;
                    listed.check.calls += day.check.calls;
                    let rows = day.pages.iter().map(Vec::len).sum();
                    let end = if day.is_whole { "" } else { ", and there are more" };
                    listed.check.notes.push(format!(
                        "of a day: {} on {}{end}",
                        counted(rows, "ticket"),
                        counted(day.pages.len(), "page")
                    ));
                    for finding in day.check.findings {
                        listed.check.find(finding.message, finding.causes);
                    }
                    listed.pages.extend(day.pages);
                }
            }
        }
        self.tell_order(&mut listed);
        self.push_list(listed);
    }

    /// Tells where the rows are not in the order that the poller counts on.
    fn tell_order(&self, listed: &mut Listed) {
        let order = self.order();
        if order == PollOrder::Unsorted || listed.pages.is_empty() {
            return;
        }
        let (times, against) = paging::against(order, &listed.pages);
        if times < 2 {
            let note =
                "`polling.order` was not tried: there are not two tickets that changed at different times";
            listed.check.notes.push(note.to_owned());
        }
        if let Some(said) = against {
            let place = self.live.places.nearest(&["polling", "order"]).map(line);
            let text = "declares another order than the list has, or `unsorted` is the truth".to_owned();
            listed.check.find(said, vec![Cause { place, text }]);
        }
    }

    fn order(&self) -> PollOrder {
        let polling = self.live.installed.installation.integration.polling.as_ref();
        polling.map_or(PollOrder::Unsorted, |polling| polling.order)
    }

    /// How many pages of one list there are, by the YAML.
    fn most_pages(&self) -> Option<usize> {
        let polling = self.live.installed.installation.integration.polling.as_ref()?;
        usize::try_from(polling.max_pages?).ok()
    }

    /// Reads a list until the ticket is on it, again and again for a while: an index may be behind.
    async fn until_found(
        &mut self,
        action: TasAction,
        mut input: Value,
        range: Option<Range>,
        is_expected: bool,
    ) -> Listed {
        self.add(&mut input, "destination", self.plan.destination.clone());
        let begun = Instant::now();
        let (mut looks, mut calls) = (0_u32, 0);
        loop {
            looks += 1;
            let mut listed = self.pages(action, &input, range, MOST_PAGES).await;
            calls += listed.check.calls;
            let rows: usize = listed.pages.iter().map(Vec::len).sum();
            let pages = counted(listed.pages.len(), "page");
            let check = &mut listed.check;
            if !listed.pages.is_empty() {
                let end = if listed.is_whole {
                    ""
                } else {
                    ", and there are more"
                };
                check
                    .notes
                    .push(format!("{} on {pages}{end}", counted(rows, "ticket")));
            }
            if matches!(check.verdict, Verdict::Failed | Verdict::NotSupported) || listed.is_found {
                if listed.is_found && looks > 1 {
                    check.notes.push(format!(
                        "the ticket was there after {} s",
                        begun.elapsed().as_secs()
                    ));
                }
                return listed;
            }
            if !is_expected {
                if rows == 0 {
                    check.prove_nothing("no ticket came");
                }
                return listed;
            }
            if begun.elapsed() >= self.plan.wait || calls >= MOST_CALLS || !listed.is_whole {
                let causes = vec![Cause {
                    place: self.live.places.nearest(&["actions", action.key()]).map(line),
                    text: match range {
                        Some(_) => {
                            "the filter by time: its format, its time zone, or whether a new ticket is in it"
                                .to_owned()
                        }
                        None => "how the requestor is looked for, and whether `create_ticket` sets them"
                            .to_owned(),
                    },
                }];
                check.find(
                    match listed.is_whole {
                        true => format!(
                            "the ticket is not on the list, {} s after it was made",
                            begun.elapsed().as_secs()
                        ),
                        false => format!("the ticket is not on the first {pages}"),
                    },
                    causes,
                );
                return listed;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The pages of a list, until the ticket is on one and a second one was read, and `most` at most.
    async fn pages(&mut self, action: TasAction, input: &Value, range: Option<Range>, most: usize) -> Listed {
        let mut input = input.clone();
        let mut listed = Listed {
            check: Check::new(action.key(), Verdict::Works),
            pages: Vec::new(),
            is_found: false,
            is_whole: false,
            is_paged: false,
        };
        let mut asked = Pages::default();
        for page in 1..=most {
            let attempt = self.attempt(action, input.clone()).await;
            let (check, judged) = (&mut listed.check, self.judged(action, &attempt));
            check.took += judged.took;
            check.calls += judged.calls;
            let Ok(answer) = &attempt.end else {
                if let Some(most) = self.most_pages().filter(|most| page > *most) {
                    check.notes.push(format!(
                        "page {page} is refused, beyond the {most} that `polling.max_pages` counts on"
                    ));
                    break;
                }
                let (took, calls) = (check.took, check.calls);
                listed.check = Check {
                    took,
                    calls,
                    ..judged
                };
                break;
            };
            asked.add(&attempt.runs);
            listed.is_paged = page > 1 || asked.count() > 1;
            let rows = at(answer, "raw_tickets").as_array().cloned().unwrap_or_default();
            if !rows.is_empty()
                && listed
                    .pages
                    .last()
                    .is_some_and(|before| ids(before) == ids(&rows))
            {
                let said = format!("page {page} gives the tickets of the page before again");
                listed.check.find(
                    said,
                    self.of_paging(&asked, "the page token is not sent on as the system wants it"),
                );
                listed.is_whole = true;
                break;
            }
            self.tell_of_ours(&mut listed, &rows, &attempt.runs);
            listed.pages.push(rows);
            let Some(token) = at(at(answer, "pagination_info"), "next_page_token").as_str() else {
                listed.is_whole = true;
                // A feed is read until its changes lie before the time asked for: that is not its end.
                if range.is_none() || self.order() != PollOrder::Feed {
                    self.tell_end(&mut listed.check, &asked);
                }
                break;
            };
            if listed.is_found && page > 1 {
                break;
            }
            self.add(&mut input, "page_token", Some(token.to_owned()));
        }
        self.tell_outside(&mut listed, action, range);
        listed
    }

    /// Looks for our ticket on a page, and tells of its texts.
    fn tell_of_ours(&self, listed: &mut Listed, rows: &[Value], runs: &[Run<'_>]) {
        let Some(id) = self.ticket.as_deref() else { return };
        let Some(index) = rows.iter().position(|row| at(row, "id").as_str() == Some(id)) else {
            return;
        };
        let is_first = !std::mem::replace(&mut listed.is_found, true);
        let Some(row) = rows.get(index).filter(|_| is_first && self.making.is_some()) else {
            return;
        };
        let before = format!("raw_tickets[{index}].");
        for amiss in self.texts_amiss(row, &before) {
            let name = amiss.field.trim_start_matches(before.as_str());
            // Lists may leave a text out, or give the beginning of it.
            let Some(read) = at(row, name).as_str() else {
                continue;
            };
            let begin = read.trim_end_matches(['.', '\u{2026}']).trim_end();
            let is_cut = at(&self.payload, name)
                .as_str()
                .is_some_and(|sent| sent.starts_with(begin));
            if !is_cut || amiss.unlike.kind != Kind::Otherwise {
                self.tell(
                    &mut listed.check,
                    TasAction::CreateTicket,
                    amiss,
                    runs,
                    &self.maker,
                );
            }
        }
    }

    /// Tells where the system has more than the integration reads.
    fn tell_end(&self, check: &mut Check, asked: &Pages) {
        match asked.end() {
            End::Fits => {}
            End::IsNone(said) => check.find(
                format!("the list ends here, and the system says that there is more: {said}"),
                self.of_paging(asked, "what `paginate` reads of the next page is not there, or the output does not hand it on"),
            ),
            End::Full(rows) => check.prove_nothing(format!(
                "{rows} rows came, as many as were asked for, and no next page: is what `paginate` reads of it there?"
            )),
        }
    }

    /// Tells where the system has more of what belongs to a ticket, such as comments, than the integration reads.
    pub(super) fn tell_ends(&self, check: &mut Check, runs: &[Run<'_>]) {
        for list in Pages::of_each(runs) {
            if let End::IsNone(said) = list.end() {
                let step = list.step.as_deref().unwrap_or_default();
                check.find(
                    format!("the list of `{step}` ends, and the system says that there is more: {said}"),
                    self.of_paging(&list, "what `paginate` reads of the next page is not there"),
                );
            }
        }
    }

    fn of_paging(&self, asked: &Pages, text: &str) -> Vec<Cause> {
        let step = asked.step.as_deref().unwrap_or_default();
        let place = self.live.places.nearest(&["http_actions", step, "paginate"]);
        vec![Cause {
            place: place.map(line),
            text: text.to_owned(),
        }]
    }

    /// Tells of tickets that changed outside the time asked for.
    fn tell_outside(&self, listed: &mut Listed, action: TasAction, range: Option<Range>) {
        let Some((start, end)) = range else { return };
        let times = listed.pages.iter().flatten().filter_map(|ticket| {
            let changed = at(ticket, "updated_at").as_str()?;
            changed.parse::<Timestamp>().ok()
        });
        let times: Vec<Timestamp> = times.collect();
        let before = times.iter().filter(|changed| **changed < start).count();
        let after = times.iter().filter(|changed| **changed > end).count();
        let place = || self.live.places.nearest(&["actions", action.key()]).map(line);
        if before > 0 {
            let text =
                "the start of the range is not sent, or the system ignores it or reads its time otherwise";
            listed.check.find(
                format!(
                    "the list has {} from before the start that was asked for",
                    counted(before, "ticket")
                ),
                vec![Cause {
                    place: place(),
                    text: text.to_owned(),
                }],
            );
        }
        if after > 0 {
            let text = "the end of the range is not sent, or the system ignores it or reads its time otherwise; filter the rows again";
            listed.check.find(
                format!(
                    "the list has {} from after the end that was asked for",
                    counted(after, "ticket")
                ),
                vec![Cause {
                    place: place(),
                    text: text.to_owned(),
                }],
            );
        }
    }

    /// Tells of tickets of other people, where the tickets say whose they are.
    fn tell_of_other_people(&self, listed: &mut Listed, action: TasAction) {
        let person = self.plan.requestor.as_deref().unwrap_or_default();
        let own = at(&self.last, "requested_for");
        let is_of_others = |row: &&Value| {
            let theirs = at(row, "requested_for");
            match (self.making.is_some() && !own.is_null(), theirs) {
                (_, Value::Null) => false,
                _ if alike::names(theirs, person) => false,
                (true, _) => theirs != own && (alike::has_address(theirs) || !alike::has_address(own)),
                (false, _) => person.contains('@') && alike::has_address(theirs),
            }
        };
        let of_others = listed.pages.iter().flatten().filter(is_of_others).count();
        if of_others > 0 {
            let text = "the requestor is not sent as the filter, or the system ignores it".to_owned();
            let place = self.live.places.nearest(&["actions", action.key()]).map(line);
            listed.check.find(
                format!(
                    "the list for {person} has {} of somebody else",
                    counted(of_others, "ticket")
                ),
                vec![Cause { place, text }],
            );
        }
    }
}

/// From so long before a moment to shortly after it.
fn around(moment: Timestamp, before: Duration) -> Range {
    (
        moment.saturating_sub(before).unwrap_or(Timestamp::MIN),
        moment.saturating_add(BEFORE).unwrap_or(Timestamp::MAX),
    )
}

fn in_range((start, end): Range) -> Value {
    json!({"updated_start_ts": start.to_string(), "updated_end_ts": end.to_string()})
}

fn ids(rows: &[Value]) -> Vec<&Value> {
    rows.iter().map(|row| at(row, "id")).collect()
}
