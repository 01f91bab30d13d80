//! The answer, in the form and size that Lambda takes.

use actions::{ApiError, ErrorCode, TasAction};
use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use aws_lambda_events::encodings::Body;
use bytes::Bytes;
use http::Response;

/// The longest body of an answer, in bytes of JSON. Lambda takes 6 MiB of JSON in which the body is a string
/// ("Lambda quotas"); what is left out here is more than the headers need.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024 - 16 * 1024;

/// The answer, or the error that says that it is too large: Lambda itself would fail without a word to the caller.
pub(crate) fn for_lambda(response: Response<Bytes>, action: Option<TasAction>) -> ApiGatewayProxyResponse {
    let size = size_as_json(response.body());
    if size <= MAX_ANSWER_BYTES {
        return proxy_response(response);
    }
    let request_id = response
        .headers()
        .get("x-request-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    tracing::error!(
        request_id,
        size,
        limit = MAX_ANSWER_BYTES,
        "the answer is too large for Lambda"
    );
    let done = action.filter(|_| response.status().is_success());
    proxy_response(error(response, &too_large(size, done), &request_id))
}

/// An error in the place of another answer.
pub(crate) fn error(mut response: Response<Bytes>, error: &ApiError, request_id: &str) -> Response<Bytes> {
    *response.status_mut() = error.status();
    response.map(|_| Bytes::from(error.to_json(request_id).to_string()))
}

fn too_large(size: usize, done: Option<TasAction>) -> ApiError {
    let limit = MAX_ANSWER_BYTES;
    match done {
        Some(action) if action.is_write() => ApiError::new(
            ErrorCode::InternalServerError,
            format!(
                "the change was made, but its answer is too large to be given: {size} of at most {limit} bytes. \
                 Do not repeat it; read the ticket instead"
            ),
        )
        .detail("outcome", "done"),
        _ => ApiError::new(
            ErrorCode::InternalServerError,
            format!(
                "the answer is too large to be given: {size} of at most {limit} bytes. Ask for less, for example \
                 for a shorter time"
            ),
        ),
    }
}

/// The length of a text as a JSON string (RFC 8259 section 7), as `serde_json` writes it.
fn size_as_json(text: &[u8]) -> usize {
    text.iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
            0x00..=0x1F => 6,
            _ => 1,
        })
        .sum()
}

/// As API Gateway takes it.
fn proxy_response(response: Response<Bytes>) -> ApiGatewayProxyResponse {
    let (parts, body) = response.into_parts();
    let (body, is_base64) = match String::from_utf8(body.into()) {
        Ok(text) => (Body::Text(text), false),
        Err(error) => (Body::Binary(error.into_bytes()), true),
    };
    let mut answer = ApiGatewayProxyResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.headers = parts.headers;
    answer.body = Some(body);
    answer.is_base64_encoded = is_base64;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lambda takes no longer answer ("Lambda quotas").
    const LAMBDA: usize = 6 * 1024 * 1024;

    /// What Lambda gets for a body of so many quotation marks and backslashes, which it has to escape.
    fn answer(marks: usize, action: TasAction) -> serde_json::Value {
        let mut response = Response::new(Bytes::from("\"\\".repeat(marks / 2)));
        *response.status_mut() = http::StatusCode::CREATED;
        let id = http::HeaderValue::from_static("req-1");
        response.headers_mut().insert("x-request-id", id);
        serde_json::to_value(for_lambda(response, Some(action))).unwrap()
    }

    fn error(answer: &serde_json::Value) -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(answer["body"].as_str().unwrap()).unwrap()["error"].take()
    }

    #[test]
    fn the_largest_answer_that_is_given_is_one_that_lambda_takes() {
        let given = answer(MAX_ANSWER_BYTES / 2, TasAction::CreateTicket);
        assert_eq!(given["statusCode"], 201);
        let size = given.to_string().len();
        assert!(size > LAMBDA - 32 * 1024 && size < LAMBDA, "{size}");
    }

    #[test]
    fn a_larger_one_becomes_an_error_that_says_what_to_do() {
        let given = answer(MAX_ANSWER_BYTES / 2 + 2, TasAction::QueryTicketById);
        assert_eq!(given["statusCode"], 500);
        assert_eq!(error(&given)["code"], "INTERNAL_SERVER_ERROR");
        assert_eq!(error(&given)["request_id"], "req-1");
        let message = error(&given)["message"].to_string();
        assert!(
            message.contains("too large") && message.contains("Ask for less"),
            "{message}"
        );
    }

    #[test]
    fn a_change_whose_answer_is_too_large_is_said_to_be_made() {
        let given = answer(MAX_ANSWER_BYTES, TasAction::CreateTicket);
        assert_eq!(given["statusCode"], 500);
        assert_eq!(error(&given)["details"]["outcome"], "done");
    }
}
