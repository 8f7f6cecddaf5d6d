//! What every implementation of the git contracts must do. Implementations run
//! [`check`] in their tests; it panics where one does not. It must never be used
//! outside tests.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};

use super::{Error, File, Mode, NewCommit, NewRepository, Repositories, RepositoryId, Sources};

/// Runs the whole suite in repositories of `owner`, whose names begin with `suite-`.
///
/// # Panics
/// Where the implementation breaks the contract.
pub async fn check(repositories: &dyn Repositories, sources: &dyn Sources, owner: &str) {
    makes_and_removes(repositories, sources, owner).await;
    commits_and_reads(repositories, sources, owner).await;
    races(repositories, owner).await;
    refuses_bad_names(repositories, owner).await;
    announces(repositories, owner).await;
    resolves(repositories, sources, owner).await;
}

fn id(owner: &str, name: &str) -> RepositoryId {
    RepositoryId { owner: owner.to_owned(), name: format!("suite-{name}") }
}

async fn made(repositories: &dyn Repositories, owner: &str, name: &str) -> RepositoryId {
    let id = id(owner, name);
    let new = NewRepository {
        id: id.clone(),
        description: "made by the contract suite".into(),
        private: false,
        default_branch: "main".into(),
    };
    assert_eq!(repositories.ensure(&new).await, Ok(true), "the repository is made");
    assert_eq!(repositories.ensure(&new).await, Ok(false), "it is made once");
    id
}

fn plain(content: &str) -> File {
    File { mode: Mode::File, content: Bytes::from(content.to_owned()) }
}

fn new_commit(parent: Option<&str>, files: &[(&str, File)]) -> NewCommit {
    NewCommit {
        branch: "main".into(),
        expected_parent: parent.map(str::to_owned),
        files: files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect(),
        author_name: "Suite <of> tests\n".into(),
        author_email: "suite@example.com".into(),
        message: "a change".into(),
    }
}

async fn makes_and_removes(repositories: &dyn Repositories, sources: &dyn Sources, owner: &str) {
    let id = made(repositories, owner, "made").await;
    let url = repositories.clone_url(&id);
    assert_eq!(sources.embedded(&url).as_ref(), Some(&id), "its own URL is recognised");
    assert_eq!(repositories.tip(&id, "main").await, Ok(None), "it is empty");
    assert!(matches!(sources.resolve(&url, "HEAD").await, Err(Error::NoRevision { .. })), "HEAD of nothing");
    assert_eq!(repositories.remove(&id).await, Ok(()));
    assert_eq!(repositories.remove(&id).await, Ok(()), "removing what is gone is fine");
    assert!(matches!(sources.resolve(&url, "HEAD").await, Err(Error::NoRepository(_))), "it is gone");
    assert!(matches!(repositories.tip(&id, "main").await, Err(Error::NoRepository(_))), "it is gone");
    assert_eq!(sources.embedded("https://example.com/other/place.git"), None, "other servers are not ours");
}

async fn commits_and_reads(repositories: &dyn Repositories, sources: &dyn Sources, owner: &str) {
    let id = made(repositories, owner, "content").await;
    let url = repositories.clone_url(&id);
    let files = [
        ("app.yaml", plain("kind: App\n")),
        ("chart/templates/a.yaml", plain("a")),
        ("chart/values.yaml", plain("v: 1\n")),
        ("run.sh", File { mode: Mode::Executable, content: Bytes::from_static(b"#!/bin/sh\n") }),
        ("to-app", File { mode: Mode::Link, content: Bytes::from_static(b"app.yaml") }),
        ("empty", plain("")),
        ("binary", File { mode: Mode::File, content: Bytes::from_static(&[0, 159, 146, 150]) }),
    ];
    let first = repositories.commit(&id, new_commit(None, &files)).await.expect("a first commit");
    assert_eq!(repositories.tip(&id, "main").await, Ok(Some(first.clone())));
    let tree = sources.read_tree(&url, &first, "").await.expect("the tree is read");
    let expected: BTreeMap<String, File> =
        files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect();
    assert_eq!(tree.files, expected, "what was committed is read");
    let chart = sources.read_tree(&url, &first, "./chart/").await.expect("a directory is read");
    assert_eq!(chart.files.keys().collect::<Vec<_>>(), ["templates/a.yaml", "values.yaml"]);

    let again = repositories.commit(&id, new_commit(Some(&first), &files)).await;
    assert_eq!(again, Ok(first.clone()), "no change, no commit");
    let fewer = &files[..3];
    let second = repositories.commit(&id, new_commit(Some(&first), fewer)).await.expect("a second commit");
    assert_ne!(second, first);
    let tree = sources.read_tree(&url, &second, ".").await.expect("the tree is read");
    assert_eq!(tree.files.len(), 3, "files that are not in a commit are gone");
    let same = sources.read_tree(&url, &second, "chart").await.expect("a directory is read");
    assert_eq!(same.id, chart.id, "equal content has an equal id");

    for path in ["nowhere", "app.yaml", "chart/values.yaml/deeper"] {
        let read = sources.read_tree(&url, &second, path).await;
        assert!(matches!(read, Err(Error::NoPath { .. })), "{path}: {read:?}");
    }
    let escape = sources.read_tree(&url, &second, "../x").await;
    assert!(matches!(escape, Err(Error::BadPath(_) | Error::NoPath { .. })), "{escape:?}");
    for bad in ["../x", "/x", "a//b", ".git/config", "chart/values.yaml/under-a-file"] {
        let files = [("chart/values.yaml", plain("x")), (bad, plain("x"))];
        let refused = repositories.commit(&id, new_commit(Some(&second), &files)).await;
        assert!(matches!(refused, Err(Error::BadPath(_))), "{bad}: {refused:?}");
    }
    assert_eq!(repositories.tip(&id, "main").await, Ok(Some(second)), "a refused commit moves nothing");

    let many: Vec<(String, File)> =
        (0..300).map(|n| (format!("d{}/f{n}.yaml", n % 7), plain(&format!("n: {n}\n")))).collect();
    let many: Vec<(&str, File)> = many.iter().map(|(path, file)| (path.as_str(), file.clone())).collect();
    let tip = repositories.tip(&id, "main").await.expect("it is there");
    let third = repositories.commit(&id, new_commit(tip.as_deref(), &many)).await.expect("a large commit");
    assert_eq!(sources.read_tree(&url, &third, "").await.expect("it is read").files.len(), 300);
}

async fn races(repositories: &dyn Repositories, owner: &str) {
    let id = made(repositories, owner, "races").await;
    let first = repositories.commit(&id, new_commit(None, &[("n", plain("0"))])).await.expect("a first commit");
    let stale = repositories.commit(&id, new_commit(None, &[("n", plain("x"))])).await;
    let Err(Error::Moved { branch, expected, actual }) = stale else { panic!("a stale parent is refused: {stale:?}") };
    assert_eq!((branch.as_str(), expected.as_str(), actual.as_str()), ("main", "", first.as_str()));
    let attempts = (1..=6).map(|n| {
        let commit = new_commit(Some(&first), &[("n", plain(&n.to_string()))]);
        repositories.commit(&id, commit)
    });
    let outcomes = futures::future::join_all(attempts).await;
    let won: Vec<&String> = outcomes.iter().flatten().collect();
    assert_eq!(won.len(), 1, "one of those who saw the same parent wins: {outcomes:?}");
    assert_eq!(repositories.tip(&id, "main").await, Ok(Some(won[0].clone())));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(Error::Moved { .. }))), "{outcomes:?}");
}

async fn refuses_bad_names(repositories: &dyn Repositories, owner: &str) {
    for name in ["..", "a/b", ".hidden", "x.git", "x.lock", "", "a b"] {
        let id = RepositoryId { owner: owner.to_owned(), name: name.to_owned() };
        let new = NewRepository { id, description: String::new(), private: false, default_branch: "main".into() };
        let refused = repositories.ensure(&new).await;
        assert!(matches!(refused, Err(Error::BadName(_))), "{name:?}: {refused:?}");
    }
}

async fn announces(repositories: &dyn Repositories, owner: &str) {
    let id = made(repositories, owner, "changes").await;
    let mut changes = repositories
        .changes()
        .filter(|change| {
            let ours = change.repository == id;
            async move { ours }
        })
        .boxed_local();
    let first = repositories.commit(&id, new_commit(None, &[("n", plain("0"))])).await.expect("a first commit");
    let seen = changes.next().now_or_never().flatten().expect("it is announced before the commit returns");
    assert_eq!(
        (seen.reference.as_str(), seen.before.as_str(), seen.after.as_str()),
        ("refs/heads/main", "", first.as_str())
    );
    let second = repositories.commit(&id, new_commit(Some(&first), &[("n", plain("1"))])).await.expect("a second");
    let seen = changes.next().now_or_never().flatten().expect("every commit is announced");
    assert_eq!((seen.before, seen.after), (first, second));
}

async fn resolves(repositories: &dyn Repositories, sources: &dyn Sources, owner: &str) {
    let id = made(repositories, owner, "revisions").await;
    let url = repositories.clone_url(&id);
    let commit = repositories.commit(&id, new_commit(None, &[("n", plain("0"))])).await.expect("a first commit");
    for revision in ["HEAD", "", "main", "refs/heads/main", commit.as_str(), &commit[..10]] {
        assert_eq!(sources.resolve(&url, revision).await.as_ref(), Ok(&commit), "{revision:?}");
    }
    let missing = "0123456789abcdef0123456789abcdef01234567";
    for revision in ["nope", "-x", "1.*", missing, "refs/heads/..", "main~1", "@{-1}"] {
        let refused = sources.resolve(&url, revision).await;
        assert!(matches!(refused, Err(Error::NoRevision { .. })), "{revision:?}: {refused:?}");
    }
}
