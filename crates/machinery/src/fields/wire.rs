//! `FieldsV1`: a set as a JSON object whose keys are path elements and whose
//! values are the levels below; `.` marks an element that is in the set and has
//! longer paths too. What cannot be read is refused, except elements of a kind
//! that only a newer version knows: those are passed over, as the format says.

use serde_json::{Map, Value};

use super::element::Element;
use super::set::Set;

/// Deeper sets than this come from no object that is accepted.
const MOST_NESTED: usize = base::limits::NESTING;

/// Why text is no set of fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A level is not an object.
    #[error("a set of fields must be an object")]
    NotAnObject,
    /// A key is not a path element.
    #[error("`{0}` is not a path element")]
    Element(String),
    /// It nests too deep.
    #[error("the set of fields nests deeper than {MOST_NESTED} levels")]
    TooDeep,
}

impl Set {
    /// Reads `fieldsV1`.
    pub fn from_wire(value: &Value) -> Result<Set, WireError> {
        let Value::Object(map) = value else { return Err(WireError::NotAnObject) };
        read(map, MOST_NESTED).map(|(set, _)| set)
    }

    /// The set as `fieldsV1`.
    pub fn to_wire(&self) -> Value {
        Value::Object(write(self, false))
    }
}

/// The set below a level, and whether the level itself is marked. A level that holds nothing
/// is a member.
fn read(map: &Map<String, Value>, depth: usize) -> Result<(Set, bool), WireError> {
    if depth == 0 {
        return Err(WireError::TooDeep);
    }
    let mut set = Set::new();
    let mut is_marked = false;
    for (key, below) in map {
        if key == "." {
            is_marked = true;
            continue;
        }
        let Some(element) = read_element(key)? else { continue };
        let Value::Object(below) = below else { return Err(WireError::NotAnObject) };
        let (children, is_member) = read(below, depth - 1)?;
        set.push(|| element, is_member, children);
    }
    let is_member = is_marked || set.is_empty();
    Ok((set, is_member))
}

fn read_element(key: &str) -> Result<Option<Element>, WireError> {
    let wrong = || WireError::Element(key.to_owned());
    let Some((kind, text)) = key.split_once(':') else { return Err(wrong()) };
    match kind {
        "f" => Ok(Some(Element::field(text))),
        "v" => serde_json::from_str(text).map(|value| Some(Element::Value(value))).map_err(|_| wrong()),
        "k" => {
            let keys: Map<String, Value> = serde_json::from_str(text).map_err(|_| wrong())?;
            Ok(Some(Element::Key(keys.into_iter().map(|(name, value)| (name.into(), value)).collect())))
        }
        "i" => text.parse().map(|position| Some(Element::Index(position))).map_err(|_| wrong()),
        // One letter that is not known yet is passed over.
        kind if kind.len() == 1 => Ok(None),
        _ => Err(wrong()),
    }
}

fn write(set: &Set, is_member: bool) -> Map<String, Value> {
    let mut map = Map::new();
    if is_member && !set.is_empty() {
        map.insert(".".to_owned(), Value::Object(Map::new()));
    }
    for entry in set.entries() {
        map.insert(write_element(&entry.element), Value::Object(write(&entry.children, entry.is_member)));
    }
    map
}

fn write_element(element: &Element) -> String {
    match element {
        Element::Field(name) => format!("f:{name}"),
        Element::Value(value) => format!("v:{value}"),
        Element::Index(position) => format!("i:{position}"),
        Element::Key(keys) => {
            let keys: Map<String, Value> = keys.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            format!("k:{}", Value::Object(keys))
        }
    }
}
