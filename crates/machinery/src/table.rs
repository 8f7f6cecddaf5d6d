//! `meta.k8s.io/v1` Tables: the columns that kubectl shows, for built-in kinds
//! as kube-apiserver prints them and for custom kinds from their printer
//! columns. One entry per kind in the file of its area; the present is a
//! parameter, and nothing is looked up beyond the object itself.

mod access;
mod cluster;
mod network;
mod pods;
mod row;
mod storage;
#[cfg(test)]
mod tests;
mod workloads;

use api::KindDescriptor;
use api::kind::PrinterColumn;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::jsonpath::JsonPath;
use row::Row;

/// One column definition (`metav1.TableColumnDefinition`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// OpenAPI type.
    pub kind: String,
    /// OpenAPI format; `name` marks the column that names the object.
    pub format: String,
    /// What it means.
    pub description: String,
    /// 0 is always shown; higher only with `-o wide`.
    pub priority: i32,
}

impl Column {
    /// The JSON that stands in a table's `columnDefinitions`.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

/// Columns of a built-in kind and how its cells are computed. `cells` must give one per column.
struct Entry {
    group: &'static str,
    kind: &'static str,
    columns: &'static [ColumnEntry],
    cells: fn(&Row<'_>) -> Vec<Value>,
}

/// Name, type, and whether it is shown only with `-o wide`.
type ColumnEntry = (&'static str, &'static str, bool);

/// For the tables of the areas: a column that is always shown.
const fn text(name: &'static str) -> ColumnEntry {
    (name, "string", false)
}

const fn integer(name: &'static str) -> ColumnEntry {
    (name, "integer", false)
}

const fn boolean(name: &'static str) -> ColumnEntry {
    (name, "boolean", false)
}

/// A column that only `-o wide` shows.
const fn wide(name: &'static str) -> ColumnEntry {
    (name, "string", true)
}

const AREAS: [&[Entry]; 6] =
    [pods::KINDS, workloads::KINDS, network::KINDS, storage::KINDS, access::KINDS, cluster::KINDS];

/// What prints the rows of one kind; made once per table, because paths are read while making it.
pub struct Printer {
    columns: Vec<Column>,
    source: Source,
}

enum Source {
    BuiltIn(fn(&Row<'_>) -> Vec<Value>),
    /// Path and type of every column after the name.
    Paths(Vec<(Option<JsonPath>, String)>),
}

impl Printer {
    /// The printer of a kind.
    pub fn new(kind: &KindDescriptor) -> Self {
        let entry = AREAS
            .iter()
            .flat_map(|area| area.iter())
            .find(|entry| entry.group == &*kind.gvk.group && entry.kind == &*kind.gvk.kind);
        match entry {
            Some(entry) => Printer {
                columns: entry.columns.iter().map(built_in_column).collect(),
                source: Source::BuiltIn(entry.cells),
            },
            None => Self::custom(kind),
        }
    }

    fn custom(kind: &KindDescriptor) -> Self {
        let age = [PrinterColumn {
            name: "Age".into(),
            kind: "date".into(),
            format: String::new(),
            description: CREATED.into(),
            priority: 0,
            json_path: ".metadata.creationTimestamp".into(),
        }];
        let listed = if kind.columns.is_empty() { &age[..] } else { &kind.columns[..] };
        let mut columns = vec![built_in_column(&text("Name"))];
        columns.extend(listed.iter().map(custom_column));
        let paths =
            listed.iter().map(|column| (JsonPath::parse(&column.json_path).ok(), column.kind.clone())).collect();
        Printer { columns, source: Source::Paths(paths) }
    }

    /// The column definitions.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The cells of one object, one per column.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let row = Row { object, now };
        match &self.source {
            Source::BuiltIn(cells) => cells(&row),
            Source::Paths(paths) => {
                let mut cells = vec![row.name()];
                cells.extend(paths.iter().map(|(path, kind)| row.custom(path.as_ref(), kind)));
                cells
            }
        }
    }
}

/// The column definitions of a kind.
pub fn columns(kind: &KindDescriptor) -> Vec<Column> {
    Printer::new(kind).columns
}

/// The cells of one object; for many objects of a kind make a [`Printer`].
pub fn cells(kind: &KindDescriptor, object: &Value, now: Timestamp) -> Vec<Value> {
    Printer::new(kind).cells(object, now)
}

/// The row conditions of an object: a Pod that has ended says so, and kubectl greys it out.
pub fn row_conditions(kind: &KindDescriptor, object: &Value) -> Option<Value> {
    if kind.gvk.kind.as_ref() != "Pod" || !kind.gvk.group.is_empty() {
        return None;
    }
    let phase = object.pointer("/status/phase").and_then(Value::as_str)?;
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": phase, "message": message}]))
}

const NAMED: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

fn built_in_column((name, kind, is_wide): &ColumnEntry) -> Column {
    let description = match *name {
        "Name" => NAMED,
        "Age" => CREATED,
        _ => "",
    };
    Column {
        name: (*name).into(),
        kind: (*kind).into(),
        format: if *name == "Name" { "name".into() } else { String::new() },
        description: description.into(),
        priority: i32::from(*is_wide),
    }
}

fn custom_column(column: &PrinterColumn) -> Column {
    let description = if column.description.is_empty() {
        format!("Custom resource definition column (in JSONPath format): {}", column.json_path)
    } else {
        column.description.clone()
    };
    Column {
        name: column.name.clone(),
        kind: column.kind.clone(),
        format: column.format.clone(),
        description,
        priority: column.priority,
    }
}
