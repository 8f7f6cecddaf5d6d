//! Deployments on simulated nodes: how soon their pods are ready, how long a
//! rollout of them all takes, what a pod weighs, and what it all costs at rest.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::figures::{self, Series};
use crate::https::{self, Ask, Client, Until};
use crate::platform::{self, Platform};
use crate::process;
use crate::programs::{Programs, rounds};
use crate::server::Server;

const NODES: usize = 50;
const DEPLOYMENTS: usize = 100;
/// Pods of each deployment.
const REPLICAS: usize = 50;
const PODS: usize = DEPLOYMENTS * REPLICAS;
/// Pods of the one large deployment.
const LARGE: usize = 1_000;
const CLIENTS: usize = 4;
/// How long it is watched at rest.
const IDLE: Duration = Duration::from_secs(60);
/// Between two looks at what is awaited. The server answers them beside its work.
const PAUSE: Duration = Duration::from_millis(100);
/// What takes longer than this will not come.
const PATIENCE: Duration = Duration::from_secs(300);
const OBJECTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const PLATFORM: &str = "/apis/coracle.dev/v1alpha1/platforms/platform";

/// One round.
struct Figures {
    ready_s: f64,
    ready_cpu_s: f64,
    pod_kb: f64,
    rollout_s: f64,
    rollout_cpu_s: f64,
    idle_writes: f64,
    idle_cpu: f64,
    gone_s: f64,
    large_s: f64,
}

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let all = format!("{DEPLOYMENTS} Deployments of {REPLICAS} pods");
    let mut table = [
        Series::new(&format!("{all}: created to all Ready"), "s"),
        Series::new("the same, CPU of the server", "s"),
        Series::new("memory of a pod, with all that belongs to it", "KB"),
        Series::new("restart of all rollouts until complete", "s"),
        Series::new("the same, CPU of the server", "s"),
        Series::new(&format!("at rest for {} s: writes", IDLE.as_secs()), "/s"),
        Series::new("at rest: CPU", "% of a core"),
        Series::new(&format!("{all}: deleted to all gone"), "s"),
        Series::new(&format!("one Deployment of {LARGE} pods: created to all Ready"), "s"),
    ];
    for _ in 0..rounds() {
        let directory = tempfile::tempdir_in(&programs.place)?;
        let platform = platform::create(&programs.coracle(), directory.path())?;
        furnish(&platform, NODES).await?;
        let it = measure(&platform.server()?).await?;
        let values = [
            it.ready_s,
            it.ready_cpu_s,
            it.pod_kb,
            it.rollout_s,
            it.rollout_cpu_s,
            it.idle_writes,
            it.idle_cpu,
            it.gone_s,
            it.large_s,
        ];
        table.iter_mut().zip(values).for_each(|(series, value)| series.add(value));
    }
    figures::print(&table);
    Ok(())
}

/// The same once against a platform that runs already and has nodes, for a profiler.
pub async fn alone(server: &Server) -> Result<()> {
    let it = measure(server).await?;
    println!("ready {:.2} s ({:.1} s of CPU), {:.1} KB a pod", it.ready_s, it.ready_cpu_s, it.pod_kb);
    println!("rollout {:.2} s ({:.1} s of CPU)", it.rollout_s, it.rollout_cpu_s);
    println!("at rest {:.2} writes/s, {:.2} % of a core", it.idle_writes, it.idle_cpu);
    println!("gone {:.2} s, one of {LARGE} pods ready {:.2} s", it.gone_s, it.large_s);
    Ok(())
}

/// Gives a platform nodes: a setting that is read at its start.
async fn furnish(platform: &Platform, nodes: usize) -> Result<()> {
    let settings = json!({ "workloads": { "settings": { "simulatedNodes": nodes } } });
    let mut client = Client::connect(&platform.server()?).await?;
    client.must(Ask::merge(PLATFORM, json!({ "spec": { "capabilities": settings } }).to_string())).await?;
    let output = platform.command("restart").output()?;
    if !output.status.success() {
        bail!("restart failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let is_ready = |node: &Value| {
        let conditions = node["status"]["conditions"].as_array();
        conditions.is_some_and(|held| held.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"))
    };
    let all_ready = |held: &[Value]| held.len() == nodes && held.iter().all(is_ready);
    until(&platform.server()?, "/api/v1/nodes", all_ready).await
}

async fn measure(server: &Server) -> Result<Figures> {
    let before = server.settled_memory_mb().await?;

    let meter = server.meter()?;
    let begin = Instant::now();
    let create = |client: usize, count: usize| Ask::create(OBJECTS, deployment(&name(client, count), REPLICAS));
    https::load(server, CLIENTS, Until::Count(DEPLOYMENTS / CLIENTS), create).await?;
    until(server, OBJECTS, |held| held.len() == DEPLOYMENTS && held.iter().all(|it| is_complete(it, REPLICAS))).await?;
    let (ready_s, ready_cpu_s) = (begin.elapsed().as_secs_f64(), meter.seconds()?.whole);
    let pod_kb = (server.settled_memory_mb().await? - before) * 1e3 / PODS as f64;

    let meter = server.meter()?;
    let begin = Instant::now();
    // What `kubectl rollout restart` writes.
    let annotations = json!({ "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" });
    let change = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } }).to_string();
    let restart =
        move |client: usize, count: usize| Ask::merge(&format!("{OBJECTS}/{}", name(client, count)), change.clone());
    https::load(server, CLIENTS, Until::Count(DEPLOYMENTS / CLIENTS), restart).await?;
    until(server, OBJECTS, |held| held.iter().all(|it| is_complete(it, REPLICAS))).await?;
    let (rollout_s, rollout_cpu_s) = (begin.elapsed().as_secs_f64(), meter.seconds()?.whole);

    let (idle_writes, idle_cpu) = rest(server).await?;

    let begin = Instant::now();
    let delete = |client: usize, count: usize| Ask::delete(&format!("{OBJECTS}/{}", name(client, count)));
    https::load(server, CLIENTS, Until::Count(DEPLOYMENTS / CLIENTS), delete).await?;
    until(server, "/api/v1/namespaces/default/pods", <[Value]>::is_empty).await?;
    let gone_s = begin.elapsed().as_secs_f64();

    process::settle(&server.pids()).await?;
    let begin = Instant::now();
    Client::connect(server).await?.must(Ask::create(OBJECTS, deployment("large", LARGE))).await?;
    until(server, OBJECTS, |held| held.len() == 1 && held.iter().all(|it| is_complete(it, LARGE))).await?;
    let large_s = begin.elapsed().as_secs_f64();
    Ok(Figures { ready_s, ready_cpu_s, pod_kb, rollout_s, rollout_cpu_s, idle_writes, idle_cpu, gone_s, large_s })
}

/// Writes a second and percent of a core while nobody does anything.
async fn rest(server: &Server) -> Result<(f64, f64)> {
    process::settle(&server.pids()).await?;
    let (first, meter, begin) = (revision(server).await?, server.meter()?, Instant::now());
    tokio::time::sleep(IDLE).await;
    let used = meter.seconds()?.whole;
    let seconds = begin.elapsed().as_secs_f64();
    let written = revision(server).await? - first;
    Ok((written as f64 / seconds, used / seconds * 100.0))
}

/// The revision of the newest write of any kind.
async fn revision(server: &Server) -> Result<u64> {
    let mut client = Client::connect(server).await?;
    let list = client.must(Ask::get("/api/v1/namespaces/default/configmaps?limit=1")).await?;
    let list: Value = serde_json::from_str(&list.text())?;
    Ok(list["metadata"]["resourceVersion"].as_str().context("a list without a revision")?.parse()?)
}

/// Looks again and again until the objects of a list are as they should be.
async fn until(server: &Server, path: &str, is_done: impl Fn(&[Value]) -> bool) -> Result<()> {
    // A connection of its own: the server closes those that have been idle for long.
    let mut client = Client::connect(server).await?;
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let list: Value = serde_json::from_str(&client.must(Ask::get(path)).await?.text())?;
        if is_done(list["items"].as_array().map_or(&[], Vec::as_slice)) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("{path} did not become what it should be in {} s", PATIENCE.as_secs())
}

/// As `kubectl rollout status` judges: all pods are of the newest template, ready, and alone.
fn is_complete(deployment: &Value, replicas: usize) -> bool {
    let status = &deployment["status"];
    let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && counts.iter().all(|count| status[*count] == replicas)
}

fn name(client: usize, count: usize) -> String {
    format!("web-{client}-{count}")
}

fn deployment(name: &str, replicas: usize) -> String {
    let labels = json!({ "app": name });
    let container = json!({
        "name": "web", "image": "registry.example.com/shop/web:v1.24.3", "ports": [{ "containerPort": 8080 }],
        "env": [{ "name": "SHOP_STAGE", "value": "production" }],
        "resources": { "requests": { "cpu": "10m", "memory": "16Mi" } },
    });
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [container] } });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": { "replicas": replicas, "selector": { "matchLabels": labels }, "template": template },
    })
    .to_string()
}
