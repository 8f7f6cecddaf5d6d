//! The templates of stages, as far as they need no template engine: plain YAML
//! with the current time, addresses, and fields of the object put in. Loops,
//! conditions and functions are refused when a stage is read, never guessed.
//! Pure.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::Value;

use super::query::Query;

/// A template that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Put { what: Operand, quoted: bool },
    Name { variable: String, what: Operand },
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Now,
    NodeIp,
    NodeName,
    PodIp,
    Field(Query),
    Variable(String),
    Literal(Value),
}

/// What a template can put in, beside fields of its object.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) now: String,
    pub(super) node_ip: String,
    pub(super) node_name: String,
    pub(super) pod_ip: String,
}

impl Template {
    /// Reads a template; the error names the first action that is not understood.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut known = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (action, after) = after.split_once("}}").ok_or("an action that does not end")?;
            let before = if action.starts_with("- ") { before.trim_end() } else { before };
            let after = if action.ends_with(" -") { after.trim_start() } else { after };
            let action = action.trim_start_matches("- ").trim_end_matches(" -").trim();
            parts.push(Part::Text(before.to_owned()));
            parts.extend(part(action, &mut known)?);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Template { parts })
    }

    /// What the template says of an object.
    pub(super) fn render(&self, object: &Value, facts: &Facts) -> Result<Value, String> {
        let mut text = String::new();
        let mut variables = HashMap::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Put { what, quoted } => {
                    let value = what.value(object, facts, &variables);
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    // A string in JSON is one in YAML.
                    text.push_str(&if *quoted { Value::String(shown).to_string() } else { shown });
                }
                Part::Name { variable, what } => {
                    variables.insert(variable.clone(), what.value(object, facts, &variables));
                }
            }
        }
        machinery::yaml::value(&text).map_err(|error| format!("what the template gives is no YAML: {error}"))
    }
}

fn part(action: &str, known: &mut Vec<String>) -> Result<Option<Part>, String> {
    if action.starts_with("/*") && action.ends_with("*/") {
        return Ok(None);
    }
    let named = action.split_once(":=").filter(|(name, _)| name.trim_start().starts_with('$'));
    if let Some((name, stated)) = named {
        let (what, quoted) = pipeline(stated, known)?;
        if quoted {
            return Err(refusal(action));
        }
        let variable = name.trim().to_owned();
        known.push(variable.clone());
        return Ok(Some(Part::Name { variable, what }));
    }
    let (what, quoted) = pipeline(action, known)?;
    Ok(Some(Part::Put { what, quoted }))
}

/// One operand, and whether it is piped into `Quote`.
fn pipeline(text: &str, known: &[String]) -> Result<(Operand, bool), String> {
    let text = text.trim();
    let (stated, quoted) = match text.rsplit_once('|') {
        Some((stated, function)) if matches!(function.trim(), "Quote" | "quote") => (stated.trim(), true),
        _ => (text, false),
    };
    let operand = match stated {
        "Now" => Operand::Now,
        "NodeIP" | "NodeIPWith .spec.nodeName" => Operand::NodeIp,
        "NodeName" => Operand::NodeName,
        "PodIP" => Operand::PodIp,
        _ if stated.starts_with("PodIPWith .spec.nodeName") => Operand::PodIp,
        _ if stated.starts_with('.') && !stated.contains(['|', '(', ' ']) => {
            Operand::Field(Query::parse(stated).map_err(|_| refusal(text))?)
        }
        _ if known.iter().any(|variable| variable == stated) => Operand::Variable(stated.to_owned()),
        _ => match serde_json::from_str::<Value>(stated) {
            Ok(value) if !value.is_array() && !value.is_object() => Operand::Literal(value),
            _ => return Err(refusal(text)),
        },
    };
    Ok((operand, quoted))
}

fn refusal(action: &str) -> String {
    format!(
        "the template action {{{{ {action} }}}} is not supported: only Now, NodeIP, NodeName, PodIP, fields, \
         literals and variables are, each optionally piped into Quote"
    )
}

impl Operand {
    fn value(&self, object: &Value, facts: &Facts, variables: &HashMap<String, Value>) -> Value {
        match self {
            Operand::Now => facts.now.as_str().into(),
            Operand::NodeIp => facts.node_ip.as_str().into(),
            Operand::NodeName => facts.node_name.as_str().into(),
            Operand::PodIp => facts.pod_ip.as_str().into(),
            Operand::Field(query) => query.find(object).first().map_or(Value::Null, |value| (*value).clone()),
            Operand::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
            Operand::Literal(value) => value.clone(),
        }
    }
}
