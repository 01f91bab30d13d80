//! A deployed gateway, as CloudFormation describes it.

use std::collections::HashMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;

use crate::aws::Connection;
use crate::aws::failure::explain;
use crate::error::StorageError;

/// The outputs and parameters of a stack that was made from this project's `template.yaml`.
#[derive(Debug, Clone)]
pub struct Stack {
    name: String,
    status: String,
    outputs: HashMap<String, String>,
    parameters: HashMap<String, String>,
}

impl Stack {
    /// Describes a stack; needs `cloudformation:DescribeStacks`.
    ///
    /// # Errors
    /// [`StorageError::is_not_found`] when the region has no such stack; otherwise when AWS does not answer or does
    /// not allow it.
    pub async fn find(connection: &Connection, name: &str) -> Result<Self, StorageError> {
        let client = Client::new(connection.config());
        let answer = match client.describe_stacks().stack_name(name).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = error.as_service_error();
                let said = refused
                    .and_then(ProvideErrorMetadata::message)
                    .unwrap_or_default();
                if said.contains("does not exist") {
                    return Err(missing(connection, name));
                }
                return Err(explain(&format!("cannot describe the stack `{name}`"), &error));
            }
        };
        let stack = answer.stacks.unwrap_or_default().into_iter().next();
        let stack = stack.ok_or_else(|| missing(connection, name))?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        Ok(Self {
            name: name.to_owned(),
            status: stack
                .stack_status
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            outputs: outputs
                .filter_map(|output| Some((output.output_key?, output.output_value?)))
                .collect(),
            parameters: parameters
                .filter_map(|parameter| Some((parameter.parameter_key?, parameter.parameter_value?)))
                .collect(),
        })
    }

    /// An output, by its name in `template.yaml`.
    ///
    /// # Errors
    /// [`StorageError::is_configuration`] when the stack does not have it: it is another application's, or was not
    /// deployed to its end.
    pub fn output(&self, output: &str) -> Result<&str, StorageError> {
        self.outputs.get(output).map(String::as_str).ok_or_else(|| {
            let (name, status) = (&self.name, &self.status);
            StorageError::configuration(format!(
                "the stack `{name}` ({status}) has no output {output}: it is not a stack of Ticket Gateway, or was \
                 not deployed to its end"
            ))
        })
    }

    /// A parameter that is not empty.
    pub fn parameter(&self, parameter: &str) -> Option<&str> {
        let value = self.parameters.get(parameter).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }
}

fn missing(connection: &Connection, name: &str) -> StorageError {
    let region = connection
        .config()
        .region()
        .map_or("this region", |region| region.as_ref());
    StorageError::not_found(format!(
        "there is no stack `{name}` in {region} of this account; AWS_REGION and AWS_PROFILE say where to look"
    ))
}
