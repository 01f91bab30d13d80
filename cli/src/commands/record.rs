//! `record`: makes a case from a real call.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::{ApiError, TasAction};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use http::header::COOKIE;
use integration::{Installation, Integration, SettingKind};
use jiff::{Timestamp, TimestampRound, Unit};
use serde_json::{Map, Value, json};
use storage::{Secret, SecretStore};
use tracing::subscriber::NoSubscriber;
use upstream::{Lost, Network, Progress, WholeAnswer};
use url::Url;
use uuid::Uuid;

use crate::cases::case::{Case, Loss};
use crate::cases::leaks::{self, SHORTEST, Secrets};
use crate::cases::recorder::{Recorder, Seen};
use crate::cases::shown::put;
use crate::cases::stand_ins::StandIns;
use crate::cases::{judge, play, read, shown, yaml};
use crate::commands::call::action_parser;
use crate::documents;
use crate::failure::Failure;
use crate::install::{self, InstallArguments, gateway, settings};
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;

/// Perform one ticket action on the real system and write it down as a case for `ticket-gateway test`.
///
/// Secrets, tokens, e-mail addresses, names of people, phone numbers and host names are replaced, the same value by the
/// same stand-in throughout; ids stay. The case is then played, and what comes of it becomes its expectation. Nothing is
/// written while a secret, or what looks like one, is left. Names in free text are found only where the name is also in
/// a field of its own, and phone numbers only with a `+`, an area code that begins with 0, or as (415) 555-2671: read the
/// case before you share it, and name what is left with --hide.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  echo '{\"ticket_id\": \"IT-1\"}' | ticket-gateway record connectors/desk query_ticket_by_id --context - \\
    --settings settings.yaml --secrets secrets.json --output connectors/desk/tests/query_ticket_by_id.yaml
  ticket-gateway record connectors/desk create_ticket --context ticket.json --set desk.base_url=https://desk.example.com \\
    --output connectors/desk/tests/create_ticket.yaml --yes")]
pub(crate) struct Arguments {
    /// The integration: its folder or file
    #[arg(value_name = "INTEGRATION_DIR")]
    integration: PathBuf,

    /// The ticket action
    #[arg(value_parser = action_parser())]
    action: TasAction,

    /// The input, YAML or JSON; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    context: PathBuf,

    /// The case file to write; `-` writes to standard output
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// What the case is about, in one line [default: the action]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// Perform an action that changes the real system
    #[arg(long)]
    yes: bool,

    /// Write over a case that is there
    #[arg(long)]
    force: bool,

    /// Replace this text too, wherever it stands. Repeatable
    #[arg(long, value_name = "TEXT")]
    hide: Vec<String>,

    /// Do not replace this word, address, number, host or token: the integration itself names it, or it is no secret.
    /// Repeatable
    #[arg(long, value_name = "TEXT")]
    keep: Vec<String>,

    /// Settings as an object, YAML or JSON; --set goes before it
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    #[command(flatten)]
    install: InstallArguments,
}

/// Headers of answers that say nothing to an integration.
const NOISE: [&str; 38] = [
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "alt-svc",
    "apim-request-id",
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "date",
    "expires",
    "keep-alive",
    "nel",
    "permissions-policy",
    "pragma",
    "referrer-policy",
    "report-to",
    "request-id",
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "x-content-type-options",
    "x-correlation-id",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-powered-by",
    "x-request-id",
    "x-runtime",
    "x-xss-protection",
];
/// Headers of requests that every request has.
const USUAL: [&str; 4] = ["accept", "content-length", "content-type", "user-agent"];

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    if arguments.action.is_write() && !arguments.yes {
        let message = format!("{} changes the real system", arguments.action);
        return Err(Failure::usage(message).help("give --yes to let it"));
    }
    let file = (!documents::is_stdin(&arguments.output)).then_some(arguments.output.as_path());
    if let Some(file) = file.filter(|file| file.exists() && !arguments.force) {
        let message = format!("{} is there already", file.display());
        return Err(Failure::failed(message).help("give --force to write over it"));
    }
    let context = documents::read_value(&arguments.context)?;
    let integration = Arc::new(install::load(&arguments.integration, output)?);
    let recorded = one_shot_runtime()?.block_on(record(arguments, &integration, context))?;
    let is_changed = arguments.action.is_write() && recorded.end.is_ok();
    let text = recorded.case(arguments, &integration, output);
    let written = text.and_then(|text| match file {
        None => output.text(&text).map_err(Failure::from),
        Some(file) => write(file, &text),
    });
    match (&written, file) {
        (Err(_), _) if is_changed => output.remark(&format!(
            "{} was carried out in the real system; no case of it is written",
            arguments.action
        )),
        (Ok(()), Some(file)) => output.remark(&format!("{}: written", file.display())),
        _ => {}
    }
    written
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let cannot = |error| Failure::failed(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    std::fs::write(file, text).map_err(cannot)
}

/// A call that was made.
struct Recorded {
    case: Case,
    seen: Vec<Seen>,
    end: Result<Value, ApiError>,
    base: Url,
    secrets: Vec<(String, Secret)>,
    query_parameter: Option<String>,
    constants: Vec<String>,
    /// The words that settings may have.
    words: Vec<String>,
}

/// Performs the action on the real system.
async fn record(
    arguments: &Arguments,
    integration: &Arc<Integration>,
    context: Value,
) -> Result<Recorded, Failure> {
    let given = given_settings(arguments, integration)?;
    let installation = integration.install(given.clone()).map_err(|problems| {
        Failure::failed(problems.join("\n       ")).help(format!(
            "give a setting with --set {}.KEY=VALUE, or all in --settings FILE",
            integration.name
        ))
    })?;
    let store = arguments.install.secret_store(None)?;
    install::check_secrets(std::slice::from_ref(&installation), store.as_ref()).await?;
    let secrets = secrets_of(&installation, store.as_ref()).await?;
    let network = Network::new(gateway::USER_AGENT, arguments.install.allow_private_upstreams)
        .map_err(|error| Failure::failed(error.to_string()))?;
    let recorder = Arc::new(Recorder::new(network));
    let base = installation.connector.base_url.clone();
    let query_parameter = leaks::query_parameter(&installation.connector.auth);
    let constants = leaks::constants(&installation);
    let case = Case {
        name: arguments
            .name
            .clone()
            .unwrap_or_else(|| arguments.action.key().to_owned()),
        action: arguments.action,
        context,
        settings: given,
        settings_place: nowhere(),
        secrets: named(&installation, &secrets),
        idempotency_key: arguments.action.is_write().then(|| Uuid::new_v4().to_string()),
        now: to_the_second(Timestamp::now()),
        in_any_order: false,
        exchanges: Vec::new(),
        expect: None,
        place: nowhere(),
    };
    let private = arguments.install.allow_private_upstreams;
    let end = play::perform(&case, installation, store, Arc::clone(&recorder) as _, private).await?;
    Ok(Recorded {
        case,
        seen: recorder.take(),
        end,
        base,
        secrets,
        query_parameter,
        constants,
        words: words_of_settings(integration),
    })
}

/// What the settings of type `enum` may be, as a whole and word by word: the integration's own words, nobody's name.
fn words_of_settings(integration: &Integration) -> Vec<String> {
    let mut words = Vec::new();
    for declared in &integration.settings {
        if let SettingKind::Enum(values) = &declared.kind {
            for value in values {
                words.push(value.clone());
                words.extend(value.split_whitespace().map(str::to_owned));
            }
        }
    }
    words
}

impl Recorded {
    /// The text of the case file.
    fn case(
        self,
        arguments: &Arguments,
        integration: &Arc<Integration>,
        output: &mut Output,
    ) -> Result<String, Failure> {
        // A cookie that is never sent back says nothing.
        let with_cookies = self
            .seen
            .iter()
            .any(|seen| seen.request.headers.contains_key(COOKIE));
        let exchanges = self.seen.iter();
        let exchanges: Vec<Value> = exchanges
            .map(|seen| exchange(seen, &self.base, with_cookies))
            .collect();
        let written = self.written(&exchanges);
        let known = with_decoded(self.secrets);
        let keep = [&arguments.keep[..], &self.constants[..], &self.words[..]].concat();
        let mut stand_ins = StandIns::new(&integration.name, known.clone(), &keep, &arguments.hide);
        stand_ins.learn_host(&self.base);
        stand_ins.learn(&written);
        let mut case = stand_ins.applied(&written);

        // What is expected is what comes of the case, so that nothing of the real answer can be left in it.
        let name = arguments.output.display().to_string();
        let draft = mapping::parse(name.clone(), yaml::text(&case))?;
        let draft = read::case(&draft, true).map_err(Failure::diagnostics)?;
        let help = "a stand-in took the place of something that the integration names itself; keep it with --keep TEXT";
        let runtime = play::runtime()?;
        // The log has told of the real call.
        let played = tracing::subscriber::with_default(NoSubscriber::default(), || {
            runtime.block_on(play::play(integration, &draft))
        })?
        .map_err(|problems| Failure::failed(problems.join("\n       ")).help(help))?;
        let findings = judge::findings(&draft, &played);
        let expectation = judge::expectation(&played.end);
        let real = stand_ins.applied(&judge::expectation(&self.end));
        let (old, new) = (without_page_token(&real), without_page_token(&expectation));
        if !findings.is_empty() || old != new {
            for finding in &findings {
                output.remark(&finding.message);
                output.remark(&finding.diff);
            }
            output.remark(&judge::difference(&draft.place, &old, &new, "what came"));
            let message = "with the stand-ins in place something else comes of the case";
            return Err(Failure::failed(message).help(help));
        }
        if let Value::Object(fields) = &mut case {
            fields.insert("expect".to_owned(), expectation);
        }

        let secrets = Secrets {
            known,
            query_parameter: self.query_parameter,
            constants: self.constants,
        };
        let node = mapping::parse(name.clone(), yaml::text(&case))?;
        let not_secret = leaks::not_secret(&node, &secrets, &arguments.keep);
        if let (Value::Object(fields), false) = (&mut case, not_secret.is_empty()) {
            fields.insert("not_secret".to_owned(), not_secret.into());
        }
        let text = yaml::text(&case);
        let node = mapping::parse(name, text.clone())?;
        let leaks = leaks::find(&node, &secrets);
        if !leaks.is_empty() {
            output.diagnostics(&leaks);
            return Err(
                Failure::failed("the case would hold a secret, so it is not written")
                    .help("replace the text with --hide TEXT, or say with --keep TEXT that it is no secret"),
            );
        }
        output.remark(&format!(
            "{}, replaced: {}",
            match exchanges.len() {
                1 => "1 exchange".to_owned(),
                count => format!("{count} exchanges"),
            },
            stand_ins.summary()
        ));
        Ok(text)
    }

    /// The case as it was, in the order of the file.
    fn written(&self, exchanges: &[Value]) -> Value {
        let case = &self.case;
        let mut written = Map::new();
        let mut write = |key: &str, value: Value| written.insert(key.to_owned(), value);
        write("name", case.name.as_str().into());
        write("action", case.action.key().into());
        write("context", case.context.clone());
        write("settings", case.settings.clone().into());
        if let Some(secrets) = &case.secrets {
            write("secrets", secrets.clone().into());
        }
        // Only a marker or the key itself depends on it.
        if let Some(key) = &case.idempotency_key {
            let requests = exchanges.iter().map(|exchange| exchange["request"].to_string());
            if requests
                .clone()
                .any(|sent| sent.contains(key.as_str()) || sent.contains("tg-"))
            {
                write("idempotency_key", key.as_str().into());
            }
        }
        write("now", case.now.to_string().into());
        write("exchanges", exchanges.into());
        Value::Object(written)
    }
}

fn exchange(seen: &Seen, base: &Url, with_cookies: bool) -> Value {
    let mut request = shown::request(&seen.request, base);
    if let Some(Value::Object(headers)) = request.get_mut("headers") {
        headers.retain(|name, _| !USUAL.contains(&name.as_str()));
        if headers.is_empty()
            && let Value::Object(fields) = &mut request
        {
            fields.shift_remove("headers");
        }
    }
    let response = match &seen.answer {
        Some(Ok(answer)) => response(answer, with_cookies),
        Some(Err(lost)) => json!({"failure": loss(lost).key()}),
        // The time of the action was over.
        None => json!({"failure": Loss::Timeout.key()}),
    };
    json!({"request": request, "response": response})
}

fn response(answer: &WholeAnswer, with_cookies: bool) -> Value {
    let mut shown = Map::new();
    put(&mut shown, "status", answer.status);
    let mut headers = Map::new();
    let says_something = |name: &str| !NOISE.contains(&name) && (with_cookies || name != "set-cookie");
    for name in answer.headers.keys().filter(|name| says_something(name.as_str())) {
        let values = answer.headers.get_all(name).iter();
        let mut values: Vec<Value> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned().into())
            .collect();
        let value = if values.len() == 1 {
            values.remove(0)
        } else {
            values.into()
        };
        headers.insert(name.as_str().to_owned(), value);
    }
    let media_type = headers
        .get("content-type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    // A form is none in an answer.
    let body = shown::body(
        &answer.body,
        if media_type.contains("json") {
            &media_type
        } else {
            ""
        },
    );
    let usual = match &body {
        Some(("body", _)) => "application/json",
        Some(("text", _)) => "text/plain",
        _ => "application/octet-stream",
    };
    if media_type.starts_with(usual) {
        headers.shift_remove("content-type");
    }
    if !headers.is_empty() {
        put(&mut shown, "headers", headers);
    }
    if let Some((key, value)) = body {
        put(&mut shown, key, value);
    }
    Value::Object(shown)
}

fn loss(lost: &Lost) -> Loss {
    match (lost.progress, lost.kind) {
        (Progress::NotConnected, _) => Loss::NoConnection,
        (_, upstream::ErrorKind::Timeout) => Loss::Timeout,
        _ => Loss::Lost,
    }
}

fn given_settings(arguments: &Arguments, integration: &Integration) -> Result<Map<String, Value>, Failure> {
    let mut given = match &arguments.settings {
        None => Map::new(),
        Some(file) => match documents::read_value(file)? {
            Value::Object(settings) => settings,
            _ => {
                let message = format!("{}: expected an object with the settings", file.display());
                return Err(Failure::failed(message));
            }
        },
    };
    settings::check_names(&[&integration.name], &arguments.install.assignments)?;
    given.extend(settings::of(integration, &arguments.install.assignments)?);
    Ok(given)
}

/// The secrets that are set.
async fn secrets_of(
    installation: &Installation,
    store: &dyn SecretStore,
) -> Result<Vec<(String, Secret)>, Failure> {
    let mut secrets = Vec::new();
    let name = &installation.integration.name;
    for wanted in installation.required_secrets() {
        if let Some(secret) = store.secret(name, &wanted.name).await? {
            secrets.push((wanted.name, secret));
        }
    }
    Ok(secrets)
}

/// The secrets, and what is in those that are Base64: a case shows Basic credentials decoded.
fn with_decoded(secrets: Vec<(String, Secret)>) -> Vec<(String, Secret)> {
    let decoded: Vec<(String, Secret)> = secrets
        .iter()
        .filter_map(|(name, secret)| {
            let bytes = STANDARD.decode(secret.expose().trim()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            Some((name.clone(), text))
        })
        .flat_map(|(name, text)| {
            // The key alone, too: it may stand in an answer.
            let parts = text.split(':').filter(|part| part.len() >= SHORTEST);
            let mut all: Vec<String> = parts.map(str::to_owned).collect();
            all.push(text);
            all.into_iter().map(move |text| (name.clone(), Secret::new(text)))
        })
        .collect();
    secrets.into_iter().chain(decoded).collect()
}

/// The names of the secrets, where others are set than those that are needed.
fn named(installation: &Installation, secrets: &[(String, Secret)]) -> Option<Vec<String>> {
    let names: Vec<String> = secrets.iter().map(|(name, _)| name.clone()).collect();
    let needed = installation.required_secrets().into_iter();
    let needed: Vec<String> = needed
        .filter(|secret| !secret.optional)
        .map(|secret| secret.name)
        .collect();
    (names != needed).then_some(names)
}

/// The token holds that of the system, which the case replaces.
fn without_page_token(end: &Value) -> Value {
    let mut end = end.clone();
    if let Some(pagination) = end
        .pointer_mut("/output/pagination_info")
        .and_then(Value::as_object_mut)
    {
        pagination.shift_remove("next_page_token");
    }
    end
}

fn to_the_second(time: Timestamp) -> Timestamp {
    time.round(TimestampRound::new().smallest(Unit::Second))
        .unwrap_or(time)
}

/// The place of what was never written.
fn nowhere() -> mapping::Place {
    mapping::Place::new(&mapping::Source::new("case", ""), 0, 0)
}
