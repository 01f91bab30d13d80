//! The streams that a command is about: those that are polled, and those that were.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use integration::Polling;
use mapping::did_you_mean;
use storage::{StreamKey, StreamRecord};

use crate::failure::Failure;
use crate::install::settings::suggestion;
use crate::names;
use crate::target::Target;

/// One integration, or one destination of it.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// The integration
    #[arg(value_parser = names::integration)]
    pub(super) name: String,

    /// Only this destination of it [default: all that are polled]
    #[arg(long)]
    pub(super) destination: Option<String>,
}

/// What the store knows of a stream.
pub(super) struct Known {
    /// Which one.
    pub(super) key: StreamKey,
    /// Time between two runs; none where it is not, or not any more, part of an integration that was pushed.
    pub(super) interval: Option<Duration>,
    /// What is remembered of it; none if it was never polled.
    pub(super) record: Option<StreamRecord>,
}

/// `teamswork`, or `servicenow/it`.
pub(super) fn shown(key: &StreamKey) -> String {
    match &key.destination {
        Some(destination) => format!("{}/{destination}", key.integration),
        None => key.integration.clone(),
    }
}

/// Every stream that is polled or was, by name; of one integration, or of all.
pub(super) async fn known(target: &Target, name: Option<&str>) -> Result<Vec<Known>, Failure> {
    let is_meant = |key: &StreamKey| name.is_none_or(|name| name == key.integration);
    let mut all = BTreeMap::new();
    for (integration, scheduled) in target.integrations.scheduled().await? {
        for stream in scheduled {
            let key = StreamKey {
                integration: integration.clone(),
                destination: stream.destination,
            };
            let interval = Duration::from_secs(stream.interval_seconds.into());
            all.insert(key, (Some(interval), None));
        }
    }
    for record in target.poll_state.streams().await? {
        let entry = all.entry(record.key.clone()).or_insert((None, None));
        entry.1 = Some(record);
    }
    let known = all.into_iter().filter(|(key, _)| is_meant(key));
    Ok(known
        .map(|(key, (interval, record))| Known {
            key,
            interval,
            record,
        })
        .collect())
}

/// The streams that the command line means: at least one.
///
/// # Errors
/// When there is none, with what there is.
pub(super) async fn chosen(target: &Target, choice: &Choice) -> Result<Vec<Known>, Failure> {
    let name = choice.name.as_str();
    let mut streams = known(target, Some(name)).await?;
    if streams.is_empty() {
        return Err(not_polled(target, name).await?);
    }
    if let Some(destination) = &choice.destination {
        let all: Vec<String> = streams
            .iter()
            .filter_map(|stream| stream.key.destination.clone())
            .collect();
        streams.retain(|stream| stream.key.destination.as_ref() == Some(destination));
        if streams.is_empty() {
            let message = format!("`{name}` is not polled by a destination `{destination}`");
            let help = match all.is_empty() {
                true => "it is polled as a whole: leave --destination away".to_owned(),
                false => suggestion(destination, all.iter().map(String::as_str), "its destinations"),
            };
            return Err(Failure::failed(message).help(help));
        }
    }
    Ok(streams)
}

async fn not_polled(target: &Target, name: &str) -> Result<Failure, Failure> {
    if target.integrations.active(name).await?.is_some() {
        return Ok(Failure::failed(format!("`{name}` is not polled"))
            .help("set `polling: {enabled: true}` in its integration.yaml, and push it"));
    }
    // What `up` serves from a folder is not pushed, but it is remembered.
    let known = known(target, None).await?;
    let names = || known.iter().map(|stream| stream.key.integration.as_str());
    if let Some(near) = did_you_mean(name, names()) {
        return Ok(
            Failure::failed(format!("`{name}` was neither pushed here nor ever polled"))
                .help(format!("did you mean `{near}`?")),
        );
    }
    Ok(names::unknown(target, name).await)
}

/// How the active version of an integration is polled, where there is one that loads.
pub(super) async fn polling_of(target: &Target, name: &str) -> Result<Option<Polling>, Failure> {
    let Some(active) = target.integrations.active(name).await? else {
        return Ok(None);
    };
    let content = target.content(name, active).await?;
    let integration = integration::load_files(&content.files).integration;
    Ok(integration.and_then(|integration| integration.polling))
}
