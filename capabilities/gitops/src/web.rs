//! What answers where Argo CD's web interface is expected: a page that says how to
//! see Applications. It shows nothing of the platform, since nobody has signed in.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

const PAGE: &str = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Applications</title>
<style>
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fbfaf7; --soft: #e9e6de; --sea: #0b6e77; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #12181d; --soft: #222c34; --sea: #6cc5cd; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 17px/1.6 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
main { max-width: 38rem; padding: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 1rem; color: var(--sea); }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: .5rem; overflow-x: auto; }
</style>
</head>
<body>
<main>
<h1>The GitOps engine is running</h1>
<p>Applications are synced from git as Argo CD's engine would. This build serves them through the
Kubernetes API; Argo CD's own web interface and API are not part of it yet.</p>
<pre tabindex="0">kubectl get applications -A
kubectl describe application -n argocd NAME</pre>
</main>
</body>
</html>
"##;

/// The routes of the page.
pub fn router() -> Router {
    Router::new().route("/", get(page))
}

async fn page() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ];
    (headers, PAGE)
}
