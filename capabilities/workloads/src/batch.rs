//! Many writes of a kind: a few at first, then more at once as they succeed,
//! so that a server which refuses is not asked a thousand times.

#[cfg(test)]
mod tests;

use std::future::Future;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

/// Writes that are under way at once at most.
const WIDEST: usize = 32;

/// Runs `act` for every item: one, then twice as many at once each time, until one fails; what
/// was begun is finished. Returns how many succeeded, and the first error.
pub(crate) async fn slowly<T, E, F>(
    items: impl IntoIterator<Item = T>,
    mut act: impl FnMut(T) -> F,
) -> (usize, Result<(), E>)
where
    F: Future<Output = Result<(), E>>,
{
    let mut items = items.into_iter();
    let (mut done, mut width) = (0, 1);
    loop {
        let mut running: FuturesUnordered<F> = items.by_ref().take(width).map(&mut act).collect();
        if running.is_empty() {
            return (done, Ok(()));
        }
        let mut outcome = Ok(());
        while let Some(result) = running.next().await {
            match result {
                Ok(()) => done += 1,
                Err(error) if outcome.is_ok() => outcome = Err(error),
                Err(_) => {}
            }
        }
        if outcome.is_err() {
            return (done, outcome);
        }
        width = (width * 2).min(WIDEST);
    }
}
