//! The one list of what the platform can do. Nothing else names capabilities.

use capability::Capability;

/// Every capability, without side effects.
pub fn all() -> Vec<Box<dyn Capability>> {
    vec![
        Box::new(core_loops::capability()),
        Box::new(git::Git::new()),
        Box::new(gitops::Gitops::default()),
        Box::new(packages::Packages::new()),
        Box::new(workloads::capability()),
    ]
}
