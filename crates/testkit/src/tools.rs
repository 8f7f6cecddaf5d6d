//! Where the clients are that the test command builds or installs.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The project's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The kubectl that `cargo xtask test` builds.
pub fn kubectl() -> Result<PathBuf> {
    find("CORACLE_TEST_KUBECTL", "target/tools/bin/kubectl")
}

/// The Python with the `kubernetes` client that `cargo xtask test` installs.
pub fn python() -> Result<PathBuf> {
    find("CORACLE_TEST_PYTHON", "target/tools/venv/bin/python")
}

fn find(variable: &str, default: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).map_or_else(|| root().join(default), PathBuf::from);
    if !path.exists() {
        bail!("{} is not there: `cargo xtask test` makes it, or name another with {variable}", path.display());
    }
    Ok(path)
}
