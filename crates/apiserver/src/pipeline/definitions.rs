//! CustomResourceDefinitions on their way through the pipeline: checked and
//! given their conditions before they are stored, in effect before the write
//! returns, and kept until their last instance is gone.

use api::{ClusterName, Gvr, Reason, Status};
use client::DeleteOptions;
use serde_json::{Value, json};

use super::create::{ATTEMPTS, is_definition};
use super::part::Part;
use super::select::Selectors;
use super::server::{ApiServer, Subject, Write, store_error};
use crate::crd;
use crate::record::Record;
use crate::registry::Kind;
use crate::tree::{Tree, meta_of, meta_text};

/// Bytes of a tree in memory for each of its text.
const TREE_SIZE: usize = 8;

impl ApiServer {
    /// Puts every stored definition into effect.
    pub(super) fn load_definitions(&self) -> Result<(), Status> {
        let prefix = store::Prefix::topic(crd::GROUP, crd::PLURAL);
        let page = self.store().list(&prefix, &store::ListOptions::default()).map_err(|error| store_error(&error))?;
        for entry in &page.entries {
            let Some(cluster) = ClusterName::new(&entry.key.cluster) else { continue };
            self.define(&cluster, &entry.key.name, &Record::of(entry))?;
        }
        Ok(())
    }

    /// Checks a definition and fills its status; does nothing to other kinds.
    pub(super) fn prepare_definition(
        &self,
        subject: &Subject,
        object: &mut Tree,
        old: Option<&Tree>,
    ) -> Result<(), Status> {
        if !is_definition(subject) {
            return Ok(());
        }
        let name = meta_text(object, "name").to_owned();
        let registry = self.registry();
        crd::check::check(object, old, &name, &|schema| registry.schemas().find(schema))?;
        match old.and_then(|old| old.get("status")) {
            Some(status) => object.insert("status".into(), status.clone()),
            None => object.remove("status"),
        };
        let group = object.get("spec").and_then(|spec| spec.get("group")).and_then(Value::as_str).unwrap_or_default();
        let used = registry.names_used(&subject.cluster, group, &name);
        let status = crd::status::of(object, &used, &self.clock().now_rfc3339());
        object.insert("status".into(), status);
        Ok(())
    }

    /// Puts a stored definition into effect.
    pub(super) fn define(&self, cluster: &ClusterName, name: &str, record: &Record) -> Result<(), Status> {
        let kind = self.definitions_of(cluster)?;
        let object = record.value(&kind.kind.descriptor)?;
        let schemas = self.registry().schemas();
        let definition = crd::read(&object, name, record.body.clone(), &|schema| schemas.of_stored(schema))?;
        drop(object);
        base::memory::freed(record.body.len() * TREE_SIZE);
        if self.registry().define(cluster, definition, record.revision) {
            let (server, cluster) = (self.clone(), cluster.clone());
            self.tasks().spawn("names of definitions", async move {
                // What cannot be written now is judged anew with the next write or removal;
                // until then the later one is not served.
                let _ = server.release_names(&cluster).await;
            });
        }
        Ok(())
    }

    /// Deletes the instances of a definition that is to go, and the definition with the last.
    pub(super) async fn begin_removal(&self, subject: &Subject, name: &str) -> Result<(), Status> {
        if !is_definition(subject) {
            return Ok(());
        }
        let Some(definition) = self.registry().definition(&subject.cluster, name) else { return Ok(()) };
        // A definition that is not served may hold instances all the same, of earlier times.
        let Some(descriptor) = definition.stored() else { return Ok(()) };
        let kind = Kind { descriptor: descriptor.clone(), definition: Some(definition.clone()) };
        let instances = Subject { cluster: subject.cluster.clone(), kind, namespace: String::new() };
        // One whose names are another's must not take that one's instances along.
        if definition.established {
            let all = Selectors::parse(descriptor, "", "")?;
            Box::pin(self.delete_collection(&instances, &all, &DeleteOptions::default())).await?;
        }
        Box::pin(self.finish_definition(&instances)).await
    }

    /// Gives the names that a definition held to those that waited for them.
    pub(super) async fn release_names(&self, cluster: &ClusterName) -> Result<(), Status> {
        let definitions = self.definitions_of(cluster)?;
        for name in self.registry().waiting(cluster) {
            for _ in 0..ATTEMPTS {
                let Some(entry) = self.store().get(&definitions.key(&name)) else { break };
                let object = Record::of(&entry).value(&definitions.kind.descriptor)?;
                // Replacing a definition by itself judges its names anew.
                match Box::pin(self.replace(&definitions, &entry, Part::Main, object, &Write::default())).await {
                    Err(status) if status.is_conflict() => {}
                    Err(status) if status.is_not_found() => break,
                    outcome => {
                        outcome?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Lets the definition of `subject` go if it is to go and no instance is left.
    pub(super) async fn finish_definition(&self, subject: &Subject) -> Result<(), Status> {
        let name = subject.gvr().qualified();
        let definitions = self.definitions_of(&subject.cluster)?;
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.store().get(&definitions.key(&name)) else { return Ok(()) };
            let record = Record::of(&entry);
            let meta = record.object_meta()?;
            if !meta.is_deleting() || !meta.finalizers.iter().any(|held| held == crd::FINALIZER) {
                return Ok(());
            }
            let everything = Subject { namespace: String::new(), ..subject.clone() };
            let options = store::ListOptions { limit: Some(1), ..Default::default() };
            let page = self.store().list(&everything.prefix(), &options).map_err(|error| store_error(&error))?;
            if !page.entries.is_empty() {
                return Ok(());
            }
            let mut object = record.value(&definitions.kind.descriptor)?;
            let left: Vec<&String> = meta.finalizers.iter().filter(|held| *held != crd::FINALIZER).collect();
            meta_of(&mut object).insert("finalizers".into(), json!(left));
            let write = Write::default();
            match Box::pin(self.replace(&definitions, &entry, Part::Main, object, &write)).await {
                // Somebody wrote to it meanwhile: look again.
                Err(status) if status.is_conflict() => {}
                Err(status) if !status.is_not_found() => return Err(status),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Goes on with the removals that an end of the process interrupted.
    pub(super) async fn resume_removals(&self) -> Result<(), Status> {
        let prefix = store::Prefix::topic(crd::GROUP, crd::PLURAL);
        let page = self.store().list(&prefix, &store::ListOptions::default()).map_err(|error| store_error(&error))?;
        for entry in &page.entries {
            let Some(cluster) = ClusterName::new(&entry.key.cluster) else { continue };
            if Record::of(entry).is_deleting()? {
                self.begin_removal(&self.definitions_of(&cluster)?, &entry.key.name).await?;
            }
        }
        Ok(())
    }

    /// The definition that serves a custom kind, which must stand unchanged when an instance is
    /// committed, and must not be on its way out.
    pub(super) fn definition_check(&self, subject: &Subject) -> Result<Option<(store::Key, u64)>, Status> {
        if !subject.kind.is_custom() {
            return Ok(None);
        }
        let name = subject.gvr().qualified();
        for cluster in [&subject.cluster, &ClusterName::root()] {
            let Some(entry) = self.store().get(&self.definitions_of(cluster)?.key(&name)) else { continue };
            if Record::of(&entry).is_deleting()? {
                let why = "create not allowed while custom resource definition is terminating";
                return Err(Status::new(405, Reason::MethodNotAllowed, why));
            }
            return Ok(Some(((*entry.key).clone(), entry.revision)));
        }
        Err(Status::no_such_resource())
    }

    fn definitions_of(&self, cluster: &ClusterName) -> Result<Subject, Status> {
        let gvr = Gvr::new(crd::GROUP, "v1", crd::PLURAL);
        let kind = self.registry().resource(cluster, &gvr).ok_or_else(Status::no_such_resource)?;
        Ok(Subject { cluster: cluster.clone(), kind, namespace: String::new() })
    }
}
