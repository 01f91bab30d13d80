//! One file an engine.

mod jaq;
mod jmespath;
mod jsonata;
mod ours;
mod scan;
mod structs;
mod vrl;

use crate::job::Job;

pub use jsonata::source as jsonata_source;

/// An engine of this process.
pub struct Engine {
    pub name: &'static str,
    /// The package in the lock file whose version is shown.
    pub package: &'static str,
    /// What the engine cannot do of the ticket job, if it cannot do all.
    pub partial: Option<&'static str>,
    /// Whether its outputs are compared; a bare scan has none.
    pub has_output: bool,
    /// Compiles a job, or says why it cannot.
    pub compile: fn(&Job) -> Result<Box<dyn Program>, String>,
}

/// A compiled job.
pub trait Program {
    /// Text in, text out.
    fn text(&self, input: &str, output: &mut Vec<u8>);

    /// The engine's own values in and out: what maps document `n` of the given ones, which are parsed here.
    fn parsed<'p>(&'p self, inputs: &[String]) -> Option<Box<dyn Fn(usize) + 'p>>;
}

/// All of them; the first is ours.
pub const ENGINES: &[Engine] = &[
    ours::ENGINE,
    structs::ENGINE,
    scan::ENGINE,
    vrl::ENGINE,
    jaq::ENGINE,
    jsonata::ENGINE,
    jmespath::ENGINE,
];
