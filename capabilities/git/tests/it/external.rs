//! Repositories of other servers, played by a second one of ours.

use contracts::git::Error;
use serde_json::json;

use crate::harness::{Server, commit, run};

#[tokio::test(flavor = "multi_thread")]
async fn another_servers_repository_is_read() {
    let (ours, theirs) = (Server::start().await, Server::start().await);
    let work = theirs.pushed("charts").await;
    let first = run(&work, &["rev-parse", "HEAD"]).await;
    run(&work, &["tag", "v1.0.0"]).await;
    std::fs::create_dir_all(work.join("app")).unwrap();
    let second = commit(&work, "app/values.yaml", "v: 2\n").await;
    run(&work, &["tag", "-a", "v1.2.0", "-m", "second"]).await;
    run(&work, &["push", "-q", &theirs.own_url("charts"), "main", "--tags"]).await;
    let (sources, url) = (ours.sources(), theirs.url("charts"));
    assert_eq!(sources.embedded(&url), None);
    for (revision, expect) in [
        ("HEAD", &second),
        ("main", &second),
        ("v1.0.0", &first),
        ("v1.2.0", &second),
        ("1.*", &second),
        ("~1.0", &first),
        (first.as_str(), &first),
        (&second[..9], &second),
    ] {
        assert_eq!(sources.resolve(&url, revision).await.as_ref(), Ok(expect), "{revision}");
    }
    let tree = sources.read_tree(&url, &second, "app").await.unwrap();
    assert_eq!(tree.files["values.yaml"].content, "v: 2\n");
    assert_eq!(sources.read_tree(&url, &first, "").await.unwrap().files.len(), 1);
    assert!(matches!(sources.resolve(&url, "nope").await, Err(Error::NoRevision { .. })));
    let missing = "0123456789abcdef0123456789abcdef01234567";
    let unknown = sources.resolve(&url, missing).await;
    assert!(matches!(unknown, Err(Error::NoRevision { .. })), "{unknown:?}");
    let shallow = std::fs::read_dir(ours.directory.join("external")).unwrap().count();
    assert_eq!(shallow, 1, "one cache for one repository");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_repository_needs_credentials_and_they_stay_secret() {
    let (ours, theirs) = (Server::start().await, Server::start().await);
    let work = theirs.pushed("secret").await;
    let head = run(&work, &["rev-parse", "HEAD"]).await;
    theirs.api("PATCH", "/repos/giteaAdmin/secret", Some(json!({"private": true}))).await;
    let sources = ours.sources();
    let refused = sources.resolve(&theirs.url("secret"), "main").await.unwrap_err();
    assert!(refused.to_string().contains("credentials"), "{refused}");
    assert_eq!(sources.resolve(&theirs.own_url("secret"), "main").await.unwrap(), head);
    assert_eq!(sources.read_tree(&theirs.own_url("secret"), &head, "").await.unwrap().files.len(), 1);
    // What was fetched with credentials is not there for those without.
    assert!(sources.read_tree(&theirs.url("secret"), &head, "").await.is_err());
    let wrong = format!("http://giteaAdmin:hunter2hunter2@127.0.0.1:{}/gitea/giteaAdmin/secret.git", theirs.port);
    let refused = sources.resolve(&wrong, "main").await.unwrap_err();
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    let cached = std::process::Command::new("grep")
        .args(["-r", &theirs.password, ours.directory.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(cached.stdout.is_empty(), "no password is on disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_do_not_answer_are_named() {
    let server = Server::start().await;
    let sources = server.sources();
    let closed = sources.resolve("http://127.0.0.1:1/o/r.git", "main").await.unwrap_err();
    assert!(matches!(&closed, Error::Unreachable { url, .. } if url == "http://127.0.0.1:1/o/r.git"), "{closed}");
    for url in ["git@github.com:o/r.git", "ssh://git@github.com/o/r", "file:///etc", "nonsense"] {
        assert!(matches!(sources.resolve(url, "main").await, Err(Error::Unreachable { .. })), "{url}");
    }
}
