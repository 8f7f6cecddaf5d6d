//! A watch as a stream of JSON lines. The stream pulls from the history, so a
//! client that reads slowly costs no memory here.

use std::collections::VecDeque;
use std::time::Duration;

use api::Status;
use axum::body::Body;
use base::clock::Stopwatch;
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, stream};
use http::{Response, StatusCode, header};
use jiff::Timestamp;
use machinery::table::Printer;
use serde_json::{Value, json};

use super::accept::Form;
use super::table::{self, Include};
use crate::ApiServer;
use crate::pipeline::{Change, Watching};
use crate::record::{Record, compose_partial};

/// How often a quiet watch says how far it is. Kubernetes promises about a minute;
/// there is no event for "nothing happened".
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// Bounds of the life of a watch whose client did not state one, in seconds.
const DEFAULT_LIFE_SECS: (u64, u64) = (1800, 3600);

/// Objects from this size on are sent in pieces that share the stored bytes; smaller ones
/// are copied, which is cheaper than more pieces.
const SHARE_FROM_BYTES: usize = 16 * 1024;

/// What shapes the stream.
pub struct Shape {
    /// Form of the objects.
    pub form: Form,
    /// What table rows carry.
    pub include: Include,
    /// Whether the client wants bookmarks.
    pub bookmarks: bool,
    /// How long the watch lasts.
    pub timeout_secs: Option<u64>,
}

struct Running {
    server: ApiServer,
    watching: Watching,
    printer: Printer,
    shape: Shape,
    columns_sent: bool,
    age: Stopwatch,
    life: Duration,
    last_bookmark: u64,
    /// What is left of the line that is being sent.
    pieces: VecDeque<Bytes>,
    done: bool,
}

/// Streams a watch.
pub fn respond(server: &ApiServer, watching: Watching, shape: Shape) -> Response<Body> {
    let mut random = [0u8; 8];
    base::Ids::system().fill(&mut random);
    let (least, most) = DEFAULT_LIFE_SECS;
    let life = shape.timeout_secs.unwrap_or(least + u64::from_le_bytes(random) % (most - least));
    let running = Running {
        server: server.clone(),
        printer: Printer::new(&watching.subject().kind.descriptor),
        watching,
        shape,
        columns_sent: false,
        age: server.clock().stopwatch(),
        life: Duration::from_secs(life),
        last_bookmark: 0,
        pieces: VecDeque::new(),
        done: false,
    };
    let mut response = Response::new(Body::from_stream(lines(running)));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json;stream=watch"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache, private"));
    response
}

fn lines(running: Running) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
    stream::unfold(running, |mut running| async move {
        if running.done && running.pieces.is_empty() {
            return None;
        }
        let piece = running.next_piece().await?;
        Some((Ok(piece), running))
    })
}

impl Running {
    async fn next_piece(&mut self) -> Option<Bytes> {
        if let Some(piece) = self.pieces.pop_front() {
            return Some(piece);
        }
        self.next_line().await
    }

    async fn next_line(&mut self) -> Option<Bytes> {
        loop {
            let left = self.life.saturating_sub(self.age.elapsed());
            // Also a watch that never falls quiet ends.
            self.done = left.is_zero();
            let pause = tokio::time::sleep(left.min(BOOKMARK_EVERY));
            let change = tokio::select! {
                biased;
                change = self.watching.next() => Some(change),
                () = pause => None,
            };
            match change {
                Some(Ok(change)) => return Some(self.line(change)),
                Some(Err(status)) => {
                    self.done = true;
                    return Some(error_line(&status));
                }
                None => {
                    self.done = self.age.elapsed() >= self.life;
                    let progress = self.watching.progress().filter(|&revision| revision > self.last_bookmark);
                    match progress {
                        Some(revision) if self.shape.bookmarks => return Some(self.bookmark(revision, false)),
                        _ if self.done => return None,
                        _ => {}
                    }
                }
            }
        }
    }

    fn line(&mut self, change: Change) -> Bytes {
        let (kind, record) = match change {
            Change::InitialEnd(revision) => return self.bookmark(revision, true),
            Change::Added(_, record) => ("ADDED", record),
            Change::Modified(_, record) => ("MODIFIED", record),
            Change::Deleted(_, record) => ("DELETED", record),
        };
        if let Some(first) = self.share(kind, &record) {
            return first;
        }
        match self.object(&record) {
            Ok(object) => event_line(kind, &object),
            Err(status) => error_line(&status),
        }
    }

    /// The first piece of a large object's line; the others wait for their turn. They
    /// share the stored bytes: what a slow client has yet to take costs nothing.
    fn share(&mut self, kind: &str, record: &Record) -> Option<Bytes> {
        if self.shape.form != Form::Object || record.meta.len() + record.body.len() < SHARE_FROM_BYTES {
            return None;
        }
        let pieces = record.shared_json(&self.watching.subject().kind.descriptor)?;
        self.pieces.extend(pieces.into_iter().filter(|piece| !piece.is_empty()));
        self.pieces.push_back(Bytes::from_static(b"}}\n"));
        Some(Bytes::from(format!("{{\"type\":\"{kind}\",\"object\":")))
    }

    fn object(&mut self, record: &Record) -> Result<Bytes, Status> {
        let kind = self.watching.subject().kind.descriptor.clone();
        match self.shape.form {
            Form::Object => Ok(record.json(&kind)),
            Form::Metadata => Ok(compose_partial(&record.meta, record.revision)),
            Form::Table => {
                let now: Timestamp = self.server.clock().now();
                let rows = vec![table::row(&kind, &self.printer, record, self.shape.include, now)?];
                let metadata = json!({"resourceVersion": record.revision.to_string()});
                let whole = table::whole(&kind, rows, metadata, !std::mem::replace(&mut self.columns_sent, true));
                Ok(Bytes::from(whole.to_string()))
            }
        }
    }

    fn bookmark(&mut self, revision: u64, initial_end: bool) -> Bytes {
        self.last_bookmark = revision;
        let kind = &self.watching.subject().kind.descriptor;
        let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object: Value = match self.shape.form {
            Form::Object => json!({"kind": kind.gvk.kind, "apiVersion": kind.gvk.api_version(), "metadata": metadata}),
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Table => table::whole(kind, Vec::new(), metadata, false),
        };
        event_line("BOOKMARK", object.to_string().as_bytes())
    }
}

fn event_line(kind: &str, object: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(object.len() + 32);
    out.put_slice(b"{\"type\":\"");
    out.put_slice(kind.as_bytes());
    out.put_slice(b"\",\"object\":");
    out.put_slice(object);
    out.put_slice(b"}\n");
    out.freeze()
}

fn error_line(status: &Status) -> Bytes {
    event_line("ERROR", status.to_json().to_string().as_bytes())
}
