//! What is measured and where: the built programs, and a directory on the disk
//! that counts.

use std::path::PathBuf;

/// Rounds of every measurement; the median is what counts.
pub const ROUNDS: usize = 5;

/// Rounds to make: fewer only while a bench itself is being worked on.
pub fn rounds() -> usize {
    let asked = std::env::var("CORACLE_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(ROUNDS)
}

/// The programs under test and the place for their data.
pub struct Programs {
    /// Where `cargo xtask bench` put them.
    pub folder: PathBuf,
    /// Every round gets a directory of its own in it.
    pub place: PathBuf,
}

impl Programs {
    /// Ours.
    pub fn coracle(&self) -> PathBuf {
        self.folder.join("coracle")
    }

    /// The client of etcd.
    pub fn etcdput(&self) -> PathBuf {
        self.folder.join("etcdput")
    }

    /// The peer of the API.
    pub fn kubeapiserver(&self) -> PathBuf {
        self.folder.join("kubeapiserver")
    }
}
