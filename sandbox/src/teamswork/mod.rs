//! A stand-in for the "Ticketing As A Service" API of TeamsWork.
//!
//! Without quirks it does what the vendor's reference says, strictly. Where live installations have
//! been reported to differ, the difference is a [`Quirk`] that can be switched on. `README.md` of this
//! crate lists the endpoints, the quirks, and what was decided where the reference is silent.
//!
//! ```no_run
//! # async fn example() -> Result<(), sandbox::teamswork::SandboxError> {
//! use sandbox::teamswork::{Options, Quirk, start};
//!
//! let running = start(Options {
//!     quirks: [Quirk::TokenInHeader].into(),
//!     seed_tickets: 40,
//!     ..Options::default()
//! })
//! .await?;
//! println!("{}/tickets?key=...", running.url());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

mod activities;
mod answers;
mod attachments;
mod custom_fields;
mod gate;
mod input;
mod instance;
mod model;
mod moment;
mod paging;
mod query;
mod quirks;
mod rate_limit;
mod recorder;
mod routes;
mod running;
mod seed;
mod store;
mod tickets;
mod view;
mod workflow;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use crate::faults::{Calls, Fault};
pub use quirks::Quirk;
pub use recorder::{KeyUsed, RecordedRequest};
pub use running::{Running, SandboxError, start};

/// The path below which the API is served, as in the vendor's base URLs.
pub const BASE_PATH: &str = "/ticketing/v1";

/// Tells the time. Two changes in the same millisecond still get different times.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// How to run the stand-in. [`Options::default`] is a working one; the keys are not secret.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The key that may read and write. Default `sandbox-primary-key`.
    pub primary_key: String,
    /// The key that may only read. Default `sandbox-secondary-key`.
    pub secondary_key: String,
    /// Which reported differences from the reference to show. Default none.
    pub quirks: BTreeSet<Quirk>,
    /// A file that keeps the tickets over a restart; made when missing. Default: memory only.
    pub state: Option<PathBuf>,
    /// How many tickets a fresh start holds; a state file that has tickets gets none. Default 0.
    /// Their ids and contents are always the same, their times count back from the start.
    pub seed_tickets: usize,
    /// How many requests are answered in which sliding time, both keys together. Default 100 in 60 s.
    pub rate_limit: Option<(u32, Duration)>,
    /// The clock for ticket times and the rate limit. Default: the real one.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            primary_key: "sandbox-primary-key".to_owned(),
            secondary_key: "sandbox-secondary-key".to_owned(),
            quirks: BTreeSet::new(),
            state: None,
            seed_tickets: 0,
            rate_limit: Some((100, Duration::from_secs(60))),
            clock: Arc::new(jiff::Timestamp::now),
        }
    }
}
