//! `coracle get clusters`: the platforms of this machine, running or not.

use std::fs;
use std::path::Path;

use base::Diagnostic;
use serde_json::{Value, json};
use server::{Config, Layout};

use super::Listing;
use crate::{connection, paths};

/// Every platform, by name. One that cannot be read hides no other: it is told of and left out.
pub fn platforms(data_dir: Option<&Path>) -> Result<Vec<(Config, Layout)>, Diagnostic> {
    let mut found = Vec::new();
    if let Some(directory) = data_dir {
        let layout = Layout::new(directory);
        found.extend(layout.load()?.map(|config| (config, layout)));
        return Ok(found);
    }
    let entries = fs::read_dir(paths::data_home()?).into_iter().flatten();
    for root in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()) {
        let layout = Layout::new(root);
        match layout.load() {
            Ok(config) => found.extend(config.map(|config| (config, layout))),
            Err(diagnostic) => anstream::eprintln!("left out: {diagnostic}"),
        }
    }
    found.sort_by(|left, right| left.0.name.cmp(&right.0.name));
    Ok(found)
}

/// The platforms with their addresses and nodes.
pub async fn list(data_dir: Option<&Path>) -> Result<Listing, Diagnostic> {
    let mut values = Vec::new();
    for (config, layout) in platforms(data_dir)? {
        let nodes = if layout.running().is_some() { nodes(&layout).await } else { Vec::new() };
        values.push(json!({
            "Name": config.name,
            "URLKubeApi": format!("https://{}:{}", config.bind, config.api_port),
            "KubePort": config.api_port,
            "TlsCheck": true,
            "ExternalPort": config.port,
            "Nodes": nodes,
            "Running": layout.running().is_some(),
        }));
    }
    let rows = values.iter().map(row).collect();
    Ok(Listing {
        heading: vec!["NAME", "EXTERNAL-PORT", "KUBE-API", "TLS", "KUBE-PORT", "NODES"],
        rows,
        value: Value::Array(values),
        nothing: "no clusters found",
    })
}

/// The nodes of a platform; none if it does not answer, which is not this listing's failure.
async fn nodes(layout: &Layout) -> Vec<Value> {
    let Ok(objects) = connection::connect(&layout.kubeconfig()).await else { return Vec::new() };
    let target = connection::everywhere(&api::Gvr::new("", "v1", "nodes"));
    let nodes = connection::list(&*objects, &target, "").await.unwrap_or_default();
    nodes.iter().filter_map(|node| Some(described(&node.meta.name, &node.value().ok()?))).collect()
}

fn described(name: &str, node: &Value) -> Value {
    let address = |kind: &str| {
        let addresses = node["status"]["addresses"].as_array().into_iter().flatten();
        addresses
            .filter(|address| address["type"] == *kind)
            .find_map(|address| address["address"].as_str())
            .unwrap_or("")
    };
    let capacity = |what: &str| node["status"]["capacity"][what].as_str().unwrap_or_default();
    let kibibytes: f64 = capacity("memory").trim_end_matches("Ki").parse().unwrap_or(0.0);
    json!({
        "Name": name,
        "InternalIP": address("InternalIP"),
        "ExternalIP": address("ExternalIP"),
        "Capacity": {"Memory": kibibytes / f64::from(1 << 20), "Pods": capacity("pods"), "Cpu": capacity("cpu")},
    })
}

fn row(cluster: &Value) -> Vec<String> {
    let nodes = cluster["Nodes"].as_array().into_iter().flatten();
    let nodes: Vec<&str> = nodes.filter_map(|node| node["Name"].as_str()).collect();
    vec![
        cluster["Name"].as_str().unwrap_or_default().to_owned(),
        cluster["ExternalPort"].to_string(),
        cluster["URLKubeApi"].as_str().unwrap_or_default().to_owned(),
        cluster["TlsCheck"].to_string(),
        cluster["KubePort"].to_string(),
        nodes.join(","),
    ]
}
