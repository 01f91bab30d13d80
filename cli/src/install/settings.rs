//! `--set NAME.key=value`: what an installation fills in.

use std::str::FromStr;

use integration::{Integration, SettingDeclaration, SettingKind};
use mapping::did_you_mean;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// One `--set` of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The integration's name.
    pub(crate) integration: String,
    /// The setting.
    pub(crate) key: String,
    /// The value as it was typed.
    pub(crate) value: String,
}

impl FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "expected NAME.key=value, as in teamswork.page_size=100";
        let (target, value) = text.split_once('=').ok_or(FORM)?;
        let (integration, key) = target.split_once('.').ok_or(FORM)?;
        if integration.is_empty() || key.is_empty() {
            return Err(FORM);
        }
        Ok(Self {
            integration: integration.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// The settings that the command line gives to `integration`.
///
/// # Errors
/// A setting that the integration does not declare.
pub(crate) fn of(
    integration: &Integration,
    assignments: &[Assignment],
) -> Result<Map<String, Value>, Failure> {
    let mut settings = Map::new();
    for assignment in assignments
        .iter()
        .filter(|assignment| assignment.integration == integration.name)
    {
        let value = given(integration, &assignment.key, &assignment.value)?;
        settings.insert(assignment.key.clone(), value);
    }
    Ok(settings)
}

/// One `--set` of a command that is about one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The setting.
    pub(crate) key: String,
    /// The value as it was typed.
    pub(crate) value: String,
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "expected KEY=VALUE, as in page_size=100";
        let (key, value) = text.split_once('=').ok_or(FORM)?;
        if key.is_empty() {
            return Err(FORM);
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// The value that a setting gets from the command line.
///
/// # Errors
/// A setting that the integration does not declare.
pub(crate) fn given(integration: &Integration, key: &str, typed: &str) -> Result<Value, Failure> {
    let declared = integration.settings.iter().find(|declared| declared.name == key);
    let declared = declared.ok_or_else(|| unknown_setting(integration, key))?;
    Ok(value(declared, typed))
}

/// Refuses a `--set` for an integration that is not there.
pub(crate) fn check_names(names: &[&str], assignments: &[Assignment]) -> Result<(), Failure> {
    for assignment in assignments {
        if !names.contains(&assignment.integration.as_str()) {
            let failure = Failure::usage(format!(
                "--set: there is no integration named `{}`",
                assignment.integration
            ));
            return Err(failure.help(suggestion(
                &assignment.integration,
                names.iter().copied(),
                "integrations",
            )));
        }
    }
    Ok(())
}

/// A setting that holds text takes the value as it was typed, so that `0042` and `true` stay text. Anything
/// else is JSON; what is not JSON is handed on as text, for the check of the setting's type to name it.
fn value(declared: &SettingDeclaration, typed: &str) -> Value {
    match declared.kind {
        SettingKind::Text | SettingKind::Url | SettingKind::Enum(_) => Value::from(typed),
        _ => serde_json::from_str(typed).unwrap_or_else(|_| Value::from(typed)),
    }
}

fn unknown_setting(integration: &Integration, key: &str) -> Failure {
    let known = integration.settings.iter().map(|declared| declared.name.as_str());
    Failure::usage(format!("--set: `{}` has no setting `{key}`", integration.name))
        .help(suggestion(key, known, "settings"))
}

/// What may have been meant.
pub(crate) fn suggestion<'a>(
    wrong: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> String {
    match did_you_mean(wrong, known.clone()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("{what}: {}", known.collect::<Vec<_>>().join(", ")),
    }
}
