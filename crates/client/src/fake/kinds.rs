//! The kinds that the fake serves: the built-in ones that capabilities touch,
//! and those of CustomResourceDefinitions put into it. It never checks schemas.

use api::kind::{Subresources, Verbs};
use api::{ClusterName, Gvk, Gvr, KindDescriptor};
use serde_json::Value;

/// Group, version, kind, plural, namespaced, has status.
const BUILT_IN: &[(&str, &str, &str, &str, bool, bool)] = &[
    ("", "v1", "Namespace", "namespaces", false, true),
    ("", "v1", "Node", "nodes", false, true),
    ("", "v1", "PersistentVolume", "persistentvolumes", false, true),
    ("", "v1", "ConfigMap", "configmaps", true, false),
    ("", "v1", "Endpoints", "endpoints", true, false),
    ("", "v1", "Event", "events", true, false),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true, true),
    ("", "v1", "Pod", "pods", true, true),
    ("", "v1", "Secret", "secrets", true, false),
    ("", "v1", "Service", "services", true, true),
    ("", "v1", "ServiceAccount", "serviceaccounts", true, false),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", true, false),
    ("apps", "v1", "DaemonSet", "daemonsets", true, true),
    ("apps", "v1", "Deployment", "deployments", true, true),
    ("apps", "v1", "ReplicaSet", "replicasets", true, true),
    ("apps", "v1", "StatefulSet", "statefulsets", true, true),
    ("batch", "v1", "CronJob", "cronjobs", true, true),
    ("batch", "v1", "Job", "jobs", true, true),
    ("coordination.k8s.io", "v1", "Lease", "leases", true, false),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", true, false),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", true, true),
    ("networking.k8s.io", "v1", "IngressClass", "ingressclasses", false, false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", false, false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", false, false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", true, false),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", true, false),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", false, false),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false, true),
];

/// Served kinds; `None` stands for every cluster.
pub(super) struct Kinds(Vec<(Option<ClusterName>, KindDescriptor)>);

impl Default for Kinds {
    fn default() -> Self {
        let describe = |&(group, version, kind, plural, namespaced, status)| {
            (None, descriptor(&Gvk::new(group, version, kind), plural, namespaced, status))
        };
        Kinds(BUILT_IN.iter().map(describe).collect())
    }
}

impl Kinds {
    pub(super) fn serve(&mut self, cluster: Option<ClusterName>, kind: KindDescriptor) {
        self.0.push((cluster, kind));
    }

    /// Kinds of one cluster; `None` asks for those of any.
    pub(super) fn all(&self, cluster: Option<&ClusterName>) -> impl Iterator<Item = &KindDescriptor> + use<'_> {
        let cluster = cluster.cloned();
        let serves = move |held: &Option<ClusterName>| held.is_none() || cluster.is_none() || *held == cluster;
        self.0.iter().filter(move |(held, _)| serves(held)).map(|(_, kind)| kind)
    }

    pub(super) fn by_gvk(&self, cluster: &ClusterName, gvk: &Gvk) -> Option<&KindDescriptor> {
        self.all(Some(cluster)).find(|kind| kind.gvk == *gvk)
    }

    pub(super) fn by_gvr(&self, cluster: Option<&ClusterName>, gvr: &Gvr) -> Option<&KindDescriptor> {
        self.all(cluster).find(|kind| kind.gvr() == *gvr)
    }

    /// Serves every version of a CustomResourceDefinition.
    pub(super) fn define(&mut self, cluster: &ClusterName, definition: &Value) {
        let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let namespaced = text("/spec/scope") == "Namespaced";
        let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
        for version in versions.into_iter().flatten() {
            let name = version["name"].as_str().unwrap_or_default();
            let gvk = Gvk::new(text("/spec/group"), name, text("/spec/names/kind"));
            let status = version.pointer("/subresources/status").is_some();
            self.serve(Some(cluster.clone()), descriptor(&gvk, text("/spec/names/plural"), namespaced, status));
        }
    }

    /// Stops serving what a CustomResourceDefinition named `plural.group` defined.
    pub(super) fn undefine(&mut self, cluster: &ClusterName, name: &str) {
        self.0.retain(|(held, kind)| held.as_ref() != Some(cluster) || kind.gvr().qualified() != name);
    }
}

/// A plain descriptor of a kind, for tests.
pub fn descriptor(gvk: &Gvk, plural: &str, namespaced: bool, status: bool) -> KindDescriptor {
    KindDescriptor {
        gvk: gvk.clone(),
        plural: plural.into(),
        singular: gvk.kind.to_lowercase().into(),
        list_kind: format!("{}List", gvk.kind).into(),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced,
        subresources: Subresources { status, scale: None },
        has_generation: true,
        verbs: Verbs::All,
        selectable_fields: Vec::new(),
        columns: Vec::new(),
        storage_group: gvk.group.clone(),
        storage_version: gvk.version.clone(),
        type_name: "".into(),
    }
}
