//! The gateway on this machine: a state file, and a file with secrets beside it.

use std::path::Path;
use std::sync::Arc;

use storage::embedded::FileSecrets;

use super::{Place, Target, person};
use crate::failure::Failure;
use crate::install::secrets::{self, BesideState};
use crate::install::state;

/// Opens the state file, or the one in the usual place.
pub(super) fn open(file: Option<&Path>) -> Result<Target, Failure> {
    let options = file.map_or_else(String::new, |file| format!(" --state {}", file.display()));
    let file = file.map_or_else(state::default_file, |file| Ok(file.to_owned()))?;
    let store = Arc::new(state::open(&file)?);
    let secrets_file = state::secrets_file(&file);
    let beside = BesideState::open(secrets_file.clone(), options.clone())?;
    Ok(Target {
        integrations: Arc::clone(&store) as _,
        keys: Arc::clone(&store) as _,
        poll_state: Arc::clone(&store) as _,
        events: Arc::clone(&store) as _,
        journal: Arc::clone(&store) as _,
        webhooks: store,
        secrets: secrets::environment_then(beside),
        secret_writer: Arc::new(FileSecrets::open_optional(secrets_file)?),
        usage_plan: None,
        place: Place::ThisMachine,
        person: person::of_machine(),
        options,
    })
}
