//! One integration as the gateway serves it.

use std::collections::BTreeSet;
use std::sync::Arc;

use integration::Installation;
use integration::contract::TasAction;
use mapping::Severity;
use storage::IntegrationVersion;

use crate::SetupError;
use crate::engine::reads_whole_ticket;

/// An integration with its settings, and what the gateway derives from it once.
#[derive(Debug)]
pub struct Installed {
    /// The integration with its settings.
    pub installation: Installation,
    /// The stored version it was loaded from; none where it was given at the start.
    pub version: Option<u64>,
    /// The actions whose mappings read more of the ticket than its id.
    need_whole_ticket: BTreeSet<TasAction>,
}

impl Installed {
    /// One that was given at the start.
    pub fn new(installation: Installation) -> Self {
        Installed::with(installation, None)
    }

    /// One that was loaded from a stored version.
    pub fn of_version(installation: Installation, version: u64) -> Self {
        Installed::with(installation, Some(version))
    }

    /// Loads a stored version. The integration goes by the name under which it is stored, whatever its YAML says.
    ///
    /// # Errors
    /// When it has a mistake or its settings do not fit; the text names every one, for the operator.
    pub fn from_stored(stored: &IntegrationVersion) -> Result<Self, SetupError> {
        let loaded = integration::load_files(&stored.content.files);
        let Some(mut integration) = loaded.integration else {
            let mistakes: Vec<String> = loaded
                .diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.severity == Severity::Error)
                .map(|diagnostic| diagnostic.render(false))
                .collect();
            return Err(SetupError::new(mistakes.join("\n")));
        };
        integration.name.clone_from(&stored.name);
        let installation = Arc::new(integration)
            .install(stored.content.settings.clone())
            .map_err(|problems| SetupError::new(problems.join("\n")))?;
        Ok(Installed::of_version(installation, stored.version))
    }

    fn with(installation: Installation, version: Option<u64>) -> Self {
        let need_whole_ticket = installation
            .integration
            .actions
            .iter()
            .filter(|(action, compound)| {
                action.own_context_fields().contains(&"ticket") && reads_whole_ticket(compound)
            })
            .map(|(action, _)| *action)
            .collect();
        Installed {
            installation,
            version,
            need_whole_ticket,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.installation.integration.name
    }

    /// Whether it is polled for changes.
    pub fn is_polled(&self) -> bool {
        let polling = self.installation.integration.polling.as_ref();
        polling.is_some_and(|polling| polling.enabled)
    }

    pub(crate) fn needs_whole_ticket(&self, action: TasAction) -> bool {
        self.need_whole_ticket.contains(&action)
    }
}
