//! Figures for the README, with `cargo test -p git --test it latency -- --nocapture`. It judges
//! only by bounds that any machine keeps.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Clock;
use client::fake::FakeObjects;
use contracts::git::{File, Mode, NewCommit};

use crate::harness::{Server, commit, run};

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    assert!(at(50) < Duration::from_secs(2), "{what} takes {:?}", at(50));
    println!("{what}: p50 {:?} p95 {:?} max {:?} of {}", at(50), at(95), at(100), times.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn latency_of_pushes_and_commits() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let clock = Clock::system();
    let url = server.own_url("demo");
    let (mut pushes, mut statuses) = (Vec::new(), Vec::new());
    for number in 0..15 {
        let head = commit(&work, "n.txt", &number.to_string()).await;
        let watch = clock.stopwatch();
        run(&work, &["push", "-q", &url, "main"]).await;
        pushes.push(watch.elapsed());
        let watch = clock.stopwatch();
        let shows = |objects: &FakeObjects| {
            objects.find("repositories", "gitea", "giteaadmin-demo").unwrap()["status"]["revision"] == *head
        };
        server.objects.until("the status shows it", shows).await;
        statuses.push(watch.elapsed());
    }
    report("git push of one file, client's start to end", pushes);
    report("from the push's end to its status", statuses);
    let id = server.make("commits").await;
    let repositories = server.repositories();
    let mut parent = None;
    let mut commits = Vec::new();
    for number in 0..40 {
        let files: BTreeMap<String, File> = (0..5)
            .map(|file| {
                (format!("dir/f{file}.yaml"), File { mode: Mode::File, content: format!("{number} {file}").into() })
            })
            .collect();
        let new = NewCommit {
            branch: "main".into(),
            expected_parent: parent,
            files,
            author_name: "a".into(),
            author_email: "a@example.com".into(),
            message: "m".into(),
        };
        let watch = clock.stopwatch();
        parent = Some(repositories.commit(&id, new).await.unwrap());
        commits.push(watch.elapsed());
    }
    report("commit of five changed files by contract", commits);
    let (sources, clone_url) = (server.sources(), repositories.clone_url(&id));
    let mut reads = Vec::new();
    for _ in 0..100 {
        let watch = clock.stopwatch();
        let tip = sources.resolve(&clone_url, "main").await.unwrap();
        sources.read_tree(&clone_url, &tip, "").await.unwrap();
        reads.push(watch.elapsed());
    }
    report("resolve and read of five files", reads);
}
