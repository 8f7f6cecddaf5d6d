//! Finds every place of an Application or ApplicationSet where `cnoe://` may
//! stand, and puts a repository's address there. Pure; what an address stands
//! for is the caller's to say.

use serde_json::{Map, Value};

/// Scheme of a directory beside the file of the Application.
pub const SCHEME: &str = "cnoe://";

/// Replaces every `cnoe://…` in a manifest by what `resolve` makes of the part
/// behind the scheme. Places are visited in a fixed order.
pub fn rewrite<E>(manifest: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    let Some(spec) = manifest.get_mut("spec") else { return Ok(()) };
    if let Some(generators) = spec.get_mut("generators") {
        rewrite_generators(generators, resolve)?;
    }
    if let Some(template) = spec.get_mut("template") {
        rewrite_template(template, resolve)?;
    }
    if let Some(Value::String(patch)) = spec.get_mut("templatePatch") {
        rewrite_text(patch, resolve)?;
    }
    rewrite_sources(spec, resolve)
}

/// The sources of an Application's spec.
fn rewrite_sources<E>(spec: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    if let Some(source) = spec.get_mut("source") {
        rewrite_source(source, resolve)?;
    }
    for source in items(spec.get_mut("sources")) {
        rewrite_source(source, resolve)?;
    }
    Ok(())
}

fn rewrite_source<E>(source: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    rewrite_string(source.get_mut("repoURL"), resolve)?;
    let Some(helm) = source.get_mut("helm") else { return Ok(()) };
    if let Some(values) = helm.get_mut("valuesObject") {
        rewrite_strings(values, resolve)?;
    }
    if let Some(Value::String(values)) = helm.get_mut("values") {
        rewrite_text(values, resolve)?;
    }
    for parameter in items(helm.get_mut("parameters")) {
        rewrite_string(parameter.get_mut("value"), resolve)?;
    }
    Ok(())
}

/// Generators nest in `matrix` and `merge`, and each may override the template.
fn rewrite_generators<E>(generators: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    for generator in items(Some(generators)) {
        let Some(kinds) = generator.as_object_mut() else { continue };
        for (kind, generator) in kinds {
            match kind.as_str() {
                "git" => rewrite_string(generator.get_mut("repoURL"), resolve)?,
                "list" => rewrite_strings(generator.get_mut("elements").unwrap_or(&mut Value::Null), resolve)?,
                _ => {}
            }
            if let Some(nested) = generator.get_mut("generators") {
                rewrite_generators(nested, resolve)?;
            }
            if let Some(template) = generator.get_mut("template") {
                rewrite_template(template, resolve)?;
            }
            if let Some(values) = generator.get_mut("values") {
                rewrite_strings(values, resolve)?;
            }
        }
    }
    Ok(())
}

fn rewrite_template<E>(template: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    match template.get_mut("spec") {
        Some(spec) => rewrite_sources(spec, resolve),
        None => Ok(()),
    }
}

/// Every string below `value` that begins with the scheme.
fn rewrite_strings<E>(value: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    match value {
        Value::String(_) => rewrite_string(Some(value), resolve),
        Value::Array(items) => items.iter_mut().try_for_each(|item| rewrite_strings(item, resolve)),
        Value::Object(fields) => rewrite_fields(fields, resolve),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn rewrite_fields<E>(
    fields: &mut Map<String, Value>,
    resolve: &mut dyn FnMut(&str) -> Result<String, E>,
) -> Result<(), E> {
    fields.values_mut().try_for_each(|field| rewrite_strings(field, resolve))
}

fn rewrite_string<E>(value: Option<&mut Value>, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    if let Some(Value::String(text)) = value
        && let Some(path) = text.strip_prefix(SCHEME)
    {
        *text = resolve(path)?;
    }
    Ok(())
}

/// Every address in a text that is itself YAML. It is edited as text, so that
/// comments, anchors and templates in it stay as they are.
fn rewrite_text<E>(text: &mut String, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<(), E> {
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(SCHEME) {
        rewritten.push_str(&rest[..at]);
        let path = &rest[at + SCHEME.len()..];
        let end = path.find(ends_address).unwrap_or(path.len());
        rewritten.push_str(&resolve(&path[..end])?);
        rest = &path[end..];
    }
    rewritten.push_str(rest);
    *text = rewritten;
    Ok(())
}

fn ends_address(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | ',' | ']' | '}' | ')' | '#' | '`')
}

fn items(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}
