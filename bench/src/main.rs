//! Measures a release build of coracle, with its peers run in turn on the same
//! disk, and prints the tables of `bench/README.md`. It judges nothing, and no
//! test depends on it.

#![expect(clippy::disallowed_methods, reason = "it measures time; that is what it is for")]

mod disk;
mod etcd;
mod figures;
mod https;
mod platform;
mod push;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use figures::Series;

/// Rounds of every measurement; the median is what counts.
const ROUNDS: usize = 5;
/// How long one round of writes lasts.
const LENGTH: Duration = Duration::from_secs(3);
/// Bytes of the data of one object.
const SIZE: usize = 2048;
/// Pushes that are timed.
const PUSHES: usize = 100;

const USAGE: &str = "usage: bench <coracle> <etcdput> [directory [start|writes|pushes]]
       bench load <platform's directory> <clients> <seconds>";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    // The provider is chosen once for the whole process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let binary = arguments.next().context(USAGE)?;
    if binary == Path::new("load") {
        return load(arguments).await;
    }
    let etcdput = arguments.next().context(USAGE)?;
    let place = arguments.next().unwrap_or_else(std::env::temp_dir);
    let only = arguments.next().map(|part| part.display().to_string());
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    println!("binary: {:.1} MB", std::fs::metadata(&binary)?.len() as f64 / 1e6);
    if wanted("start") {
        start(&binary, &place)?;
    }
    if wanted("writes") {
        writes(&binary, &etcdput, &place).await?;
    }
    if wanted("pushes") {
        pushes(&binary, &place).await?;
    }
    Ok(())
}

/// Creates against a platform that runs already, to look at it with a profiler.
async fn load(mut arguments: impl Iterator<Item = PathBuf>) -> Result<()> {
    let data = arguments.next().context(USAGE)?;
    let mut number = || -> Result<u64> { Ok(arguments.next().context(USAGE)?.display().to_string().parse()?) };
    let (clients, seconds) = (number()?, number()?);
    let pki = platform::Pki(data.join("pki"));
    let load = https::creates(&pki, usize::try_from(clients)?, Duration::from_secs(seconds), SIZE).await?;
    println!("{:.0} creates/s, p99 {:.2} ms", load.per_second, load.p99_ms);
    Ok(())
}

/// From the start of the process to every Application Healthy, and memory at rest.
fn start(binary: &Path, place: &Path) -> Result<()> {
    let (mut whole, mut memory) = (Series::new("create to all Healthy", "s"), Series::new("memory at rest", "MB"));
    for _ in 0..ROUNDS {
        let directory = tempfile::tempdir_in(place)?;
        let platform = platform::create(binary, directory.path())?;
        whole.add(platform.took.as_secs_f64());
        memory.add(platform.settled_memory_mb()?);
    }
    figures::print(&[whole, memory]);
    Ok(())
}

/// Durable creates, ours over HTTPS and etcd's puts over gRPC, in turn.
async fn writes(binary: &Path, etcdput: &Path, place: &Path) -> Result<()> {
    let mut table = Vec::new();
    let mut raw = Series::new("fdatasync of 2 KiB appends", "/s");
    for clients in [1, 64] {
        let mut ours = Series::new(&format!("coracle creates, {clients} clients"), "/s");
        let mut theirs = Series::new(&format!("etcd puts, {clients} clients"), "/s");
        let mut ratio = Series::new(&format!("ratio, {clients} clients"), "x");
        let mut tail = Series::new(&format!("coracle p99, {clients} clients"), "ms");
        let mut their_tail = Series::new(&format!("etcd p99, {clients} clients"), "ms");
        for _ in 0..ROUNDS {
            let directory = tempfile::tempdir_in(place)?;
            raw.add(disk::syncs_per_second(directory.path(), SIZE, Duration::from_secs(1))?);
            let platform = platform::create(binary, directory.path())?;
            let mine = https::creates(&platform.pki(), clients, LENGTH, SIZE).await?;
            drop(platform);
            let other = etcd::puts(etcdput, directory.path(), clients, LENGTH, SIZE)?;
            ours.add(mine.per_second);
            tail.add(mine.p99_ms);
            theirs.add(other.per_second);
            their_tail.add(other.p99_ms);
            ratio.add(mine.per_second / other.per_second);
        }
        table.extend([ours, theirs, ratio, tail, their_tail]);
    }
    table.push(raw);
    figures::print(&table);
    Ok(())
}

/// From the start of `git push` to the changed object in a watch.
async fn pushes(binary: &Path, place: &Path) -> Result<()> {
    let directory = tempfile::tempdir_in(place)?;
    let platform = platform::create(binary, directory.path())?;
    let times = push::times(&platform, PUSHES).await?;
    figures::print(&[times.push, times.applied, times.applied_p99]);
    Ok(())
}
