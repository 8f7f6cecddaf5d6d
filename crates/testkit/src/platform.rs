//! A platform in this process: real store, real listeners on free ports, its own
//! certificate authority, on a directory that goes with it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use capability::{Capability, Endpoints};
use client::Objects;
use contracts::Contracts;
use server::{Config, Layout, Running, Server};
use tempfile::TempDir;

/// A running platform.
pub struct Platform {
    /// Its objects, in process, as the administrator.
    pub objects: Arc<dyn Objects>,
    /// Its addresses.
    pub endpoints: Arc<Endpoints>,
    /// What its capabilities offer each other, and the server to them.
    pub contracts: Contracts,
    layout: Layout,
    running: Option<Running>,
    _directory: TempDir,
}

impl Platform {
    /// A platform with these capabilities, on free ports and `localhost`.
    pub async fn start(capabilities: Vec<Box<dyn Capability>>) -> Result<Platform> {
        Self::start_with(capabilities, |_| {}).await
    }

    /// The same, with a configuration that the test adjusts.
    pub async fn start_with(
        capabilities: Vec<Box<dyn Capability>>,
        adjust: impl FnOnce(&mut Config),
    ) -> Result<Platform> {
        let directory = tempfile::tempdir()?;
        let mut config = Config::new("test");
        config.host = "localhost".into();
        config.ingress_host = "localhost".into();
        config.path_routing = true;
        config.port = 0;
        config.api_port = 0;
        // Nobody makes the accounts that pods run as where `core` is not among them.
        if !capabilities.iter().any(|capability| capability.descriptor().name == "core") {
            config.disabled_admission.push("ServiceAccount".into());
        }
        adjust(&mut config);
        let layout = Layout::new(directory.path().join("platform"));
        layout.create(&config)?;
        let running = Server::start(layout.clone(), config, capabilities).await?;
        Ok(Platform {
            objects: running.objects.clone(),
            endpoints: running.endpoints.clone(),
            contracts: running.contracts.clone(),
            layout,
            running: Some(running),
            _directory: directory,
        })
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// Where the platform's files are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A client of kube-rs, over TLS with the administrator's certificate.
    pub async fn kube(&self) -> Result<kube::Client> {
        let text = kube::config::Kubeconfig::read_from(self.kubeconfig())?;
        let mut config =
            kube::Config::from_custom_kubeconfig(text, &kube::config::KubeConfigOptions::default()).await?;
        // Tests see every refusal, also one that a client would take for a request to come again.
        config.default_retry = false;
        kube::Client::try_from(config).context("a client could not be made")
    }

    /// Ends the platform in order.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}
