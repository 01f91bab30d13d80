//! The authorizer's answer.
//!
//! Its form: "Output from an API Gateway Lambda authorizer" in the API Gateway developer guide.

use serde_json::{Map, Value, json};

use super::{Identity, methods};

/// The most integrations that one token opens. Each is a resource for each method, and a policy may not become
/// too long.
const MAX_INTEGRATIONS: usize = 20;

/// What the authorizer answers where it knows the caller.
pub(super) struct Policy {
    principal: String,
    statement: Value,
    context: Map<String, Value>,
    usage_key: Option<String>,
}

impl Policy {
    /// The policy for a caller of the API that the ARN of a request's method
    /// (`arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>`) belongs to; none where it is
    /// no such ARN.
    ///
    /// A resource names its method and not `*`: the star would match slashes too, and with it
    /// `POST/other/tickets/desk/comments` would be within `*/desk/*`.
    pub(super) fn of(identity: &Identity, method_arn: &str) -> Option<Policy> {
        let (api, rest) = method_arn.split_once('/')?;
        let (stage, _) = rest.split_once('/')?;
        let is_api =
            api.starts_with("arn:") && api.split(':').nth(2) == Some("execute-api") && !stage.is_empty();
        if !is_api {
            return None;
        }
        let integrations: Vec<&str> = identity
            .integrations
            .iter()
            .map(String::as_str)
            // A star in a name would open everything.
            .filter(|name| integration::is_name(name))
            .take(MAX_INTEGRATIONS)
            .collect();
        let statement = if integrations.is_empty() {
            // Known, but allowed nothing: 403 and not 401.
            json!({"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [format!("{api}/{stage}/*")]})
        } else {
            let resources: Vec<String> = integrations
                .iter()
                .flat_map(|integration| {
                    methods(identity.access)
                        .map(move |method| format!("{api}/{stage}/{method}/{integration}/*"))
                })
                .collect();
            json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resources})
        };
        // API Gateway takes texts, numbers and truth values here, no lists.
        let mut context = Map::new();
        context.insert("integration".to_owned(), integrations.join(" ").into());
        context.insert("access".to_owned(), identity.access.to_string().into());
        if let Some(id) = &identity.key_id {
            context.insert("key_id".to_owned(), id.as_str().into());
        }
        Some(Policy {
            principal: identity.principal.clone(),
            statement,
            context,
            usage_key: identity.usage_key.clone(),
        })
    }

    pub(super) fn into_json(self) -> Value {
        let mut answer = json!({
            "principalId": self.principal,
            "policyDocument": {"Version": "2012-10-17", "Statement": [self.statement]},
            "context": self.context,
        });
        if let (Some(key), Some(answer)) = (self.usage_key, answer.as_object_mut()) {
            answer.insert("usageIdentifierKey".to_owned(), key.into());
        }
        answer
    }
}
