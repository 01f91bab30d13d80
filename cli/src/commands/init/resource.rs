//! Which of the things that an API knows is the ticket.

use super::operation::{Operation, Segment};
use super::shape::{Kind, Leaf, Shape};
use super::words::{any, ticket_noun, words};

const TITLE: &[&str] = &[
    "short description",
    "title",
    "subject",
    "summary",
    "headline",
    "name",
    "ticket title",
    "ticket subject",
    "issue title",
    "case title",
    "topic",
];
pub(crate) const STATE: &[&str] = &[
    "state",
    "status",
    "ticket status",
    "ticket state",
    "issue status",
    "issue state",
    "case status",
    "workflow state",
    "workflow status",
    "current status",
];
const UPDATED: &[&str] = &[
    "updated at",
    "updated",
    "updated on",
    "updated datetime",
    "updated date",
    "updated time",
    "last updated",
    "last updated at",
    "last update",
    "modified",
    "modified at",
    "modified on",
    "last modified",
    "last modified at",
    "last modified date",
    "modified date",
    "modified time",
    "date updated",
    "date modified",
    "changed",
    "changed at",
    "change date",
    "sys updated on",
    "time updated",
    "update time",
];

/// Words of objects that belong to a ticket and have names of their own: that of a transition is no title.
const OTHERS: &[&str] = &[
    "transition",
    "status",
    "state",
    "priority",
    "severity",
    "urgency",
    "impact",
    "resolution",
    "assignee",
    "assigned",
    "owner",
    "agent",
    "reporter",
    "requester",
    "requestor",
    "user",
    "author",
    "creator",
    "person",
    "contact",
    "customer",
    "member",
    "type",
    "issuetype",
    "tracker",
    "project",
    "category",
    "group",
    "team",
    "queue",
    "organization",
    "organisation",
    "company",
    "account",
    "workspace",
    "repository",
    "history",
    "metadata",
    "parent",
    "milestone",
    "label",
    "tag",
    "component",
    "version",
    "property",
    "watcher",
    "follower",
    "attachment",
    "comment",
    "note",
    "sla",
    "source",
    "custom",
    "link",
    "department",
    "site",
    "location",
];

/// Objects that hold the fields of the ticket itself.
const ENVELOPES: &[&str] = &["properties", "attributes", "fields", "data"];

/// The property that holds the title: a plain value, and not the name of another thing.
pub(crate) fn title_leaf(shape: &Shape) -> Option<&Leaf> {
    shape.find_where(TITLE, |leaf| {
        let of_other = leaf.path.split_last().is_some_and(|(_, above)| {
            let mut above = above.iter().filter(|name| !ENVELOPES.contains(&name.as_str()));
            above.any(|name| any(&words(name), OTHERS))
        });
        is_plain(leaf) && !of_other
    })
}

/// The property that holds the time of the last change, by one of the usual names, else by its words: `date_mod`.
pub(crate) fn updated_leaf(shape: &Shape) -> Option<&Leaf> {
    shape.find_where(UPDATED, is_plain).or_else(|| {
        let mut leaves = shape.leaves.iter();
        leaves.find(|leaf| {
            let change = [
                "mod",
                "modif",
                "modified",
                "modification",
                "updated",
                "update",
                "changed",
                "change",
                "touched",
            ];
            let time = ["date", "time", "datetime", "timestamp", "at", "on", "ts", "last"];
            leaf.path.len() <= 2
                && is_plain(leaf)
                && any(&leaf.words, &change)
                && any(&leaf.words, &time)
                && !any(&leaf.words, &["by", "user", "id"])
        })
    })
}

fn is_plain(leaf: &Leaf) -> bool {
    !matches!(leaf.kind, Kind::Object | Kind::List | Kind::Boolean)
}

/// The paths at which tickets are.
#[derive(Debug)]
pub(crate) struct Resource {
    /// One ticket: `/tickets/{id}`.
    pub(crate) item: Vec<Segment>,
    /// All of them: `/tickets`.
    pub(crate) collection: Vec<Segment>,
    /// The word for a ticket: `issue`.
    pub(crate) noun: String,
    /// The parameter that holds its id.
    pub(crate) id: String,
    pub(crate) score: f64,
}

impl Resource {
    /// The one that is most like a ticket, if any is.
    pub(crate) fn find(operations: &[Operation], extra: Option<&str>) -> Option<Self> {
        let mut best: Option<Self> = None;
        for operation in operations {
            let Some(candidate) = candidate(&operation.segments, operations, extra) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|best| candidate.score > best.score + 1e-9)
            {
                best = Some(candidate);
            }
        }
        best
    }

    pub(crate) fn is_item(&self, operation: &Operation) -> bool {
        same(&operation.segments, &self.item)
    }

    pub(crate) fn is_collection(&self, operation: &Operation) -> bool {
        same(&operation.segments, &self.collection)
    }

    /// What of a path lies behind that of a ticket.
    pub(crate) fn tail<'a>(&self, operation: &'a Operation) -> Option<&'a [Segment]> {
        let head = operation.segments.get(..self.item.len())?;
        let tail = operation.segments.get(self.item.len()..)?;
        (!tail.is_empty() && same(head, &self.item)).then_some(tail)
    }
}

/// The same path, whatever its parameters are called.
fn same(left: &[Segment], right: &[Segment]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|pair| match pair {
            (Segment::Word(left), Segment::Word(right)) => left == right,
            (Segment::Parameter { .. }, Segment::Parameter { .. }) => true,
            _ => false,
        })
}

fn candidate(segments: &[Segment], operations: &[Operation], extra: Option<&str>) -> Option<Resource> {
    let (last, collection) = segments.split_last()?;
    let Segment::Parameter { name, .. } = last else {
        return None;
    };
    let (Segment::Word(word), before) = collection.split_last()? else {
        return None;
    };
    let own = words(word);
    let noun = own.last()?;
    let fit = ticket_noun(noun, extra).max(ticket_noun(&own.concat(), extra));
    // Pull and merge requests are changes of code; a sub-issue is a part of what is sought.
    if fit == 0.0 || any(&own, &["pull", "merge", "sub", "linked", "related"]) {
        return None;
    }
    let mut resource = Resource {
        item: segments.to_vec(),
        collection: collection.to_vec(),
        noun: noun.clone(),
        id: name.clone(),
        score: fit * 0.5,
    };
    let below_another = before.iter().any(|segment| match segment {
        Segment::Word(word) => words(word)
            .last()
            .is_some_and(|noun| ticket_noun(noun, extra) > 0.0),
        Segment::Parameter { .. } => false,
    });
    if below_another {
        resource.score -= 0.3;
    }
    let parameters = before
        .iter()
        .filter(|segment| matches!(segment, Segment::Parameter { .. }))
        .count();
    resource.score -= 0.02 * f64::from(u32::try_from(parameters).unwrap_or(u32::MAX));

    let mut methods: Vec<&str> = Vec::new();
    let mut creates = false;
    let mut comments = false;
    let mut shape = 0.0_f64;
    for operation in operations {
        if resource.is_item(operation) {
            methods.push(&operation.method);
            let body = operation.body_shape().map_or(0.0, likeness);
            shape = shape.max(likeness(&operation.answer)).max(body);
        } else if resource.is_collection(operation) {
            creates |= operation.method == "POST";
        } else if let Some([Segment::Word(word)]) = resource.tail(operation) {
            comments |= any(&words(word), &["comment", "reply", "note", "message", "followup"]);
        }
    }
    if methods.contains(&"GET") {
        resource.score += 0.1;
    }
    if methods
        .iter()
        .any(|method| ["PUT", "PATCH", "POST"].contains(method))
    {
        resource.score += 0.05;
    }
    resource.score += if creates { 0.1 } else { 0.0 } + if comments { 0.1 } else { 0.0 } + shape * 0.15;
    Some(resource)
}

/// How much a schema is like that of a ticket: 0 to 1.
pub(crate) fn likeness(shape: &Shape) -> f64 {
    [title_leaf(shape), shape.find(STATE), updated_leaf(shape)]
        .iter()
        .flatten()
        .count()
        .try_into()
        .map_or(0.0, |found: u32| f64::from(found) / 3.0)
}
