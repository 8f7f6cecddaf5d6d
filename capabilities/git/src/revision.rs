//! Which commit a revision names: HEAD, branch, tag, commit id or a prefix of
//! one, or a range of versions over tags. One order of precedence for every
//! repository, embedded or external; it reads no repository itself.

use std::collections::BTreeMap;

use crate::semver::Range;

/// The refs of a repository by which revisions are resolved.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    /// Commit of HEAD.
    pub head: Option<String>,
    /// Full ref names and commits, annotated tags peeled.
    pub by_name: BTreeMap<String, String>,
}

/// How a revision is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// To this commit.
    Commit(String),
    /// It is a whole commit id; whether the commit exists remains to be seen.
    Id(String),
    /// No ref is called so, but a commit id may begin so.
    Prefix(String),
    /// There is no such revision.
    Nothing,
}

/// Resolves `revision` as far as refs allow.
pub fn resolve(refs: &Refs, revision: &str) -> Resolved {
    let revision = revision.trim();
    let found = |commit: Option<&String>| commit.cloned().map_or(Resolved::Nothing, Resolved::Commit);
    if revision.is_empty() || revision == "HEAD" {
        return found(refs.head.as_ref());
    }
    if revision.starts_with("refs/") {
        return found(refs.by_name.get(revision));
    }
    if is_hex(revision) && revision.len() == 40 {
        return Resolved::Id(revision.to_ascii_lowercase());
    }
    for kind in ["refs/heads/", "refs/tags/"] {
        if let Some(commit) = refs.by_name.get(&format!("{kind}{revision}")) {
            return Resolved::Commit(commit.clone());
        }
    }
    if let Some(range) = Range::parse(revision) {
        let tags = refs.by_name.keys().filter_map(|name| name.strip_prefix("refs/tags/"));
        let tag = range.highest(tags).map(|tag| format!("refs/tags/{tag}"));
        return found(tag.and_then(|tag| refs.by_name.get(&tag)));
    }
    if is_hex(revision) && (4..40).contains(&revision.len()) {
        return Resolved::Prefix(revision.to_ascii_lowercase());
    }
    Resolved::Nothing
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        let id = |digit: &str| digit.repeat(40);
        let mut refs = Refs { head: Some(id("1")), ..Refs::default() };
        for (name, digit) in
            [("refs/heads/main", "1"), ("refs/heads/beef", "2"), ("refs/tags/beef", "3"), ("refs/tags/v1.2.0", "4")]
        {
            refs.by_name.insert(name.into(), id(digit));
        }
        for (revision, expect) in [
            ("", Resolved::Commit(id("1"))),
            ("HEAD", Resolved::Commit(id("1"))),
            ("main", Resolved::Commit(id("1"))),
            ("beef", Resolved::Commit(id("2"))),
            ("refs/tags/beef", Resolved::Commit(id("3"))),
            ("v1.2.0", Resolved::Commit(id("4"))),
            ("1.*", Resolved::Commit(id("4"))),
            ("abcd", Resolved::Prefix("abcd".into())),
            ("ABCD12", Resolved::Prefix("abcd12".into())),
            ("abc", Resolved::Nothing),
            ("nope", Resolved::Nothing),
            ("-x", Resolved::Nothing),
        ] {
            assert_eq!(resolve(&refs, revision), expect, "{revision:?}");
        }
        assert_eq!(resolve(&refs, &id("a")), Resolved::Id(id("a")));
    }
}
