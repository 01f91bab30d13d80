//! The ticket's fields, guessed from what an answer holds.

use super::meaning::stage_leaf;
use super::paging::access;
use super::resource::{Resource, STATE, title_leaf, updated_leaf};
use super::shape::{Kind, Leaf, Shape};
use super::words::{any, ticket_noun, words};
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
            "date creation",
            "date opened",
            "date",
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
            "solve date",
            "solvedate",
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
            "close date",
            "closedate",
        ],
    ),
    ("url", &["html url", "web url", "permalink", "url", "link"]),
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

/// How it is known where a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// An example of the document has it.
    Example,
    /// A schema names it.
    Schema,
    /// The request that makes a ticket has it there; no answer is shown.
    Request,
    /// Nothing shows it.
    Guess,
}

/// One of the four fields that every ticket has.
#[derive(Debug)]
pub(crate) struct Needed {
    pub(crate) field: &'static str,
    pub(crate) known: Known,
    path: Vec<String>,
    /// A number, where the field is a text.
    is_number: bool,
}

/// Where the four fields are that every ticket has.
pub(crate) fn needed(shape: &Shape, resource: &Resource, hints: &Hints) -> Vec<Needed> {
    let id = id_path(shape, resource);
    let above: Vec<String> = id
        .as_deref()
        .and_then(<[String]>::split_last)
        .map_or_else(Vec::new, |(_, before)| before.to_vec());
    let beside = |name: &str| {
        let mut path = above.clone();
        path.push(name.to_owned());
        path
    };
    let shown = |field: &'static str, path: Option<Vec<String>>, guess: &str| {
        let leaf = path.as_deref().and_then(|path| shape.at(path));
        let known = match (&path, leaf) {
            (None, _) => Known::Guess,
            (Some(_), Some(leaf)) if leaf.in_example => Known::Example,
            (Some(_), _) => Known::Schema,
        };
        Needed {
            field,
            known,
            is_number: leaf.is_some_and(|leaf| leaf.kind == Kind::Number),
            path: path.unwrap_or_else(|| beside(guess)),
        }
    };
    let mut title = shown(
        "short_description",
        title_leaf(shape).map(|leaf| leaf.path.clone()),
        "title",
    );
    if let (Known::Guess, Some(path)) = (title.known, &hints.title) {
        title.known = Known::Request;
        // What wraps the body of a request wraps no answer.
        let is_wrapped = path.len() > 1
            && path
                .first()
                .is_some_and(|first| ["input", "request", "payload", "params"].contains(&first.as_str()));
        title.path = path.iter().skip(usize::from(is_wrapped)).cloned().collect();
    }
    let updated = updated_leaf(shape).map(|leaf| leaf.path.clone());
    let mut state = shown("state", state_path(shape), "status");
    let mut updated = shown("updated_at", updated, "updated_at");
    // What nothing shows most likely stands beside the title.
    if let Some((_, above)) = title.path.split_last().filter(|_| title.known != Known::Guess) {
        for guess in [&mut state, &mut updated] {
            if guess.known == Known::Guess {
                let own = guess.path.pop().unwrap_or_default();
                guess.path = [above, &[own]].concat();
            }
        }
    }
    vec![shown("id", id.clone(), "id"), state, title, updated]
}

/// In one line, what shows where the fields are that every ticket has.
pub(crate) fn proven(needed: &[Needed]) -> String {
    let of = |wanted: &[Known], said: &str| {
        let names: Vec<&str> = needed
            .iter()
            .filter(|it| wanted.contains(&it.known))
            .map(|it| it.field)
            .collect();
        (!names.is_empty()).then(|| format!("{} {said}", names.join(", ")))
    };
    let parts = [
        of(&[Known::Example], "in an example of the document"),
        of(&[Known::Schema], "only in a schema"),
        of(&[Known::Request, Known::Guess], "a guess"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("What shows where a ticket's fields are: {}.", parts.join("; "))
}

/// The fields of a ticket that stands at `base`, with a TODO above each that is a guess, and the names of those.
pub(crate) fn fields(
    shape: &Shape,
    base: &str,
    resource: &Resource,
    hints: &Hints,
) -> (Vec<Entry>, Vec<&'static str>) {
    let needed = needed(shape, resource, hints);
    let mut fields = Vec::new();
    let mut unknown = Vec::new();
    for it in &needed {
        let field = it.field;
        let above = match it.known {
            Known::Example | Known::Schema => Vec::new(),
            Known::Request => vec![format!(
                "TODO: no answer shows `{field}`; this is where the request that makes a ticket has it."
            )],
            Known::Guess => vec![format!("TODO: the file does not show where `{field}` is.")],
        };
        if !above.is_empty() {
            unknown.push(field);
        }
        let mut path = access(base, &it.path);
        if field == "state" && it.is_number {
            // The state map's words are texts.
            path.push_str(".$TEXT()");
        }
        fields.push(remarked(above, field, Yaml::text(path)));
    }
    for (field, names) in MORE {
        let Some(leaf) = shape.find(names) else { continue };
        let Some(path) = readable(shape, leaf) else {
            continue;
        };
        if needed.iter().any(|it| it.path == path) {
            continue;
        }
        fields.push(entry(*field, Yaml::text(access(base, &path))));
    }
    (fields, unknown)
}

/// What the path of a ticket takes: `number` for `{issue_number}`, else `id`.
pub(crate) fn id_path(shape: &Shape, resource: &Resource) -> Option<Vec<String>> {
    let own: Vec<String> = words(&resource.id)
        .into_iter()
        .filter(|word| *word != resource.noun && ticket_noun(word, None) == 0.0)
        .collect();
    let wanted = own.join(" ");
    let noun = &resource.noun;
    // `issueIdOrKey` takes both: people know the key.
    let known_to_people = if any(&own, &["key", "number"]) { "key" } else { "" };
    let names = [
        wanted.as_str(),
        known_to_people,
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
pub(crate) fn state_path(shape: &Shape) -> Option<Vec<String>> {
    let leaf = shape.find(STATE).or_else(|| stage_leaf(shape))?;
    readable(shape, leaf)
}

pub(crate) fn updated_path(shape: &Shape) -> Option<Vec<String>> {
    updated_leaf(shape).map(|leaf| leaf.path.clone())
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
