//! Every place where `cnoe://` may stand.

use serde_json::{Value, json};

use crate::rewrite::rewrite;

/// Rewrites `cnoe://x` to `https://git/x.git`, and says which were asked for.
fn rewritten(mut manifest: Value) -> (Value, Vec<String>) {
    let mut asked = Vec::new();
    rewrite(&mut manifest, &mut |path| -> Result<String, ()> {
        asked.push(path.to_owned());
        Ok(format!("https://git/{path}.git"))
    })
    .expect("never fails");
    (manifest, asked)
}

fn check(place: &str, spec: Value, expect: Value) {
    let (manifest, _) = rewritten(json!({"kind": "Application", "spec": spec}));
    assert_eq!(manifest["spec"], expect, "{place}");
}

#[test]
fn applications() {
    check("source", json!({"source": {"repoURL": "cnoe://a"}}), json!({"source": {"repoURL": "https://git/a.git"}}));
    check("empty", json!({"source": {"repoURL": "cnoe://"}}), json!({"source": {"repoURL": "https://git/.git"}}));
    check(
        "above",
        json!({"source": {"repoURL": "cnoe://../a"}}),
        json!({"source": {"repoURL": "https://git/../a.git"}}),
    );
    check(
        "other repositories",
        json!({"source": {"repoURL": "https://github.com/o/r", "path": "cnoe://a"}}),
        json!({"source": {"repoURL": "https://github.com/o/r", "path": "cnoe://a"}}),
    );
    check(
        "sources",
        json!({"sources": [{"repoURL": "cnoe://a"}, {"repoURL": "https://h/c"}, {"repoURL": "cnoe://b"}]}),
        json!({"sources": [{"repoURL": "https://git/a.git"}, {"repoURL": "https://h/c"}, {"repoURL": "https://git/b.git"}]}),
    );
    check("no spec fields", json!({"source": null, "sources": null}), json!({"source": null, "sources": null}));
}

#[test]
fn helm() {
    let helm = |helm: Value| json!({"source": {"repoURL": "https://h/c", "helm": helm}});
    check(
        "valuesObject",
        helm(json!({"valuesObject": {"a": "cnoe://x", "b": [{"c": "cnoe://y"}, "cnoe://z", 1], "d": "see cnoe://x"}})),
        helm(json!({"valuesObject": {
            "a": "https://git/x.git", "b": [{"c": "https://git/y.git"}, "https://git/z.git", 1], "d": "see cnoe://x"
        }})),
    );
    check(
        "values",
        helm(json!({"values": "# cnoe://x, twice\na: cnoe://x\nb: \"cnoe://y\"\nc: [cnoe://z, 'cnoe://']\n"})),
        helm(
            json!({"values": "# https://git/x.git, twice\na: https://git/x.git\nb: \"https://git/y.git\"\nc: [https://git/z.git, 'https://git/.git']\n"}),
        ),
    );
    check(
        "parameters",
        helm(json!({"parameters": [{"name": "repo", "value": "cnoe://x"}, {"name": "n", "value": "1"}]})),
        helm(json!({"parameters": [{"name": "repo", "value": "https://git/x.git"}, {"name": "n", "value": "1"}]})),
    );
}

#[test]
fn application_sets() {
    let git = |url: &str| json!({"git": {"repoURL": url, "revision": "HEAD"}});
    let (a, b) = ("cnoe://a", "https://git/a.git");
    let set = |url: &str| {
        json!({
            "generators": [
                git(url),
                {"clusters": {"values": {"repo": url}}},
                {"list": {"elements": [{"name": "x", "repo": url}]}},
                {"matrix": {"generators": [git(url), {"merge": {"generators": [git(url)]}}]}},
                {"merge": {"mergeKeys": ["x"], "generators": [git(url), {"matrix": {"generators": [git(url)]}}]}},
                {"git": {"repoURL": url, "template": {"spec": {"source": {"repoURL": url}}}}},
            ],
            "template": {"metadata": {"name": "x"}, "spec": {
                "source": {"repoURL": url, "helm": {"valuesObject": {"r": url}}},
                "sources": [{"repoURL": url}],
            }},
            "templatePatch": format!("spec:\n  source:\n    repoURL: {url}\n"),
        })
    };
    check("everywhere", set(a), set(b));
    let (_, asked) = rewritten(json!({"spec": set(a)}));
    assert_eq!(asked.len(), 13);
}

#[test]
fn a_failure_is_handed_on() {
    let mut manifest = json!({"spec": {"source": {"repoURL": "cnoe://a"}}});
    assert_eq!(rewrite(&mut manifest, &mut |_| Err("no")), Err("no"));
    assert_eq!(manifest["spec"]["source"]["repoURL"], "cnoe://a");
}
