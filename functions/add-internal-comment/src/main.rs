//! The Lambda function of `add_internal_comment`. What it does is in the crates `actions` and `lambda`.

use lambda::TasAction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run(TasAction::AddInternalComment).await
}
