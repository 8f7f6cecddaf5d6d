//! Rows of Services, what stands behind them and what leads to them.

use serde_json::{Value, json};

use super::row::{Row, int, list, none_if_empty, text as text_at, with_more};
use super::{Entry, text, wide};

pub(super) const KINDS: &[Entry] = &[
    Entry {
        group: "",
        kind: "Service",
        columns: &[
            text("Name"),
            text("Type"),
            text("Cluster-IP"),
            text("External-IP"),
            text("Port(s)"),
            text("Age"),
            wide("Selector"),
        ],
        cells: service,
    },
    Entry {
        group: "",
        kind: "Endpoints",
        columns: &[text("Name"), text("Endpoints"), text("Age")],
        cells: |row| vec![row.name(), json!(endpoints(row)), row.age()],
    },
    Entry {
        group: "discovery.k8s.io",
        kind: "EndpointSlice",
        columns: &[text("Name"), text("AddressType"), text("Ports"), text("Endpoints"), text("Age")],
        cells: endpoint_slice,
    },
    Entry {
        group: "networking.k8s.io",
        kind: "Ingress",
        columns: &[text("Name"), text("Class"), text("Hosts"), text("Address"), text("Ports"), text("Age")],
        cells: ingress,
    },
    Entry {
        group: "networking.k8s.io",
        kind: "IngressClass",
        columns: &[text("Name"), text("Controller"), text("Parameters"), text("Age")],
        cells: ingress_class,
    },
    Entry {
        group: "networking.k8s.io",
        kind: "NetworkPolicy",
        columns: &[text("Name"), text("Pod-Selector"), text("Age")],
        cells: |row| vec![row.name(), row.selector("/spec/podSelector"), row.age()],
    },
    Entry {
        group: "networking.k8s.io",
        kind: "ServiceCIDR",
        columns: &[text("Name"), text("CIDRs"), text("Age")],
        cells: |row| {
            let cidrs: Vec<&str> = row.list("/spec/cidrs").iter().filter_map(Value::as_str).collect();
            vec![row.name(), json!(cidrs.join(",")), row.age()]
        },
    },
    Entry {
        group: "networking.k8s.io",
        kind: "IPAddress",
        columns: &[text("Name"), text("ParentRef")],
        cells: |row| {
            let parts = ["resource", "group", "namespace", "name"];
            let parts = parts.map(|part| row.text(&format!("/spec/parentRef/{part}")));
            let resource = if parts[1].is_empty() { parts[0].to_owned() } else { format!("{}.{}", parts[0], parts[1]) };
            let path: Vec<&str> =
                [resource.as_str(), parts[2], parts[3]].into_iter().filter(|part| !part.is_empty()).collect();
            vec![row.name(), json!(path.join("/"))]
        },
    },
];

fn service(row: &Row<'_>) -> Vec<Value> {
    let ports: Vec<String> = row
        .list("/spec/ports")
        .iter()
        .map(|port| {
            let (number, node_port) = (int(port, "/port"), int(port, "/nodePort"));
            let protocol = Some(text_at(port, "/protocol")).filter(|protocol| !protocol.is_empty()).unwrap_or("TCP");
            if node_port > 0 { format!("{number}:{node_port}/{protocol}") } else { format!("{number}/{protocol}") }
        })
        .collect();
    let cluster_ip =
        row.list("/spec/clusterIPs").first().and_then(Value::as_str).unwrap_or(row.text("/spec/clusterIP"));
    vec![
        row.name(),
        json!(row.text_or("/spec/type", "ClusterIP")),
        json!(none_if_empty(cluster_ip)),
        json!(external_ip(row)),
        json!(none_if_empty(&ports.join(","))),
        row.age(),
        row.labels("/spec/selector"),
    ]
}

fn external_ip(row: &Row<'_>) -> String {
    let external: Vec<&str> = row.list("/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match row.text_or("/spec/type", "ClusterIP") {
        "ClusterIP" | "NodePort" => none_if_empty(&external.join(",")).to_owned(),
        "LoadBalancer" => {
            let balancer = load_balancer(row);
            let all: Vec<&str> =
                [balancer.as_str()].into_iter().filter(|text| !text.is_empty()).chain(external).collect();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => row.text("/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses that a load balancer or an ingress controller has published.
fn load_balancer(row: &Row<'_>) -> String {
    let mut addresses: Vec<&str> = row
        .list("/status/loadBalancer/ingress")
        .iter()
        .map(|point| Some(text_at(point, "/ip")).filter(|ip| !ip.is_empty()).unwrap_or(text_at(point, "/hostname")))
        .filter(|address| !address.is_empty())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.join(",")
}

fn endpoints(row: &Row<'_>) -> String {
    let mut all = Vec::new();
    for subset in row.list("/subsets") {
        let addresses = list(subset, "/addresses").iter().map(|address| text_at(address, "/ip"));
        let ports = list(subset, "/ports");
        if ports.is_empty() {
            all.extend(addresses.map(str::to_owned));
            continue;
        }
        for port in ports {
            let number = int(port, "/port");
            all.extend(
                addresses
                    .clone()
                    .map(|ip| if ip.contains(':') { format!("[{ip}]:{number}") } else { format!("{ip}:{number}") }),
            );
        }
    }
    if row.list("/subsets").is_empty() { "<none>".to_owned() } else { with_more(&all, 3, ",") }
}

fn endpoint_slice(row: &Row<'_>) -> Vec<Value> {
    let ports: Vec<String> = row
        .list("/ports")
        .iter()
        .map(|port| match (port.get("port").filter(|port| !port.is_null()), text_at(port, "/name")) {
            (Some(number), _) => number.to_string(),
            (None, "") => "*".to_owned(),
            (None, name) => name.to_owned(),
        })
        .collect();
    let addresses: Vec<String> = row
        .list("/endpoints")
        .iter()
        .flat_map(|endpoint| list(endpoint, "/addresses"))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    let shown = |parts: &[String]| if parts.is_empty() { "<unset>".to_owned() } else { with_more(parts, 3, ",") };
    vec![row.name(), json!(row.text("/addressType")), json!(shown(&ports)), json!(shown(&addresses)), row.age()]
}

fn ingress(row: &Row<'_>) -> Vec<Value> {
    let rules = row.list("/spec/rules");
    // The first three hosts are shown; after them every further rule counts, named or not.
    let mut hosts: Vec<&str> = Vec::new();
    let mut is_cut = false;
    for rule in rules {
        is_cut |= hosts.len() == 3;
        hosts.extend(Some(text_at(rule, "/host")).filter(|host| !host.is_empty() && !is_cut));
    }
    let hosts = match (hosts.join(","), is_cut) {
        (none, _) if none.is_empty() => "*".to_owned(),
        (shown, true) => format!("{shown} + {} more...", rules.len() - 3),
        (shown, false) => shown,
    };
    let ports = if row.list("/spec/tls").is_empty() { "80" } else { "80, 443" };
    vec![
        row.name(),
        json!(row.text_or("/spec/ingressClassName", "<none>")),
        json!(hosts),
        json!(load_balancer(row)),
        json!(ports),
        row.age(),
    ]
}

fn ingress_class(row: &Row<'_>) -> Vec<Value> {
    let parameters = row.at("/spec/parameters").map_or_else(
        || "<none>".to_owned(),
        |reference| {
            let (group, kind) = (text_at(reference, "/apiGroup"), text_at(reference, "/kind"));
            let dot = if group.is_empty() { "" } else { "." };
            format!("{kind}{dot}{group}/{}", text_at(reference, "/name"))
        },
    );
    let is_default = row.text("/metadata/annotations/ingressclass.kubernetes.io~1is-default-class") == "true";
    let name = format!("{}{}", row.text("/metadata/name"), if is_default { " (default)" } else { "" });
    vec![json!(name), json!(row.text("/spec/controller")), json!(parameters), row.age()]
}
