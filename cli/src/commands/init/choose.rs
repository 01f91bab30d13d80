//! Which request does which ticket action, and how sure that is.
//!
//! Each request gets points for what it has of an action's: its method, where its path lies, the words of its
//! `operationId` and summary, what its body takes and its answer holds. The sum is not a probability, only an order; it
//! is shown with its reasons so that a person can judge it.

use integration::TasAction;

use super::meaning::{LANGUAGE, REQUESTOR, SINCE, assignee_leaf, comment_leaf, state_leaf, visibility_leaf};
use super::operation::{BodyKind, Operation, Segment};
use super::resource::{Resource, likeness, title_leaf};
use super::shape::{Leaf, Shape};
use super::words::{any, words};

/// Below this nothing is proposed.
pub(crate) const ENOUGH: f64 = 0.4;
/// Below this the proposal is marked to be checked.
pub(crate) const SURE: f64 = 0.7;

/// What an action is done with.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The request, as its place among all of them.
    pub(crate) operation: usize,
    /// 0 to 1.
    pub(crate) sure: f64,
    pub(crate) because: Vec<String>,
}

/// The best request for each action, where one is good enough. In the order of the contract.
pub(crate) fn choose(operations: &[Operation], resource: &Resource) -> Vec<(TasAction, Option<Choice>)> {
    let judge = Judge { resource, operations };
    TasAction::ALL
        .into_iter()
        .map(|action| {
            let mut best: Option<Choice> = None;
            for (index, operation) in operations.iter().enumerate() {
                let mut points = judge.points(action, operation);
                if operation.deprecated {
                    points.add(-0.15, "it is deprecated");
                }
                let sure = (points.sum.clamp(0.0, 0.98) * 100.0).round() / 100.0;
                if sure >= ENOUGH && best.as_ref().is_none_or(|best| sure > best.sure) {
                    best = Some(Choice {
                        operation: index,
                        sure,
                        because: points.reasons,
                    });
                }
            }
            (action, best)
        })
        .collect()
}

struct Judge<'a> {
    resource: &'a Resource,
    operations: &'a [Operation],
}

#[derive(Default)]
struct Points {
    sum: f64,
    reasons: Vec<String>,
}

impl Points {
    fn add(&mut self, points: f64, reason: impl Into<String>) {
        self.sum += points;
        self.reasons.push(reason.into());
    }

    fn none() -> Self {
        Self::default()
    }
}

impl Judge<'_> {
    fn points(&self, action: TasAction, operation: &Operation) -> Points {
        match action {
            TasAction::CreateTicket => self.create(operation),
            TasAction::QueryTicketById => self.get(operation),
            TasAction::QueryTicketsByRequestor => self.list(operation, true),
            TasAction::QueryTicketsByTimeRange => self.list(operation, false),
            TasAction::UpdateTicketFields => self.update(operation),
            TasAction::UpdateTicketState => {
                self.state(operation, &["transition", "status", "state", "workflow"], 0.75)
            }
            TasAction::ResolveTicket => self
                .state(
                    operation,
                    &[
                        "resolve",
                        "close",
                        "complete",
                        "solve",
                        "finish",
                        "resolution",
                        "solution",
                    ],
                    0.9,
                )
                .or(self.state(operation, &["transition", "status", "state", "workflow"], 0.65)),
            TasAction::ReopenTicket => self
                .state(operation, &["reopen", "open", "unresolve", "restore"], 0.9)
                .or(self.state(operation, &["transition", "status", "state", "workflow"], 0.65)),
            TasAction::UpdateTicketAssignment => self.assign(operation),
            TasAction::AddPublicComment => self.comment(operation),
            TasAction::AddInternalComment => self.note(operation),
            TasAction::AddAttachment => self.attach(operation),
        }
    }

    fn create(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if operation.method != "POST" {
            return points;
        }
        if self.resource.is_collection(operation) {
            points.add(0.6, format!("POST to {}", operation.path));
        } else if self.ends_in(operation, &["create", "new", "add"]) {
            points.add(0.45, format!("the path {} says so", operation.path));
        } else {
            return points;
        }
        if let Some(title) = operation.body_shape().and_then(title_leaf) {
            points.add(0.2, format!("its body has `{}`", title.dotted()));
        }
        self.named(
            &mut points,
            operation,
            &["create", "add", "new", "open", "submit"],
        );
        points
    }

    fn get(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if operation.method != "GET" || !self.resource.is_item(operation) {
            return points;
        }
        points.add(0.65, format!("GET {}", operation.path));
        let like = likeness(&operation.answer);
        if like > 0.0 {
            points.add(0.2 * like, "its answer looks like a ticket");
        }
        self.named(
            &mut points,
            operation,
            &["get", "show", "retrieve", "read", "find", "fetch", "view"],
        );
        points
    }

    fn list(&self, operation: &Operation, by_requestor: bool) -> Points {
        let mut points = Points::none();
        let in_path = self.ends_in(operation, &["search", "query", "filter", "list", "find"]);
        let is_search = words(&operation.path)
            .iter()
            .any(|word| word == "search" || word == "query");
        let collection = self.resource.is_collection(operation);
        let items = ticket_list(operation, self.resource, self.operations);
        let named_by_noun = words(&operation.path).last() == Some(&self.resource.noun);
        match operation.method.as_str() {
            "GET" if collection => points.add(0.4, format!("GET {}", operation.path)),
            "GET" if items.is_some() && (is_search || named_by_noun) => {
                points.add(0.3, format!("GET {} lists tickets", operation.path));
            }
            // A curl line shows no answer.
            "GET"
                if is_search
                    && operation.answer.is_empty()
                    && (named_by_noun
                        || parameters(operation).iter().any(|leaf| leaf.is_called(LANGUAGE))) =>
            {
                points.add(
                    0.4,
                    format!("GET {} says that it looks for tickets", operation.path),
                );
            }
            "POST" if items.is_some() && (in_path || is_search) => {
                points.add(0.2, format!("POST {} lists tickets", operation.path));
            }
            _ => return points,
        }
        if items.is_some() {
            points.add(0.2, "its answer is a list of tickets");
        }
        let filters = parameters(operation);
        let wanted = if by_requestor { REQUESTOR } else { SINCE };
        if let Some(filter) = filters.iter().find(|leaf| leaf.is_called(wanted)) {
            points.add(0.3, format!("it filters by `{}`", filter.dotted()));
        } else if let Some(language) = filters.iter().find(|leaf| leaf.is_called(LANGUAGE)) {
            points.add(0.12, format!("it takes a query in `{}`", language.dotted()));
        } else {
            points.add(
                0.0,
                "no filter for it was found: the gateway filters what is listed",
            );
        }
        self.named(&mut points, operation, &["list", "search", "query", "find"]);
        points
    }

    fn update(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if !self.resource.is_item(operation) {
            return points;
        }
        match operation.method.as_str() {
            "PATCH" => points.add(0.65, format!("PATCH {}", operation.path)),
            "PUT" => points.add(0.6, format!("PUT {}", operation.path)),
            "POST" => points.add(0.45, format!("POST {}", operation.path)),
            _ => return points,
        }
        if let Some(title) = operation.body_shape().and_then(title_leaf) {
            points.add(0.2, format!("its body has `{}`", title.dotted()));
        }
        self.named(
            &mut points,
            operation,
            &["update", "edit", "modify", "change", "patch"],
        );
        points
    }

    fn state(&self, operation: &Operation, tails: &[&str], weight: f64) -> Points {
        let mut points = Points::none();
        if !writes(operation) {
            return points;
        }
        if let Some(tail) = self.tail_words(operation) {
            if any(&tail, tails) && tail.len() <= 2 {
                points.add(weight, format!("{} lies below the ticket", operation.title()));
                self.named(&mut points, operation, tails);
                if operation
                    .body_shape()
                    .is_some_and(|body| state_leaf(body).is_some())
                {
                    points.add(0.1, "its body has a state");
                }
            }
            return points;
        }
        // The ticket itself, where its body has a state. Only for the words of states: nobody closes with a PATCH of
        // anything.
        let of_state = tails.contains(&"state");
        if of_state && self.resource.is_item(operation) {
            let Some(state) = operation.body_shape().and_then(state_leaf) else {
                return points;
            };
            points.add(0.4, operation.title());
            points.add(weight - 0.4 + 0.05, format!("its body has `{}`", state.dotted()));
            if !state.values.is_empty() {
                points.add(0.08, format!("with the words {}", state.values.join(", ")));
            }
        }
        points
    }

    fn assign(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if !writes(operation) {
            return points;
        }
        if let Some(tail) = self.tail_words(operation) {
            let actor = ["user", "agent", "actor", "technician"];
            let of_ticket = tail.len() == 2
                && tail.first() == Some(&self.resource.noun)
                && tail.last().is_some_and(|word| actor.contains(&word.as_str()));
            if of_ticket {
                points.add(
                    0.45,
                    format!(
                        "{} lies below the ticket and joins a person to it",
                        operation.title()
                    ),
                );
            } else if any(&tail, &["assign", "assignee", "assignment", "owner", "reassign"])
                && tail.len() == 1
            {
                // A list below a ticket is added to, not replaced.
                let adds = operation.method == "POST" && operation.path.ends_with('s');
                points.add(
                    if adds { 0.45 } else { 0.75 },
                    format!("{} lies below the ticket", operation.title()),
                );
                self.named(&mut points, operation, &["assign", "assignee", "owner"]);
                if operation
                    .body_shape()
                    .is_some_and(|body| assignee_leaf(body).is_some())
                {
                    points.add(0.1, "its body names a person");
                }
            }
        } else if self.resource.is_item(operation)
            && let Some(leaf) = operation.body_shape().and_then(assignee_leaf)
        {
            points.add(0.4, operation.title());
            points.add(0.3, format!("its body has `{}`", leaf.dotted()));
        }
        points
    }

    fn comment(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if !writes(operation) {
            return points;
        }
        if let Some(tail) = self.tail_words(operation) {
            // The last word says what it is: `ITILFollowup`, `ticket_comments`.
            let weight = match tail.as_slice() {
                [first, second] if first == "public" || second == "public" => 0.72,
                [first, second]
                    if [first, second]
                        .iter()
                        .any(|word| *word == "internal" || *word == "private") =>
                {
                    return points;
                }
                [.., word] if tail.len() <= 2 => match word.as_str() {
                    "comment" => 0.7,
                    "reply" | "correspond" | "correspondence" => 0.66,
                    "followup" => 0.64,
                    "message" => 0.6,
                    "note" | "journal" => 0.45,
                    "activity" | "post" | "thread" | "article" => 0.4,
                    "up" if tail.first().is_some_and(|first| first == "follow") => 0.64,
                    _ => return points,
                },
                _ => return points,
            };
            points.add(weight, format!("{} lies below the ticket", operation.title()));
            if let Some(text) = operation.body_shape().and_then(comment_leaf) {
                points.add(0.15, format!("its body has `{}`", text.dotted()));
            }
            self.named(
                &mut points,
                operation,
                &["comment", "reply", "add", "create", "message"],
            );
        } else if self.resource.is_item(operation)
            && let Some(leaf) = operation
                .body_shape()
                .and_then(|body| body.find(&["comment", "comment body", "notes", "reply"]))
        {
            points.add(0.4, operation.title());
            points.add(0.15, format!("its body has `{}`", leaf.dotted()));
        }
        points
    }

    fn note(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if !writes(operation) {
            return points;
        }
        let flag = operation.body_shape().and_then(visibility_leaf);
        if let Some(tail) = self.tail_words(operation) {
            let notes = any(&tail, &["note", "internal", "private"]) && tail.len() <= 2;
            let own = [
                "comment", "reply", "message", "journal", "activity", "followup", "article",
            ];
            let comments = tail.len() <= 2 && tail.last().is_some_and(|word| own.contains(&word.as_str()));
            if notes {
                points.add(0.6, format!("{} lies below the ticket", operation.title()));
            } else if comments && flag.is_some() {
                points.add(0.5, format!("{} lies below the ticket", operation.title()));
            } else {
                return points;
            }
            if operation.body_shape().and_then(comment_leaf).is_some() {
                points.add(0.1, "its body has a text");
            }
        } else if self.resource.is_item(operation) && flag.is_some() {
            if operation
                .body_shape()
                .and_then(|body| body.find(&["comment", "comment body", "notes"]))
                .is_none()
            {
                return points;
            }
            points.add(0.3, operation.title());
        } else {
            return points;
        }
        if let Some((leaf, _)) = flag {
            points.add(0.25, format!("`{}` says who sees it", leaf.dotted()));
        }
        points
    }

    fn attach(&self, operation: &Operation) -> Points {
        let mut points = Points::none();
        if !writes(operation) || operation.method == "PATCH" {
            return points;
        }
        let own = words(match operation.segments.last() {
            Some(Segment::Word(word)) => word,
            _ => return points,
        });
        if !any(&own, &["attachment", "file", "upload", "document"]) {
            return points;
        }
        match self.resource.tail(operation) {
            Some([_]) => points.add(0.75, format!("{} lies below the ticket", operation.title())),
            Some(_) => return points,
            None if (any(&own, &["attachment", "upload"])
                || matches!(
                    operation.body.as_ref().map(|body| body.kind),
                    Some(BodyKind::Multipart | BodyKind::Binary)
                ))
                && operation.segments.len() <= self.resource.collection.len() + 1 =>
            {
                points.add(
                    0.4,
                    format!(
                        "{}, which must be joined to the ticket in a second step",
                        operation.title()
                    ),
                );
            }
            None => return points,
        }
        match operation.body.as_ref().map(|body| body.kind) {
            Some(BodyKind::Multipart) => points.add(0.15, "it takes multipart/form-data"),
            Some(BodyKind::Binary) => points.add(0.1, "it takes the bytes themselves"),
            Some(_) | None => {}
        }
        self.named(
            &mut points,
            operation,
            &["attachment", "upload", "attach", "file"],
        );
        points
    }

    /// Points for the words of `operationId` and summary.
    fn named(&self, points: &mut Points, operation: &Operation, verbs: &[&str]) {
        let own = operation.words();
        if any(&own, &["bulk", "batch", "import", "multiple", "many"]) {
            points.add(-0.25, "it is for many at once");
        }
        let verb = any(&own, verbs);
        let noun = own.contains(&self.resource.noun)
            || operation
                .tags
                .iter()
                .any(|tag| words(tag).contains(&self.resource.noun));
        if verb && noun {
            let name = operation.id.as_deref().unwrap_or(&operation.summary);
            points.add(0.12, format!("it is called `{name}`"));
        } else if verb {
            points.add(0.05, "its name fits");
        }
    }

    /// The words of what lies behind the ticket's path, if that is only words.
    fn tail_words(&self, operation: &Operation) -> Option<Vec<String>> {
        let tail = self.resource.tail(operation)?;
        let mut all = Vec::new();
        for segment in tail {
            match segment {
                Segment::Word(word) => all.extend(words(word)),
                Segment::Parameter { .. } => return Some(vec!["{}".to_owned(); 9]),
            }
        }
        Some(all)
    }

    /// Whether the path is the collection's with one of these words behind it.
    fn ends_in(&self, operation: &Operation, wanted: &[&str]) -> bool {
        let Some((Segment::Word(last), before)) = operation.segments.split_last() else {
            return false;
        };
        before == self.resource.collection.as_slice() && any(&words(last), wanted)
    }
}

impl Points {
    fn or(self, other: Self) -> Self {
        if self.sum >= other.sum { self } else { other }
    }
}

fn writes(operation: &Operation) -> bool {
    ["POST", "PUT", "PATCH"].contains(&operation.method.as_str())
}

/// What narrows a list down: its query, and for a search by POST what stands in its body.
fn parameters(operation: &Operation) -> Vec<&Leaf> {
    let query = operation.query().map(|parameter| &parameter.leaf);
    let body = operation.body_shape().into_iter().flat_map(|body| &body.leaves);
    query.chain(body.filter(|leaf| leaf.path.len() == 1)).collect()
}

/// Where the tickets of a list are in the answer.
pub(crate) fn ticket_list<'a>(
    operation: &'a Operation,
    resource: &Resource,
    operations: &[Operation],
) -> Option<&'a (Vec<String>, Shape)> {
    let name = operations
        .iter()
        .find(|operation| operation.method == "GET" && resource.is_item(operation))
        .and_then(|operation| operation.answer.name.clone());
    let fits = |list: &&(Vec<String>, Shape)| {
        let (path, shape) = *list;
        let same = name.is_some() && shape.name == name;
        let called = path
            .last()
            .is_some_and(|last| words(last).last() == Some(&resource.noun));
        same || called || likeness(shape) > 0.6
    };
    let path = words(&operation.path);
    let is_search = path.last() == Some(&resource.noun) && any(&path, &["search", "query", "find"]);
    operation
        .answer
        .lists
        .iter()
        .filter(|(path, _)| path.len() <= 2)
        .find(fits)
        .or_else(|| match operation.answer.lists.as_slice() {
            [only @ (path, _)] if path.len() <= 1 && (resource.is_collection(operation) || is_search) => {
                Some(only)
            }
            _ => None,
        })
}
