//! Real git clients: clone, fetch, push, and who may.

use serde_json::json;

use crate::harness::{Server, command, commit, fail, run, try_run};

#[tokio::test(flavor = "multi_thread")]
async fn push_clone_fetch() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let root = server.work.path();
    run(root, &["clone", "-q", &server.url("demo"), "copy"]).await;
    assert_eq!(std::fs::read_to_string(root.join("copy/a.txt")).unwrap(), "one\n");
    let second = commit(&work, "b.txt", "two\n").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    run(&root.join("copy"), &["pull", "-q"]).await;
    assert_eq!(run(&root.join("copy"), &["rev-parse", "HEAD"]).await, second);
    // Without `.git`, tags, branches with slashes, deletion.
    let plain = server.own_url("demo").trim_end_matches(".git").to_owned();
    run(&work, &["tag", "-a", "v1.0.0", "-m", "first"]).await;
    run(&work, &["push", "-q", &plain, "v1.0.0", "main:feature/x"]).await;
    let listed = run(&work, &["ls-remote", &plain]).await;
    assert!(listed.contains("refs/tags/v1.0.0^{}") && listed.contains("refs/heads/feature/x"), "{listed}");
    run(&work, &["push", "-q", &plain, ":feature/x"]).await;
    assert!(!run(&work, &["ls-remote", &plain]).await.contains("feature/x"));
    run(&server.bare("demo"), &["fsck", "--strict"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protocol_versions() {
    let server = Server::start().await;
    server.pushed("demo").await;
    let root = server.work.path();
    for (version, expect_v2) in [("2", true), ("1", false), ("0", false)] {
        let url = server.url("demo");
        let protocol = format!("protocol.version={version}");
        let arguments = ["-c", &protocol, "ls-remote", &url];
        let output = command(root, &arguments).env("GIT_TRACE_PACKET", "1").output().await.unwrap();
        assert!(output.status.success());
        let trace = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(trace.contains("< version 2"), expect_v2, "{trace}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("refs/heads/main"));
        run(root, &["-c", &protocol, "clone", "-q", &url, &format!("v{version}")]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shallow_partial_and_single_commits() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let root = server.work.path();
    let second = commit(&work, "b.txt", "two\n").await;
    commit(&work, "b.txt", "three\n").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    let url = server.url("demo");
    run(root, &["clone", "-q", "--depth", "1", &url, "shallow"]).await;
    assert_eq!(run(&root.join("shallow"), &["rev-list", "--count", "HEAD"]).await, "1");
    run(&root.join("shallow"), &["fetch", "-q", "--unshallow"]).await;
    assert_eq!(run(&root.join("shallow"), &["rev-list", "--count", "HEAD"]).await, "3");
    run(root, &["clone", "-q", "--filter=blob:none", "--no-checkout", &url, "partial"]).await;
    run(root, &["init", "-q", "one"]).await;
    run(&root.join("one"), &["fetch", "-q", "--depth", "1", &url, &second]).await;
    assert_eq!(run(&root.join("one"), &["rev-parse", "FETCH_HEAD"]).await, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let root = server.work.path();
    let at = |user: &str| format!("http://{user}@127.0.0.1:{}/gitea/giteaAdmin/demo.git", server.port);
    let denied = fail(&work, &["push", &server.url("demo"), "main:anonymous"]).await;
    assert!(denied.contains("could not read Username"), "{denied}");
    let wrong = fail(&work, &["push", &at("giteaAdmin:wrong"), "main:wrong"]).await;
    assert!(wrong.contains("Authentication failed"), "{wrong}");
    // Wrong credentials are wrong for reading, too.
    fail(root, &["-c", "http.extraHeader=Authorization: token wrong", "ls-remote", &server.url("demo")]).await;
    let token = &server.token;
    for user in [format!("giteaAdmin:{token}"), format!("{token}:x-oauth-basic"), format!("oauth2:{token}")] {
        run(&work, &["push", "-q", &at(&user), "main:refs/heads/by-token"]).await;
    }
    let header = format!("http.extraHeader=Authorization: token {token}");
    run(&work, &["-c", &header, "push", "-q", &server.url("demo"), "main:by-header"]).await;

    let private = server.api("PATCH", "/repos/giteaAdmin/demo", Some(json!({"private": true}))).await;
    assert_eq!(private.status, 200, "{}", private.text());
    let hidden = fail(root, &["ls-remote", &server.url("demo")]).await;
    let missing = fail(root, &["ls-remote", &server.url("nowhere")]).await;
    assert_eq!(hidden.replace("demo", "x"), missing.replace("nowhere", "x"), "private and missing look the same");
    run(root, &["ls-remote", &server.own_url("demo")]).await;
    let absent = fail(root, &["ls-remote", &server.own_url("nowhere")]).await;
    assert!(absent.contains("not found"), "{absent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_own_what_is_theirs() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let ann = json!({"username": "ann", "email": "ann@example.com", "password": "ann-password"});
    assert_eq!(server.api("POST", "/admin/users", Some(ann)).await.status, 201);
    let at = |place: &str| format!("http://ann:ann-password@127.0.0.1:{}/gitea/{place}.git", server.port);
    let refused = fail(&work, &["push", &at("giteaAdmin/demo"), "main:x"]).await;
    assert!(refused.contains("403"), "{refused}");
    assert_eq!(server.api("POST", "/admin/users/ann/repos", Some(json!({"name": "own"}))).await.status, 201);
    run(&work, &["push", "-q", &at("ann/own"), "main"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_takes_effect() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let mut secret = server.objects.find("secrets", "gitea", "gitea-credential").unwrap();
    assert_eq!(secret["metadata"]["labels"]["cnoe.io/package-name"], "gitea");
    assert_eq!((server.password.len(), server.token.len()), (40, 40));
    secret["data"]["password"] = "bmV3LXBhc3N3b3Jk".into();
    let target = client::Target::namespaced(&api::ClusterName::root(), &git::kinds::secrets(), "gitea");
    let objects = server.objects.objects();
    let options = client::WriteOptions::default();
    objects.update(&target, "gitea-credential", None, secret.to_string().into(), options).await.unwrap();
    let url = format!("http://giteaAdmin:new-password@127.0.0.1:{}/gitea/giteaAdmin/demo.git", server.port);
    // The watch delivers it within moments; each try is a round trip.
    let mut tries = 0;
    while !try_run(&work, &["push", "-q", &url, "main:changed"]).await.status.success() {
        tries += 1;
        assert!(tries < 50, "the new password never took effect");
    }
    fail(&work, &["push", "-q", &server.own_url("demo"), "main:old"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simple_password_where_asked_for() {
    let server = Server::with_settings(json!({"devPassword": true})).await;
    assert_eq!(server.password, "developer");
}

#[tokio::test(flavor = "multi_thread")]
async fn non_fast_forward_is_refused_unless_forced() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    run(&work, &["commit", "-q", "--amend", "-m", "rewritten"]).await;
    let refused = fail(&work, &["push", &server.own_url("demo"), "main"]).await;
    assert!(
        refused.contains("rejected") && refused.contains("fetch first") || refused.contains("non-fast-forward"),
        "{refused}"
    );
    run(&work, &["push", "-q", "--force", &server.own_url("demo"), "main"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_push_at_once_one_wins_and_none_is_lost() {
    let server = Server::start().await;
    server.pushed("demo").await;
    let root = server.work.path().to_owned();
    let mut places = Vec::new();
    for number in 0..8 {
        let name = format!("pusher-{number}");
        run(&root, &["clone", "-q", &server.own_url("demo"), &name]).await;
        let place = root.join(&name);
        let own = commit(&place, &format!("{number}.txt"), "x\n").await;
        places.push((place, own));
    }
    let pushes = places.iter().map(|(place, _)| try_run(place, &["push", "origin", "main"]));
    let outcomes = futures::future::join_all(pushes).await;
    let won: Vec<usize> = (0..8).filter(|&number| outcomes[number].status.success()).collect();
    assert_eq!(won.len(), 1, "one wins");
    for (number, outcome) in outcomes.iter().enumerate().filter(|(number, _)| !won.contains(number)) {
        let said = String::from_utf8_lossy(&outcome.stderr);
        assert!(said.contains("rejected"), "{number}: {said}");
    }
    let tip = run(&root, &["ls-remote", &server.url("demo"), "refs/heads/main"]).await;
    assert!(tip.starts_with(&places[won[0]].1), "the winner's commit is the tip");
    // Everyone else succeeds once they have seen it.
    for (place, _) in &places {
        run(place, &["pull", "-q", "--rebase"]).await;
        run(place, &["push", "-q", "origin", "main"]).await;
    }
    run(&server.bare("demo"), &["fsck", "--strict"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pushes_stream_and_too_large_ones_are_refused_in_words() {
    let server = Server::with_settings(json!({"maxPushBytes": 3 << 20})).await;
    let work = server.pushed("demo").await;
    let noise = |seed: u64, bytes: usize| {
        let mut state = seed;
        let step = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 33) as u8
        };
        (0..bytes).map(|_| step(&mut state)).collect::<Vec<u8>>()
    };
    std::fs::write(work.join("fits.bin"), noise(1, 2 << 20)).unwrap();
    commit(&work, "fits.txt", "x").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    let before = run(&work, &["rev-parse", "HEAD"]).await;
    std::fs::write(work.join("large.bin"), noise(2, 5 << 20)).unwrap();
    commit(&work, "large.txt", "x").await;
    let refused = fail(&work, &["push", &server.own_url("demo"), "main"]).await;
    assert!(refused.contains("exceeds maximum allowed size"), "{refused}");
    assert!(run(&work, &["ls-remote", &server.url("demo"), "main"]).await.starts_with(&before));
    run(&server.bare("demo"), &["fsck", "--strict"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_requests() {
    use std::io::Write;
    let server = Server::start().await;
    server.pushed("demo").await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"0014command=ls-refs\n0000").unwrap();
    let body = gzip.finish().unwrap();
    let headers =
        ["Content-Type: application/x-git-upload-pack-request", "Content-Encoding: gzip", "Git-Protocol: version=2"];
    let answer = server.http("POST", "/gitea/giteaAdmin/demo.git/git-upload-pack", &headers, &body).await;
    assert!(answer.text().contains("refs/heads/main"), "{}", answer.text());
    let broken = server.http("POST", "/gitea/giteaAdmin/demo.git/git-upload-pack", &headers, b"not gzip").await;
    assert!(!broken.text().contains("refs/heads/main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_is_said_plainly() {
    let server = Server::with_settings(json!({"maxOperations": 1, "queueTimeoutSecs": 1})).await;
    server.pushed("demo").await;
    // A push that has begun and does not end holds the only turn.
    use tokio::io::AsyncWriteExt;
    let mut held = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let head = format!(
        "POST /gitea/giteaAdmin/demo.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n{}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n",
        server.basic()
    );
    held.write_all(head.as_bytes()).await.unwrap();
    let mut tries = 0;
    let answer = loop {
        let answer = server.http("GET", "/gitea/giteaAdmin/demo.git/info/refs?service=git-upload-pack", &[], b"").await;
        tries += 1;
        if answer.status == 503 || tries == 200 {
            break answer;
        }
    };
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after").as_deref(), Some("5"));
    drop(held);
    // The turn comes back when the client is gone.
    let mut tries = 0;
    while server.http("GET", "/gitea/giteaAdmin/demo.git/info/refs?service=git-upload-pack", &[], b"").await.status
        != 200
    {
        tries += 1;
        assert!(tries < 2000, "the turn never came back");
    }
}
