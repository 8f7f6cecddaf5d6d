//! The finalizers of an Application: who asks for a cascade, and which hooks hold it up.
//! Names only; it must never touch an object.

use client::Propagation;

use crate::hooks::DeletePhase;

/// The finalizer of the cascade; with a suffix it names how dependents go.
const CASCADE: &str = "resources-finalizer.argocd.argoproj.io";
const PRE_DELETE: &str = "pre-delete-finalizer.argocd.argoproj.io";
const PRE_DELETE_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
const POST_DELETE: &str = "post-delete-finalizer.argocd.argoproj.io";
const POST_DELETE_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";

/// One part of taking an Application away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Hooks are run.
    Run(DeletePhase),
    /// Hooks that ask for it are deleted.
    CleanUp(DeletePhase),
    /// Its objects go, and their dependents so.
    Cascade(Propagation),
}

/// The finalizer that asks for a cascade, with how dependents go.
pub fn cascade(finalizers: &[String]) -> Option<(&str, Propagation)> {
    finalizers.iter().find_map(|name| match name.strip_prefix(CASCADE)? {
        "/background" => Some((name.as_str(), Propagation::Background)),
        "" | "/foreground" => Some((name.as_str(), Propagation::Foreground)),
        _ => None,
    })
}

/// The part that is next, with the finalizer that goes when it is over.
pub fn next(finalizers: &[String]) -> Option<(&str, Stage)> {
    let held = |name: &'static str, stage| finalizers.iter().any(|held| held == name).then_some((name, stage));
    held(PRE_DELETE, Stage::Run(DeletePhase::PreDelete))
        .or_else(|| held(PRE_DELETE_CLEANUP, Stage::CleanUp(DeletePhase::PreDelete)))
        .or_else(|| cascade(finalizers).map(|(name, propagation)| (name, Stage::Cascade(propagation))))
        .or_else(|| held(POST_DELETE, Stage::Run(DeletePhase::PostDelete)))
        .or_else(|| held(POST_DELETE_CLEANUP, Stage::CleanUp(DeletePhase::PostDelete)))
}

/// The finalizers that an Application with such hooks must have; `None` if they are as they must be.
pub fn wanted(finalizers: &[String], has_pre_delete: bool, has_post_delete: bool) -> Option<Vec<String>> {
    let mut wanted = finalizers.to_vec();
    for (name, is_needed) in [
        (PRE_DELETE, has_pre_delete),
        (PRE_DELETE_CLEANUP, has_pre_delete),
        (POST_DELETE, has_post_delete),
        (POST_DELETE_CLEANUP, has_post_delete),
    ] {
        match wanted.iter().position(|held| held == name) {
            Some(index) if !is_needed => drop(wanted.remove(index)),
            None if is_needed => wanted.push(name.to_owned()),
            _ => {}
        }
    }
    (wanted != finalizers).then_some(wanted)
}
