//! What must be there before other objects of the same sync: their namespace and the
//! definition of their kind, wherever these say they belong. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::resource::{Key, definition_of};
use crate::task::{Step, Task, kind_rank};

/// The first steps that need a namespace or a kind.
pub struct Dependencies {
    namespaces: BTreeMap<Arc<str>, Step>,
    kinds: BTreeMap<(Arc<str>, Arc<str>), Step>,
    defined: BTreeSet<(String, String)>,
}

impl Dependencies {
    /// The needs of objects that are to be applied.
    pub fn of(applied: &[(Step, Task)]) -> Self {
        let mut found = Dependencies { namespaces: BTreeMap::new(), kinds: BTreeMap::new(), defined: BTreeSet::new() };
        for (step, task) in applied {
            let first = |held: &mut Step| *held = (*held).min(*step);
            found.namespaces.entry(task.key.namespace.clone()).and_modify(first).or_insert(*step);
            let kind = (task.key.group.clone(), task.key.kind.clone());
            found.kinds.entry(kind).and_modify(first).or_insert(*step);
            found.defined.extend(defines(task));
        }
        found
    }

    /// A task's step, or the first one that needs what it makes.
    pub fn step(&self, step: Step, task: &Task) -> Step {
        let needed = if is_namespace(&task.key) {
            self.namespaces.get(&task.key.name).copied()
        } else {
            defines(task).and_then(|(group, kind)| self.kinds.get(&(group.into(), kind.into())).copied())
        };
        needed.map_or(step, |needed| needed.min(step))
    }

    /// A task's place in its wave; a custom resource never comes before its definition.
    pub fn rank(&self, task: &Task) -> usize {
        let rank = kind_rank(&task.key.kind);
        let is_custom = self.defined.contains(&(task.key.group.to_string(), task.key.kind.to_string()));
        if is_custom { rank.max(kind_rank("CustomResourceDefinition") + 1) } else { rank }
    }
}

fn is_namespace(key: &Key) -> bool {
    key.group.is_empty() && &*key.kind == "Namespace"
}

/// Group and kind that a CustomResourceDefinition defines.
fn defines(task: &Task) -> Option<(String, String)> {
    let is_definition = &*task.key.group == "apiextensions.k8s.io" && &*task.key.kind == "CustomResourceDefinition";
    let desired = task.desired.as_ref().filter(|_| is_definition)?;
    Some(definition_of(desired))
}
