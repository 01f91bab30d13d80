//! Looks at every byte and builds nothing: the time below which only another parser can go.

use serde::de::IgnoredAny;

use super::{Engine, Program};
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "bare scan",
    package: "serde_json",
    partial: Some("reads only"),
    has_output: false,
    compile,
};

struct Scan;

fn compile(_: &Job) -> Result<Box<dyn Program>, String> {
    Ok(Box::new(Scan))
}

impl Program for Scan {
    fn text(&self, input: &str, _: &mut Vec<u8>) {
        let IgnoredAny = serde_json::from_str(std::hint::black_box(input)).unwrap();
    }

    fn parsed<'p>(&'p self, _: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        None
    }
}
