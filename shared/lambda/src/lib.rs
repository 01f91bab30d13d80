//! Lambda glue: start-up, and an event of API Gateway to an action and back.
//!
//! Each function of the deployment is one call: [`run`] with its action, [`run_authorizer`] or [`run_describe`].
//! Everything that can be done once is done before the first invocation, while Lambda gives the start-up its full
//! processor.

mod action;
mod answer;
mod authorizer;
mod caller;
mod deadline;
mod describe;
mod environment;
mod error;
mod event;
mod log;
mod metrics;
mod ports;
mod runtime;

pub use action::{ActionFunction, run};
pub use actions::TasAction;
pub use authorizer::{Authorizer, AuthorizerSettings, Denied, JwtSettings, run_authorizer};
pub use describe::{describe, run_describe};
pub use error::Error;
pub use metrics::Sink;
pub use ports::{Ports, Settings};
