//! Lambda glue: start-up, and an API Gateway event to an action and back.
//!
//! Each function of the deployment is [`run`] with its action. Everything that can be done once is done
//! before the first invocation, while Lambda gives the start-up its full processor.

mod error;
mod event;
mod log;
mod startup;

use std::convert::Infallible;
use std::sync::Arc;

use actions::Gateway;
use lambda_http::{Body, Request, service_fn};

pub use actions::TasAction;
pub use error::Error;
pub use startup::gateway;

/// Runs the Lambda function of one action until Lambda stops it.
///
/// # Errors
/// When the environment does not describe integrations that can run (see [`gateway`]), or the Lambda runtime
/// cannot be reached. The message is for the operator and is logged too.
pub async fn run(action: TasAction) -> Result<(), Error> {
    log::init();
    let gateway = match gateway(action, |name| std::env::var(name).ok()) {
        Ok(gateway) => Arc::new(gateway),
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            return Err(error);
        }
    };
    let service = service_fn(move |request: Request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(handle(&gateway, request).await) }
    });
    lambda_http::run(service)
        .await
        .map_err(|error| Error::runtime(&error))
}

/// Answers one event of an API Gateway REST API (proxy integration).
pub async fn handle(gateway: &Gateway, request: Request) -> http::Response<Body> {
    gateway.handle(event::to_http(request)).await.map(event::body)
}
