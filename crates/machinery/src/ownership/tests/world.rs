//! One object and those who write it, step by step.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::fields::Set;
use crate::ownership::{Applied, ApplyError, Managers, Versions, Writer, apply, update};
use crate::structural::Schema;
use crate::structured::Node;

static V1: LazyLock<Schema> = LazyLock::new(|| schema(false));
static V2: LazyLock<Schema> = LazyLock::new(|| schema(true));

/// In the second version a list of strings is called `names`, and `struct` is one thing.
fn schema(is_second: bool) -> Schema {
    let text = json!({"type": "string"});
    let list = if is_second { "names" } else { "set" };
    let mut structure = json!({"type": "object", "properties": {"p": text, "q": text}});
    if is_second {
        structure["x-kubernetes-map-type"] = json!("atomic");
    }
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "text": text,
                    "other": text,
                    "number": {"type": "integer"},
                    list: {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
                    "map": {"type": "object", "additionalProperties": text},
                    "struct": structure,
                    "keyed": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "required": ["name"], "properties": {"name": text, "value": text, "more": text}},
                    },
                },
            },
            "status": {"type": "object", "properties": {"state": text}},
        },
    });
    Schema::compile(&schema, "schema").expect("the schema is structural")
}

struct Two;

impl Versions for Two {
    fn node(&self, api_version: &str) -> Option<Node<'_>> {
        match api_version {
            "v1" => Some(Node::of_schema(&V1)),
            "v2" => Some(Node::of_schema(&V2)),
            _ => None,
        }
    }

    fn convert(&self, object: &Value, from: &str, to: &str) -> Option<Value> {
        let (held, wanted) = match (from, to) {
            ("v1", "v2") => ("set", "names"),
            ("v2", "v1") => ("names", "set"),
            _ => return None,
        };
        let mut object = object.clone();
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
            && let Some(list) = spec.remove(held)
        {
            spec.insert(wanted.to_owned(), list);
        }
        Some(object)
    }
}

/// An object and its owners. Time goes on by a second with every step.
#[derive(Default)]
pub struct World {
    pub object: Option<Value>,
    pub managers: Managers,
    pub version: &'static str,
    pub subresource: &'static str,
    pub ignored: Set,
    seconds: u32,
}

impl World {
    pub fn new() -> World {
        World { version: "v1", ..World::default() }
    }

    fn empty(&self) -> Value {
        json!({"kind": "Thing"})
    }

    fn tick(&mut self) -> String {
        self.seconds += 1;
        format!("2026-01-01T00:00:{:02}Z", self.seconds)
    }

    /// Applies a spec; by force if the name begins with `!`. Returns the conflicts, or what was refused.
    pub fn apply(&mut self, manager: &str, spec: Value) -> Result<(), String> {
        self.apply_whole(manager, json!({"kind": "Thing", "spec": spec}))
    }

    /// Applies nothing at all.
    pub fn leave(&mut self, manager: &str) {
        self.apply_whole(manager, json!({"kind": "Thing"})).expect("nothing is stated");
    }

    pub fn apply_whole(&mut self, manager: &str, config: Value) -> Result<(), String> {
        let now = self.tick();
        let (empty, live) = (self.empty(), self.object.clone().unwrap_or_else(|| self.empty()));
        let force = manager.starts_with('!');
        let writer = Writer {
            manager: manager.trim_start_matches('!'),
            subresource: self.subresource,
            api_version: self.version,
            now: &now,
            ignored: &self.ignored,
            versions: &Two,
        };
        match apply(&writer, &empty, &live, &config, self.managers.clone(), force) {
            Ok(Applied { object, managers }) => {
                self.object = Some(object.unwrap_or(live));
                self.managers = managers;
                Ok(())
            }
            Err(ApplyError::Conflicts(conflicts)) => Err(conflicts.to_string()),
            Err(ApplyError::Patch(error) | ApplyError::Live(error)) => Err(error.to_string()),
        }
    }

    /// Writes a whole spec.
    pub fn update(&mut self, manager: &str, spec: Value) {
        let now = self.tick();
        let live = self.object.clone().unwrap_or_else(|| self.empty());
        let mut new = live.clone();
        new["spec"] = spec;
        let writer = Writer {
            manager,
            subresource: self.subresource,
            api_version: self.version,
            now: &now,
            ignored: &self.ignored,
            versions: &Two,
        };
        self.managers = update(&writer, &live, &new, self.managers.clone()).expect("both fit the schema");
        self.object = Some(new);
    }

    pub fn spec(&self) -> Value {
        self.object.as_ref().and_then(|object| object.get("spec")).cloned().unwrap_or_default()
    }

    /// What everybody owns of the spec, by name; updaters with a `~`.
    pub fn owners(&self) -> Value {
        let mut owners = json!({});
        for manager in self.managers.iter() {
            let mark = if manager.operation == crate::ownership::Operation::Update { "~" } else { "" };
            let wire = manager.fields.to_wire();
            owners[format!("{mark}{}", manager.name)] = wire.get("f:spec").cloned().unwrap_or(wire);
        }
        owners
    }

    pub fn time_of(&self, name: &str) -> Option<String> {
        self.managers.iter().find(|manager| manager.name == name).and_then(|manager| manager.time.clone())
    }
}
