//! Kinds that are asked and answered but never stored: who am I, may I, may they.

use api::Status;
use axum::body::Body;
use bytes::Bytes;
use contracts::auth::Identity;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::body;
use super::reply::json_response;
use crate::ApiServer;
use crate::pipeline::{Subject, Write};
use crate::tree::Tree;

impl ApiServer {
    pub(super) async fn review(
        &self,
        who: &Identity,
        verb: &str,
        subject: &Subject,
        headers: &HeaderMap,
        bytes: &Bytes,
    ) -> Result<Response<Body>, Status> {
        if verb != "create" {
            return Err(Status::method_not_allowed(verb));
        }
        let gvk = &subject.kind.descriptor.gvk;
        let mut object = body::object(headers, bytes, gvk, &mut Write::default())?;
        let status = match &*gvk.kind {
            "SelfSubjectReview" => json!({"userInfo": {"username": who.user, "groups": who.groups}}),
            "SelfSubjectAccessReview" => verdict(who.is_master()),
            "SubjectAccessReview" | "LocalSubjectAccessReview" => verdict(names_master(&object)),
            "SelfSubjectRulesReview" => rules(who),
            "TokenReview" => self.token_review(&object).await,
            _ => return Err(Status::no_such_resource()),
        };
        object.insert("status".into(), status);
        Ok(json_response(StatusCode::CREATED, &Value::Object(object)))
    }

    async fn token_review(&self, object: &Tree) -> Value {
        let token = object.get("spec").and_then(|spec| spec.get("token")).and_then(Value::as_str).unwrap_or_default();
        match self.tokens().verify(token).await {
            Some(who) => json!({"authenticated": true, "user": {"username": who.user, "groups": who.groups}}),
            None => json!({"authenticated": false, "error": "the token is not known"}),
        }
    }
}

fn verdict(allowed: bool) -> Value {
    let reason = if allowed { "member of system:masters" } else { "only members of system:masters are admitted" };
    json!({"allowed": allowed, "reason": reason})
}

fn names_master(object: &Tree) -> bool {
    let groups = object.get("spec").and_then(|spec| spec.get("groups")).and_then(Value::as_array);
    groups.into_iter().flatten().any(|group| group == Identity::MASTERS)
}

fn rules(who: &Identity) -> Value {
    let everything = json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
    let paths = json!([{"verbs": ["*"], "nonResourceURLs": ["*"]}]);
    if who.is_master() {
        json!({"resourceRules": everything, "nonResourceRules": paths, "incomplete": false})
    } else {
        json!({"resourceRules": [], "nonResourceRules": [], "incomplete": false})
    }
}
