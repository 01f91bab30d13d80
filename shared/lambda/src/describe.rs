//! The function that says what the API is: the OpenAPI document and the health check. It reaches nothing.

use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use lambda_runtime::LambdaEvent;

use crate::error::Error;
use crate::event::Event;
use crate::{answer, runtime};

/// Runs the function behind `GET /v1/openapi.json` and `GET /v1/healthz` until Lambda stops it.
///
/// # Errors
/// When the Lambda runtime cannot be reached.
pub async fn run_describe() -> Result<(), Error> {
    runtime::start(async { Ok(()) }).await?;
    runtime::serve(|event: LambdaEvent<ApiGatewayProxyRequest>, _| async { Ok(describe(event.payload)) })
        .await
}

/// Answers one event of a REST API (proxy integration) to that function.
pub fn describe(event: ApiGatewayProxyRequest) -> ApiGatewayProxyResponse {
    let request = Event::new(event).request;
    answer::for_lambda(actions::documents(&request), None)
}
