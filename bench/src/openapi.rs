//! OpenAPI: the index (which neither server marks), and the document of `apps/v1`
//! plain, as clients ask for it, and when the client has it already.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::figures::{self, Pair};
use crate::https::{self, Ask, Client, Until};
use crate::kubeapiserver::Peer;
use crate::platform;
use crate::process;
use crate::programs::{Programs, rounds};
use crate::server::Server;

const LENGTH: Duration = Duration::from_secs(2);
const INDEX: &str = "/openapi/v3";
const DOCUMENT: &str = "/openapi/v3/apis/apps/v1";
const TITLES: [&str; 4] = ["index", "apps/v1", "apps/v1, gzip accepted", "apps/v1, If-None-Match"];

struct Figures {
    per_second: f64,
    cpu_us: f64,
}

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let (mut costs, mut rates) = (Vec::new(), Vec::new());
    for title in TITLES {
        costs.push(Pair::new(title, "µs of CPU"));
        rates.push(Pair::new(title, "requests/s"));
    }
    for _ in 0..rounds() {
        let directory = tempfile::tempdir_in(&programs.place)?;
        let platform = platform::create(&programs.coracle(), directory.path())?;
        let ours = round(&platform.server()?).await?;
        drop(platform);
        let peer = Peer::start(&programs.kubeapiserver(), directory.path()).await?;
        let theirs = round(&peer.server()).await?;
        drop(peer);
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            costs[at].add(ours.cpu_us, theirs.cpu_us);
            rates[at].add(ours.per_second, theirs.per_second);
        }
    }
    figures::print_pairs(&costs);
    figures::print_pairs(&rates);
    Ok(())
}

async fn round(server: &Server) -> Result<Vec<Figures>> {
    let mut client = Client::connect(server).await?;
    // The first request builds what later ones are given.
    client.must(Ask::get(INDEX)).await?;
    let document = client.must(Ask::get(DOCUMENT)).await?;
    let etag = document.headers.get("etag").context("no ETag")?.to_str()?.to_owned();
    process::settle(&server.pids()).await?;
    Ok(vec![
        load(server, || Ask::get(INDEX)).await?,
        load(server, || Ask::get(DOCUMENT)).await?,
        load(server, || Ask::get(DOCUMENT).compressed()).await?,
        load(server, move || Ask::get(DOCUMENT).unless(&etag)).await?,
    ])
}

/// Asks one thing again and again from one client.
async fn load(server: &Server, ask: impl Fn() -> Ask + Send + Sync + 'static) -> Result<Figures> {
    let meter = server.meter()?;
    let (latencies, seconds) = https::load(server, 1, Until::Time(LENGTH), move |_, _| ask()).await?;
    let (used, requests) = (meter.seconds()?, latencies.len() as f64);
    Ok(Figures { per_second: requests / seconds, cpu_us: used.answering / requests * 1e6 })
}
