//! The queries that give lists.

use std::time::{Duration, Instant};

use actions::TasAction;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{LOOK_AGAIN, MOST_PAGES, Trip, counted};
use crate::commands::doctor::check::{Cause, Check, Verdict};
use crate::commands::doctor::fields::at;
use crate::live::places::line;

/// How far before its making the ticket is looked for.
const BEFORE: Duration = Duration::from_secs(120);

impl Trip<'_> {
    pub(super) async fn by_requestor(&mut self, is_expected: bool) {
        let person = self.plan.requestor.clone().unwrap_or_default();
        self.list(
            TasAction::QueryTicketsByRequestor,
            json!({"requestor_id": person}),
            None,
            is_expected,
        )
        .await;
    }

    pub(super) async fn by_time(&mut self, is_expected: bool) {
        let time = |name: &str| {
            at(&self.last, name)
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok())
        };
        let changed = time("updated_at").unwrap_or_else(Timestamp::now);
        // Without a ticket of ours, the last day.
        let before = if is_expected {
            BEFORE
        } else {
            Duration::from_secs(24 * 3600)
        };
        let start = changed.saturating_sub(before).unwrap_or(Timestamp::MIN);
        let end = if is_expected { changed } else { Timestamp::now() };
        let end = end.saturating_add(BEFORE).unwrap_or(Timestamp::MAX);
        let input = json!({"updated_start_ts": start.to_string(), "updated_end_ts": end.to_string()});
        self.list(
            TasAction::QueryTicketsByTimeRange,
            input,
            Some((start, end)),
            is_expected,
        )
        .await;
    }

    /// Reads a list until the ticket is on it, again and again for a while: an index may be behind.
    async fn list(
        &mut self,
        action: TasAction,
        mut input: Value,
        range: Option<(Timestamp, Timestamp)>,
        is_expected: bool,
    ) {
        self.add(&mut input, "destination", self.plan.destination.clone());
        let begun = Instant::now();
        let mut looks = 0_u32;
        let check = loop {
            looks += 1;
            let (mut check, found, is_whole) = self.pages(action, &input, range).await;
            if check.verdict != Verdict::Works || !is_expected || found {
                if found && looks > 1 {
                    check.notes.push(format!(
                        "the ticket was there after {} s",
                        begun.elapsed().as_secs()
                    ));
                }
                break check;
            }
            if begun.elapsed() >= self.plan.wait || !is_whole {
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
                    match is_whole {
                        true => format!(
                            "the ticket is not on the list, {} s after it was made",
                            begun.elapsed().as_secs()
                        ),
                        false => format!("the ticket is not on the first {MOST_PAGES} pages"),
                    },
                    causes,
                );
                break check;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        self.checks.push(check);
    }

    /// All pages of a list: the check, whether the ticket is on one, and whether they were read to the end.
    async fn pages(
        &mut self,
        action: TasAction,
        input: &Value,
        range: Option<(Timestamp, Timestamp)>,
    ) -> (Check, bool, bool) {
        let mut input = input.clone();
        let (mut rows, mut outside, mut found, mut whole) = (0_usize, 0_u32, false, None);
        for page in 1..=MOST_PAGES {
            let attempt = self.attempt(action, input.clone()).await;
            let judged = self.judged(action, &attempt);
            let check = match &mut whole {
                None => whole.insert(judged),
                Some(check) => {
                    check.took += judged.took;
                    check.calls += judged.calls;
                    if judged.verdict == Verdict::Failed {
                        *check = judged;
                    }
                    check
                }
            };
            let Ok(answer) = &attempt.end else { break };
            for ticket in at(answer, "raw_tickets").as_array().into_iter().flatten() {
                rows += 1;
                found |= at(ticket, "id").as_str().is_some()
                    && at(ticket, "id").as_str() == self.ticket.as_deref();
                let changed = at(ticket, "updated_at")
                    .as_str()
                    .and_then(|text| text.parse::<Timestamp>().ok());
                outside += u32::from(matches!((range, changed), (Some((start, end)), Some(changed))
                    if changed < start || changed > end));
            }
            let Some(token) = at(at(answer, "pagination_info"), "next_page_token").as_str() else {
                check.notes.push(format!(
                    "{} on {}",
                    counted(rows, "ticket"),
                    counted(page, "page")
                ));
                break;
            };
            if found || page == MOST_PAGES {
                let end = found;
                check.notes.push(format!(
                    "{} on {}, and there are more",
                    counted(rows, "ticket"),
                    counted(page, "page")
                ));
                let check = whole
                    .take()
                    .unwrap_or_else(|| Check::new(action.key(), Verdict::Works));
                return (self.in_range(check, action, outside), found, end);
            }
            self.add(&mut input, "page_token", Some(token.to_owned()));
        }
        let check = whole.unwrap_or_else(|| Check::new(action.key(), Verdict::Works));
        (self.in_range(check, action, outside), found, true)
    }

    fn in_range(&self, mut check: Check, action: TasAction, outside: u32) -> Check {
        if outside > 0 {
            let causes = vec![Cause {
                place: self.live.places.nearest(&["actions", action.key()]).map(line),
                text:
                    "the system does not know the filter, or reads its times otherwise; filter the rows again"
                        .to_owned(),
            }];
            check.find(
                format!("{outside} tickets on the list changed outside the time asked for"),
                causes,
            );
        }
        check
    }
}
