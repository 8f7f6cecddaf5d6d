//! kubectl's JSONPath dialect, as printer columns, scale paths and selectable
//! fields use it. Paths come from outside: parsing never panics, and what a
//! path visits is bounded.

mod parse;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde_json::Value;

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

/// Why a path was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// All items of a list, all values of a map.
    Wildcard,
    /// The value itself and everything below it.
    Recursive,
    /// Half-open; negative numbers count from the end.
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Index(i64),
    /// Several names or indices.
    Union(Vec<Step>),
    Filter {
        left: Operand,
        comparison: Option<(Comparison, Operand)>,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    /// Relative to the item that is filtered.
    Path(JsonPath),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Values that one path may visit in one object.
const VISITS: usize = 100_000;

impl JsonPath {
    /// Reads a path: `.spec.replicas`, `{.a['b'].c[0]}`, `.items[?(@.type=="Ready")].status`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::path(text)
    }

    /// Every value that the path leads to; missing ones are left out.
    pub fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![root];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                apply(step, value, &mut next);
                if next.len() > VISITS {
                    return Vec::new();
                }
            }
            found = next;
        }
        found
    }

    /// The first value that the path leads to.
    pub fn first<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.find(root).into_iter().next()
    }

    /// The names of the fields, if the path consists of nothing else; such a path can be written to.
    pub fn fields(&self) -> Option<Vec<&str>> {
        fn name(step: &Step) -> Option<&str> {
            if let Step::Field(name) = step { Some(name) } else { None }
        }
        self.steps.iter().map(name).collect()
    }
}

/// A value as kubectl prints it: text bare, maps and lists as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn apply<'a>(step: &Step, value: &'a Value, out: &mut Vec<&'a Value>) {
    match step {
        Step::Field(name) => out.extend(value.get(name)),
        Step::Wildcard => match value {
            Value::Array(items) => out.extend(items),
            Value::Object(fields) => out.extend(fields.values()),
            _ => {}
        },
        Step::Recursive => descend(value, out),
        Step::Index(index) => out.extend(value.as_array().and_then(|items| items.get(position(*index, items.len())?))),
        Step::Slice { start, end, step } => slice(value, *start, *end, *step, out),
        Step::Union(steps) => steps.iter().for_each(|step| apply(step, value, out)),
        Step::Filter { left, comparison } => {
            let items = value.as_array().into_iter().flatten();
            out.extend(items.filter(|item| passes(item, left, comparison.as_ref())));
        }
    }
}

fn descend<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
    if out.len() > VISITS {
        return;
    }
    out.push(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| descend(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| descend(field, out)),
        _ => {}
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn slice<'a>(value: &'a Value, start: Option<i64>, end: Option<i64>, step: i64, out: &mut Vec<&'a Value>) {
    let Some(items) = value.as_array() else { return };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let start = usize::try_from(from_end(start.unwrap_or(0)).max(0)).unwrap_or(usize::MAX);
    let end = usize::try_from(from_end(end.unwrap_or(length)).clamp(0, length)).unwrap_or(0);
    let step = usize::try_from(step).unwrap_or(1).max(1);
    if start < end {
        out.extend(items[start..end].iter().step_by(step));
    }
}

fn passes(item: &Value, left: &Operand, comparison: Option<&(Comparison, Operand)>) -> bool {
    let Some(left) = resolve(left, item) else { return false };
    let Some((comparison, right)) = comparison else { return true };
    let Some(right) = resolve(right, item) else { return false };
    let order = compare(left, right);
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn resolve<'a>(operand: &'a Operand, item: &'a Value) -> Option<&'a Value> {
    match operand {
        Operand::Path(path) => path.first(item),
        Operand::Literal(value) => Some(value),
    }
}

/// The order of two scalars of one kind; other pairs have none but equality.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => (left == right).then_some(Ordering::Equal),
    }
}
