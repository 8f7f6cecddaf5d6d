//! The shapes of Gitea's API, built from ours. Fields that Gitea has and this
//! server has no notion of carry the value they have in a fresh Gitea.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::embedded::bare::Bare;
use crate::embedded::history::{CommitInfo, Person};
use crate::embedded::read::Entry;
use crate::forge::Forge;
use crate::users::Caller;
use crate::users::Wish;
use crate::users::record::{Account, AccountKind, Token};
use gix::objs::tree::EntryKind;

/// What stands in the place of a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A user as they see themselves, and as an administrator sees them.
pub fn own_user(forge: &Forge, account: &Account) -> Value {
    let mut shape = user(forge, account);
    shape["email"] = account.email.as_str().into();
    shape
}

/// A user, or an organisation as an owner, as everybody sees them: without their address.
pub fn user(forge: &Forge, account: &Account) -> Value {
    json!({
        "id": account.number,
        "login": account.login,
        "login_name": "",
        "source_id": 0,
        "full_name": account.full_name,
        "email": format!("{}@noreply.localhost", account.login.to_ascii_lowercase()),
        "avatar_url": "",
        "html_url": format!("{}/{}", forge.address.base(), account.login),
        "language": "",
        "is_admin": account.admin,
        "last_login": NEVER,
        "created": account.created,
        "restricted": false,
        "active": true,
        "prohibit_login": false,
        "location": "",
        "website": "",
        "description": "",
        "visibility": "public",
        "followers_count": 0,
        "following_count": 0,
        "starred_repos_count": 0,
        "username": account.login,
    })
}

/// An organisation.
pub fn organisation(account: &Account) -> Value {
    json!({
        "id": account.number,
        "name": account.login,
        "full_name": account.full_name,
        "email": account.email,
        "avatar_url": "",
        "description": "",
        "website": "",
        "location": "",
        "visibility": "public",
        "repo_admin_change_team_access": false,
        "username": account.login,
    })
}

/// The owner of a repository, known or not.
pub fn owner(forge: &Forge, login: &str) -> Value {
    let known = forge.users.account(login);
    let account = known.unwrap_or_else(|| Account {
        number: 0,
        login: login.to_owned(),
        kind: AccountKind::User,
        email: String::new(),
        full_name: String::new(),
        admin: false,
        created: String::new(),
        owners: Vec::new(),
        password: crate::users::record::Password::None,
    });
    user(forge, &account)
}

/// A repository as `caller` sees it.
pub fn repository(forge: &Forge, caller: Option<&Caller>, bare: &Bare) -> Value {
    let facts = bare.facts();
    let page = forge.address.page(&bare.id);
    let api = forge.address.api(&bare.id);
    let updated = if facts.pushed.is_empty() { &facts.created } else { &facts.pushed };
    let empty = !bare.announced.lock().keys().any(|name| name.starts_with("refs/heads/"));
    let mut shape = json!({
        "id": facts.number,
        "owner": owner(forge, &facts.owner),
        "name": facts.name,
        "full_name": format!("{}/{}", facts.owner, facts.name),
        "description": facts.description,
        "empty": empty,
        "private": facts.private,
        "default_branch": bare.default_branch(),
        "html_url": page,
        "url": api,
        "link": "",
        "ssh_url": "",
        "clone_url": forge.address.clone_url(&bare.id),
        "languages_url": format!("{api}/languages"),
        "permissions": {
            "admin": forge.allows(caller, bare, Wish::Administer),
            "push": forge.allows(caller, bare, Wish::Write),
            "pull": forge.allows(caller, bare, Wish::Read),
        },
        "created_at": facts.created,
        "updated_at": updated,
        "archived_at": "1970-01-01T00:00:00Z",
        "mirror_updated": NEVER,
        "object_format_name": "sha1",
        "default_merge_style": "merge",
    });
    let map = shape.as_object_mut().expect("it was made as an object");
    for flag in [
        "fork",
        "template",
        "mirror",
        "archived",
        "internal",
        "has_issues",
        "has_wiki",
        "has_pull_requests",
        "has_projects",
        "has_releases",
        "has_packages",
        "has_actions",
    ] {
        map.insert(flag.into(), json!(false));
    }
    for count in [
        "size",
        "stars_count",
        "forks_count",
        "watchers_count",
        "open_issues_count",
        "open_pr_counter",
        "release_counter",
    ] {
        map.insert(count.into(), json!(0));
    }
    for text in ["language", "original_url", "website", "avatar_url", "mirror_interval"] {
        map.insert(text.into(), json!(""));
    }
    for none in ["parent", "repo_transfer", "topics", "licenses"] {
        map.insert(none.into(), Value::Null);
    }
    shape
}

/// A token; the token itself only where it was just made.
pub fn token(token: &Token, secret: &str) -> Value {
    json!({
        "id": token.number,
        "name": token.name,
        "sha1": secret,
        "token_last_eight": token.last_eight,
        "scopes": if token.scopes.is_empty() { vec!["all".to_owned()] } else { token.scopes.clone() },
        "created_at": token.created,
        "last_used_at": token.created,
    })
}

fn person(person: &Person) -> Value {
    json!({"name": person.name, "email": person.email, "date": person.date})
}

/// A commit as lists of commits have it.
pub fn commit(forge: &Forge, bare: &Bare, info: &CommitInfo) -> Value {
    let api = forge.address.api(&bare.id);
    let url = |id: &dyn std::fmt::Display| format!("{api}/git/commits/{id}");
    let parents: Vec<Value> =
        info.parents.iter().map(|id| json!({"url": url(id), "sha": id.to_string(), "created": NEVER})).collect();
    json!({
        "url": url(&info.id),
        "sha": info.id.to_string(),
        "created": info.committer.date,
        "html_url": format!("{}/commit/{}", forge.address.page(&bare.id), info.id),
        "commit": {
            "url": url(&info.id),
            "author": person(&info.author),
            "committer": person(&info.committer),
            "message": info.message,
            "tree": {"url": format!("{api}/git/trees/{}", info.tree), "sha": info.tree.to_string(), "created": info.committer.date},
            "verification": null,
        },
        "author": null,
        "committer": null,
        "parents": parents,
        "files": null,
        "stats": null,
    })
}

/// A commit as answers to changes of files have it.
pub fn file_commit(forge: &Forge, bare: &Bare, info: &CommitInfo) -> Value {
    let full = commit(forge, bare, info);
    json!({
        "url": full["url"],
        "sha": full["sha"],
        "created": full["created"],
        "html_url": full["html_url"],
        "author": person(&info.author),
        "committer": person(&info.committer),
        "parents": full["parents"],
        "message": info.message,
        "tree": full["commit"]["tree"],
    })
}

/// A branch.
pub fn branch(forge: &Forge, bare: &Bare, name: &str, info: &CommitInfo, may_push: bool) -> Value {
    let named = |who: &Person| json!({"name": who.name, "email": who.email, "username": ""});
    json!({
        "name": name,
        "commit": {
            "id": info.id.to_string(),
            "message": info.message,
            "url": format!("{}/commit/{}", forge.address.page(&bare.id), info.id),
            "author": named(&info.author),
            "committer": named(&info.committer),
            "verification": null,
            "timestamp": info.committer.date,
            "added": null,
            "removed": null,
            "modified": null,
        },
        "protected": false,
        "required_approvals": 0,
        "enable_status_check": false,
        "status_check_contexts": [],
        "user_can_push": may_push,
        "user_can_merge": may_push,
        "effective_branch_protection_name": "",
    })
}

/// A file or directory of a repository at a revision, and where to find it.
pub struct Item<'a> {
    /// The repository.
    pub bare: &'a Bare,
    /// What was asked for: a branch, or a commit.
    pub revision: &'a str,
    /// The entry, with its whole path.
    pub entry: &'a Entry,
    /// Its size, if it has one.
    pub size: u64,
    /// The commit that changed it last.
    pub last_commit: &'a str,
    /// Its content, where that is shown.
    pub content: Option<&'a [u8]>,
}

/// An entry of `contents`.
pub fn content(forge: &Forge, item: &Item<'_>) -> Value {
    let Item { bare, revision, entry, .. } = item;
    let api = forge.address.api(&bare.id);
    let page = forge.address.page(&bare.id);
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let kind = if is_commit { "commit" } else { "branch" };
    let (name, what, objects) = match entry.kind {
        EntryKind::Tree => (&entry.path, "dir", "trees"),
        EntryKind::Link => (&entry.path, "symlink", "blobs"),
        EntryKind::Commit => (&entry.path, "submodule", "commits"),
        _ => (&entry.path, "file", "blobs"),
    };
    let escaped = crate::escape::path(name);
    let own = format!("{api}/contents/{escaped}?ref={}", crate::escape::segment(revision));
    let html = format!("{page}/src/{kind}/{}/{escaped}", crate::escape::path(revision));
    let git = format!("{api}/git/{objects}/{}", entry.id);
    let is_file = what == "file";
    let text = item.content.map(|bytes| STANDARD.encode(bytes));
    json!({
        "name": name.rsplit('/').next().unwrap_or_default(),
        "path": name,
        "sha": entry.id.to_string(),
        "last_commit_sha": item.last_commit,
        "type": what,
        "size": item.size,
        "encoding": text.as_ref().map(|_| "base64"),
        "content": text,
        "target": if what == "symlink" { item.content.map(|bytes| String::from_utf8_lossy(bytes).into_owned()) } else { None },
        "url": own,
        "html_url": html,
        "git_url": git,
        "download_url": is_file.then(|| format!("{page}/raw/{kind}/{}/{escaped}", crate::escape::path(revision))),
        "submodule_git_url": null,
        "_links": {"self": own, "git": git, "html": html},
    })
}
