//! Pages for people, with content that would like to be markup.

use crate::harness::{Server, commit, run};

#[tokio::test(flavor = "multi_thread")]
async fn content_is_never_markup() {
    let server = Server::start().await;
    let work = server.pushed("demo").await;
    let script = "<script>alert(1)</script>";
    std::fs::create_dir_all(work.join("dir")).unwrap();
    commit(&work, "README.md", script).await;
    commit(&work, "dir/<img src=x onerror=alert(1)>.txt", script).await;
    commit(&work, "page.html", script).await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main", "main:feature/x"]).await;
    for path in
        ["", "/src/branch/main", "/src/branch/main/dir", "/src/branch/main/README.md", "/src/branch/feature/x/dir"]
    {
        let page = server.http("GET", &format!("/gitea/giteaAdmin/demo{path}"), &[], b"").await;
        assert_eq!(page.status, 200, "{path}");
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains("<img"), "{path}: {text}");
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert_eq!(page.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert!(text.contains("prefers-color-scheme:dark"));
    }
    let dir = server.http("GET", "/gitea/giteaAdmin/demo/src/branch/feature/x/dir", &[], b"").await.text();
    assert!(dir.contains("&lt;img") && dir.contains("/gitea/giteaAdmin/demo/src/branch/feature/x/dir/%3Cimg"), "{dir}");
    let raw = server.http("GET", "/gitea/giteaAdmin/demo/raw/branch/main/page.html", &[], b"").await;
    assert_eq!(raw.header("content-type").as_deref(), Some("text/plain; charset=utf-8"));
    assert!(raw.header("content-security-policy").unwrap().contains("sandbox"));
    for path in [
        "/gitea/nobody",
        "/gitea/giteaAdmin/nope",
        "/gitea/giteaAdmin/demo/src/branch/main/nope",
        "/gitea/giteaAdmin/demo/src/branch/nope",
    ] {
        assert_eq!(server.http("GET", path, &[], b"").await.status, 404, "{path}");
    }
    assert!(server.http("GET", "/gitea/", &[], b"").await.text().contains("demo"));
}
