//! The Lambda function of `GET /v1/{integration}/events`. What it does is in the crates `actions` and `lambda`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_read_events().await
}
