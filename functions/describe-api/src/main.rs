//! The Lambda function of `GET /v1/openapi.json` and `GET /v1/healthz`. What it does is in the crates `actions` and
//! `lambda`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_describe().await
}
