//! Lets a tool on an engineer's own machine see how an action comes about, step by step.

use integration::CompoundAction;
use serde_json::Value;

/// Is told of every point that a compound action reaches. It must not block.
///
/// Unlike an [`Observer`](crate::Observer) it sees what the caller and the ticketing system sent, so it has no place in a
/// server.
pub trait Witness: Send + Sync {
    /// A compound action came to this point.
    fn reached(&self, reached: &Reached<'_>);
}

/// A point in a compound action.
#[derive(Debug, Clone, Copy)]
pub struct Reached<'r> {
    /// The action, or another list of steps that the gateway runs for it: the query by id before a write, the search of
    /// `safe_create`.
    pub compound: &'r CompoundAction,
    /// Where in it.
    pub point: Point,
    /// What the mappings see: `data` with the results so far, `meta_info`, `settings`.
    pub bank: &'r Value,
}

/// Where in a compound action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Before the first step, and before the action's `fail_when`.
    Start,
    /// Before step `n`, counted from 0, and before its `when`.
    Step(usize),
    /// After the last step, before the `fail_when` of `return` and the `output_mapper`.
    Return,
}
