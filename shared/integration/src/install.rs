//! From an integration and what its installation fills in to something that can run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::fmt::temporal::DateTimeParser;
use mapping::{Environment, Escape, Template, TimeForm, is_truthy};
use serde_json::{Map, Value, json};
use upstream::{Auth, Connector, RateLimit, RateSignals, RetryPolicy, SecretHeader};
use url::{Host, Url};

use crate::check::address_mistake;
use crate::contract::TasAction;
use crate::dates::{Dates, Rounding, TimeStep};
use crate::integration::{Integration, SafeCreate, SecretUse, SettingDeclaration, SettingKind};

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

    /// The secrets that the connector reads: those of its authentication, of the way that the settings choose, and those
    /// of its headers. Each once.
    pub fn required_secrets(&self) -> Vec<SecretUse> {
        let needed = |name: &String| SecretUse {
            name: name.clone(),
            optional: false,
        };
        let mut secrets = self.secrets_of_auth(needed);
        let of_login = match &self.connector.auth {
            Auth::Session(login) => login.secret_headers.as_slice(),
            _ => &[],
        };
        for header in of_login.iter().chain(&self.connector.secret_headers) {
            if secrets.iter().all(|known| known.name != header.secret) {
                secrets.push(needed(&header.secret));
            }
        }
        secrets
    }

    fn secrets_of_auth(&self, needed: fn(&String) -> SecretUse) -> Vec<SecretUse> {
        match &self.connector.auth {
            Auth::None => Vec::new(),
            Auth::Basic { secret, .. }
            | Auth::BasicKey { secret, .. }
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
    pub(crate) auth: AuthPlan,
    pub(crate) headers: Vec<(String, Template)>,
    pub(crate) secret_headers: Vec<SecretHeader>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) rate_signals: RateSignals,
    pub(crate) timeout: Duration,
    pub(crate) action_timeout: Duration,
    pub(crate) follow_redirects: bool,
    pub(crate) max_response_bytes: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) dates: Option<DatesPlan>,
}

/// `connector.auth` before the settings are known.
#[derive(Debug)]
pub(crate) enum AuthPlan {
    One(Auth),
    /// The word of a setting chooses.
    BySetting {
        setting: String,
        of: BTreeMap<String, Auth>,
    },
}

/// `connector.dates` before the settings are known.
#[derive(Debug)]
pub(crate) struct DatesPlan {
    pub(crate) format: String,
    /// None: UTC.
    pub(crate) zone: Option<Template>,
    pub(crate) empty: Vec<Value>,
    pub(crate) round: Option<TimeStep>,
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
        let auth = self.auth(&settings)?;
        let mut warnings = Vec::new();
        let has_keys = !matches!(auth, Auth::None) || !plan.secret_headers.is_empty();
        if base_url.scheme() == "http" && has_keys && !is_loopback(&base_url) {
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
                auth: auth.clone(),
                headers: plan.headers.clone(),
                secret_headers: plan.secret_headers.clone(),
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

    /// How requests are authenticated, now that the settings are known. What the chosen way reads cannot be `required`
    /// of every installation, so that it is there is seen here.
    fn auth(&self, settings: &Value) -> Result<&Auth, Vec<String>> {
        let (setting, of) = match &self.connector.auth {
            AuthPlan::One(auth) => return Ok(auth),
            AuthPlan::BySetting { setting, of } => (setting, of),
        };
        let word = settings.get(setting).and_then(Value::as_str).unwrap_or_default();
        let Some(auth) = of.get(word) else {
            let problem = format!(
                "{}: connector.auth has nothing for `{setting}: {word}`",
                self.name
            );
            return Err(vec![problem]);
        };
        // A setting whose default is the empty text may be empty: the template has something else then.
        let is_missing = |declared: &SettingDeclaration| {
            let value = settings.get(&declared.name).unwrap_or(&Value::Null);
            value.is_null() || (value == "" && declared.default != "")
        };
        let read = settings_of(auth);
        let missing = self
            .settings
            .iter()
            .filter(|declared| read.contains(&declared.name.as_str()) && is_missing(declared));
        let problems: Vec<String> = missing
            .map(|declared| {
                let missing = declared.missing();
                format!("{}: {missing}; `{setting}: {word}` reads it", self.name)
            })
            .collect();
        if problems.is_empty() {
            Ok(auth)
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
        let round = match plan.round {
            None => None,
            Some(step) => {
                let zone = DateTimeParser::new().parse_time_zone(zone.trim());
                let zone =
                    zone.map_err(|mistake| format!("{}: connector.dates.zone: {mistake}", self.name))?;
                Some(Rounding { step, zone })
            }
        };
        Ok(Some(Dates {
            form,
            empty: plan.empty.clone(),
            round,
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
        self.kind
            .check(&value)
            .map_err(|expected| format!("setting `{}`: expected {expected}", self.name))?;
        let Some(Err(expected)) = self.pattern.as_ref().map(|pattern| pattern.check(&value)) else {
            return Ok(value);
        };
        let what = self
            .description
            .iter()
            .map(|description| format!(": {description}"));
        Err(format!(
            "setting `{}`: expected {expected}{}",
            self.name,
            what.collect::<String>()
        ))
    }

    fn missing(&self) -> String {
        let what = self.kind.words();
        match &self.description {
            Some(description) => format!("setting `{}` is missing ({what}): {description}", self.name),
            None => format!("setting `{}` is missing ({what})", self.name),
        }
    }
}

/// The settings without which no request of this kind can be authenticated.
fn settings_of(auth: &Auth) -> Vec<&str> {
    let templates = match auth {
        Auth::Basic { username, .. } => vec![username],
        Auth::BasicKey { password, .. } => password.iter().collect(),
        Auth::OAuth2ClientCredentials {
            token_url, client_id, ..
        }
        | Auth::OAuth2RefreshToken {
            token_url, client_id, ..
        } => vec![token_url, client_id],
        Auth::None | Auth::Bearer { .. } | Auth::ApiKey { .. } | Auth::Session(_) => Vec::new(),
    };
    let reads = templates.into_iter().flat_map(Template::required_reads);
    let settings = reads.filter_map(|path| {
        let mut keys = path.keys();
        keys.next().filter(|root| *root == "settings").and(keys.next())
    });
    settings.collect()
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
