//! Checks of `auth` of kind `session`.

use super::World;
use super::credentials::{check_headers, check_pattern};
use super::http_action::{check_body, check_header_name};
use super::reads::{Scope, check_reads};
use crate::model::connector::{Login, SessionAuth, SessionPlace};
use crate::model::http_action::{Body, Cell, Method, Parameters, all};
use crate::read::Report;
use crate::rules;

pub(crate) fn check(session: &SessionAuth, world: &World<'_>, report: &mut Report) {
    if let Some(login) = session.login.get() {
        check_login(login, world, report);
    }
    let after = Scope {
        what: "a session",
        response: true,
        ..Scope::default()
    };
    for expression in [&session.token, &session.expired_when].into_iter().flatten() {
        check_reads(Cell::Mapping(expression), &after, world, report);
    }
    check_place(session, report);
}

fn check_login(login: &Login, world: &World<'_>, report: &mut Report) {
    let request = Scope {
        what: "the login of a session",
        secret: true,
        ..Scope::default()
    };
    let mut cells: Vec<Cell<'_>> = Vec::new();
    cells.extend(login.path.get().map(|path| Cell::Template(&path.template)));
    cells.extend(login.query.iter().flat_map(Parameters::cells));
    cells.extend(login.body.iter().flat_map(Body::cells));
    cells.extend(check_headers(login.headers.as_ref(), report));
    let mut sends_secret = false;
    for cell in cells {
        check_reads(cell, &request, world, report);
        sends_secret |= cell
            .reads()
            .iter()
            .any(|path| path.keys().next().is_none_or(|root| root == "secret"));
    }
    if !sends_secret && !report.has_error_within(&login.place) {
        let message = "the login never sends `secret`, so nobody could be logged in by it";
        report.add(&rules::LOGIN_WITHOUT_SECRET, &login.place, message);
    }
    if let Some(body) = &login.body {
        check_body(body, Some(login.method.unwrap_or(Method::Post)), report);
    }
    let answer = Scope {
        what: "the login of a session",
        response: true,
        ..Scope::default()
    };
    for rule in all(&login.fail_when) {
        for expression in [rule.condition(), rule.message()].into_iter().flatten() {
            check_reads(Cell::Mapping(expression), &answer, world, report);
        }
    }
}

/// Where the token goes, and under which name.
fn check_place(session: &SessionAuth, report: &mut Report) {
    let Some(place) = session.r#in.get().copied() else {
        return;
    };
    let written = |key: &str| session.keys.place(key);
    let needs = match place {
        SessionPlace::Header | SessionPlace::Query => ["name", "token"].as_slice(),
        SessionPlace::Cookie if written("token").is_some() => &["name"],
        SessionPlace::Cookie if written("name").is_some() => &["token"],
        SessionPlace::Cookie => &[],
    };
    for key in needs.iter().filter(|key| written(key).is_none()) {
        let message = format!("auth of kind session needs `{key}` here");
        report.add(&rules::MISSING_KEY, &session.place, message);
    }
    if let (SessionPlace::Header, Some(name)) = (place, &session.name) {
        check_header_name(&name.value, &name.place, report);
    }
    if let Some(pattern) = &session.pattern {
        if place != SessionPlace::Header {
            let message = "only a token in a header has a `pattern`";
            report.add(&rules::NOT_TOGETHER, &pattern.place, message);
        } else {
            check_pattern(pattern, "token", report);
        }
    }
}
