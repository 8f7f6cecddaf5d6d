//! Reading and filling places of a JSON object. It knows no type.

use serde_json::{Map, Value};

use super::Fields;

/// Sets a field that is absent or null.
pub(super) fn set(object: &mut Fields, field: &str, value: impl Into<Value>) {
    if object.get(field).is_none_or(Value::is_null) {
        object.insert(field.to_owned(), value.into());
    }
}

/// Sets a field that is absent, null, empty text or zero.
pub(super) fn set_empty(object: &mut Fields, field: &str, value: impl Into<Value>) {
    if object.get(field).is_none_or(super::is_empty) {
        object.insert(field.to_owned(), value.into());
    }
}

/// The object at a field, which is made if nothing is there. `None` if something else is.
pub(super) fn child<'a>(object: &'a mut Fields, field: &str) -> Option<&'a mut Fields> {
    set(object, field, Map::new());
    object.get_mut(field)?.as_object_mut()
}

/// The object at a field, if there is one.
pub(super) fn held<'a>(object: &'a mut Fields, field: &str) -> Option<&'a mut Fields> {
    object.get_mut(field)?.as_object_mut()
}

/// The objects of the list at a field.
pub(super) fn items<'a>(object: &'a mut Fields, field: &str) -> impl Iterator<Item = &'a mut Fields> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The text at a field, empty if there is none.
pub(super) fn text<'a>(object: &'a Fields, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a field, 0 if there is none.
pub(super) fn number(object: &Fields, field: &str) -> i64 {
    object.get(field).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether a field holds something.
pub(super) fn is_set(object: &Fields, field: &str) -> bool {
    object.get(field).is_some_and(|value| !value.is_null())
}
