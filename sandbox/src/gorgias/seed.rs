//! The account that a fresh start has.

use std::collections::BTreeMap;

use serde_json::json;

use super::model::{Message, Sender, Tag, Team, Ticket, User};
use super::moment::Moment;
use super::store::{BOT, Store};

const CUSTOMERS: [(&str, &str); 6] = [
    ("lena.brandt@example.com", "Lena Brandt"),
    ("omar.haddad@example.com", "Omar Haddad"),
    ("mei.tanaka@example.com", "Mei Tanaka"),
    ("paul.novak@example.com", "Paul Novak"),
    ("ines.costa@example.com", "Ines Costa"),
    ("jonas.berg@example.com", "Jonas Berg"),
];
const AGENTS: [(&str, &str, &str); 3] = [
    ("noor.agent@example.com", "Noor Agent", "agent"),
    ("sam.agent@example.com", "Sam Agent", "agent"),
    ("kim.lead@example.com", "Kim Lead", "admin"),
];
const TEAMS: [&str; 3] = ["Tier 1", "Returns", "Escalations"];
const TAGS: [&str; 4] = ["urgent", "test", "vip", "refund"];
const SUBJECTS: [&str; 8] = [
    "Where is my parcel?",
    "Wrong size delivered",
    "Cannot sign in to the shop",
    "Invoice lacks the tax number",
    "Gift card is refused",
    "Change of delivery address",
    "Zip broke on the first day",
    "Newsletter comes twice",
];
/// An own slug of the account among them, which no documentation lists.
const CHANNELS: [&str; 6] = ["email", "api", "chat", "sms", "phone", "returns-portal"];
const PRIORITIES: [&str; 4] = ["normal", "low", "high", "critical"];

pub(super) fn fill(store: &mut Store, email: &str, observer_email: &str, tickets: usize) {
    let now = store.now();
    let people = [
        (None, "Gorgias Bot", "bot"),
        (Some(email), "Support Desk", "admin"),
        (Some(observer_email), "Olga Observer", "observer-agent"),
    ];
    let agents = AGENTS.map(|(email, name, role)| (Some(email), name, role));
    for (id, (email, name, role)) in (BOT..).zip(people.into_iter().chain(agents)) {
        let user = User {
            id,
            email: email.map(str::to_owned),
            name: name.to_owned(),
            role,
            created: now.plus_seconds(-400 * 86_400),
        };
        store.users.insert(id, user);
    }
    for (id, name) in (201..).zip(TEAMS) {
        let name = name.to_owned();
        let created = now.plus_seconds(-399 * 86_400);
        store.teams.insert(id, Team { id, name, created });
    }
    for (id, name) in (301..).zip(TAGS) {
        let name = name.to_owned();
        let created = now.plus_seconds(-398 * 86_400);
        store.tags.insert(id, Tag { id, name, created });
    }
    for (email, name) in CUSTOMERS {
        store.customer(Some(email), None, Some(name));
    }
    let count = i64::try_from(tickets).unwrap_or(i64::MAX);
    for number in 0..count {
        let ticket = ticket(store, number, now, count);
        store.tickets.insert(ticket.id, ticket);
    }
}

/// One of the list's texts, round and round.
fn pick<'a>(list: &[&'a str], number: i64) -> &'a str {
    let length = i64::try_from(list.len()).unwrap_or(1).max(1);
    let index = usize::try_from(number.rem_euclid(length)).unwrap_or_default();
    list.get(index).copied().unwrap_or_default()
}

fn ticket(store: &mut Store, number: i64, now: Moment, count: i64) -> Ticket {
    // The last one was changed ten minutes ago, each before it some 100 minutes earlier.
    let updated = now
        .plus_seconds(-600 - (count - 1 - number) * 6_011)
        .plus(number * 7);
    let created = updated.plus_seconds(-3_600);
    let customer = 7_001 + number.rem_euclid(6);
    let channel = pick(&CHANNELS, number);
    let subject = pick(&SUBJECTS, number);
    let closed = number.rem_euclid(4) == 3;
    let id = store.next_ticket_id();
    let text = format!("{subject} Please help.");
    let first = Message {
        id: store.next_message_id(),
        channel: channel.to_owned(),
        via: channel.to_owned(),
        public: true,
        from_agent: false,
        sender: Sender::Customer(customer),
        receiver: None,
        source: None,
        external_id: None,
        integration_id: None,
        subject: Some(subject.to_owned()),
        body_html: Some(format!("<p>{text}</p>")),
        stripped_text: Some(text.clone()),
        stripped_html: None,
        body_text: Some(text),
        attachments: Vec::new(),
        meta: None,
        created,
        sent: Some(created),
        goes_out: false,
    };
    Ticket {
        id,
        external_id: None,
        closed,
        priority: Some(pick(&PRIORITIES, number).to_owned()),
        channel: channel.to_owned(),
        via: channel.to_owned(),
        from_agent: false,
        spam: false,
        is_unread: !closed,
        customer,
        assignee_user: (number.rem_euclid(3) == 1).then_some(4 + number.rem_euclid(2)),
        assignee_team: (number.rem_euclid(5) == 2).then_some(201),
        language: Some("en".to_owned()),
        subject: Some(subject.to_owned()),
        meta: (number.rem_euclid(7) == 0).then(|| json!({"shop": "north"})),
        tags: if number.rem_euclid(3) == 0 {
            vec![303]
        } else {
            Vec::new()
        },
        custom_fields: BTreeMap::from_iter([(101, json!(format!("N-{}", 1_000 + number)))]),
        messages: vec![first],
        created,
        opened: Some(created),
        last_received: Some(created),
        last_message: Some(created),
        updated,
        closed_at: closed.then_some(updated),
        snoozed_until: None,
        // Every thirteenth is in the trash.
        trashed_at: (number.rem_euclid(13) == 12).then_some(updated),
        merged_into: None,
        asked_for: u32::MAX,
    }
}
