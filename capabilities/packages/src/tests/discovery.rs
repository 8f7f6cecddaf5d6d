//! Files to Applications, names, and who wins.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use contracts::git::Mode;

use crate::discovery::{AppKey, Found, applications, check_local, choose, read_local};
use crate::kinds::PackageConfigs;
use crate::manifest::SourceFile;
use crate::{naming, tree};

fn application(name: &str, url: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  source:\n    repoURL: {url}\n"
    )
}

fn file(path: &str, text: impl Into<String>) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.into() }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a file has a directory")).expect("is writable");
    fs::write(path, text).expect("is writable");
}

#[test]
fn every_document_counts_and_other_kinds_are_passed_over() {
    let text =
        format!("{}---\n---\nkind: ConfigMap\napiVersion: v1\n---\n{}", application("a", "x"), application("b", "y"));
    let found = applications(&[file("f.yaml", text), file("values.yaml", "a: 1\n"), file("empty.yaml", "# nothing\n")]);
    let names: Vec<String> = found.expect("is valid").into_iter().map(|found| found.key.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_broken_file_is_shown_with_its_place() {
    let broken = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: [a\nspec: {}\n";
    let error = applications(&[file("dir/app.yaml", broken)]).expect_err("is broken");
    assert_eq!(error.code, "broken-yaml");
    assert!(error.title.starts_with("dir/app.yaml:"), "{}", error.title);
    assert!(error.detail.contains('^'), "{}", error.detail);
}

#[test]
fn applications_that_cannot_be_are_refused() {
    let check = |text: &str, what: &str| {
        let error = applications(&[file("f.yaml", text)]).expect_err(what);
        assert!(error.title.contains(what), "{}", error.title);
    };
    check("apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {}\n", "no valid metadata.name");
    check(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: A_b}\nspec: {}\n",
        "no valid metadata.name",
    );
    check("apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\n", "has no spec");
    check(&format!("{}---\n{}", application("a", "x"), application("a", "y")), "is defined twice");
}

#[test]
fn a_directory_is_read_without_its_subdirectories() {
    let root = tempfile::tempdir().expect("a directory");
    for path in ["b.yaml", "a.yml", "deep/c.yaml", "readme.md", "deep/manifests/x.yaml"] {
        write(root.path(), path, &application("x", "y"));
    }
    let names: Vec<String> = read_local(root.path())
        .expect("is readable")
        .into_iter()
        .map(|file| file.path.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["a.yml", "b.yaml"]);
    assert_eq!(read_local(&root.path().join("deep/c.yaml")).expect("is readable").len(), 1);
}

#[test]
fn packages_are_checked_whole() {
    let root = tempfile::tempdir().expect("a directory");
    let path = root.path();
    assert_eq!(check_local(&path.join("absent")).expect_err("is absent").code, "no-such-package");
    write(path, "basic/one/app.yaml", &application("a", "cnoe://manifests"));
    let empty = check_local(&path.join("basic")).expect_err("is empty");
    assert_eq!(empty.code, "empty-package");
    assert!(empty.hint.contains("basic/one?") || empty.hint.ends_with("basic/one?"), "{}", empty.hint);
    let missing = check_local(&path.join("basic/one")).expect_err("its directory is missing");
    assert_eq!(missing.code, "no-such-directory");
    assert!(missing.title.contains("cnoe://manifests"), "{}", missing.title);
    write(path, "basic/one/manifests/cm.yaml", "a: 1");
    assert_eq!(check_local(&path.join("basic/one")).expect("is whole").len(), 1);
    write(path, "basic/two/app.yaml", &application("b", "cnoe://../one/manifests"));
    assert_eq!(check_local(&path.join("basic/two")).expect("`..` is allowed").len(), 1);
    write(path, "basic/three/app.yaml", &application("c", "cnoe://"));
    assert_eq!(check_local(&path.join("basic/three/app.yaml")).expect("the directory itself").len(), 1);
}

fn found(name: &str, file: &str) -> Found {
    let key = AppKey { kind: "Application".into(), namespace: "argocd".into(), name: name.into() };
    Found { key, file: file.into(), manifest: serde_json::Value::Null }
}

#[test]
fn the_last_package_wins() {
    let packages = vec![
        (0, vec![found("a", "one/app.yaml"), found("b", "one/app2.yaml")]),
        (2, vec![found("a", "three/app.yaml")]),
        (1, vec![found("a", "two/other.yaml"), found("c", "two/app.yaml")]),
    ];
    let chosen: Vec<(String, usize, String)> =
        choose(packages).into_iter().map(|chosen| (chosen.name, chosen.priority, chosen.found.file)).collect();
    let expect = [("app-a", 2, "three/app.yaml"), ("app-c", 1, "two/app.yaml"), ("app2-b", 0, "one/app2.yaml")];
    let expect: Vec<(String, usize, String)> =
        expect.into_iter().map(|(name, priority, file)| (name.into(), priority, file.into())).collect();
    assert_eq!(chosen, expect);
}

#[test]
fn the_command_line_decides_the_order() {
    let configs = PackageConfigs {
        custom_package_dirs: vec!["/d1".into(), "/d2".into()],
        custom_package_files: vec!["/f".into()],
        custom_package_urls: vec!["https://u".into()],
        custom_package_order: vec!["https://u".into(), "/d2".into(), "/f".into(), "/gone".into()],
        ..PackageConfigs::default()
    };
    assert_eq!(configs.in_order(), ["/d1", "https://u", "/d2", "/f"]);
    let unordered = PackageConfigs { custom_package_order: Vec::new(), ..configs };
    assert_eq!(unordered.in_order(), ["/d1", "/d2", "/f", "https://u"]);
}

#[test]
fn names_are_those_of_cnoes_builder() {
    let check = |file: &str, app: &str, expect: &str| assert_eq!(naming::custom_package(file, app), expect);
    check("dir/App.v1.yaml", "my-app", "app-my-app");
    check("app.yaml", "my-app", "app-my-app");
    check("my_file.yaml", "x", "my-file-x");
    assert_eq!(naming::git_repository("my-app", "App One"), "my-app-app-one");
    let root = api::ClusterName::root();
    assert_eq!(naming::repository(&root, "idpbuilder-localdev", "my-app-app1").name, "idpbuilder-localdev-my-app-app1");
    let long = naming::git_repository(&"a".repeat(150), &"b".repeat(150));
    assert!(long.len() <= 200 && api::name::is_dns_subdomain(&long), "{long}");
}

#[test]
fn trees_leave_out_what_git_does_not_take() {
    let root = tempfile::tempdir().expect("a directory");
    let path = root.path();
    write(path, "a.yaml", "1");
    write(path, "sub/run.sh", "#!/bin/sh");
    write(path, ".git/config", "no");
    write(path, "sub/.git", "gitdir: elsewhere");
    fs::set_permissions(path.join("sub/run.sh"), fs::Permissions::from_mode(0o755)).expect("is ours");
    symlink("/etc/passwd", path.join("link")).expect("is writable");
    symlink("/etc", path.join("directory-link")).expect("is writable");
    let files = tree::read(path).expect("is readable");
    let shown: Vec<(&str, Mode)> = files.iter().map(|(name, file)| (name.as_str(), file.mode)).collect();
    assert_eq!(shown, [("a.yaml", Mode::File), ("sub/run.sh", Mode::Executable)]);
    assert_eq!(tree::read(&path.join("absent")).expect_err("is absent").code, "unreadable-package");
}
