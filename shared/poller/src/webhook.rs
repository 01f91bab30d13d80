//! Delivers events to webhooks, as <https://www.standardwebhooks.com> describes it.
//!
//! A webhook reads the event log by a cursor of its own: whatever its receiver does, polling and the other webhooks go
//! on. Events are delivered one after the other, in the log's order; an event that is not taken (any status but 2xx)
//! is tried again by the schedule of the specification, and what comes after it waits. None is passed over: after the
//! last step of the schedule it is tried every 24 hours, and after five days without a success the webhook is disabled.
//! It keeps its place, and goes on from there when it is enabled within the time that events are kept. 410 disables
//! at once.
//!
//! An event is delivered again, with the same `webhook-id`, if its receiver took it without our noticing.

mod deliver;
mod keep;
mod manage;
mod schedule;
mod signing;

pub use deliver::{ATTEMPT_TIME, Deliveries, WebhookPorts, deliver_due};
pub use keep::deliver_until;
pub use manage::{Webhooks, secret_name};
pub use schedule::{DISABLED_AFTER, wait};
pub use signing::{ROTATION, SigningKeys};
