//! Requests of the Kubernetes API: paths, queries, content types. Pure values.

use std::fmt::Write;

use api::{ClusterName, Status};
use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::json;

use crate::{DeleteOptions, ListOptions, Patch, Propagation, Result, Scope, Target, WatchOptions, WriteOptions};

/// After so long the server ends a watch; less than what proxies cut silently.
const WATCH_TIMEOUT_SECS: u32 = 290;

/// Where a resource is.
pub(super) struct Address {
    pub(super) cluster: ClusterName,
    path: String,
}

/// A query.
#[derive(Default)]
pub(super) struct Parameters(String);

impl Parameters {
    fn add(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.0.push(if self.0.is_empty() { '?' } else { '&' });
            self.0.push_str(name);
            self.0.push('=');
            encode(value, &mut self.0);
        }
        self
    }

    pub(super) fn list(options: &ListOptions) -> Self {
        let limit = if options.limit == 0 { String::new() } else { options.limit.to_string() };
        let exactly = if options.resource_version.is_empty() { "" } else { "Exact" };
        Parameters::default()
            .add("labelSelector", &options.label_selector)
            .add("fieldSelector", &options.field_selector)
            .add("limit", &limit)
            .add("continue", &options.continue_token)
            .add("resourceVersion", &options.resource_version)
            .add("resourceVersionMatch", exactly)
    }

    pub(super) fn watch(options: &WatchOptions) -> Self {
        let query = Parameters::default()
            .add("watch", "true")
            .add("allowWatchBookmarks", "true")
            .add("timeoutSeconds", &WATCH_TIMEOUT_SECS.to_string())
            .add("labelSelector", &options.label_selector)
            .add("fieldSelector", &options.field_selector)
            .add("resourceVersion", &options.resource_version);
        if !options.send_initial_events {
            return query;
        }
        query.add("sendInitialEvents", "true").add("resourceVersionMatch", "NotOlderThan")
    }

    pub(super) fn write(options: &WriteOptions) -> Self {
        let dry_run = if options.dry_run { "All" } else { "" };
        Parameters::default().add("dryRun", dry_run).add("fieldManager", &options.field_manager)
    }

    pub(super) fn patch(options: &WriteOptions, patch: &Patch) -> Self {
        // The API refuses `force` with any other patch.
        let force = if options.force && matches!(patch, Patch::Apply(_)) { "true" } else { "" };
        Parameters::write(options).add("force", force)
    }
}

impl Address {
    /// The address of objects to list or watch: all clusters that a real one knows of is itself.
    pub(super) fn to_read(home: &ClusterName, target: &Target) -> Result<Self> {
        let scope = match &target.scope {
            Scope::All => Scope::One(home.clone()),
            one @ Scope::One(_) => one.clone(),
        };
        Address::of(home, &Target { scope, ..target.clone() })
    }

    pub(super) fn of(home: &ClusterName, target: &Target) -> Result<Self> {
        let Scope::One(cluster) = &target.scope else {
            return Err(Status::bad_request("only list and watch concern all clusters"));
        };
        let mut path = prefix(home, cluster);
        let gvr = &target.gvr;
        let root = if gvr.group.is_empty() { "/api" } else { "/apis" };
        let _ = write!(path, "{root}/{}", gvr.api_version());
        if let Some(namespace) = &target.namespace {
            path.push_str("/namespaces/");
            encode(namespace, &mut path);
        }
        let _ = write!(path, "/{}", gvr.resource);
        Ok(Address { cluster: cluster.clone(), path })
    }

    fn uri(&self, name: Option<&str>, subresource: Option<&str>, query: &Parameters) -> String {
        let mut uri = self.path.clone();
        for part in [name, subresource].into_iter().flatten() {
            uri.push('/');
            encode(part, &mut uri);
        }
        uri + &query.0
    }

    pub(super) fn get(&self, name: Option<&str>, query: &Parameters) -> Result<Request<Vec<u8>>> {
        request(Method::GET, &self.uri(name, None, query), "", Vec::new())
    }

    pub(super) fn post(&self, query: &Parameters, body: Bytes) -> Result<Request<Vec<u8>>> {
        request(Method::POST, &self.uri(None, None, query), "application/json", body.into())
    }

    pub(super) fn post_to(
        &self,
        name: &str,
        subresource: &str,
        query: &Parameters,
        body: Bytes,
    ) -> Result<Request<Vec<u8>>> {
        let uri = self.uri(Some(name), Some(subresource), query);
        request(Method::POST, &uri, "application/json", body.into())
    }

    pub(super) fn put(
        &self,
        name: &str,
        subresource: Option<&str>,
        query: &Parameters,
        body: Bytes,
    ) -> Result<Request<Vec<u8>>> {
        request(Method::PUT, &self.uri(Some(name), subresource, query), "application/json", body.into())
    }

    pub(super) fn patch(
        &self,
        name: &str,
        subresource: Option<&str>,
        query: &Parameters,
        patch: Patch,
    ) -> Result<Request<Vec<u8>>> {
        let (content_type, body) = match patch {
            Patch::Json(body) => ("application/json-patch+json", body),
            Patch::Merge(body) => ("application/merge-patch+json", body),
            Patch::Strategic(body) => ("application/strategic-merge-patch+json", body),
            Patch::Apply(body) => ("application/apply-patch+yaml", body),
        };
        request(Method::PATCH, &self.uri(Some(name), subresource, query), content_type, body.into())
    }

    pub(super) fn delete(&self, name: &str, options: &DeleteOptions) -> Result<Request<Vec<u8>>> {
        let mut body = json!({ "apiVersion": "v1", "kind": "DeleteOptions" });
        if let Some(uid) = &options.preconditions.uid {
            body["preconditions"]["uid"] = uid.as_str().into();
        }
        if let Some(revision) = &options.preconditions.resource_version {
            body["preconditions"]["resourceVersion"] = revision.as_str().into();
        }
        if let Some(propagation) = options.propagation {
            body["propagationPolicy"] = match propagation {
                Propagation::Background => "Background",
                Propagation::Foreground => "Foreground",
                Propagation::Orphan => "Orphan",
            }
            .into();
        }
        if let Some(secs) = options.grace_period_secs {
            body["gracePeriodSeconds"] = secs.into();
        }
        if options.dry_run {
            body["dryRun"] = json!(["All"]);
        }
        let uri = self.uri(Some(name), None, &Parameters::default());
        request(Method::DELETE, &uri, "application/json", body.to_string().into())
    }
}

/// What comes before `/api` and `/apis` for a cluster.
fn prefix(home: &ClusterName, cluster: &ClusterName) -> String {
    if cluster == home { String::new() } else { format!("/clusters/{cluster}") }
}

/// A request for a path outside any resource, for example discovery.
pub(super) fn plain(home: &ClusterName, cluster: &ClusterName, path: &str, accept: &str) -> Result<Request<Vec<u8>>> {
    let mut request = request(Method::GET, &format!("{}{path}", prefix(home, cluster)), "", Vec::new())?;
    let accept = accept.parse().map_err(|_| Status::internal("an Accept header is malformed"))?;
    request.headers_mut().insert(header::ACCEPT, accept);
    Ok(request)
}

fn request(method: Method, uri: &str, content_type: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>> {
    let mut builder = Request::builder().method(method).uri(uri).header(header::ACCEPT, "application/json");
    if !content_type.is_empty() {
        builder = builder.header(header::CONTENT_TYPE, content_type);
    }
    builder.body(body).map_err(|error| Status::bad_request(format!("no request can be made for {uri}: {error}")))
}

/// Percent-encodes all but what is plain in both paths and queries.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}
