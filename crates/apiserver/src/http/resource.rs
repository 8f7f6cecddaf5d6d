//! Requests about objects: which verb is meant, and the pipeline's answer to it.

use api::{Gvk, Status};
use axum::body::Body;
use contracts::auth::Identity;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::accept::{self, Form};
use super::query::Query;
use super::reply::json_response;
use super::table::Include;
use super::{answer, body, watch};
use crate::ApiServer;
use crate::pipeline::{Deleted, Part, Selectors, Subject, authorize};
use crate::request::ResourcePath;

/// One request, taken apart once.
struct Asked<'a> {
    path: &'a ResourcePath,
    parts: &'a Parts,
    query: Query,
    form: Form,
    include: Include,
}

impl ApiServer {
    pub(super) async fn resource(
        &self,
        who: &Identity,
        path: &ResourcePath,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Status> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let verb = verb(&parts.method, path, &query)?;
        authorize(who, verb, &path.gvr, path.namespace.as_deref(), path.name.as_deref().unwrap_or_default())?;
        let subject = self.subject(&path.cluster, &path.gvr, path.namespace.as_deref().unwrap_or_default())?;
        let form = accept::form(&parts.headers)?;
        let include = Include::parse(query.text("includeObject"))?;
        let asked = Asked { path, parts, query, form, include };
        if matches!(subject.kind.descriptor.verbs, api::kind::Verbs::Create) {
            return self.review(who, verb, &subject, &parts.headers, body).await;
        }
        if path.subresource.as_deref() == Some("scale") && subject.kind.descriptor.subresources.scale.is_some() {
            return self.scale(verb, &subject, &asked, body).await;
        }
        match verb {
            "get" => self.get_one(&subject, &asked),
            "list" => self.list_many(&subject, &asked),
            "watch" => self.start_watch(&subject, &asked),
            "create" => self.create_one(&subject, &asked, body).await,
            "update" => self.update_one(&subject, &asked, body).await,
            "patch" => self.patch_one(&subject, &asked, body).await,
            "delete" => self.delete_one(&subject, &asked, body).await,
            _ => self.delete_many(&subject, &asked, body).await,
        }
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

    async fn create_one(&self, subject: &Subject, asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
        if asked.path.subresource.is_some() {
            return Err(Status::no_such_resource());
        }
        let write = asked.query.write()?;
        let bytes = body::read(body).await?;
        let object = body::object(&asked.parts.headers, &bytes, &subject.kind.descriptor.gvk)?;
        let record = self.create(&placed(subject, asked)?, object, &write).await?;
        self.answer_object(StatusCode::CREATED, subject, &record, asked.form, asked.include)
    }

    async fn update_one(&self, subject: &Subject, asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
        let part = Part::of(subject, asked.path.subresource.as_deref())?;
        let write = asked.query.write()?;
        let bytes = body::read(body).await?;
        let object = body::object(&asked.parts.headers, &bytes, &subject.kind.descriptor.gvk)?;
        let record = self.update(&placed(subject, asked)?, asked.name(), part, object, &write).await?;
        self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include)
    }

    async fn patch_one(&self, subject: &Subject, asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
        let part = Part::of(subject, asked.path.subresource.as_deref())?;
        let write = asked.query.write()?;
        let bytes = body::read(body).await?;
        let patch = body::patch(&asked.parts.headers, &bytes)?;
        let record = self.patch(&placed(subject, asked)?, asked.name(), part, &patch, &write).await?;
        self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include)
    }

    async fn delete_one(&self, subject: &Subject, asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
        if asked.path.subresource.is_some() {
            return Err(Status::no_such_resource());
        }
        let options = asked.query.delete(&delete_body(asked, body).await?)?;
        match self.delete(&placed(subject, asked)?, asked.name(), &options).await? {
            Deleted::Gone(record) => Ok(answer::deleted(subject, asked.name(), &record)),
            Deleted::Waiting(record) => self.answer_object(StatusCode::OK, subject, &record, asked.form, asked.include),
        }
    }

    async fn delete_many(&self, subject: &Subject, asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
        let options = asked.query.delete(&delete_body(asked, body).await?)?;
        let selectors = self.selectors(subject, &asked.query)?;
        let listing = self.delete_collection(&placed(subject, asked)?, &selectors, &options).await?;
        self.answer_list(subject, &listing, asked.form, asked.include, &asked.parts.headers)
    }

    async fn scale(
        &self,
        verb: &str,
        subject: &Subject,
        asked: &Asked<'_>,
        body: Body,
    ) -> Result<Response<Body>, Status> {
        let subject = placed(subject, asked)?;
        let write = asked.query.write()?;
        let scale = match verb {
            "get" => self.get_scale(&subject, asked.name())?,
            "update" => {
                let bytes = body::read(body).await?;
                let scale = body::object(&asked.parts.headers, &bytes, &Gvk::new("autoscaling", "v1", "Scale"))?;
                self.update_scale(&subject, asked.name(), &scale, &write).await?
            }
            "patch" => {
                let bytes = body::read(body).await?;
                let patch = body::patch(&asked.parts.headers, &bytes)?;
                self.patch_scale(&subject, asked.name(), &patch, &write).await?
            }
            _ => return Err(Status::method_not_allowed(verb)),
        };
        Ok(json_response(StatusCode::OK, &scale))
    }
}

impl Asked<'_> {
    fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or_default()
    }
}

/// The subject, which for a namespaced kind must now name a namespace.
fn placed(subject: &Subject, asked: &Asked<'_>) -> Result<Subject, Status> {
    if subject.kind.descriptor.namespaced && subject.namespace.is_empty() {
        return Err(Status::method_not_allowed(asked.parts.method.as_str()));
    }
    Ok(subject.clone())
}

async fn delete_body(asked: &Asked<'_>, body: Body) -> Result<Value, Status> {
    let bytes = body::read(body).await?;
    body::value(&asked.parts.headers, &bytes, &Gvk::new("", "v1", "DeleteOptions"))
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
