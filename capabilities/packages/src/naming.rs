//! Names: of namespaces, objects, repositories, labels and annotations, as
//! CNOE's builder gives them. Pure; it must never ask whether a name is taken.

use contracts::git::RepositoryId;

/// Who owns every repository that a package makes. Case matters.
pub const REPOSITORY_OWNER: &str = "giteaAdmin";
/// Branch that packages are committed to.
pub const BRANCH: &str = "main";
/// Field manager and prefix of namespaces, for compatibility with CNOE's tools.
pub const FIELD_MANAGER: &str = "idpbuilder";

/// Label: name of the package that an Application belongs to.
pub const PACKAGE_NAME: &str = "cnoe.io/package-name";
/// Label: `core` or `custom`.
pub const PACKAGE_TYPE: &str = "cnoe.io/package-type";
/// Label and annotation: the invocation that asked for an object.
pub const CLI_START_TIME: &str = "cnoe.io/cli-start-time";
/// Annotation: the invocation that a controller has finished.
pub const LAST_OBSERVED: &str = "cnoe.io/last-observed-cli-start-time";
/// Annotation: position of the package on the command line; higher wins.
pub const PRIORITY: &str = "cnoe.io/package-priority";
/// Annotation: the `-p` argument.
pub const SOURCE_PATH: &str = "cnoe.io/package-source-path";
/// Holds a CustomPackage until its Application is gone.
pub const FINALIZER: &str = "idpbuilder.cnoe.io/custom-package";

/// Longest name given to an object or repository; leaves room for prefixes.
const NAME_LIMIT: usize = 180;

/// The namespace of a platform's package objects.
pub fn namespace(localbuild: &str) -> String {
    format!("idpbuilder-{localbuild}")
}

/// Name of the CustomPackage for an Application found in `file`.
pub fn custom_package(file: &str, app: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    let stem = base.split('.').next().unwrap_or(base);
    shorten(&object_name(&format!("{}-{app}", stem.to_lowercase())))
}

/// Name of the GitRepository for the directory `basename` of an Application.
pub fn git_repository(app: &str, basename: &str) -> String {
    shorten(&object_name(&format!("{app}-{basename}")))
}

/// `name` made distinct by a short hash of what it stands for.
pub fn distinct(name: &str, of: &str) -> String {
    format!("{name}-{}", short_hash(of))
}

/// The repository behind a GitRepository. In the root cluster it is called as
/// CNOE's builder calls it; elsewhere the cluster's name keeps it apart.
pub fn repository(cluster: &api::ClusterName, namespace: &str, name: &str) -> RepositoryId {
    let name = if cluster.is_root() { format!("{namespace}-{name}") } else { format!("{cluster}.{namespace}-{name}") };
    RepositoryId { owner: REPOSITORY_OWNER.to_owned(), name }
}

/// Eight hexadecimal digits that stand for a text (FNV-1a): enough to tell the few
/// directories of one Application apart, and the same on every machine.
pub fn short_hash(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// A DNS subdomain as near to `text` as can be.
fn object_name(text: &str) -> String {
    let replaced: String = text
        .chars()
        .map(|letter| match letter.to_ascii_lowercase() {
            kept @ ('a'..='z' | '0'..='9' | '-' | '.') => kept,
            _ => '-',
        })
        .collect();
    let trimmed = replaced.trim_matches(['-', '.']);
    if trimmed.is_empty() { "package".to_owned() } else { trimmed.to_owned() }
}

fn shorten(name: &str) -> String {
    if name.len() <= NAME_LIMIT {
        return name.to_owned();
    }
    // The name is ASCII by now, so that every index is a character boundary.
    distinct(name[..NAME_LIMIT].trim_end_matches(['-', '.']), name)
}
