//! Runs a target on inputs from seeds: a few hundred in a normal test run, or for as long as
//! the environment says. A failing input is made smaller before it is shown, with the
//! command that makes it again. It knows no target.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::Duration;

use base::Clock;

use super::source::{Numbers, Source};

/// Seconds to run for; without it a few hundred inputs.
const SECONDS: &str = "CORACLE_FUZZ_SECONDS";
/// The seed of the first input.
const SEED: &str = "CORACLE_FUZZ_SEED";
/// The seed of the only input.
const CASE: &str = "CORACLE_FUZZ_CASE";
/// A folder in which each target notes the input it is at: what survives an abort.
const NOTES: &str = "CORACLE_FUZZ_NOTES";

const CASES: u64 = 250;
/// A target of a normal test run stops earlier when it takes so long.
const SHORT: Duration = Duration::from_millis(600);
/// An input of a few kilobytes that takes so long is a fault.
const SLOW: Duration = Duration::from_secs(5);
const SHRINKS: usize = 4000;

pub(super) type Target = fn(&mut Source<'_>);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs one target; `name` is the path of its test.
pub(super) fn run(name: &str, target: Target) {
    if let Some(case) = number(CASE) {
        check(name, target, case);
        return;
    }
    let (seconds, first) = (number(SECONDS), number(SEED).unwrap_or(1));
    let note = std::env::var_os(NOTES).map(|folder| PathBuf::from(folder).join(name.replace("::", "-")));
    let watch = Clock::system().stopwatch();
    let (most, limit) = seconds.map_or((CASES, SHORT), |seconds| (u64::MAX, Duration::from_secs(seconds)));
    let (mut done, mut slowest) = (0, (Duration::ZERO, 0));
    // Seeds far apart for runs whose first seeds are neighbours.
    let seeds = Numbers::new(first).next();
    while done < most && watch.elapsed() < limit {
        let case = seeds.wrapping_add(done);
        if let Some(note) = &note {
            // Without the note an abort is only harder to repeat.
            let _ = std::fs::write(note, case.to_string());
        }
        let before = watch.elapsed();
        check(name, target, case);
        let took = watch.elapsed() - before;
        slowest = slowest.max((took, case));
        assert!(seconds.is_none() || took < SLOW, "{name}: case {case} took {took:?}; {}", command(name, case));
        done += 1;
    }
    if seconds.is_some() {
        println!("{name}: seed {first}, {done} inputs, slowest {:?} (case {})", slowest.0, slowest.1);
    }
}

fn command(name: &str, case: u64) -> String {
    format!("repeat with: {CASE}={case} cargo test -p machinery --profile fuzz --lib -- --exact {name} --nocapture")
}

fn fails(target: Target, bytes: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| target(&mut Source::new(bytes)))).is_err()
}

fn check(name: &str, target: Target, case: u64) {
    let bytes = Numbers::new(case).bytes();
    let outcome = catch_unwind(AssertUnwindSafe(|| target(&mut Source::new(&bytes))));
    let Err(panic) = outcome else { return };
    let small = shrink(target, bytes);
    eprintln!(
        "{name} fails for {} bytes {small:?}\n{}\nthe smallest input found says:",
        small.len(),
        command(name, case)
    );
    target(&mut Source::new(&small));
    resume_unwind(panic);
}

/// Cuts and empties parts of the bytes as long as the target still fails.
fn shrink(target: Target, mut bytes: Vec<u8>) -> Vec<u8> {
    // Thousands of panics on the way to the smallest would hide that one.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (mut part, mut tries) = (bytes.len() / 2, 0);
    while part > 0 && tries < SHRINKS {
        let (mut at, mut improved) = (0, false);
        while at < bytes.len() && tries < SHRINKS {
            let end = (at + part).min(bytes.len());
            let cut = [&bytes[..at], &bytes[end..]].concat();
            let mut emptied = bytes.clone();
            emptied[at..end].fill(0);
            tries += 2;
            if fails(target, &cut) {
                bytes = cut;
                improved = true;
            } else if emptied != bytes && fails(target, &emptied) {
                bytes = emptied;
                improved = true;
                at = end;
            } else {
                at = end;
            }
        }
        if !improved {
            part /= 2;
        }
    }
    std::panic::set_hook(hook);
    bytes
}
