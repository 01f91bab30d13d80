//! What is asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::documents::TYPICAL;

/// Distinct tickets that are asked for by their ids.
pub const TICKETS: usize = 1000;
/// Tickets on a page.
pub const PAGE: usize = 100;
/// The ticketing system's account.
pub const USER: &str = "gateway";
pub const PASSWORD: &str = "only on this machine";

/// The two actions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Job {
    ById,
    ByTime,
}

impl Job {
    pub const ALL: [Job; 2] = [Job::ById, Job::ByTime];

    pub fn title(self) -> &'static str {
        match self {
            Job::ById => "a ticket by id",
            Job::ByTime => "100 tickets by time",
        }
    }

    /// Where a server is asked, by the gateway's API.
    pub fn path(self, number: usize) -> String {
        match self {
            Job::ById => format!("/v1/bench/tickets/{}", ticket_id(number % TICKETS)),
            Job::ByTime => in_month("05"),
        }
    }

    /// Where the ticketing system is asked for the same.
    pub fn upstream_path(self, number: usize) -> String {
        match self {
            Job::ById => format!("/api/tickets/{}", ticket_id(number % TICKETS)),
            Job::ByTime => {
                "/api/tickets?updated_from=2026-05-01T00:00:00Z&updated_to=2026-05-31T00:00:00Z&limit=100"
                    .to_owned()
            }
        }
    }
}

/// A list of one ticket: April's.
pub fn short_list() -> String {
    in_month("04")
}

fn in_month(month: &str) -> String {
    format!(
        "/v1/bench/tickets?updated_start_ts=2026-{month}-01T00:00:00Z&updated_end_ts=2026-{month}-30T00:00:00Z"
    )
}

pub fn ticket_id(number: usize) -> String {
    let ticket = TYPICAL.value(number);
    ticket["sys_id"]["value"].as_str().expect("an id").to_owned()
}

/// The header with which the ticketing system is asked.
pub fn authorization() -> String {
    format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")))
}
