//! The fake's verbs over its memory, under one lock: what the API server does
//! for a call once faults are out of the way. It never waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, KindDescriptor, Status};
use base::Clock;
use bytes::Bytes;
use serde_json::Value;

use super::kinds::Kinds;
use super::rules;
use super::store::{Store, resource};
use super::{Applier, Call, Verb};
use crate::{DeleteOptions, Object, ObjectKey, Result, Scope, Target, WriteOptions};

#[derive(Default)]
pub(super) struct State {
    pub(super) kinds: Kinds,
    pub(super) store: Store,
    pub(super) uids: u64,
    pub(super) calls: Vec<Call>,
    pub(super) faults: Vec<(Verb, String, Status)>,
    pub(super) applier: Option<Arc<Applier>>,
    pub(super) raw: BTreeMap<String, Bytes>,
}

fn cluster_of(target: &Target) -> Result<&ClusterName> {
    match &target.scope {
        Scope::One(cluster) => Ok(cluster),
        Scope::All => Err(Status::bad_request("only list and watch concern all clusters")),
    }
}

fn key_of(target: &Target, name: &str) -> Result<ObjectKey> {
    Ok(ObjectKey::new(cluster_of(target)?, target.namespace.as_deref().unwrap_or_default(), name))
}

impl State {
    pub(super) fn kind(&self, target: &Target) -> Result<KindDescriptor> {
        let cluster = match &target.scope {
            Scope::One(cluster) => Some(cluster),
            Scope::All => None,
        };
        self.kinds.by_gvr(cluster, &target.gvr).cloned().ok_or_else(Status::no_such_resource)
    }

    pub(super) fn read(&self, target: &Target, name: &str) -> Result<Object> {
        self.kind(target)?;
        let found = self.store.get(&resource(&target.gvr), &key_of(target, name)?);
        found.cloned().ok_or_else(|| Status::not_found(&target.gvr, name))
    }

    /// What an apply makes of an object, or of none.
    pub(super) fn applied(
        &self,
        target: &Target,
        old: Option<Value>,
        config: Value,
        options: &WriteOptions,
    ) -> Result<Value> {
        match &self.applier {
            Some(applier) => applier(&self.kind(target)?, old, config, options),
            None => Ok(rules::merged(old.unwrap_or_default(), &config)),
        }
    }

    pub(super) fn create(&mut self, target: &Target, mut body: Value, dry_run: bool, clock: &Clock) -> Result<Object> {
        let kind = self.kind(target)?;
        self.uids += 1;
        let stated = |field: &str| body["metadata"][field].as_str().unwrap_or_default().to_owned();
        let uid = match stated("uid") {
            uid if uid.is_empty() => format!("uid-{}", self.uids),
            uid => uid,
        };
        let name = match (stated("name"), stated("generateName")) {
            (name, prefix) if name.is_empty() => format!("{prefix}{:05}", self.uids),
            (name, _) => name,
        };
        let namespace = match &target.namespace {
            Some(namespace) => namespace.to_string(),
            None => stated("namespace"),
        };
        let key = ObjectKey::new(cluster_of(target)?, &namespace, &name);
        let place = resource(&target.gvr);
        if self.store.get(&place, &key).is_some() {
            return Err(Status::already_exists(&target.gvr, &name));
        }
        body["metadata"]["name"] = name.into();
        if !namespace.is_empty() {
            body["metadata"]["namespace"] = namespace.into();
        }
        let value = rules::created(&kind, body, &uid, &clock.now_rfc3339());
        if dry_run {
            return Object::from_json(key.cluster, value.to_string().into());
        }
        if place.1 == "customresourcedefinitions" {
            self.kinds.define(&key.cluster, &value);
        }
        self.store.commit(&place, &key, Some(value))
    }

    pub(super) fn update(
        &mut self,
        target: &Target,
        name: &str,
        subresource: Option<&str>,
        body: &Value,
        dry_run: bool,
    ) -> Result<Object> {
        let kind = self.kind(target)?;
        let old = self.read(target, name)?;
        let key = key_of(target, name)?;
        let mut new = rules::updated(&kind, &old, subresource, body)?;
        if let Some(value) = &mut new {
            value["metadata"]["resourceVersion"] = old.meta.resource_version.clone().into();
        }
        if dry_run || new.as_ref() == Some(&old.value()?) {
            return Ok(old);
        }
        self.finish(target, &key, new)
    }

    /// What a POST to a subresource does: `binding` gives a pod its node, `eviction` deletes it.
    pub(super) fn act(
        &mut self,
        target: &Target,
        name: &str,
        subresource: &str,
        body: &Value,
        dry_run: bool,
        now: &str,
    ) -> Result<()> {
        match (&*target.gvr.resource, subresource) {
            ("pods", "binding") => {
                let bound = rules::bound(&self.kind(target)?.gvr(), &self.read(target, name)?, body)?;
                let key = key_of(target, name)?;
                if !dry_run {
                    self.finish(target, &key, Some(bound))?;
                }
                Ok(())
            }
            ("pods", "eviction") => {
                let options = DeleteOptions { dry_run, ..DeleteOptions::default() };
                self.delete(target, name, &options, now).map(drop)
            }
            _ => Err(Status::no_such_resource()),
        }
    }

    fn finish(&mut self, target: &Target, key: &ObjectKey, new: Option<Value>) -> Result<Object> {
        let place = resource(&target.gvr);
        if place.1 == "customresourcedefinitions" && new.is_none() {
            self.kinds.undefine(&key.cluster, &key.name);
        }
        self.store.commit(&place, key, new)
    }

    pub(super) fn delete(
        &mut self,
        target: &Target,
        name: &str,
        options: &DeleteOptions,
        now: &str,
    ) -> Result<Option<Object>> {
        let kind = self.kind(target)?;
        let old = self.read(target, name)?;
        let key = key_of(target, name)?;
        let new = rules::deleted(&kind, &old, options, now)?;
        if options.dry_run || new.as_ref() == Some(&old.value()?) {
            return Ok(Some(old));
        }
        let kept = new.is_some();
        let object = self.finish(target, &key, new)?;
        Ok(kept.then_some(object))
    }
}
