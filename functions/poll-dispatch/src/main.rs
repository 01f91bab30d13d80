//! The Lambda function that sends the orders to poll, every minute. What it does is in the crate `lambda`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_poll_dispatch().await
}
