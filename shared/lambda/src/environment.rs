//! The variables of a function's environment.
//!
//! An empty variable counts as none: a template's parameter that nobody filled in arrives so.

use std::time::Duration;

use storage::aws::Connection;

use crate::error::Error;

/// The table that also holds the callers' keys.
pub(crate) const INTEGRATIONS_TABLE: &str = "TICKET_GATEWAY_INTEGRATIONS_TABLE";
const STATE_TABLE: &str = "TICKET_GATEWAY_STATE_TABLE";
const SECRET_PREFIX: &str = "TICKET_GATEWAY_SECRET_PREFIX";
const SECRET_TTL: &str = "TICKET_GATEWAY_SECRET_TTL_SECONDS";

/// Reads variables; `lookup` is `std::env::var` outside of tests.
pub(crate) struct Environment<'e> {
    lookup: &'e dyn Fn(&str) -> Option<String>,
}

impl<'e> Environment<'e> {
    pub(crate) fn new(lookup: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Environment { lookup }
    }

    pub(crate) fn integrations_table(&self) -> Result<String, Error> {
        self.required(
            INTEGRATIONS_TABLE,
            "names the DynamoDB table that holds the integrations",
        )
    }

    pub(crate) fn state_table(&self) -> Result<String, Error> {
        self.required(
            STATE_TABLE,
            "names the DynamoDB table that holds the gateway's state",
        )
    }

    /// Without a default: it would be the prefix of another stack of the account.
    pub(crate) fn secret_prefix(&self) -> Result<String, Error> {
        self.required(
            SECRET_PREFIX,
            "is what the names of the integrations' secrets begin with",
        )
    }

    /// How long a secret that was read is kept.
    pub(crate) fn secret_ttl(&self) -> Result<Duration, Error> {
        self.seconds(SECRET_TTL, 300)
    }

    /// Region, credentials and addresses, as [`Connection::from_environment`] reads them.
    pub(crate) fn connection(&self) -> Result<Connection, Error> {
        Connection::from_environment(self.lookup).map_err(|error| Error::setup(&error))
    }

    pub(crate) fn optional(&self, variable: &'static str) -> Option<String> {
        (self.lookup)(variable)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// `what` goes on from the name: "names the table of integrations".
    pub(crate) fn required(&self, variable: &'static str, what: &str) -> Result<String, Error> {
        self.optional(variable)
            .ok_or_else(|| Error::environment(variable, format!("is not set; it {what}")))
    }

    pub(crate) fn or(&self, variable: &'static str, default: &str) -> String {
        self.optional(variable).unwrap_or_else(|| default.to_owned())
    }

    pub(crate) fn seconds(&self, variable: &'static str, default: u64) -> Result<Duration, Error> {
        let Some(text) = self.optional(variable) else {
            return Ok(Duration::from_secs(default));
        };
        match text.parse() {
            Ok(seconds @ 0..=86_400) => Ok(Duration::from_secs(seconds)),
            _ => Err(Error::environment(
                variable,
                format!("is `{text}`; expected whole seconds from 0 to 86400"),
            )),
        }
    }

    pub(crate) fn flag(&self, variable: &'static str) -> Result<bool, Error> {
        match self.optional(variable).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(Error::environment(
                variable,
                format!("is `{text}`; expected `true` or `false`"),
            )),
        }
    }
}
