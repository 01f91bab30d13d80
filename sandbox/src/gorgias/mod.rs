//! A stand-in for the REST API of Gorgias.
//!
//! Without quirks it does what the vendor's documentation and its tutorial "Create a ticket using API" say, strictly:
//! an unknown parameter is a 400. Where live accounts are reported to differ, or where the documentation contradicts
//! itself, the other reading is a [`Quirk`] that can be switched on. `README.md` of this crate lists both.
//!
//! ```no_run
//! # async fn example() -> Result<(), sandbox::gorgias::SandboxError> {
//! use sandbox::gorgias::{Options, Quirk, start};
//!
//! let running = start(Options {
//!     quirks: [Quirk::EmptyBodies].into(),
//!     seed_tickets: 40,
//!     ..Options::default()
//! })
//! .await?;
//! println!("{}/tickets", running.url());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

mod answers;
mod bucket;
mod custom_fields;
mod fields;
mod gate;
mod messages;
mod model;
mod moment;
mod oauth;
mod paging;
mod people;
mod query;
mod quirks;
mod recorder;
mod routes;
mod rules;
mod running;
mod seed;
mod store;
mod tags;
mod tickets;
mod uploads;
mod view;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use crate::faults::{Calls, Fault};
pub use quirks::Quirk;
pub use recorder::{Login, RecordedRequest};
pub use running::{Running, SandboxError, start};

/// The path below which the API is served, as in the vendor's base URLs.
pub const BASE_PATH: &str = "/api";

/// Tells the time. Two changes in the same microsecond still get different times.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// How to run the stand-in. [`Options::default`] is a working one; the keys are not secret.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The account's subdomain; a request for another one below `gorgias.com` or `localhost` answers 404 with HTML.
    /// Default `sandbox`.
    pub subdomain: String,
    /// The user whose API key may read and write. Default `support@example.com`.
    pub email: String,
    /// That user's key. Default `sandbox-api-key`.
    pub api_key: String,
    /// A user who may only read. Default `observer@example.com`.
    pub observer_email: String,
    /// That user's key. Default `sandbox-observer-key`.
    pub observer_key: String,
    /// The OAuth2 app's id. Default `sandbox-client`.
    pub client_id: String,
    /// The OAuth2 app's secret. Default `sandbox-client-secret`.
    pub client_secret: String,
    /// The refresh token of the app in this account; it does not end. Default `sandbox-refresh-token`.
    pub refresh_token: String,
    /// The addresses of the account's e-mail integrations, from which agents can write. Default `help@shop.example.com`.
    pub support_addresses: Vec<String>,
    /// Which differences from the documentation to show. Default none.
    pub quirks: BTreeSet<Quirk>,
    /// How many tickets a fresh start holds. Default 0. Their contents are always the same, their times count back
    /// from the start.
    pub seed_tickets: usize,
    /// Size of the leaky bucket of API keys, and the time in which a full one runs empty; an app's is twice as large.
    /// Default 40 in 20 s.
    pub rate_limit: Option<(u32, Duration)>,
    /// How long a cursor is good. Default five minutes.
    pub cursor_lifetime: Duration,
    /// The clock for all times. Default: the real one.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            subdomain: "sandbox".to_owned(),
            email: "support@example.com".to_owned(),
            api_key: "sandbox-api-key".to_owned(),
            observer_email: "observer@example.com".to_owned(),
            observer_key: "sandbox-observer-key".to_owned(),
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-client-secret".to_owned(),
            refresh_token: "sandbox-refresh-token".to_owned(),
            support_addresses: vec!["help@shop.example.com".to_owned()],
            quirks: BTreeSet::new(),
            seed_tickets: 0,
            rate_limit: Some((40, Duration::from_secs(20))),
            cursor_lifetime: Duration::from_secs(300),
            clock: Arc::new(jiff::Timestamp::now),
        }
    }
}
