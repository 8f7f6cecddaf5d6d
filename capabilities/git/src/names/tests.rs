//! Tests of names: what is allowed, what is not, and that two never become one.
//! They touch no disk.

use super::*;

fn id(owner: &str, name: &str) -> RepositoryId {
    RepositoryId { owner: owner.into(), name: name.into() }
}

#[test]
fn repository_names() {
    for good in ["demo", "a", "idpbuilder-localdev-my-app-app1", "with.dot", "Under_score", "v2.0"] {
        assert!(check_repository(&id("giteaAdmin", good)).is_ok(), "{good}");
    }
    for bad in [
        "", ".", "..", ".hidden", "-flag", "a/b", "a\\b", "a..b", "x.git", "x.GIT", "x.lock", "x.wiki", "nul\0", "é",
        "a b", "dot.", "%2e%2e", "a\n",
    ] {
        assert!(check_repository(&id("giteaAdmin", bad)).is_err(), "{bad:?}");
    }
    assert!(check_repository(&id("api", "x")).is_err());
    assert!(check_repository(&id("API", "x")).is_err());
    assert!(check_repository(&id("o", &"x".repeat(101))).is_err());
    assert_eq!(parse_repository("o", "x.git").unwrap(), id("o", "x"));
    assert!(parse_repository("o", "x.git.git").is_err());
}

#[test]
fn object_names_are_dns_names_and_unique() {
    assert_eq!(object_name(&id("giteaAdmin", "demo")), "giteaadmin-demo");
    let pairs = [("a-b", "c"), ("a", "b-c"), ("a", "b.c"), ("a", "b_c"), ("a_b", "c"), ("a", "b-")];
    let names: std::collections::BTreeSet<String> = pairs.iter().map(|(o, n)| object_name(&id(o, n))).collect();
    assert_eq!(names.len(), pairs.len(), "{names:?}");
    let long = object_name(&id("o", &"x".repeat(100)));
    for name in names.iter().chain([&long]) {
        assert!(name.len() <= 63 && api::name::is_dns_subdomain(name), "{name}");
    }
    assert_eq!(object_name(&id("A", "B")), object_name(&id("a", "b")));
}

#[test]
fn paths() {
    for good in ["a", "a/b.yaml", ".gitignore", ".github/workflows/x.yml", "ünï/x"] {
        assert!(check_file_path(good).is_ok(), "{good}");
    }
    for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", ".", ".git/config", "a/.GIT/x", "a\\b", "a\0"] {
        assert!(check_file_path(bad).is_err(), "{bad:?}");
    }
    assert_eq!(directory_components("./a/b/").unwrap(), ["a", "b"]);
    assert!(directory_components("a/../b").is_err());
    assert!(directory_components("").unwrap().is_empty());
}

#[test]
fn branches() {
    for good in ["main", "feature/x", "v1.0"] {
        assert!(check_branch(good).is_ok(), "{good}");
    }
    for bad in ["", "-x", "HEAD", "a..b", "a b", "x.lock", "/x", "x/", "a~1", "a^", "a:b", "@{"] {
        assert!(check_branch(bad).is_err(), "{bad:?}");
    }
}
