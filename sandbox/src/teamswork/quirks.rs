//! The reported differences between live installations and the reference, each with a name.

use std::collections::BTreeSet;
use std::fmt;

macro_rules! quirks {
    ($( $variant:ident $name:literal $description:literal )+) => {
        /// A reported difference between a live installation and the vendor's reference.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Quirk {
            $( #[doc = $description] $variant, )+
        }

        impl Quirk {
            /// Every quirk, in the order of the README.
            #[must_use]
            pub fn all() -> &'static [Self] {
                &[$( Self::$variant, )+]
            }

            /// The name that switches it on, such as `token-in-header`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// What is different, in one line of Markdown.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $( Self::$variant => $description, )+ }
            }
        }
    };
}

quirks! {
    // The list of tickets
    DefaultOrderRandom "default-order-random"
        "Without `orderBy` the tickets come in no useful order (the reference: newest first)."
    StatusFilterCoarse "status-filter-coarse"
        "`status` tells only unresolved (`Open`, `Reopened`, `Started`) from resolved (`Resolved`, `Closed`)."
    SelectUnknown500 "select-unknown-500"
        "An unknown column in `select`, `resolvedStatus` included, answers 500 instead of 400."
    DateFilters "date-filters"
        "`createdAfter/Before`, `lastUpdateAfter/Before` and `expectedDateAfter/Before` filter by `YYYY-MM-DD`, both ends included; a value with a time of day is silently ignored."
    TimezoneInverted "timezone-inverted"
        "`timezone` moves the days of the date filters the wrong way: 7 acts as GMT-7."
    StateFilters "state-filters"
        "`isResolved` and `statusId` filter the list; without the quirk they are ignored."
    TimesInTimezone "times-in-timezone"
        "Times come back in the zone that `timezone` names, with its offset; UTC only for 0."
    ItemCount "item-count"
        "The list's envelope has `itemCount`, the number of rows of this page."
    TokenInHeader "token-in-header"
        "The continuation token is in the response header `continuationToken`, not in the body."
    TokenMissing "token-missing"
        "No continuation token is ever given, though a full page is followed by another; only `offset` leads on."
    TokenRepeats "token-repeats"
        "The last page names the token that was sent for it again, without end."
    PagesOverlap "pages-overlap"
        "A page reached by token starts with the last ticket of the page before, as when rows move."
    // The shape of tickets
    TicketNo "ticket-no"
        "The human number is read as `ticketNo`, not `ticketId`."
    InProgressLabel "in-progress-label"
        "`Started` is read as `In Progress`."
    TagsAsText "tags-as-text"
        "Tags are written as objects and read as plain text."
    NullFields "null-fields"
        "A field without a value is null; without the quirk it is left out."
    ExtraFields "extra-fields"
        "Tickets have `trackingId`, `origin`, `attachments`, `activityCount`, the unseen counters, `cc`, `mailbox`; the instance has `instanceName`, `displayName`, `code`, `instanceType`, `workflows`, `sla`."
    FlatRecords "flat-records"
        "Every fourth ticket number has `requestorId/Name/Email`, `assigneeId/Name/Email` and `createdDateTime` in place of `requestor`, `assignee` and `createdOn`."
    EmailPeople "email-people"
        "Every fifth ticket number came by e-mail: its requestor has the address as id, name and email."
    ResolvedStatus "resolved-status"
        "Every ticket lists in `resolvedStatus` the labels that count as resolved."
    HtmlTexts "html-texts"
        "`include=description_HTML` and `include=comment_HTML` add HTML texts; a comment may be sent as `comment_HTML`, the plain text wins."
    BareAnswers "bare-answers"
        "A single ticket, comment or instance comes without the `item` envelope."
    // Writing
    PriorityIgnoredOnCreate "priority-ignored-on-create"
        "A new ticket has priority `Medium`, whatever was sent; an update honours it."
    CreateWithoutItem "create-without-item"
        "`POST /tickets` makes the ticket and answers 200 without saying which."
    ExpectedDateNoTicket "expected-date-no-ticket"
        "A date-time in `expectedDate` together with `customFields` answers success and makes no ticket."
    ExpectedDateOnly "expected-date-only"
        "`expectedDate` must be `YYYY-MM-DD`; a date-time is refused."
    Error200 "error-200"
        "What would be a 400 comes as HTTP 200 with `error: true` and `statusCode: 400`."
    UpdatesKeyOnly "updates-key-only"
        "`PUT /tickets/{id}` takes its changes under `updates` only."
    TicketKeyOnly "ticket-key-only"
        "`PUT /tickets/{id}` takes its changes under `ticket` only."
    WrongUpdateKeyIgnored "wrong-update-key-ignored"
        "Changes under the other key are silently not made, with a success answer, instead of a 400."
    CustomFieldsReplaced "custom-fields-replaced"
        "An update replaces all custom fields; without the quirk those not named stay."
    PostStatus "post-status"
        "The status is changed with `POST /tickets/{id}/status`; PUT answers 405."
    CustomWorkflow "custom-workflow"
        "Tickets have `isCustomWorkflow` and `workflow`; `status` takes a state id and only the state's `nextSteps` are allowed."
    CommentRequired "comment-required"
        "Resolving needs a comment (`recordComment`)."
    QuietComments "quiet-comments"
        "A comment moves `lastInteraction` only; `lastUpdatedOn` stays."
    // Comments and attachments
    CommentsPath "comments-path"
        "Comments are added at `/tickets/{id}/comments`; POST to `/activities` answers 404."
    PrivateComments "private-comments"
        "`isPrivate` is honoured and read back; without the quirk it is ignored and the comment is public."
    ActivityPaging "activity-paging"
        "Activities come in pages of `limit` (default 10) with a continuation token."
    Attachments "attachments"
        "`/tickets/{id}/attachments` exists (files and links), and `/tickets/activity/{activityId}/attachments`, which answers 500 for an id that no upload returned."
    MultipartNamesQuoted "multipart-names-quoted"
        "An upload whose part names are not in quotation marks answers 500."
    // The instance and the gateway in front
    FieldListsDisagree "field-lists-disagree"
        "The three custom-field lists of the instance each lack some fields; optional fields have a text as `type`."
    PlainPeople "plain-people"
        "The instance's assignees are `{id, name, email}`, not persona properties (`text`, `secondaryText`)."
    NoRetryAfter "no-retry-after"
        "A 429 has no `Retry-After` header."
}

impl Quirk {
    /// The quirk with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|quirk| quirk.name() == name)
    }

    /// The quirk that wins when both are switched on, for two that exclude each other.
    #[must_use]
    pub fn gives_way_to(self) -> Option<Self> {
        match self {
            // Public clients of the live service send `ticket`.
            Self::UpdatesKeyOnly => Some(Self::TicketKeyOnly),
            Self::TokenMissing => Some(Self::TokenInHeader),
            _ => None,
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The quirks in force: those asked for, without those that give way.
#[derive(Clone)]
pub(super) struct Quirks(BTreeSet<Quirk>);

impl Quirks {
    pub(super) fn new(asked: &BTreeSet<Quirk>) -> Self {
        let loses = |quirk: &&Quirk| quirk.gives_way_to().is_some_and(|winner| asked.contains(&winner));
        Self(asked.iter().filter(|quirk| !loses(quirk)).copied().collect())
    }

    pub(super) fn none() -> Self {
        Self(BTreeSet::new())
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }
}
