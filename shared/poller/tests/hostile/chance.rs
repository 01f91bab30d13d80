//! Chance from a seed, shared by everything on our side.

use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub(crate) struct Chance(Mutex<StdRng>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    pub(crate) fn of(&self, share: f64) -> bool {
        self.0.lock().unwrap().random_bool(share)
    }

    pub(crate) fn between(&self, low: i64, high: i64) -> i64 {
        self.0.lock().unwrap().random_range(low..=high)
    }
}
