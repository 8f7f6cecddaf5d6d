//! Requests that no honest client makes.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Server, commit, run};

#[tokio::test(flavor = "multi_thread")]
async fn paths_do_not_escape() {
    let server = Server::start().await;
    server.pushed("demo").await;
    std::fs::create_dir_all(server.directory.join("secret.git")).unwrap();
    for path in [
        "/gitea/..%2f..%2fetc/passwd/info/refs?service=git-upload-pack",
        "/gitea/giteaAdmin/..%2fgiteaAdmin%2fdemo.git/info/refs?service=git-upload-pack",
        "/gitea/../../etc/passwd/info/refs?service=git-upload-pack",
        "/gitea/%2e%2e/secret.git/info/refs?service=git-upload-pack",
        "/gitea/giteaAdmin/demo.git%00/info/refs?service=git-upload-pack",
        "/gitea/giteaAdmin/demo.git.git/info/refs?service=git-upload-pack",
        "/gitea/giteaAdmin/demo.lock/info/refs?service=git-upload-pack",
        "/gitea/giteaAdmin/-demo/info/refs?service=git-upload-pack",
        "/gitea/.hidden/demo/info/refs?service=git-upload-pack",
        "/gitea/giteaAdmin/demo/raw/branch/main/..%2f..%2fHEAD",
        "/gitea/giteaAdmin/demo/raw/branch/main/../../../../HEAD",
        "/gitea/giteaAdmin/demo/src/branch/..%2f..%2fHEAD/a.txt",
        "/gitea/api/v1/repos/giteaAdmin/demo/contents/..%2f..%2fHEAD",
        "/gitea/api/v1/repos/giteaAdmin/..%2fdemo/contents/a.txt",
        "/gitea/api/v1/repos/giteaAdmin/demo/contents/a.txt?ref=--help",
        "/gitea/api/v1/repos/giteaAdmin/demo/git/trees/..%2fHEAD",
    ] {
        let answer = server.http("GET", path, &[&server.basic()], b"").await;
        assert!(matches!(answer.status, 400 | 404 | 422), "{path}: {} {}", answer.status, answer.text());
        assert!(!answer.text().contains("root:") && !answer.text().contains("ref: refs"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_smart_protocol_is_served() {
    let server = Server::start().await;
    server.pushed("demo").await;
    for path in ["info/refs", "info/refs?service=git-archive", "HEAD", "objects/info/packs", "objects/00/00"] {
        let answer = server.http("GET", &format!("/gitea/giteaAdmin/demo.git/{path}"), &[], b"").await;
        assert_eq!(answer.status, 403, "{path}");
    }
    for path in ["config", "coracle.json", "hooks/post-receive", "packed-refs"] {
        let answer = server.http("GET", &format!("/gitea/giteaAdmin/demo.git/{path}"), &[], b"").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let wrong_type = server.http("POST", "/gitea/giteaAdmin/demo.git/git-upload-pack", &[], b"0000").await;
    assert_eq!(wrong_type.status, 415);
    let kind = "Content-Type: application/x-git-upload-pack-request";
    let odd = server
        .http("POST", "/gitea/giteaAdmin/demo.git/git-upload-pack", &[kind, "Content-Encoding: br"], b"0000")
        .await;
    assert_eq!(odd.status, 415);
    let anonymous = server
        .http(
            "POST",
            "/gitea/giteaAdmin/demo.git/git-receive-pack",
            &["Content-Type: application/x-git-receive-pack-request"],
            b"0000",
        )
        .await;
    assert_eq!(anonymous.status, 401);
    assert_eq!(anonymous.header("www-authenticate").as_deref(), Some("Basic realm=\"Gitea\""));
    let options = server
        .http(
            "GET",
            "/gitea/giteaAdmin/demo.git/info/refs?service=git-upload-pack",
            &["Git-Protocol: version=2;$(id)"],
            b"",
        )
        .await;
    assert!(options.text().starts_with("001e# service=git-upload-pack\n"), "an odd header is not passed on");
}

/// The request body of a push of `work`'s main, as a client would send it.
async fn push_body(server: &Server, work: &std::path::Path) -> Vec<u8> {
    let old = run(work, &["ls-remote", &server.url("demo"), "refs/heads/main"]).await;
    let old = old.split_whitespace().next().unwrap().to_owned();
    let new = run(work, &["rev-parse", "main"]).await;
    let line = format!("{old} {new} refs/heads/main\0 report-status");
    let mut body = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
    let mut pack = crate::harness::command(work, &["pack-objects", "--stdout", "--revs", "-q"]);
    pack.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = pack.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(format!("{new}\n^{old}\n").as_bytes()).await.unwrap();
    drop(input);
    body.extend(child.wait_with_output().await.unwrap().stdout);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_cut_off_changes_nothing() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let before = run(&work, &["rev-parse", "main"]).await;
    let blob: String = (0..20_000).map(|n| format!("{n} {}\n", n * 7919)).collect();
    commit(&work, "large.txt", &blob).await;
    let body = push_body(&server, &work).await;
    let head = format!(
        "POST /gitea/giteaAdmin/demo.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n{}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: {}\r\n\r\n",
        server.basic(),
        body.len()
    );
    for part in [1, 30, 200, body.len() / 2, body.len() - 1] {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..part]).await.unwrap();
        drop(stream);
    }
    // The turns come back when the processes have ended.
    let bare = server.bare("demo");
    let quarantined = || {
        let entries = std::fs::read_dir(bare.join("objects")).unwrap();
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp_objdir")).count()
    };
    let mut tries = 0;
    loop {
        let tip = run(&work, &["ls-remote", &server.url("demo"), "refs/heads/main"]).await;
        assert!(tip.starts_with(&before), "the branch did not move");
        tries += 1;
        if quarantined() == 0 || tries == 500 {
            break;
        }
    }
    assert_eq!(quarantined(), 0, "nothing is left of what did not arrive");
    run(&bare, &["fsck", "--strict"]).await;
    assert!(std::fs::read_dir(bare.join("refs/heads")).unwrap().flatten().all(|entry| entry.file_name() == "main"));
    // The same push whole goes through.
    let whole = server
        .http(
            "POST",
            "/gitea/giteaAdmin/demo.git/git-receive-pack",
            &[&server.basic(), "Content-Type: application/x-git-receive-pack-request"],
            &body,
        )
        .await;
    assert!(whole.text().contains("unpack ok") && whole.text().contains("ok refs/heads/main"), "{}", whole.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_objects_are_refused() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    // A tree with an entry called `.git` is what attacks on clients are made of.
    let blob = run(&work, &["rev-parse", "HEAD:a.txt"]).await;
    let mut tree = b"100644 .git\0".to_vec();
    tree.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap()));
    let file = server.work.path().join("tree");
    std::fs::write(&file, tree).unwrap();
    let tree = run(&work, &["hash-object", "-t", "tree", "--literally", "-w", file.to_str().unwrap()]).await;
    let bad = run(&work, &["commit-tree", "-p", "HEAD", "-m", "bad", &tree]).await;
    let refused =
        crate::harness::fail(&work, &["push", &server.own_url("demo"), &format!("{bad}:refs/heads/bad")]).await;
    assert!(
        refused.contains("hasDotgit") || refused.contains("unpacker error") || refused.contains("fsck"),
        "{refused}"
    );
    assert!(!run(&work, &["ls-remote", &server.url("demo")]).await.contains("refs/heads/bad"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_and_configuration_of_a_repository_do_not_run() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let hooks = server.bare("demo").join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    let trace = server.work.path().join("ran");
    for hook in ["pre-receive", "update", "post-receive", "post-update"] {
        let path = hooks.join(hook);
        std::fs::write(&path, format!("#!/bin/sh\ntouch {}\n", trace.display())).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    commit(&work, "a.txt", "two\n").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    assert!(!trace.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_differ_by_case_are_the_same() {
    let server = Server::start().await;
    server.make("Demo").await;
    let again = server.api("POST", "/user/repos", Some(json!({"name": "demo"}))).await;
    assert_eq!(again.status, 409);
    assert_eq!(server.api("GET", "/repos/GITEAADMIN/DEMO", None).await.json()["full_name"], "giteaAdmin/Demo");
}
