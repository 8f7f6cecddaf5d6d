//! Paths of selectable fields: which of a schema's fields they name. What makes
//! a field selectable is its type; its values are not known here.

use super::place::{Kind, Place};

/// The steps of a selectable field's path, or what Kubernetes has against it.
pub fn selectable_field(root: Place<'_>, path: &str) -> Result<Vec<String>, Vec<String>> {
    let refuse = |why: &str| vec![format!("is an invalid path: {why}")];
    let mut steps: Vec<String> = Vec::new();
    let mut place = root;
    let mut rest = path;
    while !rest.is_empty() {
        if rest.starts_with('[') {
            return Err(refuse("array notation is not allowed"));
        }
        let Some(after) = rest.strip_prefix('.') else {
            let end = rest.find(['.', '[', ']']).unwrap_or(rest.len()).max(1);
            return Err(refuse(&format!("expected [ or . but got: {}", &rest[..end])));
        };
        let end = after.find(['.', '[', ']']).unwrap_or(after.len());
        let (name, left) = after.split_at(end);
        if after.is_empty() {
            return Err(refuse("unexpected end of JSON path"));
        }
        let named = place.properties().find(|(held, _)| *held == name).map(|(_, below)| below);
        let is_struct = place.properties().next().is_some();
        place = match named.or(if is_struct { None } else { place.additional() }) {
            Some(below) => below,
            None => return Err(refuse("does not refer to a valid field")),
        };
        steps.push(name.to_owned());
        rest = left;
    }
    let mut problems = Vec::new();
    if steps.first().is_some_and(|first| first == "metadata") {
        problems.push("must not point to fields in metadata".to_owned());
    }
    if !matches!(place.kind(), Kind::String | Kind::Boolean | Kind::Integer) {
        let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
        problems.push(why.to_owned());
    }
    if problems.is_empty() { Ok(steps) } else { Err(problems) }
}
