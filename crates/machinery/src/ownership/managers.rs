//! The owners of an object's fields, read from and written to
//! `metadata.managedFields`.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::fields::Set;

/// What a manager does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// It states what it wants, and owns all of it.
    Apply,
    /// It changes an object, and owns what it changed.
    Update,
}

impl Operation {
    fn text(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

/// Operation, name, subresource, and the version of one that updates.
type Owner = (Operation, String, String, String);

/// One owner of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// Its name.
    pub name: String,
    /// Whether it applies or updates.
    pub operation: Operation,
    /// The version its fields are of.
    pub api_version: String,
    /// The subresource it writes; empty for the object itself.
    pub subresource: String,
    /// When it last came to own a field, RFC 3339.
    pub time: Option<String>,
    /// What it owns.
    pub fields: Set,
}

impl Manager {
    /// Whether two entries are of the same owner. An applier is one whatever version it applies.
    pub fn is_same_owner(&self, other: &Manager) -> bool {
        self.operation == other.operation
            && self.name == other.name
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// What tells an owner from others, as [`Manager::is_same_owner`] does.
    fn owner(&self) -> Owner {
        let version = if self.operation == Operation::Apply { String::new() } else { self.api_version.clone() };
        (self.operation, self.name.clone(), self.subresource.clone(), version)
    }

    fn read(entry: &Value, position: usize) -> Result<Manager, InvalidManagedFields> {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let wrong = |why: String| InvalidManagedFields(why);
        let operation = match &*text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(wrong("operation must be `Apply` or `Update`".into())),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() {
            return Err(wrong("apiVersion must not be empty".into()));
        }
        match &*text("fieldsType") {
            "FieldsV1" => {}
            "" => return Err(wrong(format!("missing fieldsType in managed fields entry {position}"))),
            other => return Err(wrong(format!("invalid fieldsType {other:?} in managed fields entry {position}"))),
        }
        let fields = match entry.get("fieldsV1") {
            None | Some(Value::Null) => Set::new(),
            Some(fields) => Set::from_wire(fields).map_err(|error| wrong(format!("error decoding set: {error}")))?,
        };
        let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
        let (name, subresource) = (text("manager"), text("subresource"));
        Ok(Manager { name, operation, api_version, subresource, time, fields })
    }

    fn write(&self) -> Value {
        let mut entry = Map::new();
        let mut put = |field: &str, text: &str| {
            if !text.is_empty() {
                entry.insert(field.to_owned(), json!(text));
            }
        };
        put("manager", &self.name);
        put("operation", self.operation.text());
        put("apiVersion", &self.api_version);
        put("time", self.time.as_deref().unwrap_or_default());
        put("fieldsType", "FieldsV1");
        put("subresource", &self.subresource);
        entry.insert("fieldsV1".into(), self.fields.to_wire());
        Value::Object(entry)
    }
}

/// Why `managedFields` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidManagedFields(String);

/// All owners of an object's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managers {
    held: Vec<Manager>,
}

impl Managers {
    /// Reads `managedFields`; absent ones are none.
    pub fn read(entries: Option<&Value>) -> Result<Managers, InvalidManagedFields> {
        let mut held: Vec<Option<Manager>> = Vec::new();
        let mut places = HashMap::new();
        for (position, entry) in entries.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let manager = Manager::read(entry, position)?;
            // Of two entries of one owner the later counts.
            if let Some(earlier) = places.insert(manager.owner(), held.len()) {
                held[earlier] = None;
            }
            held.push(Some(manager));
        }
        Ok(Managers { held: held.into_iter().flatten().collect() })
    }

    /// The owners as `managedFields`, in the order that Kubernetes writes them; `None` if there
    /// are none.
    pub fn write(&self) -> Option<Value> {
        if self.held.is_empty() {
            return None;
        }
        let mut sorted: Vec<&Manager> = self.held.iter().collect();
        sorted.sort_by(|a, b| {
            let key = |manager: &Manager| {
                (manager.operation, manager.time.clone(), manager.name.clone(), manager.api_version.clone())
            };
            key(a).cmp(&key(b)).then_with(|| a.subresource.cmp(&b.subresource))
        });
        Some(sorted.into_iter().map(Manager::write).collect())
    }

    /// Whether nobody owns anything.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Every owner.
    pub fn iter(&self) -> impl Iterator<Item = &Manager> {
        self.held.iter()
    }

    /// How many owners update.
    pub(super) fn updaters(&self) -> usize {
        self.held.iter().filter(|manager| manager.operation == Operation::Update).count()
    }

    /// Puts an entry in the place of its owner's old one; one that owns nothing is dropped.
    pub(super) fn put(&mut self, manager: Manager) {
        self.take(&manager);
        if !manager.fields.is_empty() {
            self.held.push(manager);
        }
    }

    /// Puts entries in the places of those of `gone`.
    pub(super) fn fold(&mut self, gone: &[&Manager], entries: Vec<Manager>) {
        let gone: HashSet<Owner> = gone.iter().map(|manager| manager.owner()).collect();
        self.held.retain(|manager| !gone.contains(&manager.owner()));
        entries.into_iter().for_each(|manager| self.put(manager));
    }

    /// Takes the entry of an owner out.
    pub(super) fn take(&mut self, like: &Manager) -> Option<Manager> {
        let position = self.held.iter().position(|held| held.is_same_owner(like))?;
        Some(self.held.remove(position))
    }

    /// The owners with what `change` leaves of each.
    pub(super) fn filter_map(self, change: impl FnMut(Manager) -> Option<Manager>) -> Managers {
        let held = self.held.into_iter().filter_map(change).filter(|manager| !manager.fields.is_empty());
        Managers { held: held.collect() }
    }

    /// The owners without those that `goes` names; what they owned is `heir`'s, beside what it
    /// owns already.
    pub fn moved(mut self, goes: &dyn Fn(&Manager) -> bool, mut heir: Manager) -> Managers {
        self.held.retain(|manager| !goes(manager));
        if let Some(held) = self.take(&heir) {
            heir.fields = heir.fields.union(&held.fields);
        }
        self.put(heir);
        self
    }

    /// Whether both say the same, whatever the times.
    pub fn same_but_for_times(&self, other: &Managers) -> bool {
        self.held.len() == other.held.len() && {
            let theirs: HashMap<Owner, &Manager> = other.held.iter().map(|held| (held.owner(), held)).collect();
            self.held.iter().all(|manager| {
                theirs
                    .get(&manager.owner())
                    .is_some_and(|theirs| theirs.fields == manager.fields && theirs.api_version == manager.api_version)
            })
        }
    }
}
