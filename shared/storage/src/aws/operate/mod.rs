//! What an operator needs beyond what the functions use: the stack's outputs, the usage plan that callers' keys
//! belong to, writing secrets, and who asks.

mod identity;
mod secret_writer;
mod stack;
mod usage_plan;

pub use identity::caller_arn;
pub use secret_writer::SecretsManagerWriter;
pub use stack::Stack;
pub use usage_plan::UsagePlan;
