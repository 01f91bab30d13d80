//! Which documents are mapped by which job.

use crate::documents::{self, BRIEF, TYPICAL, Ticket};
use crate::job::Job;

pub struct Scenario {
    pub title: String,
    pub job: Job,
    pub documents: Vec<String>,
}

/// The one that the goals are about.
pub fn main() -> Scenario {
    tickets(TYPICAL, 1000)
}

/// Other sizes, shapes and contents.
pub fn others() -> Vec<Scenario> {
    let copy = |fields: usize| {
        scenario("", Job::copy_of(fields), (0..100).map(documents::flat))
            .titled(|kilobytes| format!("{fields} of 100 fields, {kilobytes} KB"))
    };
    let sized = |words, comments, custom_fields, count| {
        tickets(
            Ticket {
                words,
                comments,
                custom_fields,
                unicode: false,
                brief: false,
            },
            count,
        )
    };
    vec![
        tickets(BRIEF, 2000),
        sized(780, 94, 390, 100),
        sized(3330, 998, 4158, 10),
        copy(1),
        copy(10),
        copy(100),
        scenario(
            "",
            Job::Page,
            (0..4).map(|page| documents::page(TYPICAL, 100 * page, 100)),
        )
        .titled(|kilobytes| format!("page of 100 tickets, {kilobytes} KB")),
        tickets(
            Ticket {
                unicode: true,
                ..TYPICAL
            },
            500,
        )
        .titled(|kilobytes| format!("ticket of many scripts and escapes, {kilobytes} KB")),
        scenario("", Job::copy_from_the_deep(), (0..200).map(documents::deep))
            .titled(|kilobytes| format!("a text 60 objects deep, {kilobytes} KB")),
        scenario("", Job::copy_of(100), (0..100).map(documents::numbers))
            .titled(|kilobytes| format!("100 large numbers, {kilobytes} KB")),
    ]
}

fn tickets(ticket: Ticket, count: usize) -> Scenario {
    scenario("", Job::Ticket, (0..count).map(|number| ticket.json(number)))
        .titled(|kilobytes| format!("ticket, {kilobytes} KB"))
}

fn scenario(title: &str, job: Job, documents: impl Iterator<Item = String>) -> Scenario {
    Scenario {
        title: title.to_owned(),
        job,
        documents: documents.collect(),
    }
}

impl Scenario {
    /// Bytes of a document, on average.
    pub fn bytes(&self) -> usize {
        self.documents.iter().map(String::len).sum::<usize>() / self.documents.len()
    }

    fn titled(mut self, title: impl FnOnce(String) -> String) -> Scenario {
        self.title = title(format!("{:.1}", self.bytes() as f64 / 1000.0));
        self
    }
}
