//! The contract's fixed words: the twelve ticket actions, what each one's context holds and what it
//! gives back, the internal states, and the ticket's fields.
//!
//! `lint` checks an integration against these tables, and the actions that run it use the same ones, so
//! that an integration that lints clean finds every name it reads.

/// One of the twelve ticket actions (TAS, Ticket Action Service).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TasAction {
    /// Creates a ticket.
    CreateTicket,
    /// Reads one ticket.
    QueryTicketById,
    /// Lists the tickets of one person.
    QueryTicketsByRequestor,
    /// Lists the tickets that changed within a time range.
    QueryTicketsByTimeRange,
    /// Changes fields of a ticket.
    UpdateTicketFields,
    /// Moves a ticket to another state.
    UpdateTicketState,
    /// Gives a ticket to another group or person.
    UpdateTicketAssignment,
    /// Adds a comment that the requestor sees.
    AddPublicComment,
    /// Adds a note that only agents see.
    AddInternalComment,
    /// Adds a file to a ticket.
    AddAttachment,
    /// Resolves a ticket.
    ResolveTicket,
    /// Opens a resolved ticket again.
    ReopenTicket,
}

/// What every action's context holds: who asks, the chosen destination, and the integration's name.
pub const COMMON_CONTEXT: [&str; 3] = ["requestor_info", "destination", "integration"];

/// The names a compound action can start an expression with.
pub const COMPOUND_ROOTS: [&str; 3] = ["data", "meta_info", "settings"];

/// The keys of `meta_info`: `action_instance_id` is the idempotency key of the call, `request_id` names the
/// request in the log, `marker` is a short text that a new ticket can be found by.
pub const META_INFO_KEYS: [&str; 3] = ["action_instance_id", "marker", "request_id"];

/// The keys of `response` in `fail_when`, `paginate` and `fallback.when` of an HTTP action.
pub const RESPONSE_KEYS: [&str; 3] = ["status", "headers", "body"];

/// The keys of the result of an HTTP action that paginates.
pub const PAGED_RESULT_KEYS: [&str; 3] = ["items", "next_page_token", "pages"];

/// The fields a ticket must have.
pub const REQUIRED_TICKET_FIELDS: [&str; 4] = ["id", "state", "short_description", "updated_at"];

/// Every field a ticket can have.
pub const TICKET_FIELDS: [&str; 26] = [
    "id",
    "state",
    "short_description",
    "updated_at",
    "number",
    "type",
    "destination",
    "description",
    "priority",
    "internal_state_code",
    "requested_for",
    "created_by",
    "opened_by",
    "updated_by",
    "assigned_to_user",
    "assignment_group",
    "resolved_by",
    "close_code",
    "close_notes",
    "created_at",
    "resolved_at",
    "closed_at",
    "url",
    "comments",
    "attachments",
    "custom_data",
];

/// The fields of a comment, in a ticket's `comments` and in the answer of the comment actions.
pub const COMMENT_FIELDS: [&str; 5] = ["id", "body", "author", "created_at", "is_public"];

/// The fields of an attachment, in a ticket's `attachments` and in the answer of `add_attachment`.
pub const ATTACHMENT_FIELDS: [&str; 6] = ["id", "file_name", "content_type", "size", "url", "created_at"];

impl TasAction {
    /// All twelve, in the order of the contract.
    pub const ALL: [Self; 12] = [
        Self::CreateTicket,
        Self::QueryTicketById,
        Self::QueryTicketsByRequestor,
        Self::QueryTicketsByTimeRange,
        Self::UpdateTicketFields,
        Self::UpdateTicketState,
        Self::UpdateTicketAssignment,
        Self::AddPublicComment,
        Self::AddInternalComment,
        Self::AddAttachment,
        Self::ResolveTicket,
        Self::ReopenTicket,
    ];

    /// The key in the YAML: `create_ticket`.
    pub fn key(self) -> &'static str {
        match self {
            Self::CreateTicket => "create_ticket",
            Self::QueryTicketById => "query_ticket_by_id",
            Self::QueryTicketsByRequestor => "query_tickets_by_requestor",
            Self::QueryTicketsByTimeRange => "query_tickets_by_time_range",
            Self::UpdateTicketFields => "update_ticket_fields",
            Self::UpdateTicketState => "update_ticket_state",
            Self::UpdateTicketAssignment => "update_ticket_assignment",
            Self::AddPublicComment => "add_public_comment",
            Self::AddInternalComment => "add_internal_comment",
            Self::AddAttachment => "add_attachment",
            Self::ResolveTicket => "resolve_ticket",
            Self::ReopenTicket => "reopen_ticket",
        }
    }

    /// The action with this key, if there is one.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.key() == key)
    }

    /// One line that says what it does, for the JSON Schema and the guides.
    pub fn summary(self) -> &'static str {
        match self {
            Self::CreateTicket => "Creates a ticket.",
            Self::QueryTicketById => "Reads one ticket.",
            Self::QueryTicketsByRequestor => "Lists the tickets of one person.",
            Self::QueryTicketsByTimeRange => "Lists the tickets that changed within a time range.",
            Self::UpdateTicketFields => "Changes fields of a ticket.",
            Self::UpdateTicketState => "Moves a ticket to another state.",
            Self::UpdateTicketAssignment => "Gives a ticket to another group or person.",
            Self::AddPublicComment => "Adds a comment that the requestor sees.",
            Self::AddInternalComment => "Adds a note that only agents see.",
            Self::AddAttachment => "Adds a file to a ticket.",
            Self::ResolveTicket => "Resolves a ticket.",
            Self::ReopenTicket => "Opens a resolved ticket again.",
        }
    }

    /// The keys of `data.context` in this action, beyond [`COMMON_CONTEXT`].
    pub fn own_context_fields(self) -> &'static [&'static str] {
        match self {
            Self::CreateTicket => &["payload"],
            Self::QueryTicketById => &["ticket_id"],
            Self::QueryTicketsByRequestor => &[
                "requestor",
                "updated_start_ts",
                "updated_end_ts",
                "pagination_info",
            ],
            Self::QueryTicketsByTimeRange => &["updated_start_ts", "updated_end_ts", "pagination_info"],
            Self::UpdateTicketFields => &["ticket", "payload"],
            Self::UpdateTicketState => &["ticket", "state", "internal_state_code"],
            Self::UpdateTicketAssignment => &["ticket", "assignment_group", "assignee"],
            Self::AddPublicComment | Self::AddInternalComment => &["ticket", "comment"],
            Self::AddAttachment => &["ticket", "file_name", "content", "content_type", "comment"],
            Self::ResolveTicket => &["ticket", "state", "resolution", "comment"],
            Self::ReopenTicket => &["ticket", "state", "comment"],
        }
    }

    /// Every key of `data.context` in this action.
    pub fn context_fields(self) -> impl Iterator<Item = &'static str> {
        COMMON_CONTEXT
            .into_iter()
            .chain(self.own_context_fields().iter().copied())
    }

    /// Whether this is a field of the context of another action that changes a ticket, as this one does: null here.
    pub(crate) fn shares_context_field(self, field: &str) -> bool {
        let changes_ticket = |action: &Self| action.own_context_fields().contains(&"ticket");
        let mut others = Self::ALL.into_iter().filter(changes_ticket);
        changes_ticket(&self) && others.any(|other| other.own_context_fields().contains(&field))
    }

    /// The internal states that this action can end in; none for one that sets no state. `resolve_ticket` and
    /// `reopen_ticket` set the first of theirs where nothing says otherwise.
    pub fn ends_in(self) -> &'static [InternalState] {
        match self {
            Self::UpdateTicketState => &InternalState::ALL,
            Self::ResolveTicket => &[InternalState::Resolved, InternalState::Closed],
            Self::ReopenTicket => &[
                InternalState::New,
                InternalState::Wip,
                InternalState::WaitingForUser,
            ],
            _ => &[],
        }
    }

    /// The key of the answer: `raw_ticket`, `raw_tickets`, `comment` or `attachment`.
    pub fn output_key(self) -> &'static str {
        match self {
            Self::QueryTicketsByRequestor | Self::QueryTicketsByTimeRange => "raw_tickets",
            Self::AddPublicComment | Self::AddInternalComment => "comment",
            Self::AddAttachment => "attachment",
            _ => "raw_ticket",
        }
    }

    /// Whether the answer is a list of tickets, in pages.
    pub fn is_list(self) -> bool {
        matches!(
            self,
            Self::QueryTicketsByRequestor | Self::QueryTicketsByTimeRange
        )
    }

    /// Whether it changes something in the ticketing system.
    pub fn is_write(self) -> bool {
        !matches!(
            self,
            Self::QueryTicketById | Self::QueryTicketsByRequestor | Self::QueryTicketsByTimeRange
        )
    }
}

impl std::fmt::Display for TasAction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.key())
    }
}

/// A state in the contract's terms; each external state maps to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InternalState {
    /// Newly created or opened again.
    New,
    /// Being worked on.
    Wip,
    /// Waits for the user.
    WaitingForUser,
    /// Resolved.
    Resolved,
    /// Closed, completed or cancelled.
    Closed,
}

impl InternalState {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Wip,
        Self::WaitingForUser,
        Self::Resolved,
        Self::Closed,
    ];

    /// The contract's spelling: `WAITING_FOR_USER`.
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Wip => "WIP",
            Self::WaitingForUser => "WAITING_FOR_USER",
            Self::Resolved => "RESOLVED",
            Self::Closed => "CLOSED",
        }
    }

    /// The state with this exact code, if there is one.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl std::fmt::Display for InternalState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.code())
    }
}
