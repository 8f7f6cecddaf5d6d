//! PodTopologyLabels: a pod bears the zone and the region of the node it is given, from the
//! moment it is bound to it or created on it.

use api::Status;
use serde_json::{Value, json};

use super::Attributes;
use crate::tree::{Tree, meta_of};

const LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

pub(super) fn create(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    let node = if attributes.is("", "bindings") {
        object.get("target").and_then(|target| target.get("name"))
    } else if attributes.is("", "pods") {
        object.get("spec").and_then(|spec| spec.get("nodeName"))
    } else {
        None
    };
    let Some(node) = node.and_then(Value::as_str).filter(|node| !node.is_empty()) else { return Ok(()) };
    // Clients may bind to nodes that are not there yet.
    let Some(node) = attributes.view.get("", "nodes", "", node) else { return Ok(()) };
    let held = |label: &str| node.get("metadata")?.get("labels")?.get(label).cloned();
    for label in LABELS {
        let Some(value) = held(label) else { continue };
        let labels = meta_of(object).entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert(label.to_owned(), value);
        }
    }
    Ok(())
}
