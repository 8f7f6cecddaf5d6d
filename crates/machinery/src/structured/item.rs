//! How the items of an associative list are told apart. An item that cannot be
//! told from the others is a fault, never a guess.

use api::schema::ListType;
use serde_json::Value;

use super::error::Error;
use super::node::ListForm;
use crate::fields::Element;

/// The element that names an item of a list that is not atomic.
pub(super) fn element_of(list: ListForm<'_>, item: &Value) -> Result<Element, Error> {
    if list.relation == ListType::Set {
        return match item {
            Value::Object(_) => Err(Error::here("associative list without keys has an element that's a map type")),
            Value::Array(_) => Err(Error::here("not supported: associative list with lists as elements")),
            Value::Null => Err(Error::here("associative list without keys has an element that's an explicit null")),
            scalar => Ok(Element::Value(scalar.clone())),
        };
    }
    let Value::Object(fields) = item else {
        return Err(Error::here(if item.is_null() {
            "associative list with keys may not have a null element"
        } else {
            "associative list with keys may not have non-map elements"
        }));
    };
    let mut keys: Vec<(Box<str>, Value)> = Vec::with_capacity(2);
    for name in list.keys() {
        // A key that is neither stated nor has a default is left out: such an item is
        // another one than one that states it.
        if let Some(value) = fields.get(name).cloned().or_else(|| list.key_default(name)) {
            keys.push((name.into(), value));
        }
    }
    if keys.is_empty() {
        let names: Vec<String> = list.keys().map(|name| format!("{name:?}")).collect();
        return Err(Error::here(format!(
            "associative list with keys has an element that omits all key fields [{}] \
             (and doesn't have default values for any key fields)",
            names.join(" ")
        )));
    }
    keys.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Element::Key(keys.into()))
}
