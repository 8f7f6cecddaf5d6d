//! Trees to objects, as cases.

use bytes::Bytes;
use serde_json::Value;

use super::{Directory, Options};
use crate::{Entry, Error, Kind, Renderer, Request, Source, render};

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

fn names(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap_or("?")).collect()
}

fn check(files: &[(&str, &str)], options: Options, expect: &[&str]) {
    let objects = Directory { options }.render(&Source::of(files)).expect("the tree renders");
    assert_eq!(names(&objects), expect);
}

fn refused(files: &[(&str, &str)]) -> String {
    render(&Request::default(), &Source::of(files)).expect_err("the tree is refused").to_string()
}

#[test]
fn files_are_chosen_by_options() {
    let (a, b, c, d) = (map("a"), map("b"), map("c"), map("d"));
    let files: &[(&str, &str)] =
        &[("a.yaml", &a), ("b.yml", &b), ("sub/c.yaml", &c), ("sub/deep/d.yaml", &d), ("notes.txt", "x")];
    let with = |recurse, include: &str, exclude: &str| Options {
        recurse,
        include: include.to_owned(),
        exclude: exclude.to_owned(),
    };
    check(files, with(false, "", ""), &["a", "b"]);
    check(files, with(true, "", ""), &["a", "b", "c", "d"]);
    check(files, with(true, "sub/*", ""), &["c", "d"]);
    check(files, with(true, "", "{a,b}.*"), &["c", "d"]);
    check(files, with(true, "*.yaml", "sub/deep/*"), &["a", "c"]);
    check(files, with(false, "nothing", ""), &[]);
}

#[test]
fn documents_lists_and_empty_ones() {
    let text = format!(
        "# a comment\n---\n{}---\n---\n{{}}\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: s}}\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: t}}\n",
        map("a")
    );
    check(&[("all.yaml", &text)], Options::default(), &["a", "s", "t"]);
    check(
        &[("one.json", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}}"#)],
        Options::default(),
        &["j"],
    );
    check(&[("a.yaml", "# +argocd:skip-file-rendering\n- broken: [")], Options::default(), &[]);
    check(&[("values.yaml", "replicas: 3\n")], Options::default(), &[]);
}

#[test]
fn what_is_no_object_is_named() {
    let text = format!("{}---\nkind: X\nmetadata: {{}}\n", map("a"));
    assert_eq!(
        refused(&[("bad.yaml", &text)]),
        r#"Failed to unmarshal "bad.yaml": document 2: Object 'apiVersion' is missing"#
    );
    let text = format!("{}---\njust text\n", map("a"));
    assert_eq!(refused(&[("bad.yaml", &text)]), r#"Failed to unmarshal "bad.yaml": document 2: it is not an object"#);
    assert!(refused(&[("bad.json", "{")]).starts_with(r#"Failed to unmarshal "bad.json": "#));
    let text = "apiVersion: v1\nkind: List\nitems:\n- a: 1\nmetadata: {}\n";
    assert!(refused(&[("l.yaml", text)]).contains("Object 'Kind' is missing"));
}

#[test]
fn other_kinds_are_named_and_refused() {
    assert_eq!(refused(&[("Chart.yaml", "name: x")]), "Helm sources are not supported yet by this build of Coracle");
    assert_eq!(
        refused(&[("kustomization.yaml", "")]),
        "Kustomize sources are not supported yet by this build of Coracle"
    );
    let request = Request { kind: Some(Kind::Directory), ..Request::default() };
    assert!(render(&request, &Source::of(&[("Chart.yaml", "name: x")])).is_ok());
}

#[test]
fn links_stay_inside() {
    let mut source = Source::of(&[("real/a.txt", &map("a"))]);
    source.files.insert("a.yaml".into(), Entry::Link("real/a.txt".into()));
    let (_, objects) = render(&Request::default(), &source).expect("the tree renders");
    assert_eq!(names(&objects), ["a"]);

    for target in ["/etc/passwd", "../outside", "real/../../x"] {
        source.files.insert("out.yaml".into(), Entry::Link(target.into()));
        assert_eq!(render(&Request::default(), &source), Err(Error::OutOfBounds("out.yaml".into())), "{target}");
    }
    source.files.insert("out.yaml".into(), Entry::Link("out.yaml".into()));
    assert!(render(&Request::default(), &source).is_ok(), "a link to itself is no file");
}

#[test]
fn the_total_is_bounded() {
    let mut source = Source::default();
    let big = Bytes::from(format!("# {}\n", "x".repeat(base::limits::MANIFEST_BYTES / 2)));
    source.files.insert("a.yaml".into(), Entry::File(big.clone()));
    assert!(render(&Request::default(), &source).is_ok());
    source.files.insert("b.yaml".into(), Entry::File(big));
    assert!(matches!(render(&Request::default(), &source), Err(Error::TooLarge { .. })));
}
