//! A server that is measured, ours or the peer, as the benches see it: where it
//! listens, who may ask it, and which processes its work is done in.

use anyhow::Result;

use crate::process::{self, Meter};

/// A running server; whoever started it ends it.
#[derive(Clone)]
pub struct Server {
    /// Its port on the loopback address.
    pub port: u16,
    /// The certificate to trust, in PEM.
    pub ca: String,
    /// The token of somebody who may do everything.
    pub token: String,
    /// The process that answers.
    pub pid: u32,
    /// The process that stores, where that is another one.
    pub store: Option<u32>,
}

impl Server {
    /// Every process of it.
    pub fn pids(&self) -> Vec<u32> {
        std::iter::once(self.pid).chain(self.store).collect()
    }

    /// Starts to count its processor time.
    pub fn meter(&self) -> Result<Cost> {
        Ok(Cost { answering: Meter::start(&[self.pid])?, whole: Meter::start(&self.pids())? })
    }

    /// Resident memory of the process that answers, in MB, once nothing is left to do.
    pub async fn settled_memory_mb(&self) -> Result<f64> {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        process::settle(&self.pids()).await?;
        process::memory_mb(self.pid)
    }
}

/// A port that nothing listens on at the moment.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Processor time from a moment on.
pub struct Cost {
    answering: Meter,
    whole: Meter,
}

impl Cost {
    /// Seconds of the process that answers, and of the whole with its store.
    pub fn seconds(&self) -> Result<Seconds> {
        Ok(Seconds { answering: self.answering.seconds()?, whole: self.whole.seconds()? })
    }
}

/// Seconds of processor time.
#[derive(Clone, Copy)]
pub struct Seconds {
    /// Of the process that answers.
    pub answering: f64,
    /// Of that and of its store.
    pub whole: f64,
}
