//! What callers send: the parts that several actions share, and how an input becomes a context.

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::context::{Call, Context};
use crate::error::ApiError;

/// The input of one action: checked against its schema, then turned into `data.context`.
pub(crate) trait Input: DeserializeOwned + JsonSchema {
    /// Fills the context. Problems are collected in it, so that a caller hears of all of them at once.
    fn fill(self, context: &mut Context<'_>) -> Result<(), ApiError>;
}

/// The schema of an input, with shared parts as the generator's settings say.
pub(crate) fn schema_of<I: Input>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = I::json_schema(generator).to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    schema
}

/// Turns a checked input into its context.
pub(crate) fn context_of<'c, I: Input>(input: Value, call: Call<'c>) -> Result<Context<'c>, ApiError> {
    let input: I = serde_json::from_value(input)
        .map_err(|error| ApiError::invalid(&[crate::error::FieldProblem::new("body", error.to_string())]))?;
    let mut context = Context::new(call);
    input.fill(&mut context)?;
    context.finish()
}

/// Keeps a value as it was sent, so that fields the schema does not name reach the mapping.
pub(crate) fn as_sent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(if value.is_null() { None } else { Some(value) })
}

/// Who asks, for systems that file a ticket or a comment under a person. Other fields are passed on as
/// they are.
#[derive(JsonSchema)]
#[schemars(example = serde_json::json!({"requestor": {"full_name": "Molly Agent", "email_addr": "molly@example.com"}}))]
pub struct RequestorInfo {
    /// The person.
    pub requestor: Option<Requestor>,
    /// The organisation.
    pub org: Option<Organisation>,
}

/// A person as the assistant knows them. Other fields are passed on as they are.
#[derive(JsonSchema)]
pub struct Requestor {
    /// The name as people write it.
    pub full_name: Option<String>,
    /// The e-mail address.
    pub email_addr: Option<String>,
    /// Who the person is in the ticketing systems.
    pub user_id_info: Option<UserIdInfo>,
}

/// The identities of a person.
#[derive(JsonSchema)]
pub struct UserIdInfo {
    /// One entry for each ticketing system.
    pub user_itsm_id_info: Option<Vec<ItsmIdentity>>,
}

/// A person's identity in one ticketing system.
#[derive(JsonSchema)]
pub struct ItsmIdentity {
    /// The system's code, for example `MANAGE_ENGINE`.
    pub system: Option<String>,
    /// The person's id there.
    pub external_id: Option<String>,
    /// The integration's name.
    pub integration_id: Option<String>,
}

/// The organisation of the person who asks.
#[derive(JsonSchema)]
pub struct Organisation {
    /// Its name.
    pub name: Option<String>,
}
