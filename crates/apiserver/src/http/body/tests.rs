//! How much of a body is waited for, and how long.

use axum::body::Body;
use base::limits;
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::read;

type Piece = Result<Bytes, std::io::Error>;

async fn check(pieces: impl futures::Stream<Item = Piece> + Send + 'static, expect: u16) {
    let code = match read(Body::from_stream(pieces)).await {
        Ok(_) => 200,
        Err(status) => status.code,
    };
    assert_eq!(code, expect);
}

/// Time does not pass in this test: it jumps ahead whenever everything waits.
#[tokio::test(start_paused = true)]
async fn bodies_are_bounded_in_size_and_time() {
    let piece = |bytes: usize| stream::iter([Piece::Ok(Bytes::from(vec![b'x'; bytes]))]);
    check(piece(limits::REQUEST_BODY_BYTES), 200).await;
    check(piece(limits::REQUEST_BODY_BYTES + 1), 413).await;
    check(piece(1).chain(stream::pending()), 408).await;
    check(piece(1).chain(stream::iter([Piece::Err(std::io::Error::other("cut off"))])), 400).await;
}
