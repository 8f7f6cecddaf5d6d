//! Many Applications of 10 KB: what one weighs in memory, how fast they are
//! applied, and how fast they are listed.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::figures::{self, Pair, Series};
use crate::https::{self, Ask, Client, Until};
use crate::kubeapiserver::Peer;
use crate::objects::Kind;
use crate::programs::{Programs, rounds};
use crate::server::Server;
use crate::{application, install, platform};

/// As many as both are measured with; the peer takes minutes for more.
const BOTH: usize = 1_000;
/// As many as ours is measured with.
const OURS: usize = 5_000;
const CLIENTS: usize = 8;
/// Lists of which a round takes the median.
const LISTS: usize = 3;
/// Objects of one chunk.
const CHUNK: usize = 500;

struct Figures {
    per_second: f64,
    cpu_ms: f64,
    cpu_alone_ms: f64,
    memory_kb: f64,
    bytes: f64,
    list_ms: f64,
    chunks_ms: f64,
}

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let title = |what: &str| format!("{BOTH}: {what}");
    let mut rate = Pair::new(&title("applies that create"), "/s");
    let mut cpu = Pair::new(&title("CPU of a create"), "ms");
    let mut memory = Pair::new(&title("memory of an object"), "KB");
    let mut list = Pair::new(&title("one list"), "ms");
    let mut chunks = Pair::new(&title(&format!("the same in chunks of {CHUNK}")), "ms");
    let title = |what: &str| format!("{OURS}: {what}");
    let mut all = [
        Series::new(&title("applies that create"), "/s"),
        Series::new(&title("CPU of a create"), "ms"),
        Series::new(&title("memory of an object"), "KB"),
        Series::new(&title("bytes of an object in the list"), "bytes"),
        Series::new(&title("one list"), "ms"),
        Series::new(&title(&format!("the same in chunks of {CHUNK}")), "ms"),
    ];
    for _ in 0..rounds() {
        let directory = tempfile::tempdir_in(&programs.place)?;
        let ours = fresh(programs, directory.path(), BOTH).await?;
        let peer = Peer::start(&programs.kubeapiserver(), directory.path()).await?;
        let theirs = measure(&peer.server(), BOTH).await?;
        drop(peer);
        rate.add(ours.per_second, theirs.per_second);
        cpu.add_with_store(ours.cpu_ms, theirs.cpu_ms, theirs.cpu_alone_ms);
        memory.add(ours.memory_kb, theirs.memory_kb);
        list.add(ours.list_ms, theirs.list_ms);
        chunks.add(ours.chunks_ms, theirs.chunks_ms);
        let whole = fresh(programs, &directory.path().join("whole"), OURS).await?;
        let values = [whole.per_second, whole.cpu_ms, whole.memory_kb, whole.bytes, whole.list_ms, whole.chunks_ms];
        all.iter_mut().zip(values).for_each(|(series, value)| series.add(value));
    }
    figures::print_pairs(&[rate, cpu, memory, list, chunks]);
    figures::print(&all);
    Ok(())
}

async fn fresh(programs: &Programs, directory: &std::path::Path, count: usize) -> Result<Figures> {
    let platform = platform::create(&programs.coracle(), directory)?;
    measure(&platform.server()?, count).await
}

/// Applies so many and lists them.
async fn measure(server: &Server, count: usize) -> Result<Figures> {
    install::definitions(server, &[application::definition()]).await?;
    let before = server.settled_memory_mb().await?;
    let meter = server.meter()?;
    let template = Kind::Application.template();
    let apply = move |client: usize, count: usize| {
        let name = format!("application-{client}-{count}");
        Ask::apply(&format!("{}/{name}", application::OBJECTS), template.object(&name, "main"))
    };
    let (latencies, seconds) = https::load(server, CLIENTS, Until::Count(count / CLIENTS), apply).await?;
    let used = meter.seconds()?;
    let applied = latencies.len() as f64;
    // Before anything is listed: what a list needs is not what an object weighs.
    let after = server.settled_memory_mb().await?;
    let mut client = Client::connect(server).await?;
    let (mut lists, mut chunked, mut bytes) = (Series::new("", "ms"), Series::new("", "ms"), 0);
    for _ in 0..LISTS {
        let begin = Instant::now();
        bytes = client.must(Ask::get(application::OBJECTS)).await?.size();
        lists.add(begin.elapsed().as_secs_f64() * 1e3);
        chunked.add(in_chunks(&mut client).await?);
    }
    Ok(Figures {
        per_second: applied / seconds,
        cpu_ms: used.whole / applied * 1e3,
        cpu_alone_ms: used.answering / applied * 1e3,
        memory_kb: (after - before) * 1e3 / applied,
        bytes: bytes as f64 / applied,
        list_ms: lists.quantile(0.5),
        chunks_ms: chunked.quantile(0.5),
    })
}

/// Milliseconds that the answers of a whole list in chunks took, without our reading of them.
async fn in_chunks(client: &mut Client) -> Result<f64> {
    let mut token = String::new();
    let mut total = 0.0;
    loop {
        let path = format!("{}?limit={CHUNK}&continue={token}", application::OBJECTS);
        let begin = Instant::now();
        let answer = client.must(Ask::get(path)).await?;
        total += begin.elapsed().as_secs_f64() * 1e3;
        token = continuation(&answer.text()).context("a list without metadata")?;
        if token.is_empty() {
            return Ok(total);
        }
    }
}

/// Where a chunk says that the next one begins. Only the list's own metadata is read:
/// it stands before the items or after them.
fn continuation(list: &str) -> Option<String> {
    let at = list.find("\"items\":")?;
    let (head, tail) = list.split_at(at);
    let end = tail.rfind(']').map_or("", |at| &tail[at..]);
    let field = "\"continue\":\"";
    let found = [head, end].into_iter().find_map(|part| part.split_once(field));
    let token = found.map_or("", |(_, rest)| rest.split('"').next().unwrap_or_default());
    // What the token may hold and a query may not.
    Some(token.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D"))
}

/// A count of Applications against a server that runs already, for a profiler.
pub async fn alone(server: &Server, count: usize) -> Result<()> {
    let figures = measure(server, count).await?;
    let Figures { per_second, cpu_ms, memory_kb, bytes, list_ms, chunks_ms, .. } = figures;
    println!(
        "{count} Applications: {per_second:.0}/s, {cpu_ms:.3} ms of CPU and {memory_kb:.1} KB each ({bytes:.0} bytes)"
    );
    println!("list {list_ms:.0} ms, in chunks {chunks_ms:.0} ms");
    Ok(())
}
