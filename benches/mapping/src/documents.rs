//! The documents that are mapped. They are made up here, and the same in every run.

use serde_json::{Map, Value, json};

/// What a made-up ticket is like.
#[derive(Clone, Copy)]
pub struct Ticket {
    /// Words in the description.
    pub words: usize,
    /// Comments; every other one is internal.
    pub comments: usize,
    /// Fields that no mapping reads.
    pub custom_fields: usize,
    /// Texts of many scripts, with escapes.
    pub unicode: bool,
    /// Only the fields that are mapped, without links.
    pub brief: bool,
}

/// Like what ServiceNow's table API answers: 11 named fields, each with its value as stored and as shown, 6 comments
/// and 24 custom fields; 5.7 KB.
pub const TYPICAL: Ticket = Ticket {
    words: 330,
    comments: 6,
    custom_fields: 24,
    unicode: false,
    brief: false,
};

/// Half a kilobyte.
pub const BRIEF: Ticket = Ticket {
    words: 0,
    comments: 0,
    custom_fields: 0,
    unicode: false,
    brief: true,
};

/// The codes of the states and what a mapping makes of them. Tickets have one more, which it does not know.
pub const STATES: [(&str, &str); 5] = [
    ("1", "NEW"),
    ("2", "WIP"),
    ("3", "WAITING_FOR_USER"),
    ("6", "RESOLVED"),
    ("7", "CLOSED"),
];

/// What stands before an id in the address of a ticket.
pub const ADDRESS: &str = "https://acme.service-now.com/nav_to.do?uri=incident.do?sys_id=";

const LATIN: [&str; 24] = [
    "printer",
    "on",
    "the",
    "third",
    "floor",
    "prints",
    "only",
    "blank",
    "pages",
    "since",
    "Monday",
    "VPN",
    "drops",
    "after",
    "an",
    "hour;",
    "restarting",
    "helps",
    "for",
    "a",
    "while",
    "laptop",
    "please",
    "advise\n",
];
const MANY: [&str; 12] = [
    "Drucker",
    "läuft",
    "nicht",
    "プリンター",
    "が",
    "壊れた",
    "принтер",
    "сломан",
    "🖨️",
    "不工作",
    "naïve",
    "\u{7}\t",
];

/// xorshift64*: made-up does not have to be more random than that.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most
    }

    fn text(&mut self, words: usize, unicode: bool) -> String {
        let known: &[&str] = if unicode { &MANY } else { &LATIN };
        let words: Vec<&str> = (0..words).map(|_| known[self.below(known.len())]).collect();
        words.join(" ")
    }

    fn id(&mut self) -> String {
        (0..4).map(|_| format!("{:08x}", self.below(1 << 31))).collect()
    }
}

impl Ticket {
    /// Ticket `number`, as a value.
    pub fn value(self, number: usize) -> Value {
        let random = &mut Random(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
        let shown = |value: &str, display: &str| json!({"display_value": display, "value": value});
        let linked = |random: &mut Random, display: &str| {
            if self.brief {
                return shown("", display);
            }
            let id = random.id();
            json!({"display_value": display, "value": id, "link": format!("https://acme.service-now.com/api/now/table/sys_user/{id}")})
        };
        let mut ticket = Map::new();
        let id = random.id();
        ticket.insert("sys_id".into(), shown(&id, if self.brief { "" } else { &id }));
        ticket.insert(
            "number".into(),
            shown(&format!("INC{number:07}"), &format!(" INC{number:07} ")),
        );
        ticket.insert(
            "short_description".into(),
            shown("", &random.text(7, self.unicode)),
        );
        if !self.brief {
            ticket.insert(
                "description".into(),
                shown("", &random.text(self.words, self.unicode)),
            );
        }
        let code = ["1", "2", "3", "6", "7", "8"][random.below(6)];
        ticket.insert("state".into(), shown(code, "as shown"));
        if !self.brief {
            ticket.insert("priority".into(), shown("3", "3 - Moderate"));
        }
        let caller = format!("Ada.Lovelace{}@Example.COM", random.below(500));
        ticket.insert("caller_id".into(), linked(random, &caller));
        let assignee = ["", "Grace Hopper", "Alan Turing"][random.below(3)];
        ticket.insert("assigned_to".into(), linked(random, assignee));
        if !self.brief {
            ticket.insert("assignment_group".into(), linked(random, "Service Desk"));
        }
        let (day, minute) = (1 + random.below(28), random.below(60));
        let updated = format!("2026-05-{day:02} 09:{minute:02}:17");
        ticket.insert("sys_updated_on".into(), shown(&updated, "as shown"));
        let comments = (0..self.comments).map(|position| {
            json!({"id": random.id(), "internal": position % 2 == 1, "created_on": updated, "body": random.text(12, self.unicode)})
        });
        ticket.insert("comments".into(), comments.collect());
        for field in 0..self.custom_fields {
            let display = random.text(1 + field % 3, self.unicode);
            ticket.insert(
                format!("u_custom_field_{field:02}"),
                shown(&format!("value {field}"), &display),
            );
        }
        ticket.into()
    }

    /// As the API answers it.
    pub fn json(self, number: usize) -> String {
        self.value(number).to_string()
    }
}

/// An answer with a list of tickets.
pub fn page(of: Ticket, first: usize, count: usize) -> String {
    let items: Value = (first..first + count).map(|number| of.value(number)).collect();
    json!({"items": items, "total": 12_345}).to_string()
}

/// 100 fields with short texts.
pub fn flat(number: usize) -> String {
    let random = &mut Random(number as u64 + 77);
    let fields = (0..100).map(|field| (format!("field_{field}"), random.text(4, false).into()));
    Value::Object(fields.collect()).to_string()
}

/// A text 60 objects down, with some fields beside the way.
pub fn deep(number: usize) -> String {
    let beside = json!({"a": number, "b": "beside the way", "c": [1, 2, 3]});
    (0..60)
        .fold(
            json!("at the end"),
            |inner, _| json!({"before": beside, "down": inner, "after": beside}),
        )
        .to_string()
}

/// 100 fields with numbers, from small to those at the end of 64 bits.
pub fn numbers(number: usize) -> String {
    let random = &mut Random(number as u64 + 7);
    let fields = (0..100).map(|field| {
        let value = match field % 4 {
            0 => json!(i64::MAX - random.below(1 << 30) as i64),
            1 => json!(i64::MIN + random.below(1 << 30) as i64),
            2 => json!(random.below(1 << 30) as f64 / 1024.0 * 1e17),
            _ => json!(random.below(1000)),
        };
        (format!("field_{field}"), value)
    });
    Value::Object(fields.collect()).to_string()
}
