//! Requests about objects: which verb is meant, and the pipeline's answer to it.

use api::{Gvk, Status};
use axum::body::Body;
use bytes::Bytes;
use contracts::auth::Identity;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::accept::{self, Form};
use super::query::Query;
use super::reply::{json_response, refusal};
use super::table::Include;
use super::write::{self, Verb};
use super::{answer, apart, body, warning, watch};
use crate::ApiServer;
use crate::pipeline::{Act, Deleted, Part, Selectors, Subject, Warnings, Write, authorize, sent_scale};
use crate::request::ResourcePath;
use crate::tree::meta_text;

/// One request, taken apart once.
struct Asked<'a> {
    who: &'a Identity,
    path: &'a ResourcePath,
    parts: &'a Parts,
    query: Query,
    form: Form,
    include: Include,
    warnings: &'a Warnings,
}

impl ApiServer {
    /// Answers a request about objects, with the warnings that came up whether it succeeded or not.
    pub(super) async fn resource(
        &self,
        who: &Identity,
        path: &ResourcePath,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Status> {
        let warnings = Warnings::default();
        let answer = self.answer_resource(who, path, parts, body, &warnings).await;
        let warnings = warnings.all();
        if warnings.is_empty() {
            return answer;
        }
        let mut response = answer.unwrap_or_else(|status| refusal(&status));
        warning::add(response.headers_mut(), &warnings);
        Ok(response)
    }

    async fn answer_resource(
        &self,
        who: &Identity,
        path: &ResourcePath,
        parts: &Parts,
        body: Body,
        warnings: &Warnings,
    ) -> Result<Response<Body>, Status> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let verb = verb(&parts.method, path, &query)?;
        authorize(who, verb, &path.gvr, path.namespace.as_deref(), path.name.as_deref().unwrap_or_default())?;
        if let Some(group) = self.group_of(path) {
            return self.answer_by(&*group, verb, path, &query).await;
        }
        let subject = self.subject(&path.cluster, &path.gvr, path.namespace.as_deref().unwrap_or_default())?;
        let definition = subject.kind.definition.as_ref();
        if let Some(told) = definition.and_then(|held| held.deprecation(&subject.kind.descriptor.gvk.version)) {
            warnings.add(told);
        }
        let form = accept::form(&parts.headers)?;
        let include = Include::parse(query.text("includeObject"))?;
        let asked = Asked { who, path, parts, query, form, include, warnings };
        if matches!(verb, "get" | "list" | "watch") {
            return self.answer_read(verb, who, &subject, &asked).await;
        }
        let bytes = body::read(body).await?;
        // A small patch of a large object computes as long as a large one.
        let held = path.name.as_deref().map_or(0, |name| self.stored_bytes(&subject, name));
        apart::run(bytes.len() + held, self.answer_write(verb, who, &subject, &asked, bytes)).await
    }

    async fn answer_read(
        &self,
        verb: &str,
        who: &Identity,
        subject: &Subject,
        asked: &Asked<'_>,
    ) -> Result<Response<Body>, Status> {
        if is_review(subject) {
            return self.review(who, verb, subject, &asked.parts.headers, &Bytes::new()).await;
        }
        if asked.is_scale(subject) {
            return self.scale(verb, subject, asked, &Bytes::new()).await;
        }
        match verb {
            "get" => self.get_one(subject, asked),
            "list" => self.list_many(subject, asked),
            _ => self.start_watch(subject, asked),
        }
    }

    async fn answer_write(
        &self,
        verb: &str,
        who: &Identity,
        subject: &Subject,
        asked: &Asked<'_>,
        bytes: Bytes,
    ) -> Result<Response<Body>, Status> {
        if let Some(pods) = self.bound_by(subject).filter(|_| verb == "create") {
            return self.act_on(&placed(&pods, asked)?, None, Act::Bind, asked, &bytes).await;
        }
        if is_review(subject) {
            return self.review(who, verb, subject, &asked.parts.headers, &bytes).await;
        }
        if asked.is_scale(subject) {
            return self.scale(verb, subject, asked, &bytes).await;
        }
        match verb {
            "create" => self.create_one(subject, asked, &bytes).await,
            "update" => self.update_one(subject, asked, &bytes).await,
            "patch" => self.patch_one(subject, asked, &bytes).await,
            "delete" => self.delete_one(subject, asked, &bytes).await,
            _ => self.delete_many(subject, asked, &bytes).await,
        }
    }

    /// The pods of a namespace, if `subject` is its bindings, which are posted to bind one.
    fn bound_by(&self, subject: &Subject) -> Option<Subject> {
        let kind = &subject.kind.descriptor;
        if !kind.gvk.group.is_empty() || &*kind.plural != "bindings" {
            return None;
        }
        self.subject(&subject.cluster, &api::Gvr::new("", "v1", "pods"), &subject.namespace).ok()
    }

    fn get_one(&self, subject: &Subject, asked: &Asked<'_>) -> Result<Response<Body>, Status> {
        Part::of(subject, asked.path.subresource.as_deref())?;
        let record = self.get(&placed(subject, asked)?, asked.name())?;
        self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include)
    }

    fn list_many(&self, subject: &Subject, asked: &Asked<'_>) -> Result<Response<Body>, Status> {
        let query = &asked.query;
        let selectors = self.selectors(subject, query)?;
        let listing =
            self.list(subject, false, &selectors, query.read_at()?, query.limit()?, query.text("continue"))?;
        self.answer_list(subject, &listing, asked.form, asked.include, &asked.parts.headers)
    }

    fn selectors(&self, subject: &Subject, query: &Query) -> Result<Selectors, Status> {
        Selectors::parse(&subject.kind.descriptor, query.text("labelSelector"), query.text("fieldSelector"))
    }

    fn start_watch(&self, subject: &Subject, asked: &Asked<'_>) -> Result<Response<Body>, Status> {
        let query = &asked.query;
        let fields = match &asked.path.name {
            // A watch of one object is one of the resource, narrowed by name.
            Some(name) => format!("metadata.name={name}"),
            None => query.text("fieldSelector").to_owned(),
        };
        let selectors = Selectors::parse(&subject.kind.descriptor, query.text("labelSelector"), &fields)?;
        let (asked_for, newest) = (query.revision()?, self.store().revision());
        if asked_for > newest {
            return Err(Status::revision_too_large(asked_for, newest));
        }
        let watching = self.watch(subject, false, selectors, query.watch_from()?)?;
        let shape = watch::Shape {
            form: asked.form,
            include: asked.include,
            bookmarks: query.flag("allowWatchBookmarks"),
            timeout_secs: query.timeout_secs()?,
        };
        Ok(watch::respond(self, watching, shape))
    }

    async fn create_one(&self, subject: &Subject, asked: &Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
        if let Some(subresource) = &asked.path.subresource {
            let act = Act::of(subject, subresource).ok_or_else(Status::no_such_resource)?;
            return self.act_on(&placed(subject, asked)?, asked.path.name.as_deref(), act, asked, bytes).await;
        }
        let mut write = asked.write(Verb::Create)?;
        let object = body::object(&asked.parts.headers, bytes, &subject.kind.descriptor.gvk, &mut write)?;
        let record = self.create(&placed(subject, asked)?, object, &write).await?;
        self.answer_object(StatusCode::CREATED, subject, &record, asked.form, asked.include)
    }

    /// What is posted to an object, or, without a name in the path, to the one that it names.
    async fn act_on(
        &self,
        subject: &Subject,
        name: Option<&str>,
        act: Act,
        asked: &Asked<'_>,
        bytes: &Bytes,
    ) -> Result<Response<Body>, Status> {
        let mut write = asked.write(Verb::Create)?;
        let sent = body::object(&asked.parts.headers, bytes, &act.sent(), &mut write)?;
        let named = meta_text(&sent, "name").to_owned();
        let answer = self.act(subject, name.unwrap_or(&named), act, sent, &write).await?;
        Ok(json_response(StatusCode::CREATED, &answer))
    }

    async fn update_one(&self, subject: &Subject, asked: &Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
        let part = Part::of(subject, asked.path.subresource.as_deref())?;
        let mut write = asked.write(Verb::Update)?;
        let object = body::object(&asked.parts.headers, bytes, &subject.kind.descriptor.gvk, &mut write)?;
        let record = self.update(&placed(subject, asked)?, asked.name(), part, object, &write).await?;
        self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include)
    }

    async fn patch_one(&self, subject: &Subject, asked: &Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
        let part = Part::of(subject, asked.path.subresource.as_deref())?;
        let is_apply = body::is_apply(&asked.parts.headers);
        let mut write = asked.write(if is_apply { Verb::Apply } else { Verb::Patch })?;
        if is_apply {
            let config = body::applied(bytes, &mut write)?;
            let applied = self.apply(&placed(subject, asked)?, asked.name(), part, config, &write).await?;
            let code = if applied.is_new { StatusCode::CREATED } else { StatusCode::OK };
            return self.answer_object(code, subject, &applied.record, asked.form, asked.include);
        }
        let patch = body::patch(&asked.parts.headers, bytes, &mut write)?;
        let record = self.patch(&placed(subject, asked)?, asked.name(), part, &patch, &write).await?;
        self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include)
    }

    async fn delete_one(&self, subject: &Subject, asked: &Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
        if asked.path.subresource.is_some() {
            return Err(Status::no_such_resource());
        }
        let options = asked.query.delete(&delete_body(asked, bytes)?)?;
        match self.delete(&placed(subject, asked)?, asked.name(), &options).await? {
            Deleted::Gone(record) => Ok(answer::deleted(subject, asked.name(), &record)),
            Deleted::Waiting(record) => self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include),
        }
    }

    async fn delete_many(&self, subject: &Subject, asked: &Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, Status> {
        let options = asked.query.delete(&delete_body(asked, bytes)?)?;
        let selectors = self.selectors(subject, &asked.query)?;
        let listing = self.delete_collection(&placed(subject, asked)?, &selectors, &options).await?;
        self.answer_list(subject, &listing, asked.form, asked.include, &asked.parts.headers)
    }

    async fn scale(
        &self,
        verb: &str,
        subject: &Subject,
        asked: &Asked<'_>,
        bytes: &Bytes,
    ) -> Result<Response<Body>, Status> {
        let subject = placed(subject, asked)?;
        let scale = match verb {
            "get" => self.get_scale(&subject, asked.name())?,
            "update" => {
                let mut write = asked.write(Verb::Update)?;
                let expected = Gvk::new("autoscaling", "v1", "Scale");
                let mut scale = body::object(&asked.parts.headers, bytes, &expected, &mut write)?;
                sent_scale(&mut scale, &write)?;
                self.update_scale(&subject, asked.name(), &scale, &write).await?
            }
            "patch" if body::is_apply(&asked.parts.headers) => {
                let mut write = asked.write(Verb::Apply)?;
                let scale = body::applied(bytes, &mut write)?;
                self.apply_scale(&subject, asked.name(), scale, &write).await?
            }
            "patch" => {
                let mut write = asked.write(Verb::Patch)?;
                let patch = body::patch(&asked.parts.headers, bytes, &mut write)?;
                self.patch_scale(&subject, asked.name(), &patch, &write).await?
            }
            _ => return Err(Status::method_not_allowed(verb)),
        };
        Ok(json_response(StatusCode::OK, &scale))
    }
}

impl Asked<'_> {
    /// How to write, with somewhere to put warnings.
    fn write(&self, verb: Verb) -> Result<Write, Status> {
        let options = write::options(verb, &self.query, &self.parts.headers)?;
        Ok(Write { by: Some(self.who.clone()), warnings: self.warnings.clone(), ..options })
    }

    fn is_scale(&self, subject: &Subject) -> bool {
        self.path.subresource.as_deref() == Some("scale") && subject.kind.descriptor.subresources.scale.is_some()
    }

    fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or_default()
    }
}

/// Whether objects of the kind are answered and never stored.
fn is_review(subject: &Subject) -> bool {
    matches!(subject.kind.descriptor.verbs, api::kind::Verbs::Create)
}

/// The subject, which for a namespaced kind must now name a namespace.
fn placed(subject: &Subject, asked: &Asked<'_>) -> Result<Subject, Status> {
    if subject.kind.descriptor.namespaced && subject.namespace.is_empty() {
        return Err(Status::method_not_allowed(asked.parts.method.as_str()));
    }
    Ok(subject.clone())
}

fn delete_body(asked: &Asked<'_>, bytes: &Bytes) -> Result<Value, Status> {
    body::value(&asked.parts.headers, bytes, &Gvk::new("", "v1", "DeleteOptions"))
}

/// The verb that a method on a path means.
fn verb(method: &Method, path: &ResourcePath, query: &Query) -> Result<&'static str, Status> {
    let watches = path.watch || query.flag("watch");
    match (method.as_str(), path.name.is_some()) {
        ("GET", _) if watches && path.subresource.is_none() => Ok("watch"),
        ("GET" | "HEAD", true) => Ok("get"),
        ("GET" | "HEAD", false) => Ok("list"),
        ("POST", false) => Ok("create"),
        ("POST", true) if path.subresource.is_some() => Ok("create"),
        ("PUT", true) => Ok("update"),
        ("PATCH", true) => Ok("patch"),
        ("DELETE", true) => Ok("delete"),
        ("DELETE", false) => Ok("deletecollection"),
        _ => Err(Status::new(
            405,
            api::Reason::MethodNotAllowed,
            "the server does not allow this method on the requested resource",
        )),
    }
}
