//! Field selectors: equality terms on a few fields that a kind declares.

use std::borrow::Cow;
use std::fmt;

use api::KindDescriptor;
use serde_json::Value;

use super::Error;
use crate::validate::quote;

/// A conjunction of equality terms on fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<FieldTerm>,
}

/// One term: a field is, or is not, a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    /// Field without a leading dot, for example `metadata.name`.
    pub field: String,
    /// Whether the field must equal the value, or differ from it.
    pub equal: bool,
    /// The unescaped value.
    pub value: String,
}

impl FieldSelector {
    /// Reads `a=b,c!=d`; commas, equals signs and backslashes in values are escaped with a backslash.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let Some((field, equal, value)) = split_term(part) else {
                return Err(Error(format!("invalid selector: '{text}'; can't understand '{part}'")));
            };
            let value = unescape(value)?;
            // A term without a field and a value restricts nothing.
            if !(field.is_empty() && value.is_empty()) {
                terms.push(FieldTerm { field: field.to_owned(), equal, value });
            }
        }
        Ok(FieldSelector { terms })
    }

    /// Refuses fields that the kind does not let one select by.
    pub fn check(&self, kind: &KindDescriptor) -> Result<(), Error> {
        let is_custom = kind.type_name.is_empty();
        for term in &self.terms {
            let known = match term.field.as_str() {
                "metadata.name" => true,
                "metadata.namespace" => kind.namespaced || !is_custom,
                field => kind.selectable_fields.iter().any(|path| path.trim_start_matches('.') == field),
            };
            if known {
                continue;
            }
            return Err(Error(if is_custom || !kind.selectable_fields.is_empty() {
                format!("field label not supported: {}", term.field)
            } else {
                format!(
                    "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                    quote(&term.field)
                )
            }));
        }
        Ok(())
    }

    /// Whether fields, given by a lookup, satisfy every term; an absent field reads as empty text.
    pub fn matches<'a>(&self, mut lookup: impl FnMut(&str) -> Option<Cow<'a, str>>) -> bool {
        self.terms.iter().all(|term| (lookup(&term.field).unwrap_or_default() == term.value) == term.equal)
    }

    /// Whether the fields of an object satisfy every term.
    pub fn matches_object(&self, kind: &KindDescriptor, object: &Value) -> bool {
        self.matches(|field| read(kind, object, field))
    }

    /// The value that a field must have, if a term says so: a hint for looking objects up by key.
    pub fn exact(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|term| term.equal && term.field == field).map(|term| term.value.as_str())
    }

    /// Whether every object matches.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms.
    pub fn terms(&self) -> &[FieldTerm] {
        &self.terms
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            let operator = if term.equal { "=" } else { "!=" };
            let value = term.value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=");
            write!(out, "{separator}{}{operator}{value}", term.field)?;
        }
        Ok(())
    }
}

/// A field of an object as text. Built-in kinds have fields that stand elsewhere than their
/// label says, or read as something when they are absent.
fn read<'a>(kind: &KindDescriptor, object: &'a Value, field: &str) -> Option<Cow<'a, str>> {
    let at = |path: &str| {
        path.trim_start_matches('.').split('.').try_fold(object, |value, name| value.get(name)).and_then(scalar)
    };
    if kind.type_name.is_empty() || field.starts_with("metadata.") {
        return at(field);
    }
    let path = format!(".{field}");
    let (paths, when_absent) = api::builtin::selectable_source(&kind.gvk, &path);
    paths.into_iter().find_map(at).or(Some(Cow::Borrowed(when_absent)))
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

fn split_terms(text: &str) -> Vec<&str> {
    let (mut terms, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                terms.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    for (index, _) in term.char_indices() {
        for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
            if let Some(value) = term[index..].strip_prefix(operator) {
                return Some((&term[..index], equal, value));
            }
        }
    }
    None
}

fn unescape(value: &str) -> Result<String, Error> {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => out.push(escaped),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(Error(format!("invalid field selector: invalid escape sequence: {sequence}")));
                }
            },
            // Kubernetes prints the number of the character, not the character.
            ',' | '=' => {
                return Err(Error(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(character)
                )));
            }
            other => out.push(other),
        }
    }
    Ok(out)
}
