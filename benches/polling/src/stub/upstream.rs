//! A ticketing system: any number of tickets, sorted by their last change, a hundred on a page.

use jiff::{SignedDuration, Timestamp};

const PAGE: usize = 100;
const STATES: [&str; 5] = ["New", "Started", "Waiting", "Resolved", "Closed"];
/// Two kilobytes of what people write.
const SENTENCE: &str = "The second monitor of the workplace by the window stays dark after the update of last night; \
    the cable was changed, the other monitor works in its place. ";

/// Tickets that all changed once more in each round, one after the other in the same stretch of time.
#[derive(Debug, Clone, Copy)]
pub struct Tickets {
    pub count: usize,
    /// How often each has changed.
    pub round: usize,
    /// When the first one changed last.
    pub from: Timestamp,
    /// How long after that the last one did.
    pub within: SignedDuration,
}

impl Default for Tickets {
    fn default() -> Self {
        Self {
            count: 0,
            round: 0,
            from: Timestamp::UNIX_EPOCH,
            within: SignedDuration::ZERO,
        }
    }
}

impl Tickets {
    fn updated_at(&self, number: usize) -> Timestamp {
        let share = number as f64 / self.count.max(1) as f64;
        let milliseconds = (self.within.as_millis() as f64 * share) as i64;
        self.from + SignedDuration::from_millis(milliseconds)
    }

    /// `{"tickets": [...], "next": ...}`; `token` is the number of the page's first ticket.
    pub fn page(&self, query: &str) -> String {
        let value = |name: &str| {
            let pair = query
                .split('&')
                .find_map(|pair| pair.split_once('=').filter(|pair| pair.0 == name));
            pair.map(|pair| pair.1.replace("%3A", ":"))
        };
        let time = |name: &str| value(name).and_then(|text| text.parse::<Timestamp>().ok());
        let (from, to) = (
            time("updated_from").expect("a start"),
            time("updated_to").expect("an end"),
        );
        let first = match value("token") {
            Some(token) => token.parse().expect("a token of ours"),
            None => partition(self.count, |number| self.updated_at(number) < from),
        };
        let end = partition(self.count, |number| self.updated_at(number) <= to);
        let last = (first + PAGE).min(end).max(first);
        let mut page = String::with_capacity((last - first) * 4096 + 64);
        page.push_str("{\"tickets\":[");
        for number in first..last {
            if number > first {
                page.push(',');
            }
            self.write(number, &mut page);
        }
        page.push(']');
        if last < end {
            page.push_str(&format!(",\"next\":\"{last}\""));
        }
        page.push('}');
        page
    }

    fn write(&self, number: usize, page: &mut String) {
        let state = (number + self.round) % STATES.len();
        let body = SENTENCE.repeat(14);
        let status = STATES[state];
        let updated_at = self.updated_at(number);
        let round = self.round;
        let person = |role: &str, id: usize| {
            format!(
                r#"{{"id":"u-{id}","name":"{role} number {id}","email":"{role}.{id}@example.com","active":true,"locale":"en-GB","time_zone":"Europe/Berlin"}}"#
            )
        };
        let (requester, assignee) = (
            person("requester", number % 5000),
            person("agent", (number + round) % 50),
        );
        let mut fields = String::new();
        for (place, name) in [
            "impact",
            "site",
            "asset",
            "cost_centre",
            "room",
            "contract",
            "phone",
            "shift",
        ]
        .iter()
        .enumerate()
        {
            let comma = if place == 0 { "" } else { "," };
            fields.push_str(&format!(
                r#"{comma}{{"id":"{name}","title":"The {name} of the case","type":"text","value":"{name} {}"}}"#,
                number % 17
            ));
        }
        page.push_str(&format!(
            r#"{{"id":{},"key":"SD-{number}","subject":"Second monitor stays dark ({number})","body":"{body}","status":{{"id":{state},"name":"{status}","category":"open"}},"priority":"P{}","requester":{requester},"assignee":{assignee},"group":{{"id":7,"name":"Workplace"}},"tags":["monitor","window","update"],"custom_fields":[{fields}],"links":{{"self":"https://desk.example.com/api/tickets/{number}","web":"https://desk.example.com/t/{number}"}},"sla":{{"breached":false,"minutes_left":{}}},"watchers":[],"created_at":"2025-12-01T08:00:00Z","updated_at":"{updated_at:.3}"}}"#,
            100_000 + number,
            number % 4,
            number % 600,
        ));
    }
}

/// The first number below `count` of which `is_before` does not hold.
fn partition(count: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
