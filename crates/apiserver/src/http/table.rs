//! Objects as rows of a `meta.k8s.io/v1 Table`, which is what kubectl prints.

use api::{KindDescriptor, Status};
use jiff::Timestamp;
use machinery::table::Printer;
use serde_json::{Value, json};

use crate::record::{Record, compose_partial};

/// How much of the object a row carries (`includeObject`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// From the query parameter.
    pub fn parse(text: &str) -> Result<Self, Status> {
        match text {
            "" | "Metadata" => Ok(Include::Metadata),
            "None" => Ok(Include::None),
            "Object" => Ok(Include::Object),
            other => Err(Status::bad_request(format!("unrecognized includeObject value: \"{other}\""))),
        }
    }
}

/// The row of one object. `printer` is made once for all rows of a table.
pub fn row(
    kind: &KindDescriptor,
    printer: &Printer,
    record: &Record,
    include: Include,
    now: Timestamp,
) -> Result<Value, Status> {
    let object = Value::Object(record.value(kind)?);
    let mut row = json!({"cells": printer.cells(&object, now)});
    if let Some(conditions) = machinery::table::row_conditions(kind, &object) {
        row["conditions"] = conditions;
    }
    match include {
        Include::None => {}
        Include::Metadata => {
            row["object"] =
                serde_json::from_slice(&compose_partial(&record.meta, record.revision)).map_err(Status::internal)?;
        }
        Include::Object => row["object"] = object,
    }
    Ok(row)
}

/// A table. A watch states the columns only with its first row.
pub fn whole(kind: &KindDescriptor, rows: Vec<Value>, metadata: Value, with_columns: bool) -> Value {
    let columns = if with_columns { machinery::table::columns(kind) } else { Vec::new() };
    let columns: Vec<Value> = columns.iter().map(machinery::table::Column::to_json).collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}
