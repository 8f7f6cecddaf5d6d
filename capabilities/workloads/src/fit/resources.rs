//! What pods ask for of a node's resources, summed up as Kubernetes does it.

use std::collections::BTreeMap;

use machinery::quantity::Quantity;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Needs;
use super::ports::Port;

/// What scoring takes a container for that asks for no processor: a tenth of one.
const USUAL_CPU_MILLIS: i64 = 100;
/// And for one that asks for no memory.
const USUAL_MEMORY_BYTES: i64 = 200 * 1024 * 1024;

/// A container, as far as it bears on where its pod may be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Container {
    pub(crate) resources: Resources,
    pub(crate) ports: Box<[Port]>,
    restart_policy: Box<str>,
}

impl Container {
    /// Whether this, an init container, stays beside the containers after it.
    pub(crate) fn is_sidecar(&self) -> bool {
        &*self.restart_policy == "Always"
    }
}

/// The resources of a container or pod. The API server fills in requests from limits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Resources {
    pub(crate) requests: Amounts,
}

/// Amounts of resources: of the processor in thousandths, of all others in whole units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) cpu_millis: i64,
    pub(crate) memory: i64,
    pub(crate) ephemeral_storage: i64,
    /// Of pods, which a node allows and no pod asks for.
    pub(crate) pods: i64,
    /// Extended resources, huge pages and the like.
    pub(crate) others: BTreeMap<Box<str>, i64>,
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let stated = Option::<BTreeMap<Box<str>, Value>>::deserialize(source)?.unwrap_or_default();
        let mut amounts = Amounts::default();
        for (name, text) in stated {
            let quantity = Quantity::from_json(&text).unwrap_or_else(|| Quantity::from_integer(0));
            let amount = if &*name == "cpu" { quantity.milli_value() } else { quantity.value() };
            amounts.set(&name, amount);
        }
        Ok(amounts)
    }
}

impl Amounts {
    /// What a pod asks for: its containers and sidecars together or, if that is more, the largest
    /// of its init containers beside the sidecars before it; what is stated for the whole pod
    /// instead of that; and its overhead.
    pub(crate) fn requested(needs: &Needs) -> Amounts {
        Self::sum(needs, &Amounts::default())
    }

    /// The same for scoring, where a container that asks for no processor or memory counts as a
    /// small one, so that such pods are spread too.
    pub(crate) fn scored(needs: &Needs) -> Amounts {
        let stated = Self::requested(needs);
        let pod_level = &needs.resources.requests;
        let is_stated_for_pod = *pod_level != Amounts::default();
        let usual = Amounts {
            cpu_millis: if is_stated_for_pod && stated.cpu_millis > 0 { 0 } else { USUAL_CPU_MILLIS },
            memory: if is_stated_for_pod && stated.memory > 0 { 0 } else { USUAL_MEMORY_BYTES },
            ..Amounts::default()
        };
        Self::sum(needs, &usual)
    }

    fn sum(needs: &Needs, usual: &Amounts) -> Amounts {
        let mut all = Amounts::default();
        for container in &needs.containers {
            all.add(&container.resources.requests.or(usual));
        }
        let (mut sidecars, mut starting) = (Amounts::default(), Amounts::default());
        for container in &needs.init_containers {
            let mut asked = container.resources.requests.or(usual);
            if container.is_sidecar() {
                all.add(&asked);
                sidecars.add(&asked);
                asked = sidecars.clone();
            } else {
                asked.add(&sidecars);
            }
            starting.raise_to(&asked);
        }
        all.raise_to(&starting);
        all.replace_by(&needs.resources.requests);
        all.add(&needs.overhead);
        all
    }

    /// With the usual amounts in place of those that are not stated.
    fn or(&self, usual: &Amounts) -> Amounts {
        let either = |stated: i64, usual: i64| if stated == 0 { usual } else { stated };
        Amounts {
            cpu_millis: either(self.cpu_millis, usual.cpu_millis),
            memory: either(self.memory, usual.memory),
            ..self.clone()
        }
    }

    /// The amount of a resource by its name.
    pub(crate) fn get(&self, name: &str) -> i64 {
        match name {
            "cpu" => self.cpu_millis,
            "memory" => self.memory,
            "ephemeral-storage" => self.ephemeral_storage,
            "pods" => self.pods,
            _ => self.others.get(name).copied().unwrap_or(0),
        }
    }

    fn set(&mut self, name: &str, amount: i64) {
        match name {
            "cpu" => self.cpu_millis = amount,
            "memory" => self.memory = amount,
            "ephemeral-storage" => self.ephemeral_storage = amount,
            "pods" => self.pods = amount,
            _ => {
                self.others.insert(name.into(), amount);
            }
        }
    }

    /// Adds, as far as numbers go.
    pub(crate) fn add(&mut self, more: &Amounts) {
        self.combine(more, i64::saturating_add);
    }

    /// Takes off again what was added.
    pub(crate) fn subtract(&mut self, less: &Amounts) {
        self.combine(less, i64::saturating_sub);
        self.others.retain(|_, amount| *amount != 0);
    }

    fn raise_to(&mut self, other: &Amounts) {
        self.combine(other, i64::max);
    }

    /// Takes over what is stated for a pod as a whole; only these resources can be.
    fn replace_by(&mut self, pod: &Amounts) {
        let either = |stated: i64, held: i64| if stated == 0 { held } else { stated };
        self.cpu_millis = either(pod.cpu_millis, self.cpu_millis);
        self.memory = either(pod.memory, self.memory);
        for (name, amount) in pod.others.iter().filter(|(name, _)| name.starts_with("hugepages-")) {
            self.others.insert(name.clone(), *amount);
        }
    }

    fn combine(&mut self, other: &Amounts, with: impl Fn(i64, i64) -> i64) {
        self.cpu_millis = with(self.cpu_millis, other.cpu_millis);
        self.memory = with(self.memory, other.memory);
        self.ephemeral_storage = with(self.ephemeral_storage, other.ephemeral_storage);
        self.pods = with(self.pods, other.pods);
        for (name, amount) in &other.others {
            let held = self.others.entry(name.clone()).or_default();
            *held = with(*held, *amount);
        }
    }
}

/// A resource of which a node has not enough left for a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) resource: Box<str>,
    /// Whether the node would not have enough if it were empty, so that no pod's end can help.
    pub(crate) is_lasting: bool,
}

impl Shortage {
    /// As kube-scheduler words it.
    pub(crate) fn reason(&self) -> String {
        match &*self.resource {
            "pods" => "Too many pods".to_owned(),
            other => format!("Insufficient {other}"),
        }
    }
}

/// What a pod that asks for `asked` lacks on a node that allows `allocatable` and whose pods,
/// `pods` of them, ask for `used`. What is not asked for is not lacking, however overfull the node.
pub(crate) fn shortages(asked: &Amounts, allocatable: &Amounts, used: &Amounts, pods: usize) -> Vec<Shortage> {
    let mut found = Vec::new();
    let pods = i64::try_from(pods).unwrap_or(i64::MAX);
    if pods >= allocatable.pods {
        found.push(Shortage { resource: "pods".into(), is_lasting: allocatable.pods < 1 });
    }
    let named = ["cpu", "memory", "ephemeral-storage"].into_iter();
    for name in named.chain(asked.others.keys().map(|name| &**name)) {
        let (asked, has) = (asked.get(name), allocatable.get(name));
        if asked > 0 && asked > has.saturating_sub(used.get(name)) {
            found.push(Shortage { resource: name.into(), is_lasting: asked > has });
        }
    }
    found
}
