//! The differences between what is reported of live accounts and the documentation, each with a name.

use std::collections::BTreeSet;
use std::fmt;

macro_rules! quirks {
    ($( $variant:ident $name:literal $description:literal )+) => {
        /// A reported or possible difference between a live account and the vendor's documentation.
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

            /// The name that switches it on, such as `empty-bodies`.
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
    // What is read
    DatesWithOffset "dates-with-offset"
        "Times end in `+00:00`, as in live answers; the documentation's samples have no offset."
    FieldsLeftOut "fields-left-out"
        "A field without a value is left out; without the quirk it is null."
    PriorityNotRead "priority-not-read"
        "A ticket's `priority` can be written and is never read back."
    MessagesCut "messages-cut"
        "`GET /tickets/{id}` shows the first 30 messages only; `/messages?ticket_id=` shows all."
    FileSizeText "file-size-text"
        "A file's `size` is a text."
    // Lists
    ListsShowTrashed "lists-show-trashed"
        "`trashed=false` is ignored: tickets in the trash are listed all the same."
    PagesOverlap "pages-overlap"
        "A page reached by cursor starts with the last row of the page before."
    CursorRepeats "cursor-repeats"
        "The last page names the cursor that was sent for it again, without end."
    CustomersBare "customers-bare"
        "`GET /customers` answers a bare array, without cursors."
    CustomersInexact "customers-inexact"
        "`GET /customers?email=` also finds addresses that contain the one asked for, and they come first."
    ExternalIdLate "external-id-late"
        "A new ticket is found by `external_id` only the second time that somebody asks."
    // Writing
    EmptyBodies "empty-bodies"
        "Changes of a ticket, its tags and its custom fields answer 202 without a body."
    CustomFieldsReplaced "custom-fields-replaced"
        "`PUT /tickets/{id}/custom-fields` takes away the fields that it does not name."
    NoteViaApi "note-via-api"
        "An internal note must have `via` `api`; the tutorial's `internal-note` is refused."
    SenderMustExist "sender-must-exist"
        "A note or an agent's message without an existing user as sender is refused; without the quirk it comes from the Gorgias Bot."
    PhoneSenderRequired "phone-sender-required"
        "A `phone` or `sms` message needs `sender.id` or `sender.email`, as the tutorial's list says and its example does not show."
    SmsSourceType "sms-source-type"
        "An `sms` message needs `source.type` `sms`; the tutorial's example has `phone`."
    TicketMessagesGone "ticket-messages-gone"
        "`GET /tickets/{id}/messages`, which is deprecated, answers 404."
    // The gate
    NoRetryAfter "no-retry-after"
        "A 429 has no `Retry-after` header."
}

impl Quirk {
    /// The quirk with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|quirk| quirk.name() == name)
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The quirks in force.
#[derive(Debug, Clone, Default)]
pub(super) struct Quirks(BTreeSet<Quirk>);

impl Quirks {
    pub(super) fn new(asked: BTreeSet<Quirk>) -> Self {
        Self(asked)
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }
}
