//! The Lambda function of `resolve_ticket`. What it does is in the crates `actions` and `lambda`.

use lambda::TasAction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run(TasAction::ResolveTicket).await
}
