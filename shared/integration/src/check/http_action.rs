//! Checks of an HTTP action on its own.

use mapping::Place;

use super::credentials::check_credentials;
use super::paginate;
use crate::model::http_action::{
    Body, BodyObject, Fallback, HttpAction, Method, Pairs, Parameters, Part, all,
};
use crate::read::{Entries, Report, is_set};
use crate::rules;

/// `is_adding` says whether a ticket action adds something with it.
pub(crate) fn check(action: &HttpAction, is_adding: bool, report: &mut Report) {
    check_headers(action.headers.as_ref(), report);
    if let Some(body) = &action.body {
        check_body(body, action.method.get().copied(), report);
    }
    if let Some(paginate) = &action.paginate {
        paginate::check(action, paginate, report);
    }
    if let Some(fallback) = &action.fallback {
        check_fallback(action, is_adding, fallback, report);
    }
    for (key, message) in NOT_OF_LISTS {
        if let (Some(place), true) = (action.keys.place(key), action.paginate.is_some()) {
            report.add(&rules::NOT_TOGETHER, place, message);
        }
    }
    check_reads_only(action, report);
    let fallback = action.fallback.as_ref();
    let queries = [
        action.query.as_ref(),
        fallback.and_then(|fallback| fallback.query.as_ref()),
    ];
    for query in queries.into_iter().flatten() {
        check_escapes(query, report);
    }
}

/// Keys that an HTTP action with `paginate` does not have, and what it has instead.
const NOT_OF_LISTS: [(&str, &str); 2] = [
    (
        "result",
        "an HTTP action with `paginate` gives `{items, next_page_token, pages}`: say it in `items`",
    ),
    (
        "null_when",
        "an HTTP action with `paginate` gives a list: say in `paginate.end_when` which answer means that it is over",
    ),
];

/// `read_only` and `cache_seconds` belong to requests that change nothing.
fn check_reads_only(action: &HttpAction, report: &mut Report) {
    let method = action.method.get().copied();
    if let (Some(place), true) = (action.keys.place("read_only"), is_set(action.read_only))
        && let Some(method @ (Method::Put | Method::Patch | Method::Delete)) = method
    {
        let message = format!("a {} changes something", method.http());
        report.add(&rules::NOT_TOGETHER, place, message);
    }
    if let (Some(place), true) = (
        action.keys.place("null_when"),
        method.is_some() && action.may_change(),
    ) {
        let message =
            "a change that finds nothing to change was not made: `null_when` is for what only reads";
        report.add(&rules::NOT_TOGETHER, place, message);
    }
    let Some(place) = action.keys.place("cache_seconds") else {
        return;
    };
    if method.is_some() && action.may_change() {
        let message = "only the answers of a GET or HEAD, or of a POST with `read_only`, can be kept";
        report.add(&rules::NOT_TOGETHER, place, message);
    }
    if action
        .paginate
        .iter()
        .any(|paginate| paginate.start_from.is_some())
    {
        let message = "a list that a caller goes on with (`start_from`) cannot be kept";
        report.add(&rules::NOT_TOGETHER, place, message);
    }
}

/// A value between quotes, inside a parameter, that could end them.
fn check_escapes(parameters: &Parameters, report: &mut Report) {
    for template in parameters.texts().filter(|template| !template.is_replacing()) {
        if let Some(tag) = quoted_tag(template.source()) {
            let message =
                format!("`{tag}` stands between quotes, and a value with a quote in it would end them");
            report.add(&rules::NOT_ESCAPED, template.place(), message);
        }
    }
}

/// The first tag with a quote right before and right after it.
fn quoted_tag(source: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(at) = source.get(from..)?.find("{{").map(|at| from + at) {
        let rest = source.get(at..)?;
        let close = if rest.starts_with("{{{") { "}}}" } else { "}}" };
        let end = at + rest.find(close)? + close.len();
        let before = source.get(..at)?.chars().next_back();
        let after = source.get(end..)?.chars().next();
        let tag = source.get(at..end)?;
        let is_value = !tag.starts_with("{{#") && !tag.starts_with("{{^") && !tag.starts_with("{{/");
        if is_value && before == after && matches!(before, Some('\'' | '"')) {
            return Some(tag);
        }
        from = end;
    }
    None
}

fn check_headers(headers: Option<&Pairs>, report: &mut Report) {
    for (name, value) in headers
        .iter()
        .flat_map(|headers| &headers.0)
        .filter(|(name, _)| name.is_constant())
    {
        check_header_name(name.source(), name.place(), report);
        check_credentials(name.source(), name.place(), value, report);
    }
}

/// Headers that belong to the connection, not to the integration.
const OWN_HEADERS: [&str; 5] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
];

pub(crate) fn check_header_name(name: &str, place: &Place, report: &mut Report) {
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        report.add(
            &rules::BAD_HEADER,
            place,
            format!("`{name}` cannot name a header"),
        );
    } else if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        report.add(
            &rules::BAD_HEADER,
            place,
            format!("the gateway sets `{name}` itself"),
        );
    }
}

pub(super) fn check_body(body: &Body, method: Option<Method>, report: &mut Report) {
    if matches!(method, Some(Method::Get | Method::Head)) {
        let place = match body {
            Body::JsonText(text) => text.0.place(),
            Body::Object(object) => &object.place,
        };
        report.add(
            &rules::BODY_NOT_SENT,
            place,
            "a GET or HEAD request with a body is refused by many servers",
        );
    }
    match body {
        Body::JsonText(text) => {
            if text.0.is_constant()
                && let Err(error) = serde_json::from_str::<serde_json::Value>(text.0.source())
            {
                report.add(
                    &rules::BODY_NOT_JSON,
                    text.0.place(),
                    format!("this is not JSON: {error}"),
                );
            }
        }
        Body::Object(object) => check_body_object(object, report),
    }
}

fn check_body_object(body: &BodyObject, report: &mut Report) {
    let kinds = ["json", "form", "multipart", "text", "binary"];
    if kinds
        .into_iter()
        .filter(|kind| body.keys.place(kind).is_some())
        .count()
        != 1
    {
        let message = "a body is one of `json`, `form`, `multipart`, `text` and `binary`";
        report.add(&rules::NOT_TOGETHER, &body.place, message);
    }
    if let Some(content_type) = &body.content_type
        && body.text.is_none()
        && body.binary.is_none()
    {
        let message = "only `text` and `binary` have a `content_type`; the others have a fixed one";
        report.add(&rules::NOT_TOGETHER, content_type.0.place(), message);
    }
    for (_, part) in body.multipart.iter().flat_map(Entries::read) {
        check_part(part, report);
    }
}

fn check_part(part: &Part, report: &mut Report) {
    let given = |key: &str| part.keys.place(key);
    match (given("text").is_some(), given("file").is_some()) {
        (true, true) | (false, false) => {
            report.add(
                &rules::NOT_TOGETHER,
                &part.place,
                "a part is one of `text` and `file`",
            );
        }
        (false, true) => {
            if given("file_name").is_none() {
                report.add(&rules::MISSING_KEY, &part.place, "a file needs `file_name`");
            }
        }
        (true, false) => {
            if let Some(place) = given("file_name") {
                let message = "only a `file` has a `file_name`";
                report.add(&rules::NOT_TOGETHER, place, message);
            }
        }
    }
}

fn check_fallback(action: &HttpAction, is_adding: bool, fallback: &Fallback, report: &mut Report) {
    check_headers(fallback.headers.as_ref(), report);
    if let Some(body) = &fallback.body {
        check_body(body, fallback.method.or(action.method.get().copied()), report);
    }
    if fallback.keys.place("on_status").is_none() && fallback.keys.place("when").is_none() {
        report.add(
            &rules::FALLBACK_NEVER,
            &fallback.place,
            "a fallback needs `on_status` or `when`",
        );
    }
    let changes = ["method", "path", "query", "headers", "body"];
    let changes = changes.into_iter().any(|key| fallback.keys.place(key).is_some());
    if !changes {
        report.add(
            &rules::FALLBACK_NEVER,
            &fallback.place,
            "this fallback would send the same request again",
        );
    }
    if all(&fallback.on_status).iter().any(|status| status.0 >= 500) && !action.is_repeatable(is_adding) {
        let message = "after a status of 500 or more the first request may have been carried out";
        report.add(&rules::RISKY_REPEAT, &fallback.place, message);
    }
}

impl HttpAction {
    /// Whether doing it twice does no harm; `is_adding` says whether a ticket action adds something with it.
    pub(crate) fn is_repeatable(&self, is_adding: bool) -> bool {
        let by_method = self
            .method
            .get()
            .is_some_and(|method| upstream::HttpAction::repeatable_by_default(&method.http()));
        let by_default = !self.may_change() || (by_method && !is_adding);
        self.repeatable.map_or(by_default, |flag| flag.0)
    }

    /// Whether it can change something.
    pub(crate) fn may_change(&self) -> bool {
        !is_set(self.read_only) && !matches!(self.method.get(), Some(Method::Get | Method::Head))
    }
}

impl Method {
    /// The method as the HTTP library knows it.
    pub(crate) fn http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Head => http::Method::HEAD,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }
}
