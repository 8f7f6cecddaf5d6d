//! What kube-apiserver does between the bytes of a body and an object: text is read with
//! its duplicate keys noted, a tree is brought into the form that a Go struct of its type
//! has after a round trip, and what was unknown is named. Refusals are in Go's words,
//! because clients and tests match on them. Nothing here defaults or validates, and
//! nothing panics or grows faster than its input.

mod empty;
mod fault;
mod findings;
mod gotime;
mod scalar;
mod syntax;
mod text;
mod typed;

#[cfg(test)]
mod tests;

use api::schema::{TypeId, TypeTable};
use serde_json::{Map, Value};

pub use empty::complete;
pub(crate) use empty::zero;
pub use findings::{Finding, Findings, MOST_FINDINGS, Order, Step};
pub use syntax::Unreadable;
pub use text::{Document, json, order, yaml};

pub use fault::Error;
use typed::Walk;

/// How strictly numbers are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As text: `1.0` is no integer.
    #[default]
    AsWritten,
    /// As values, which is how a strategic merge patch is read: `1.0` is an integer.
    ByValue,
}

/// Brings an object into the form its type has after a round trip through Go: unknown
/// fields, nulls and empty fields that Go leaves out are dropped, quantities, times and
/// bytes take their canonical form. Returns the paths of the unknown fields, in order of
/// the keys.
pub fn builtin(table: &TypeTable, id: TypeId, object: &mut Map<String, Value>) -> Result<Vec<String>, Error> {
    builtin_with(table, id, object, Numbers::AsWritten)
}

/// As [`builtin`], and says how numbers are meant.
pub fn builtin_with(
    table: &TypeTable,
    id: TypeId,
    object: &mut Map<String, Value>,
    numbers: Numbers,
) -> Result<Vec<String>, Error> {
    let mut walk = Walk::new(table, numbers);
    walk.object(id, object);
    walk.finish()
}

/// The same for the metadata of an object whose type is not known. The paths begin with
/// `metadata`, Go's words for refusals do not.
pub fn metadata(table: &TypeTable, object: &mut Map<String, Value>) -> Result<Vec<String>, Error> {
    let Some(id) = table.id("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta") else { return Ok(Vec::new()) };
    let Some(meta) = object.get_mut("metadata") else { return Ok(Vec::new()) };
    if meta.is_null() {
        object.remove("metadata");
        return Ok(Vec::new());
    }
    let mut walk = Walk::new(table, Numbers::AsWritten);
    walk.alone(id, meta, "metadata");
    walk.finish()
}

/// Whole numbers that were written with a point or an exponent become integers, as they
/// are after Go wrote them.
pub fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = scalar::whole(number) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}
