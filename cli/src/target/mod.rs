//! Where `push`, `keys`, `secret` and their like work: on a deployed stack, or on this machine's state file.

mod caller_keys;
mod look_up;
mod person;
mod place;
mod stack;
mod swap;
mod webhooks;

mod this_machine;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use storage::aws::operate::UsagePlan;
use storage::{
    CallerKeyStore, EventLog, IntegrationStore, PollState, SecretStore, SecretWriter, WebhookStore,
    WriteJournal,
};

pub(crate) use place::{Deployed, Place};
pub(crate) use swap::now;

use crate::failure::Failure;

/// Names the stack where the command line does not.
const STACK_VARIABLE: &str = "TICKET_GATEWAY_STACK";

/// Which gateway a command is for. Flatten it last: its heading holds for every option after it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which gateway")]
pub(crate) struct TargetArguments {
    /// The CloudFormation stack of a deployed gateway [env: TICKET_GATEWAY_STACK]
    ///
    /// Region and credentials are those of the AWS command line: AWS_REGION, AWS_PROFILE, the profile's settings.
    #[arg(long, value_name = "STACK", conflicts_with = "state")]
    stack: Option<String>,

    /// The state file of a gateway on this machine
    /// [default, without a stack: $XDG_STATE_HOME/ticket-gateway/state.redb, or below ~/.local/state]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// A gateway that can be operated.
pub(crate) struct Target {
    /// The versions of its integrations.
    pub(crate) integrations: Arc<dyn IntegrationStore>,
    /// The keys of its callers.
    pub(crate) keys: Arc<dyn CallerKeyStore>,
    /// What is remembered of the streams it polls.
    pub(crate) poll_state: Arc<dyn PollState>,
    /// The changes that it found.
    pub(crate) events: Arc<dyn EventLog>,
    /// The gateway's own writes.
    pub(crate) journal: Arc<dyn WriteJournal>,
    /// Where its events are delivered by HTTP.
    pub(crate) webhooks: Arc<dyn WebhookStore>,
    /// Its secrets as its functions find them.
    pub(crate) secrets: Arc<dyn SecretStore>,
    /// Where its secrets are set.
    pub(crate) secret_writer: Arc<dyn SecretWriter>,
    /// What throttles its callers, where it is deployed.
    pub(crate) usage_plan: Option<UsagePlan>,
    /// Where it runs.
    pub(crate) place: Place,
    /// Who operates it, as far as can be told.
    pub(crate) person: String,
    /// The options that lead here, to repeat in commands that are suggested: ` --stack prod`.
    pub(crate) options: String,
}

impl TargetArguments {
    /// Opens the gateway that is meant.
    ///
    /// # Errors
    /// When it cannot be reached or is none.
    pub(crate) async fn open(&self) -> Result<Target, Failure> {
        let stack = match (&self.stack, &self.state) {
            (Some(stack), _) => Some(stack.clone()),
            (None, Some(_)) => None,
            (None, None) => std::env::var(STACK_VARIABLE)
                .ok()
                .filter(|stack| !stack.is_empty()),
        };
        match stack {
            Some(stack) => stack::open(&stack).await,
            None => this_machine::open(self.state.as_deref()),
        }
    }
}
