//! RFC 6902 patches. Copies are what makes them dangerous, so what copies add
//! is counted; the words are those of the library kube-apiserver uses.

use json_patch::{Patch, PatchErrorKind, PatchOperation};
use serde_json::Value;

use super::Error;
use crate::typed::depth;

pub(super) fn apply(live: &Value, operations: &Value) -> Result<Value, Error> {
    let listed = operations.as_array().ok_or_else(|| {
        Error::BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch".to_owned())
    })?;
    let limit = base::limits::JSON_PATCH_OPERATIONS;
    if listed.len() > limit {
        return Err(Error::TooLarge { limit, got: listed.len() });
    }
    let Patch(operations) = serde_json::from_value(operations.clone())
        .map_err(|error| Error::BadRequest(format!("error decoding patch: {error}")))?;
    let mut object = live.clone();
    let mut copied = 0;
    for operation in operations {
        bound(&object, &operation, &mut copied)?;
        json_patch::patch(&mut object, std::slice::from_ref(&operation))
            .map_err(|error| Error::Invalid(explain(&operation, &error.kind)))?;
    }
    if object.is_object() {
        Ok(object)
    } else {
        Err(Error::Invalid("the patch replaces the object by something else".to_owned()))
    }
}

/// Refuses growth beyond the size of a request and nesting beyond what is stored.
fn bound(object: &Value, operation: &PatchOperation, copied: &mut usize) -> Result<(), Error> {
    let (path, value) = match operation {
        PatchOperation::Add(add) => (&add.path, Some(&add.value)),
        PatchOperation::Replace(replace) => (&replace.path, Some(&replace.value)),
        PatchOperation::Move(from) => (&from.path, from.from.resolve(object).ok()),
        PatchOperation::Copy(from) => {
            let value = from.from.resolve(object).ok();
            *copied += value.map_or(0, |value| value.to_string().len());
            let limit = base::limits::REQUEST_BODY_BYTES;
            if *copied > limit {
                return Err(Error::Invalid(format!(
                    "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {limit}"
                )));
            }
            (&from.path, value)
        }
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Ok(()),
    };
    let below = value.map_or(0, depth);
    if path.tokens().count() + below > base::limits::NESTING { Err(super::too_deep()) } else { Ok(()) }
}

fn explain(operation: &PatchOperation, kind: &PatchErrorKind) -> String {
    let (name, path) = match operation {
        PatchOperation::Add(add) => ("add", &add.path),
        PatchOperation::Remove(remove) => ("remove", &remove.path),
        PatchOperation::Replace(replace) => ("replace", &replace.path),
        PatchOperation::Move(from) => ("move", &from.path),
        PatchOperation::Copy(from) => ("copy", &from.path),
        PatchOperation::Test(test) => ("test", &test.path),
    };
    match (operation, kind) {
        (_, PatchErrorKind::TestFailed) => format!("testing value {path} failed: test failed"),
        (PatchOperation::Move(from), PatchErrorKind::InvalidFromPointer) => missing(name, from.from.as_str()),
        (PatchOperation::Copy(from), PatchErrorKind::InvalidFromPointer) => missing(name, from.from.as_str()),
        (_, PatchErrorKind::InvalidPointer | PatchErrorKind::InvalidFromPointer) => missing(name, path.as_str()),
        (_, other) => format!("{name} operation does not apply: {other}: \"{path}\""),
    }
}

fn missing(name: &str, path: &str) -> String {
    format!("{name} operation does not apply: doc is missing path: \"{path}\": missing value")
}
