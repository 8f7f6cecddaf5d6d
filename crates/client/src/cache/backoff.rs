//! How long to wait before trying again: doubling, with a bound, spread by
//! chance so that many do not try at the same instant. It never sleeps itself.

use std::time::Duration;

use base::Ids;

/// Doubling delays between a first and a largest one.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    largest: Duration,
    ids: Ids,
}

impl Backoff {
    /// Delays from `first` to `largest`.
    pub fn new(first: Duration, largest: Duration, ids: Ids) -> Self {
        Backoff { first, largest, ids }
    }

    /// The delay after `failures` failures in a row (the first is 1): at least nine tenths of
    /// the doubled delay and never more than the largest.
    pub fn delay(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.largest);
        let mut chance = [0u8];
        self.ids.fill(&mut chance);
        full - full.mul_f64(f64::from(chance[0]) / 255.0 * 0.1)
    }
}
