//! What a programmer would write by hand for this one job: the practical limit with serde.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Engine, Program};
use crate::documents::{ADDRESS, STATES};
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "hand-written structs",
    package: "serde_json",
    partial: None,
    has_output: true,
    compile,
};

#[derive(Deserialize)]
struct Shown<'t> {
    #[serde(borrow)]
    display_value: Cow<'t, str>,
}

#[derive(Deserialize)]
struct Stored<'t> {
    #[serde(borrow)]
    value: Cow<'t, str>,
}

#[derive(Deserialize)]
struct Comment<'t> {
    #[serde(borrow)]
    id: Cow<'t, str>,
    #[serde(borrow)]
    body: Cow<'t, str>,
    internal: bool,
}

#[derive(Deserialize)]
struct Ticket<'t> {
    #[serde(borrow)]
    number: Shown<'t>,
    #[serde(borrow)]
    sys_id: Stored<'t>,
    #[serde(borrow)]
    short_description: Shown<'t>,
    #[serde(borrow)]
    state: Stored<'t>,
    #[serde(borrow)]
    caller_id: Shown<'t>,
    #[serde(borrow)]
    assigned_to: Shown<'t>,
    #[serde(borrow)]
    sys_updated_on: Stored<'t>,
    #[serde(borrow)]
    comments: Vec<Comment<'t>>,
}

#[derive(Deserialize)]
struct Page<'t> {
    #[serde(borrow)]
    items: Vec<Ticket<'t>>,
}

#[derive(Serialize)]
struct NormalComment<'t> {
    id: &'t str,
    body: &'t str,
}

#[derive(Serialize)]
struct Normal<'t> {
    id: &'t str,
    external_id: &'t str,
    title: &'t str,
    state: &'static str,
    requester: String,
    assignee: &'t str,
    url: String,
    updated_at: String,
    comments: Vec<NormalComment<'t>>,
}

impl<'t> From<&'t Ticket<'t>> for Normal<'t> {
    fn from(ticket: &'t Ticket<'t>) -> Self {
        let state = STATES.iter().find(|(code, _)| *code == ticket.state.value);
        let comments = ticket.comments.iter().filter(|comment| !comment.internal);
        let assignee = ticket.assigned_to.display_value.as_ref();
        Normal {
            id: ticket.number.display_value.trim(),
            external_id: &ticket.sys_id.value,
            title: &ticket.short_description.display_value,
            state: state.map_or("UNKNOWN", |(_, state)| state),
            requester: ticket.caller_id.display_value.to_lowercase(),
            assignee: if assignee.is_empty() {
                "unassigned"
            } else {
                assignee
            },
            url: [ADDRESS, &ticket.sys_id.value].concat(),
            updated_at: ticket.sys_updated_on.value.replace(' ', "T") + "Z",
            comments: comments
                .map(|comment| NormalComment {
                    id: &comment.id,
                    body: &comment.body,
                })
                .collect(),
        }
    }
}

struct OneTicket;
struct ManyTickets;

fn compile(job: &Job) -> Result<Box<dyn Program>, String> {
    match job {
        Job::Ticket => Ok(Box::new(OneTicket)),
        Job::Page => Ok(Box::new(ManyTickets)),
        Job::Copy(_) => Err("written for tickets only".to_owned()),
    }
}

impl Program for OneTicket {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        let ticket: Ticket<'_> = serde_json::from_str(input).unwrap();
        serde_json::to_writer(output, &Normal::from(&ticket)).unwrap();
    }

    fn parsed<'p>(&'p self, _: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        None
    }
}

impl Program for ManyTickets {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        let page: Page<'_> = serde_json::from_str(input).unwrap();
        let normal: Vec<Normal<'_>> = page.items.iter().map(Normal::from).collect();
        serde_json::to_writer(output, &normal).unwrap();
    }

    fn parsed<'p>(&'p self, _: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        None
    }
}
