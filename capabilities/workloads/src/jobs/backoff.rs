//! How long a job waits before it replaces pods that failed: ten seconds, then
//! twice as long each time, six minutes at most. Pure.

#[cfg(test)]
mod tests;

use client::Item;
use jiff::{SignedDuration, Timestamp};

use super::facts;
use crate::views::Pod;

const FIRST_SECS: i64 = 10;
const LONGEST_SECS: i64 = 6 * 60;

/// The failures of a job since its last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    count: i64,
    last: Option<Timestamp>,
}

impl Failures {
    /// These and what ended since.
    #[must_use]
    pub(super) fn then(self, succeeded: &[&Item<Pod>], failed: &[&Item<Pod>]) -> Failures {
        let last_success = succeeded.iter().map(|pod| facts::ended_at(pod)).max();
        let fresh = failed.iter().map(|pod| facts::ended_at(pod));
        let fresh: Vec<Timestamp> = fresh.filter(|end| last_success.is_none_or(|success| *end > success)).collect();
        let before = if last_success.is_some() { Failures::default() } else { self };
        let count = before.count.saturating_add(i64::try_from(fresh.len()).unwrap_or(i64::MAX));
        Failures { count, last: fresh.into_iter().max().or(before.last) }
    }

    /// How long to wait still.
    pub(super) fn wait(self, now: Timestamp) -> SignedDuration {
        self.last.map_or(SignedDuration::ZERO, |last| wait_after(self.count, last, now))
    }
}

/// How long to wait still after so many failures, of which the last was then.
pub(super) fn wait_after(count: i64, last: Timestamp, now: Timestamp) -> SignedDuration {
    if count == 0 {
        return SignedDuration::ZERO;
    }
    // Far beyond the longest wait, and far below what would overflow.
    let doublings = u32::try_from(count - 1).unwrap_or(u32::MAX).min(16);
    let whole = SignedDuration::from_secs((FIRST_SECS << doublings).min(LONGEST_SECS));
    // A clock that was set back must not make the wait longer than it is.
    (whole - now.duration_since(last)).clamp(SignedDuration::ZERO, whole)
}
