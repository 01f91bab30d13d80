//! `webhooks`: where events are delivered by HTTP.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use mapping::did_you_mean;
use serde_json::{Map, Value, json};
use storage::Webhook;

use crate::failure::Failure;
use crate::install::settings::suggestion;
use crate::moments;
use crate::names;
use crate::output::Output;
use crate::serve::logging::{self, LogFormat};
use crate::serve::one_shot_runtime;
use crate::tables;
use crate::target::{Place, Target, TargetArguments};

/// Deliver the events of an integration to addresses, signed
///
/// By Standard Webhooks (https://www.standardwebhooks.com): POST with the headers webhook-id, webhook-timestamp and
/// webhook-signature and the body {"type", "timestamp", "data"}, where `data` is the event. Each webhook gets the events
/// of its integration in order. One that is not answered with 2xx within 20 seconds is tried again after 5 s, 5 min,
/// 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and then every 24 h, and what comes after it waits. 410 disables the webhook, and so do
/// five days without a success; it keeps its place.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Add),
    List(List),
    Test(Test),
    Rotate(Rotate),
    Enable(Enable),
    Disable(Disable),
    Remove(Remove),
}

/// Add a webhook, and print its signing secret alone on stdout
///
/// It gets what is observed from now on; `poll replay` gives it what was before. The secret is not shown again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway webhooks add teamswork --url https://example.com/ticket-events --stack prod
  SECRET=$(ticket-gateway webhooks add teamswork --url http://127.0.0.1:9000/ --allow-private-upstreams)")]
struct Add {
    /// The integration whose events it gets
    #[arg(value_parser = names::integration)]
    name: String,

    /// Where they are sent; https
    #[arg(long)]
    url: String,

    /// Allow plain http, and loopback, private and link-local addresses; the gateway has to allow them too
    #[arg(long)]
    allow_private_upstreams: bool,

    /// Print {integration, id, url, created_at, secret} instead
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// List webhooks and how they are doing, without their secrets
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway webhooks list --stack prod")]
struct List {
    /// The integration [default: all]
    #[arg(value_parser = names::integration)]
    name: Option<String>,

    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Which webhook.
#[derive(Debug, Args)]
struct Choice {
    /// The integration
    #[arg(value_parser = names::integration)]
    name: String,

    /// The webhook's id, as `webhooks list` shows it
    id: String,
}

/// Send a message of the type `webhook.test` to a webhook, from here
///
/// It is signed like an event, and changes nothing: not the webhook's place, not whether it is disabled.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway webhooks test teamswork wh_7kq2m9xbc4tn --stack prod")]
struct Test {
    #[command(flatten)]
    choice: Choice,

    /// Allow plain http, and loopback, private and link-local addresses
    #[arg(long)]
    allow_private_upstreams: bool,

    /// Print {integration, id, message_id} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Make a new signing secret, and print it alone on stdout
///
/// For 24 hours, deliveries carry a signature of the old secret beside that of the new one. One that is left from an
/// earlier rotation signs no more.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway webhooks rotate teamswork wh_7kq2m9xbc4tn --stack prod")]
struct Rotate {
    #[command(flatten)]
    choice: Choice,

    /// Print {integration, id, secret, old_secret_signs_until} instead
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Deliver to a webhook again, at once, from where it stopped
///
/// Also for one that is not disabled but waits for its next attempt. Events are kept for 7 days: after a longer stop it
/// goes on with the oldest that is kept.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ticket-gateway webhooks enable teamswork wh_7kq2m9xbc4tn --stack prod
  ticket-gateway webhooks enable teamswork wh_7kq2m9xbc4tn --skip-event")]
struct Enable {
    #[command(flatten)]
    choice: Choice,

    /// Pass over the event that it does not take
    #[arg(long)]
    skip_event: bool,

    /// Print {integration, id, disabled, skipped_event_id} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Stop delivering to a webhook; it keeps its place
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway webhooks disable teamswork wh_7kq2m9xbc4tn --stack prod")]
struct Disable {
    #[command(flatten)]
    choice: Choice,

    /// Print {integration, id, disabled} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Remove a webhook and its signing secret
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ticket-gateway webhooks remove teamswork wh_7kq2m9xbc4tn --stack prod")]
struct Remove {
    #[command(flatten)]
    choice: Choice,

    /// Print {integration, id, removed} on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: TargetArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    logging::start(LogFormat::Text, "warn");
    one_shot_runtime()?.block_on(async {
        match &arguments.command {
            Command::Add(add) => self::add(add, output).await,
            Command::List(list) => self::list(list, output).await,
            Command::Test(test) => self::test(test, output).await,
            Command::Rotate(rotate) => self::rotate(rotate, output).await,
            Command::Enable(enable) => self::enable(enable, output).await,
            Command::Disable(disable) => self::disable(disable, output).await,
            Command::Remove(remove) => self::remove(remove, output).await,
        }
    })
}

async fn add(arguments: &Add, output: &mut Output) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let target = arguments.target.open().await?;
    warn_of_no_events(&target, name, output).await?;
    let webhooks = target.webhooks_of(arguments.allow_private_upstreams)?;
    let (webhook, secret) = webhooks.add(name, &arguments.url).await?;
    if arguments.json {
        let made = json!({
            "integration": name,
            "id": webhook.id,
            "url": webhook.url,
            "created_at": webhook.created_at,
            "secret": secret.expose(),
        });
        return Ok(output.json(&made, false)?);
    }
    output.remark(&format!(
        "webhook {} of `{name}`; {}. Its signing secret is not shown again:",
        webhook.id,
        who_delivers(&target)
    ));
    Ok(output.line(secret.expose())?)
}

fn who_delivers(target: &Target) -> &'static str {
    match &target.place {
        Place::ThisMachine => "a running `ticket-gateway up` delivers to it",
        Place::Stack(deployed) if deployed.delivers() => "the stack delivers to it once a minute",
        Place::Stack(_) => {
            "nobody delivers to it: the stack was deployed before it could; deploy the present version"
        }
    }
}

/// The webhook may come before the integration; but a name may also be mistyped.
async fn warn_of_no_events(target: &Target, name: &str, output: &mut Output) -> Result<(), Failure> {
    let pushed = target.integrations.scheduled().await?;
    let known = target.poll_state.streams().await?;
    let mut names: Vec<&str> = pushed.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(known.iter().map(|stream| stream.key.integration.as_str()));
    if names.contains(&name) {
        return Ok(());
    }
    output.warning(&format!("`{name}` is not polled here, so it has no events yet"));
    if let Some(near) = did_you_mean(name, names) {
        output.help(&format!("did you mean `{near}`?"));
    }
    Ok(())
}

async fn list(arguments: &List, output: &mut Output) -> Result<(), Failure> {
    let target = arguments.target.open().await?;
    let webhooks = target.webhooks.webhooks(arguments.name.as_deref()).await?;
    if arguments.json {
        let all = webhooks.iter().map(described).collect();
        return Ok(output.json(&Value::Array(all), false)?);
    }
    let now = Timestamp::now();
    let rows: Vec<_> = webhooks.iter().map(|webhook| row(webhook, now)).collect();
    Ok(output.text(&tables::rows(&rows))?)
}

fn described(webhook: &Webhook) -> Value {
    json!({
        "integration": webhook.integration,
        "id": webhook.id,
        "url": webhook.url,
        "state": state(webhook),
        "created_at": webhook.created_at,
        "disabled_at": webhook.disabled_at,
        "failing_since": webhook.failing_since,
        "failed_attempts": webhook.attempts,
        "next_attempt_at": webhook.not_before,
        "last_error": webhook.last_error,
        "cursor": webhook.cursor,
    })
}

fn row(webhook: &Webhook, now: Timestamp) -> Map<String, Value> {
    let since = webhook.disabled_at.or(webhook.failing_since);
    let next = webhook.not_before.filter(|_| webhook.disabled_at.is_none());
    let row = json!({
        "integration": webhook.integration,
        "id": webhook.id,
        "url": webhook.url,
        "state": state(webhook),
        "since": since.map(moments::shown),
        "failed_attempts": webhook.attempts,
        "next_attempt": next.map(|next| format!("in {}", moments::stretch(moments::since(now, next)))),
        "last_error": webhook.last_error,
    });
    match row {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}

fn state(webhook: &Webhook) -> &'static str {
    if webhook.disabled_at.is_some() {
        "disabled"
    } else if webhook.failing_since.is_some() {
        "failing"
    } else if webhook.last_error.is_some() {
        "waiting"
    } else {
        "ok"
    }
}

async fn test(arguments: &Test, output: &mut Output) -> Result<(), Failure> {
    let (name, id) = (arguments.choice.name.as_str(), arguments.choice.id.as_str());
    let target = arguments.target.open().await?;
    check(&target, &arguments.choice).await?;
    let webhooks = target.webhooks_of(arguments.allow_private_upstreams)?;
    let message_id = webhooks
        .test(name, id)
        .await?
        .map_err(|why| Failure::failed(format!("the webhook {id} did not take the message: {why}")))?;
    if arguments.json {
        let sent = json!({"integration": name, "id": id, "message_id": message_id});
        return Ok(output.json(&sent, false)?);
    }
    output.remark(&format!("the webhook {id} took the message {message_id}"));
    Ok(())
}

async fn rotate(arguments: &Rotate, output: &mut Output) -> Result<(), Failure> {
    let (name, id) = (arguments.choice.name.as_str(), arguments.choice.id.as_str());
    let target = arguments.target.open().await?;
    check(&target, &arguments.choice).await?;
    let keys = target.webhooks_of(false)?.rotate(name, id).await?;
    let until = keys.previous_until(Timestamp::now());
    if arguments.json {
        let made = json!({
            "integration": name,
            "id": id,
            "secret": keys.current().expose(),
            "old_secret_signs_until": until,
        });
        return Ok(output.json(&made, false)?);
    }
    let old = until.map_or(String::new(), |until| {
        format!("; the old one signs beside it until {}", moments::shown(until))
    });
    output.remark(&format!(
        "new signing secret of the webhook {id}{old}. It is not shown again:"
    ));
    output.line(keys.current().expose())?;
    if matches!(target.place, Place::Stack(_)) {
        output.help(
            "the stack goes on signing with the old one alone for its SecretTtlSeconds (300 unless changed): let the \
             receiver take both until then",
        );
    }
    Ok(())
}

async fn enable(arguments: &Enable, output: &mut Output) -> Result<(), Failure> {
    let (name, id) = (arguments.choice.name.as_str(), arguments.choice.id.as_str());
    let target = arguments.target.open().await?;
    check(&target, &arguments.choice).await?;
    let webhooks = target.webhooks_of(false)?;
    let skipped = match arguments.skip_event {
        true => webhooks.skip(name, id).await?,
        false => None,
    };
    webhooks.enable(name, id).await?;
    if arguments.json {
        let row = json!({"integration": name, "id": id, "disabled": false, "skipped_event_id": skipped});
        return Ok(output.json(&row, false)?);
    }
    match (skipped, arguments.skip_event) {
        (Some(event), _) => output.remark(&format!("the event {event} is passed over")),
        (None, true) => output.remark("there is no event to pass over"),
        (None, false) => {}
    }
    output.remark(&format!(
        "the webhook {id} of `{name}` is enabled; {}",
        who_delivers(&target)
    ));
    Ok(())
}

async fn disable(arguments: &Disable, output: &mut Output) -> Result<(), Failure> {
    let (name, id) = (arguments.choice.name.as_str(), arguments.choice.id.as_str());
    let target = arguments.target.open().await?;
    check(&target, &arguments.choice).await?;
    target.webhooks_of(false)?.disable(name, id).await?;
    if arguments.json {
        let row = json!({"integration": name, "id": id, "disabled": true});
        return Ok(output.json(&row, false)?);
    }
    output.remark(&format!(
        "the webhook {id} of `{name}` is disabled; `webhooks enable` goes on where it stopped"
    ));
    Ok(())
}

async fn remove(arguments: &Remove, output: &mut Output) -> Result<(), Failure> {
    let (name, id) = (arguments.choice.name.as_str(), arguments.choice.id.as_str());
    let target = arguments.target.open().await?;
    // Not checked first: what a removal that failed left of it goes too.
    if !target.webhooks_of(false)?.remove(name, id).await? {
        check(&target, &arguments.choice).await?;
    }
    if arguments.json {
        return Ok(output.json(&json!({"integration": name, "id": id, "removed": true}), false)?);
    }
    output.remark(&format!("the webhook {id} of `{name}` is removed"));
    Ok(())
}

/// There is such a webhook.
async fn check(target: &Target, choice: &Choice) -> Result<(), Failure> {
    let Choice { name, id } = choice;
    let webhooks = target.webhooks.webhooks(Some(name)).await?;
    if webhooks.iter().any(|webhook| webhook.id == *id) {
        return Ok(());
    }
    let failure = Failure::failed(format!("`{name}` has no webhook `{id}`"));
    if webhooks.is_empty() {
        return Err(failure.help(format!(
            "ticket-gateway webhooks list{} shows all there are",
            target.options
        )));
    }
    let ids = webhooks.iter().map(|webhook| webhook.id.as_str());
    Err(failure.help(suggestion(id, ids, "its webhooks")))
}
