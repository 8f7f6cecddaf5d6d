//! Requests that compute for long are kept apart from the others: they run where waiting is
//! allowed, so that whoever asks for little is answered meanwhile, and only so many at once.
//! It knows of a request only how large it is.

use std::sync::OnceLock;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Requests with so many bytes, their bodies and the objects they change together, compute
/// for milliseconds.
const LARGE_BYTES: usize = 128 * 1024;

/// As many large requests as there are processors run at once, in the whole process.
fn turns() -> &'static Semaphore {
    static TURNS: OnceLock<Semaphore> = OnceLock::new();
    TURNS.get_or_init(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)))
}

/// Runs a request of this many bytes to its end, apart from the others if it is large.
pub(super) async fn run<T>(bytes: usize, work: impl Future<Output = T>) -> T {
    let handle = Handle::current();
    // A runtime of one thread has no other to answer the others with.
    if bytes < LARGE_BYTES || handle.runtime_flavor() != RuntimeFlavor::MultiThread {
        return work.await;
    }
    // The semaphore is never closed; if it were, the request would only run at once.
    let _turn = turns().acquire().await.ok();
    tokio::task::block_in_place(|| handle.block_on(work))
}
