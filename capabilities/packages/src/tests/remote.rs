//! The grammar of remote packages.

use std::time::Duration;

use crate::remote::{RemotePackage, clean, credentials, duration, looks_remote, parse, redact};

fn package(repository: &str, path: &str, revision: &str) -> RemotePackage {
    RemotePackage {
        repository: repository.to_owned(),
        path: path.to_owned(),
        revision: revision.to_owned(),
        timeout: Duration::from_secs(27),
        submodules: true,
    }
}

#[test]
fn addresses_are_read() {
    let check = |address: &str, expect: RemotePackage| assert_eq!(parse(address), Ok(expect), "{address}");
    let stacks = "https://github.com/cnoe-io/stacks";
    check("https://github.com/cnoe-io/stacks//basic", package(stacks, "basic", ""));
    check("https://github.com/cnoe-io/stacks//basic/package1/", package(stacks, "basic/package1", ""));
    check(
        "https://github.com/cnoe-io/stacks//./basic/../ref-implementation",
        package(stacks, "ref-implementation", ""),
    );
    check("https://github.com/cnoe-io/stacks//", package(stacks, "", ""));
    check("https://github.com/cnoe-io/stacks//basic?ref=v1", package(stacks, "basic", "v1"));
    check("https://github.com/cnoe-io/stacks//basic?version=v2", package(stacks, "basic", "v2"));
    check("https://github.com/cnoe-io/stacks//basic?version=v2&ref=v1", package(stacks, "basic", "v1"));
    check("https://github.com/cnoe-io/stacks//basic?ref=feature%2Fa", package(stacks, "basic", "feature/a"));
    check("http://host:3000/o/r.git//p", package("http://host:3000/o/r.git", "p", ""));
    check("https://me:secret@host/o/r//p", package("https://me:secret@host/o/r", "p", ""));
    check("git@github.com:cnoe-io/stacks//basic?ref=main", package("git@github.com:cnoe-io/stacks", "basic", "main"));
    check("https://host/group/sub/repo//p", package("https://host/group/sub/repo", "p", ""));
    let slow = parse("https://h/o/r//p?timeout=120&submodules=false").expect("is an address");
    assert_eq!((slow.timeout, slow.submodules), (Duration::from_secs(120), false));
    assert_eq!(parse("https://h/o/r//p?timeout=1m1s").expect("is an address").timeout, Duration::from_secs(61));
}

#[test]
fn what_is_no_address_is_refused_with_a_reason() {
    let check = |address: &str, reason: &str| {
        let refused = parse(address).expect_err(address);
        assert_eq!(refused.code, "bad-package-url");
        assert!(refused.detail.contains(reason), "{address}: {}", refused.detail);
    };
    check("https://github.com/cnoe-io/stacks", "must have //");
    check("https://github.com//stacks", "must have //");
    check("https://github.com", "names no repository");
    check("https:///o/r//p", "names no host");
    check("ftp://host/o/r//p", "only https");
    check("./local/dir", "begins neither");
    check("https://h/o/r//../../p", "leaves the repository");
    check("https://h/o/r//p?timeout=soon", "not a duration");
    check("https://h/o/r//p?submodules=maybe", "neither true nor false");
}

#[test]
fn a_refusal_shows_no_password() {
    let refused = parse("https://me:secret@host/o/r").expect_err("no path");
    assert!(!format!("{refused:?}").contains("secret"));
    assert_eq!(redact("https://me:secret@host/o/r?x=a@b"), "https://host/o/r?x=a@b");
    assert_eq!(redact("git@host:o/r"), "git@host:o/r");
    assert_eq!(redact("/a/path"), "/a/path");
}

#[test]
fn paths_are_cleaned() {
    let check = |path: &str, expect: Option<&str>| assert_eq!(clean(path).as_deref(), expect, "{path}");
    check("a/b", Some("a/b"));
    check("/a//b/./c/", Some("a/b/c"));
    check("a/../b", Some("b"));
    check("", Some(""));
    check("a/../..", None);
}

#[test]
fn durations_are_read_as_go_reads_them() {
    let check = |text: &str, expect: Option<u64>| {
        assert_eq!(duration(text).ok(), expect.map(Duration::from_millis), "{text}");
    };
    check("5m", Some(300_000));
    check("1m30s", Some(90_000));
    check("1.5s", Some(1_500));
    check("500ms", Some(500));
    check("2h", Some(7_200_000));
    check("90", Some(90_000));
    check("", None);
    check("5 m", None);
    check("m", None);
    check("99999999999999999999h", None);
}

#[test]
fn remote_arguments_are_told_from_paths() {
    for remote in ["https://h/o/r//p", "git@h:o/r//p", "ssh://h/o"] {
        assert!(looks_remote(remote), "{remote}");
    }
    for local in ["./a", "/a/b", "a@b/c", "C:x"] {
        assert!(!looks_remote(local), "{local}");
    }
}

#[test]
fn credentials_are_taken_out_of_addresses() {
    let check = |address: &str, expect: Option<&str>| {
        assert_eq!(credentials(address).as_deref(), expect, "{address}");
    };
    check("https://user:to%40ken@host/org/repo", Some("user:to@ken"));
    check("https://token@host:8443/org/repo", Some("token"));
    check("https://host/org/repo@v1", None);
    check("git@host:org/repo", None);
}
