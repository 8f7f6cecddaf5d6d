//! Objects in process: the same pipeline as HTTP, without the wire. A component
//! acts as itself and is authorised like anybody else.

use std::sync::Arc;

use api::kind::Verbs;
use api::{ClusterName, Gvk, KindDescriptor, Status};
use bytes::Bytes;
use client::objects::Events;
use client::{
    DeleteOptions, Event, List, ListOptions, Object, Objects, Patch, Result, Scope, Target, WatchOptions, WriteOptions,
};
use contracts::auth::Identity;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use machinery::patch::Body as PatchBody;
use serde_json::Value;

use crate::ApiServer;
use crate::pipeline::{
    Act, Change, Deleted, Part, ReadAt, Selectors, Subject, WatchFrom, Watching, Write, authorize, sent_scale,
};
use crate::request::parse_revision;
use crate::tree::Tree;

/// The in-process transport, acting as one identity.
pub struct Local {
    server: ApiServer,
    identity: Identity,
}

impl ApiServer {
    /// Objects as `identity` may see and change them.
    pub fn objects(&self, identity: Identity) -> Arc<dyn Objects> {
        Arc::new(Local { server: self.clone(), identity })
    }
}

impl Local {
    fn subject(&self, verb: &str, target: &Target, name: &str) -> Result<(Subject, bool)> {
        let root = ClusterName::root();
        let (cluster, all) = match &target.scope {
            Scope::One(cluster) => (cluster, false),
            Scope::All => (&root, true),
        };
        let namespace = target.namespace.as_deref();
        authorize(&self.identity, verb, &target.gvr, namespace, name)?;
        Ok((self.server.subject(cluster, &target.gvr, namespace.unwrap_or_default())?, all))
    }

    fn one(&self, verb: &str, target: &Target, name: &str) -> Result<Subject> {
        match self.subject(verb, target, name)? {
            (subject, false) => Ok(subject),
            (_, true) => Err(Status::bad_request(format!("{verb} needs one cluster"))),
        }
    }

    /// Who does not say what it writes as, writes as itself.
    fn write(&self, options: WriteOptions) -> Write {
        let WriteOptions { dry_run, field_manager, force } = options;
        let itself = || self.identity.user.trim_start_matches("system:").replace(':', "-");
        let manager = if field_manager.is_empty() { itself() } else { field_manager };
        Write { dry_run, by: Some(self.identity.clone()), manager, force, ..Write::default() }
    }

    async fn do_patch(
        &self,
        target: &Target,
        name: &str,
        subresource: Option<&str>,
        patch: Patch,
        options: WriteOptions,
    ) -> Result<Object> {
        let subject = self.one("patch", target, name)?;
        let write = self.write(options);
        if is_scale(&subject, subresource) {
            let scale = match &patch {
                Patch::Apply(body) => self.server.apply_scale(&subject, name, tree(body)?, &write).await?,
                other => self.server.patch_scale(&subject, name, &patch_body(other)?, &write).await?,
            };
            return answered(&subject, &scale);
        }
        let part = Part::of(&subject, subresource)?;
        let record = match &patch {
            Patch::Apply(body) => self.server.apply(&subject, name, part, tree(body)?, &write).await?.record,
            other => self.server.patch(&subject, name, part, &patch_body(other)?, &write).await?,
        };
        record.object(&subject.cluster, &subject.kind.descriptor)
    }
}

/// Whether a write is one to the scale of an object, which speaks a kind of its own.
fn is_scale(subject: &Subject, subresource: Option<&str>) -> bool {
    subresource == Some("scale") && subject.kind.descriptor.subresources.scale.is_some()
}

/// What was answered that is not stored.
fn answered(subject: &Subject, value: &Value) -> Result<Object> {
    Object::from_json(subject.cluster.clone(), value.to_string().into())
}

fn tree(body: &Bytes) -> Result<Tree> {
    serde_json::from_slice(body).map_err(|error| Status::bad_request(format!("the object is not valid JSON: {error}")))
}

/// The patch, which is none that is applied.
fn patch_body(patch: &Patch) -> Result<PatchBody> {
    let parse = |body: &Bytes| {
        serde_json::from_slice::<Value>(body)
            .map_err(|error| Status::bad_request(format!("the patch is not valid JSON: {error}")))
    };
    match patch {
        Patch::Json(body) => parse(body).map(PatchBody::Json),
        Patch::Merge(body) | Patch::Apply(body) => parse(body).map(PatchBody::Merge),
        Patch::Strategic(body) => parse(body).map(PatchBody::Strategic),
    }
}

impl Objects for Local {
    fn get<'a>(&'a self, target: &'a Target, name: &'a str) -> BoxFuture<'a, Result<Object>> {
        async move {
            let subject = self.one("get", target, name)?;
            self.server.get(&subject, name)?.object(&subject.cluster, &subject.kind.descriptor)
        }
        .boxed()
    }

    fn list<'a>(&'a self, target: &'a Target, options: ListOptions) -> BoxFuture<'a, Result<List>> {
        async move {
            let (subject, all) = self.subject("list", target, "")?;
            let kind = &subject.kind.descriptor;
            let selectors = Selectors::parse(kind, &options.label_selector, &options.field_selector)?;
            let at = match options.resource_version.as_str() {
                "" | "0" => ReadAt::Newest,
                text => ReadAt::Exact(parse_revision(text)?),
            };
            let listing = self.server.list(&subject, all, &selectors, at, options.limit, &options.continue_token)?;
            let items: Result<Vec<Object>> =
                listing.items.iter().map(|item| item.record.object(&item.cluster, kind)).collect();
            Ok(List {
                items: items?,
                resource_version: listing.revision.to_string(),
                continue_token: listing.next.unwrap_or_default(),
                remaining: listing.remaining,
            })
        }
        .boxed()
    }

    fn watch<'a>(&'a self, target: &'a Target, options: WatchOptions) -> BoxFuture<'a, Result<Events>> {
        async move {
            let (subject, all) = self.subject("watch", target, "")?;
            let selectors =
                Selectors::parse(&subject.kind.descriptor, &options.label_selector, &options.field_selector)?;
            let from = match (options.resource_version.as_str(), options.send_initial_events) {
                (_, true) => WatchFrom::EverythingThenBookmark,
                ("" | "0", false) => WatchFrom::Everything,
                (text, false) => WatchFrom::Revision(parse_revision(text)?),
            };
            let watching = self.server.watch(&subject, all, selectors, from)?;
            let events: Events = stream::unfold(Some(watching), |watching| async move {
                let mut watching = watching?;
                match watching.next().await {
                    Ok(change) => Some((event(&watching, change), Some(watching))),
                    Err(status) => Some((Err(status), None)),
                }
            })
            .boxed();
            Ok(events)
        }
        .boxed()
    }

    fn create<'a>(&'a self, target: &'a Target, body: Bytes, options: WriteOptions) -> BoxFuture<'a, Result<Object>> {
        async move {
            let subject = self.one("create", target, "")?;
            if subject.kind.descriptor.verbs == Verbs::Create {
                return Err(Status::method_not_allowed("storing"));
            }
            let record = self.server.create(&subject, tree(&body)?, &self.write(options)).await?;
            record.object(&subject.cluster, &subject.kind.descriptor)
        }
        .boxed()
    }

    fn create_subresource<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: &'a str,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Bytes>> {
        async move {
            let subject = self.one("create", target, name)?;
            let act = Act::of(&subject, subresource).ok_or_else(Status::no_such_resource)?;
            let answer = self.server.act(&subject, name, act, tree(&body)?, &self.write(options)).await?;
            Ok(answer.to_string().into())
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        async move {
            let subject = self.one("update", target, name)?;
            if is_scale(&subject, subresource) {
                let (mut scale, write) = (tree(&body)?, self.write(options));
                sent_scale(&mut scale, &write)?;
                return answered(&subject, &self.server.update_scale(&subject, name, &scale, &write).await?);
            }
            let part = Part::of(&subject, subresource)?;
            let record = self.server.update(&subject, name, part, tree(&body)?, &self.write(options)).await?;
            record.object(&subject.cluster, &subject.kind.descriptor)
        }
        .boxed()
    }

    fn patch<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        patch: Patch,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        self.do_patch(target, name, subresource, patch, options).boxed()
    }

    fn delete<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        async move {
            let subject = self.one("delete", target, name)?;
            match self.server.delete(&subject, name, &options).await? {
                Deleted::Gone(_) => Ok(None),
                Deleted::Waiting(record) => record.object(&subject.cluster, &subject.kind.descriptor).map(Some),
            }
        }
        .boxed()
    }

    fn get_raw<'a>(&'a self, cluster: &'a ClusterName, path: &'a str) -> BoxFuture<'a, Result<Bytes>> {
        async move {
            let prefix = if cluster.is_root() { String::new() } else { format!("/clusters/{cluster}") };
            self.server.read_as(self.identity.clone(), &format!("{prefix}{path}")).await
        }
        .boxed()
    }

    fn kind<'a>(&'a self, cluster: &'a ClusterName, gvk: &'a Gvk) -> BoxFuture<'a, Result<Option<KindDescriptor>>> {
        let kind = self.server.registry().kind(cluster, gvk).map(|kind| (*kind.descriptor).clone());
        async move { Ok(kind) }.boxed()
    }

    fn kinds<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Vec<KindDescriptor>>> {
        let kinds = crate::versions::preferred(&self.server.registry().all(cluster));
        async move { Ok(kinds.into_iter().map(|kind| (*kind.descriptor).clone()).collect()) }.boxed()
    }
}

fn event(watching: &Watching, change: Change) -> Result<Event> {
    let kind = &watching.subject().kind.descriptor;
    Ok(match change {
        Change::Added(cluster, record) => Event::Added(record.object(&cluster, kind)?),
        Change::Modified(cluster, record) => Event::Modified(record.object(&cluster, kind)?),
        Change::Deleted(cluster, record) => Event::Deleted(record.object(&cluster, kind)?),
        Change::InitialEnd(revision) => {
            Event::Bookmark { resource_version: revision.to_string(), initial_events_end: true }
        }
    })
}
