//! What the command line remembers of a platform beside its configuration: the
//! kubeconfig it changed, so that it can be put right again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use base::Diagnostic;
use serde::{Deserialize, Serialize};
use server::Layout;

use crate::{kubeconfig, paths};

/// The record, `cli.json` in the platform's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// Kubeconfigs that hold the platform's context.
    pub kubeconfigs: BTreeSet<PathBuf>,
    /// The context that was current before.
    pub previous_context: String,
}

/// Reads the record; without one, an empty one.
pub fn read(layout: &Layout) -> Record {
    let text = std::fs::read(layout.root().join("cli.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Every kubeconfig that may hold the platform's context.
pub fn kubeconfigs(layout: &Layout) -> Vec<PathBuf> {
    let mut files = read(layout).kubeconfigs;
    files.extend(current_kubeconfigs());
    files.into_iter().collect()
}

fn current_kubeconfigs() -> Vec<PathBuf> {
    kubeconfig::files(paths::variable("KUBECONFIG").as_deref(), paths::home().as_deref())
}

/// Checks that [`install_context`] will be able to do its work.
pub fn check_kubeconfig() -> Result<(), Diagnostic> {
    kubeconfig::check(&current_kubeconfigs())
}

/// Merges the platform's context into the user's kubeconfig, and remembers where.
pub fn install_context(layout: &Layout, name: &str) -> Result<PathBuf, Diagnostic> {
    let context = kubeconfig::context_name(name);
    let (file, previous) = kubeconfig::install(&current_kubeconfigs(), &layout.kubeconfig(), &context)?;
    let mut record = read(layout);
    record.kubeconfigs.insert(file.clone());
    if previous != context {
        record.previous_context = previous;
    }
    let text = serde_json::to_vec_pretty(&record).expect("a record is plain data");
    server::layout::write_private(&layout.root().join("cli.json"), &text).map_err(|error| {
        Diagnostic::new("unusable-directory", format!("{} cannot be written", layout.root().display())).detail(error)
    })?;
    Ok(file)
}
