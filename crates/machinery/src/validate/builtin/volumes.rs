//! What the volumes of a pod must state: a name of their own and one source, which names
//! what it is made from. What mounts them is not known here.

use std::collections::BTreeSet;

use serde_json::json;

use super::Object;
use super::findings::Findings;
use super::places::{objects, text};
use crate::validate::dns_label;

/// What a source must name: the source and the field.
const NAMES: &[(&str, &str)] = &[
    ("configMap", "name"),
    ("hostPath", "path"),
    ("nfs", "path"),
    ("nfs", "server"),
    ("persistentVolumeClaim", "claimName"),
    ("secret", "secretName"),
    ("csi", "driver"),
];

/// The order in which sources are looked at: of two the later one is refused.
const ORDER: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "configMap",
    "azureFile",
    "flexVolume",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// Checks the volumes of a pod's spec; returns the names that may be mounted.
pub(super) fn check<'a>(spec: &'a Object, field: &str, found: &mut Findings) -> BTreeSet<&'a str> {
    let (mut names, mut sound) = (BTreeSet::new(), BTreeSet::new());
    for (index, volume) in objects(spec, "volumes") {
        let field = format!("{field}.volumes[{index}]");
        let (name, before) = (text(volume, "name"), found.count());
        if name.is_empty() {
            found.required(&format!("{field}.name"), "");
        }
        let problems = if name.is_empty() { Vec::new() } else { dns_label(name) };
        found.invalid_text(&format!("{field}.name"), name, &problems);
        if !name.is_empty() && !names.insert(name) {
            found.duplicate(&format!("{field}.name"), &json!(name));
        }
        source(volume, &field, found);
        if found.count() == before {
            sound.insert(name);
        }
    }
    sound
}

fn source(volume: &Object, field: &str, found: &mut Findings) {
    let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut sources: Vec<&String> = volume.keys().filter(|name| *name != "name" && !volume[*name].is_null()).collect();
    sources.sort_by_key(|name| rank(name));
    for extra in sources.iter().skip(1) {
        // One of them is spelt so in Kubernetes.
        let extra = if *extra == "downwardAPI" { "downwarAPI" } else { extra.as_str() };
        found.forbidden(&format!("{field}.{extra}"), "may not specify more than 1 volume type");
    }
    let Some(first) = sources.first() else { return };
    let Some(stated) = volume[*first].as_object() else { return };
    for (_, needed) in NAMES.iter().filter(|(name, _)| name == first) {
        if text(stated, needed).is_empty() {
            found.required(&format!("{field}.{first}.{needed}"), "");
        }
    }
}
