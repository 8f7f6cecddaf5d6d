//! How many are tried.

use std::cell::RefCell;

use super::slowly;

/// Runs over `count` items of which those from `fails_from` on fail; returns those tried, those
/// done, and the error.
async fn run(count: usize, fails_from: usize) -> (usize, usize, Option<usize>) {
    let tried = RefCell::new(0);
    let (done, outcome) = slowly(0..count, |item| {
        *tried.borrow_mut() += 1;
        async move { if item < fails_from { Ok(()) } else { Err(item) } }
    })
    .await;
    (tried.into_inner(), done, outcome.err())
}

#[tokio::test]
async fn a_refusal_ends_the_batch_early() {
    assert_eq!(run(0, 0).await, (0, 0, None));
    assert_eq!(run(100, 100).await, (100, 100, None));
    assert_eq!(run(1000, 0).await, (1, 0, Some(0)));
    assert_eq!(run(1000, 1).await, (3, 1, Some(1)));
    assert_eq!(run(1000, 4).await, (7, 4, Some(4)));
}
