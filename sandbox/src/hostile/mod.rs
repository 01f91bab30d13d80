//! A ticketing system that does what makes pollers lose and repeat changes, and that tells afterwards what was true.
//!
//! It changes its own tickets all the time, shows some changes late, has a second copy that is behind, a clock that
//! differs, many changes with one time, and answers that fail in every way. `README.md` of this crate has the list,
//! the API and an integration for it (`hostile/integration.yaml`).
//!
//! **What follows from the seed**: which tickets change when (counted from the start), which change shows late, and
//! what goes wrong with the n-th request. What does not: when a request arrives, and in which order requests arrive that
//! are sent at once. A client that asks the same in the same order, over a [`Clock`] that is moved by what it does,
//! gets the same answers.
//!
//! ```no_run
//! # async fn example() -> Result<(), sandbox::hostile::HostileError> {
//! use sandbox::hostile::{Options, start};
//!
//! let running = start(Options {
//!     seed: 7,
//!     changes_per_second: 5.0,
//!     ..Options::default()
//! })
//! .await?;
//! println!("{}/tickets", running.url());
//! // ... poll it, and compare with what happened:
//! println!("{}", running.truth().tickets.len());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

mod answers;
mod control;
mod fate;
mod gate;
mod list;
mod random;
mod routes;
mod running;
mod tickets;
mod truth;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use running::{HostileError, Running, start};
pub use truth::{TicketTruth, Truth, VersionTruth};

/// The path below which the API is served.
pub const BASE_PATH: &str = "/api";

/// Tells the true time, which the ticketing system's own clock differs from. It is asked once for every request, and for
/// nothing else, so that a test can move the time with the requests. It must not go back.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// How to run it. [`Options::default`] is a working one.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// What everything that happens by chance is drawn from. Default 1.
    pub seed: u64,
    /// How many tickets there are at the start; they were made up to a day before it. Default 200.
    pub tickets: usize,
    /// How many changes it makes itself in a second, on average. Default 1; 0 for none.
    pub changes_per_second: f64,
    /// After how many of its own changes it makes no more. Default: never.
    pub changes: Option<u64>,
    /// How often something goes wrong: the chance, per request, of the most usual fault. 0 makes it well-behaved: no
    /// change shows late, and there is no second copy. Default 0.02; 0.2 at most.
    pub fault_rate: f64,
    /// The step of its times. Default 1 s.
    pub step: Duration,
    /// Its clock minus the true one, in seconds. Default: between -90 and 90, by the seed.
    pub skew_seconds: Option<i64>,
    /// The longest time that a change takes to show. Default 60 s.
    pub latest: Duration,
    /// How long a slow answer takes, in real time. Default 3 s.
    pub slow: Duration,
    /// The clock. Default: the real one.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            tickets: 200,
            changes_per_second: 1.0,
            changes: None,
            fault_rate: 0.02,
            step: Duration::from_secs(1),
            skew_seconds: None,
            latest: Duration::from_secs(60),
            slow: Duration::from_secs(3),
            clock: Arc::new(jiff::Timestamp::now),
        }
    }
}
