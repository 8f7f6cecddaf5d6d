//! Reading of paths. Nesting of filters is bounded by refusing filters within
//! filters, which kubectl does not know either.

use serde_json::Value;

use super::{Comparison, Error, JsonPath, Operand, Step};

/// Longest path that is read.
const LENGTH: usize = 4096;

pub(super) fn path(text: &str) -> Result<JsonPath, Error> {
    let trimmed = text.trim();
    if trimmed.len() > LENGTH {
        return Err(Error(format!("path is longer than {LENGTH} bytes")));
    }
    let inner = match trimmed.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').ok_or_else(|| Error("unclosed action".to_owned()))?,
        None => trimmed,
    };
    steps(inner, true)
}

fn steps(text: &str, filters: bool) -> Result<JsonPath, Error> {
    let mut rest = text.trim().strip_prefix(['$', '@']).unwrap_or(text.trim());
    let mut steps = Vec::new();
    // `a.b` is read like `.a.b`.
    if !rest.is_empty() && !rest.starts_with(['.', '[']) {
        rest = field(rest, &mut steps)?;
    }
    while !rest.is_empty() {
        rest = if let Some(tail) = rest.strip_prefix("..") {
            steps.push(Step::Recursive);
            if tail.starts_with('[') { tail } else { field(tail, &mut steps)? }
        } else if let Some(tail) = rest.strip_prefix('.') {
            match tail {
                "" => tail,
                tail if tail.starts_with('[') => tail,
                tail => field(tail, &mut steps)?,
            }
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (inside, tail) = bracket(tail)?;
            steps.push(subscript(inside.trim(), filters)?);
            tail
        } else {
            return Err(Error(format!("unrecognized character in action: {:?}", rest.chars().next().unwrap_or(' '))));
        };
    }
    Ok(JsonPath { steps })
}

/// A name after a dot, with `\` before characters that would end it.
fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, Error> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped)) => name.push(escaped),
                None => return Err(Error("unterminated escape".to_owned())),
            },
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | ' ' | '=' | '!' | '<' | '>' | ',' | '|' => {
                end = index;
                break;
            }
            other => name.push(other),
        }
    }
    if end == 0 {
        return Err(Error(format!("unrecognized character in action: {:?}", text.chars().next().unwrap_or(' '))));
    }
    steps.push(if name == "*" { Step::Wildcard } else { Step::Field(name) });
    Ok(&text[end..])
}

/// What stands inside brackets, and what follows them; quotes and inner brackets are respected.
fn bracket(text: &str) -> Result<(&str, &str), Error> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (index, character) in text.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Ok((&text[..index], &text[index + 1..])),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    Err(Error("unterminated array".to_owned()))
}

fn subscript(inside: &str, filters: bool) -> Result<Step, Error> {
    if inside == "*" {
        return Ok(Step::Wildcard);
    }
    if let Some(condition) = inside.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        if !filters {
            return Err(Error("a filter within a filter is not supported".to_owned()));
        }
        return filter(condition);
    }
    let parts = split_outside_quotes(inside, ',');
    if parts.len() > 1 {
        return parts.into_iter().map(|part| single(part.trim())).collect::<Result<_, _>>().map(Step::Union);
    }
    single(inside)
}

fn single(inside: &str) -> Result<Step, Error> {
    if let Some(name) = unquote(inside) {
        return Ok(Step::Field(name));
    }
    let invalid = || Error(format!("invalid array index {inside}"));
    if !inside.contains(':') {
        return inside.parse().map(Step::Index).map_err(|_| invalid());
    }
    let mut bounds = Vec::new();
    for bound in inside.split(':') {
        bounds.push(if bound.is_empty() { None } else { Some(bound.parse::<i64>().map_err(|_| invalid())?) });
    }
    match bounds.as_slice() {
        [start, end] => Ok(Step::Slice { start: *start, end: *end, step: 1 }),
        [start, end, step] => Ok(Step::Slice { start: *start, end: *end, step: step.unwrap_or(1) }),
        _ => Err(invalid()),
    }
}

fn filter(condition: &str) -> Result<Step, Error> {
    let operators = [
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    let mut quote = None;
    for (index, character) in condition.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, _) => {
                let found = operators.iter().find(|(operator, _)| condition[index..].starts_with(operator));
                if let Some((operator, comparison)) = found {
                    let left = operand(condition[..index].trim())?;
                    let right = operand(condition[index + operator.len()..].trim())?;
                    return Ok(Step::Filter { left, comparison: Some((*comparison, right)) });
                }
            }
        }
    }
    Ok(Step::Filter { left: operand(condition.trim())?, comparison: None })
}

fn operand(text: &str) -> Result<Operand, Error> {
    if text.starts_with(['@', '.', '$']) {
        return steps(text, false).map(Operand::Path);
    }
    if let Some(literal) = unquote(text) {
        return Ok(Operand::Literal(Value::String(literal)));
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::Null)) => Ok(Operand::Literal(value)),
        _ => Err(Error(format!("unrecognized operand in filter: {text}"))),
    }
}

/// The text between quotes, without its escapes.
fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        out.push(if character == '\\' { characters.next()? } else { character });
    }
    Some(out)
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, character) if character == separator => {
                parts.push(&text[start..index]);
                start = index + separator.len_utf8();
            }
            (None, _) => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
