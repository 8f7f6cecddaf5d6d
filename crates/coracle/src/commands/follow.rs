//! `--no-exit`: local packages are followed, and every change of theirs is asked
//! for anew. It must never write into a package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Diagnostic};
use client::Objects;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use server::Config;
use tokio::sync::Notify;

use crate::arguments::Package;
use crate::localbuild;
use crate::wait::{Goal, Verdict};
use crate::watch::Watch;

/// Editors write in several steps, and none says when it is done: changes count as one
/// when so much time passes without another.
const QUIET: Duration = Duration::from_millis(60);
/// How long one change may take to be in place before the next is looked at.
const PATIENCE: Duration = Duration::from_secs(30);

/// Follows the packages until the process is told to end. A change that cannot be synced, for
/// one because the server is stopped, is told and does not end it.
pub async fn run(
    objects: &dyn Objects,
    watch: &Watch,
    config: &Config,
    packages: &[Package],
    clock: &Clock,
) -> Result<(), Diagnostic> {
    let changed = Arc::new(Notify::new());
    let mut watcher = watcher(changed.clone())?;
    let mut followed = BTreeSet::new();
    follow(&mut watcher, &mut followed, directories(packages, watch))?;
    for directory in &followed {
        anstream::eprintln!("following {}", directory.display());
    }
    loop {
        changed.notified().await;
        while tokio::time::timeout(QUIET, changed.notified()).await.is_ok() {}
        let took = clock.stopwatch();
        let start_time = match localbuild::ask(objects, clock, config, None).await {
            Ok(start_time) => start_time,
            // It may be started again: the next change will be its next chance.
            Err(diagnostic) => {
                anstream::eprintln!("not synced: {diagnostic}");
                continue;
            }
        };
        let goal = Goal { start_time, healthy: false };
        match tokio::time::timeout(PATIENCE, watch.until_settled(&goal, &mut |_| {})).await {
            Ok(Verdict::Done(_)) => anstream::eprintln!("synced in {} ms", took.elapsed().as_millis()),
            Ok(Verdict::Refused(refusals)) => {
                for refusal in refusals {
                    anstream::eprintln!("not synced: {}: {}", refusal.name, refusal.why);
                }
            }
            Ok(Verdict::Waiting(_)) | Err(_) => anstream::eprintln!("not synced yet; look with `coracle status`"),
        }
        // What is gone is no longer followed, so that it is followed anew when it is back.
        followed.retain(|directory| directory.exists());
        if let Err(diagnostic) = follow(&mut watcher, &mut followed, directories(packages, watch)) {
            anstream::eprintln!("not synced: {diagnostic}");
        }
    }
}

/// The packages' own directories, and those that their `cnoe://` addresses name.
fn directories(packages: &[Package], watch: &Watch) -> BTreeSet<PathBuf> {
    let seen = watch.look();
    let named = seen.repositories.into_iter().filter(|repository| repository.spec.source.kind == "local");
    let mut directories: BTreeSet<PathBuf> =
        named.map(|repository| PathBuf::from(repository.spec.source.path)).collect();
    directories.extend(packages.iter().filter_map(Package::local).map(Path::to_path_buf));
    let installed = seen.localbuild.map(|localbuild| localbuild.spec.package_configs).unwrap_or_default();
    directories.extend(installed.custom_package_dirs.iter().map(PathBuf::from));
    // One within another is followed with it.
    let all = directories.clone();
    directories.retain(|directory| !all.iter().any(|other| other != directory && directory.starts_with(other)));
    directories
}

fn follow(
    watcher: &mut RecommendedWatcher,
    followed: &mut BTreeSet<PathBuf>,
    wanted: BTreeSet<PathBuf>,
) -> Result<(), Diagnostic> {
    for directory in wanted {
        if followed.contains(&directory) {
            continue;
        }
        watcher.watch(&directory, RecursiveMode::Recursive).map_err(|error| cannot_follow(&error))?;
        followed.insert(directory);
    }
    Ok(())
}

fn watcher(changed: Arc<Notify>) -> Result<RecommendedWatcher, Diagnostic> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error may hide a change: better to look once too often.
        if event.map_or(true, |event| concerns(&event)) {
            changed.notify_one();
        }
    })
    .map_err(|error| cannot_follow(&error))
}

/// Reading changes nothing, and git's own files are not deployed.
fn concerns(event: &notify::Event) -> bool {
    let outside_git = |path: &PathBuf| path.components().all(|name| name.as_os_str() != ".git");
    let is_read = matches!(event.kind, EventKind::Access(_));
    !is_read && (event.paths.is_empty() || event.paths.iter().any(outside_git))
}

fn cannot_follow(error: &notify::Error) -> Diagnostic {
    Diagnostic::new("cannot-follow", "changes of the packages cannot be followed")
        .detail(error)
        .hint("raise fs.inotify.max_user_watches, or run coracle create again after each change")
}
