//! The Lambda function that decides who may call the API. What it does is in the crate `lambda`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_authorizer().await
}
