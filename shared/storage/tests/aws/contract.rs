//! The rules of the ports.

use storage::aws::{DynamoBudget, DynamoCallerKeys, DynamoIdempotency, DynamoIntegrations};

use crate::support::{connection, table};

mod integrations {
    use super::{DynamoIntegrations, connection, table};

    storage::integration_store_contract!(
        DynamoIntegrations::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}

mod keys {
    use super::{DynamoCallerKeys, connection, table};

    storage::caller_key_store_contract!(
        DynamoCallerKeys::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}

mod idempotency {
    use super::{DynamoIdempotency, connection, table};

    storage::idempotency_store_contract!(
        DynamoIdempotency::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}

mod budget {
    use super::{DynamoBudget, connection, table};

    storage::rate_budget_contract!(
        DynamoBudget::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}
