//! The account's data, in memory.

use std::collections::BTreeMap;

use super::Clock;
use super::model::{Customer, FieldDefinition, FieldKind, File, Message, Tag, Team, Ticket, User};
use super::moment::Moment;
use super::seed;

/// The bot that writes what nobody else wrote.
pub(super) const BOT: i64 = 1;

/// The custom fields of tickets.
pub(super) const FIELDS: [FieldDefinition; 5] = [
    field(101, "Order number", FieldKind::Text),
    field(
        102,
        "Contact reason",
        FieldKind::Dropdown(&["Return", "Shipping", "Product", "Other"]),
    ),
    field(103, "Escalated", FieldKind::Boolean),
    field(104, "Minutes spent", FieldKind::Number),
    field(
        105,
        "Outcome",
        FieldKind::Dropdown(&["in progress", "resolved", "closed"]),
    ),
];

const fn field(id: i64, label: &'static str, kind: FieldKind) -> FieldDefinition {
    FieldDefinition { id, label, kind }
}

pub(super) struct Store {
    pub(super) tickets: BTreeMap<i64, Ticket>,
    pub(super) customers: BTreeMap<i64, Customer>,
    pub(super) users: BTreeMap<i64, User>,
    pub(super) teams: BTreeMap<i64, Team>,
    pub(super) tags: BTreeMap<i64, Tag>,
    pub(super) files: Vec<File>,
    clock: Clock,
    last_change: Moment,
    next_message: i64,
}

impl Store {
    /// An account whose two logins belong to these users, with `tickets` tickets.
    pub(super) fn new(clock: Clock, email: &str, observer_email: &str, tickets: usize) -> Self {
        let mut store = Self {
            tickets: BTreeMap::new(),
            customers: BTreeMap::new(),
            users: BTreeMap::new(),
            teams: BTreeMap::new(),
            tags: BTreeMap::new(),
            files: Vec::new(),
            clock,
            last_change: Moment::START,
            next_message: 90_001,
        };
        seed::fill(&mut store, email, observer_email, tickets);
        store
    }

    pub(super) fn now(&self) -> Moment {
        Moment::of((self.clock)())
    }

    /// The time of a change: now, and later than every change before it.
    pub(super) fn change_time(&mut self) -> Moment {
        self.last_change = self.now().max(self.last_change.plus(1));
        self.last_change
    }

    pub(super) fn next_ticket_id(&self) -> i64 {
        self.tickets.keys().next_back().map_or(5_001, |last| last + 1)
    }

    pub(super) fn next_message_id(&mut self) -> i64 {
        self.next_message += 1;
        self.next_message - 1
    }

    pub(super) fn customer_by_email(&self, email: &str) -> Option<&Customer> {
        let is = |known: &String| known.eq_ignore_ascii_case(email);
        self.customers
            .values()
            .find(|customer| customer.email.as_ref().is_some_and(is))
    }

    pub(super) fn customer_by_phone(&self, phone: &str) -> Option<&Customer> {
        self.customers
            .values()
            .find(|customer| customer.phone.as_deref() == Some(phone))
    }

    /// Finds the customer with this address or number, or makes one.
    pub(super) fn customer(&mut self, email: Option<&str>, phone: Option<&str>, name: Option<&str>) -> i64 {
        let known = email
            .and_then(|email| self.customer_by_email(email))
            .or_else(|| phone.and_then(|phone| self.customer_by_phone(phone)));
        if let Some(known) = known {
            return known.id;
        }
        let id = self.customers.keys().next_back().map_or(7_001, |last| last + 1);
        let now = self.change_time();
        let name = name.or(email).or(phone).unwrap_or_default().to_owned();
        self.customers.insert(
            id,
            Customer {
                id,
                email: email.map(str::to_owned),
                phone: phone.map(str::to_owned),
                name,
                external_id: None,
                created: now,
                updated: now,
            },
        );
        id
    }

    pub(super) fn user_by_email(&self, email: &str) -> Option<&User> {
        let is = |known: &String| known.eq_ignore_ascii_case(email);
        self.users
            .values()
            .find(|user| user.email.as_ref().is_some_and(is))
    }

    /// Finds the tag with exactly this name, or makes one.
    pub(super) fn tag(&mut self, name: &str) -> i64 {
        if let Some(known) = self.tags.values().find(|tag| tag.name == name) {
            return known.id;
        }
        let id = self.tags.keys().next_back().map_or(301, |last| last + 1);
        let created = self.change_time();
        let name = name.to_owned();
        self.tags.insert(id, Tag { id, name, created });
        id
    }

    /// Adds a message to a ticket, with what that moves.
    pub(super) fn add_message(&mut self, ticket: i64, message: Message) {
        let time = self.change_time();
        let Some(ticket) = self.tickets.get_mut(&ticket) else {
            return;
        };
        if !message.from_agent {
            ticket.last_received = Some(message.created);
            ticket.is_unread = true;
        }
        if message.public {
            ticket.last_message = Some(message.created);
        }
        ticket.messages.push(message);
        ticket.updated = time;
    }
}
