//! The API over HTTP: who asks, where the path leads, what is asked for, and the
//! answer in the form the client accepts. All rules about objects live in the
//! pipeline; this layer only translates.

mod accept;
mod answer;
mod apart;
mod body;
mod discovery;
mod groups;
mod openapi;
mod query;
mod reply;
mod resource;
mod reviews;
mod table;
mod warning;
mod watch;
mod write;

use api::{Reason, Status};
use axum::body::Body;
use bytes::Bytes;
use contracts::auth::Identity;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::ApiServer;
use crate::authn::Certified;
use crate::request::{Place, ResourcePath, place};

use reply::{json_response, refusal, respond};

/// What discovery and health may be read with by anybody.
const OPEN_TO_ALL: &str = "nonResourceURLs /healthz, /livez, /readyz and /version";
/// Bytes of an answer that is read whole.
const MOST_READ_BYTES: usize = 256 * 1024 * 1024;

impl ApiServer {
    /// Answers one request. Never fails: what goes wrong is answered as a `Status`.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        match self.answer(request).await {
            Ok(response) => response,
            Err(status) => refusal(&status),
        }
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let who = self.authenticate(parts.extensions.get::<Certified>(), &parts.headers).await?;
        self.answer_as(who, parts, body).await
    }

    /// Answers a request of someone who is known.
    async fn answer_as(
        &self,
        who: Identity,
        parts: http::request::Parts,
        body: Body,
    ) -> Result<Response<Body>, Status> {
        let found = place(parts.uri.path());
        if !who.is_master() && !matches!(found, Place::Health | Place::Version | Place::Resource(_)) {
            return Err(Status::new(
                403,
                Reason::Forbidden,
                format!(
                    "forbidden: User \"{}\" cannot {} path \"{}\" (only {OPEN_TO_ALL} are open)",
                    who.user,
                    parts.method.as_str().to_lowercase(),
                    parts.uri.path()
                ),
            ));
        }
        match found {
            Place::Resource(path) if has_consequences(&parts.method, &path) => {
                self.to_the_end(who, path, parts, body).await
            }
            Place::Resource(path) => self.resource(&who, &path, &parts, body).await,
            Place::Discovery { cluster, named_groups, group, version } => {
                read_only(&parts.method)?;
                self.discovery(&cluster, named_groups, group.as_deref(), version.as_deref(), &parts.headers)
            }
            Place::OpenApi { cluster, document } => {
                read_only(&parts.method)?;
                self.openapi(&cluster, &document, &parts).await
            }
            Place::OldOpenApi => {
                read_only(&parts.method)?;
                Ok(openapi::old(&parts.headers))
            }
            Place::Paths => {
                read_only(&parts.method)?;
                Ok(json_response(StatusCode::OK, &self.paths()))
            }
            Place::Version => {
                read_only(&parts.method)?;
                Ok(json_response(StatusCode::OK, &version()))
            }
            Place::Health => Ok(self.health(parts.uri.path(), parts.uri.query().unwrap_or_default())),
            Place::Nowhere => Err(Status::no_such_resource()),
        }
    }

    /// The paths there are, as `GET /` lists them.
    fn paths(&self) -> Value {
        let mut paths: Vec<String> = ["/api", "/api/v1", "/apis"].map(String::from).to_vec();
        let mut groups: Vec<(String, String)> = Vec::new();
        for kind in self.registry().all(&api::ClusterName::root()) {
            let gvk = &kind.descriptor.gvk;
            groups.push((gvk.group.to_string(), gvk.version.to_string()));
        }
        groups.extend(self.groups().all().iter().map(|group| (group.group().to_owned(), group.version().to_owned())));
        groups.sort();
        groups.dedup();
        for (group, version) in groups.iter().filter(|(group, _)| !group.is_empty()) {
            let of_group = format!("/apis/{group}");
            if !paths.contains(&of_group) {
                paths.push(of_group);
            }
            paths.push(format!("/apis/{group}/{version}"));
        }
        paths.extend(["/healthz", "/livez", "/openapi/v3", "/readyz", "/version"].map(String::from));
        json!({"paths": paths})
    }

    /// Answers a request in a task of its own, which goes on when the client leaves: what
    /// follows from the write must not be left undone.
    async fn to_the_end(
        &self,
        who: Identity,
        path: ResourcePath,
        parts: http::request::Parts,
        body: Body,
    ) -> Result<Response<Body>, Status> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let server = self.clone();
        self.tasks().spawn("a write with consequences", async move {
            // Nobody may be there to hear it.
            let _ = answer.send(server.resource(&who, &path, &parts, body).await);
        });
        answered.await.unwrap_or_else(|_| Err(Status::unavailable("the server is stopping")))
    }

    /// What a GET of a path answers, read whole.
    pub(crate) async fn read_as(&self, who: Identity, path: &str) -> Result<Bytes, Status> {
        let request = Request::get(path).header(http::header::ACCEPT, "application/json").body(Body::empty());
        let request =
            request.map_err(|error| Status::bad_request(format!("no request can be made for {path}: {error}")));
        let (parts, body) = request?.into_parts();
        let response = self.answer_as(who, parts, body).await?;
        let code = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), MOST_READ_BYTES).await.map_err(Status::internal)?;
        if code.is_success() {
            return Ok(bytes);
        }
        Err(Status::from_json(&serde_json::from_slice(&bytes).map_err(Status::internal)?))
    }

    fn health(&self, path: &str, query: &str) -> Response<Body> {
        let failure = self.store().stats().read_only;
        let (code, text) = match failure {
            None if query.contains("verbose") => {
                let name = path.trim_matches('/').split('/').next().unwrap_or("healthz");
                (StatusCode::OK, format!("[+]ping ok\n[+]store ok\n{name} check passed\n"))
            }
            None => (StatusCode::OK, "ok".to_owned()),
            Some(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("[+]ping ok\n[-]store failed: {why}\n")),
        };
        respond(code, "text/plain; charset=utf-8", Bytes::from(text))
    }
}

/// Whether more than the object itself changes: which kinds are served, or which clusters are.
fn has_consequences(method: &Method, path: &ResourcePath) -> bool {
    let is_read = method == Method::GET || method == Method::HEAD;
    !is_read && matches!(&*path.gvr.resource, "customresourcedefinitions" | "logicalclusters")
}

fn read_only(method: &Method) -> Result<(), Status> {
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    Err(Status::new(405, Reason::MethodNotAllowed, "the server does not allow this method on the requested resource"))
}

fn version() -> Value {
    let version = api::builtin::VERSION;
    json!({
        "major": version.major,
        "minor": version.minor,
        "gitVersion": version.git_version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none (Rust)",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, go_architecture()),
    })
}

/// The architecture in Go's words, which clients expect.
fn go_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
