//! Gives memory that was freed back to the system. The allocator keeps what lies
//! between things that live on; after something large has gone, that is most of
//! it. It must never be called where somebody waits: it runs on a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::Clock;
use crate::clock::Stopwatch;

/// So much must have been freed before it is worth looking.
const WORTHWHILE_BYTES: usize = 8 * 1024 * 1024;
/// Looking costs milliseconds, so under load it is done now and then.
const AT_MOST_EVERY: Duration = Duration::from_secs(10);

static FREED: AtomicUsize = AtomicUsize::new(0);
static LAST: Mutex<Option<Stopwatch>> = Mutex::new(None);

/// Says that about so many bytes were freed, beyond what every request frees. Returns at once.
pub fn freed(bytes: usize) {
    if FREED.fetch_add(bytes, Ordering::Relaxed) + bytes < WORTHWHILE_BYTES {
        return;
    }
    let mut last = LAST.lock();
    if last.as_ref().is_some_and(|last| last.elapsed() < AT_MOST_EVERY) {
        return;
    }
    *last = Some(Clock::system().stopwatch());
    FREED.store(0, Ordering::Relaxed);
    // Without a thread to spare the memory stays where it is until the next time.
    let _ = std::thread::Builder::new().name("memory".into()).spawn(give_back);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn give_back() {
    // SAFETY: takes no pointer and no lock of ours; glibc documents it as safe in any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give memory back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
