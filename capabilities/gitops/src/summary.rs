//! `status.summary`: images that run and URLs that are offered, as far as the
//! objects themselves say. Pure; it must never look at pods.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::compare::Resource;
use crate::resource::text;

/// Where a pod's specification stands in the kinds that have one.
const POD_SPECS: [&str; 3] = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"];

/// The summary of live objects.
pub fn build(resources: &[Resource]) -> Value {
    let mut found_images = BTreeSet::new();
    let mut found_urls = BTreeSet::new();
    for resource in resources {
        let Some(live) = resource.live.as_ref().map(|live| &*live.value) else { continue };
        images(live, &mut found_images);
        urls(live, &mut found_urls);
    }
    let mut summary = json!({});
    if !found_images.is_empty() {
        summary["images"] = json!(found_images);
    }
    if !found_urls.is_empty() {
        summary["externalURLs"] = json!(found_urls);
    }
    summary
}

fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn images(object: &Value, found: &mut BTreeSet<String>) {
    let Some(spec) =
        POD_SPECS.iter().filter_map(|path| object.pointer(path)).find(|spec| spec["containers"].is_array())
    else {
        return;
    };
    for container in items(spec, "/initContainers").iter().chain(items(spec, "/containers")) {
        let image = text(container, "/image");
        if !image.is_empty() {
            found.insert(image.to_owned());
        }
    }
}

fn urls(object: &Value, found: &mut BTreeSet<String>) {
    if let Some(link) = crate::resource::annotation(object, "link.argocd.argoproj.io/external-link") {
        found.insert(link.to_owned());
    }
    if text(object, "/kind") != "Ingress" {
        return;
    }
    let balancers = items(object, "/status/loadBalancer/ingress");
    let secured: Vec<&str> =
        items(object, "/spec/tls").iter().flat_map(|tls| items(tls, "/hosts")).filter_map(Value::as_str).collect();
    let has_tls = !items(object, "/spec/tls").is_empty();
    for rule in items(object, "/spec/rules") {
        let host = text(rule, "/host");
        let hosts: Vec<&str> = match host {
            "" => balancers.iter().map(address).filter(|address| !address.is_empty()).collect(),
            // An Ingress that nobody serves yet offers nothing.
            _ if balancers.is_empty() => Vec::new(),
            host => vec![host],
        };
        for host in hosts {
            let scheme = if has_tls && (secured.is_empty() || secured.contains(&host)) { "https" } else { "http" };
            for path in items(rule, "/http/paths") {
                let path = text(path, "/path").trim_end_matches('*');
                found.insert(format!("{scheme}://{host}{path}"));
            }
        }
    }
}

fn address(balancer: &Value) -> &str {
    match text(balancer, "/hostname") {
        "" => text(balancer, "/ip"),
        hostname => hostname,
    }
}
