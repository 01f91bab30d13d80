//! The Lambda function of `query_tickets_by_requestor`. What it does is in the crates `actions` and `lambda`.

use lambda::TasAction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run(TasAction::QueryTicketsByRequestor).await
}
