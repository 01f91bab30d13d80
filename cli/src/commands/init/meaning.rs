//! What parameters and properties are for, by the words of their names.

use serde_json::Value;

use super::operation::Operation;
use super::paging;
use super::resource::STATE;
use super::shape::{Kind, Leaf, Shape};
use super::yaml::Yaml;

pub(crate) const REQUESTOR: &[&str] = &[
    "requester",
    "requestor",
    "requester email",
    "requestor email",
    "reporter",
    "reporter email",
    "customer email",
    "customer",
    "creator",
    "created by",
    "author",
    "author username",
    "contact email",
    "contact",
    "opened by",
    "submitter",
    "submitter email",
    "email",
    "user email",
    "from email",
    "customer id",
    "requester id",
    "requestor id",
    "reporter id",
    "contact id",
    "author id",
    "user id",
];
pub(crate) const ASSIGNEE: &[&str] = &[
    "assignee",
    "assignee id",
    "assigned to",
    "assigned to id",
    "assignee email",
    "owner",
    "owner id",
    "assignee user",
    "assignee user id",
    "agent id",
    "responder id",
    "assignee username",
    "assigned user",
    "assigned to user",
    "assignee ids",
];
pub(crate) const SINCE: &[&str] = &[
    "updated since",
    "since",
    "updated after",
    "updated from",
    "modified since",
    "modified after",
    "updated gte",
    "updated gt",
    "updated at gte",
    "updated at from",
    "updated at after",
    "updated at",
    "updated on",
    "last updated after",
    "last updated from",
    "last modified after",
    "changed since",
    "start time",
    "updated at start",
    "modified from",
    "min updated at",
    "updated at min",
    "updated datetime gte",
    "update start",
];
const UNTIL: &[&str] = &[
    "updated until",
    "until",
    "updated before",
    "updated to",
    "modified before",
    "updated lte",
    "updated lt",
    "updated at lte",
    "updated at to",
    "updated at before",
    "last updated before",
    "last updated to",
    "last modified before",
    "end time",
    "updated at end",
    "modified to",
    "max updated at",
    "updated at max",
    "updated datetime lte",
    "update end",
];
pub(crate) const LANGUAGE: &[&str] = &[
    "q",
    "query",
    "jql",
    "filter",
    "search",
    "sysparm query",
    "cql",
    "where",
    "tql",
    "search query",
    "criterion",
    "criteria",
];
const COMMENT_TEXT: &[&str] = &[
    "body",
    "comment",
    "text",
    "content",
    "message",
    "note",
    "body text",
    "body html",
    "comment body",
    "followup",
    "html body",
    "plain body",
    "value",
    "notes",
    "html",
    "description",
];
const INTERNAL: &[&str] = &[
    "internal",
    "is internal",
    "private",
    "is private",
    "private note",
    "private notes",
    "internal note",
    "hidden",
];
const PUBLIC: &[&str] = &["public", "is public", "public comment"];

/// Whether a parameter has another value each time: it narrows a list down, or leads through it.
pub(crate) fn varies(leaf: &Leaf) -> bool {
    [REQUESTOR, ASSIGNEE, SINCE, UNTIL, LANGUAGE, STATE]
        .iter()
        .any(|names| leaf.is_called(names))
        || paging::leads(leaf)
}

/// The property that holds the state as a stage of a pipeline.
pub(crate) fn stage_leaf(shape: &Shape) -> Option<&Leaf> {
    ending(shape, &["stage", "pipeline stage", "ticket stage"])
}

/// The property whose name is one of these, or ends with it after one word: the name of the system.
fn ending<'b>(shape: &'b Shape, names: &[&str]) -> Option<&'b Leaf> {
    shape.leaves.iter().find(|leaf| {
        let own = leaf.words.join(" ");
        let of_system = own.split_once(' ').map(|(_, rest)| rest);
        names.iter().any(|name| own == *name || of_system == Some(*name))
    })
}

/// The property of a body that sets the state.
pub(crate) fn state_leaf(body: &Shape) -> Option<&Leaf> {
    let found = body.find(STATE).or_else(|| {
        let names = [
            "status id",
            "state id",
            "new status",
            "new state",
            "to status",
            "transition id",
            "status name",
            "transition",
        ];
        body.find(&names).or_else(|| stage_leaf(body))
    })?;
    if found.kind != Kind::Object {
        return Some(found);
    }
    // An object: by its name, else by its id.
    let inside = |name: &str| {
        let mut path = found.path.clone();
        path.push(name.to_owned());
        body.at(&path)
    };
    inside("name")
        .filter(|leaf| !leaf.read_only)
        .or_else(|| inside("id"))
        .or_else(|| inside("value"))
}

/// The property of a body that holds the words of a comment.
pub(crate) fn comment_leaf(body: &Shape) -> Option<&Leaf> {
    let found = body.find(COMMENT_TEXT)?;
    if found.kind != Kind::Object {
        return Some(found);
    }
    let inside = body.leaves.iter().find(|leaf| {
        leaf.path.len() == found.path.len() + 1
            && leaf.path.starts_with(&found.path)
            && leaf.is_called(COMMENT_TEXT)
            && leaf.kind != Kind::List
    });
    inside.or(Some(found))
}

/// A text with its structure around it, such as Atlassian's document format, as the example of `leaf` has it, with
/// `variable` where its text stands. Only where there is one text, and beside it nothing but words that say what is what.
pub(crate) fn structured_text(leaf: &Leaf, variable: &str) -> Option<Yaml> {
    let mut texts = 0;
    let filled = filled(leaf.example.as_ref()?, "", variable, &mut texts)?;
    (texts == 1).then_some(filled)
}

fn filled(example: &Value, key: &str, variable: &str, texts: &mut u32) -> Option<Yaml> {
    match example {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let clean = !name.contains('.') && !name.ends_with("()");
                clean.then_some((name, filled(value, name, variable, texts)?))
            });
            Some(Yaml::map(fields.collect::<Option<Vec<_>>>()?))
        }
        Value::Array(items) => match items.as_slice() {
            [only] => Some(Yaml::List(vec![filled(only, key, variable, texts)?])),
            _ => None,
        },
        Value::String(_) if ["text", "value", "plain", "html"].contains(&key) => {
            *texts += 1;
            Some(Yaml::text(variable))
        }
        Value::String(word) => {
            let is_word = ["type", "kind", "format"].contains(&key)
                && word.len() <= 20
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_alphabetic() || letter == '_');
            is_word.then(|| Yaml::text(format!("\"{word}\"")))
        }
        Value::Number(number) if key == "version" => Some(Yaml::Plain(number.to_string())),
        _ => None,
    }
}

/// The property that says who sees a comment, and what it holds for one that everybody sees.
pub(crate) fn visibility_leaf(body: &Shape) -> Option<(&Leaf, bool)> {
    // Some say 0 and 1.
    let is_flag = |leaf: &Leaf| {
        leaf.kind == Kind::Boolean
            || (leaf.kind == Kind::Number && leaf.values.iter().all(|it| it == "0" || it == "1"))
    };
    let of = |names| body.find_where(names, is_flag);
    of(PUBLIC)
        .map(|leaf| (leaf, true))
        .or_else(|| of(INTERNAL).map(|leaf| (leaf, false)))
}

/// The property that names the person who works on a ticket.
pub(crate) fn assignee_leaf(body: &Shape) -> Option<&Leaf> {
    let found = body
        .find(ASSIGNEE)
        .or_else(|| ending(body, &["owner id", "assignee id", "assigned to"]))?;
    if found.kind != Kind::Object {
        return Some(found);
    }
    let inside = body.leaves.iter().find(|leaf| {
        leaf.path.len() == found.path.len() + 1
            && leaf.path.starts_with(&found.path)
            && leaf.is_called(&["email", "name", "id", "account id", "login", "username"])
    });
    inside.or(Some(found))
}

pub(crate) fn since_leaf(operation: &Operation) -> Option<&Leaf> {
    filter_leaf(operation, SINCE)
}

pub(crate) fn until_leaf(operation: &Operation) -> Option<&Leaf> {
    filter_leaf(operation, UNTIL)
}

pub(crate) fn requestor_leaf(operation: &Operation) -> Option<&Leaf> {
    filter_leaf(operation, REQUESTOR)
}

pub(crate) fn language_leaf(operation: &Operation) -> Option<&Leaf> {
    filter_leaf(operation, LANGUAGE)
}

/// By the order of the names. Only a GET's query: what a search by POST takes is written by a person.
fn filter_leaf<'a>(operation: &'a Operation, names: &[&str]) -> Option<&'a Leaf> {
    let leaves: Vec<&Leaf> = operation.query().map(|parameter| &parameter.leaf).collect();
    names
        .iter()
        .find_map(|name| leaves.iter().find(|leaf| leaf.is_called(&[name])).copied())
}
