//! A home directory and two free ports for one test; its platforms go with it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub struct Sandbox {
    pub home: tempfile::TempDir,
    pub port: u16,
    pub api_port: u16,
}

pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        let ports: Vec<TcpListener> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let port = |at: usize| ports[at].local_addr().expect("it is bound").port();
        Sandbox { home: tempfile::tempdir().expect("a directory"), port: port(0), api_port: port(1) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn platform(&self) -> PathBuf {
        self.path(".local/share/coracle/localdev")
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_coracle")), arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(self.home.path()).stdin(Stdio::null());
        command.env("HOME", self.home.path()).env("KUBECONFIG", self.kubeconfig());
        command.env_remove("XDG_DATA_HOME").env_remove("CODESPACES").env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments))
    }

    /// `create` on this sandbox's ports.
    pub fn create(&self, arguments: &[&str]) -> Said {
        let (port, api_port) = (self.port.to_string(), self.api_port.to_string());
        self.run(&[&["create", "--port", &port, "--api-port", &api_port, "--timeout", "60s"], arguments].concat())
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Said {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin/kubectl");
        let kubectl = std::env::var_os("CORACLE_TEST_KUBECTL").map_or(default, PathBuf::from);
        assert!(kubectl.exists(), "{} is not there: `cargo xtask test` makes it", kubectl.display());
        said(self.prepared(Command::new(kubectl), arguments))
    }

    /// What `get packages` says of one Application: sync and health.
    pub fn application(&self, name: &str) -> (String, String) {
        let packages = self.run(&["get", "packages", "-o", "json"]).json();
        let found =
            packages.as_array().into_iter().flatten().find(|package| {
                package["ArgocdRepository"].as_str().unwrap_or_default().ends_with(&format!("/{name}"))
            });
        let text = |key: &str| found.and_then(|found| found[key].as_str()).unwrap_or_default().to_owned();
        (text("Sync"), text("Health"))
    }

    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("is writable");
        fs::write(&path, text).expect("is writable");
        path
    }

    /// Copies a fixture, with what `edit` makes of each file.
    pub fn fixture(&self, from: &Path, name: &str, edit: &dyn Fn(String) -> String) -> String {
        let to = self.path(name);
        copy(from, &to, edit);
        to.display().to_string()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.run(&["delete"]);
    }
}

impl Said {
    #[track_caller]
    pub fn ok(self) -> Said {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn fails(self, code: i32, with: &str) -> Said {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        assert!(self.stderr.contains(with), "{with} is not in:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

pub fn said(mut command: Command) -> Said {
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn copy(from: &Path, to: &Path, edit: &dyn Fn(String) -> String) {
    fs::create_dir_all(to).expect("is writable");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target, edit);
        } else {
            let text = fs::read_to_string(entry.path()).expect("is text");
            fs::write(target, edit(text)).expect("is writable");
        }
    }
}

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// CNOE's own examples, where they are present.
pub fn shared() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cnoe");
    shared.exists().then_some(shared)
}
