//! Where platforms are on this machine. It touches nothing.

use std::path::{Path, PathBuf};

use base::Diagnostic;
use server::Layout;

use crate::cli::Named;
use crate::flags;

/// A value of the environment; empty counts as absent.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The user's home directory.
pub fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from)
}

/// The directory that holds every platform without `--data-dir`.
pub fn data_home() -> Result<PathBuf, Diagnostic> {
    let base = variable("XDG_DATA_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".local/share")));
    base.map(|base| base.join("coracle")).ok_or_else(|| {
        Diagnostic::new("no-home", "neither $XDG_DATA_HOME nor $HOME is set").hint("name a directory with --data-dir")
    })
}

/// The directory of one platform.
pub fn layout(name: &str, data_dir: Option<&Path>) -> Result<Layout, Diagnostic> {
    let root = match data_dir {
        Some(named) => std::path::absolute(named).map_err(|error| {
            Diagnostic::new("unusable-directory", format!("{} cannot be used", named.display())).detail(error)
        })?,
        None => data_home()?.join(name),
    };
    Ok(Layout::new(root))
}

/// The platform that flags name.
pub fn named(named: &Named) -> Result<(String, Layout), Diagnostic> {
    let name = flags::name(&named.name)?;
    let layout = layout(&name, named.data_dir.as_deref())?;
    Ok((name, layout))
}

/// As [`named`], and there must be one.
pub fn existing(wanted: &Named) -> Result<(server::Config, Layout), Diagnostic> {
    let (name, layout) = named(wanted)?;
    match layout.load()? {
        Some(config) => Ok((config, layout)),
        None => Err(missing(&name, &layout)),
    }
}

/// There is no such platform.
pub fn missing(name: &str, layout: &Layout) -> Diagnostic {
    Diagnostic::new("no-such-platform", format!("there is no platform {name} in {}", layout.root().display()))
        .hint("make it with `coracle create`, or name another with --name or --data-dir")
}
