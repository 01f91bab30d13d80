//! The three ticket actions that change a state: by setting it, or by a transition that leads to it.

use integration::TasAction;

use super::super::meaning::{comment_leaf, state_leaf};
use super::super::operation::{Operation, Segment};
use super::super::paging::access;
use super::super::shape::{Kind, Leaf, Shape};
use super::super::ticket;
use super::super::words::{any, words};
use super::super::yaml::{Yaml, entry};
use super::{Proposal, Written, step};

/// Words that say how a ticket was resolved.
const RESOLUTION: &[&str] = &[
    "resolution",
    "resolution note",
    "close note",
    "solution",
    "resolution text",
];

/// The list of the transitions that a ticket can take.
struct Ways<'a> {
    index: usize,
    operation: &'a Operation,
    /// Where the list is, the id in each, and the state that it leads to.
    list: Vec<String>,
    id: Vec<String>,
    to: Option<Vec<String>>,
}

impl<'a> Proposal<'a> {
    pub(super) fn state(&mut self, action: TasAction, index: usize, operation: &Operation) -> Written {
        let mut written = Written::default();
        let said = match action {
            TasAction::UpdateTicketState => Comment::None,
            _ => self.comment_step(&mut written),
        };
        let last = operation.segments.last();
        let is_transition = matches!(last, Some(Segment::Word(word)) if any(&words(word), &["transition"]));
        match self.ways(operation).filter(|_| is_transition) {
            Some(ways) => {
                self.by_transition(&mut written, index, operation, &ways);
                if action == TasAction::ResolveTicket {
                    written.todos.push(RESOLUTION_LOST.to_owned());
                }
                if said == Comment::Lost {
                    written.todos.push(COMMENT_LOST.to_owned());
                }
            }
            None => self.by_setting(&mut written, action, index, operation, said),
        }
        written
    }

    /// Sets the state, or sends what stands for it.
    fn by_setting(
        &mut self,
        written: &mut Written,
        action: TasAction,
        index: usize,
        operation: &Operation,
        said: Comment,
    ) {
        let mut given = vec![("ticket_id", "data.context.ticket.id".to_owned())];
        let shared = self.is_shared(index);
        let body = operation.body_shape();
        match body.and_then(state_leaf).cloned() {
            Some(leaf) => {
                self.request(index, operation)
                    .send(&leaf.path, Yaml::text("state"), shared, Vec::new());
                if leaf.kind == Kind::Number && leaf.values.len() > 1 {
                    given.push(("state", "data.context.state.$INTEGER()".to_owned()));
                } else {
                    given.push(("state", "data.context.state".to_owned()));
                    if leaf.kind == Kind::Number || leaf.words.contains(&"id".to_owned()) {
                        written.unknown(
                            "the id of the state",
                            format!(
                                "`{}` takes an id, and `data.context.state` is the state's name: look the id up in a step before",
                                leaf.dotted()
                            ),
                        );
                    }
                }
            }
            None if action == TasAction::ResolveTicket && body.and_then(comment_leaf).is_some() => {
                // What resolves it is the text itself.
                if let Some(leaf) = body.and_then(comment_leaf) {
                    self.request(index, operation).send(
                        &leaf.path,
                        Yaml::text("solution"),
                        false,
                        Vec::new(),
                    );
                }
                // The comment is part of it.
                written.steps.clear();
                let text = "$CONCAT([data.context.resolution, data.context.comment], \"\\n\")";
                given.push(("solution", text.to_owned()));
                if let Some(body) = body {
                    self.also_takes(written, index, body);
                }
                written.todos.push(
                    "without a `resolution` and a `comment` the text is empty: is that taken?".to_owned(),
                );
            }
            None if operation.body.is_some() => {
                written.unknown(
                    "what sets the state",
                    "the file does not show what the body needs",
                );
            }
            None => {}
        }
        if action == TasAction::ResolveTicket && !given.iter().any(|(name, _)| *name == "solution") {
            match body
                .and_then(|body| body.find_where(RESOLUTION, is_text))
                .cloned()
            {
                Some(leaf) => {
                    self.request(index, operation).send(
                        &leaf.path,
                        Yaml::text("resolution"),
                        true,
                        Vec::new(),
                    );
                    given.push(("resolution", "data.context.resolution".to_owned()));
                }
                None => written.todos.push(RESOLUTION_LOST.to_owned()),
            }
        }
        if said == Comment::Lost {
            written.todos.push(COMMENT_LOST.to_owned());
        }
        if let Some(body) = body {
            self.still_needed(written, index, body);
        }
        written
            .steps
            .push(step(&self.request(index, operation).name, &given, "changed"));
        self.answer(written, &operation.answer, "changed", false);
    }

    /// Looks up the transition that leads to the state, and takes it.
    fn by_transition(&mut self, written: &mut Written, index: usize, operation: &Operation, ways: &Ways<'_>) {
        let comment = std::mem::take(&mut written.steps);
        let ticket_id = ("ticket_id", "data.context.ticket.id".to_owned());
        let now = ticket::state_path(&self.ticket).map(|path| access("data.before", &path));
        let read = self.reads_one();
        let before = now.zip(read);
        if let Some((_, (read, by_id))) = before.as_ref() {
            let name = self.request(*read, by_id).name.clone();
            written
                .steps
                .push(step(&name, std::slice::from_ref(&ticket_id), "before"));
        }
        let to = ways.to.clone().unwrap_or_else(|| {
            written.unknown(
                "the state that a transition leads to",
                "the file does not show which state a transition leads to: its `name` is a guess",
            );
            vec!["name".to_owned()]
        });
        let to = access("way", &to);
        let list = access("data.possible", &ways.list);
        let name = self.request(ways.index, ways.operation).name.clone();
        let mut look = step(&name, std::slice::from_ref(&ticket_id), "possible");
        // A ticket that is there already needs none.
        if let Some((state, _)) = &before {
            add(
                &mut look,
                "when",
                Yaml::text(format!("{state} != data.context.state")),
            );
        }
        add(
            &mut look,
            "fail_when",
            Yaml::map([
                (
                    "condition",
                    Yaml::text(format!("NOT {list}.$ANY(way => {to} == data.context.state)")),
                ),
                ("code", Yaml::text("CONFLICT")),
                (
                    "message",
                    Yaml::text("$CONCAT([\"no transition leads from here to \", data.context.state])"),
                ),
            ]),
        );
        written.steps.push(look);
        // After it is known that the transition can be taken.
        written.steps.extend(comment);
        let path = transition_id(operation.body_shape());
        self.request(index, operation)
            .send(&path, Yaml::text("transition"), false, Vec::new());
        let found = format!(
            "{}.$FIND(way => {to} == data.context.state){}",
            list,
            access("", &ways.id)
        );
        let mut take = step(
            &self.request(index, operation).name,
            &[ticket_id, ("transition", found)],
            "changed",
        );
        if before.is_some() {
            add(&mut take, "when", Yaml::text("data.possible"));
        }
        written.steps.push(take);
        if let Some(body) = operation.body_shape() {
            self.still_needed(written, index, body);
        }
        self.answer(written, &Shape::default(), "changed", false);
    }

    /// The GET at the same path, where it answers with a list.
    fn ways(&self, operation: &Operation) -> Option<Ways<'a>> {
        self.operations.iter().enumerate().find_map(|(index, other)| {
            if other.method != "GET" || other.segments != operation.segments {
                return None;
            }
            let (list, shape) = other.answer.lists.iter().find(|(path, _)| path.len() <= 2)?;
            let id = shape
                .find(&["id", "transition id"])
                .filter(|leaf| leaf.path.len() == 1)?;
            let inside = |leaf: &&Leaf| {
                let [above, own] = leaf.path.as_slice() else {
                    return false;
                };
                any(&words(above), &["to", "target", "state", "status"])
                    && any(&words(own), &["name", "status", "state", "value"])
            };
            let plain = |leaf: &&Leaf| {
                leaf.kind == Kind::Text && leaf.is_called(&["to", "to status", "to state", "status", "state"])
            };
            let to = shape
                .leaves
                .iter()
                .find(inside)
                .or_else(|| shape.leaves.iter().find(plain));
            Some(Ways {
                index,
                operation: other,
                list: list.clone(),
                id: id.path.clone(),
                to: to.map(|leaf| leaf.path.clone()),
            })
        })
    }

    /// The step that adds the caller's comment as one for everybody, where the caller gives one. It stands before the
    /// change of a state: afterwards the ticket may be closed for it.
    pub(super) fn comment_step(&mut self, written: &mut Written) -> Comment {
        let chosen = self
            .choices
            .iter()
            .find(|(action, _)| *action == TasAction::AddPublicComment);
        let chosen = chosen
            .and_then(|(_, choice)| choice.as_ref())
            .map(|choice| choice.operation);
        let operations = self.operations;
        let Some((index, operation)) = chosen.and_then(|index| Some((index, operations.get(index)?))) else {
            return Comment::Lost;
        };
        // A change of the ticket itself would send the comment as part of it.
        if self.resource.is_item(operation) {
            return Comment::Lost;
        }
        let added = self.comment(index, operation, true);
        let Some(mut step) = added.steps.into_iter().next() else {
            return Comment::Lost;
        };
        add(&mut step, "when", Yaml::text("data.context.comment"));
        written.steps.push(step);
        Comment::Sent
    }
}

/// What becomes of the caller's comment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Comment {
    /// The action has none.
    None,
    Sent,
    Lost,
}

const RESOLUTION_LOST: &str =
    "`data.context.resolution` is passed over: send it, or refuse it with `fail_when`";
const COMMENT_LOST: &str = "`data.context.comment` is passed over: send it, or refuse it with `fail_when`";

fn is_text(leaf: &Leaf) -> bool {
    matches!(leaf.kind, Kind::Text)
}

/// Where the body takes the id of the transition.
fn transition_id(body: Option<&Shape>) -> Vec<String> {
    let leaves = || body.into_iter().flat_map(|body| &body.leaves);
    let inside = leaves().find(|leaf| {
        let above = leaf.path.iter().rev().nth(1);
        leaf.is_called(&["id"]) && above.is_some_and(|above| any(&words(above), &["transition"]))
    });
    inside
        .or_else(|| leaves().find(|leaf| leaf.is_called(&["transition id"])))
        .or_else(|| leaves().find(|leaf| leaf.is_called(&["transition"]) && leaf.kind != Kind::Object))
        .map_or_else(
            || vec!["transition".to_owned(), "id".to_owned()],
            |leaf| leaf.path.clone(),
        )
}

/// Adds a key to an `action` step, before its `output_key`.
fn add(step: &mut Yaml, key: &str, value: Yaml) {
    let Yaml::Map(entries) = step else { return };
    if let Some(Yaml::Map(keys)) = entries.first_mut().map(|entry| &mut entry.value) {
        let place = match key {
            "when" => 1.min(keys.len()),
            _ => keys.len(),
        };
        keys.insert(place, entry(key, value));
    }
}
