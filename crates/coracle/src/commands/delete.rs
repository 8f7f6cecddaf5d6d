//! `coracle delete`: nothing of a platform stays on this machine. It must never
//! remove a directory that is not a platform's.

use std::fs;
use std::path::PathBuf;

use base::Diagnostic;
use server::Layout;

use crate::cli::Named;
use crate::{flags, kubeconfig, paths, process, record};

/// Deletes the platform that is named. One that is not there is deleted already.
pub async fn run(args: &Named) -> Result<(), Diagnostic> {
    let (name, layout) = paths::named(args)?;
    if !layout.root().exists() {
        kubeconfig::uninstall(&record::kubeconfigs(&layout), &kubeconfig::context_name(&name), "")?;
        anstream::eprintln!("there is no platform {name}; nothing to delete");
        return Ok(());
    }
    let name = recorded_name(&layout).unwrap_or(name);
    everything(&name, &layout).await?;
    anstream::eprintln!("deleted {name}");
    Ok(())
}

/// The name in the configuration, however broken or new that may be.
fn recorded_name(layout: &Layout) -> Option<String> {
    let config: serde_json::Value = serde_json::from_slice(&fs::read(layout.config()).ok()?).ok()?;
    flags::name(config["name"].as_str()?).ok()
}

/// Stops the server and removes everything. A kubeconfig that cannot be put right is reported
/// when all the rest is gone.
pub async fn everything(name: &str, layout: &Layout) -> Result<(), Diagnostic> {
    if !layout.config().exists() && layout.root().exists() {
        return Err(Diagnostic::new("foreign-directory", format!("{} is not a platform's", layout.root().display()))
            .hint("name the platform's directory with --data-dir; nothing was removed"));
    }
    process::stop(layout).await?;
    let files = record::kubeconfigs(layout);
    let previous = record::read(layout).previous_context;
    let uninstalled = kubeconfig::uninstall(&files, &kubeconfig::context_name(name), &previous);
    remove(layout).map_err(|error| {
        Diagnostic::new("unusable-directory", format!("{} cannot be removed", layout.root().display()))
            .detail(error)
            .hint("remove what remains by hand")
    })?;
    uninstalled
}

fn remove(layout: &Layout) -> std::io::Result<()> {
    // As a link it must be named without the slash that stands for what it points to.
    let root: PathBuf = layout.root().components().collect();
    if root.is_symlink() {
        fs::remove_dir_all(fs::canonicalize(&root)?)?;
        fs::remove_file(&root)?;
    } else if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    // Our own directory above goes with its last platform; it stays while it holds others.
    if let Ok(data_home) = paths::data_home()
        && layout.root().parent() == Some(data_home.as_path())
    {
        let _ = fs::remove_dir(&data_home);
    }
    Ok(())
}
