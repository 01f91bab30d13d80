//! The Lambda function that delivers events to webhooks. What it does is in the crates `lambda` and `poller`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_deliver_webhooks().await
}
