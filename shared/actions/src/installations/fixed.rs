//! A list of integrations that is given at the start and stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use integration::Installation;

use super::{Installations, Installed};
use crate::SetupError;
use crate::error::ApiError;

/// Integrations that were given at the start.
#[derive(Debug)]
pub struct Fixed(BTreeMap<String, Arc<Installed>>);

impl Fixed {
    /// Takes the integrations, each known by its name.
    ///
    /// # Errors
    /// When two have one name.
    pub fn new(installations: Vec<Installation>) -> Result<Fixed, SetupError> {
        let mut known = BTreeMap::new();
        for installation in installations {
            let installed = Installed::new(installation);
            let name = installed.name().to_owned();
            if known.insert(name.clone(), Arc::new(installed)).is_some() {
                return Err(SetupError::new(format!(
                    "two integrations are named `{name}`; rename one"
                )));
            }
        }
        Ok(Fixed(known))
    }
}

#[async_trait]
impl Installations for Fixed {
    async fn find(&self, name: &str) -> Result<Option<Arc<Installed>>, ApiError> {
        Ok(self.0.get(name).cloned())
    }

    async fn names(&self) -> Result<Vec<String>, ApiError> {
        Ok(self.known())
    }

    fn known(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
