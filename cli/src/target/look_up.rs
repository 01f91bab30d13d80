//! Versions that a command line names, or means.

use storage::NewVersion;

use super::Target;
use crate::failure::Failure;
use crate::names;

impl Target {
    /// The number of the active version.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn active(&self, name: &str) -> Result<u64, Failure> {
        if let Some(version) = self.integrations.active(name).await? {
            return Ok(version);
        }
        if self.integrations.versions(name).await?.is_empty() {
            return Err(names::unknown(self, name).await);
        }
        Err(
            Failure::failed(format!("no version of `{name}` is active")).help(format!(
                "ticket-gateway versions {name}{} lists them",
                self.options
            )),
        )
    }

    /// The active version and the one that was active before it.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn before_active(&self, name: &str) -> Result<(u64, u64), Failure> {
        let active = self.active(name).await?;
        match self.content(name, active).await?.replaces {
            Some(before) => Ok((active, before)),
            None => Err(Failure::failed(format!(
                "no version of `{name}` was active before version {active}, the active one"
            ))),
        }
    }

    /// What a version holds.
    ///
    /// # Errors
    /// When there is no such version.
    pub(crate) async fn content(&self, name: &str, version: u64) -> Result<NewVersion, Failure> {
        if let Some(found) = self.integrations.version(name, version).await? {
            return Ok(found.content);
        }
        let versions = self.integrations.versions(name).await?;
        let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
            return Err(names::unknown(self, name).await);
        };
        Err(
            Failure::failed(format!("`{name}` has no version {version}")).help(format!(
                "it has the versions {} to {}: ticket-gateway versions {name}{}",
                first.version, last.version, self.options
            )),
        )
    }
}
