//! From an integration and what its installation fills in to something that can run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mapping::{Environment, Escape, Template, TimeForm, is_truthy};
use serde_json::{Map, Value, json};
use upstream::{Auth, Connector, RateLimit, RateSignals, RetryPolicy};
use url::{Host, Url};

use crate::check::address_mistake;
use crate::contract::TasAction;
use crate::integration::{Dates, Integration, SafeCreate, SecretUse, SettingDeclaration, SettingKind};

/// An integration with its settings: ready to run.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The integration.
    pub integration: Arc<Integration>,
    /// The settings, defaults filled in: what `settings` is in mappings and templates.
    pub settings: Value,
    /// How the ticketing system is reached.
    pub connector: Connector,
    /// How the ticketing system writes times, where the connector says it.
    pub dates: Option<Dates>,
    /// What the person who installs should know, such as keys that travel unencrypted.
    pub warnings: Vec<String>,
    refusals: BTreeMap<TasAction, String>,
    creates_safely: bool,
}

impl Installation {
    /// Why this installation cannot do a ticket action, or `None` where it can.
    pub fn refusal(&self, action: TasAction) -> Option<&str> {
        self.refusals.get(&action).map(String::as_str)
    }

    /// How a ticket is found whose creation ended in doubt, where this installation can look for it.
    pub fn safe_create(&self) -> Option<&SafeCreate> {
        self.integration
            .safe_create
            .as_ref()
            .filter(|_| self.creates_safely)
    }
}

/// The connector of an integration before its settings are known.
#[derive(Debug)]
pub(crate) struct ConnectorPlan {
    pub(crate) base_url: Template,
    pub(crate) auth: Auth,
    pub(crate) headers: Vec<(String, Template)>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) rate_signals: RateSignals,
    pub(crate) timeout: Duration,
    pub(crate) action_timeout: Duration,
    pub(crate) follow_redirects: bool,
    pub(crate) max_response_bytes: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) dates: Option<DatesPlan>,
}

/// `connector.dates` before the settings are known.
#[derive(Debug)]
pub(crate) struct DatesPlan {
    pub(crate) format: String,
    /// None: UTC.
    pub(crate) zone: Option<Template>,
    pub(crate) empty: Vec<Value>,
}

impl ConnectorPlan {
    pub(crate) fn secrets(&self) -> Vec<SecretUse> {
        let needed = |name: &String| SecretUse {
            name: name.clone(),
            optional: false,
        };
        match &self.auth {
            Auth::None => Vec::new(),
            Auth::Basic { secret, .. }
            | Auth::Bearer { secret }
            | Auth::OAuth2ClientCredentials { secret, .. } => vec![needed(secret)],
            Auth::Session(login) => vec![needed(&login.secret)],
            Auth::OAuth2RefreshToken {
                secret,
                refresh_secret,
                ..
            } => vec![needed(secret), needed(refresh_secret)],
            Auth::ApiKey {
                secret,
                fallback_secret,
                ..
            } => {
                let fallback = fallback_secret.iter().map(|name| SecretUse {
                    name: name.clone(),
                    optional: true,
                });
                std::iter::once(needed(secret)).chain(fallback).collect()
            }
        }
    }

    fn sends_credentials(&self) -> bool {
        !matches!(self.auth, Auth::None)
    }
}

impl Integration {
    /// Checks the settings, fills in the defaults and builds the connector.
    ///
    /// Text is taken for a number, a boolean, a list or an object where it reads as one, so that settings can
    /// come from a command line.
    ///
    /// # Errors
    /// Every setting that is unknown, missing or of the wrong kind, one line each, and an address that cannot
    /// be used.
    pub fn install(self: &Arc<Self>, given: Map<String, Value>) -> Result<Installation, Vec<String>> {
        let settings = self.fill_in(given)?;
        let base_url = self.base_url(&settings).map_err(|problem| vec![problem])?;
        let plan = &self.connector;
        let mut warnings = Vec::new();
        if base_url.scheme() == "http" && plan.sends_credentials() && !is_loopback(&base_url) {
            warnings.push(format!(
                "{}: the base URL is http, so its keys travel unencrypted; use https",
                self.name
            ));
        }
        Ok(Installation {
            integration: Arc::clone(self),
            refusals: self.refusals(&settings)?,
            creates_safely: self.creates_safely(&settings).map_err(|problem| vec![problem])?,
            dates: self.dates(&settings).map_err(|problem| vec![problem])?,
            settings,
            connector: Connector {
                integration: self.name.clone(),
                instance: Connector::next_instance(),
                base_url,
                auth: plan.auth.clone(),
                headers: plan.headers.clone(),
                rate_limit: plan.rate_limit,
                rate_signals: plan.rate_signals.clone(),
                timeout: plan.timeout,
                action_timeout: plan.action_timeout,
                follow_redirects: plan.follow_redirects,
                max_response_bytes: plan.max_response_bytes,
                retry: plan.retry,
            },
            warnings,
        })
    }

    fn fill_in(&self, mut given: Map<String, Value>) -> Result<Value, Vec<String>> {
        let mut problems = Vec::new();
        let mut settings = Map::new();
        for declared in &self.settings {
            let value = given.remove(&declared.name).filter(|value| !value.is_null());
            let value = match value {
                Some(value) => declared.read(value).unwrap_or_else(|problem| {
                    problems.push(format!("{}: {problem}", self.name));
                    Value::Null
                }),
                None if declared.required => {
                    problems.push(format!("{}: {}", self.name, declared.missing()));
                    Value::Null
                }
                None => declared.default.clone(),
            };
            settings.insert(declared.name.clone(), value);
        }
        for unknown in given.keys() {
            let near = mapping::did_you_mean(unknown, self.settings.iter().map(|known| known.name.as_str()));
            let hint = near
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            problems.push(format!("{}: there is no setting `{unknown}`{hint}", self.name));
        }
        if problems.is_empty() {
            Ok(Value::Object(settings))
        } else {
            Err(problems)
        }
    }

    fn base_url(&self, settings: &Value) -> Result<Url, String> {
        let root = json!({"settings": settings});
        let environment = Environment::now();
        let text = self
            .connector
            .base_url
            .render(&root, &mut AsIs, &environment)
            .map_err(|error| format!("{}: the base URL: {}", self.name, error.message()))?;
        let url = Url::parse(&text)
            .map_err(|error| error.to_string())
            .and_then(|url| {
                address_mistake(&url)?;
                Ok(url)
            });
        // Not the URL itself: one that holds a password is among those that cannot be used.
        url.map_err(|mistake| format!("{}: the base URL cannot be used: {mistake}", self.name))
    }

    /// How the ticketing system writes times, now that its zone is known.
    fn dates(&self, settings: &Value) -> Result<Option<Dates>, String> {
        let Some(plan) = &self.connector.dates else {
            return Ok(None);
        };
        let zone = match &plan.zone {
            None => "UTC".to_owned(),
            Some(zone) => zone
                .render(&json!({"settings": settings}), &mut AsIs, &Environment::now())
                .map_err(|error| format!("{}: connector.dates.zone: {}", self.name, error.message()))?,
        };
        let form = TimeForm::new(&plan.format, zone.trim())
            .map_err(|mistake| format!("{}: connector.dates: {mistake}", self.name))?;
        Ok(Some(Dates {
            form,
            empty: plan.empty.clone(),
        }))
    }

    /// Whether the condition of `safe_create` holds: it depends on nothing but the settings.
    fn creates_safely(&self, settings: &Value) -> Result<bool, String> {
        let when = self.safe_create.as_ref().map(|safe_create| &safe_create.when);
        match when {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(when)) => when
                .evaluate(&json!({"settings": settings}), &Environment::now())
                .map(|value| is_truthy(&value))
                .map_err(|error| format!("{}: safe_create.when: {}", self.name, error.message())),
        }
    }

    /// The actions that this installation cannot do. Conditions depend on nothing but the settings, so they
    /// are decided here, once.
    fn refusals(&self, settings: &Value) -> Result<BTreeMap<TasAction, String>, Vec<String>> {
        let mut refusals = BTreeMap::new();
        let mut problems = Vec::new();
        let root = json!({"settings": settings});
        for action in TasAction::ALL {
            if let Some(capability) = self.capabilities.get(&action) {
                let possible = match &capability.when {
                    None => Ok(false),
                    Some(when) => when
                        .evaluate(&root, &Environment::now())
                        .map(|value| is_truthy(&value)),
                };
                match possible {
                    Ok(true) => {}
                    Ok(false) => {
                        refusals.insert(action, capability.reason.clone());
                    }
                    Err(error) => {
                        let message = error.message();
                        problems.push(format!("{}: capabilities.{action}.when: {message}", self.name));
                    }
                }
            }
            if !self.actions.contains_key(&action) {
                refusals
                    .entry(action)
                    .or_insert_with(|| format!("the integration `{}` does not do {action}", self.name));
            }
        }
        if problems.is_empty() {
            Ok(refusals)
        } else {
            Err(problems)
        }
    }
}

impl SettingDeclaration {
    /// The value in the kind's own type, also from text.
    fn read(&self, value: Value) -> Result<Value, String> {
        let value = match (&self.kind, value) {
            (
                SettingKind::Integer
                | SettingKind::Number
                | SettingKind::Boolean
                | SettingKind::List
                | SettingKind::Object,
                Value::String(text),
            ) => serde_json::from_str(text.trim()).unwrap_or(Value::String(text)),
            // A command line may have turned `1234` into a number already.
            (SettingKind::Text | SettingKind::Enum(_), Value::Number(number)) => {
                Value::String(number.to_string())
            }
            (_, value) => value,
        };
        match self.kind.check(&value) {
            Ok(()) => Ok(value),
            Err(expected) => Err(format!("setting `{}`: expected {expected}", self.name)),
        }
    }

    fn missing(&self) -> String {
        let what = self.kind.words();
        match &self.description {
            Some(description) => format!("setting `{}` is missing ({what}): {description}", self.name),
            None => format!("setting `{}` is missing ({what})", self.name),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Puts values in as they are: what an address is made of comes from the installation alone, and the result
/// is parsed and checked as a whole.
struct AsIs;

impl Escape for AsIs {
    fn literal(&mut self, text: &str, out: &mut String) {
        out.push_str(text);
    }

    fn value(&mut self, value: &Value, _: bool, out: &mut String) -> Result<(), String> {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Null => {}
            Value::Array(_) | Value::Object(_) => {
                return Err("a list or an object cannot stand in an address".into());
            }
        }
        Ok(())
    }
}
