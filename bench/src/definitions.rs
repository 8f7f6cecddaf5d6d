//! The install of definitions: processor time and memory of each, for a hundred
//! different ones, for a hundred of the same content, and for real ones.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::figures::{self, Pair};
use crate::https::{Ask, Client};
use crate::kubeapiserver::Peer;
use crate::programs::{Programs, rounds};
use crate::server::Server;
use crate::{install, platform, process, synthetic};

const COUNT: usize = 100;
/// Bytes of JSON of a made-up definition.
const SIZE: usize = 50_000;
/// How long a server is watched doing nothing, to know what it does anyway.
const IDLE: Duration = Duration::from_secs(2);
/// Files and directories with real definitions as YAML, separated by colons.
const REAL: &str = "CORACLE_BENCH_DEFINITIONS";

struct Figures {
    cpu_ms: f64,
    cpu_alone_ms: f64,
    memory_kb: f64,
    described_kb: f64,
}

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let mut table = Vec::new();
    for (title, definitions) in sets()? {
        let bytes: usize = definitions.iter().map(|definition| definition.to_string().len()).sum();
        println!("\n{title}: {} definitions, {bytes} bytes of JSON", definitions.len());
        let mut cpu = Pair::new(&format!("{title}: CPU of an install"), "ms");
        let mut memory = Pair::new(&format!("{title}: memory of one"), "KB");
        let mut described = Pair::new(&format!("{title}: the same after all OpenAPI documents were asked"), "KB");
        for _ in 0..rounds() {
            let directory = tempfile::tempdir_in(&programs.place)?;
            let platform = platform::create(&programs.coracle(), directory.path())?;
            let ours = measure(&platform.server()?, &definitions).await?;
            drop(platform);
            let peer = Peer::start(&programs.kubeapiserver(), directory.path()).await?;
            let theirs = measure(&peer.server(), &definitions).await?;
            drop(peer);
            cpu.add_with_store(ours.cpu_ms, theirs.cpu_ms, theirs.cpu_alone_ms);
            memory.add(ours.memory_kb, theirs.memory_kb);
            described.add(ours.described_kb, theirs.described_kb);
        }
        table.extend([cpu, memory, described]);
    }
    figures::print_pairs(&table);
    Ok(())
}

fn sets() -> Result<Vec<(&'static str, Vec<Value>)>> {
    let different = |number: usize| synthetic::definition(number as u64, &format!("Different{number}"), SIZE);
    let same = |number: usize| synthetic::definition(7, &format!("Same{number}"), SIZE);
    let mut sets =
        vec![("different", (0..COUNT).map(different).collect()), ("same content", (0..COUNT).map(same).collect())];
    let real = real()?;
    if !real.is_empty() {
        sets.push(("real", real));
    }
    Ok(sets)
}

/// What one set costs a fresh server.
async fn measure(server: &Server, definitions: &[Value]) -> Result<Figures> {
    let before = server.settled_memory_mb().await?;
    let meter = server.meter()?;
    tokio::time::sleep(IDLE).await;
    let idle = meter.seconds()?;
    let (begin, meter) = (Instant::now(), server.meter()?);
    install::definitions(server, definitions).await?;
    process::settle(&server.pids()).await?;
    let (used, pauses) = (meter.seconds()?, begin.elapsed().as_secs_f64() / IDLE.as_secs_f64());
    let count = definitions.len() as f64;
    let after = server.settled_memory_mb().await?;
    ask_all_documents(server).await?;
    let described = server.settled_memory_mb().await?;
    Ok(Figures {
        cpu_ms: (used.whole - idle.whole * pauses) * 1e3 / count,
        cpu_alone_ms: (used.answering - idle.answering * pauses) * 1e3 / count,
        memory_kb: (after - before) * 1e3 / count,
        described_kb: (described - before) * 1e3 / count,
    })
}

/// Reads the OpenAPI documents as clients do that look schemas up.
async fn ask_all_documents(server: &Server) -> Result<()> {
    let mut client = Client::connect(server).await?;
    let index: Value = serde_json::from_str(&client.must(Ask::get("/openapi/v3")).await?.text())?;
    for path in index["paths"].as_object().context("the index has no paths")?.values() {
        let path = path["serverRelativeURL"].as_str().context("a path without an address")?;
        client.must(Ask::get(path)).await?;
    }
    Ok(())
}

/// The definitions in what the environment names; no names no definitions.
fn real() -> Result<Vec<Value>> {
    let mut found: Vec<Value> = Vec::new();
    for place in std::env::var(REAL).unwrap_or_default().split(':').filter(|place| !place.is_empty()) {
        collect(Path::new(place), &mut found)?;
    }
    // Ours has definitions of its own in this group.
    for definition in &mut found {
        let text = definition.to_string().replace("argoproj.io", "argoproj.example.com");
        *definition = serde_json::from_str(&text)?;
    }
    Ok(found)
}

fn collect(place: &Path, found: &mut Vec<Value>) -> Result<()> {
    if place.is_dir() {
        let entries = std::fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>();
        let mut entries = entries?;
        entries.sort();
        return entries.iter().try_for_each(|entry| collect(entry, found));
    }
    if place.extension().is_none_or(|ending| ending != "yaml") {
        return Ok(());
    }
    let text = std::fs::read_to_string(place).with_context(|| place.display().to_string())?;
    for document in text.split("\n---") {
        if document.lines().any(|line| line == "kind: CustomResourceDefinition") {
            let definition: Value = serde_saphyr::from_str(document).with_context(|| place.display().to_string())?;
            found.push(definition);
        }
    }
    Ok(())
}

/// One set against a server that runs already, for a profiler.
pub async fn alone(server: &Server, set: &str) -> Result<()> {
    let sets = sets()?;
    let (_, definitions) = sets.iter().find(|(title, _)| title.starts_with(set)).context("no such set")?;
    let figures = measure(server, definitions).await?;
    let (memory, described) = (figures.memory_kb, figures.described_kb);
    println!("{set}: {:.2} ms of CPU, {memory:.0} KB, {described:.0} KB after OpenAPI", figures.cpu_ms);
    Ok(())
}
