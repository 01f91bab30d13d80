//! How the lines are signed, all of them together: a key on every line goes before one on a single line, and a login whose
//! answer signs the others is a session.

use super::base::Base;
use super::line::{Data, Request};
use super::secret::{Found, is_key, names_secret};
use crate::commands::init::words::{any, snake, words};
use crate::commands::init::yaml::{Entry, Yaml, entry, remarked};

/// What the lines show of how requests are signed.
#[derive(Default)]
pub(super) struct Signing {
    pub(super) auth: Option<Entry>,
    pub(super) settings: Vec<Entry>,
    /// Headers of the connector that hold secrets.
    pub(super) headers: Vec<Entry>,
    pub(super) shown: String,
    pub(super) secrets: Vec<String>,
    pub(super) remarks: Vec<String>,
    /// The place of the request that logs in; it belongs to `auth`.
    pub(super) login: Option<usize>,
}

/// Something that signs requests, and the places of those.
struct Use {
    found: Found,
    places: Vec<usize>,
}

/// Decides for all requests.
pub(super) fn decide(requests: &[Request], base: &Base) -> Signing {
    let mut uses: Vec<Use> = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        for found in credentials(request) {
            match uses.iter_mut().find(|known| known.found == found) {
                Some(known) => known.places.push(place),
                None => uses.push(Use {
                    found,
                    places: vec![place],
                }),
            }
        }
    }
    let signing = oauth2(requests, base, &mut uses);
    let mut signing = signing
        .or_else(|| session(requests, &mut uses))
        .unwrap_or_default();
    if signing.auth.is_none() {
        let most = (0..uses.len()).max_by_key(|index| {
            uses.get(*index).map(|it| {
                let everywhere = it.places.len() == requests.len();
                (
                    everywhere,
                    it.found.rank(),
                    it.places.len(),
                    std::cmp::Reverse(*index),
                )
            })
        });
        if let Some(index) = most {
            let chosen = uses.remove(index);
            signing.remarks.push(format!(
                "{}: not written: {}; it becomes the secret `{}`",
                lines(requests, &chosen.places),
                chosen.found.shown(),
                chosen.found.secret()
            ));
            signing.settings.extend(chosen.found.settings());
            signing.shown = chosen.found.shown();
            signing.secrets.push(chosen.found.secret().to_owned());
            signing.auth = Some(chosen.found.entry());
        }
    }
    for other in uses {
        let at = lines(requests, &other.places);
        let often = other.places.len() * 2 > requests.len();
        match &other.found {
            Found::Header { name, word: None } if often => {
                let secret = snake(name);
                signing.remarks.push(format!(
                    "{at}: not written: {}; it becomes the secret `{secret}`",
                    other.found.shown()
                ));
                signing
                    .headers
                    .push(entry(name, Yaml::map([("secret", Yaml::text(&secret))])));
                signing.secrets.push(secret);
            }
            _ => signing.remarks.push(format!(
                "{at}: {} is a second way to sign a request, and an integration has one: it was left out",
                other.found.shown()
            )),
        }
    }
    signing
}

/// `line 3`, `lines 1, 7 and 13`
fn lines(requests: &[Request], places: &[usize]) -> String {
    let numbers: Vec<String> = places
        .iter()
        .filter_map(|place| requests.get(*place))
        .map(|request| request.line.to_string())
        .collect();
    match numbers.split_last() {
        Some((last, before)) if !before.is_empty() => format!("lines {} and {last}", before.join(", ")),
        _ => format!("line {}", numbers.join("")),
    }
}

fn credentials(request: &Request) -> Vec<Found> {
    let mut all: Vec<Found> = request.user.iter().cloned().collect();
    for (name, value) in &request.headers {
        if name.eq_ignore_ascii_case("authorization") || is_key(name, value) {
            all.push(Found::of_header(name, value));
        }
    }
    for (name, value) in &request.query {
        if is_key(name, value) {
            all.push(Found::Query(name.clone()));
        }
    }
    all.dedup();
    all
}

/// A line that fetches a token (RFC 6749 sections 4.4 and 6); the tokens of the other lines are what it gives.
fn oauth2(requests: &[Request], base: &Base, uses: &mut Vec<Use>) -> Option<Signing> {
    let (place, login, grant) = requests.iter().enumerate().find_map(|(place, request)| {
        let grant = grant_type(request)?;
        Some((place, request, grant))
    })?;
    let (kind, secrets): (&str, &[(&str, &str)]) = match grant.as_str() {
        "refresh_token" => (
            "oauth2_refresh_token",
            &[("secret", "client_secret"), ("refresh_secret", "refresh_token")],
        ),
        "client_credentials" => ("oauth2_client_credentials", &[("secret", "client_secret")]),
        _ => return None,
    };
    uses.retain(|it| it.found != Found::Bearer && it.places != [place]);
    let token_url = format!("{{{{settings.base_url}}}}{}{}", base.api, login.path);
    let mut keys = vec![
        ("kind", Yaml::text(kind)),
        ("token_url", Yaml::text(token_url)),
        ("client_id", Yaml::text("{{settings.client_id}}")),
    ];
    keys.extend(secrets.iter().map(|(key, name)| (*key, Yaml::text(*name))));
    let names: Vec<String> = secrets.iter().map(|(_, name)| (*name).to_owned()).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let client = Yaml::map([
        ("type", Yaml::text("text")),
        ("required", Yaml::Plain("true".to_owned())),
        ("description", Yaml::text("OAuth2 client id")),
    ]);
    Some(Signing {
        auth: Some(remarked(
            vec![format!(
                "Line {} fetches the token. {}: names of secrets, which are kept elsewhere.",
                login.line,
                quoted.join(", ")
            )],
            "auth",
            Yaml::map(keys),
        )),
        settings: vec![entry("client_id", client)],
        shown: kind.to_owned(),
        remarks: vec![format!(
            "line {} fetches a token by grant_type={grant}: it becomes `{kind}`, with the secrets {}",
            login.line,
            quoted.join(" and ")
        )],
        secrets: names,
        login: Some(place),
        ..Signing::default()
    })
}

/// The `grant_type` of a body, a form or JSON.
fn grant_type(request: &Request) -> Option<String> {
    let Data::Text(text) = &request.data else {
        return None;
    };
    if let Ok(body) = serde_json::from_str::<serde_json::Value>(text) {
        return Some(body.get("grant_type")?.as_str()?.to_owned());
    }
    let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let (_, grant) = pairs.find(|(name, _)| *name == "grant_type")?;
    Some(super::line::url_decoded(grant))
}

/// A line that logs in, and a header that the others have and it has not.
fn session(requests: &[Request], uses: &mut Vec<Use>) -> Option<Signing> {
    let place = requests.iter().position(is_login)?;
    let login = requests.get(place)?;
    let others = requests.len().checked_sub(1).filter(|count| *count > 0)?;
    let given = uses.iter().position(|it| {
        let is_header = matches!(it.found, Found::Bearer | Found::Header { .. });
        is_header && !it.places.contains(&place) && it.places.len() * 2 > others
    })?;
    let own = uses.iter().position(|it| {
        it.places == [place] && matches!(it.found, Found::Bearer | Found::Header { .. } | Found::Query(_))
    });
    let body = login_body(login);
    if own.is_none() && body.is_none() {
        return None;
    }
    let given_places = uses.get(given).map(|it| it.places.clone()).unwrap_or_default();
    let given_found = uses.get(given).map(|it| it.found.clone())?;
    let own_found = own.and_then(|own| uses.get(own)).map(|it| it.found.clone());
    uses.retain(|it| it.found != given_found && Some(&it.found) != own_found.as_ref());

    let mut signing = Signing {
        shown: "session".to_owned(),
        login: Some(place),
        ..Signing::default()
    };
    let (name, pattern) = match &given_found {
        Found::Header { name, word } => (name.clone(), word.as_ref().map(|word| format!("{word} %s"))),
        _ => ("Authorization".to_owned(), Some("Bearer %s".to_owned())),
    };
    let secret = match &own_found {
        Some(Found::Header { word: Some(word), .. }) => snake(word),
        Some(found) => found.secret().to_owned(),
        None => "password".to_owned(),
    };
    let mut keys = vec![
        ("method", Yaml::text(&login.method)),
        ("path", Yaml::text(&login.path)),
    ];
    let mut query: Vec<(String, Yaml)> = Vec::new();
    for (name, value) in &login.query {
        if own_found == Some(Found::Query(name.clone())) {
            query.push((name.clone(), Yaml::text("{{secret}}")));
        } else if super::is_constant(value) && !is_key(name, value) {
            query.push((name.clone(), Yaml::text(value)));
        }
    }
    if !query.is_empty() {
        keys.push(("query", Yaml::map(query)));
    }
    let header = match &own_found {
        Some(Found::Header { name, word }) => {
            let before = word.as_ref().map_or_else(String::new, |word| format!("{word} "));
            Some((name.clone(), format!("{before}{{{{secret}}}}")))
        }
        Some(Found::Bearer) => Some(("Authorization".to_owned(), "Bearer {{secret}}".to_owned())),
        _ => None,
    };
    if let Some((name, value)) = header {
        keys.push(("headers", Yaml::map([(name, Yaml::text(value))])));
    } else if let Some((kind, fields)) = body {
        if fields
            .iter()
            .any(|(_, value)| value.contains("settings.username"))
        {
            signing.settings.extend(Found::Basic.settings());
        }
        let fields = fields.into_iter().map(|(name, value)| (name, Yaml::text(value)));
        keys.push(("body", Yaml::map([(kind, Yaml::map(fields))])));
    }
    let token = match snake(&name).trim_start_matches("x_") {
        "authorization" => "token".to_owned(),
        name => name.to_owned(),
    };
    let mut auth = vec![
        ("kind", Yaml::text("session")),
        ("secret", Yaml::text(&secret)),
        ("login", Yaml::map(keys)),
        ("token", Yaml::text(format!("response.body.{token}"))),
        ("in", Yaml::text("header")),
        ("name", Yaml::text(&name)),
    ];
    auth.extend(pattern.map(|pattern| ("pattern", Yaml::text(pattern))));
    let above = vec![
        format!(
            "Line {} is taken for the login, and {name} for what it gives. `{secret}` is the name of a secret, which is kept elsewhere.",
            login.line
        ),
        format!("TODO: no line shows where the login's answer has it: `response.body.{token}` is a guess."),
        "TODO: say `expired_when` if an expired session answers other than 401, and `fail_when` in `login` if a wrong \
         secret answers 200."
            .to_owned(),
    ];
    signing.auth = Some(remarked(above, "auth", Yaml::map(auth)));
    signing.remarks.push(format!(
        "line {} logs in and {} have {name}: they become a session, with the secret `{secret}`",
        login.line,
        lines(requests, &given_places)
    ));
    signing.secrets.push(secret);
    Some(signing)
}

fn is_login(request: &Request) -> bool {
    let last = request.path.rsplit('/').find(|segment| !segment.is_empty());
    let own = words(last.unwrap_or_default());
    any(
        &own,
        &["login", "signin", "session", "authenticate", "auth", "token"],
    ) && !any(&own, &["kill", "logout", "end"])
        && ["GET", "POST"].contains(&request.method.as_str())
}

/// The fields of a login's body, if a password is among them: as expressions of JSON, or as templates of a form.
fn login_body(login: &Request) -> Option<(&'static str, Vec<(String, String)>)> {
    let Data::Text(text) = &login.data else {
        return None;
    };
    let (kind, names) = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(fields)) => ("json", fields.keys().cloned().collect::<Vec<String>>()),
        Ok(_) => return None,
        Err(_) => {
            let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            (
                "form",
                pairs.map(|(name, _)| super::line::url_decoded(name)).collect(),
            )
        }
    };
    let is_secret = |name: &String| names_secret(name) || any(&words(name), &["pass"]);
    names.iter().any(is_secret).then_some(())?;
    let mut has_secret = false;
    let fields = names.into_iter().filter_map(|name| {
        let value = if is_secret(&name) && !has_secret {
            has_secret = true;
            "secret"
        } else if any(&words(&name), &["user", "username", "login", "email", "name"]) {
            "settings.username"
        } else {
            return None;
        };
        let value = match kind {
            "form" => format!("{{{{{value}}}}}"),
            _ => value.to_owned(),
        };
        Some((name, value))
    });
    Some((kind, fields.collect()))
}
