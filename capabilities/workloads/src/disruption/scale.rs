//! How many pods the controllers of some pods want: of replica sets by their
//! live copy, of everything else that has a scale by asking for it. It decides
//! nothing about budgets.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, Gvk, OwnerReference};
use client::{Item, Object, ObjectKey, Objects};
use controller::{Error, place};

use crate::views::Pod;
use crate::world::World;

/// Answers how many pods are wanted.
pub(super) struct Scales {
    world: World,
    objects: Arc<dyn Objects>,
}

/// What the controllers of some pods want together.
#[derive(Debug, Default)]
pub(super) struct Scale {
    pub(super) replicas: i64,
    /// Pods without a controller.
    pub(super) unmanaged: usize,
}

/// Who is asked: the controller of a pod, or the controller of that.
struct Asked<'a> {
    pod: &'a Object,
    owner: OwnerReference,
}

impl Scales {
    pub(super) fn new(world: &World) -> Scales {
        Scales { objects: world.ctx().objects.clone(), world: world.clone() }
    }

    /// Asks every controller once, however many pods it has.
    pub(super) async fn of_pods(&self, pods: &[Arc<Item<Pod>>]) -> Result<Scale, Error> {
        let mut scale = Scale::default();
        // By the uid of the controller: how it is asked.
        let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
        let mut local: BTreeMap<String, i64> = BTreeMap::new();
        for pod in pods {
            let meta = &pod.object.meta;
            let Some(owner) = meta.controller() else {
                scale.unmanaged += 1;
                continue;
            };
            if local.contains_key(&owner.uid) {
                continue;
            }
            let owner = match self.replica_set(&pod.object.cluster, &meta.namespace, owner) {
                Some(Wanted::Replicas(replicas)) => {
                    local.insert(owner.uid.clone(), replicas);
                    continue;
                }
                Some(Wanted::By(above)) => above,
                None => owner.clone(),
            };
            asked.entry(owner.uid.clone()).or_insert(Asked { pod: &pod.object, owner });
        }
        scale.replicas = local.values().sum();
        for asked in asked.values() {
            scale.replicas += self.ask(asked).await?;
        }
        Ok(scale)
    }

    /// What a replica set wants, if that is what the owner is.
    fn replica_set(&self, cluster: &ClusterName, namespace: &str, owner: &OwnerReference) -> Option<Wanted> {
        if owner.kind != "ReplicaSet" || !owner.api_version.starts_with("apps/") {
            return None;
        }
        let set = self.world.replica_sets.get(&ObjectKey::new(cluster, namespace, &owner.name))?;
        if set.object.meta.uid != owner.uid {
            return None;
        }
        let above = set.object.meta.controller().filter(|above| above.kind == "Deployment");
        Some(above.map_or(Wanted::Replicas(set.view.replicas), |above| Wanted::By(above.clone())))
    }

    /// The scale of a deployment by its live copy, that of any other kind from the object itself.
    async fn ask(&self, asked: &Asked<'_>) -> Result<i64, Error> {
        let Asked { pod, owner } = asked;
        let (cluster, key) = (&pod.cluster, ObjectKey::new(&pod.cluster, &pod.meta.namespace, &owner.name));
        if owner.kind == "Deployment"
            && let Some(deployment) = self.world.deployments.get(&key)
            && deployment.object.meta.uid == owner.uid
        {
            return Ok(deployment.view.replicas);
        }
        let gvk = Gvk::from_api_version(&owner.api_version, &owner.kind);
        let missing = || Error::msg(format_args!("found no controllers for pod {:?}", pod.meta.name));
        let kind = self.objects.kind(cluster, &gvk).await?.ok_or_else(missing)?;
        let Some(paths) = &kind.subresources.scale else {
            let resource = kind.gvr().qualified();
            return Err(Error::msg(format_args!("{resource} does not implement the scale subresource")));
        };
        let object = match self.objects.get(&place::at(&kind.gvr(), &key), &owner.name).await {
            Err(status) if status.is_not_found() => return Err(missing()),
            answer => answer?,
        };
        if object.meta.uid != owner.uid {
            return Err(missing());
        }
        let pointer = paths.spec_replicas.replace('.', "/");
        Ok(object.value()?.pointer(&pointer).and_then(serde_json::Value::as_i64).unwrap_or(0))
    }
}

/// How many pods a replica set is for.
enum Wanted {
    /// So many.
    Replicas(i64),
    /// What its deployment says, in all its replica sets together.
    By(OwnerReference),
}
