//! Paths and where they lead.

use super::{Place, place};

fn check(path: &str, expect: &str) {
    let text = match place(path) {
        Place::Resource(found) => format!(
            "{} {} ns={} name={} sub={}{}",
            found.cluster,
            found.gvr,
            found.namespace.unwrap_or_default(),
            found.name.unwrap_or_default(),
            found.subresource.unwrap_or_default(),
            if found.watch { " watch" } else { "" },
        ),
        other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_owned(),
    };
    assert_eq!(text, expect, "{path}");
}

#[test]
fn paths_lead_to_places() {
    check("/api/v1/namespaces", "root v1/namespaces ns= name= sub=");
    check("/api/v1/namespaces/a", "root v1/namespaces ns= name=a sub=");
    check("/api/v1/namespaces/a/finalize", "root v1/namespaces ns= name=a sub=finalize");
    check("/api/v1/namespaces/a/configmaps", "root v1/configmaps ns=a name= sub=");
    check("/api/v1/namespaces/a/pods/p/log", "root v1/pods ns=a name=p sub=log");
    check("/api/v1/watch/namespaces/a/pods", "root v1/pods ns=a name= sub= watch");
    check("/apis/apps/v1/deployments", "root apps/v1/deployments ns= name= sub=");
    check(
        "/clusters/dev/apis/apps/v1/namespaces/x/deployments/d/scale",
        "dev apps/v1/deployments ns=x name=d sub=scale",
    );
    check(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
        "root rbac.authorization.k8s.io/v1/clusterroles ns= name=system:node sub=",
    );
    check("/api", "Discovery");
    check("/apis/apps/v1", "Discovery");
    check("/openapi/v3/apis/apps/v1", "OpenApi");
    check("/readyz/etcd", "Health");
    check("/version", "Version");
    check("/openapi/v2", "OldOpenApi");
    check("/", "Paths");
}

#[test]
fn crooked_paths_lead_nowhere() {
    for path in [
        "/nothing",
        "/clusters/blue/",
        "/api/v1/pods/%+f",
        "/clusters/Up/api/v1",
        "/api/v1/pods/a/b/c/d",
        "/api/v1/configmaps/..%2f..%2fetc",
        "/api/v1/namespaces/%2e%2e/pods",
        "/api/v1/pods/%zz",
    ] {
        check(path, "Nowhere");
    }
}
