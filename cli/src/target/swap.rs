//! Stores a version and makes it the active one, unless somebody else was faster.

use jiff::Timestamp;
use storage::{NewVersion, VersionInfo};

use super::Target;
use crate::failure::Failure;

impl Target {
    /// Stores `content` as a new version of `name` and makes it active, provided that `seen` still is. Gives its
    /// number.
    ///
    /// # Errors
    /// When another version became active in the meantime: which one, and how to go on.
    pub(crate) async fn add_and_activate(
        &self,
        name: &str,
        content: NewVersion,
        seen: Option<u64>,
    ) -> Result<u64, Failure> {
        // Most races are lost here already, and then nothing is left behind.
        self.check_active(name, seen).await?;
        let version = self.integrations.add(name, content).await?;
        match self.integrations.activate(name, Some(version), seen).await {
            Ok(()) => Ok(version),
            Err(error) if error.is_conflict() => {
                let now = self.integrations.active(name).await?;
                // The answer to a swap that was made may have been lost, and the repeated swap refused.
                if now == Some(version) {
                    return Ok(version);
                }
                Err(self.lost(name, seen, now, Some(version)).await)
            }
            Err(error) => Err(Failure::from(error).help(format!(
                "version {version} is stored and may or may not be active: ticket-gateway versions {name}{}",
                self.options
            ))),
        }
    }

    /// Refuses to go on where another version is active than the one the command goes by.
    ///
    /// # Errors
    /// Which one is active, and how to go on.
    pub(crate) async fn check_active(&self, name: &str, seen: Option<u64>) -> Result<(), Failure> {
        let now = self.integrations.active(name).await?;
        if now == seen {
            return Ok(());
        }
        Err(self.lost(name, seen, now, None).await)
    }

    /// Why the pointer was not swapped.
    async fn lost(&self, name: &str, seen: Option<u64>, now: Option<u64>, stored: Option<u64>) -> Failure {
        let options = &self.options;
        let mut message = match (seen, now) {
            (_, None) => format!("no version of `{name}` is active any more"),
            (None, Some(now)) => format!("{} of `{name}` is active by now", self.described(name, now).await),
            (Some(seen), Some(now)) => {
                let now = self.described(name, now).await;
                format!("{now} of `{name}` is active by now, and not version {seen}")
            }
        };
        message.push_str("; it is left as it is");
        let mut help = match (seen, now) {
            (Some(seen), Some(now)) => {
                format!(
                    "see what changed: ticket-gateway diff {name} {seen} {now}{options}\n      then push again"
                )
            }
            (None, Some(now)) => format!(
                "compare with it, then push again: ticket-gateway versions {name}{options} shows version {now}"
            ),
            _ => "push again to make it active".to_owned(),
        };
        if let Some(stored) = stored {
            message.push_str(&format!("; yours is stored as version {stored}"));
            help.push_str(&format!(
                "; or make yours active all the same: ticket-gateway rollback {name} --to {stored}{options}"
            ));
        }
        Failure::failed(message).help(help)
    }

    /// `version 7 (2026-01-05T10:30:45Z, molly@laptop: new states)`, as far as it is known.
    async fn described(&self, name: &str, version: u64) -> String {
        let versions = self.integrations.versions(name).await.unwrap_or_default();
        match versions.iter().find(|info| info.version == version) {
            Some(info) => described(info),
            None => format!("version {version}"),
        }
    }
}

/// `version 7 (2026-01-05T10:30:45Z, molly@laptop: new states)`.
fn described(info: &VersionInfo) -> String {
    let mut about = vec![info.created_at.clone()];
    about.extend((!info.created_by.is_empty()).then(|| info.created_by.clone()));
    let note = if info.note.is_empty() {
        String::new()
    } else {
        format!(": {}", info.note)
    };
    format!("version {} ({}{note})", info.version, about.join(", "))
}

/// The time as versions and keys carry it: RFC 3339, UTC, whole seconds.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
