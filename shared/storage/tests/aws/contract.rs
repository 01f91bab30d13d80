//! The rules of the ports.

use storage::aws::{
    DynamoBudget, DynamoCallerKeys, DynamoEventLog, DynamoIdempotency, DynamoIntegrations, DynamoPollState,
    DynamoWebhooks, DynamoWriteJournal,
};

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

mod poll_state {
    use super::{DynamoPollState, connection, table};

    storage::poll_state_contract!(
        DynamoPollState::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}

mod event_log {
    use super::{DynamoEventLog, connection, table};

    storage::event_log_contract!(
        DynamoEventLog::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}

mod write_journal {
    use super::{DynamoWriteJournal, connection, table};

    storage::write_journal_contract!(
        DynamoWriteJournal::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}

mod webhooks {
    use super::{DynamoWebhooks, connection, table};

    storage::webhook_store_contract!(
        DynamoWebhooks::new(&connection(), table().await),
        #[ignore = "needs the AWS-compatible server that tests/with-aws-server starts"]
    );
}
