//! The bounded line of work before the sequencer. Writers wait when it is
//! full; it must never grow beyond its bound or lose a request that was taken in.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::Error;
use crate::transaction::{Committed, Transaction};

/// Steps in one batch, unless a single transaction has more.
pub(crate) const BATCH_OPS: usize = 512;
/// Bytes in one batch, unless a single transaction has more.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The unit in which room in the queue is counted.
const UNIT_BYTES: usize = 1024;
/// Control requests that may wait; there are never more than a few.
const MOST_CONTROLS: usize = 64;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A transaction in line, with the room it takes.
pub(crate) struct Write {
    pub transaction: Transaction,
    pub reply: Reply<Committed>,
    // Held until the answer is given, so that the bound covers work in hand.
    pub _room: OwnedSemaphorePermit,
}

/// Work that is not a transaction.
pub(crate) enum Control {
    Compact(Reply<()>),
    Flush(Reply<u64>),
    Snapshot(PathBuf, Reply<u64>),
}

enum Request {
    Write(Write),
    Control(Control),
}

/// What the sequencer does next.
pub(crate) enum Work {
    Writes(Vec<Write>),
    Control(Control),
    /// Nothing came in time.
    Nap,
    /// The queue is closed and empty.
    End,
}

pub(crate) struct Queue {
    room: Arc<Semaphore>,
    units: u32,
    line: Mutex<Line>,
    ready: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Request>,
    controls: usize,
    closed: bool,
}

impl Queue {
    pub fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
        Queue { room: Arc::new(Semaphore::new(units as usize)), units, line: Mutex::default(), ready: Condvar::new() }
    }

    /// Waits for room, in turn, and joins the line.
    pub async fn write(&self, transaction: Transaction, reply: Reply<Committed>) -> Result<(), Error> {
        let wanted = 1 + transaction.weight() / UNIT_BYTES;
        let wanted = u32::try_from(wanted).map_or(self.units, |wanted| wanted.min(self.units));
        let room = self.room.clone().acquire_many_owned(wanted).await.map_err(|_| Error::Closed)?;
        self.push(Request::Write(Write { transaction, reply, _room: room }))
    }

    /// Joins the line with work that takes no room.
    pub fn control(&self, control: Control) -> Result<(), Error> {
        self.push(Request::Control(control))
    }

    fn push(&self, request: Request) -> Result<(), Error> {
        let mut line = self.line.lock();
        if line.closed {
            return Err(Error::Closed);
        }
        if matches!(request, Request::Control(_)) {
            if line.controls >= MOST_CONTROLS {
                let (size, limit) = (line.controls + 1, MOST_CONTROLS);
                return Err(Error::TooLarge { what: "the number of waiting control requests", size, limit });
            }
            line.controls += 1;
        }
        line.waiting.push_back(request);
        self.ready.notify_one();
        Ok(())
    }

    /// Lets nobody in any more. What is in line is still served.
    pub fn close(&self) {
        self.line.lock().closed = true;
        self.room.close();
        self.ready.notify_one();
    }

    /// Drops what is in line; whoever waits for it is told that the store is closed.
    pub fn abandon(&self) {
        self.close();
        self.line.lock().waiting.clear();
    }

    /// Everything that waits, up to the bounds of a batch and the next control
    /// request; waits for at most `patience` if there is nothing.
    pub fn take(&self, patience: Option<Duration>) -> Work {
        let mut line = self.line.lock();
        while line.waiting.is_empty() {
            if line.closed {
                return Work::End;
            }
            match patience {
                None => self.ready.wait(&mut line),
                Some(patience) => {
                    if self.ready.wait_for(&mut line, patience).timed_out() && line.waiting.is_empty() {
                        return if line.closed { Work::End } else { Work::Nap };
                    }
                }
            }
        }
        line.take()
    }
}

impl Line {
    fn take(&mut self) -> Work {
        let (mut writes, mut ops, mut bytes) = (Vec::new(), 0, 0);
        while let Some(request) = self.waiting.pop_front() {
            match request {
                Request::Control(control) if writes.is_empty() => {
                    self.controls -= 1;
                    return Work::Control(control);
                }
                Request::Write(write) if writes.is_empty() || ops + write.transaction.ops.len() <= BATCH_OPS => {
                    ops += write.transaction.ops.len();
                    bytes += write.transaction.weight();
                    writes.push(write);
                    if ops >= BATCH_OPS || bytes >= BATCH_BYTES {
                        break;
                    }
                }
                other => {
                    self.waiting.push_front(other);
                    break;
                }
            }
        }
        Work::Writes(writes)
    }
}
