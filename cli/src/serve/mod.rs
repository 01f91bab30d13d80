//! What the commands that run until Ctrl-C share.

pub(crate) mod background;
pub(crate) mod callers;
pub(crate) mod logging;
pub(crate) mod polling;
pub(crate) mod server;
pub(crate) mod sites;
pub(crate) mod stop;

use std::fmt::Display;
use std::net::SocketAddr;

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// The runtime of a server: it may use every core.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    started(&mut Builder::new_multi_thread())
}

/// The runtime of a command that makes a few calls and ends.
pub(crate) fn one_shot_runtime() -> Result<Runtime, Failure> {
    started(&mut Builder::new_current_thread())
}

fn started(builder: &mut Builder) -> Result<Runtime, Failure> {
    let built = builder.enable_all().build();
    built.map_err(|error| Failure::failed(format!("cannot start the asynchronous runtime: {error}")))
}

/// The address cannot be listened on.
pub(crate) fn address_failure(address: SocketAddr, error: &dyn Display) -> Failure {
    let elsewhere = SocketAddr::new(address.ip(), 0);
    Failure::failed(format!("cannot listen on {address}: {error}")).help(format!(
        "stop what uses it, or listen elsewhere: --listen {elsewhere} takes a free port"
    ))
}
