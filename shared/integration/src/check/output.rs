//! Whether an `output_mapper` can give what its action answers with, as far as its shape tells.

use mapping::{Content, Key, Node};

use crate::contract::{ATTACHMENT_FIELDS, COMMENT_FIELDS, REQUIRED_TICKET_FIELDS, TICKET_FIELDS, TasAction};
use crate::read::{Report, suggestion};
use crate::rules;

pub(crate) fn check_output(action: TasAction, mapper: &Node, report: &mut Report) {
    let key = action.output_key();
    let Some(entries) = built_object(mapper) else {
        let is_list = matches!(mapper.content, Content::List(_));
        if matches!(mapper.content, Content::Number(_) | Content::Bool(_)) || (is_list && !action.is_list()) {
            let message = format!("`{action}` answers with `{key}`");
            report.push(
                rules::WRONG_OUTPUT
                    .at(&mapper.place, message)
                    .help(format!("build `{{{key}: ...}}`")),
            );
        }
        // What an operator or an expression gives is known when it runs. A bare list of tickets is accepted.
        if action.is_list() {
            check_tickets(mapper, report);
        }
        return;
    };
    if let Some((_, value)) = entries.iter().find(|(name, _)| name.name == key) {
        match key {
            "raw_tickets" => check_tickets(value, report),
            "raw_ticket" => check_ticket(value, report),
            _ => {}
        }
        return;
    }
    let bare_fields: &[&str] = match key {
        "raw_ticket" => &TICKET_FIELDS,
        "comment" => &COMMENT_FIELDS,
        "attachment" => &ATTACHMENT_FIELDS,
        _ => &[],
    };
    // Many systems answer these with nothing, and what was sent is then answered.
    let may_be_empty = matches!(key, "comment" | "attachment");
    if entries.is_empty() && may_be_empty {
        return;
    }
    if entries
        .iter()
        .any(|(name, _)| bare_fields.contains(&name.name.as_str()))
    {
        if key == "raw_ticket" {
            check_ticket(mapper, report);
        }
        return;
    }
    let near = entries
        .iter()
        .find(|(name, _)| mapping::did_you_mean(&name.name, [key]).is_some());
    let (place, help) = match near {
        Some((name, _)) => (&name.place, format!("did you mean `{key}`?")),
        None => (&mapper.place, format!("build `{{{key}: ...}}`")),
    };
    report.push(
        rules::WRONG_OUTPUT
            .at(place, format!("`{action}` answers with `{key}`"))
            .help(help),
    );
}

/// Whether the search of a `safe_create` can give a ticket, or a list of them.
pub(super) fn check_found(action: TasAction, mapper: &Node, report: &mut Report) {
    let key = |name| built_object(mapper)?.iter().find(|(key, _)| key.name == name);
    match (key("raw_tickets"), &mapper.content) {
        (Some((_, tickets)), _) => check_tickets(tickets, report),
        (None, Content::List(_) | Content::Null) => check_tickets(mapper, report),
        (None, Content::Object(entries)) if entries.iter().any(|(key, _)| key.name == "MAP()") => {
            check_tickets(mapper, report);
        }
        _ => check_output(action, mapper, report),
    }
}

/// The entries of an object that is built as it stands.
fn built_object(node: &Node) -> Option<&[(Key, Node)]> {
    match &node.content {
        Content::Object(entries) if !entries.iter().any(|(key, _)| key.name.ends_with("()")) => Some(entries),
        _ => None,
    }
}

/// A list of tickets: `MAP()` with a `converter`, or the tickets one by one.
fn check_tickets(node: &Node, report: &mut Report) {
    match &node.content {
        Content::List(tickets) => tickets.iter().for_each(|ticket| check_ticket(ticket, report)),
        Content::Object(entries) => match entries.as_slice() {
            [(operator, arguments)] if operator.name == "MAP()" => {
                if let Some(converter) = arguments.get("converter") {
                    check_ticket(converter, report);
                }
            }
            _ if built_object(node).is_some() => {
                let message = "`raw_tickets` is a list of tickets, not one object";
                report.push(
                    rules::WRONG_OUTPUT
                        .at(&node.place, message)
                        .help("build it with `MAP()`"),
                );
            }
            _ => {}
        },
        _ => {}
    }
}

fn check_ticket(node: &Node, report: &mut Report) {
    let Some(entries) = built_object(node) else { return };
    // A key `a.b` builds the field `a`.
    let names: Vec<&str> = entries
        .iter()
        .map(|(key, _)| key.name.split('.').next().unwrap_or_default())
        .collect();
    let missing: Vec<&str> = REQUIRED_TICKET_FIELDS
        .into_iter()
        .filter(|field| !names.contains(field))
        .collect();
    if !missing.is_empty() {
        let message = format!("a ticket needs {}", list(&missing));
        report.push(
            rules::TICKET_FIELD_MISSING
                .at(&node.place, message)
                .help("every ticket has them"),
        );
    }
    for ((key, value), name) in entries.iter().zip(&names) {
        match key.name.as_str() {
            "comments" => check_parts("a comment", &COMMENT_FIELDS, value, report),
            "attachments" => check_parts("an attachment", &ATTACHMENT_FIELDS, value, report),
            _ => {}
        }
        if !TICKET_FIELDS.contains(name) {
            let help = match mapping::did_you_mean(name, TICKET_FIELDS) {
                Some(_) => suggestion(name, &TICKET_FIELDS),
                None => "put it in `custom_data`".to_owned(),
            };
            let message = format!("a ticket has no field `{name}`");
            report.push(rules::TICKET_FIELD_UNKNOWN.at(&key.place, message).help(help));
        }
    }
}

/// The comments or attachments of a ticket: `MAP()` with a `converter`, or one by one.
fn check_parts(what: &str, known: &[&str], node: &Node, report: &mut Report) {
    let parts: Vec<&Node> = match &node.content {
        Content::List(parts) => parts.iter().collect(),
        Content::Object(entries) => match entries.as_slice() {
            [(operator, arguments)] if operator.name == "MAP()" => {
                arguments.get("converter").into_iter().collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    for (key, _) in parts.into_iter().filter_map(built_object).flatten() {
        let name = key.name.split('.').next().unwrap_or_default();
        if !known.contains(&name) {
            let message = format!("{what} has no field `{name}`");
            report.push(
                rules::TICKET_FIELD_UNKNOWN
                    .at(&key.place, message)
                    .help(suggestion(name, known)),
            );
        }
    }
}

fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
