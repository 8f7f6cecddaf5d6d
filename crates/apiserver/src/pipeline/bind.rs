//! `pods/binding`: gives a pod the node that a scheduler found, once. It decides nothing
//! about nodes and never moves a pod.

use api::{Gvr, Status};
use serde_json::{Value, json};

use super::server::{ApiServer, Subject, Write};
use super::update::stated_uid_differs;
use crate::strategy::conditions::{self, Condition};
use crate::tree::{Tree, meta_of, meta_text};

impl ApiServer {
    /// Gives a pod the node that the binding names.
    pub(super) async fn bind(
        &self,
        subject: &Subject,
        name: &str,
        mut binding: Tree,
        write: &Write,
    ) -> Result<(), Status> {
        let node = node_of(&binding)?.to_owned();
        if let Some(kind) = self.registry().resource(&subject.cluster, &Gvr::new("", "v1", "bindings")) {
            self.admit_new(&Subject { kind, ..subject.clone() }, &mut binding)?;
        }
        let now = self.clock().now_rfc3339();
        let assign = |pod: &mut Tree| {
            check_preconditions(subject, name, pod, &binding)?;
            let refuse = |why: String| Status::conflict(&Gvr::new("", "v1", "pods/binding"), name, &why);
            if let Some(why) = obstacle(name, pod) {
                return Err(refuse(why));
            }
            assign(pod, &node, &binding, &now);
            Ok(())
        };
        self.rewrite(subject, name, write.dry_run, assign).await.map(drop)
    }
}

/// The node that a binding names. What is wrong with it is answered as Kubernetes does, with
/// the bare words of the fields.
fn node_of(binding: &Tree) -> Result<&str, Status> {
    let text = |field: &str| {
        binding.get("target").and_then(|target| target.get(field)).and_then(Value::as_str).unwrap_or_default()
    };
    let mut wrong = Vec::new();
    if !matches!(text("kind"), "" | "Node") {
        let stated = Value::from(text("kind"));
        wrong.push(format!(r#"target.kind: Unsupported value: {stated}: supported values: "Node", "<empty>""#));
    }
    if text("name").is_empty() {
        wrong.push("target.name: Required value".to_owned());
    }
    match wrong.as_slice() {
        [] => Ok(text("name")),
        [one] => Err(Status::new(500, api::Reason::Unknown, one)),
        many => Err(Status::new(500, api::Reason::Unknown, format!("[{}]", many.join(", ")))),
    }
}

/// A binding may say which pod of the name it means, and of which revision.
fn check_preconditions(subject: &Subject, name: &str, pod: &Tree, binding: &Tree) -> Result<(), Status> {
    if let Some(status) = stated_uid_differs(subject, name, meta_text(binding, "uid"), meta_text(pod, "uid")) {
        return Err(status);
    }
    let (wanted, held) = (meta_text(binding, "resourceVersion"), meta_text(pod, "resourceVersion"));
    if wanted.is_empty() || wanted == held {
        return Ok(());
    }
    let why = format!(
        "Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {held}"
    );
    Err(Status::conflict(&subject.gvr(), name, &why))
}

/// Why the pod cannot be given a node.
fn obstacle(name: &str, pod: &Tree) -> Option<String> {
    let spec = |field: &str| pod.get("spec").and_then(|spec| spec.get(field));
    if !meta_text(pod, "deletionTimestamp").is_empty() {
        return Some(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    if let Some(node) = spec("nodeName").and_then(Value::as_str).filter(|node| !node.is_empty()) {
        return Some(format!("pod {name} is already assigned to node \"{node}\""));
    }
    let is_gated = spec("schedulingGates").and_then(Value::as_array).is_some_and(|gates| !gates.is_empty());
    is_gated.then(|| format!("pod {name} has non-empty .spec.schedulingGates"))
}

fn assign(pod: &mut Tree, node: &str, binding: &Tree, now: &str) {
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("nodeName".into(), json!(node));
    }
    for field in ["annotations", "labels"] {
        let added = binding.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_object);
        let Some(added) = added.filter(|added| !added.is_empty()) else { continue };
        let held = meta_of(pod).entry(field).or_insert_with(|| json!({}));
        if let Some(held) = held.as_object_mut() {
            held.extend(added.clone());
        }
    }
    // The hint where it might go says nothing any more.
    if let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("nominatedNodeName");
    }
    conditions::set(pod, &Condition { kind: "PodScheduled", status: "True", reason: "", message: "" }, now);
}
