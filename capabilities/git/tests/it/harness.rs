//! A git server on a socket of this machine, a git client without the machine's
//! configuration, and HTTP by hand.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use base::{Clock, Ids, Tasks};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use capability::{Capability, Context, Endpoints, Health};
use client::fake::{FakeObjects, descriptor};
use contracts::Contracts;
use contracts::git::{Repositories, RepositoryId, Sources};
use git::Git;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// A running git server.
pub struct Server {
    pub port: u16,
    pub objects: FakeObjects,
    pub contracts: Contracts,
    pub tasks: Tasks,
    pub directory: PathBuf,
    pub password: String,
    pub token: String,
    pub work: TempDir,
}

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

impl Server {
    pub async fn start() -> Server {
        Server::with_settings(Value::Null).await
    }

    pub async fn with_settings(settings: Value) -> Server {
        let objects = FakeObjects::with_clock(Clock::system());
        objects.serve(descriptor(&git::kinds::repository_gvk(), "repositories", true, true));
        Server::over(objects, tempfile::tempdir().unwrap(), settings).await
    }

    /// A server over objects and a directory that may be there from an earlier one.
    pub async fn over(objects: FakeObjects, work: TempDir, settings: Value) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let directory = work.path().join("git");
        std::fs::create_dir_all(&directory).unwrap();
        let endpoints = Endpoints {
            name: "localdev".into(),
            protocol: "http".into(),
            host: "127.0.0.1".into(),
            port,
            path_routing: true,
            api_url: String::new(),
            ca_pem: String::new(),
        };
        let (tasks, contracts) = (Tasks::default(), Contracts::default());
        let ctx = Context {
            objects: objects.objects(),
            clock: Clock::system(),
            ids: Ids::system(),
            tasks: tasks.clone(),
            contracts: contracts.clone(),
            directory: directory.clone(),
            endpoints: Arc::new(endpoints),
            settings: Arc::new(settings),
            health: Health::unheard(),
        };
        let capability = Git::new();
        let routes = capability.provision(ctx.clone()).await.unwrap();
        capability.run(ctx).await.unwrap();
        let mut router = Router::new();
        for route in routes {
            router = router.nest_service(route.prefix, route.router);
        }
        tasks.spawn("http", async move {
            // As the platform's listener does: answers in small pieces must not wait for each other.
            let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
            axum::serve(listener, router).await.unwrap();
        });
        let secret = objects.find("secrets", "gitea", "gitea-credential").unwrap();
        let value = |key: &str| decode(&secret["data"][key]);
        let (password, token) = (value("password"), value("token"));
        Server { port, objects, contracts, tasks, directory, password, token, work }
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}/gitea", self.port)
    }

    /// A clone URL without credentials.
    pub fn url(&self, repository: &str) -> String {
        format!("{}/giteaAdmin/{repository}.git", self.base())
    }

    /// A clone URL that may push.
    pub fn own_url(&self, repository: &str) -> String {
        format!("http://giteaAdmin:{}@127.0.0.1:{}/gitea/giteaAdmin/{repository}.git", self.password, self.port)
    }

    pub fn sources(&self) -> Arc<dyn Sources> {
        self.contracts.get().unwrap()
    }

    pub fn repositories(&self) -> Arc<dyn Repositories> {
        self.contracts.get().unwrap()
    }

    pub fn bare(&self, repository: &str) -> PathBuf {
        self.directory.join(format!("repositories/giteaAdmin/{repository}.git"))
    }

    pub async fn make(&self, repository: &str) -> RepositoryId {
        let made = self.api("POST", "/user/repos", Some(json!({"name": repository}))).await;
        assert_eq!(made.status, 201, "{}", made.text());
        RepositoryId { owner: "giteaAdmin".into(), name: repository.into() }
    }

    /// A REST call as the administrator.
    pub async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let authorization = format!("Authorization: token {}", self.token);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.http(method, &format!("/gitea/api/v1{path}"), &[&authorization], body.as_bytes()).await
    }

    pub fn basic(&self) -> String {
        format!("Authorization: Basic {}", STANDARD.encode(format!("giteaAdmin:{}", self.password)))
    }

    /// One HTTP request by hand: the path goes out as it is written.
    pub async fn http(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(body).await;
        read_answer(stream).await
    }

    /// A new directory with one commit of one file on `main`.
    pub async fn workspace(&self, name: &str) -> PathBuf {
        let path = self.work.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        run(&path, &["init", "-q", "-b", "main"]).await;
        commit(&path, "a.txt", "one\n").await;
        path
    }

    /// Makes a repository and pushes one commit to it.
    pub async fn pushed(&self, repository: &str) -> PathBuf {
        self.make(repository).await;
        let path = self.workspace(repository).await;
        run(&path, &["push", "-q", &self.own_url(repository), "main"]).await;
        path
    }
}

fn decode(value: &Value) -> String {
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

pub async fn read_answer(mut stream: TcpStream) -> Answer {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    let end = all.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(all.len());
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let mut body = all.get(end + 4..).unwrap_or_default().to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = dechunk(&body);
    }
    Answer { status, head, body }
}

fn dechunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(at) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..at]).unwrap_or("0"), 16).unwrap_or(0);
        if size == 0 || raw.len() < at + 2 + size {
            break;
        }
        body.extend_from_slice(&raw[at + 2..at + 2 + size]);
        raw = raw.get(at + 4 + size..).unwrap_or_default();
    }
    body
}

/// The machine's git without the machine's configuration.
pub fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .args(arguments)
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.com")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.com")
        .env_remove("GIT_SSL_CAINFO")
        .env("LC_ALL", "C");
    command
}

pub async fn try_run(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().await.unwrap()
}

/// Runs git and answers its output; it must succeed.
pub async fn run(directory: &Path, arguments: &[&str]) -> String {
    let output = try_run(directory, arguments).await;
    let said = || [output.stdout.clone(), output.stderr.clone()].concat();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&said()));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs git and answers its errors; it must fail.
pub async fn fail(directory: &Path, arguments: &[&str]) -> String {
    let output = try_run(directory, arguments).await;
    assert!(!output.status.success(), "git {arguments:?} should fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub async fn commit(directory: &Path, file: &str, content: &str) -> String {
    std::fs::write(directory.join(file), content).unwrap();
    run(directory, &["add", "-A"]).await;
    run(directory, &["commit", "-q", "-m", &format!("change {file}")]).await;
    run(directory, &["rev-parse", "HEAD"]).await
}
