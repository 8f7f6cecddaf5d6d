//! The platform's directory: made, locked, and refused when it is not ours.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Result, ensure};
use server::{Config, Layout};

#[test]
fn a_directory_of_others_is_refused_untouched() -> Result<()> {
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("thesis.txt"), "precious")?;
    let refused = Layout::new(directory.path()).create(&Config::new("x"));
    ensure!(refused.is_err_and(|diagnostic| diagnostic.code == "foreign-directory"));
    ensure!(std::fs::read_dir(directory.path())?.count() == 1, "nothing was added");
    Ok(())
}

#[test]
fn only_its_owner_enters_and_one_process_serves() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let layout = Layout::new(directory.path().join("platform"));
    let mut config = Config::new("x");
    layout.create(&config)?;
    ensure!(std::fs::metadata(layout.root())?.permissions().mode() & 0o777 == 0o700);
    ensure!(std::fs::metadata(layout.config())?.permissions().mode() & 0o777 == 0o600);
    ensure!(layout.load()?.as_ref() == Some(&config));
    ensure!(layout.running().is_none());
    let lock = layout.lock()?;
    ensure!(layout.running() == Some(std::process::id()));
    ensure!(layout.lock().is_err_and(|diagnostic| diagnostic.code == "already-running"));
    drop(lock);
    ensure!(layout.running().is_none());
    config.format += 1;
    layout.save(&config)?;
    ensure!(layout.load().is_err_and(|diagnostic| diagnostic.code == "newer-format"));
    std::fs::write(layout.config(), "{")?;
    ensure!(layout.load().is_err_and(|diagnostic| diagnostic.code == "broken-config"));
    Ok(())
}

#[test]
fn a_file_is_replaced_and_nothing_beside_it() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (target, beside) = (directory.path().join("k.yaml"), directory.path().join("k.tmp"));
    std::fs::write(&target, "old")?;
    std::fs::write(&beside, "another's")?;
    server::layout::write_private(&target, b"new")?;
    ensure!(std::fs::read_to_string(&target)? == "new" && std::fs::read_to_string(&beside)? == "another's");
    ensure!(std::fs::metadata(&target)?.permissions().mode() & 0o777 == 0o600);
    ensure!(server::layout::write_private(&directory.path().join("none/k"), b"new").is_err());
    ensure!(std::fs::read_dir(directory.path())?.count() == 2, "nothing is left over");
    Ok(())
}

#[test]
fn looking_at_a_lock_does_not_keep_a_server_from_it() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let layout = Layout::new(directory.path().join("platform"));
    layout.create(&Config::new("x"))?;
    drop(layout.lock()?);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                layout.running();
            }
        });
        let outcome = (0..50).try_for_each(|_| layout.lock().map(drop));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        outcome
    })?;
    Ok(())
}
