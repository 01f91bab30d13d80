//! Secrets from the environment, from a file, from memory, and from several of these.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::file::{private_file, replace_private_file};
use crate::error::StorageError;
use crate::secret::{Secret, SecretStore, SecretWriter};

/// Secrets from environment variables named `TICKET_GATEWAY_SECRET_<INTEGRATION>_<KEY>`, in upper case and
/// with `_` for `-`. A variable that is empty counts as absent.
#[derive(Default)]
pub struct EnvironmentSecrets {
    variables: Option<HashMap<String, Secret>>,
}

impl EnvironmentSecrets {
    /// Reads the environment of the process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads these variables instead of the environment.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value)))
            .collect();
        Self {
            variables: Some(variables),
        }
    }

    /// The name of the variable of a secret.
    pub fn variable(integration: &str, key: &str) -> String {
        format!("TICKET_GATEWAY_SECRET_{integration}_{key}")
            .to_uppercase()
            .replace('-', "_")
    }
}

#[async_trait]
impl SecretStore for EnvironmentSecrets {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        let name = Self::variable(integration, key);
        let found = match &self.variables {
            Some(variables) => variables.get(&name).cloned(),
            None => match std::env::var(&name) {
                Ok(value) => Some(Secret::new(value)),
                Err(std::env::VarError::NotPresent) => None,
                Err(std::env::VarError::NotUnicode(_)) => {
                    let message = format!("the environment variable {name} is not valid UTF-8");
                    return Err(StorageError::configuration(message));
                }
            },
        };
        Ok(found.filter(|secret| !secret.expose().is_empty()))
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        Some(format!(
            "set the environment variable {}",
            Self::variable(integration, key)
        ))
    }
}

/// Secrets from a JSON file, `{"teamswork": {"api_key": "…"}}`, that only its owner may read.
///
/// The file is read again at each look-up, so that a secret can be changed without a restart.
#[derive(Clone)]
pub struct FileSecrets {
    path: PathBuf,
    optional: bool,
}

impl FileSecrets {
    /// Uses the file at `path`, and reads it once to find what is wrong with it.
    ///
    /// # Errors
    /// [`StorageError::is_configuration`] when the file cannot be read, may be read by others (any mode bit
    /// of group or others is set), or is not a JSON object of objects of text.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let path = path.into();
        read(&path)?;
        Ok(Self {
            path,
            optional: false,
        })
    }

    /// As [`FileSecrets::open`], but a file that does not exist (yet) holds no secrets.
    ///
    /// # Errors
    /// As for [`FileSecrets::open`], when the file exists.
    pub fn open_optional(path: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let file = Self {
            path: path.into(),
            optional: true,
        };
        file.read()?;
        Ok(file)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> Result<SecretsByIntegration, StorageError> {
        if self.optional && !self.path.exists() {
            return Ok(SecretsByIntegration::new());
        }
        read(&self.path)
    }

    /// Changes the file as a whole or not at all, one writer after the other.
    fn change<T>(&self, change: impl FnOnce(&mut SecretsByIntegration) -> T) -> Result<T, StorageError> {
        let cannot = |error: std::io::Error| {
            StorageError::failed(
                format!("cannot write the secrets file {}", self.path.display()),
                error,
            )
        };
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        // Beside the file and not the file itself, which is replaced.
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let lock = private_file(Path::new(&lock)).map_err(cannot)?;
        lock.lock().map_err(cannot)?;
        let mut all = self.read()?;
        let result = change(&mut all);
        let text = Zeroizing::new(
            serde_json::to_string_pretty(&Exposed(&all))
                .map_err(|error| StorageError::failed("cannot write the secrets as JSON", error))?,
        );
        replace_private_file(&self.path, &text).map_err(cannot)?;
        Ok(result)
    }
}

#[async_trait]
impl SecretStore for FileSecrets {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        let file = self.clone();
        let mut all = blocking(move || file.read()).await?;
        let found = all.get_mut(integration).and_then(|keys| keys.remove(key));
        Ok(found
            .map(|text| text.0)
            .filter(|secret| !secret.expose().is_empty()))
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        Some(format!(
            "add {{\"{integration}\": {{\"{key}\": \"…\"}}}} to {}",
            self.path.display()
        ))
    }
}

#[async_trait]
impl SecretWriter for FileSecrets {
    async fn set(&self, integration: &str, key: &str, secret: &Secret) -> Result<(), StorageError> {
        let (file, secret) = (self.clone(), SecretText(secret.clone()));
        let (integration, key) = (integration.to_owned(), key.to_owned());
        blocking(move || {
            file.change(|all| {
                all.entry(integration).or_default().insert(key, secret);
            })
        })
        .await
    }

    async fn remove(&self, integration: &str, key: &str) -> Result<bool, StorageError> {
        let file = self.clone();
        let (integration, key) = (integration.to_owned(), key.to_owned());
        blocking(move || {
            if file.optional && !file.path.exists() {
                return Ok(false);
            }
            file.change(|all| {
                let keys = all.get_mut(&integration);
                keys.and_then(|keys| keys.remove(&key)).is_some()
            })
        })
        .await
    }

    async fn names(&self, integration: &str) -> Result<Vec<String>, StorageError> {
        let file = self.clone();
        let all = blocking(move || file.read()).await?;
        Ok(all
            .get(integration)
            .map_or_else(Vec::new, |keys| keys.keys().cloned().collect()))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StorageError::failed("cannot use the secrets file", error))?
}

type SecretsByIntegration = BTreeMap<String, BTreeMap<String, SecretText>>;

struct SecretText(Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// The secrets as they stand in the file: the one place where they are serialised.
struct Exposed<'a>(&'a SecretsByIntegration);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(integration, keys)| {
            let keys: BTreeMap<&str, &str> = keys
                .iter()
                .map(|(key, text)| (key.as_str(), text.0.expose()))
                .collect();
            (integration, keys)
        }))
    }
}

fn read(path: &Path) -> Result<SecretsByIntegration, StorageError> {
    let shown = path.display();
    let cannot = |error: std::io::Error| {
        StorageError::configuration(format!("cannot read the secrets file {shown}: {error}"))
    };
    check_mode(path).map_err(cannot)??;
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(cannot)?);
    // The parser's own message may quote a value.
    serde_json::from_str(&text).map_err(|error| {
        StorageError::configuration(format!(
            "the secrets file {shown} is not a JSON object of objects of text: see line {}, column {}; \
             expected {{\"<integration>\": {{\"<key>\": \"<secret>\"}}}}",
            error.line(),
            error.column()
        ))
    })
}

#[cfg(unix)]
fn check_mode(path: &Path) -> std::io::Result<Result<(), StorageError>> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(Ok(()));
    }
    let shown = path.display();
    Ok(Err(StorageError::configuration(format!(
        "the secrets file {shown} has mode {mode:04o}, so others may read it; run: chmod 600 {shown}"
    ))))
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> std::io::Result<Result<(), StorageError>> {
    Ok(Ok(()))
}

/// Secrets given in the program: for a demonstration and for tests.
#[derive(Default)]
pub struct StaticSecrets {
    secrets: HashMap<(String, String), Secret>,
}

impl StaticSecrets {
    /// No secrets.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, integration: &str, key: &str, secret: &str) -> Self {
        self.secrets.insert(
            (integration.to_owned(), key.to_owned()),
            Secret::new(secret.to_owned()),
        );
        self
    }
}

#[async_trait]
impl SecretStore for StaticSecrets {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        Ok(self
            .secrets
            .get(&(integration.to_owned(), key.to_owned()))
            .cloned())
    }
}

/// Several stores, asked in order; the first that has the secret gives it.
pub struct ChainSecrets {
    stores: Vec<Arc<dyn SecretStore>>,
}

impl ChainSecrets {
    /// Asks `stores` in this order.
    pub fn new(stores: Vec<Arc<dyn SecretStore>>) -> Self {
        Self { stores }
    }
}

#[async_trait]
impl SecretStore for ChainSecrets {
    async fn secret(&self, integration: &str, key: &str) -> Result<Option<Secret>, StorageError> {
        for store in &self.stores {
            if let Some(secret) = store.secret(integration, key).await? {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }

    fn how_to_set(&self, integration: &str, key: &str) -> Option<String> {
        let ways: Vec<String> = self
            .stores
            .iter()
            .filter_map(|store| store.how_to_set(integration, key))
            .collect();
        (!ways.is_empty()).then(|| ways.join(", or "))
    }
}
