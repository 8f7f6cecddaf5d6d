//! `coracle logs`: what the server of a platform wrote, and goes on writing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use base::Diagnostic;
use notify::{RecursiveMode, Watcher};
use tokio::sync::Notify;

use crate::cli::Logs;
use crate::paths;

/// Prints the log.
pub async fn run(args: &Logs) -> Result<(), Diagnostic> {
    let (_, layout) = paths::existing(&args.named)?;
    let path = layout.log();
    let unreadable = |error: &dyn std::fmt::Display| {
        Diagnostic::new("no-log", format!("{} cannot be read", path.display()))
            .detail(error)
            .hint("start the platform with `coracle start`")
    };
    let mut file = File::open(&path).map_err(|error| unreadable(&error))?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if write(last_lines(&text, args.lines)).is_err() || !args.follow {
        return Ok(());
    }
    let changed = Arc::new(Notify::new());
    let told = changed.clone();
    let mut watcher = notify::recommended_watcher(move |_| told.notify_one()).map_err(|error| unreadable(&error))?;
    watcher.watch(&path, RecursiveMode::NonRecursive).map_err(|error| unreadable(&error))?;
    loop {
        // Read before waiting: something may have come since the last look.
        let mut more = String::new();
        file.read_to_string(&mut more).map_err(|error| unreadable(&error))?;
        if !more.is_empty() && write(&more).is_err() {
            return Ok(());
        }
        let end = file.metadata().map_err(|error| unreadable(&error))?.len();
        if file.stream_position().is_ok_and(|position| position > end) {
            file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
        }
        changed.notified().await;
    }
}

/// A reader that went away ends the command.
fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn last_lines(text: &str, lines: Option<usize>) -> &str {
    let Some(lines) = lines else { return text };
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).filter(|at| *at < text.len());
    let starts: Vec<usize> = starts.collect();
    let from = starts.len().saturating_sub(lines);
    starts.get(from).map_or("", |start| &text[*start..])
}
