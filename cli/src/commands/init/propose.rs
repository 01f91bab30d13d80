//! From requests to an integration: HTTP actions and the twelve ticket actions over them.

mod add;
mod change;
mod create;
mod lists;
mod one_ticket;
mod state;

use integration::TasAction;

use super::auth;
use super::choose::{Choice, SURE, choose, ticket_list};
use super::document::Document;
use super::draft::Draft;
use super::meaning::state_leaf;
use super::operation::Operation;
use super::report::{Report, Row};
use super::request::{Request, Settings, first_sentence};
use super::resource::{Resource, STATE, likeness, title_leaf};
use super::server;
use super::shape::{Leaf, Shape};
use super::states;
use super::ticket::{self, Hints, Needed};
use super::yaml::{Entry, Yaml, entry, remarked};
use crate::failure::Failure;

/// Proposes an integration for the tickets that the document describes.
pub(crate) fn propose(
    name: &str,
    document: &Document,
    operations: &[Operation],
    noun: Option<&str>,
) -> Result<(Draft, Report), Failure> {
    let resource = Resource::find(operations, noun).ok_or_else(|| no_tickets(document, operations))?;
    let choices = choose(operations, &resource);
    for choice in choices.iter().filter_map(|(_, choice)| choice.as_ref()) {
        check_references(document, operations, choice)?;
    }
    Ok(whole(
        name,
        document,
        operations,
        ticket_actions(operations, &resource, &choices, Bodies::Described),
    ))
}

/// The ticket actions over the requests that were chosen for them.
pub(crate) struct TicketActions {
    /// The path of a ticket.
    pub(crate) ticket: String,
    pub(crate) settings: Vec<Entry>,
    /// The HTTP actions, each with the number of its operation.
    pub(crate) http_actions: Vec<(usize, Entry)>,
    pub(crate) actions: Vec<Entry>,
    pub(crate) capabilities: Vec<Entry>,
    pub(crate) rows: Vec<Row>,
    pub(crate) paging: Option<String>,
    /// The words or numbers of the state, wherever they are listed, and what is said of them.
    pub(crate) states: (Vec<String>, String),
    /// How it is known where the fields are that every ticket has.
    pub(crate) needed: Vec<Needed>,
    pub(crate) polled: bool,
}

/// What the bodies of the operations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// All that a request can take.
    Described,
    /// What somebody sent, all of which counts.
    Sent,
}

/// Writes each ticket action, or why there is none.
pub(crate) fn ticket_actions(
    operations: &[Operation],
    resource: &Resource,
    choices: &[(TasAction, Option<Choice>)],
    bodies: Bodies,
) -> TicketActions {
    let mut proposal = Proposal::new(operations, resource, choices);
    for (action, choice) in choices {
        proposal.action(*action, choice.as_ref());
    }
    if bodies == Bodies::Sent {
        proposal.keep_bodies();
    }
    TicketActions {
        ticket: format!(
            "/{}",
            resource.item.iter().map(shown).collect::<Vec<_>>().join("/")
        ),
        states: proposal.state_values(),
        needed: ticket::needed(&proposal.ticket, resource, &proposal.hints),
        settings: proposal.settings.entries,
        http_actions: proposal
            .requests
            .iter()
            .map(|request| (request.operation, request.entry()))
            .collect(),
        actions: proposal.actions,
        capabilities: proposal.capabilities,
        rows: proposal.rows,
        paging: proposal.paging,
        polled: proposal.polled,
    }
}

/// The ticket actions, with what the document says of all requests.
fn whole(
    name: &str,
    document: &Document,
    operations: &[Operation],
    tickets: TicketActions,
) -> (Draft, Report) {
    let used: Vec<&Operation> = tickets
        .http_actions
        .iter()
        .filter_map(|(operation, _)| operations.get(*operation))
        .collect();
    let auth = auth::propose(document, operations, &used);
    let server = server::propose(document);
    let mut settings = vec![server.setting];
    settings.extend(auth.settings);
    settings.extend(tickets.settings);
    let mut connector = vec![entry("base_url", Yaml::text(server.base_url)), auth.entry];
    if !auth.headers.is_empty() {
        connector.push(entry("headers", Yaml::Map(auth.headers)));
    }
    let states = states::map(&tickets.states.0, &tickets.states.1);
    let info = |key: &str| {
        document
            .root
            .pointer(&format!("/info/{key}"))
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let title = first_sentence(info("title"));
    let draft = Draft {
        name: name.to_owned(),
        about: vec![
            format!(
                "A proposal by `ticket-gateway init`, made of the OpenAPI document \"{title}\" {}.",
                first_sentence(info("version"))
            ),
            "`sure` is between 0 and 1. Nothing here was tried on the system: go through every TODO."
                .to_owned(),
            ticket::proven(&tickets.needed),
        ],
        description: if title.is_empty() { name.to_owned() } else { title },
        settings,
        connector,
        http_actions: tickets
            .http_actions
            .into_iter()
            .map(|(_, action)| action)
            .collect(),
        actions: tickets.actions,
        capabilities: tickets.capabilities,
        about_states: if states.is_empty() {
            states::UNKNOWN.iter().map(|line| (*line).to_owned()).collect()
        } else {
            vec!["TODO: guessed from the words; the first that fits is the one that is set.".to_owned()]
        },
        states,
        polled: tickets.polled,
    };
    let report = Report {
        ticket: tickets.ticket,
        auth: auth.shown,
        secrets: auth.secrets,
        paging: tickets.paging,
        rows: tickets.rows,
        remarks: Vec::new(),
    };
    (draft, report)
}

fn check_references(document: &Document, operations: &[Operation], choice: &Choice) -> Result<(), Failure> {
    let Some(operation) = operations.get(choice.operation) else {
        return Ok(());
    };
    match operation.problems().next() {
        Some(problem) => {
            let pointer = format!(
                "#/paths/{}/{}",
                operation.path.replace('~', "~0").replace('/', "~1"),
                operation.method.to_lowercase()
            );
            Err(document.broken(&pointer, problem))
        }
        None => Ok(()),
    }
}

fn no_tickets(document: &Document, operations: &[Operation]) -> Failure {
    let mut nouns: Vec<String> = Vec::new();
    for operation in operations.iter().filter(|operation| operation.method == "POST") {
        if let Some(super::operation::Segment::Word(word)) = operation.segments.last()
            && !nouns.contains(word)
        {
            nouns.push(word.clone());
        }
    }
    nouns.truncate(12);
    let failure = Failure::failed(format!(
        "{} describes {} requests, and no path such as /tickets/{{id}} among them (ticket, issue, incident, case, request, \
         conversation, ...)",
        document.name,
        operations.len()
    ));
    if nouns.is_empty() {
        failure.help("for an empty integration to fill in, leave --openapi out")
    } else {
        failure.help(format!(
            "if one of these is a ticket, name it with --noun: {}; for an empty integration to fill in, leave --openapi out",
            nouns.join(", ")
        ))
    }
}

/// What is to be known of a text in a structure.
const STRUCTURED: &str = "the text goes into one paragraph of the structure that the file shows; the system may want one for \
                          each line, and an empty text refuses to be one";

/// What is taken off for each thing that is not known.
const DOUBT: f64 = 0.1;

struct Proposal<'a> {
    operations: &'a [Operation],
    resource: &'a Resource,
    choices: &'a [(TasAction, Option<Choice>)],
    hints: Hints,
    /// What a ticket looks like, by the answer that shows it best.
    ticket: Shape,
    settings: Settings,
    requests: Vec<Request>,
    actions: Vec<Entry>,
    capabilities: Vec<Entry>,
    rows: Vec<Row>,
    paging: Option<String>,
    polled: bool,
}

/// A ticket action that is being written.
#[derive(Default)]
struct Written {
    steps: Vec<Yaml>,
    output: Vec<Entry>,
    todos: Vec<String>,
    /// What the action cannot do without and the file does not show; each makes the proposal less sure.
    unknown: Vec<String>,
    /// Whether the gateway drops tickets outside of the range that was asked for.
    refilter: bool,
}

impl Written {
    /// Something that the action cannot do without is not shown; `todo` says what is to be done.
    fn unknown(&mut self, what: impl Into<String>, todo: impl Into<String>) {
        let what = what.into();
        if !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
        self.todos.push(todo.into());
    }

    /// Fields of the ticket that no answer shows.
    fn fields_unknown(&mut self, fields: &[&str]) {
        let names: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        if let Some((last, before)) = names.split_last() {
            let todo = match before {
                [] => format!("find out where {last} is in the answer"),
                _ => format!(
                    "find out where {} and {last} are in the answer",
                    before.join(", ")
                ),
            };
            self.todos.push(todo);
            self.unknown.extend(names);
        }
    }

    /// How sure the whole is, where the request alone is so sure.
    fn sure(&self, request: f64) -> f64 {
        let count = u32::try_from(self.unknown.len()).unwrap_or(u32::MAX);
        ((request - DOUBT * f64::from(count)).max(0.05) * 100.0).round() / 100.0
    }
}

impl<'a> Proposal<'a> {
    fn new(
        operations: &'a [Operation],
        resource: &'a Resource,
        choices: &'a [(TasAction, Option<Choice>)],
    ) -> Self {
        let chosen = |action: TasAction| {
            let (_, choice) = choices.iter().find(|(it, _)| *it == action)?;
            operations.get(choice.as_ref()?.operation)
        };
        let mut shapes: Vec<&Shape> = Vec::new();
        shapes.extend(chosen(TasAction::QueryTicketById).map(|operation| &operation.answer));
        shapes.extend(
            chosen(TasAction::QueryTicketsByTimeRange)
                .and_then(|operation| ticket_list(operation, resource, operations).map(|(_, shape)| shape)),
        );
        shapes.extend(chosen(TasAction::UpdateTicketFields).map(|operation| &operation.answer));
        shapes.extend(chosen(TasAction::CreateTicket).map(|operation| &operation.answer));
        let mut best: Option<&Shape> = None;
        for shape in shapes {
            if best.is_none_or(|best| likeness(shape) > likeness(best) + 0.01) {
                best = Some(shape);
            }
        }
        let title = chosen(TasAction::CreateTicket)
            .and_then(Operation::body_shape)
            .and_then(title_leaf)
            .map(|leaf| leaf.path.clone());
        Self {
            operations,
            resource,
            choices,
            hints: Hints { title },
            ticket: best.cloned().unwrap_or_default(),
            settings: Settings::default(),
            requests: Vec::new(),
            actions: Vec::new(),
            capabilities: Vec::new(),
            rows: Vec::new(),
            paging: None,
            polled: false,
        }
    }

    fn chosen(&self, action: TasAction) -> Option<&'a Operation> {
        let (_, choice) = self.choices.iter().find(|(it, _)| *it == action)?;
        self.operations.get(choice.as_ref()?.operation)
    }

    fn action(&mut self, action: TasAction, choice: Option<&Choice>) {
        let Some((choice, operation)) =
            choice.and_then(|choice| Some((choice, self.operations.get(choice.operation)?)))
        else {
            self.unsupported(action, "the file shows no request for it");
            return;
        };
        let written = match action {
            TasAction::CreateTicket => Ok(self.create(choice.operation, operation)),
            TasAction::QueryTicketById => Ok(self.get(choice.operation, operation)),
            TasAction::QueryTicketsByRequestor => self.list(choice.operation, operation, true),
            TasAction::QueryTicketsByTimeRange => self.list(choice.operation, operation, false),
            TasAction::UpdateTicketFields => Ok(self.update(choice.operation, operation)),
            TasAction::UpdateTicketState | TasAction::ResolveTicket | TasAction::ReopenTicket => {
                Ok(self.state(action, choice.operation, operation))
            }
            TasAction::UpdateTicketAssignment => Ok(self.assign(choice.operation, operation)),
            TasAction::AddPublicComment => Ok(self.comment(choice.operation, operation, true)),
            TasAction::AddInternalComment => Ok(self.comment(choice.operation, operation, false)),
            TasAction::AddAttachment => Ok(self.attach(choice.operation, operation)),
        };
        match written {
            Ok(written) => self.write(action, choice, operation, written),
            Err(reason) => self.unsupported(action, &reason),
        }
    }

    fn write(&mut self, action: TasAction, choice: &Choice, operation: &Operation, written: Written) {
        let sure = written.sure(choice.sure);
        let mut because = choice.because.clone();
        if !written.unknown.is_empty() {
            because.push(format!("not known: {}", written.unknown.join(", ")));
        }
        let mut above = vec![format!("sure: {sure:.2} because {}", because.join("; "))];
        if choice.sure < SURE {
            above.push("TODO: not sure. Check that this is the right request.".to_owned());
        }
        above.extend(written.todos.iter().map(|todo| match todo.ends_with('?') {
            true => format!("TODO: {todo}"),
            false => format!("TODO: {todo}."),
        }));
        let mapper = if action.is_list() {
            Yaml::Map(written.output)
        } else {
            Yaml::map([(action.output_key(), Yaml::Map(written.output))])
        };
        let mut steps = written.steps;
        steps.push(Yaml::map([("return", Yaml::map([("output_mapper", mapper)]))]));
        let mut keys = vec![entry("steps", Yaml::List(steps))];
        if written.refilter {
            keys.insert(0, entry("refilter", Yaml::Plain("true".to_owned())));
        }
        self.actions.push(remarked(above, action.key(), Yaml::Map(keys)));
        self.polled |= action == TasAction::QueryTicketsByTimeRange;
        self.rows.push(Row {
            action,
            sure,
            request: Some(operation.title()),
            operation_id: operation.id.clone(),
            because,
            todos: written.todos,
        });
    }

    fn unsupported(&mut self, action: TasAction, reason: &str) {
        self.capabilities.push(remarked(
            vec![format!(
                "TODO: {reason}. Write the action, or say here why the system cannot do it."
            )],
            action.key(),
            Yaml::map([("reason", Yaml::text(format!("Not written yet: {reason}")))]),
        ));
        self.rows.push(Row {
            action,
            sure: 0.0,
            request: None,
            operation_id: None,
            because: vec![reason.to_owned()],
            todos: Vec::new(),
        });
    }

    /// Writes what is in a body and no ticket action sends, with an empty value: nothing of it is lost unseen.
    fn keep_bodies(&mut self) {
        for request in &mut self.requests {
            let operation = self.operations.get(request.operation);
            if let Some(body) = operation.and_then(|operation| operation.body.as_ref()) {
                request.keep(body);
            }
        }
    }

    /// The HTTP action of a request; made where there is none yet.
    fn request(&mut self, index: usize, operation: &Operation) -> &mut Request {
        let known = self
            .requests
            .iter()
            .position(|request| request.operation == index);
        let place = known.unwrap_or_else(|| {
            let taken: Vec<String> = self.requests.iter().map(|request| request.name.clone()).collect();
            let request = Request::new(index, operation, self.resource, &mut self.settings, &taken);
            self.requests.push(request);
            self.requests.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "the place was just found or made")]
        &mut self.requests[place]
    }

    /// The words of the state, wherever they are listed, and what is said of them.
    fn state_values(&self) -> (Vec<String>, String) {
        let mut leaves: Vec<&Leaf> = Vec::new();
        leaves.extend(self.ticket.find(STATE));
        for action in [
            TasAction::UpdateTicketState,
            TasAction::UpdateTicketFields,
            TasAction::QueryTicketsByTimeRange,
        ] {
            let Some(operation) = self.chosen(action) else {
                continue;
            };
            leaves.extend(operation.body_shape().and_then(state_leaf));
            leaves.extend(
                operation
                    .query()
                    .map(|parameter| &parameter.leaf)
                    .filter(|leaf| leaf.is_called(STATE)),
            );
        }
        let found = leaves.into_iter().find(|leaf| leaf.values.len() > 1);
        let (values, said) = found.map_or_else(Default::default, |leaf| {
            (leaf.values.clone(), leaf.description.clone())
        });
        let values = values
            .into_iter()
            .filter(|value| !["all", "any"].contains(&value.to_lowercase().as_str()))
            .collect();
        (values, said)
    }
}

fn shown(segment: &super::operation::Segment) -> String {
    match segment {
        super::operation::Segment::Word(word) => word.clone(),
        super::operation::Segment::Parameter { name, end } => format!("{{{name}}}{end}"),
    }
}

/// `- action:` with its arguments.
fn step(name: &str, given: &[(&str, String)], key: &str) -> Yaml {
    let mut keys = vec![entry("action_name", Yaml::text(name))];
    if !given.is_empty() {
        let arguments = given
            .iter()
            .map(|(name, expression)| (*name, Yaml::text(expression)));
        keys.push(entry("input_args", Yaml::map(arguments)));
    }
    keys.push(entry("output_key", Yaml::text(key)));
    Yaml::map([("action", Yaml::Map(keys))])
}
