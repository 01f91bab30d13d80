//! What in the YAML is likely behind a failure, and where it stands.

use actions::{ApiError, ErrorCode, TasAction};
use integration::Step;
use mapping::{Explanation, Place, Role};
use serde_json::Value;

use super::Live;
use super::places::line;
use super::runs::Run;
use super::shown;

/// So much of a message tells it from others.
const BEGIN: usize = 24;
/// Characters of a value.
const SHOWN: usize = 60;

/// A likely cause.
#[derive(Debug)]
pub(crate) struct Cause {
    /// `file:line` in the integration.
    pub(crate) place: Option<String>,
    pub(crate) text: String,
}

impl Cause {
    /// On one line.
    pub(crate) fn told(&self) -> String {
        match &self.place {
            Some(place) => format!("{place}: {}", self.text),
            None => self.text.clone(),
        }
    }
}

/// The likely causes of a failed action, the likeliest first.
pub(crate) fn of_error(live: &Live, action: TasAction, error: &ApiError, runs: &[Run<'_>]) -> Vec<Cause> {
    let details = error.details();
    let text = |key: &str| details.get(key).and_then(Value::as_str);
    let fields = details.get("fields").and_then(Value::as_array);
    // What the schema of the ticket refused: the line of the output mapper that makes the field.
    if let (Some(fields), ErrorCode::ExternalRestError) = (fields, error.code()) {
        let paths = fields
            .iter()
            .filter_map(|field| field.get("field").and_then(Value::as_str));
        return of_fields(runs, paths);
    }
    if let Some(place) = text("place") {
        let text = "the mapping there cannot be evaluated with what the ticketing system answered".to_owned();
        return vec![Cause {
            place: Some(shorter(place)),
            text,
        }];
    }
    if error.code() == ErrorCode::InputValidationFailed && details.get("step").is_none() {
        let text =
            "the input is refused before anything is sent: give what is missing with --payload".to_owned();
        let place = live.places.nearest(&["actions", action.key()]).map(line);
        return vec![Cause { place, text }];
    }
    let step = text("step").unwrap_or_default();
    let status = details.get("upstream_status").and_then(Value::as_u64);
    let code = text("code").unwrap_or_default();
    let at = |keys: &[&str], said: String| Cause {
        place: live.places.nearest(keys).map(line),
        text: said,
    };
    let request = &["http_actions", step];
    let of_request = |key: &'static str| ["http_actions", step, key];
    match (code, status) {
        // A secret that is missing, and credentials that are refused.
        ("TG0411", _) | (_, Some(401)) => vec![
            at(
                &["connector", "auth"],
                "the credentials are refused: the value of the secret, or how it is sent (`kind`, `in`, `name`, `pattern`)"
                    .to_owned(),
            ),
            at(&["connector", "base_url"], "or the address is that of another account".to_owned()),
        ],
        // A guard against forged requests, which a header of the request opens: that is not about whose credentials.
        (_, Some(403)) if is_about_forgery(text("upstream_excerpt").unwrap_or_default()) => vec![at(
            &of_request("headers"),
            format!("the system guards `{step}` against forged requests: it wants a header with it, which its documentation names"),
        )],
        (_, Some(403)) => vec![at(
            &["connector", "auth"],
            "the account that the credentials belong to may not do this".to_owned(),
        )],
        (_, Some(404 | 410)) => vec![
            at(
                &of_request("path"),
                format!("`{step}` asks for a path that is not there, or with an id that the system does not know it by"),
            ),
            at(&["connector", "base_url"], "or the part of the path in front of it is wrong".to_owned()),
        ],
        (_, Some(405)) => vec![at(&of_request("method"), format!("`{step}` uses another method than the path takes"))],
        (_, Some(409 | 412)) => vec![at(request, "the ticket's present state does not allow it".to_owned())],
        (_, Some(415)) => vec![at(
            &of_request("body"),
            "the system takes another kind of body: `json`, `form`, `multipart`, `text`".to_owned(),
        )],
        (_, Some(400 | 422)) => {
            let key = match live.places.exact(&of_request("body")) {
                Some(_) => "body",
                None => "query",
            };
            vec![at(
                &of_request(key),
                "the system refuses a value, or misses one; its answer says which".to_owned(),
            )]
        }
        ("TG0405" | "TG0413", _) | (_, Some(429)) => vec![at(
            &["connector", "rate_limit"],
            "more requests than the system takes, or than `rate_limit` allows".to_owned(),
        )],
        ("TG0401", _) => vec![at(
            &["connector", "base_url"],
            "the address is not public; --allow-private-upstreams allows it".to_owned(),
        )],
        ("TG0402", _) => vec![at(&["connector", "base_url"], "nothing answers at this address".to_owned())],
        ("TG0403", _) => vec![at(
            &["connector", "timeout_seconds"],
            "the system takes longer than `timeout_seconds` or `action_timeout_seconds`".to_owned(),
        )],
        ("TG0406", _) => vec![at(
            &of_request("response"),
            format!("the answer is not what `{step}` expects: `response` is json unless it says text or bytes"),
        )],
        ("TG0407", _) => vec![at(
            &["connector", "base_url"],
            "the system sends us elsewhere: use that address, or `follow_redirects` for reads".to_owned(),
        )],
        ("TG0408", _) => vec![at(
            &of_request("fail_when"),
            format!("a `fail_when` of `{step}` holds for the answer"),
        )],
        ("TG0412", _) => vec![at(
            &of_request("paginate"),
            format!("`paginate` of `{step}` asks for the same page again"),
        )],
        (_, Some(500..)) => vec![at(request, "the system itself failed; its own log may say why".to_owned())],
        _ => {
            let stopped = runs.last().and_then(|run| {
                let step = run.compound.steps.get(run.stopped_at()?.index)?;
                let place = rule_of(step, error).unwrap_or(&run.compound.place);
                Some((step.action_name.clone(), place.clone()))
            });
            match stopped {
                Some((name, place)) => vec![Cause {
                    place: Some(line(&place)),
                    text: format!("it stopped at the step `{name}`: a `fail_when` holds"),
                }],
                None => vec![at(&["actions", action.key()], "`fail_when` of the action holds".to_owned())],
            }
        }
    }
}

fn is_about_forgery(excerpt: &str) -> bool {
    let excerpt = excerpt.to_lowercase();
    ["xsrf", "csrf", "forgery"]
        .iter()
        .any(|word| excerpt.contains(word))
}

/// The rule of a step that says what the error says, or else the only one there is.
fn rule_of<'s>(step: &'s Step, error: &ApiError) -> Option<&'s Place> {
    let rules = step.fail_first.iter().chain(&step.fail_when);
    let begin: String = error.message().chars().take(BEGIN).collect();
    let said = rules.clone().find(|rule| {
        let message = rule.message.as_ref();
        message.is_some_and(|message| message.place().text().contains(&begin))
    });
    let rule = said.or_else(|| {
        let mut all = rules;
        all.next().filter(|_| all.next().is_none())
    });
    rule.map(|rule| rule.condition.place())
}

/// The causes of several fields, without those of a line that is named already: the rows of a list are made by the same.
pub(crate) fn of_fields<'p>(runs: &[Run<'_>], paths: impl Iterator<Item = &'p str>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for cause in paths.flat_map(|path| of_field(runs, path)) {
        if causes.iter().all(|known| known.place != cause.place) {
            causes.push(cause);
        }
    }
    causes
}

/// The step that sent the last request.
pub(crate) fn of_request(live: &Live, runs: &[Run<'_>]) -> Vec<Cause> {
    let step = runs.last().and_then(|run| {
        let reached = run.stopped_at()?;
        run.compound.steps.get(reached.index)
    });
    let cause = |name: &str| Cause {
        place: live.places.nearest(&["http_actions", name]).map(line),
        text: format!("the step `{name}` sent it"),
    };
    step.map(|step| cause(&step.action_name)).into_iter().collect()
}

/// Whether the output mapper of the last run makes the field at all.
pub(crate) fn is_made(runs: &[Run<'_>], path: &str) -> bool {
    explained(runs)
        .is_some_and(|explanation| field(&explanation, path).is_some_and(|found| found.is_the_field))
}

/// Where the output mapper of the last run makes a field such as `raw_ticket.comments[0].body`, and why it is null
/// there.
pub(crate) fn of_field(runs: &[Run<'_>], path: &str) -> Vec<Cause> {
    let Some(explanation) = explained(runs) else {
        return Vec::new();
    };
    let Some(found) = field(&explanation, path) else {
        return vec![Cause {
            place: Some(line(&explanation.place)),
            text: format!("the output_mapper does not make `{path}`"),
        }];
    };
    let why = missing(found.explanation);
    let text = match (found.is_the_field, why.is_empty()) {
        (false, _) => format!("the output_mapper does not make `{path}`"),
        (true, true) => format!("makes `{path}`"),
        (true, false) => format!("makes `{path}`: {}", why.join("; ")),
    };
    vec![Cause {
        place: Some(line(&found.explanation.place)),
        text,
    }]
}

/// How the output mapper of the last run that came to its end made its result.
fn explained(runs: &[Run<'_>]) -> Option<Explanation> {
    let run = runs.iter().rev().find(|run| run.at_return.is_some())?;
    let mapper = &run.compound.ret.output_mapper;
    Some(mapper.explain(run.at_return.as_ref()?, &run.environment()))
}

/// What makes a field, or else the nearest above it.
fn field<'e>(explanation: &'e Explanation, path: &str) -> Option<Found<'e>> {
    let segments = segments(path);
    // A mapper may give the answer under its key, or bare.
    let bare = segments.get(1..).unwrap_or_default();
    let exact = [find(explanation, &segments), find(explanation, bare)];
    let mut found = exact.into_iter().flatten();
    let first = found.next();
    if first.as_ref().is_some_and(|found| found.is_the_field) {
        return first;
    }
    let second = found.next().filter(|found| found.is_the_field);
    // It may be made in a part that is handed on whole: a list of which one is taken.
    let name = segments
        .iter()
        .rev()
        .find(|segment| segment.parse::<usize>().is_err());
    let anywhere = || {
        Some(Found {
            explanation: named(explanation, name?)?,
            is_the_field: true,
        })
    };
    second.or_else(anywhere).or(first)
}

/// The first part that makes a field of this name.
fn named<'e>(explanation: &'e Explanation, name: &str) -> Option<&'e Explanation> {
    explanation.parts.iter().find_map(|(role, part)| match role {
        Role::Field(field) if field == name => Some(part),
        _ => named(part, name),
    })
}

struct Found<'e> {
    explanation: &'e Explanation,
    /// Whether it makes the field itself, and not what is above it.
    is_the_field: bool,
}

/// `raw_ticket.comments[0].body` in its parts.
fn segments(path: &str) -> Vec<String> {
    let parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// The deepest node that makes the field.
fn find<'e>(explanation: &'e Explanation, segments: &[String]) -> Option<Found<'e>> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(Found {
            explanation,
            is_the_field: true,
        });
    };
    let parts = explanation.parts.iter().rev();
    let of_element = |index: &usize| match first.parse::<usize>() {
        // All elements of a loop are made by the same lines.
        Ok(wanted) => wanted == *index || (wanted > *index && *index == 1),
        Err(_) => false,
    };
    for (role, part) in parts {
        let found = match role {
            Role::Field(name) if name == first => {
                return Some(find(part, rest).unwrap_or(Found {
                    explanation: part,
                    is_the_field: false,
                }));
            }
            Role::Element(index) if of_element(index) => find(part, rest),
            Role::Argument(_) | Role::Candidate(_) => find(part, segments),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Why something is null: the paths in it that led nowhere.
fn missing(explanation: &Explanation) -> Vec<String> {
    let own = explanation.paths.iter().filter_map(|path| {
        let missing = path.missing.as_ref()?;
        Some(shown::missing(&path.path, missing))
    });
    let below = explanation.parts.iter().flat_map(|(_, part)| missing(part));
    let mut all: Vec<String> = own.chain(below).collect();
    // An empty list was made of something.
    let is_empty = |value: &Value| matches!(value, Value::Array(items) if items.is_empty());
    if all.is_empty() && explanation.result.as_ref().is_ok_and(is_empty) {
        let parts = explanation.parts.iter().flat_map(|(_, part)| &part.paths);
        all.extend(explanation.paths.iter().chain(parts).map(|path| {
            let value = shown::cut(&path.value.to_string(), SHOWN);
            format!("{} is {value}", path.path)
        }));
    }
    all.dedup();
    all.truncate(2);
    all
}

/// `file:line:column` without the column.
fn shorter(place: &str) -> String {
    place.rsplit_once(':').map_or(place, |(line, _)| line).to_owned()
}
