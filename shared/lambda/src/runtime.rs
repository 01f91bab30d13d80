//! Talks to Lambda: takes events, and says so when the function cannot start.

use std::future::Future;

use http::Method;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Service, service_fn};
use lambda_runtime_api_client::{PooledClient, body::Body, build_request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tracing::Instrument;

use crate::error::Error;
use crate::log;

/// Starts the log and makes what the function works with. When that fails, the log and Lambda are told why.
pub(crate) async fn start<T>(make: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    log::init(std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().as_deref());
    match make.await {
        Ok(made) => Ok(made),
        Err(error) => {
            tracing::error!(%error, error_type = error.type_name(), "the function cannot start");
            report_init_error(&error).await;
            Err(error)
        }
    }
}

/// Answers invocations, one after the other, until Lambda stops the process.
pub(crate) async fn serve<E, A, F>(mut answer: impl FnMut(LambdaEvent<E>, bool) -> F) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, Refused>>,
{
    let mut is_cold = true;
    let service = service_fn(move |event: LambdaEvent<E>| {
        let span = span(&event.context, is_cold);
        let answer = answer(event, is_cold);
        is_cold = false;
        answer.instrument(span)
    });
    run(service).await
}

async fn run<E, A, S>(service: S) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
    S: Service<LambdaEvent<E>, Response = A, Error = Refused>,
    S::Future: Future<Output = Result<A, Refused>>,
{
    lambda_runtime::Runtime::new(service)
        .run()
        .await
        .map_err(|error| Error::runtime(&error))
}

/// Why an invocation fails. Lambda hands the text on as it is.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

impl From<Refused> for Diagnostic {
    fn from(refused: Refused) -> Self {
        Diagnostic {
            error_type: refused.0.to_owned(),
            error_message: refused.0.to_owned(),
        }
    }
}

/// What every line of the log says of the invocation it belongs to.
fn span(context: &Context, cold_start: bool) -> tracing::Span {
    tracing::info_span!(
        "invocation",
        xray_trace_id = context.xray_trace_id.as_deref().and_then(trace_root),
        lambda_request_id = context.request_id,
        api_request_id = tracing::field::Empty,
        cold_start
    )
}

/// The id of the whole trace: the `Root` of `Root=1-…;Parent=…;Sampled=1`.
fn trace_root(header: &str) -> Option<&str> {
    header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("Root="))
}

/// `POST /runtime/init/error` of Lambda's Runtime API. What goes wrong here changes nothing: the process ends, which
/// Lambda sees too.
async fn report_init_error(error: &Error) {
    if std::env::var("AWS_LAMBDA_RUNTIME_API").is_err() {
        return;
    }
    let body = json!({
        "errorType": error.type_name(),
        "errorMessage": error.to_string(),
        "stackTrace": [],
    });
    let request = build_request()
        .method(Method::POST)
        .uri("/2018-06-01/runtime/init/error")
        .header(
            "lambda-runtime-function-error-type",
            format!("Function.{}", error.type_name()),
        )
        .body(Body::from(body.to_string()));
    let sent = match request {
        Ok(request) => PooledClient::builder().build().call(request).await.map(drop),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "Lambda could not be told that the function cannot start");
    }
}
