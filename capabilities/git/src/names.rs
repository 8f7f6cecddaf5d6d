//! What owners, repositories, branches and paths may be called, and how a
//! repository's object is named after it. Everything that comes from outside and
//! ends up in a path of the file system passes through here first; it does no I/O.

use base::digest;
use contracts::git::{Error, RepositoryId};
use gix::bstr::BStr;

/// Longest owner or repository name, as Gitea's.
const NAME_CHARS: usize = 100;

/// First path segments and names that mean something else in the address space.
const RESERVED_OWNERS: &[&str] = &[
    "admin",
    "api",
    "assets",
    "attachments",
    "avatar",
    "avatars",
    "captcha",
    "commits",
    "debug",
    "error",
    "explore",
    "favicon.ico",
    "ghost",
    "healthz",
    "issues",
    "login",
    "metrics",
    "milestones",
    "new",
    "notifications",
    "org",
    "org-members",
    "pulls",
    "raw",
    "repo",
    "repo-avatars",
    "search",
    "stars",
    "swagger",
    "template",
    "user",
    "users",
    "v2",
];

/// Endings that would make one repository's address another's.
const RESERVED_ENDINGS: &[&str] = &[".git", ".lock", ".wiki", ".rss", ".atom", ".keys", ".gpg"];

/// Checks a name that becomes a directory: letters, digits, `-`, `_` and `.`, none of it special.
fn check_name(name: &str) -> Result<(), Error> {
    let bad = || Error::BadName(name.chars().take(NAME_CHARS).collect());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let lower = name.to_ascii_lowercase();
    let safe = !name.is_empty()
        && name.len() <= NAME_CHARS
        && name.bytes().all(allowed)
        && !name.starts_with(['.', '-'])
        && !name.ends_with('.')
        && !name.contains("..")
        && !RESERVED_ENDINGS.iter().any(|ending| lower.ends_with(ending));
    if safe { Ok(()) } else { Err(bad()) }
}

/// Checks the name of a user or organisation.
pub fn check_owner(name: &str) -> Result<(), Error> {
    check_name(name)?;
    if RESERVED_OWNERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Error::BadName(name.to_owned()));
    }
    Ok(())
}

/// Checks both names of a repository.
pub fn check_repository(id: &RepositoryId) -> Result<(), Error> {
    check_owner(&id.owner)?;
    check_name(&id.name)
}

/// A repository from the two segments of an address, `.git` taken off.
pub fn parse_repository(owner: &str, name: &str) -> Result<RepositoryId, Error> {
    let id = RepositoryId { owner: owner.to_owned(), name: name.strip_suffix(".git").unwrap_or(name).to_owned() };
    check_repository(&id)?;
    Ok(id)
}

/// What two repositories share exactly if they are the same: case does not tell them apart.
pub fn key(id: &RepositoryId) -> String {
    format!("{}/{}", id.owner.to_ascii_lowercase(), id.name.to_ascii_lowercase())
}

/// The name of the `Repository` object that stands for `id`: readable where that is
/// unambiguous, otherwise with a digest after a dot, which readable names never have.
pub fn object_name(id: &RepositoryId) -> String {
    let owner = id.owner.to_ascii_lowercase();
    let name = id.name.to_ascii_lowercase();
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let readable = format!("{owner}-{name}");
    let ambiguous = owner.contains('-') || !plain(&owner) || !plain(&name) || name.ends_with('-');
    if !ambiguous && readable.len() <= 63 {
        return readable;
    }
    distinct_object_name(id)
}

/// A name with a digest, for when [`object_name`] is taken by another repository's object.
pub fn distinct_object_name(id: &RepositoryId) -> String {
    let readable = key(id).replace('/', "-");
    let safe: String =
        readable.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '-' }).collect();
    let safe: String = safe.chars().take(50).collect();
    let digest = digest::sha256_hex(key(id).as_bytes());
    format!("{}.{}", safe.trim_matches('-'), &digest[..8])
}

/// Checks a branch name as `git check-ref-format --branch` does.
pub fn check_branch(branch: &str) -> Result<(), Error> {
    let full = format!("refs/heads/{branch}");
    let valid = !branch.is_empty()
        && branch.len() <= 200
        && !branch.starts_with('-')
        && branch != "HEAD"
        && gix::validate::reference::name(BStr::new(full.as_str())).is_ok();
    if valid { Ok(()) } else { Err(Error::BadName(branch.chars().take(NAME_CHARS).collect())) }
}

/// Checks the path of a file in a tree.
pub fn check_file_path(path: &str) -> Result<(), Error> {
    let bad = || Error::BadPath(path.chars().take(200).collect());
    if path.len() > 4096 || path.contains('\0') {
        return Err(bad());
    }
    let options = gix::validate::path::component::Options { protect_windows: false, ..Default::default() };
    for component in path.split('/') {
        let component = BStr::new(component);
        if component.contains(&b'\\') || gix::validate::path::component(component, None, options).is_err() {
            return Err(bad());
        }
    }
    Ok(())
}

/// The components of a directory that is to be read; `.`, empty and surrounding slashes mean the root.
pub fn directory_components(path: &str) -> Result<Vec<&str>, Error> {
    if path.contains('\0') {
        return Err(Error::BadPath(path.replace('\0', "\\0")));
    }
    let mut components = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => return Err(Error::BadPath(path.to_owned())),
            name => components.push(name),
        }
    }
    Ok(components)
}

#[cfg(test)]
mod tests;
