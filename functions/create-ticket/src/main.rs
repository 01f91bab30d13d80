//! The Lambda function of `create_ticket`. What it does is in the crates `actions` and `lambda`.

use lambda::TasAction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run(TasAction::CreateTicket).await
}
