//! Places that may break a rule, each with its reason. The lists should only
//! shrink: an entry that excuses nothing is itself a finding.

use super::Finding;

/// A path, or for a function's length `path#function`, and why it may.
pub struct Exception {
    pub place: &'static str,
    pub reason: &'static str,
}

/// Tables: data written as Rust, which splitting would not make clearer.
pub const LONG: &[Exception] = &[];

/// Tests that wait for time to pass because no event could tell them more.
pub const SLEEPS: &[Exception] = &[
    Exception {
        place: "crates/store/tests/it/crash.rs",
        reason: "it kills a process after a random time, and that time is what it tests",
    },
    Exception {
        place: "crates/coracle/tests/it/crash.rs",
        reason: "it kills a server after a random time, and that time is what it tests",
    },
];

pub const FILE: &str = "xtask/src/tidy/exceptions.rs";

/// Whether a place is excused; notes which entry did it.
pub fn excuses(exceptions: &'static [Exception], used: &mut Vec<&'static str>, place: &str) -> bool {
    let found = exceptions.iter().find(|exception| exception.place == place);
    used.extend(found.map(|exception| exception.place));
    found.is_some()
}

/// Entries that excused nothing.
pub fn stale(exceptions: &'static [Exception], used: &[&str]) -> Vec<Finding> {
    let unused = exceptions.iter().filter(|exception| !used.contains(&exception.place));
    let text = |exception: &Exception| {
        format!("{} needs no exception any more (“{}”): delete it", exception.place, exception.reason)
    };
    unused.map(|exception| Finding::new(FILE, 1, text(exception))).collect()
}
