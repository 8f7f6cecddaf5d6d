//! Rows of volumes, claims and what provides them, and of stored data.

use serde_json::{Value, json};

use super::row::{Row, none_if_empty, text as text_at};
use super::{Entry, boolean, integer, text, wide};

pub(super) const KINDS: &[Entry] = &[
    Entry {
        group: "",
        kind: "PersistentVolume",
        columns: &[
            text("Name"),
            text("Capacity"),
            text("Access Modes"),
            text("Reclaim Policy"),
            text("Status"),
            text("Claim"),
            text("StorageClass"),
            text("VolumeAttributesClass"),
            text("Reason"),
            text("Age"),
            wide("VolumeMode"),
        ],
        cells: volume,
    },
    Entry {
        group: "",
        kind: "PersistentVolumeClaim",
        columns: &[
            text("Name"),
            text("Status"),
            text("Volume"),
            text("Capacity"),
            text("Access Modes"),
            text("StorageClass"),
            text("VolumeAttributesClass"),
            text("Age"),
            wide("VolumeMode"),
        ],
        cells: claim,
    },
    Entry {
        group: "storage.k8s.io",
        kind: "StorageClass",
        columns: &[
            text("Name"),
            text("Provisioner"),
            text("ReclaimPolicy"),
            text("VolumeBindingMode"),
            text("AllowVolumeExpansion"),
            text("Age"),
        ],
        cells: storage_class,
    },
    Entry {
        group: "storage.k8s.io",
        kind: "VolumeAttributesClass",
        columns: &[text("Name"), text("DriverName"), text("Age")],
        cells: |row| vec![row.name(), json!(row.text("/driverName")), row.age()],
    },
    Entry {
        group: "storage.k8s.io",
        kind: "VolumeAttachment",
        columns: &[text("Name"), text("Attacher"), text("PV"), text("Node"), boolean("Attached"), text("Age")],
        cells: |row| {
            vec![
                row.name(),
                json!(row.text("/spec/attacher")),
                json!(row.text("/spec/source/persistentVolumeName")),
                json!(row.text("/spec/nodeName")),
                json!(row.flag("/status/attached")),
                row.age(),
            ]
        },
    },
    Entry {
        group: "storage.k8s.io",
        kind: "CSIDriver",
        columns: &[
            text("Name"),
            boolean("AttachRequired"),
            boolean("PodInfoOnMount"),
            boolean("StorageCapacity"),
            text("TokenRequests"),
            boolean("RequiresRepublish"),
            text("Modes"),
            text("Age"),
        ],
        cells: csi_driver,
    },
    Entry {
        group: "storage.k8s.io",
        kind: "CSINode",
        columns: &[text("Name"), integer("Drivers"), text("Age")],
        cells: |row| vec![row.name(), json!(row.count("/spec/drivers")), row.age()],
    },
    Entry {
        group: "storage.k8s.io",
        kind: "CSIStorageCapacity",
        columns: &[text("Name"), text("StorageClassName"), text("Capacity")],
        cells: |row| {
            let capacity = row.at("/capacity").map_or_else(|| "<unset>".to_owned(), |_| row.quantity("/capacity"));
            vec![row.name(), json!(row.text("/storageClassName")), json!(capacity)]
        },
    },
    Entry {
        group: "",
        kind: "ConfigMap",
        columns: &[text("Name"), text("Data"), text("Age")],
        cells: |row| vec![row.name(), json!(row.count("/data") + row.count("/binaryData")), row.age()],
    },
    Entry {
        group: "",
        kind: "Secret",
        columns: &[text("Name"), text("Type"), text("Data"), text("Age")],
        cells: |row| vec![row.name(), json!(row.text("/type")), json!(row.count("/data")), row.age()],
    },
];

const CLASS_ANNOTATION: &str = "/metadata/annotations/volume.beta.kubernetes.io~1storage-class";

fn volume(row: &Row<'_>) -> Vec<Value> {
    let claim = row
        .at("/spec/claimRef")
        .map_or_else(String::new, |claim| format!("{}/{}", text_at(claim, "/namespace"), text_at(claim, "/name")));
    vec![
        row.name(),
        json!(row.quantity("/spec/capacity/storage")),
        json!(access_modes(row, "/spec/accessModes")),
        json!(row.text("/spec/persistentVolumeReclaimPolicy")),
        json!(phase(row)),
        json!(claim),
        json!(row.text_or(CLASS_ANNOTATION, row.text("/spec/storageClassName"))),
        json!(unset(row, "/spec/volumeAttributesClassName")),
        json!(row.text("/status/reason")),
        row.age(),
        json!(unset(row, "/spec/volumeMode")),
    ]
}

fn claim(row: &Row<'_>) -> Vec<Value> {
    let is_bound = !row.text("/spec/volumeName").is_empty();
    let (capacity, modes) = if is_bound {
        (row.quantity("/status/capacity/storage"), access_modes(row, "/status/accessModes"))
    } else {
        (String::new(), String::new())
    };
    vec![
        row.name(),
        json!(phase(row)),
        json!(row.text("/spec/volumeName")),
        json!(capacity),
        json!(modes),
        json!(row.text_or(CLASS_ANNOTATION, row.text("/spec/storageClassName"))),
        json!(unset(row, "/spec/volumeAttributesClassName")),
        row.age(),
        json!(unset(row, "/spec/volumeMode")),
    ]
}

fn phase<'a>(row: &Row<'a>) -> &'a str {
    if row.is_deleting() { "Terminating" } else { row.text("/status/phase") }
}

fn unset<'a>(row: &Row<'a>, pointer: &str) -> &'a str {
    row.at(pointer).and_then(Value::as_str).unwrap_or("<unset>")
}

fn access_modes(row: &Row<'_>, pointer: &str) -> String {
    let modes = row.list(pointer);
    let known =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let short: Vec<&str> = known
        .into_iter()
        .filter(|(mode, _)| modes.iter().any(|listed| listed.as_str() == Some(mode)))
        .map(|(_, short)| short)
        .collect();
    short.join(",")
}

fn storage_class(row: &Row<'_>) -> Vec<Value> {
    let annotations = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"];
    let is_default = annotations
        .iter()
        .any(|prefix| row.text(&format!("/metadata/annotations/{prefix}~1is-default-class")) == "true");
    let name = format!("{}{}", row.text("/metadata/name"), if is_default { " (default)" } else { "" });
    vec![
        json!(name),
        json!(row.text("/provisioner")),
        json!(row.text_or("/reclaimPolicy", "Delete")),
        json!(row.text_or("/volumeBindingMode", "Immediate")),
        json!(row.flag("/allowVolumeExpansion")),
        row.age(),
    ]
}

fn csi_driver(row: &Row<'_>) -> Vec<Value> {
    // The empty pointer is the item itself.
    let joined = |pointer: &str, field: &str| {
        let parts: Vec<&str> = row.list(pointer).iter().map(|item| text_at(item, field)).collect();
        parts.join(",")
    };
    let requests = match row.at("/spec/tokenRequests") {
        None => "<unset>".to_owned(),
        Some(_) => joined("/spec/tokenRequests", "/audience"),
    };
    vec![
        row.name(),
        json!(row.flag_or("/spec/attachRequired", true)),
        json!(row.flag("/spec/podInfoOnMount")),
        json!(row.flag("/spec/storageCapacity")),
        json!(requests),
        json!(row.flag("/spec/requiresRepublish")),
        json!(none_if_empty(&joined("/spec/volumeLifecycleModes", ""))),
        row.age(),
    ]
}
