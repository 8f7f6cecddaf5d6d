//! `kill -9` of a whole platform, again and again on the same directory: what was
//! acknowledged is there afterwards, and git and the cluster agree. The seed is
//! printed; `CORACLE_CRASH_SEED` repeats a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use server::{Config, Layout};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

const PATIENCE: Duration = Duration::from_secs(30);

/// A platform whose server is a process of its own.
struct Platform {
    layout: Layout,
    child: Option<tokio::process::Child>,
    _directory: TempDir,
}

impl Platform {
    async fn new() -> Result<Platform> {
        let directory = tempfile::tempdir()?;
        let mut config = Config::new("crash");
        (config.host, config.path_routing) = ("localhost".into(), true);
        config.ingress_host = config.host.clone();
        // The address of the git server stands in Applications, so it must last.
        (config.port, config.api_port) = (free_port()?, 0);
        let layout = Layout::new(directory.path().join("platform"));
        layout.create(&config)?;
        let mut platform = Platform { layout, child: None, _directory: directory };
        platform.start().await?;
        Ok(platform)
    }

    async fn start(&mut self) -> Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.layout.log())?;
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["serve", "--data-dir"])
            .arg(self.layout.root())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("standard output is piped")?;
        tokio::time::timeout(PATIENCE, BufReader::new(output).read_line(&mut line)).await??;
        ensure!(line.contains("ready"), "the server did not come up again: {line}");
        self.child = Some(child);
        Ok(())
    }

    async fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("a server runs")?;
        child.kill().await?;
        Ok(())
    }

    async fn client(&self) -> Result<kube::Client> {
        let kubeconfig = kube::config::Kubeconfig::read_from(self.layout.kubeconfig())?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        Ok(kube::Client::try_from(config)?)
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Numbers that follow from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn from_environment() -> Draw {
        let stated = std::env::var("CORACLE_CRASH_SEED").ok().and_then(|text| text.parse().ok());
        let mut random = [0u8; 8];
        base::Ids::system().fill(&mut random);
        let seed = stated.unwrap_or(u64::from_le_bytes(random));
        println!("repeat with CORACLE_CRASH_SEED={seed}");
        Draw(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn kind(group: &str, version: &str, name: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, name))
}

fn configmaps(client: kube::Client, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client, namespace, &kind("", "v1", "ConfigMap"))
}

/// Creates until the server goes away; returns the names that were acknowledged.
async fn create_until_killed(client: kube::Client, prefix: String, acknowledged: Arc<AtomicUsize>) -> Vec<String> {
    let configmaps = configmaps(client, "default");
    let mut names = Vec::new();
    loop {
        let name = format!("{prefix}-{}", names.len());
        let mut object = DynamicObject::new(&name, &kind("", "v1", "ConfigMap"));
        object.data = json!({"data": {"name": name}});
        if configmaps.create(&PostParams::default(), &object).await.is_err() {
            return names;
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
        names.push(name);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a test has no tasks to supervise")]
async fn no_acknowledged_create_is_lost() -> Result<()> {
    let mut draw = Draw::from_environment();
    let mut platform = Platform::new().await?;
    let mut expected: Vec<String> = Vec::new();
    for round in 0..5 {
        let client = platform.client().await?;
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                tokio::spawn(create_until_killed(client.clone(), format!("c{round}-{writer}"), acknowledged.clone()))
            })
            .collect();
        let enough = 200 + usize::try_from(draw.below(100))?;
        while acknowledged.load(Ordering::Relaxed) < enough && !writers.iter().all(tokio::task::JoinHandle::is_finished)
        {
            tokio::task::yield_now().await;
        }
        platform.kill().await?;
        for writer in writers {
            expected.extend(writer.await?);
        }
        platform.start().await?;
        let listed = configmaps(platform.client().await?, "default").list(&ListParams::default()).await?;
        let held: BTreeMap<String, String> = listed
            .items
            .iter()
            .map(|object| {
                (
                    object.metadata.name.clone().unwrap_or_default(),
                    object.metadata.resource_version.clone().unwrap_or_default(),
                )
            })
            .collect();
        let lost: Vec<&String> = expected.iter().filter(|name| !held.contains_key(*name)).collect();
        ensure!(lost.is_empty(), "round {round}: {} of {} are lost: {lost:?}", lost.len(), expected.len());
        let mut revisions: Vec<&String> = held.values().collect();
        revisions.sort();
        revisions.dedup();
        ensure!(revisions.len() == held.len(), "every object has a revision of its own");
    }
    ensure!(expected.len() >= 1000, "{} creates were acknowledged", expected.len());
    Ok(())
}

/// A clone that commits and pushes.
struct Clone {
    directory: PathBuf,
    ca: PathBuf,
}

impl Clone {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.directory).env("GIT_SSL_CAINFO", &self.ca).env("GIT_TERMINAL_PROMPT", "0");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        ensure!(self.command(arguments).status()?.success(), "git {} failed", arguments.join(" "));
        Ok(())
    }

    fn commit(&self, number: u64) -> Result<()> {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "counted"}, "data": {"n": number.to_string()}});
        std::fs::write(self.directory.join("object.json"), object.to_string())?;
        self.git(&["add", "."])?;
        self.git(&["commit", "-qm", &number.to_string()])
    }

    fn push(&self) -> Result<Child> {
        Ok(self.command(&["push", "-q", "origin", "main"]).spawn()?)
    }
}

/// Where the git server is and how to get in.
async fn repository_url(platform: &Platform) -> Result<String> {
    let client = platform.client().await?;
    let secrets: Api<DynamicObject> = Api::namespaced_with(client, "gitea", &kind("", "v1", "Secret"));
    let secret = secrets.get("gitea-credential").await?;
    let read = |name: &str| -> Result<String> {
        let encoded = secret.data["data"][name].as_str().context("the credential has a user and a password")?;
        Ok(String::from_utf8(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded)?)?)
    };
    Ok(format!(
        "https://{}:{}@{}/giteaAdmin/crash.git",
        read("username")?,
        read("password")?,
        git_host(platform).await?
    ))
}

async fn git_host(platform: &Platform) -> Result<String> {
    let client = platform.client().await?;
    let repositories: Api<DynamicObject> =
        Api::namespaced_with(client, "gitea", &kind("coracle.dev", "v1alpha1", "Repository"));
    let repository = wait_for(&repositories, "crash", |object| object.data["status"]["cloneURL"].is_string()).await?;
    let url = repository.data["status"]["cloneURL"].as_str().unwrap_or_default().to_owned();
    let host = url.trim_start_matches("https://").split("/giteaAdmin").next().unwrap_or_default();
    Ok(host.to_owned())
}

/// Watches an object until it is as wanted.
async fn wait_for(
    api: &Api<DynamicObject>,
    name: &str,
    wanted: impl Fn(&DynamicObject) -> bool,
) -> Result<DynamicObject> {
    let look = async {
        loop {
            let parameters = WatchParams::default().fields(&format!("metadata.name={name}"));
            let mut events = api.watch(&parameters, "0").await?.boxed();
            while let Some(Ok(event)) = events.next().await {
                if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event
                    && wanted(&object)
                {
                    return Ok(object);
                }
            }
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(outcome) => outcome,
        Err(_) => bail!("{name} did not become as wanted: {:?}", api.get_opt(name).await?.map(|object| object.data)),
    }
}

async fn create(platform: &Platform, resource: &ApiResource, namespace: &str, object: Value) -> Result<()> {
    let api: Api<DynamicObject> = Api::namespaced_with(platform.client().await?, namespace, resource);
    api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn git_and_the_cluster_agree_after_every_kill() -> Result<()> {
    let mut draw = Draw::from_environment();
    let mut platform = Platform::new().await?;
    create(&platform, &kind("coracle.dev", "v1alpha1", "Repository"), "gitea", json!({
        "apiVersion": "coracle.dev/v1alpha1", "kind": "Repository", "metadata": {"name": "crash", "namespace": "gitea"},
        "spec": {"owner": "giteaAdmin", "name": "crash"},
    })).await?;
    let work = tempfile::tempdir()?;
    let clone = Clone { directory: work.path().to_owned(), ca: platform.layout.pki().join("ca.crt") };
    clone.git(&["init", "-q", "-b", "main"])?;
    clone.git(&["remote", "add", "origin", "none"])?;
    let mut acknowledged = 0;
    for number in 1..=6 {
        clone.git(&["remote", "set-url", "origin", &repository_url(&platform).await?])?;
        clone.commit(number)?;
        if number == 1 {
            ensure!(clone.push()?.wait()?.success(), "the first push passes");
            acknowledged = 1;
            let source = clone_url(&platform).await?;
            create(&platform, &kind("argoproj.io", "v1alpha1", "Application"), "argocd", application(&source)).await?;
            continue;
        }
        let mut push = clone.push()?;
        // Somewhere from before the first byte to after the sync.
        tokio::time::sleep(Duration::from_millis(draw.below(250))).await;
        platform.kill().await?;
        if push.wait()?.success() {
            acknowledged = number;
        }
        platform.start().await?;
        settle(&platform, acknowledged).await?;
        fsck(&platform.layout.capability("git"))?;
    }
    Ok(())
}

/// The branch holds what was acknowledged or what came after it, and the cluster shows the same.
async fn settle(platform: &Platform, acknowledged: u64) -> Result<()> {
    let client = platform.client().await?;
    let repositories: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), "gitea", &kind("coracle.dev", "v1alpha1", "Repository"));
    let bare = find_bare(&platform.layout.capability("git"))?;
    let output = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("git").arg("--git-dir").arg(&bare).args(arguments).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let head = output(&["rev-parse", "refs/heads/main"])?;
    let number: u64 = output(&["log", "-1", "--format=%s", "refs/heads/main"])?.parse()?;
    ensure!(number >= acknowledged, "push {acknowledged} was acknowledged, but the branch is at {number}");
    wait_for(&repositories, "crash", |object| object.data["status"]["revision"] == json!(head)).await?;
    let applications: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), "argocd", &kind("argoproj.io", "v1alpha1", "Application"));
    wait_for(&applications, "crash", |object| {
        let status = &object.data["status"];
        status["sync"]["status"] == "Synced" && status["sync"]["revision"] == json!(head)
    })
    .await?;
    let counted = configmaps(client, "crash").get("counted").await?;
    ensure!(counted.data["data"]["n"] == json!(number.to_string()), "{}", counted.data);
    Ok(())
}

async fn clone_url(platform: &Platform) -> Result<String> {
    Ok(format!("https://{}/giteaAdmin/crash.git", git_host(platform).await?))
}

fn application(source: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "crash", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": source, "targetRevision": "main", "path": "."},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "crash"},
            "syncPolicy": {"automated": {"selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
        },
    })
}

fn find_bare(directory: &Path) -> Result<PathBuf> {
    let output = Command::new("find").arg(directory).args(["-type", "d", "-name", "crash.git"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(PathBuf::from(text.lines().next().context("the bare repository is on disk")?))
}

fn fsck(directory: &Path) -> Result<()> {
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(find_bare(directory)?)
        .args(["fsck", "--full", "--strict"])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
