//! One value against one place of a schema: type, alternatives, texts, numbers,
//! lists, enumerations and fields, each on its own, so that everything wrong is
//! found at once. Which alternative is shown when none holds is decided by
//! counting what held, as Kubernetes counts.

use serde_json::{Map, Value};

use super::super::cause::{self, Numeric};
use super::super::lists::{self, OldItems};
use super::super::node::{Check, NONE, Node, NodeId, Type, flag};
use super::super::path::Path;
use super::super::pattern;
use super::Validator;
use super::number::{self, is_whole, truncated};
use super::outcome::{Failure, Outcome};

/// A value as Go sees its type.
fn type_of(value: &Value) -> (Type, &'static str) {
    match value {
        Value::Bool(_) => (Type::Boolean, ""),
        Value::String(_) => (Type::String, ""),
        Value::Array(_) => (Type::Array, ""),
        Value::Object(_) => (Type::Object, ""),
        Value::Null => (Type::None, ""),
        Value::Number(number) => match Numeric::of(number) {
            Numeric::Whole(_) => (Type::Integer, "int64"),
            Numeric::Float(_) => (Type::Number, "float64"),
        },
    }
}

fn allows(node: &Node, kind: Type) -> bool {
    if node.flags & flag::INT_OR_STRING != 0 {
        matches!(kind, Type::Integer | Type::String)
    } else {
        node.kind == kind && kind != Type::None
    }
}

fn types_text(node: &Node) -> &'static str {
    if node.flags & flag::INT_OR_STRING != 0 { "integer,string" } else { node.kind.name() }
}

impl Validator<'_> {
    /// An object as a whole, which needs no copy of it.
    pub(super) fn map_at_root(
        &self,
        id: NodeId,
        object: &Map<String, Value>,
        old: Option<&Map<String, Value>>,
    ) -> Outcome {
        let node = self.tables.node(id);
        let checks = self.tables.checks(node);
        let path = Path::root("");
        let mut outcome = Outcome::default();
        if !allows(node, Type::Object) && node.kind != Type::None {
            outcome.wrong_type("", types_text(node), "object");
        }
        // Branches and enumerations want a value; at the root of an object they are rare.
        let needs_value = |check: &Check| {
            matches!(
                check,
                Check::AllOf(_)
                    | Check::AnyOf(_)
                    | Check::OneOf(_)
                    | Check::Not(_)
                    | Check::EnumTexts(_)
                    | Check::EnumValues(_)
            )
        };
        if checks.iter().any(needs_value) {
            let whole = Value::Object(object.clone());
            outcome.merge(self.branches(checks, &whole, &path));
            outcome.merge(self.enumeration(checks, &whole, &path));
        }
        outcome.merge(self.fields(node, object, &path, old));
        let is_unchanged = || {
            old.is_some_and(|old| {
                lists::is_unchanged(self.tables, id, &Value::Object(old.clone()), &Value::Object(object.clone()))
            })
        };
        if !outcome.is_valid() && is_unchanged() {
            return Outcome::default();
        }
        outcome
    }

    /// A value that may stay as it was.
    pub(super) fn ratcheted(&self, id: NodeId, value: &Value, path: &Path<'_>, old: Option<&Value>) -> Outcome {
        let mut outcome = self.value(id, value, path, old);
        if let Some(old) = old
            && !outcome.is_valid()
            && lists::is_unchanged(self.tables, id, old, value)
        {
            outcome.failures.clear();
        }
        outcome
    }

    pub(super) fn value(&self, id: NodeId, value: &Value, path: &Path<'_>, old: Option<&Value>) -> Outcome {
        let node = self.tables.node(id);
        let checks = self.tables.checks(node);
        let mut outcome = Outcome::default();
        if !self.spend(1) {
            return outcome;
        }
        if value.is_null() {
            self.null(node, checks, path, &mut outcome);
            return outcome;
        }
        self.type_check(node, checks, value, path, &mut outcome);
        outcome.merge(self.branches(checks, value, path));
        // One for the branches, one for the enumeration, one for the whole.
        outcome.matches += 3;
        match value {
            Value::String(text) => self.text(checks, text, value, path, &mut outcome),
            Value::Number(number) => {
                let is_single = node.flags & flag::INT_OR_STRING == 0;
                let kind = if is_single && node.kind == Type::Integer { Type::Integer } else { Type::Number };
                let kind = if is_single && kind == node.kind { kind } else { Type::None };
                let path = path.to_string();
                outcome.merge(number::check(checks, kind, value, Numeric::of(number), &path));
                outcome.matches += 1;
            }
            Value::Array(list) => {
                outcome.merge(self.list(node, list, path, old));
                outcome.matches += 1;
            }
            _ => {}
        }
        outcome.merge(self.enumeration(checks, value, path));
        if let Value::Object(map) = value {
            outcome.merge(self.fields(node, map, path, old.and_then(Value::as_object)));
            outcome.matches += 1;
        }
        outcome
    }

    fn null(&self, node: &Node, checks: &[Check], path: &Path<'_>, outcome: &mut Outcome) {
        let types = types_text(node);
        if !types.is_empty() && node.flags & flag::NULLABLE == 0 {
            outcome.wrong_type(&path.to_string(), types, "null");
        } else {
            outcome.matches += 1;
        }
        outcome.merge(self.enumeration(checks, &Value::Null, path));
    }

    fn type_check(&self, node: &Node, checks: &[Check], value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
        let types = types_text(node);
        let format = checks.iter().find_map(|check| match check {
            Check::Format(format) => Some(format.name()),
            _ => None,
        });
        if types.is_empty() && format.is_none() {
            return;
        }
        outcome.matches += 1;
        let (kind, kind_format) = type_of(value);
        let is_whole_float = value.as_f64().is_some_and(is_whole) && kind == Type::Number;
        let fits = allows(node, kind)
            || (is_whole_float && allows(node, Type::Integer))
            || (kind == Type::Integer && allows(node, Type::Number));
        let is_text_or_list = matches!(kind, Type::String | Type::Array);
        if let Some(format) = format {
            if !is_text_or_list && !fits && kind_format != format {
                return outcome.wrong_type(&path.to_string(), format, kind_format);
            }
            // A text or a list at a place with a format of text is left to the format.
            if is_text_or_list && !allows(node, Type::Number) && !allows(node, Type::Integer) {
                outcome.matches += 1;
                return;
            }
        }
        if fits {
            outcome.matches += 1;
        } else {
            outcome.wrong_type(&path.to_string(), types, kind.name());
        }
    }

    /// Texts: only the first thing wrong of length and pattern is said, and the format.
    fn text(&self, checks: &[Check], text: &str, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
        outcome.matches += 1;
        let length = || i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let mut is_judged = false;
        for check in checks {
            match check {
                Check::Format(format) if !matches!(format.name(), "int32" | "int64" | "float" | "double") => {
                    outcome.matches += 1;
                    self.spend(text.len() as u64 / 64);
                    if !format.accepts(text) {
                        outcome.wrong_type(&path.to_string(), format.name(), text);
                    }
                }
                Check::MaxLength(limit) if !is_judged && length() > *limit => {
                    is_judged = true;
                    let unit = if *limit == 1 { "byte" } else { "bytes" };
                    outcome.add(Failure {
                        text: format!("{path} in body should be at most {limit} chars long"),
                        name: Some(path.to_string()),
                        reason: "FieldValueTooLong",
                        message: format!("Too long: may not be more than {limit} {unit}"),
                    });
                }
                Check::MinLength(limit) if !is_judged && length() < *limit => {
                    is_judged = true;
                    let why = format!("{path} in body should be at least {limit} chars long");
                    outcome.invalid(&path.to_string(), value, why);
                }
                Check::Pattern(name) if !is_judged => self.pattern(self.tables.name(*name), text, value, path, outcome),
                _ => {}
            }
        }
    }

    fn pattern(&self, pattern: &str, text: &str, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
        let shown = match pattern::compiled(pattern) {
            Ok(compiled) => {
                self.spend((text.len() as u64).saturating_mul(compiled.size) / 1024);
                if compiled.is_match(text) {
                    return;
                }
                pattern.to_owned()
            }
            Err(error) => format!("{pattern}, but pattern is invalid: {error}"),
        };
        outcome.invalid(&path.to_string(), value, format!("{path} in body should match '{shown}'"));
    }

    fn list(&self, node: &Node, list: &[Value], path: &Path<'_>, old: Option<&Value>) -> Outcome {
        let mut outcome = Outcome { matches: 1, ..Outcome::default() };
        if node.items != NONE {
            let old_items = old.and_then(|old| OldItems::of(self.tables, node, old));
            for (index, item) in list.iter().enumerate() {
                if outcome.is_full() {
                    break;
                }
                let old = old_items.as_ref().and_then(|items| items.get(self.tables, node, item));
                outcome.merge(self.ratcheted(node.items, item, &path.index(index), old));
            }
        }
        let count = i64::try_from(list.len()).unwrap_or(i64::MAX);
        for check in self.tables.checks(node) {
            match check {
                Check::MinItems(limit) if count < *limit => {
                    let why = format!("{path} in body should have at least {limit} items");
                    outcome.invalid(&path.to_string(), &Value::from(count), why);
                }
                Check::MaxItems(limit) if count > *limit => {
                    too_many(&mut outcome, path, count, *limit, "items");
                }
                _ => {}
            }
        }
        outcome
    }

    fn enumeration(&self, checks: &[Check], value: &Value, path: &Path<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        for check in checks {
            let listed: Vec<String> = match check {
                Check::EnumTexts(span) => {
                    let mut names = span.of(&self.tables.lists).iter().map(|name| self.tables.name(*name));
                    self.spend(u64::from(span.len) / 16);
                    if value.as_str().is_some_and(|text| names.any(|name| name == text)) {
                        continue;
                    }
                    span.of(&self.tables.lists).iter().map(|name| self.tables.name(*name).to_owned()).collect()
                }
                Check::EnumValues(span) => {
                    let values = span.of(&self.tables.values);
                    self.spend(u64::from(span.len) / 4);
                    if values.iter().any(|allowed| is_the_value(value, allowed)) {
                        continue;
                    }
                    values.iter().map(cause::listed).collect()
                }
                _ => continue,
            };
            let supported: Vec<&str> = listed.iter().map(String::as_str).collect();
            let cause = cause::unsupported("", value, &supported);
            outcome.add(Failure {
                text: format!("{path} in body should be one of [{}]", listed.join(" ")),
                name: Some(path.to_string()),
                reason: "FieldValueNotSupported",
                message: cause.message,
            });
        }
        outcome
    }

    fn fields(
        &self,
        node: &Node,
        map: &Map<String, Value>,
        path: &Path<'_>,
        old: Option<&Map<String, Value>>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let count = i64::try_from(map.len()).unwrap_or(i64::MAX);
        for check in self.tables.checks(node) {
            match check {
                Check::MinProperties(limit) if count < *limit => {
                    let why = format!("{path} in body should have at least {limit} properties");
                    outcome.invalid(&path.to_string(), &Value::from(count), why);
                }
                Check::MaxProperties(limit) if count > *limit => {
                    too_many(&mut outcome, path, count, *limit, "properties");
                }
                _ => {}
            }
        }
        for (key, value) in map {
            if outcome.is_full() {
                break;
            }
            if let Some(id) = self.tables.field(node, key) {
                // The type of an object is never seen to change: each version has its own.
                let is_type = path.is_root() && matches!(key.as_str(), "kind" | "apiVersion");
                let old = old.and_then(|old| old.get(key)).filter(|_| !is_type);
                outcome.merge(self.ratcheted(id, value, &path.child(key), old));
            } else if node.flags & flag::ADDITIONAL_FORBIDDEN != 0 {
                let why = format!("{path}.{key} in body is a forbidden property");
                outcome.invalid(&path.to_string(), &Value::from(key.as_str()), why);
            }
        }
        for check in self.tables.checks(node) {
            let Check::Required(span) = check else { continue };
            for name in span.of(&self.tables.lists).iter().map(|name| self.tables.name(*name)) {
                self.spend(1);
                if !map.contains_key(name) {
                    let at = path.child(name).to_string();
                    outcome.add(Failure {
                        text: format!("{at} in body is required"),
                        name: Some(at),
                        reason: "FieldValueRequired",
                        message: "Required value".to_owned(),
                    });
                }
            }
        }
        outcome
    }
}

fn too_many(outcome: &mut Outcome, path: &Path<'_>, count: i64, limit: i64, what: &str) {
    let unit = if limit == 1 { "item" } else { "items" };
    outcome.add(Failure {
        text: format!("{path} in body should have at most {limit} {what}"),
        name: Some(path.to_string()),
        reason: "FieldValueTooMany",
        message: format!("Too many: {count}: must have at most {limit} {unit}"),
    });
}

/// Whether a value is one that is allowed; numbers are brought to the allowed one's kind first.
fn is_the_value(value: &Value, allowed: &Value) -> bool {
    match (value, allowed) {
        (Value::Null, _) => false,
        (Value::Number(value), Value::Number(allowed)) => match (Numeric::of(value), Numeric::of(allowed)) {
            (Numeric::Float(float), Numeric::Whole(whole)) => truncated(float) == whole,
            (value, Numeric::Float(float)) => value.float().total_cmp(&float).is_eq(),
            (value, allowed) => value == allowed,
        },
        _ => value == allowed,
    }
}
