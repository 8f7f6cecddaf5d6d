//! Admission built into the server: what fills or refuses an object by looking at other
//! objects, on its way in from whichever side. One list of plug-ins, named as in
//! Kubernetes, each of which can be turned off. Whether a namespace takes new objects is
//! part of the transaction and not here.

mod claim_resize;
mod default_ingress_class;
mod default_storage_class;
mod default_tolerations;
mod newest;
mod pod_topology_labels;
mod pods;
mod priority;
mod service_account;
#[cfg(test)]
mod tests;

use api::{Gvr, KindDescriptor, Status};
use base::Ids;

use crate::tree::{Tree, meta_text};
use crate::view::View;

/// What a plug-in is told beside the object.
pub(crate) struct Attributes<'a> {
    /// The object's kind.
    pub kind: &'a KindDescriptor,
    /// Its namespace, or empty.
    pub namespace: &'a str,
    /// The other objects of its cluster.
    pub view: View<'a>,
    /// Random names.
    pub ids: &'a Ids,
}

impl Attributes<'_> {
    fn is(&self, group: &str, plural: &str) -> bool {
        &*self.kind.gvk.group == group && &*self.kind.plural == plural
    }

    fn gvr(&self) -> Gvr {
        self.kind.gvr()
    }

    /// The refusal of an object. One whose name is yet to be generated is called by its start.
    fn forbidden(&self, object: &Tree, why: &str) -> Status {
        let name = match meta_text(object, "name") {
            "" => meta_text(object, "generateName"),
            name => name,
        };
        Status::forbidden(&self.gvr(), name, why)
    }
}

/// The plug-in that gives pods their account.
pub(crate) const SERVICE_ACCOUNT: &str = "ServiceAccount";

type Create = fn(&Attributes<'_>, &mut Tree) -> Result<(), Status>;
type Update = fn(&Attributes<'_>, &Tree, &mut Tree) -> Result<(), Status>;

struct Plugin {
    name: &'static str,
    create: Option<Create>,
    update: Option<Update>,
}

/// In the order in which they run.
const PLUGINS: &[Plugin] = &[
    Plugin { name: SERVICE_ACCOUNT, create: Some(service_account::create), update: None },
    Plugin { name: "Priority", create: Some(priority::create), update: Some(priority::update) },
    Plugin {
        name: "DefaultTolerationSeconds",
        create: Some(default_tolerations::create),
        update: Some(default_tolerations::update),
    },
    Plugin { name: "PersistentVolumeClaimResize", create: None, update: Some(claim_resize::update) },
    Plugin { name: "DefaultStorageClass", create: Some(default_storage_class::create), update: None },
    Plugin { name: "DefaultIngressClass", create: Some(default_ingress_class::create), update: None },
    Plugin { name: "PodTopologyLabels", create: Some(pod_topology_labels::create), update: None },
];

/// The names of the plug-ins.
pub fn plugins() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().map(|plugin| plugin.name)
}

/// Admits an object that is to be created.
pub(crate) fn create(attributes: &Attributes<'_>, object: &mut Tree, disabled: &[String]) -> Result<(), Status> {
    enabled(disabled).filter_map(|plugin| plugin.create).try_for_each(|create| create(attributes, object))
}

/// Admits an object that replaces `old`.
pub(crate) fn update(
    attributes: &Attributes<'_>,
    old: &Tree,
    object: &mut Tree,
    disabled: &[String],
) -> Result<(), Status> {
    enabled(disabled).filter_map(|plugin| plugin.update).try_for_each(|update| update(attributes, old, object))
}

fn enabled(disabled: &[String]) -> impl Iterator<Item = &'static Plugin> {
    PLUGINS.iter().filter(move |plugin| !disabled.iter().any(|name| name == plugin.name))
}
