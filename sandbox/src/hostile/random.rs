//! Chance that is the same for the same seed in every version of the program, which `rand` does not promise.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// For one purpose, so that the numbers of another do not move when it takes more.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed) ^ mix(purpose.wrapping_add(GOLDEN)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// From 0 up to, and without, 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this likelihood happens.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// A number of the range, both ends included; `low` where `high` is less.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).max(0) as u64;
        // The low numbers are more likely by less than one in 2^40: of no matter here.
        low.saturating_add((self.next() % (span + 1)) as i64)
    }

    /// A place in a list of this length; 0 where it is empty.
    pub(super) fn below(&mut self, length: usize) -> usize {
        (self.next() % (length.max(1) as u64)) as usize
    }

    /// The time until the next of events that come independently, `rate` of them in a unit of time.
    pub(super) fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.share()).ln() / rate
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

/// Spreads a number over all bits.
pub(super) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
