//! Gitea's REST API as CNOE's stacks call it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Server, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_way_backstage_publishes() {
    let server = Server::start().await;
    assert_eq!(server.api("GET", "/version", None).await.json()["version"], "1.24.3");
    assert_eq!(server.api("GET", "/orgs/giteaAdmin", None).await.status, 404);
    let me = server.api("GET", "/user", None).await.json();
    assert_eq!((&me["login"], &me["is_admin"], &me["id"]), (&json!("giteaAdmin"), &json!(true), &json!(1)));
    let new = json!({"name": "demo", "description": "A demo"});
    let made = server
        .http(
            "POST",
            "/gitea/api/v1/user/repos",
            &[&server.basic(), "Content-Type: application/json"],
            new.to_string().as_bytes(),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let repo = made.json();
    assert_eq!(repo["full_name"], "giteaAdmin/demo");
    assert_eq!(repo["owner"]["login"], "giteaAdmin");
    assert_eq!(repo["clone_url"], server.url("demo"));
    assert_eq!(repo["html_url"], format!("{}/giteaAdmin/demo", server.base()));
    assert_eq!(
        (&repo["empty"], &repo["private"], &repo["default_branch"]),
        (&json!(true), &json!(false), &json!("main"))
    );
    assert_eq!(repo["permissions"], json!({"admin": true, "push": true, "pull": true}));
    let again = server.api("POST", "/user/repos", Some(new)).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["message"], "The repository with the same name already exists.");
    let work = server.workspace("demo").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    let content = server.api("GET", "/repos/giteaAdmin/demo/contents/a.txt?ref=main", None).await.json();
    assert_eq!(STANDARD.decode(content["content"].as_str().unwrap()).unwrap(), b"one\n");
    assert_eq!(content["type"], "file");
    let page = server.http("GET", "/gitea/giteaAdmin/demo/src/branch/main", &[], b"").await;
    assert_eq!(page.status, 200);
    let raw = server.http("GET", "/gitea/giteaAdmin/demo/raw/branch/main/a.txt", &[], b"").await;
    assert_eq!((raw.status, raw.text().as_str()), (200, "one\n"));
    assert_eq!(raw.header("x-content-type-options").as_deref(), Some("nosniff"));
    assert_eq!(server.api("GET", "/repos/giteaAdmin/demo/raw/a.txt", None).await.text(), "one\n");
    assert_eq!(server.api("GET", "/repos/giteaAdmin/demo", None).await.json()["empty"], false);
    assert_eq!(server.api("DELETE", "/repos/giteaAdmin/demo", None).await.status, 204);
    assert_eq!(server.api("DELETE", "/repos/giteaAdmin/demo", None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_giteas_shape() {
    let server = Server::start().await;
    server.make("demo").await;
    let body = json!({"name": "x"}).to_string();
    for (method, path, headers, body, expect) in [
        ("GET", "/user", vec![], "", 401),
        ("POST", "/user/repos", vec![], body.as_str(), 401),
        ("GET", "/user", vec!["Authorization: token nope"], "", 401),
        ("DELETE", "/repos/giteaAdmin/demo", vec![], "", 401),
        ("GET", "/repos/giteaAdmin/nope", vec![], "", 404),
        ("GET", "/nowhere", vec![], "", 404),
        ("GET", "/repos/giteaAdmin/demo/branches/nope", vec![], "", 404),
        ("GET", "/repos/giteaAdmin/demo/commits", vec![], "", 409),
    ] {
        let answer = server.http(method, &format!("/gitea/api/v1{path}"), &headers, body.as_bytes()).await;
        assert_eq!(answer.status, expect, "{method} {path}: {}", answer.text());
        println!("{method} {path}");
        assert!(answer.json()["message"].is_string() && answer.json()["url"].is_string());
    }
    for bad in [json!({"name": ".."}), json!({"name": "a/b"}), json!({"nome": "x"}), json!({"name": "x.git"})] {
        let answer = server.api("POST", "/user/repos", Some(bad.clone())).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    let garbage = server.http("POST", "/gitea/api/v1/user/repos", &[&server.basic()], b"{").await;
    assert_eq!(garbage.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_pages() {
    let server = Server::start().await;
    for number in 0..5 {
        server.make(&format!("idpbuilder-localdev-{number}")).await;
    }
    let answer = server.api("GET", "/repos/search?q=idpbuilder&limit=2&page=2", None).await;
    let body = answer.json();
    assert_eq!(body["ok"], true);
    let names: Vec<&str> = body["data"].as_array().unwrap().iter().map(|repo| repo["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["idpbuilder-localdev-2", "idpbuilder-localdev-3"]);
    assert_eq!(answer.header("x-total-count").as_deref(), Some("5"));
    let link = answer.header("link").unwrap();
    for relation in ["next", "last", "first", "prev"] {
        assert!(link.contains(&format!("rel=\"{relation}\"")), "{link}");
    }
    assert_eq!(
        server.api("GET", "/repos/search?uid=1&limit=100", None).await.json()["data"].as_array().unwrap().len(),
        5
    );
    assert_eq!(server.api("GET", "/repos/search?uid=9", None).await.json()["data"], json!([]));
    assert_eq!(server.api("GET", "/user/repos", None).await.json().as_array().unwrap().len(), 5);
    assert_eq!(server.api("GET", "/users/giteaAdmin/repos?limit=1", None).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_shown_once_and_end_when_removed() {
    let server = Server::start().await;
    let made = server
        .http(
            "POST",
            "/gitea/api/v1/users/giteaAdmin/tokens",
            &[&server.basic()],
            br#"{"name":"ci","scopes":["read:repository"]}"#,
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let token = made.json()["sha1"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 40);
    let secrets = server.objects.all("secrets");
    assert!(secrets.iter().all(|secret| {
        let text = String::from_utf8_lossy(&secret.json.text()).into_owned();
        !text.contains(&token) && !text.contains(&STANDARD.encode(&token))
    }));
    let bearer = format!("Authorization: Bearer {token}");
    assert_eq!(server.http("GET", "/gitea/api/v1/user", &[&bearer], b"").await.status, 200);
    let beyond = server.http("POST", "/gitea/api/v1/user/repos", &[&bearer], br#"{"name":"x"}"#).await;
    assert_eq!(beyond.status, 403, "a token for reading does not write");
    let twice =
        server.http("POST", "/gitea/api/v1/users/giteaAdmin/tokens", &[&server.basic()], br#"{"name":"ci"}"#).await;
    assert_eq!(twice.status, 400);
    let listed = server.http("GET", "/gitea/api/v1/users/giteaAdmin/tokens", &[&server.basic()], b"").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed.as_array().unwrap().iter().all(|token| token["sha1"] == ""));
    let removed = server.http("DELETE", "/gitea/api/v1/users/giteaAdmin/tokens/ci", &[&server.basic()], b"").await;
    assert_eq!(removed.status, 204);
    assert_eq!(server.http("GET", "/gitea/api/v1/user", &[&bearer], b"").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_own_repositories() {
    let server = Server::start().await;
    let made = server.api("POST", "/orgs", Some(json!({"username": "platform"}))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(server.api("POST", "/orgs", Some(json!({"username": "Platform"}))).await.status, 422);
    let repo = server.api("POST", "/orgs/platform/repos", Some(json!({"name": "stacks", "auto_init": true}))).await;
    assert_eq!((repo.status, &repo.json()["full_name"]), (201, &json!("platform/stacks")));
    assert_eq!(server.api("GET", "/orgs/platform/repos", None).await.json().as_array().unwrap().len(), 1);
    let readme = server.api("GET", "/repos/platform/stacks/raw/README.md", None).await.text();
    assert_eq!(readme, "# stacks\n");
    assert_eq!(server.api("GET", "/user/orgs", None).await.json()[0]["username"], "platform");
}

fn body(content: &str, sha: &str) -> Value {
    json!({"content": STANDARD.encode(content), "sha": sha, "message": "by rest"})
}

#[tokio::test(flavor = "multi_thread")]
async fn files_change_by_rest() {
    let server = Server::start().await;
    server.make("demo").await;
    let path = "/repos/giteaAdmin/demo/contents/dir/a.yaml";
    let made = server.api("POST", path, Some(body("one", ""))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let sha = made.json()["content"]["sha"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["commit"]["message"], "by rest\n");
    assert_eq!(server.api("POST", path, Some(body("again", ""))).await.status, 422);
    let stale = server.api("PUT", path, Some(body("two", &"0".repeat(40)))).await;
    assert_eq!(stale.status, 422, "{}", stale.text());
    let updated = server.api("PUT", path, Some(body("two", &sha))).await;
    assert_eq!(updated.status, 200, "{}", updated.text());
    let sha = updated.json()["content"]["sha"].as_str().unwrap().to_owned();
    let listed = server.api("GET", "/repos/giteaAdmin/demo/contents", None).await.json();
    assert_eq!((&listed[0]["name"], &listed[0]["type"]), (&json!("dir"), &json!("dir")));
    let tree = server.api("GET", "/repos/giteaAdmin/demo/git/trees/main?recursive=1", None).await.json();
    let paths: Vec<&str> =
        tree["tree"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["dir", "dir/a.yaml"]);
    let several = json!({"files": [
        {"operation": "create", "path": "b.yaml", "content": STANDARD.encode("b")},
        {"operation": "update", "path": "dir/c.yaml", "from_path": "dir/a.yaml", "sha": sha, "content": STANDARD.encode("c")},
    ], "message": "several", "new_branch": "feature/rest"});
    let answer = server.api("POST", "/repos/giteaAdmin/demo/contents", Some(several)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let commits = server.api("GET", "/repos/giteaAdmin/demo/commits?sha=feature/rest", None).await;
    assert_eq!(commits.header("x-total-count").as_deref(), Some("3"));
    assert_eq!(commits.json()[0]["commit"]["message"], "several\n");
    let of_path = server.api("GET", "/repos/giteaAdmin/demo/commits?path=dir/a.yaml", None).await.json();
    assert_eq!(of_path.as_array().unwrap().len(), 2);
    let branch = server.api("GET", "/repos/giteaAdmin/demo/branches/feature/rest", None).await.json();
    assert_eq!(branch["name"], "feature/rest");
    let gone = server.api("DELETE", path, Some(json!({"sha": sha}))).await;
    assert_eq!((gone.status, &gone.json()["content"]), (200, &Value::Null), "{}", gone.text());
    assert_eq!(server.api("GET", path, None).await.status, 404);
    for bad in ["/repos/giteaAdmin/demo/contents/.git/config", "/repos/giteaAdmin/demo/contents/b%00"] {
        assert_eq!(server.api("POST", bad, Some(body("x", ""))).await.status, 422, "{bad}");
    }
    run(&server.bare("demo"), &["fsck", "--strict"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_come_and_go() {
    let server = Server::start().await;
    server.pushed("demo").await;
    let made = server.api("POST", "/repos/giteaAdmin/demo/branches", Some(json!({"new_branch_name": "a/b"}))).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let again = server.api("POST", "/repos/giteaAdmin/demo/branches", Some(json!({"new_branch_name": "a/b"}))).await;
    assert_eq!(again.status, 409);
    let listed = server.api("GET", "/repos/giteaAdmin/demo/branches", None).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let moved =
        server.api("PATCH", "/repos/giteaAdmin/demo", Some(json!({"default_branch": "a/b", "description": "d"}))).await;
    assert_eq!((&moved.json()["default_branch"], &moved.json()["description"]), (&json!("a/b"), &json!("d")));
    assert_eq!(server.api("DELETE", "/repos/giteaAdmin/demo/branches/a/b", None).await.status, 403);
    assert_eq!(server.api("DELETE", "/repos/giteaAdmin/demo/branches/main", None).await.status, 204);
    assert_eq!(
        server.api("PATCH", "/repos/giteaAdmin/demo", Some(json!({"default_branch": "main"}))).await.status,
        404
    );
}
