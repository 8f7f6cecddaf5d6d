//! Defaults must be what they are to stand for: valid, without unknown fields,
//! and within metadata such that the metadata is valid.

use api::Cause;
use serde_json::{Map, Value, json};

use super::super::node::{NONE, NodeId, Tables, flag};
use super::super::path::Path;
use super::super::{cause, embedded, prune, validate};

/// A step from the object that embeds a place to the place.
#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item,
}

/// Checks every default of a schema.
pub(super) fn check(tables: &Tables, root: NodeId, at: &str) -> Vec<Cause> {
    let flags = tables.node(root).flags;
    if flags & (flag::DEFAULT | flag::DEFAULT_BELOW) == 0 {
        return Vec::new();
    }
    let mut checker = Checker { tables, steps: Vec::new(), causes: Vec::new() };
    checker.place(root, true, false, &Path::root(at));
    checker.causes
}

struct Checker<'s> {
    tables: &'s Tables,
    steps: Vec<Step<'s>>,
    causes: Vec<Cause>,
}

impl Checker<'_> {
    fn place(&mut self, id: NodeId, is_root: bool, in_meta: bool, path: &Path<'_>) {
        let tables = self.tables;
        let node = tables.node(id);
        if node.flags & (flag::DEFAULT | flag::DEFAULT_BELOW) == 0 {
            return;
        }
        let is_object = is_root || node.flags & flag::EMBEDDED != 0;
        let in_meta = in_meta && !is_object;
        let outer = if is_object { std::mem::take(&mut self.steps) } else { Vec::new() };
        if let Some(default) = tables.default_of(node) {
            self.default(id, default, is_root, in_meta, &path.child("default"));
        }
        if node.items != NONE {
            self.steps.push(Step::Item);
            self.place(node.items, false, in_meta, &path.child("items"));
            self.steps.pop();
        }
        for property in tables.properties(node) {
            let name = tables.name(property.name);
            let in_meta = in_meta || (is_object && prune::is_meta(name));
            self.steps.push(Step::Field(name));
            self.place(property.node, false, in_meta, &path.child("properties").key(name));
            self.steps.pop();
        }
        if is_object {
            self.steps = outer;
        }
    }

    fn default(&mut self, id: NodeId, default: &Value, is_root: bool, in_meta: bool, path: &Path<'_>) {
        if in_meta {
            if let Some(problem) = self.problem_in_metadata(default) {
                let why = format!("must result in valid metadata: {problem}");
                self.causes.push(cause::invalid(path, default, &why));
                return;
            }
        } else {
            let mut pruned = default.clone();
            prune::prune_value(self.tables, id, &mut pruned);
            if pruned != *default {
                self.causes.push(cause::invalid(path, default, "must not have unknown fields"));
            }
            let mut found = Vec::new();
            if let Some(object) = default.as_object().filter(|_| is_root) {
                embedded::check_object(object, path, &mut found);
            }
            embedded::check_value(self.tables, id, default, path, &mut found);
            if !found.is_empty() {
                self.causes.append(&mut found);
                return;
            }
        }
        self.causes.extend(validate::value(self.tables, id, default, None, &path.to_string()));
    }

    /// What is wrong with the object around a place in its metadata if the default stands there.
    fn problem_in_metadata(&self, default: &Value) -> Option<String> {
        let mut value = default.clone();
        for step in self.steps.iter().rev() {
            value = match step {
                Step::Field(name) => json!({ *name: value }),
                Step::Item => json!([value]),
            };
        }
        let mut object: Map<String, Value> = value.as_object().cloned().unwrap_or_default();
        object.entry("kind").or_insert(json!("Validation"));
        object.entry("apiVersion").or_insert(json!("validation/v1"));
        if let Some(problem) = object.get("metadata").and_then(embedded::meta_problem) {
            return Some(problem);
        }
        let mut causes = Vec::new();
        embedded::check_object(&object, &Path::root(""), &mut causes);
        let texts: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        match texts.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("[{}]", many.join(", "))),
        }
    }
}
