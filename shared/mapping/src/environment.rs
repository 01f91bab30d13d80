//! What an evaluation may know and how much it may use.

use jiff::Timestamp;

/// What an evaluation knows of the world, and its limits. Two runs with equal input and equal environment give
/// equal results.
#[derive(Clone, Debug)]
pub struct Environment {
    /// What `$TIME()` answers.
    pub now: Timestamp,
    /// How much the evaluation may use.
    pub limits: Limits,
}

impl Environment {
    /// The present, with the default limits.
    pub fn now() -> Self {
        Environment::at(Timestamp::now())
    }

    /// A given time, with the default limits.
    pub fn at(now: Timestamp) -> Self {
        Environment {
            now,
            limits: Limits::default(),
        }
    }
}

/// How much one evaluation may use. Passing a limit is an error (`TG0310` to `TG0313`), never a cut-off result.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How deep values may lie inside one another, and how deep an evaluation may nest. At most 128 is of use: what
    /// is deeper is refused when a mapping is compiled.
    pub depth: usize,
    /// How many parts of expressions may be evaluated; work on long texts and lists counts by its size.
    pub steps: u64,
    /// How many bytes the result may have as JSON. Everything that is built on the way may take four times as much.
    pub output_bytes: usize,
    /// How many bytes one compiled regular expression may take.
    pub regex_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth: 128,
            steps: 10_000_000,
            output_bytes: 16 << 20,
            regex_bytes: 1 << 20,
        }
    }
}
