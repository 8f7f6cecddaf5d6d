//! What a stop at a bad moment leaves, and what the next start makes of it.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Server, commit, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everything_and_clears_the_rest() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    server.make("unused").await;
    let bare = server.bare("demo");
    let Server { objects, tasks, work: directory, .. } = server;
    assert!(tasks.stop(Duration::from_secs(10)).await);
    // As a kill in the middle of a push leaves it.
    std::fs::write(bare.join("refs/heads/main.lock"), "").unwrap();
    std::fs::write(bare.join("packed-refs.lock"), "").unwrap();
    std::fs::create_dir_all(bare.join("objects/tmp_objdir-incoming-x/pack")).unwrap();
    let server = Server::over(objects, directory, Value::Null).await;
    commit(&work, "a.txt", "two\n").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    assert!(!bare.join("objects/tmp_objdir-incoming-x").exists());
    assert_eq!(server.api("GET", "/repos/search", None).await.json()["data"].as_array().unwrap().len(), 2);
    run(&bare, &["fsck", "--strict"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn housekeeping_keeps_a_repository_readable() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    run(&server.bare("demo"), &["gc", "-q"]).await;
    assert!(server.bare("demo").join("packed-refs").exists());
    let next = commit(&work, "a.txt", "two\n").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    let url = server.url("demo");
    let sources = server.sources();
    assert_eq!(sources.resolve(&url, "main").await.unwrap(), next);
    assert_eq!(sources.read_tree(&url, &next, "").await.unwrap().files.len(), 1);
    let parent = run(&work, &["rev-parse", "HEAD~1"]).await;
    assert_eq!(sources.resolve(&url, &parent).await.unwrap(), parent);
}
