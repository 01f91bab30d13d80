//! How a list goes on, by the names of its parameters and of what it answers.

use super::operation::Operation;
use super::shape::{Kind, Leaf, Shape};
use super::words::words;
use super::yaml::{Entry, Yaml, entry};

const PAGE: &[&str] = &["page", "page number", "current page", "p"];
const OFFSET: &[&str] = &[
    "offset",
    "start at",
    "start",
    "skip",
    "start index",
    "sysparm offset",
    "from",
];
const SIZE: &[&str] = &[
    "per page",
    "page size",
    "limit",
    "max result",
    "size",
    "count",
    "sysparm limit",
    "take",
    "max",
    "top",
    "page limit",
];
const TOKEN: &[&str] = &[
    "cursor",
    "page token",
    "next page token",
    "after",
    "starting after",
    "next token",
    "continuation token",
    "page after",
    "page cursor",
];
const NEXT_TOKEN: &[&str] = &[
    "next cursor",
    "next page token",
    "next token",
    "cursor",
    "after",
    "end cursor",
    "after cursor",
    "continuation token",
];
const NEXT_URL: &[&str] = &[
    "next",
    "next page",
    "next url",
    "next page url",
    "next link",
    "odata next link",
];

/// A guess of `paginate` without its `items`.
pub(crate) struct Paging {
    pub(crate) keys: Vec<Entry>,
    /// The parameter for the size of a page, with the size.
    pub(crate) size: Option<(String, u64)>,
    pub(crate) todo: Option<String>,
    /// In a few words.
    pub(crate) shown: String,
    /// Whether a page token stands for a place in the list, and not for a number of rows.
    pub(crate) stable: bool,
}

/// Whether a parameter leads through a list.
pub(crate) fn leads(leaf: &Leaf) -> bool {
    [PAGE, OFFSET, SIZE, TOKEN]
        .iter()
        .any(|names| leaf.is_called(names))
}

/// Guesses from a GET's query and what it answers.
pub(crate) fn guess(operation: &Operation) -> Paging {
    let size = operation
        .query()
        .find(|parameter| parameter.leaf.is_called(SIZE) && parameter.leaf.kind != Kind::Text);
    let full = size.map(|parameter| {
        let default = parameter
            .leaf
            .default
            .as_ref()
            .and_then(serde_json::Value::as_u64);
        let most = parameter.maximum.or(default).unwrap_or(100);
        // The gateway reads some megabytes of an answer at most.
        (parameter.name.clone(), most.clamp(1, 100))
    });
    let parameter = |names: &[&str]| {
        operation
            .query()
            .find(|parameter| parameter.leaf.is_called(names))
    };
    let kind = |kind: &str| entry("kind", Yaml::text(kind));
    let send = |name: &str| entry("send", Yaml::map([("query", Yaml::text(name))]));
    let page_size = |keys: &mut Vec<Entry>| {
        if let Some((_, size)) = &full {
            keys.push(entry("page_size", Yaml::Plain(size.to_string())));
        }
    };
    let mut guess = Paging {
        keys: Vec::new(),
        size: full.clone(),
        todo: None,
        shown: String::new(),
        stable: false,
    };
    let next_token = answered(&operation.answer, NEXT_TOKEN, false);
    let next_url = answered(&operation.answer, NEXT_URL, true);
    if operation.has_link_header {
        guess.keys.push(kind("link_header"));
        guess.shown = "Link header".to_owned();
    } else if let (Some(token), Some(next)) = (parameter(TOKEN), next_token) {
        guess.keys.push(kind("token"));
        guess.keys.push(entry("next", Yaml::text(in_body(&next.path))));
        guess.keys.push(send(&token.name));
        guess.shown = format!("token in {}", token.name);
        guess.stable = true;
    } else if let Some(next) = next_url {
        guess.keys.push(kind("next_url"));
        guess.keys.push(entry("next", Yaml::text(in_body(&next.path))));
        guess.shown = format!("next URL in {}", next.dotted());
    } else if let Some(page) = parameter(PAGE) {
        guess.keys.push(kind("page"));
        guess.keys.push(send(&page.name));
        let first = page
            .leaf
            .default
            .as_ref()
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(1);
        guess.keys.push(entry("first", Yaml::Plain(first.to_string())));
        page_size(&mut guess.keys);
        guess.shown = format!("page number in {}", page.name);
    } else if let Some(offset) = parameter(OFFSET) {
        guess.keys.push(kind("offset"));
        guess.keys.push(send(&offset.name));
        page_size(&mut guess.keys);
        guess.shown = format!("offset in {}", offset.name);
    } else {
        // Without a Link header this ends after the first page.
        guess.keys.push(kind("link_header"));
        guess.todo = Some("the file shows no paging: only the first page is read".to_owned());
        guess.shown = "none found".to_owned();
    }
    guess
}

/// A property near the top of the answer, outside of its lists.
fn answered<'a>(answer: &'a Shape, names: &[&str], url: bool) -> Option<&'a Leaf> {
    answer.leaves.iter().find(|leaf| {
        let near = leaf.path.len() <= 3;
        let text = matches!(leaf.kind, Kind::Text | Kind::Unknown);
        let above = leaf.path.iter().rev().nth(1).map(|name| words(name));
        let among_links = above.is_some_and(|above| {
            above.iter().any(|word| {
                ["link", "paging", "pagination", "meta", "page", "cursor", "next"].contains(&word.as_str())
            })
        });
        let fits = leaf.path.len() == 1 || among_links;
        let is_url = leaf.format.contains("uri")
            || leaf.format == "url"
            || leaf.name().to_lowercase().contains("url")
            || leaf.name().to_lowercase().contains("link")
            || above_is_links(leaf);
        near && text && fits && leaf.is_called(names) && (!url || is_url)
    })
}

fn above_is_links(leaf: &Leaf) -> bool {
    leaf.path
        .iter()
        .rev()
        .nth(1)
        .is_some_and(|name| words(name).contains(&"link".to_owned()))
}

/// `response.body.meta.next`
pub(crate) fn in_body(path: &[String]) -> String {
    access("response.body", path)
}

/// A path as an expression; what is no plain name stands in brackets.
pub(crate) fn access(base: &str, path: &[String]) -> String {
    let mut text = base.to_owned();
    for name in path {
        let plain = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && ![
                "and", "or", "not", "in", "if", "then", "else", "true", "false", "null",
            ]
            .contains(&name.to_lowercase().as_str());
        if plain {
            text.push('.');
            text.push_str(name);
        } else {
            text.push_str(&format!("[{}]", serde_json::Value::from(name.as_str())));
        }
    }
    text
}
