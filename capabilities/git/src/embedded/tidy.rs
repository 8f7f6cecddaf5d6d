//! Housekeeping: packs what pushes leave behind, so that repositories stay fast.
//! It removes nothing that anyone could still ask for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::bare::Bare;
use crate::program::{Program, Running};

/// Pushes and commits after which a repository is looked at.
const PUSHES: u32 = 64;
/// Longest one housekeeping may take.
const PATIENCE: Duration = Duration::from_secs(1800);
/// When git finds something to do; objects that nothing refers to are kept in a pack.
const CONFIG: &[(&str, &str)] = &[
    ("gc.auto", "1500"),
    ("gc.autoPackLimit", "40"),
    ("gc.autoDetach", "false"),
    ("gc.pruneExpire", "never"),
    ("gc.cruftPacks", "true"),
    ("gc.reflogExpire", "never"),
];

/// Tidies a repository if enough was pushed to it.
pub async fn if_needed(bare: Arc<Bare>, program: Program) {
    if bare.untidied.load(Ordering::Relaxed) < PUSHES {
        return;
    }
    bare.untidied.store(0, Ordering::Relaxed);
    let mut command = program.command(&bare.path, CONFIG);
    // The repeated settings win over the ones that keep git from tidying by itself.
    command.args(["gc", "--auto", "--quiet"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    match Running::start(&mut command) {
        Ok(running) => {
            let tidied = running.finish(PATIENCE).await;
            tracing::debug!(repository = %bare.path.display(), tidied, "housekeeping ended");
        }
        Err(error) => tracing::warn!(repository = %bare.path.display(), %error, "housekeeping cannot start"),
    }
}
