//! RFC 6902 patches as the library of kube-apiserver applies them, which is looser than the
//! standard: a field that is not there can be replaced, and reads as null; indexes may count
//! from the end. Copies are what makes patches dangerous, so what copies add is counted.

use serde_json::{Map, Value};

use super::{Error, go_kind};
use crate::typed::depth;

pub(super) fn apply(live: &Value, operations: &Value) -> Result<Value, Error> {
    let listed = match operations {
        Value::Null => return Ok(live.clone()),
        Value::Array(listed) => listed,
        other => return Err(unreadable(&format!("{} into Go value of type []handlers.jsonPatchOp", go_kind(other)))),
    };
    for operation in listed {
        check_types(operation)?;
    }
    let limit = base::limits::JSON_PATCH_OPERATIONS;
    if listed.len() > limit {
        return Err(Error::TooLarge { limit, got: listed.len() });
    }
    let mut document = Document { root: live.clone(), copied: 0, shifted: 0, deepest: depth(live), looks: MOST_LOOKS };
    let nothing = Map::new();
    for operation in listed {
        document.change(operation.as_object().unwrap_or(&nothing))?;
    }
    if document.root.is_object() {
        Ok(document.root)
    } else {
        Err(Error::Refused("the patch replaces the object by something else".to_owned()))
    }
}

fn unreadable(what: &str) -> Error {
    Error::BadRequest(format!("error decoding patch: json: cannot unmarshal {what}"))
}

/// Operations are objects whose fields, the value aside, are text.
fn check_types(operation: &Value) -> Result<(), Error> {
    let fields = match operation {
        Value::Null => return Ok(()),
        Value::Object(fields) => fields,
        other => return Err(unreadable(&format!("{} into Go value of type handlers.jsonPatchOp", go_kind(other)))),
    };
    for (name, value) in fields {
        if matches!(name.as_str(), "op" | "path" | "from") && !value.is_string() && !value.is_null() {
            let kind = go_kind(value);
            return Err(unreadable(&format!("{kind} into Go struct field jsonPatchOp.{name} of type string")));
        }
    }
    Ok(())
}

/// How often a moved value is looked through to know how deep it nests.
const MOST_LOOKS: usize = 100;
/// Items that insertions into lists and removals from them may move, all together: ten
/// thousand operations on a list of ten thousand items.
const MOST_SHIFTED: usize = 100_000_000;

/// The object while it is patched, and what keeps a patch from growing beyond the size of a
/// request, from nesting beyond what is stored, and from costing more than it says.
struct Document {
    root: Value,
    copied: usize,
    shifted: usize,
    /// The object nests no deeper than this.
    deepest: usize,
    looks: usize,
}

impl Document {
    fn change(&mut self, operation: &Map<String, Value>) -> Result<(), Error> {
        let name = operation.get("op").and_then(Value::as_str).unwrap_or("unknown");
        let text = |field: &str| operation.get(field).and_then(Value::as_str);
        let value = operation.get("value").unwrap_or(&Value::Null);
        let outcome = match name {
            "add" => match text("path") {
                None => Err("add operation failed to decode path: missing value".to_owned()),
                Some(path) => {
                    self.count_shifts(path)?;
                    self.bounded(path, value)?.add(path, value)
                }
            },
            "remove" => match text("path") {
                None => Err("remove operation failed to decode path: missing value".to_owned()),
                Some(path) => {
                    self.count_shifts(path)?;
                    self.remove(path)
                }
            },
            "replace" => match text("path") {
                None => Err(format!("replace operation failed to decode path: {NO_PATH}")),
                Some(path) => self.bounded(path, value)?.replace(path, value),
            },
            "test" => match text("path") {
                None => Err(format!("test operation failed to decode path: {NO_PATH}")),
                Some(path) => self.test(path, value),
            },
            "move" => self.take_elsewhere(text("from"), text("path"))?,
            "copy" => self.copy(text("from"), text("path"))?,
            other => Err(format!("Unexpected kind: {other}")),
        };
        outcome.map_err(Error::Refused)
    }

    /// Itself, unless a value at a path nested deeper than is stored.
    fn bounded(&mut self, path: &str, value: &Value) -> Result<&mut Self, Error> {
        self.nested(steps(path) + depth(value))?;
        Ok(self)
    }

    fn nested(&mut self, levels: usize) -> Result<(), Error> {
        self.deepest = self.deepest.max(levels);
        if levels > base::limits::NESTING { Err(super::too_deep()) } else { Ok(()) }
    }

    /// Refuses to move a value to where it would nest too deep. It is looked through only if it
    /// could come to that, and only so often: moving costs nothing else.
    fn bounded_move(&mut self, from: &str, path: &str, value: &Value) -> Result<(), Error> {
        let most = self.deepest.saturating_sub(steps(from));
        if most + steps(path) <= base::limits::NESTING || self.looks == 0 {
            return self.nested(steps(path) + most);
        }
        self.looks -= 1;
        self.nested(steps(path) + depth(value))
    }

    /// Counts the items of a list that make room or close up at a path.
    fn count_shifts(&mut self, path: &str) -> Result<(), Error> {
        let holder = find(&mut self.root, path).map(|(holder, _)| holder);
        self.shifted += holder.and_then(|holder| holder.as_array()).map_or(0, Vec::len);
        if self.shifted <= MOST_SHIFTED {
            return Ok(());
        }
        Err(Error::Refused(format!("the patch moves more than {MOST_SHIFTED} items of lists")))
    }

    fn add(&mut self, path: &str, value: &Value) -> Result<(), String> {
        let Some((holder, key)) = find(&mut self.root, path) else {
            return Err(format!("add operation does not apply: doc is missing path: \"{path}\": {MISSING}"));
        };
        insert(holder, &key, value.clone()).map_err(|why| format!("error in add for path: '{path}': {why}"))
    }

    fn remove(&mut self, path: &str) -> Result<(), String> {
        let Some((holder, key)) = find(&mut self.root, path) else {
            return Err(format!("remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"));
        };
        take(holder, &key).map(drop).map_err(|why| format!("error in remove for path: '{path}': {why}"))
    }

    fn replace(&mut self, path: &str, value: &Value) -> Result<(), String> {
        if path.is_empty() {
            if !value.is_object() && !value.is_array() {
                return Err("replace operation value must be object or array: %!w(<nil>)".to_owned());
            }
            self.root = value.clone();
            return Ok(());
        }
        let Some((holder, key)) = find(&mut self.root, path) else {
            return Err(format!("replace operation does not apply: doc is missing path: {path}: {MISSING}"));
        };
        match holder {
            Value::Array(list) => match place(&key, list.len()) {
                Ok(index) => list[index] = value.clone(),
                Err(_) => {
                    return Err(format!("replace operation does not apply: doc is missing key: {path}: {MISSING}"));
                }
            },
            Value::Object(map) => drop(map.insert(key, value.clone())),
            _ => {}
        }
        Ok(())
    }

    fn test(&mut self, path: &str, value: &Value) -> Result<(), String> {
        let failed = || format!("testing value {path} failed: test failed");
        if path.is_empty() {
            return if self.root == *value { Ok(()) } else { Err(failed()) };
        }
        let Some((holder, key)) = find(&mut self.root, path) else {
            return Err(format!("test operation does not apply: is missing path: {path}: {MISSING}"));
        };
        let held = get(holder, &key).map_err(|why| format!("error in test for path: '{path}': {why}"))?;
        if held == value { Ok(()) } else { Err(failed()) }
    }

    fn take_elsewhere(&mut self, from: Option<&str>, path: Option<&str>) -> Result<Result<(), String>, Error> {
        let Some(from) = from else { return Ok(Err(format!("move operation failed to decode from: {NO_FROM}"))) };
        self.count_shifts(from)?;
        let Some((holder, key)) = find(&mut self.root, from) else {
            return Ok(Err(format!("move operation does not apply: doc is missing from path: {from}: {MISSING}")));
        };
        let value = match take(holder, &key) {
            Ok(value) => value,
            Err(why) => return Ok(Err(format!("error in move for path: '{key}': {why}"))),
        };
        let Some(path) = path else { return Ok(Err(format!("move operation failed to decode path: {NO_PATH}"))) };
        self.bounded_move(from, path, &value)?;
        self.count_shifts(path)?;
        let Some((holder, key)) = find(&mut self.root, path) else {
            return Ok(Err(format!(
                "move operation does not apply: doc is missing destination path: {path}: {MISSING}"
            )));
        };
        Ok(insert(holder, &key, value).map_err(|why| format!("error in move for path: '{path}': {why}")))
    }

    fn copy(&mut self, from: Option<&str>, path: Option<&str>) -> Result<Result<(), String>, Error> {
        let Some(from) = from else { return Ok(Err(format!("copy operation failed to decode from: {NO_FROM}"))) };
        let Some((holder, key)) = find(&mut self.root, from) else {
            return Ok(Err(format!("copy operation does not apply: doc is missing from path: {from}: {MISSING}")));
        };
        let value = match get(holder, &key) {
            Ok(value) => value.clone(),
            Err(why) => return Ok(Err(format!("error in copy for from: '{from}': {why}"))),
        };
        let Some(path) = path else {
            return Ok(Err("copy operation failed to decode path: missing value".to_owned()));
        };
        self.bounded(path, &value)?;
        self.count_shifts(path)?;
        if find(&mut self.root, path).is_none() {
            return Ok(Err(format!(
                "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
            )));
        }
        self.copied += value.to_string().len();
        let (limit, copied) = (base::limits::REQUEST_BODY_BYTES, self.copied);
        if copied > limit {
            return Ok(Err(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {limit}"
            )));
        }
        let Some((holder, key)) = find(&mut self.root, path) else { return Ok(Ok(())) };
        Ok(insert(holder, &key, value).map_err(|why| format!("error while adding value during copy: {why}")))
    }
}

const MISSING: &str = "missing value";
const NO_PATH: &str = "operation missing path field: missing value";
const NO_FROM: &str = "operation, missing from field: missing value";

/// How many steps a path has.
fn steps(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

/// The map or list that holds what a path names, and its key there. What stands before the
/// first slash does not count.
fn find<'v>(root: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let (above, last) = path.rsplit_once('/')?;
    let mut holder = root;
    for step in above.split('/').skip(1) {
        let step = unescaped(step);
        holder = match holder {
            Value::Object(map) => map.get_mut(&step)?,
            Value::Array(list) => {
                let index = place(&step, list.len()).ok()?;
                list.get_mut(index)?
            }
            _ => return None,
        };
    }
    (holder.is_object() || holder.is_array()).then(|| (holder, unescaped(last)))
}

fn unescaped(step: &str) -> String {
    if !step.contains('~') {
        return step.to_owned();
    }
    // Both are replaced in one pass: "~01" is "~1".
    let mut parts = step.split('~');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.as_bytes().first() {
            Some(b'1') => out.push('/'),
            Some(b'0') => out.push('~'),
            _ => {
                out.push('~');
                out.push_str(part);
                continue;
            }
        }
        out.push_str(&part[1..]);
    }
    out
}

/// What a key holds; null if the map does not have it.
fn get<'v>(holder: &'v Value, key: &str) -> Result<&'v Value, String> {
    match holder {
        Value::Array(list) => place(key, list.len()).map(|index| &list[index]),
        Value::Object(map) => Ok(map.get(key).unwrap_or(&Value::Null)),
        _ => Ok(&Value::Null),
    }
}

fn insert(holder: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match holder {
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => {
            let index = number(key).map_err(|why| format!("value was not a proper array index: '{key}': {why}"))?;
            list.insert(within(index, list.len() + 1)?, value);
        }
        Value::Object(map) => drop(map.insert(key.to_owned(), value)),
        _ => {}
    }
    Ok(())
}

fn take(holder: &mut Value, key: &str) -> Result<Value, String> {
    match holder {
        Value::Array(list) => place(key, list.len()).map(|index| list.remove(index)),
        Value::Object(map) => {
            map.remove(key).ok_or_else(|| format!("Unable to remove nonexistent key: {key}: {MISSING}"))
        }
        _ => Ok(Value::Null),
    }
}

/// Where an index leads in a list of so many items.
fn place(key: &str, length: usize) -> Result<usize, String> {
    within(number(key)?, length)
}

fn within(index: i64, length: usize) -> Result<usize, String> {
    let outside = || format!("Unable to access invalid index: {index}: invalid index referenced");
    let counted = if index < 0 { index + i64::try_from(length).map_err(|_| outside())? } else { index };
    usize::try_from(counted).ok().filter(|counted| *counted < length).ok_or_else(outside)
}

fn number(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let why = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "invalid syntax"
    } else {
        match text.parse() {
            Ok(number) => return Ok(number),
            Err(_) => "value out of range",
        }
    };
    Err(format!("strconv.Atoi: parsing {}: {why}", Value::from(text)))
}
