//! A platform made by the binary under test, in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::server::{self, Server};

/// A platform that is deleted with this value.
pub struct Platform {
    binary: PathBuf,
    home: PathBuf,
    /// Its directory.
    pub data: PathBuf,
    /// How long `create` took, as a whole process.
    pub took: Duration,
}

/// Runs `coracle create` with the shipped stack.
pub fn create(binary: &Path, directory: &Path) -> Result<Platform> {
    let (home, data) = (directory.join("home"), directory.join("data"));
    std::fs::create_dir_all(&home)?;
    let mut platform = Platform { binary: binary.to_owned(), home, data, took: Duration::ZERO };
    let begin = Instant::now();
    let output = platform
        .command("create")
        .args(["--port", &server::free_port()?.to_string(), "--api-port", &server::free_port()?.to_string()])
        .output()?;
    platform.took = begin.elapsed();
    if !output.status.success() {
        bail!("create failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(platform)
}

impl Platform {
    /// A command of coracle about this platform.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).args(["--name", "bench", "--data-dir"]).arg(&self.data);
        command.env("HOME", &self.home).env("KUBECONFIG", self.kubeconfig()).stdin(Stdio::null());
        command
    }

    /// The kubeconfig that `create` wrote.
    pub fn kubeconfig(&self) -> PathBuf {
        self.home.join("kubeconfig")
    }

    /// How its API is reached and measured.
    pub fn server(&self) -> Result<Server> {
        server(&self.data)
    }

    /// Resident memory of the server once it has been left alone for a while, in MB.
    pub fn settled_memory_mb(&self) -> Result<f64> {
        std::thread::sleep(Duration::from_secs(5));
        process::memory_mb(self.server()?.pid)
    }
}

/// How the API of the platform in a directory is reached and measured.
pub fn server(data: &Path) -> Result<Server> {
    let read = |name: &str| {
        let path = data.join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let config: serde_json::Value = serde_json::from_str(&read("platform.json")?)?;
    Ok(Server {
        port: u16::try_from(config["apiPort"].as_u64().context("no apiPort")?)?,
        ca: read("pki/ca.crt")?,
        token: read("pki/admin.token")?.trim().to_owned(),
        pid: read("server.pid")?.trim().parse()?,
        store: None,
    })
}

impl Drop for Platform {
    fn drop(&mut self) {
        // The directory goes anyway; a server left behind would show at the next round.
        let _ = self.command("delete").output();
    }
}
