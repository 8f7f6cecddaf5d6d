//! The peer: kube-apiserver built from its Go module (`bench/kubeapiserver`) with
//! Debian's etcd on the same disk, serving loopback TLS to one token. No
//! controllers run beside it, and nobody is asked what the token may do.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::etcd::Etcd;
use crate::https::{Ask, Client};
use crate::server::{Server, free_port};

const TOKEN: &str = "bench";
/// It takes some three seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A kube-apiserver and its etcd, which end with this value.
pub struct Peer {
    child: Child,
    // Fields are dropped in order, after the apiserver was ended.
    etcd: Etcd,
    port: u16,
    ca: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    /// Starts both on fresh directories below `directory` and waits until they serve.
    pub async fn start(binary: &Path, directory: &Path) -> Result<Self> {
        let etcd = Etcd::start(&directory.join("peer-etcd"))?;
        let home = directory.join("peer");
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("tokens.csv"), format!("{TOKEN},admin,1,\"system:masters\"\n"))?;
        let key = rcgen::KeyPair::generate()?;
        std::fs::write(home.join("accounts.key"), key.serialize_pem())?;
        std::fs::write(home.join("accounts.pub"), key.public_key_pem())?;
        let port = free_port()?;
        let child = Command::new(binary)
            .current_dir(&home)
            .args(["--etcd-servers", &etcd.url(), "--secure-port", &port.to_string()])
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--cert-dir=certificates"])
            .args(["--service-account-key-file=accounts.pub", "--service-account-signing-key-file=accounts.key"])
            .args(["--service-account-issuer=https://kubernetes.default.svc"])
            .args(["--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=AlwaysAllow"])
            // Accounts are made by a controller, and none runs.
            .args(["--token-auth-file=tokens.csv", "--disable-admission-plugins=ServiceAccount"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(home.join("log"))?)
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let mut peer = Peer { child, etcd, port, ca: String::new() };
        let begin = Instant::now();
        loop {
            peer.ca = std::fs::read_to_string(home.join("certificates/apiserver.crt")).unwrap_or_default();
            if peer.is_ready().await {
                return Ok(peer);
            }
            if let Some(status) = peer.child.try_wait()? {
                let log = std::fs::read_to_string(home.join("log"))?;
                bail!("kube-apiserver ended, {status}: {}", log.lines().last().unwrap_or_default());
            }
            if begin.elapsed() > PATIENCE {
                bail!("kube-apiserver did not start");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// How it is reached and measured.
    pub fn server(&self) -> Server {
        Server {
            port: self.port,
            ca: self.ca.clone(),
            token: TOKEN.into(),
            pid: self.child.id(),
            store: Some(self.etcd.pid()),
        }
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut client) = Client::connect(&self.server()).await else { return false };
        let namespace = client.must(Ask::get("/api/v1/namespaces/default")).await;
        namespace.is_ok() && client.must(Ask::get("/readyz")).await.is_ok()
    }
}
