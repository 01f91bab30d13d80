//! Checks of `settings`: each on its own, and whether anything reads it.

use serde_json::Value;

use super::World;
use crate::integration::{Pattern, SettingKind};
use crate::model::Document;
use crate::model::settings::{Setting, SettingType};
use crate::read::{Entries, Report, is_set};
use crate::rules;

pub(crate) fn check(document: &Document, report: &mut Report) {
    for (_, setting) in document.settings.iter().flat_map(Entries::read) {
        let Some(kind) = setting.kind() else { continue };
        match (&setting.values, &kind) {
            (None, SettingKind::Enum(_)) if setting.keys.place("values").is_some() => {}
            (None, SettingKind::Enum(_)) => {
                report.add(
                    &rules::MISSING_KEY,
                    &setting.place,
                    "a setting of type enum needs `values`",
                );
            }
            (Some(values), SettingKind::Enum(_)) if values.0.is_empty() => {
                report.add(
                    &rules::MISSING_KEY,
                    &setting.place,
                    "`values` of an enum holds at least one word",
                );
            }
            (Some(values), kind) if !matches!(kind, SettingKind::Enum(_)) => {
                let place = values.0.first().map_or(&setting.place, |value| &value.place);
                report.add(
                    &rules::NOT_TOGETHER,
                    place,
                    "only a setting of type enum has `values`",
                );
            }
            _ => {}
        }
        let pattern = check_pattern(setting, &kind, report);
        let Some(default) = &setting.default else { continue };
        if is_set(setting.required) {
            let message = "a required setting has no default: an installation always gives it";
            report.add(&rules::NOT_TOGETHER, &default.place, message);
        }
        let fits = kind.check(&default.value);
        let fits = fits.and_then(|()| pattern.map_or(Ok(()), |pattern| pattern.check(&default.value)));
        if let Err(expected) = fits {
            report.add(
                &rules::BAD_DEFAULT,
                &default.place,
                format!("expected {expected}"),
            );
        }
    }
}

/// The setting's pattern, where it has one that can be used.
fn check_pattern(setting: &Setting, kind: &SettingKind, report: &mut Report) -> Option<Pattern> {
    let written = setting.pattern.as_ref()?;
    if *kind != SettingKind::Text {
        let message = "only a setting of type text has a `pattern`";
        report.add(&rules::NOT_TOGETHER, &written.place, message);
        return None;
    }
    let pattern = Pattern::new(&written.value);
    pattern
        .map_err(|mistake| {
            let message = format!("`pattern` is not a regular expression: {mistake}");
            report.add(&rules::BAD_SETTING_PATTERN, &written.place, message);
        })
        .ok()
}

/// Warns of settings that nothing reads. Runs after every other check has noted what it reads.
pub(crate) fn check_use(world: &World<'_>, report: &mut Report) {
    let read = world.settings_read.borrow();
    let Some(read) = read.as_ref() else { return };
    if report.has_uncompiled() {
        return;
    }
    for (key, _) in world
        .document
        .settings
        .iter()
        .flat_map(|settings| &settings.entries)
    {
        if !read.contains(&key.name) {
            report.add(
                &rules::SETTING_NOT_USED,
                &key.place,
                format!("nothing reads the setting `{}`", key.name),
            );
        }
    }
}

impl Setting {
    /// What the setting can hold.
    pub(crate) fn kind(&self) -> Option<SettingKind> {
        Some(match self.r#type.get()? {
            SettingType::Text => SettingKind::Text,
            SettingType::Url => SettingKind::Url,
            SettingType::Integer => SettingKind::Integer,
            SettingType::Number => SettingKind::Number,
            SettingType::Boolean => SettingKind::Boolean,
            SettingType::List => SettingKind::List,
            SettingType::Object => SettingKind::Object,
            SettingType::Enum => {
                let values = self.values.iter().flat_map(|values| &values.0);
                SettingKind::Enum(values.map(|value| value.value.clone()).collect())
            }
        })
    }
}

impl SettingKind {
    /// Whether a value is of this kind; otherwise what was expected and what was found.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match self {
            Self::Text => value.is_string(),
            Self::Url => value.as_str().is_some_and(is_address),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Enum(words) => value
                .as_str()
                .is_some_and(|word| words.iter().any(|known| known == word)),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        };
        if fits {
            Ok(())
        } else {
            Err(format!("{}, found {}", self.words(), shown(value)))
        }
    }

    /// The kind in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Url => "an address that begins with http:// or https://".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Enum(words) => format!("one of {}", words.join(", ")),
            Self::List => "a list".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }
}

fn is_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A value as a message shows it; long ones by their kind.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 60 => "a long text".to_owned(),
        short => format!("`{short}`"),
    }
}
