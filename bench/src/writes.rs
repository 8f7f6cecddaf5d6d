//! Durable creates, ours over HTTPS and etcd's puts over gRPC, in turn.

use std::time::Duration;

use anyhow::Result;

use crate::figures::{self, Load, Series};
use crate::https::{self, Ask, Until};
use crate::programs::{Programs, rounds};
use crate::server::Server;
use crate::{disk, etcd, platform};

/// How long one round lasts.
const LENGTH: Duration = Duration::from_secs(3);
/// Bytes of the data of one object.
const SIZE: usize = 2048;

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let mut table = Vec::new();
    let mut raw = Series::new("fdatasync of 2 KiB appends", "/s");
    for clients in [1, 64] {
        let mut ours = Series::new(&format!("coracle creates, {clients} clients"), "/s");
        let mut theirs = Series::new(&format!("etcd puts, {clients} clients"), "/s");
        let mut ratio = Series::new(&format!("ratio, {clients} clients"), "x");
        let mut tail = Series::new(&format!("coracle p99, {clients} clients"), "ms");
        let mut their_tail = Series::new(&format!("etcd p99, {clients} clients"), "ms");
        for _ in 0..rounds() {
            let directory = tempfile::tempdir_in(&programs.place)?;
            raw.add(disk::syncs_per_second(directory.path(), SIZE, Duration::from_secs(1))?);
            let platform = platform::create(&programs.coracle(), directory.path())?;
            let mine = creates(&platform.server()?, clients, LENGTH).await?;
            drop(platform);
            let other = etcd::puts(&programs.etcdput(), directory.path(), clients, LENGTH, SIZE)?;
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

/// Creates ConfigMaps from several clients.
pub async fn creates(server: &Server, clients: usize, length: Duration) -> Result<Load> {
    let value = "x".repeat(SIZE);
    let create = move |client: usize, count: usize| {
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"bench-{client}-{count}"}},"data":{{"value":"{value}"}}}}"#
        );
        Ask::create("/api/v1/namespaces/default/configmaps", body)
    };
    let (latencies, seconds) = https::load(server, clients, Until::Time(length), create).await?;
    Ok(Load::of(latencies, seconds))
}
