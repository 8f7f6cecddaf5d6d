//! One request of git's protocol, carried to a git process and its answer back:
//! both directions stream, both are bounded, and the process never outlives its
//! purpose. It does not look into the bytes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;

use super::gunzip::{Decoder, Refused};
use crate::program::Running;

/// Bytes read from the process at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks on their way to the client.
const CHUNKS_HELD: usize = 8;
/// What is kept of what the process says on its error stream.
const STDERR_BYTES: u64 = 4096;
/// How long a process may take to end once both of its pipes are done with.
const END_PATIENCE: Duration = Duration::from_secs(30);

/// Time bounds of one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a byte in either direction.
    pub idle: Duration,
    /// In all.
    pub total: Duration,
}

/// What the process needs to hear to its end even if the client does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenClientLeaves {
    /// Nothing: end it.
    End,
    /// A request that arrived whole is carried out: ending it half way would leave locks.
    Finish,
}

/// One exchange that is about to begin.
pub struct Exchange {
    /// The process.
    pub running: Running,
    /// What the client sends.
    pub request: BodyDataStream,
    /// How it is encoded.
    pub decoder: Decoder,
    /// Time bounds.
    pub patience: Patience,
    /// What happens when the client leaves.
    pub when_client_leaves: WhenClientLeaves,
}

/// The answer as it comes.
pub type Answer = mpsc::Receiver<io::Result<Bytes>>;

/// What is done before the client sees the end of the answer.
pub type Afterwards = Box<dyn FnOnce(bool) -> BoxFuture<'static, ()> + Send>;

impl Exchange {
    /// The answer's stream, and the work that fills it, to be run as a task.
    pub fn begin(self, afterwards: Afterwards) -> (Answer, impl Future<Output = ()> + Send) {
        let (sender, answer) = mpsc::channel(CHUNKS_HELD);
        (answer, self.run(sender, afterwards))
    }

    async fn run(mut self, sender: mpsc::Sender<io::Result<Bytes>>, afterwards: Afterwards) {
        let child = self.running.child();
        // Without an input of its own the process is only listened to.
        let stdin = child.stdin.take();
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return;
        };
        let progress = Progress::default();
        let leaves = self.when_client_leaves;
        let carried = async {
            let (fed, (), said) = futures::join!(
                feed(self.request, self.decoder, stdin, &progress),
                drain(stdout, &sender, leaves, &progress),
                listen(stderr)
            );
            (fed, said)
        };
        let left = async {
            match leaves {
                WhenClientLeaves::End => sender.closed().await,
                WhenClientLeaves::Finish => std::future::pending().await,
            }
        };
        let (complete, patience) = tokio::select! {
            (fed, said) = carried => {
                if !said.is_empty() {
                    tracing::debug!(%said, "git said on its error stream");
                }
                (fed.is_ok(), END_PATIENCE)
            }
            () = left => (false, Duration::ZERO),
            () = progress.stalls(self.patience) => {
                tracing::warn!("a git exchange stood still and was ended");
                (false, Duration::ZERO)
            }
        };
        let succeeded = self.running.finish(patience).await && complete;
        afterwards(succeeded).await;
        if !complete {
            // A chunked answer that breaks off tells the client that it is not whole.
            let _ = sender.send(Err(io::Error::from(io::ErrorKind::UnexpectedEof))).await;
        }
    }
}

/// Counts what moves, so that standing still can be told from being slow.
#[derive(Clone, Default)]
struct Progress(Arc<AtomicU64>);

impl Progress {
    fn made(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns when nothing has moved for too long. A timer, because standing still is the
    /// absence of events.
    async fn stalls(&self, patience: Patience) {
        let total = tokio::time::sleep(patience.total);
        tokio::pin!(total);
        loop {
            let before = self.0.load(Ordering::Relaxed);
            tokio::select! {
                () = &mut total => return,
                () = tokio::time::sleep(patience.idle) => {}
            }
            if self.0.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Carries the request to the process. When the process does not want more, the rest is read
/// and dropped, because clients read the answer only after they have sent everything.
async fn feed(
    mut request: BodyDataStream,
    mut decoder: Decoder,
    mut stdin: Option<ChildStdin>,
    progress: &Progress,
) -> Result<(), Refused> {
    while let Some(piece) = request.next().await {
        progress.made();
        let piece = piece.map_err(|_| Refused::Malformed)?;
        for content in decoder.decode(piece)? {
            write(&mut stdin, &content).await;
            progress.made();
        }
    }
    let rest = decoder.finish()?;
    write(&mut stdin, &rest).await;
    Ok(())
}

async fn write(stdin: &mut Option<ChildStdin>, content: &[u8]) {
    if let Some(open) = stdin
        && open.write_all(content).await.is_err()
    {
        *stdin = None;
    }
}

async fn drain(
    mut stdout: ChildStdout,
    sender: &mpsc::Sender<io::Result<Bytes>>,
    when_client_leaves: WhenClientLeaves,
    progress: &Progress,
) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK_BYTES);
        match stdout.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => progress.made(),
        }
        let gone = sender.send(Ok(buffer.split().freeze())).await.is_err();
        progress.made();
        if gone && when_client_leaves == WhenClientLeaves::End {
            return;
        }
    }
}

async fn listen(stderr: ChildStderr) -> String {
    let mut said = Vec::new();
    let mut limited = stderr.take(STDERR_BYTES);
    let _ = limited.read_to_end(&mut said).await;
    let _ = tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&said).trim().to_owned()
}

/// A body that passes an answer on.
pub fn body(answer: Answer) -> Body {
    Body::from_stream(futures::stream::unfold(answer, |mut answer| async move {
        let chunk = answer.recv().await?;
        Some((chunk, answer))
    }))
}
