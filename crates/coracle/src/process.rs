//! The server as a process: started in the background, looked at, and stopped.
//! It must never signal a process that does not hold the platform's lock.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::Duration;

use base::Diagnostic;
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use server::Layout;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::connection;

/// How long a server may take until it serves. It answers as soon as it does; this
/// is for one that hangs.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How long a server may take to end in order.
const STOP_PATIENCE: Duration = Duration::from_secs(15);
/// How long a killed process may take to let go of its lock.
const DYING_PATIENCE: Duration = Duration::from_secs(3);
/// A log larger than this is put aside at the next start.
const LOG_BYTES: u64 = 16 * 1024 * 1024;

/// The one line that a server writes to its parent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Handshake {
    /// It serves.
    Ready {
        /// Address of the Kubernetes API.
        api_url: String,
    },
    /// It cannot.
    Failed(Diagnostic),
}

/// Starts the server of a platform in the background and waits until it serves.
pub async fn start(layout: &Layout, log_level: &str) -> Result<(), Diagnostic> {
    let failed = |error: &dyn std::fmt::Display| {
        Diagnostic::new("server-not-started", "the server could not be started")
            .detail(error)
            .hint("run coracle doctor")
    };
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let log = open_log(layout).map_err(|error| failed(&error))?;
    let mut child = Command::new(program)
        .args(["--log-level", log_level, "serve", "--data-dir"])
        .arg(layout.root())
        .current_dir(layout.root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        // Whoever gives up waiting must not leave a server behind.
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut said = String::new();
    let Some(pipe) = child.stdout.take() else { return Err(failed(&"its output is not connected")) };
    let mut pipe = BufReader::new(pipe);
    let outcome = tokio::time::timeout(START_PATIENCE, pipe.read_line(&mut said)).await;
    match serde_json::from_str::<Handshake>(&said) {
        Ok(Handshake::Ready { .. }) => {
            // From now on it lives on its own: dropping the handle would end it.
            std::mem::forget(child);
            Ok(())
        }
        Ok(Handshake::Failed(diagnostic)) => {
            // It ends by itself; waiting takes it out of the process table.
            let _ = child.wait().await;
            Err(diagnostic)
        }
        Err(_) => {
            // Whatever state it is in, it does not serve: nothing of it may stay.
            let _ = child.kill().await;
            let why = if outcome.is_err() { "it did not answer in time" } else { "it ended before it served" };
            let diagnostic = Diagnostic::new("server-not-started", format!("the server could not be started: {why}"));
            Err(diagnostic
                .detail(format!("the end of its log:\n{}", tail(layout, 15)))
                .hint("run coracle doctor; if it finds nothing, report this with the log"))
        }
    }
}

fn open_log(layout: &Layout) -> std::io::Result<File> {
    let path = layout.log();
    if fs::metadata(&path).is_ok_and(|facts| facts.len() > LOG_BYTES) {
        fs::rename(&path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// The last lines of the server's log.
pub fn tail(layout: &Layout, lines: usize) -> String {
    let text = fs::read_to_string(layout.log()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Stops the server of a platform and waits until it is gone. Says whether one ran.
pub async fn stop(layout: &Layout) -> Result<bool, Diagnostic> {
    let Some(pid) = layout.running() else { return Ok(false) };
    signal(pid, Signal::TERM)?;
    if !wait_until_gone(layout, STOP_PATIENCE).await {
        signal(pid, Signal::KILL)?;
        if !wait_until_gone(layout, STOP_PATIENCE).await {
            return Err(Diagnostic::new("server-not-stopped", format!("the server (process {pid}) does not end"))
                .hint("look at what it waits for with ps; a file system that hangs is likely"));
        }
    }
    Ok(true)
}

fn signal(pid: u32, signal: Signal) -> Result<(), Diagnostic> {
    let Some(target) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    match rustix::process::kill_process(target, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(Diagnostic::new("server-not-stopped", format!("process {pid} cannot be signalled"))
            .detail(error)
            .hint("run the command as the user who started the platform")),
    }
}

/// The server holds the lock while it lives, so that waiting for the lock is waiting for its end.
async fn wait_until_gone(layout: &Layout, patience: Duration) -> bool {
    let Ok(lock) = OpenOptions::new().write(true).open(layout.root().join("lock")) else { return true };
    let waiting = tokio::task::spawn_blocking(move || {
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).is_ok()
    });
    tokio::time::timeout(patience, waiting).await.is_ok()
}

/// A server that was killed holds its lock for an instant longer. Waits for that instant
/// when the lock is held but nobody answers; says whether the server is there after all.
pub async fn is_serving(layout: &Layout) -> bool {
    if layout.running().is_none() {
        return false;
    }
    if connection::answers(&layout.kubeconfig()).await {
        return true;
    }
    !wait_until_gone(layout, DYING_PATIENCE).await
}

/// What the operating system knows of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// Seconds since its start.
    pub uptime_secs: u64,
}

/// Looks at a process.
pub fn usage(pid: u32) -> Option<Usage> {
    let read = |path: String| {
        let mut text = String::new();
        File::open(path).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    };
    let status = read(format!("/proc/{pid}/status"))?;
    let stat = read(format!("/proc/{pid}/stat"))?;
    let uptime = read("/proc/uptime".to_owned())?;
    parse_usage(&status, &stat, &uptime)
}

/// Memory and age from the texts of `/proc`.
pub fn parse_usage(status: &str, stat: &str, uptime: &str) -> Option<Usage> {
    // What Linux shows to programs is in hundredths of a second on every architecture.
    const TICKS_PER_SECOND: u64 = 100;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
    // The name may hold spaces and brackets; what follows its last bracket is regular.
    let (_, fields) = stat.rsplit_once(')')?;
    let started: u64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    let now: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let now = std::time::Duration::try_from_secs_f64(now).ok()?.as_secs();
    Some(Usage { memory_bytes: kibibytes * 1024, uptime_secs: now.saturating_sub(started / TICKS_PER_SECOND) })
}
