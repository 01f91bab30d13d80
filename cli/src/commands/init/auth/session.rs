//! A session: a login gives what the other requests are signed with.

use serde_json::Value;

use super::super::operation::{Operation, Segment};
use super::super::words::{any, snake, words};
use super::super::yaml::{Yaml, entry, remarked};
use super::{Auth, Schemes, add_beside, auth, required_text};

/// A cookie that stands for a session: it comes of a login.
pub(super) fn of_cookie(cookie: &str, operations: &[Operation]) -> Auth {
    let login = operations
        .iter()
        .find(|operation| operation.method == "POST" && is_login(operation));
    let name = |names: &[&str], otherwise: &str| {
        let body = login.and_then(Operation::body_shape);
        let leaf = body
            .and_then(|body| body.find(names))
            .filter(|leaf| leaf.path.len() == 1);
        leaf.map_or_else(|| otherwise.to_owned(), |leaf| leaf.name().to_owned())
    };
    let user = name(
        &["username", "user name", "user", "login", "email", "name"],
        "username",
    );
    let password = name(&["password", "passwd", "pass", "secret"], "password");
    let body = Yaml::map([(
        "json",
        Yaml::map([
            (user, Yaml::text("settings.username")),
            (password, Yaml::text("secret")),
        ]),
    )]);
    let path = login.map_or("/login", |operation| operation.path.as_str());
    let keys = vec![
        entry("kind", Yaml::text("session")),
        entry("secret", Yaml::text("password")),
        entry("login", Yaml::map([("path", Yaml::text(path)), ("body", body)])),
        entry("in", Yaml::text("cookie")),
    ];
    let mut above = vec![match login {
        Some(login) => format!(
            "TODO: {} is taken for the login that gives the cookie `{cookie}`. Check it, and what it is sent.",
            login.title()
        ),
        None => format!(
            "TODO: the document names the cookie `{cookie}`, and no login that gives it: `/login` is a guess."
        ),
    }];
    above.push(
        "Say `expired_when` if an expired session answers other than 401, and `fail_when` if a wrong password answers 200."
            .to_owned(),
    );
    let mut auth = auth("session (to be completed)", "password", &[]);
    auth.entry = remarked(above, "auth", Yaml::Map(keys));
    auth.settings.push(required_text(
        "username",
        "Name of the API user; its password is the secret password",
    ));
    auth
}

/// A header that holds what a login gives, if a login that needs other schemes is among the requests.
pub(super) fn of_header(header: &str, scheme: &str, all: &Schemes<'_>) -> Option<Auth> {
    let login = all.operations.iter().find(|operation| {
        let needs = || operation.security.iter().flatten();
        let is_session = any(&words(header), &["session", "token"]);
        is_session && is_login(operation) && needs().count() > 0 && needs().all(|it| it != scheme)
    })?;
    let needs = login.security.first()?;
    let of = |name: &str| {
        let schemes = all.document.root.pointer("/components/securitySchemes")?;
        all.document.resolve(schemes.get(name)?).ok()
    };
    let text = |name: &str, key: &str| {
        of(name)
            .and_then(|(scheme, _)| scheme.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    // What only the login needs is the user's own secret.
    let in_header =
        |name: &&String| (text(name, "type").as_str(), text(name, "in").as_str()) == ("apiKey", "header");
    let own = needs
        .iter()
        .find(|name| in_header(name) && text(name, "name").eq_ignore_ascii_case("authorization"))
        .or_else(|| needs.iter().find(in_header))?;
    let secret = snake(own);
    let found = login.answer.find(&[
        "session token",
        "token",
        "access token",
        "session id",
        "sid",
        "session",
    ]);
    let token = found.map_or_else(|| vec![snake(header)], |leaf| leaf.path.clone());
    let keys = vec![
        entry("kind", Yaml::text("session")),
        entry("secret", Yaml::text(&secret)),
        entry(
            "login",
            Yaml::map([
                ("method", Yaml::text(&login.method)),
                ("path", Yaml::text(&login.path)),
                (
                    "headers",
                    Yaml::map([(text(own, "name"), Yaml::text("{{secret}}"))]),
                ),
            ]),
        ),
        entry("token", Yaml::text(super::super::paging::in_body(&token))),
        entry("in", Yaml::text("header")),
        entry("name", Yaml::text(header)),
    ];
    let mut above = vec![format!(
        "TODO: {} is taken for the login that gives `{header}`. Where a word stands before the secret, write it: \"Token {{{{secret}}}}\".",
        login.title()
    )];
    if found.is_none() {
        above.push(format!(
            "TODO: the document does not show where its answer has the token: `{}` is a guess.",
            token.join(".")
        ));
    }
    above.push("Say `expired_when` if an expired session answers other than 401.".to_owned());
    let mut auth = auth("session", &secret, &[]);
    auth.entry = remarked(above, "auth", Yaml::Map(keys));
    for besides in needs.iter().filter(|name| *name != own) {
        add_beside(all.document, besides, &mut auth);
    }
    Some(auth)
}

/// Whether a request logs in, by its path.
fn is_login(operation: &Operation) -> bool {
    let Some(Segment::Word(last)) = operation.segments.last() else {
        return false;
    };
    let own = words(last);
    any(&own, &["login", "signin", "session", "authenticate"])
        && !any(&own, &["kill", "logout", "delete", "end", "active", "full", "my"])
        && ["POST", "GET"].contains(&operation.method.as_str())
        && operation
            .segments
            .iter()
            .all(|segment| matches!(segment, Segment::Word(_)))
}
