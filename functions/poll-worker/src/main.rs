//! The Lambda function that polls ticketing systems and publishes what changed. What it does is in the crates `lambda`,
//! `poller` and `polling`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_poll_worker().await
}
