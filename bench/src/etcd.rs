//! etcd as Debian ships it (package `etcd-server`), with its defaults: by itself,
//! driven over gRPC by its own Go client, and below kube-apiserver.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::figures::Load;
use crate::server::free_port;

/// An etcd that ends with this value.
pub struct Etcd {
    child: Child,
    address: String,
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Etcd {
    /// Starts one on a fresh directory and waits until it listens.
    pub fn start(directory: &Path) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let (url, peer) = (format!("http://{address}"), format!("http://127.0.0.1:{}", free_port()?));
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(directory)
            .args(["--listen-client-urls", &url, "--advertise-client-urls", &url, "--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer, "--initial-cluster", &format!("default={peer}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("etcd is needed: apt install etcd-server")?;
        let running = Etcd { child, address };
        let begin = Instant::now();
        while TcpStream::connect(&running.address).is_err() {
            if begin.elapsed() > Duration::from_secs(20) {
                bail!("etcd did not start");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Puts to a fresh etcd below `directory`.
pub fn puts(etcdput: &Path, directory: &Path, clients: usize, length: Duration, size: usize) -> Result<Load> {
    let running = Etcd::start(&directory.join("etcd"))?;
    let output = Command::new(etcdput)
        .args(["-endpoint", &running.address, "-clients", &clients.to_string(), "-size", &size.to_string()])
        .args(["-seconds", &length.as_secs_f64().to_string()])
        .output()?;
    let figures: Value =
        serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let number = |name: &str| figures[name].as_f64().unwrap_or(f64::NAN);
    Ok(Load { per_second: number("per_second"), p99_ms: number("p99_ms") })
}
