//! Sync options: those of the Application and those that an object states of
//! itself; an object's word counts more. Plain data.

use client::Propagation;
use serde_json::Value;

use crate::resource;

/// The options of one list of `key=value` entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions(Vec<(String, String)>);

impl SyncOptions {
    /// The options of an Application and, over them, of an operation.
    pub fn of(entries: &[&[String]]) -> Self {
        SyncOptions(entries.iter().flat_map(|list| list.iter()).filter_map(|entry| read(entry)).collect())
    }

    /// The options that an object states of itself.
    pub fn of_object(value: &Value) -> Self {
        let stated = resource::annotation(value, "argocd.argoproj.io/sync-options").unwrap_or_default();
        SyncOptions(stated.split(',').filter_map(read).collect())
    }

    /// The last value stated for `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether `name=value` was the last word on `name`.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }

    /// `name` for one object: its own word, or else this one.
    pub fn for_object(&self, object: &SyncOptions, name: &str, value: &str) -> bool {
        object.get(name).or_else(|| self.get(name)) == Some(value)
    }

    /// What becomes of the dependents of what is pruned; foreground unless stated.
    pub fn propagation(&self) -> Propagation {
        match self.get("PrunePropagationPolicy") {
            Some("background") => Propagation::Background,
            Some("orphan") => Propagation::Orphan,
            _ => Propagation::Foreground,
        }
    }
}

fn read(entry: &str) -> Option<(String, String)> {
    let (name, value) = entry.trim().split_once('=')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}
