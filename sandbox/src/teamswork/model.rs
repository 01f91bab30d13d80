//! What the stand-in keeps: a ticket with its activities and attachments.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::moment::Moment;

/// An `IUser`. The API does not check that the three belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
}

impl Person {
    pub(super) fn to_json(&self) -> Value {
        json!({"id": self.id, "name": self.name, "email": self.email})
    }

    /// Whether both are the same account: by e-mail address, in any case.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.email.eq_ignore_ascii_case(&other.email)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tag {
    pub(super) category: String,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Priority {
    Low,
    Medium,
    Important,
    Urgent,
}

impl Priority {
    pub(super) const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::Important, Self::Urgent];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::Important => "Important",
            Self::Urgent => "Urgent",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.name() == name)
    }
}

/// Where a ticket stands. `Pending` exists only with the custom workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    Open,
    Started,
    Pending,
    Resolved,
    Closed,
    Reopened,
}

impl Status {
    pub(super) const ALL: [Self; 6] = [
        Self::Open,
        Self::Started,
        Self::Pending,
        Self::Resolved,
        Self::Closed,
        Self::Reopened,
    ];

    /// The reference's word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Started => "Started",
            Self::Pending => "Pending",
            Self::Resolved => "Resolved",
            Self::Closed => "Closed",
            Self::Reopened => "Reopened",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    pub(super) fn is_resolved(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) id: String,
    /// The human number.
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) status: Status,
    pub(super) requestor: Person,
    pub(super) custom_fields: Map<String, Value>,
    pub(super) priority: Priority,
    pub(super) assignee: Option<Person>,
    pub(super) expected_date: Option<Moment>,
    pub(super) resolution: Option<String>,
    pub(super) first_response_on: Option<Moment>,
    pub(super) first_resolution_on: Option<Moment>,
    pub(super) last_resolution_on: Option<Moment>,
    pub(super) last_resolution_comment: Option<String>,
    pub(super) created_on: Moment,
    pub(super) last_updated_on: Moment,
    pub(super) last_interaction: Moment,
    pub(super) tags: Vec<Tag>,
    pub(super) created_by: Person,
    pub(super) last_updated_by: Person,
}

/// One change of a field, as an activity tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) name: String,
    pub(super) old: Value,
    pub(super) new: Value,
}

/// A comment, a change, or both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) comment: Option<String>,
    pub(super) comment_html: Option<String>,
    pub(super) private: bool,
    pub(super) created_on: Moment,
    pub(super) created_by: Person,
    pub(super) changes: Vec<Change>,
    /// Ids of attachments that came with it.
    pub(super) attachments: Vec<String>,
}

/// A file or a link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub(super) id: String,
    /// The upload's activity, as the answer to the upload names it.
    pub(super) activity_id: String,
    pub(super) caption: String,
    pub(super) filename: Option<String>,
    pub(super) content_type: Option<String>,
    /// Base64 of a file's content; none for a link.
    pub(super) content: Option<String>,
    /// A link's address; a file's is made when it is shown.
    pub(super) link: Option<String>,
    pub(super) created_on: Moment,
    pub(super) created_by: Person,
}

/// A ticket and all that belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) ticket: Ticket,
    /// Oldest first.
    pub(super) activities: Vec<Activity>,
    pub(super) attachments: Vec<Attachment>,
}

impl Record {
    /// The id of the next activity. Nothing is ever taken away, so the count makes it unique.
    pub(super) fn next_activity_id(&self) -> String {
        guid(
            "activity",
            self.ticket.number * 100_000 + self.activities.len() as u64,
        )
    }

    /// The id of the next attachment.
    pub(super) fn next_attachment_id(&self) -> String {
        guid(
            "attachment",
            self.ticket.number * 100_000 + self.attachments.len() as u64,
        )
    }
}

/// An id that is the same in every run for the same kind of thing and number.
pub(super) fn guid(kind: &str, number: u64) -> String {
    // FNV-1a over the kind, then SplitMix64: spread ids so that their order says nothing.
    let seed = kind.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let spread = |value: u64| {
        let mut mixed = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let high = spread(seed.wrapping_add(number));
    let low = spread(high.wrapping_add(seed));
    let bits = (u128::from(high) << 64) | u128::from(low);
    uuid::Builder::from_random_bytes(bits.to_be_bytes())
        .into_uuid()
        .hyphenated()
        .to_string()
}

/// Whether the text is a 36-character id.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}
