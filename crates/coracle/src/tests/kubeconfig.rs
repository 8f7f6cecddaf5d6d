//! Our entries go in and come out; everything else stays.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::kubeconfig::{files, install, merge, remove, uninstall};

fn own(server: &str) -> Value {
    json!({
        "current-context": "whatever",
        "clusters": [{"name": "whatever", "cluster": {"server": server}}],
        "users": [{"name": "whatever", "user": {"client-certificate-data": "abc"}}],
        "contexts": [{"name": "whatever", "context": {"cluster": "whatever", "user": "whatever"}}],
    })
}

fn others() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {"colors": true},
        "current-context": "work",
        "clusters": [{"name": "work", "cluster": {"server": "https://work"}}],
        "users": [{"name": "me", "user": {"exec": {"command": "login"}}}],
        "contexts": [{"name": "work", "context": {"cluster": "work", "user": "me", "namespace": "mine"}}],
        "extensions": [{"name": "x"}],
    })
}

#[test]
fn what_goes_in_comes_out_again() {
    let mut config = others();
    assert_eq!(merge(&mut config, &own("https://a"), "coracle-x"), "work");
    assert_eq!(config["current-context"], "coracle-x");
    assert_eq!(config["clusters"][1], json!({"name": "coracle-x", "cluster": {"server": "https://a"}}));
    assert_eq!(config["contexts"][1]["context"], json!({"cluster": "coracle-x", "user": "coracle-x"}));
    let once = config.clone();
    assert_eq!(merge(&mut config, &own("https://a"), "coracle-x"), "coracle-x");
    assert_eq!(config, once, "merging again changes nothing");
    merge(&mut config, &own("https://b"), "coracle-x");
    assert_eq!(config["clusters"][1]["cluster"]["server"], "https://b");
    assert!(remove(&mut config, "coracle-x", "work"));
    assert_eq!(config, others());
    assert!(!remove(&mut config, "coracle-x", "work"), "a second time there is nothing to do");
}

#[test]
fn the_current_context_is_never_left_dangling() {
    let mut config = Value::Null;
    assert_eq!(merge(&mut config, &own("https://a"), "coracle-x"), "");
    assert_eq!(config["kind"], "Config");
    merge(&mut config, &own("https://b"), "coracle-y");
    remove(&mut config, "coracle-y", "gone");
    assert_eq!(config["current-context"], "");
    assert_eq!(config["clusters"].as_array().map(Vec::len), Some(1));
    let mut not_ours = others();
    assert!(!remove(&mut not_ours, "coracle-x", ""));
    assert!(!remove(&mut Value::Null, "coracle-x", ""));
}

#[test]
fn the_environment_decides_which_file() {
    let check = |kubeconfig: Option<&str>, expect: &[&str]| {
        let expect: Vec<PathBuf> = expect.iter().map(PathBuf::from).collect();
        assert_eq!(files(kubeconfig, Some(Path::new("/home/me"))), expect);
    };
    check(None, &["/home/me/.kube/config"]);
    check(Some(""), &["/home/me/.kube/config"]);
    check(Some("/a:/b"), &["/a", "/b"]);
    check(Some(":/b:"), &["/b"]);
}

#[test]
fn files_are_edited_in_place() {
    let root = tempfile::tempdir().expect("a directory");
    let (file, link, ours) = (root.path().join("real"), root.path().join("sub/link"), root.path().join("own"));
    std::fs::write(&ours, own("https://a").to_string()).expect("is writable");
    std::fs::write(&file, "apiVersion: v1\nkind: Config\nusers: null\ncurrent-context: work\n").expect("is writable");
    std::fs::create_dir(root.path().join("sub")).expect("is writable");
    std::os::unix::fs::symlink(&file, &link).expect("is writable");
    let (changed, before) = install(std::slice::from_ref(&link), &ours, "coracle-x").expect("is installed");
    assert_eq!((changed, before.as_str()), (link.clone(), "work"));
    assert!(std::fs::symlink_metadata(&link).expect("is there").is_symlink());
    assert!(std::fs::read_to_string(&file).expect("is text").contains("coracle-x"));
    uninstall(std::slice::from_ref(&link), "coracle-x", "work").expect("is removed");
    assert!(!std::fs::read_to_string(&file).expect("is text").contains("coracle-x"));
    std::fs::write(root.path().join("real.lock"), "").expect("is writable");
    let locked = install(&[link], &ours, "coracle-x").expect_err("is locked");
    assert!(locked.detail.contains("real.lock"), "{locked}");
}
