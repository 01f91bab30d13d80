//! From the model, once it has no mistake, to the compiled form.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mapping::{Mapping, Node, Place, Template};
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use upstream as up;

use crate::adding::adding;
use crate::dates::TimeStep;
use crate::install::{AuthPlan, ConnectorPlan, DatesPlan};
use crate::integration::{
    Capability, CompoundAction, ForEach, Integration, Pattern, RetryFrom, Return, SafeCreate,
    SettingDeclaration, Step,
};
use crate::model::Document;
use crate::model::compound::{self, Block, ByAction, Compound};
use crate::model::connector::{
    self, Auth, Authentication, HeaderValue, KeyPlace, ReservedPart, RoundTo, SessionPlace,
};
use crate::model::http_action::{self, Body, FailWhen, Pairs, Parameter, Parameters, Part, all};
use crate::model::paginate::{self, PageKind, Paging};
use crate::model::ticketing::{self, State};
use crate::polling;
use crate::read::{Entries, Expression, OneOrMany, TemplateText, Text, is_set};
use crate::reads::Readers;
use crate::ticketing::{Destination, ExternalState, TicketIds, Ticketing};

const TIMEOUT: Duration = Duration::from_secs(10);
const ACTION_TIMEOUT: Duration = Duration::from_secs(25);
/// The largest answer of a Lambda function (docs.aws.amazon.com/lambda, "Quotas": 6 MB).
const MAX_RESPONSE_BYTES: u64 = 6 * 1024 * 1024;
/// How long a session is used at most.
const SESSION: Duration = Duration::from_secs(3600);
const MAX_PAGES: u64 = 50;
const MAX_ITEMS: u64 = 10_000;
/// Elements of a `for_each`, and calls of one at the same time.
const FOR_EACH_ITEMS: u64 = 100;
const AT_ONCE: u64 = 4;
/// How often `retry_from` does it again.
const RETRIES: u64 = 2;
const PRECONDITION_FAILED: u16 = 412;
/// Before a ticket is looked for whose creation ended in doubt.
const SETTLE: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 2;
/// So much of a budget is for people who wait.
const RESERVED_SHARE: f64 = 0.2;

/// An HTTP action, and what it was compiled from.
struct HttpAction<'m> {
    model: &'m http_action::HttpAction,
    compiled: Arc<up::HttpAction>,
}

/// Compiles a model that was checked. `None` only where a mistake was reported.
pub(crate) fn compile(document: &Document) -> Option<Integration> {
    let for_all = fail_when(&document.connector.get()?.fail_when)?;
    let adding = adding(document);
    let mut http_actions = BTreeMap::new();
    for (key, model) in document.http_actions.get()?.read() {
        let is_adding = adding.contains(key.name.as_str());
        let compiled = Arc::new(http_action(&key.name, model, is_adding, &for_all)?);
        http_actions.insert(key.name.clone(), HttpAction { model, compiled });
    }
    let mut actions = BTreeMap::new();
    let mut safe_create = None;
    for (action, _, compound) in document.actions.get()?.read() {
        actions.insert(action, compound_action(compound, &http_actions)?);
        if let Some(model) = &compound.safe_create {
            safe_create = Some(self::safe_create(model, &http_actions)?);
        }
    }
    let mut capabilities = BTreeMap::new();
    for (action, _, capability) in document.capabilities.iter().flat_map(ByAction::read) {
        capabilities.insert(action, self::capability(capability)?);
    }
    let describe = match &document.describe {
        Some(describe) => Some(compound_action(describe, &http_actions)?),
        None => None,
    };
    Some(Integration {
        name: document.name.get()?.value.clone(),
        description: document.description.as_ref().map(|text| text.value.clone()),
        settings: settings(document)?,
        http_actions: http_actions
            .into_iter()
            .map(|(name, action)| (name, action.compiled))
            .collect(),
        actions,
        safe_create,
        describe,
        capabilities,
        ticketing: document
            .ticketing
            .as_ref()
            .map_or_else(|| Some(Ticketing::default()), ticketing)?,
        polling: document.polling.as_ref().map(polling::compile),
        connector: connector(document.connector.get()?)?,
    })
}

fn settings(document: &Document) -> Option<Vec<SettingDeclaration>> {
    let settings = document.settings.iter().flat_map(Entries::read);
    settings
        .map(|(key, setting)| {
            Some(SettingDeclaration {
                name: key.name.clone(),
                kind: setting.kind()?,
                pattern: match &setting.pattern {
                    Some(pattern) => Some(Pattern::new(&pattern.value).ok()?),
                    None => None,
                },
                required: is_set(setting.required),
                default: setting
                    .default
                    .as_ref()
                    .map_or(Value::Null, |default| default.value.clone()),
                description: setting.description.as_ref().map(|text| text.value.clone()),
            })
        })
        .collect()
}

fn connector(model: &connector::Connector) -> Option<ConnectorPlan> {
    let headers = model.headers.as_ref();
    Some(ConnectorPlan {
        base_url: model.base_url.get()?.0.clone(),
        auth: auth_plan(model.auth.as_ref())?,
        headers: text_headers(headers)
            .map(|(name, text)| (name.to_owned(), text.clone()))
            .collect(),
        secret_headers: secret_headers(headers)?,
        rate_limit: model.rate_limit.as_ref().and_then(rate_limit),
        rate_signals: model.rate_limit.as_ref().map(rate_signals).unwrap_or_default(),
        timeout: model.timeout_seconds.map_or(TIMEOUT, |seconds| seconds.0),
        action_timeout: model
            .action_timeout_seconds
            .map_or(ACTION_TIMEOUT, |seconds| seconds.0),
        follow_redirects: is_set(model.follow_redirects),
        max_response_bytes: size(
            model
                .max_response_bytes
                .map_or(MAX_RESPONSE_BYTES, |bytes| bytes.0),
        ),
        retry: model.retry.as_ref().map(retry).unwrap_or_default(),
        dates: match &model.dates {
            Some(model) => Some(dates(model)?),
            None => None,
        },
    })
}

/// The headers that hold text.
fn text_headers(headers: Option<&Entries<HeaderValue>>) -> impl Iterator<Item = (&str, &Template)> {
    let headers = headers.into_iter().flat_map(Entries::read);
    headers.filter_map(|(name, value)| match value {
        HeaderValue::Text(text) => Some((name.name.as_str(), &text.0)),
        HeaderValue::Secret(_) => None,
    })
}

/// The headers that hold secrets.
fn secret_headers(headers: Option<&Entries<HeaderValue>>) -> Option<Vec<up::SecretHeader>> {
    let headers = headers.into_iter().flat_map(Entries::read);
    let secrets = headers.filter_map(|(name, value)| match value {
        HeaderValue::Text(_) => None,
        HeaderValue::Secret(secret) => Some((name, secret)),
    });
    secrets
        .map(|(name, model)| {
            Some(up::SecretHeader {
                name: name.name.clone(),
                secret: model.secret.get()?.value.clone(),
                pattern: pattern_of(model.pattern.as_ref()),
            })
        })
        .collect()
}

/// How a secret stands in a header.
fn pattern_of(model: Option<&Text>) -> String {
    model.map_or_else(|| "%s".to_owned(), |text| text.value.clone())
}

fn dates(model: &connector::Dates) -> Option<DatesPlan> {
    let empty = model.empty.iter().flat_map(|empty| &empty.0);
    Some(DatesPlan {
        format: model.format.get()?.value.clone(),
        zone: template(model.zone.as_ref()),
        empty: empty.map(|value| value.value.clone()).collect(),
        round: model.round.map(|to| match to {
            RoundTo::Second => TimeStep::Second,
            RoundTo::Minute => TimeStep::Minute,
            RoundTo::Hour => TimeStep::Hour,
            RoundTo::Day => TimeStep::Day,
        }),
    })
}

fn rate_limit(model: &connector::RateLimit) -> Option<up::RateLimit> {
    let requests = model.requests?.0;
    let reserved = match model.reserved_for_actions.as_ref().map(|reserved| reserved.part) {
        Some(ReservedPart::Requests(reserved)) => reserved,
        Some(ReservedPart::Share(share)) => share_of(requests, share),
        None => share_of(requests, RESERVED_SHARE),
    };
    Some(up::RateLimit {
        requests: whole(requests),
        per: Duration::from_secs(model.per_seconds?.0),
        reserved: whole(reserved),
    })
}

/// Rounded down, so that polling keeps at least one request.
fn share_of(requests: u64, share: f64) -> u64 {
    (requests as f64 * share) as u64
}

fn rate_signals(model: &connector::RateLimit) -> up::RateSignals {
    up::RateSignals {
        remaining: mapping(model.remaining.as_ref()),
        resets_in_seconds: mapping(model.resets_in_seconds.as_ref()),
    }
}

fn auth_plan(model: Option<&Authentication>) -> Option<AuthPlan> {
    Some(match model {
        None => AuthPlan::One(up::Auth::None),
        Some(Authentication::One(model)) => AuthPlan::One(auth(model)?),
        Some(Authentication::BySetting(choice)) => {
            let of = choice.of.get()?.read();
            AuthPlan::BySetting {
                setting: choice.setting.get()?.value.clone(),
                of: of
                    .map(|(word, model)| Some((word.name.clone(), auth(model)?)))
                    .collect::<Option<_>>()?,
            }
        }
    })
}

fn auth(model: &Auth) -> Option<up::Auth> {
    Some(match model {
        Auth::None(_) => up::Auth::None,
        Auth::Basic(basic) => up::Auth::Basic {
            username: basic.username.get()?.0.clone(),
            secret: basic.secret.get()?.value.clone(),
        },
        Auth::BasicKey(basic) => up::Auth::BasicKey {
            secret: basic.username_secret.get()?.value.clone(),
            password: template(basic.password.as_ref()),
        },
        Auth::Bearer(bearer) => up::Auth::Bearer {
            secret: bearer.secret.get()?.value.clone(),
        },
        Auth::ApiKey(key) => {
            let name = key.name.get()?.value.clone();
            up::Auth::ApiKey {
                location: match key.r#in.get()? {
                    KeyPlace::Query => up::ApiKeyLocation::Query { name },
                    KeyPlace::Header => up::ApiKeyLocation::Header {
                        name,
                        pattern: pattern_of(key.pattern.as_ref()),
                    },
                },
                secret: key.secret.get()?.value.clone(),
                fallback_secret: key.fallback_secret.as_ref().map(|secret| secret.value.clone()),
            }
        }
        Auth::ClientCredentials(client) => up::Auth::OAuth2ClientCredentials {
            token_url: client.token_url.get()?.0.clone(),
            client_id: client.client_id.get()?.0.clone(),
            secret: client.secret.get()?.value.clone(),
            scope: template(client.scope.as_ref()),
            client_authentication: client_authentication(client.client_authentication),
            extra: extra(client.extra.as_ref()),
        },
        Auth::RefreshToken(client) => up::Auth::OAuth2RefreshToken {
            token_url: client.token_url.get()?.0.clone(),
            client_id: client.client_id.get()?.0.clone(),
            secret: client.secret.get()?.value.clone(),
            refresh_secret: client.refresh_secret.get()?.value.clone(),
            scope: template(client.scope.as_ref()),
            client_authentication: client_authentication(client.client_authentication),
            extra: extra(client.extra.as_ref()),
        },
        Auth::Session(session) => up::Auth::Session(Box::new(self::session(session)?)),
    })
}

fn client_authentication(model: Option<connector::ClientAuthentication>) -> up::ClientAuthentication {
    match model {
        None | Some(connector::ClientAuthentication::Auto) => up::ClientAuthentication::Auto,
        Some(connector::ClientAuthentication::Basic) => up::ClientAuthentication::Basic,
        Some(connector::ClientAuthentication::Body) => up::ClientAuthentication::Body,
    }
}

fn extra(model: Option<&Entries<TemplateText>>) -> Vec<(String, Template)> {
    model
        .into_iter()
        .flat_map(Entries::read)
        .map(|(key, value)| (key.name.clone(), value.0.clone()))
        .collect()
}

fn session(model: &connector::SessionAuth) -> Option<up::SessionLogin> {
    let login = model.login.get()?;
    let name = model.name.as_ref().map(|name| name.value.clone());
    Some(up::SessionLogin {
        secret: model.secret.get()?.value.clone(),
        request: up::HttpAction {
            name: "login".to_owned(),
            method: login.method.unwrap_or(http_action::Method::Post).http(),
            path: login.path.get()?.template.clone(),
            query: parameters(login.query.as_ref()),
            headers: text_headers(login.headers.as_ref())
                .map(|(name, text)| Some((Template::parse(name).ok()?, text.clone())))
                .collect::<Option<_>>()?,
            body: login.body.as_ref().map_or(Some(up::Body::None), body)?,
            response: up::ResponseFormat::Json,
            paginate: None,
            result: None,
            null_when: None,
            fail_when: fail_when(&login.fail_when)?,
            fallback: None,
            retry: None,
            timeout: None,
            // One session too many does no harm.
            repeatable: true,
            read_only: true,
            cache: None,
        },
        secret_headers: secret_headers(login.headers.as_ref())?,
        token: mapping(model.token.as_ref()),
        location: match model.r#in.get()? {
            SessionPlace::Query => up::SessionLocation::Query { name: name? },
            SessionPlace::Cookie => up::SessionLocation::Cookie { name },
            SessionPlace::Header => up::SessionLocation::Header {
                name: name?,
                pattern: pattern_of(model.pattern.as_ref()),
            },
        },
        expired_when: mapping(model.expired_when.as_ref()),
        keep: model.keep_seconds.map_or(SESSION, |seconds| seconds.0),
    })
}

fn retry(model: &connector::Retry) -> up::RetryPolicy {
    let default = up::RetryPolicy::default();
    up::RetryPolicy {
        max_attempts: model
            .max_attempts
            .map_or(default.max_attempts, |count| whole(count.0)),
        initial_delay: model
            .initial_delay_seconds
            .map_or(default.initial_delay, |seconds| seconds.0),
        max_delay: model
            .max_delay_seconds
            .map_or(default.max_delay, |seconds| seconds.0),
    }
}

/// `is_adding` says whether a ticket action adds something with it. `for_all` are the rules for the answers to every
/// action, which are asked after its own.
fn http_action(
    name: &str,
    model: &http_action::HttpAction,
    is_adding: bool,
    for_all: &[up::FailWhen],
) -> Option<up::HttpAction> {
    let mut fail_when = fail_when(&model.fail_when)?;
    fail_when.extend_from_slice(for_all);
    let paginate = match &model.paginate {
        Some(model) => Some(self::paginate(model)?),
        None => None,
    };
    let fallback = match &model.fallback {
        Some(model) => Some(Box::new(self::fallback(model)?)),
        None => None,
    };
    Some(up::HttpAction {
        name: name.to_owned(),
        method: model.method.get()?.http(),
        path: model.path.get()?.template.clone(),
        query: parameters(model.query.as_ref()),
        headers: pairs(model.headers.as_ref()),
        body: model.body.as_ref().map_or(Some(up::Body::None), body)?,
        response: match model.response {
            None | Some(http_action::ResponseFormat::Json) => up::ResponseFormat::Json,
            Some(http_action::ResponseFormat::Text) => up::ResponseFormat::Text,
            Some(http_action::ResponseFormat::Bytes) => up::ResponseFormat::Bytes,
        },
        paginate,
        result: mapping(model.result.as_ref()),
        null_when: mapping(model.null_when.as_ref()),
        fail_when,
        fallback,
        retry: model.retry.as_ref().map(retry),
        timeout: model.timeout_seconds.map(|seconds| seconds.0),
        repeatable: model.is_repeatable(is_adding),
        read_only: is_set(model.read_only),
        cache: model.cache_seconds.map(|seconds| seconds.0),
    })
}

fn body(model: &Body) -> Option<up::Body> {
    let model = match model {
        Body::JsonText(text) => return Some(up::Body::JsonTemplate(text.0.clone())),
        Body::Object(object) => object,
    };
    let content_type = |default: &str| match &model.content_type {
        Some(template) => Some(template.0.clone()),
        None => Template::parse(default).ok(),
    };
    if let Some(json) = &model.json {
        return Some(up::Body::Json(json.mapping.clone()));
    }
    if let Some(form) = &model.form {
        return Some(up::Body::Form(parameters(Some(form))));
    }
    if let Some(parts) = &model.multipart {
        let parts = parts.read().map(|(key, part)| self::part(&key.name, part));
        return Some(up::Body::Multipart(parts.collect::<Option<_>>()?));
    }
    if let Some(text) = &model.text {
        return Some(up::Body::Text {
            content: text.0.clone(),
            content_type: content_type("text/plain")?,
        });
    }
    let content = model.binary.as_ref()?.mapping.clone();
    Some(up::Body::Binary {
        content,
        content_type: content_type("application/octet-stream")?,
    })
}

fn part(name: &str, model: &Part) -> Option<up::Part> {
    let content = match (&model.text, &model.file) {
        (Some(text), _) => up::PartContent::Text {
            content: text.mapping.clone(),
            content_type: template(model.content_type.as_ref()),
        },
        (None, file) => up::PartContent::File {
            content: file.as_ref()?.mapping.clone(),
            file_name: model.file_name.as_ref()?.0.clone(),
            content_type: template(model.content_type.as_ref()),
        },
    };
    Some(up::Part {
        name: name.to_owned(),
        content,
    })
}

fn fallback(model: &http_action::Fallback) -> Option<up::Fallback> {
    let body = match &model.body {
        Some(model) => Some(self::body(model)?),
        None => None,
    };
    Some(up::Fallback {
        on_status: all(&model.on_status)
            .iter()
            .filter_map(|status| u16::try_from(status.0).ok())
            .collect(),
        when: mapping(model.when.as_ref()),
        method: model.method.map(http_action::Method::http),
        path: model.path.as_ref().map(|path| path.template.clone()),
        query: model.query.as_ref().map(|query| parameters(Some(query))),
        headers: model.headers.as_ref().map(|headers| headers.0.clone()),
        body,
    })
}

fn paginate(model: &paginate::Paginate) -> Option<up::Paginate> {
    let otherwise = match &model.otherwise {
        Some(model) => Some(page_kind(&model.paging())?),
        None => None,
    };
    Some(up::Paginate {
        kind: page_kind(&model.paging())?,
        items: model.items.get()?.mapping.clone(),
        items_at: model.items.get()?.node.as_text().and_then(below_body),
        keep: mapping(model.keep.as_ref()),
        unique_by: mapping(model.unique_by.as_ref()),
        stop_when: mapping(model.stop_when.as_ref()),
        end_when: mapping(model.end_when.as_ref()),
        max_pages: whole(model.max_pages.map_or(MAX_PAGES, |count| count.0)),
        max_items: size(model.max_items.map_or(MAX_ITEMS, |count| count.0)),
        start_from: mapping(model.start_from.as_ref()),
        otherwise,
        empty_page_ends: is_set(model.empty_page_ends),
        stop_on_repeat: is_set(model.stop_on_repeat),
    })
}

/// The keys of an expression that is nothing but a path of plain names into the body of an answer.
fn below_body(expression: &str) -> Option<Vec<String>> {
    let path = expression.strip_prefix("response.body")?;
    let mut keys = path.split('.');
    // What stands before the first dot.
    keys.next().filter(|rest| rest.is_empty())?;
    let is_plain = |key: &str| {
        !key.is_empty()
            && !key.starts_with(|c: char| c.is_ascii_digit())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    keys.map(|key| is_plain(key).then(|| key.to_owned())).collect()
}

fn page_kind(paging: &Paging<'_>) -> Option<up::PageKind> {
    let send = || {
        let send = paging.send?;
        let header = send
            .header
            .as_ref()
            .map(|text| up::SendTo::Header(text.value.clone()));
        let query = || {
            send.query
                .as_ref()
                .map(|text| up::SendTo::Query(text.value.clone()))
        };
        let body = || {
            send.body
                .as_ref()
                .map(|text| up::SendTo::Body(text.value.clone()))
        };
        header.or_else(query).or_else(body)
    };
    let page_size = mapping(paging.page_size);
    Some(match paging.kind {
        PageKind::Token => up::PageKind::Token {
            next: mapping(paging.next)?,
            send: send()?,
        },
        PageKind::Offset => up::PageKind::Offset {
            send: send()?,
            first: paging.first.map_or(0, |count| whole(count.0)),
            range: template(paging.send.and_then(|send| send.template.as_ref())),
            page_size,
        },
        PageKind::Page => up::PageKind::Page {
            send: send()?,
            first: whole(paging.first.map_or(1, |count| count.0)),
            page_size,
        },
        PageKind::LinkHeader => up::PageKind::LinkHeader {
            rel: paging
                .rel
                .map_or_else(|| "next".to_owned(), |text| text.value.clone()),
        },
        PageKind::NextUrl => up::PageKind::NextUrl {
            next: mapping(paging.next)?,
        },
    })
}

fn fail_when(model: &Option<OneOrMany<FailWhen>>) -> Option<Vec<up::FailWhen>> {
    model.as_ref().map_or_else(|| Some(Vec::new()), rules)
}

fn rules(model: &OneOrMany<FailWhen>) -> Option<Vec<up::FailWhen>> {
    model
        .0
        .iter()
        .map(|model| {
            Some(up::FailWhen {
                condition: model.condition()?.mapping.clone(),
                message: mapping(model.message()),
                code: model.code(),
            })
        })
        .collect()
}

fn compound_action(
    model: &Compound,
    http_actions: &BTreeMap<String, HttpAction<'_>>,
) -> Option<CompoundAction> {
    let answer = model.answer()?;
    let keys: Vec<&str> = model
        .calls()
        .filter_map(|step| Some(step.output_key.get()?.value.as_str()))
        .collect();
    let mut steps = Vec::new();
    // A `check` belongs to what comes after it: a step, or the answer.
    let mut checks = Vec::new();
    for block in model.blocks() {
        match block {
            Block::Check(check) => checks.extend(rules(check.fail_when.get()?)?),
            Block::Action(step) => {
                let fail_first = std::mem::take(&mut checks);
                steps.push(self::step(step, fail_first, &keys, http_actions)?);
            }
            Block::Return(..) | Block::Unusable => {}
        }
    }
    checks.extend(fail_when(&answer.fail_when)?);
    let mut action = CompoundAction {
        fail_when: fail_when(&model.fail_when)?,
        steps,
        ret: Return {
            output_mapper: answer.output_mapper.get()?.mapping.clone(),
            fail_when: checks,
        },
        refilter: is_set(model.refilter),
        place: model.place.clone(),
    };
    let readers = Readers::of(model);
    for (step, model) in action.steps.iter_mut().zip(model.calls()) {
        let paginate = http_actions.get(&step.action_name)?.model.paginate.as_ref();
        step.reads = readers.of_step(model, step, paginate);
    }
    Some(action)
}

fn safe_create(
    model: &compound::SafeCreate,
    http_actions: &BTreeMap<String, HttpAction<'_>>,
) -> Option<SafeCreate> {
    Some(SafeCreate {
        when: mapping(model.when.as_ref()),
        settle: model.settle_seconds.map_or(SETTLE, |seconds| seconds.0),
        attempts: model.attempts.map_or(ATTEMPTS, |count| whole(count.0)),
        search: compound_action(&model.search, http_actions)?,
    })
}

/// `keys` are the `output_key`s of the action's steps, in order.
fn step(
    model: &compound::Step,
    fail_first: Vec<up::FailWhen>,
    keys: &[&str],
    http_actions: &BTreeMap<String, HttpAction<'_>>,
) -> Option<Step> {
    let action_name = model.action_name.get()?.value.clone();
    let input_args = match &model.input_args {
        Some(args) => args.mapping.clone(),
        None => no_arguments(&model.place)?,
    };
    let http_action = Arc::clone(&http_actions.get(&action_name)?.compiled);
    let for_each = model.for_each.as_ref().map(|items| ForEach {
        items: items.mapping.clone(),
        max_items: size(model.max_items.map_or(FOR_EACH_ITEMS, |count| count.0)),
        at_once: if http_action.changes_something() {
            1
        } else {
            size(model.at_once.map_or(AT_ONCE, |count| count.0))
        },
    });
    let retry_from = match &model.retry_from {
        Some(model) => Some(self::retry_from(model, keys)?),
        None => None,
    };
    Some(Step {
        fail_first,
        for_each,
        retry_from,
        reads: up::BodyReads::everything(),
        http_action,
        action_name,
        input_args,
        output_key: model.output_key.get()?.value.clone(),
        when: mapping(model.when.as_ref()),
        fail_when: fail_when(&model.fail_when)?,
    })
}

fn retry_from(model: &compound::RetryFrom, keys: &[&str]) -> Option<RetryFrom> {
    let name = model.step.get()?.value.as_str();
    let statuses = all(&model.on_status).iter();
    let mut on_status: Vec<u16> = statuses
        .filter_map(|status| u16::try_from(status.0).ok())
        .collect();
    if on_status.is_empty() {
        on_status.push(PRECONDITION_FAILED);
    }
    Some(RetryFrom {
        step: keys.iter().position(|key| *key == name)?,
        on_status,
        times: whole(model.times.map_or(RETRIES, |times| times.0)),
    })
}

/// The mapping that gives `{}`.
fn no_arguments(place: &Place) -> Option<Mapping> {
    let node = Node {
        place: place.clone(),
        content: mapping::Content::Object(Vec::new()),
    };
    Mapping::compile(&node).ok()
}

fn capability(model: &compound::Capability) -> Option<Capability> {
    Some(Capability {
        when: mapping(model.when.as_ref()),
        reason: model.reason.get()?.value.clone(),
    })
}

fn ticketing(model: &ticketing::Ticketing) -> Option<Ticketing> {
    let destinations = model.destinations.iter().flat_map(Entries::read);
    let states = model.states.iter().flat_map(Entries::read);
    let identity = match &model.identity {
        Some(identity) => Some(identity.requestor.get()?.mapping.clone()),
        None => None,
    };
    Some(Ticketing {
        destinations: destinations
            .map(|(key, model)| destination(&key.name, model))
            .collect::<Option<_>>()?,
        states: states
            .map(|(key, model)| state(&key.name, model))
            .collect::<Option<_>>()?,
        identity,
        ids: match &model.id_pattern {
            None => None,
            Some(pattern) => Some(TicketIds {
                pattern: self::pattern(&pattern.value).ok()?,
                description: model.id_description.as_ref().map(|text| text.value.clone()),
            }),
        },
    })
}

fn destination(name: &str, model: &ticketing::Destination) -> Option<Destination> {
    let id_pattern = match &model.id_pattern {
        Some(pattern) => Some(self::pattern(&pattern.value).ok()?),
        None => None,
    };
    let attributes = model.attributes.iter().flat_map(Entries::read);
    Some(Destination {
        name: name.to_owned(),
        default: is_set(model.default),
        domain: model.domain.as_ref().map(|text| text.value.clone()),
        id_pattern,
        attributes: attributes
            .map(|(key, value)| (key.name.clone(), value.value.clone()))
            .collect(),
    })
}

/// A regular expression, bounded so that it cannot take much memory; or what is wrong with it.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    // The library's message shows the pattern on several lines; its last line says what is wrong.
    let reason = |error: regex::Error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        last.trim().trim_start_matches("error: ").to_owned()
    };
    RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(reason)
}

fn state(name: &str, model: &State) -> Option<ExternalState> {
    let (read_only, on) = match model {
        State::Internal(_) => (false, Vec::new()),
        State::Full(state) => (
            is_set(state.read_only),
            all(&state.on).iter().map(|key| key.0).collect(),
        ),
    };
    Some(ExternalState {
        name: name.to_owned(),
        internal: model.internal()?,
        read_only,
        on,
    })
}

fn mapping(expression: Option<&Expression>) -> Option<Mapping> {
    expression.map(|expression| expression.mapping.clone())
}

fn template(text: Option<&TemplateText>) -> Option<Template> {
    text.map(|text| text.0.clone())
}

fn pairs(pairs: Option<&Pairs>) -> Vec<(Template, Template)> {
    pairs.map(|pairs| pairs.0.clone()).unwrap_or_default()
}

fn parameters(parameters: Option<&Parameters>) -> Vec<(Template, up::Parameter)> {
    let parameters = parameters.into_iter().flat_map(|parameters| &parameters.0);
    let compiled = |value: &Parameter| match value {
        Parameter::One(template) => up::Parameter::One(template.clone()),
        Parameter::Each(list) => up::Parameter::Each(list.mapping.clone()),
    };
    parameters
        .map(|(name, value)| (name.clone(), compiled(value)))
        .collect()
}

/// The reader keeps every number far below this limit.
fn whole(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
