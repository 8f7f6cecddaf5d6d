//! Server-side apply of objects of 10 KB: processor time of one apply that
//! creates, that changes a field, and that changes nothing.

use std::time::Duration;

use anyhow::Result;

use crate::figures::{self, Pair};
use crate::https::{self, Ask, Client, Until};
use crate::kubeapiserver::Peer;
use crate::objects::Kind;
use crate::platform;
use crate::programs::{Programs, rounds};
use crate::server::Server;
use crate::{application, install, process};

const LENGTH: Duration = Duration::from_millis(1500);
const CLIENTS: [usize; 2] = [1, 8];

/// What an apply does.
#[derive(Clone, Copy)]
pub enum Does {
    /// A new object.
    Create,
    /// One field of the spec.
    Change,
    /// What is there already.
    Nothing,
}

const ALL: [Does; 3] = [Does::Create, Does::Change, Does::Nothing];

impl Does {
    fn title(self) -> &'static str {
        match self {
            Does::Create => "creates",
            Does::Change => "changes one field",
            Does::Nothing => "changes nothing",
        }
    }
}

/// One round's figures of one load.
pub struct Figures {
    per_second: f64,
    cpu_us: f64,
    cpu_alone_us: f64,
}

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let mut costs = Vec::new();
    let mut rates = Vec::new();
    for kind in [Kind::Application, Kind::Deployment] {
        for clients in CLIENTS {
            for does in ALL {
                let name = format!("{} {}, {clients} clients", kind.title(), does.title());
                costs.push(Pair::new(&name, "µs of CPU"));
                rates.push(Pair::new(&name, "applies/s"));
            }
        }
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
            costs[at].add_with_store(ours.cpu_us, theirs.cpu_us, theirs.cpu_alone_us);
            rates[at].add(ours.per_second, theirs.per_second);
        }
    }
    figures::print_pairs(&costs);
    figures::print_pairs(&rates);
    Ok(())
}

async fn round(server: &Server) -> Result<Vec<Figures>> {
    install::definitions(server, &[application::definition()]).await?;
    let mut figures = Vec::new();
    for kind in [Kind::Application, Kind::Deployment] {
        for clients in CLIENTS {
            for does in ALL {
                figures.push(load(server, kind, does, clients, LENGTH).await?);
            }
        }
    }
    Ok(figures)
}

/// Applies for a while and says what it cost.
pub async fn load(server: &Server, kind: Kind, does: Does, clients: usize, length: Duration) -> Result<Figures> {
    let template = kind.template();
    let path = kind.objects();
    let mut first = Client::connect(server).await?;
    for client in 0..clients {
        let name = format!("held-{clients}-{client}");
        first.must(Ask::apply(&format!("{path}/{name}"), template.object(&name, "first"))).await?;
    }
    process::settle(&server.pids()).await?;
    let meter = server.meter()?;
    let ask = move |client: usize, count: usize| {
        let held = format!("held-{clients}-{client}");
        let (name, field) = match does {
            Does::Create => (format!("new-{clients}-{client}-{count}"), "first".to_owned()),
            Does::Change => (held, format!("field-{count}")),
            Does::Nothing => (held, "first".to_owned()),
        };
        Ask::apply(&format!("{path}/{name}"), template.object(&name, &field))
    };
    let (latencies, seconds) = https::load(server, clients, Until::Time(length), ask).await?;
    let used = meter.seconds()?;
    let applies = latencies.len() as f64;
    Ok(Figures {
        per_second: applies / seconds,
        cpu_us: used.whole / applies * 1e6,
        cpu_alone_us: used.answering / applies * 1e6,
    })
}

/// One load against a server that runs already, for a profiler.
pub async fn alone(server: &Server, kind: &str, does: &str, clients: usize, length: Duration) -> Result<()> {
    let kind = if kind == "deployment" { Kind::Deployment } else { Kind::Application };
    let does = match does {
        "create" => Does::Create,
        "change" => Does::Change,
        _ => Does::Nothing,
    };
    install::definitions(server, &[application::definition()]).await?;
    let Figures { per_second, cpu_us, .. } = load(server, kind, does, clients, length).await?;
    println!("{} {}: {per_second:.0}/s, {cpu_us:.0} µs of CPU each", kind.title(), does.title());
    Ok(())
}
