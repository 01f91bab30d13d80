//! The usage plan that throttles callers.
//!
//! API Gateway counts a call for one of its own API keys, which it finds by the value that the authorizer names
//! (`usageIdentifierKey`). That value is no secret: it opens nothing without the authorizer's word.

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::aws::Connection;
use crate::aws::failure::explain;
use crate::error::StorageError;

/// API Gateway's own answer for "that exists already".
const EXISTS: &str = "ConflictException";

/// The usage plan of a deployed gateway.
#[derive(Debug, Clone)]
pub struct UsagePlan {
    client: Client,
    id: String,
}

impl UsagePlan {
    /// The plan with this id.
    pub fn new(connection: &Connection, id: impl Into<String>) -> Self {
        Self {
            client: Client::new(connection.config()),
            id: id.into(),
        }
    }

    /// The value, and the name, of API Gateway's key for a key of ours.
    pub fn value(integration: &str, key_id: &str) -> String {
        format!("ticket-gateway-{integration}-{key_id}")
    }

    /// Sees to it that calls with a key are counted: makes API Gateway's key and puts it into the plan. What is there
    /// already stays.
    ///
    /// # Errors
    /// When AWS does not answer or does not allow it; then nothing is left behind that this made, or the error says
    /// so.
    pub async fn attach(&self, integration: &str, key_id: &str) -> Result<(), StorageError> {
        let value = Self::value(integration, key_id);
        let made = self
            .client
            .create_api_key()
            .name(&value)
            .value(&value)
            .enabled(true)
            .description(format!("Caller's key {key_id} of the integration {integration}"))
            .send()
            .await;
        let id = match made {
            Ok(made) => made.id,
            Err(error) if code(&error) == Some(EXISTS) => self.find(&value).await?.into_iter().next(),
            Err(error) => return Err(explain(&format!("cannot make the API key `{value}`"), &error)),
        };
        let Some(id) = id else {
            let doing = format!("cannot make the API key `{value}`");
            return Err(StorageError::failed(doing, "API Gateway gives it no id"));
        };
        let put = self
            .client
            .create_usage_plan_key()
            .usage_plan_id(&self.id)
            .key_id(&id)
            .key_type("API_KEY")
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some(EXISTS) => Ok(()),
            Err(error) => {
                let doing = format!("cannot put the API key `{value}` into the usage plan {}", self.id);
                let failure = explain(&doing, &error);
                match self.delete(&value, &id).await {
                    Ok(()) => Err(failure),
                    Err(also) => Err(StorageError::failed(
                        failure.to_string(),
                        format!("and the API key, which opens nothing, is left behind: {also}"),
                    )),
                }
            }
        }
    }

    /// Removes API Gateway's key for a key of ours, from the plan too. Whether there was anything of it.
    ///
    /// # Errors
    /// When AWS does not answer or does not allow it; the same call again does the rest.
    pub async fn detach(&self, integration: &str, key_id: &str) -> Result<bool, StorageError> {
        let value = Self::value(integration, key_id);
        let in_plan = self.in_plan(&value).await?.into_iter();
        let mut found: Vec<String> = in_plan
            .filter(|(name, _)| *name == value)
            .map(|(_, id)| id)
            .collect();
        for id in &found {
            self.take_out(&value, id).await?;
        }
        found.extend(self.find(&value).await?);
        for id in &found {
            self.delete(&value, id).await?;
        }
        Ok(!found.is_empty())
    }

    /// The ids of the integration's keys that are in the plan.
    ///
    /// # Errors
    /// When AWS does not answer or does not allow it.
    pub async fn attached(&self, integration: &str) -> Result<Vec<String>, StorageError> {
        let prefix = Self::value(integration, "");
        let in_plan = self.in_plan(&prefix).await?;
        let ids = in_plan.iter().filter_map(|(name, _)| name.strip_prefix(&prefix));
        // `desk` is a beginning of `desk-two` too; an id has no hyphen.
        Ok(ids.filter(|id| !id.contains('-')).map(str::to_owned).collect())
    }

    /// The plan's keys whose names begin so: name, and API Gateway's id.
    async fn in_plan(&self, prefix: &str) -> Result<Vec<(String, String)>, StorageError> {
        let mut pages = self
            .client
            .get_usage_plan_keys()
            .usage_plan_id(&self.id)
            .name_query(prefix)
            .into_paginator()
            .items()
            .send();
        let mut keys = Vec::new();
        while let Some(key) = pages.next().await {
            let key = key.map_err(|error| {
                explain(
                    &format!("cannot list the keys of the usage plan {}", self.id),
                    &error,
                )
            })?;
            keys.extend(key.name.zip(key.id));
        }
        keys.retain(|(name, _)| name.starts_with(prefix));
        Ok(keys)
    }

    /// API Gateway's ids of the keys with exactly this name.
    async fn find(&self, name: &str) -> Result<Vec<String>, StorageError> {
        let mut pages = self
            .client
            .get_api_keys()
            .name_query(name)
            .into_paginator()
            .items()
            .send();
        let mut ids = Vec::new();
        while let Some(key) = pages.next().await {
            let key =
                key.map_err(|error| explain(&format!("cannot look up the API key `{name}`"), &error))?;
            if key.name.as_deref() == Some(name) {
                ids.extend(key.id);
            }
        }
        Ok(ids)
    }

    async fn take_out(&self, name: &str, id: &str) -> Result<(), StorageError> {
        let request = self.client.delete_usage_plan_key();
        let gone = request.usage_plan_id(&self.id).key_id(id).send().await;
        gone.map(drop).or_else(|error| {
            gone_already(&error).then_some(()).ok_or_else(|| {
                explain(
                    &format!("cannot take the API key `{name}` out of its usage plan"),
                    &error,
                )
            })
        })
    }

    async fn delete(&self, name: &str, id: &str) -> Result<(), StorageError> {
        let gone = self.client.delete_api_key().api_key(id).send().await;
        gone.map(drop).or_else(|error| {
            gone_already(&error)
                .then_some(())
                .ok_or_else(|| explain(&format!("cannot delete the API key `{name}`"), &error))
        })
    }
}

fn gone_already<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    code(error) == Some("NotFoundException")
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
