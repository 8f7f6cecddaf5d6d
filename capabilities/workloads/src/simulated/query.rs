//! The paths by which stages look into objects: the part of jq that KWOK's own
//! stages use (fields, elements, all elements, `select` by equality). Anything
//! else is refused when it is read, never guessed. Pure.

#[cfg(test)]
mod tests;

use serde_json::Value;

/// Bytes of a query at most: longer ones are none of a person's.
const LONGEST: usize = 1_000;

/// A query that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Element(usize),
    Each,
    Select { path: Query, equals: bool, literal: Value },
}

impl Query {
    /// Reads a query; the error says what is not understood.
    pub(super) fn parse(text: &str) -> Result<Query, String> {
        let mut reader = Reader { text, rest: text };
        if text.len() > LONGEST {
            return Err(format!("a query of more than {LONGEST} bytes"));
        }
        let query = reader.pipeline()?;
        reader.spaces();
        if reader.rest.is_empty() { Ok(query) } else { Err(reader.wrong()) }
    }

    /// Everything it finds; what is null or absent is not found.
    pub(super) fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![root];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| step.of(value)).collect();
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// The first thing it finds, as text.
    pub(super) fn text(&self, root: &Value) -> Option<String> {
        self.find(root).first().map(|value| text_of(value))
    }
}

/// A scalar as stages compare it.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Step {
    fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Step::Field(name) => value.get(name).into_iter().collect(),
            Step::Element(index) => value.get(index).into_iter().collect(),
            Step::Each => match value {
                Value::Array(items) => items.iter().collect(),
                Value::Object(fields) => fields.values().collect(),
                _ => Vec::new(),
            },
            Step::Select { path, equals, literal } => {
                let holds = path.find(value).contains(&literal) || (literal.is_null() && path.find(value).is_empty());
                if holds == *equals { vec![value] } else { Vec::new() }
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn wrong(&self) -> String {
        let at = self.text.len() - self.rest.len();
        format!(
            "{:?} is not understood at character {}: only paths, `[]` and `select(path == literal)` are",
            self.text,
            at + 1
        )
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.spaces();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn needs(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err(self.wrong()) }
    }

    fn pipeline(&mut self) -> Result<Query, String> {
        let mut steps = Vec::new();
        loop {
            if self.takes("select") {
                steps.push(self.select()?);
            } else {
                self.path(&mut steps)?;
            }
            if !self.takes("|") {
                return Ok(Query { steps });
            }
        }
    }

    fn path(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        self.needs(".")?;
        if let Some(name) = self.name() {
            steps.push(Step::Field(name));
        }
        loop {
            if self.rest.starts_with('[') {
                steps.push(self.bracket()?);
            } else if self.rest.starts_with(".[") {
                self.rest = &self.rest[1..];
                steps.push(self.bracket()?);
            } else if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                steps.push(Step::Field(self.name().ok_or_else(|| self.wrong())?));
            } else {
                // What follows `?` is only how absence is treated, and absence is never an error here.
                if !self.rest.starts_with('?') {
                    return Ok(());
                }
                self.rest = &self.rest[1..];
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        if self.rest.starts_with('"') {
            return self.literal().and_then(|value| value.as_str().map(str::to_owned));
        }
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|character: char| character.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        Some(name.to_owned())
    }

    fn bracket(&mut self) -> Result<Step, String> {
        self.needs("[")?;
        if self.takes("]") {
            return Ok(Step::Each);
        }
        self.spaces();
        let step = match self.literal() {
            Some(Value::String(name)) => Step::Field(name),
            Some(Value::Number(index)) => {
                let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
                Step::Element(index.ok_or_else(|| self.wrong())?)
            }
            _ => return Err(self.wrong()),
        };
        self.needs("]")?;
        Ok(step)
    }

    fn select(&mut self) -> Result<Step, String> {
        self.needs("(")?;
        let mut steps = Vec::new();
        self.spaces();
        self.path(&mut steps)?;
        let equals = if self.takes("==") {
            true
        } else {
            self.needs("!=")?;
            false
        };
        self.spaces();
        let literal = self.literal().ok_or_else(|| self.wrong())?;
        self.needs(")")?;
        Ok(Step::Select { path: Query { steps }, equals, literal })
    }

    /// A JSON scalar.
    fn literal(&mut self) -> Option<Value> {
        let end = if self.rest.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            values.next()?.ok()?;
            values.byte_offset()
        } else {
            let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+');
            self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len())
        };
        let value = serde_json::from_str(&self.rest[..end]).ok()?;
        self.rest = &self.rest[end..];
        Some(value)
    }
}
