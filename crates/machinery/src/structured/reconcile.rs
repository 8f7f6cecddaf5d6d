//! Sets of fields that were written under another schema. Where something that
//! merged is one thing now, whoever owned a part of it owns the whole; the other
//! way nothing is to be done.

use api::schema::ListType;

use super::node::{Form, ListForm, MapForm, Node};
use crate::fields::{Element, Entry, Set};

/// The set as it reads under the schema of now, or `None` if it reads the same.
pub fn reconcile(node: Node<'_>, set: &Set) -> Option<Set> {
    let mut changes = Changes::default();
    changes.visit(node, Some(set), false, &mut Vec::new());
    if changes.wholes.is_empty() {
        return None;
    }
    Some(set.recursive_difference(&changes.wholes).union(&changes.wholes))
}

/// Places that are one thing now and were not when the set was written.
#[derive(Default)]
struct Changes {
    wholes: Set,
}

impl Changes {
    fn visit(&mut self, node: Node<'_>, set: Option<&Set>, is_whole: bool, path: &mut Vec<Element>) {
        if node.is_undeclared() {
            return;
        }
        match node.form(None) {
            Form::Map(form) if form.is_deduced => {}
            Form::Map(form) => self.visit_map(form, set, is_whole, path),
            Form::List(form) => self.visit_list(form, set, is_whole, path),
            Form::Scalar(_) | Form::Nothing => {}
        }
    }

    fn visit_map(&mut self, form: MapForm<'_>, set: Option<&Set>, is_whole: bool, path: &mut Vec<Element>) {
        let Some(set) = set else { return };
        if form.is_atomic && !is_whole {
            self.wholes.insert(path);
            return;
        }
        for entry in set.entries() {
            let Element::Field(name) = &entry.element else { continue };
            let (child, _) = form.field(name);
            self.descend(child, entry, path);
        }
    }

    fn visit_list(&mut self, form: ListForm<'_>, set: Option<&Set>, is_whole: bool, path: &mut Vec<Element>) {
        if form.relation == ListType::Atomic && !is_whole {
            self.wholes.insert(path);
            return;
        }
        for entry in set.into_iter().flat_map(Set::entries) {
            self.descend(form.item, entry, path);
        }
    }

    fn descend(&mut self, child: Node<'_>, entry: &Entry, path: &mut Vec<Element>) {
        let has_children = !entry.children.is_empty();
        path.push(entry.element.clone());
        let is_whole = entry.is_member && !has_children;
        self.visit(child, has_children.then_some(&entry.children), is_whole, path);
        path.pop();
    }
}
