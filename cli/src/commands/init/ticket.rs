//! The ticket's fields, guessed from what an answer holds.

use super::paging::access;
use super::resource::{Resource, STATE, TITLE, UPDATED};
use super::shape::{Kind, Leaf, Shape};
use super::words::{ticket_noun, words};
use super::yaml::{Entry, Yaml, entry, remarked};

/// Fields beside the four that every ticket has.
const MORE: &[(&str, &[&str])] = &[
    (
        "number",
        &[
            "number",
            "key",
            "display id",
            "ticket number",
            "case number",
            "reference",
            "iid",
        ],
    ),
    (
        "description",
        &["description", "body", "content", "details", "description text"],
    ),
    ("priority", &["priority", "urgency", "severity"]),
    (
        "created_at",
        &[
            "created at",
            "created",
            "created on",
            "created datetime",
            "created date",
            "date created",
            "creation date",
            "opened at",
            "sys created on",
            "created time",
            "create time",
        ],
    ),
    (
        "resolved_at",
        &[
            "resolved at",
            "resolution date",
            "solved at",
            "date resolved",
            "resolved date",
        ],
    ),
    (
        "closed_at",
        &[
            "closed at",
            "closed on",
            "closed datetime",
            "date closed",
            "closed date",
        ],
    ),
    (
        "url",
        &["html url", "web url", "permalink", "url", "link", "self"],
    ),
    (
        "requested_for",
        &[
            "requester",
            "requestor",
            "reporter",
            "customer",
            "contact",
            "requester email",
            "reporter email",
            "customer email",
            "user",
            "author",
        ],
    ),
    (
        "assigned_to_user",
        &["assignee", "assigned to", "owner", "assignee email", "responder"],
    ),
    (
        "assignment_group",
        &[
            "assignment group",
            "group",
            "team",
            "assigned group",
            "assignee team",
        ],
    ),
];

/// What is known where the schema of the answer is silent.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    /// Where the title stands in the body that makes a ticket.
    pub(crate) title: Option<Vec<String>>,
}

/// The fields of a ticket that stands at `base`, with a TODO above each that is a guess.
pub(crate) fn fields(
    shape: &Shape,
    base: &str,
    resource: &Resource,
    hints: &Hints,
) -> (Vec<Entry>, Vec<String>) {
    let mut fields = Vec::new();
    let mut todos = Vec::new();
    let id = id_path(shape, resource);
    let inside: Vec<String> = id
        .as_deref()
        .and_then(<[String]>::split_last)
        .map_or_else(Vec::new, |(_, before)| before.to_vec());
    let mut needed = |field: &str, found: Option<Vec<String>>, guess: Vec<String>| {
        let known = found.is_some();
        let path = found.unwrap_or(guess);
        let above = if known {
            Vec::new()
        } else {
            todos.push(format!("where `{field}` is in the answer"));
            vec![format!("TODO: the document does not show where `{field}` is.")]
        };
        fields.push(remarked(above, field, Yaml::text(access(base, &path))));
    };
    let beside = |name: &str| {
        let mut path = inside.clone();
        path.push(name.to_owned());
        path
    };
    needed("id", id.clone(), beside("id"));
    needed("state", state_path(shape), beside("status"));
    let title = plain(shape, TITLE).map(|leaf| leaf.path.clone());
    needed(
        "short_description",
        title,
        hints.title.clone().unwrap_or_else(|| beside("title")),
    );
    let updated = plain(shape, UPDATED).map(|leaf| leaf.path.clone());
    needed("updated_at", updated, beside("updated_at"));

    for (field, names) in MORE {
        let Some(leaf) = shape.find(names) else { continue };
        let Some(path) = readable(shape, leaf) else {
            continue;
        };
        if Some(&path) == id.as_ref() {
            continue;
        }
        fields.push(entry(*field, Yaml::text(access(base, &path))));
    }
    (fields, todos)
}

/// What the path of a ticket takes: `number` for `{issue_number}`, else `id`.
pub(crate) fn id_path(shape: &Shape, resource: &Resource) -> Option<Vec<String>> {
    let own: Vec<String> = words(&resource.id)
        .into_iter()
        .filter(|word| *word != resource.noun && ticket_noun(word, None) == 0.0)
        .collect();
    let wanted = own.join(" ");
    let noun = &resource.noun;
    let names = [
        wanted.as_str(),
        "id",
        &format!("{noun} id"),
        "key",
        "sys id",
        "uuid",
        &format!("{noun} number"),
        "number",
    ];
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    shape
        .find(&names)
        .filter(|leaf| leaf.path.len() <= 2 && leaf.kind != Kind::Object)
        .map(|leaf| leaf.path.clone())
}

/// The words of the state: of an object its name.
fn state_path(shape: &Shape) -> Option<Vec<String>> {
    let leaf = shape.find(STATE)?;
    readable(shape, leaf)
}

pub(crate) fn updated_path(shape: &Shape) -> Option<Vec<String>> {
    plain(shape, UPDATED).map(|leaf| leaf.path.clone())
}

/// The address of the person for whom a ticket is, where it is a text.
pub(crate) fn requestor_path(shape: &Shape) -> Option<Vec<String>> {
    let names = [
        "requester email",
        "requestor email",
        "reporter email",
        "customer email",
        "contact email",
        "submitter email",
        "email",
    ];
    if let Some(leaf) = shape.find(&names).filter(|leaf| leaf.path.len() == 1) {
        return Some(leaf.path.clone());
    }
    let person = shape.find(&[
        "requester",
        "requestor",
        "reporter",
        "customer",
        "contact",
        "submitter",
    ])?;
    inside(shape, person, &["email", "email address", "mail", "email addr"])
}

fn plain<'a>(shape: &'a Shape, names: &[&str]) -> Option<&'a Leaf> {
    shape
        .find(names)
        .filter(|leaf| !matches!(leaf.kind, Kind::Object | Kind::List | Kind::Boolean))
}

/// The path to a plain value: of an object its name, address or id.
fn readable(shape: &Shape, leaf: &Leaf) -> Option<Vec<String>> {
    match leaf.kind {
        Kind::List => None,
        Kind::Object => inside(
            shape,
            leaf,
            &[
                "email",
                "email address",
                "name",
                "display name",
                "label",
                "value",
                "title",
                "login",
                "username",
                "id",
            ],
        ),
        _ => Some(leaf.path.clone()),
    }
}

fn inside(shape: &Shape, object: &Leaf, names: &[&str]) -> Option<Vec<String>> {
    names.iter().find_map(|name| {
        shape
            .leaves
            .iter()
            .find(|leaf| {
                leaf.path.len() == object.path.len() + 1
                    && leaf.path.starts_with(&object.path)
                    && leaf.is_called(&[name])
            })
            .map(|leaf| leaf.path.clone())
    })
}
