//! Label selectors: the text grammar and `metav1.LabelSelector` objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::Error;
use crate::validate::{label_value, qualified_name, quote};

/// A conjunction of requirements on labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector {
    /// `None` matches nothing at all, as a missing selector of a workload does.
    requirements: Option<Vec<Requirement>>,
}

/// One requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Label key.
    pub key: String,
    /// How the label relates to the values.
    pub operator: Operator,
    /// Sorted values; one for the comparing operators, none for the existence operators.
    pub values: Vec<String>,
}

/// How a label relates to the values of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

impl LabelSelector {
    /// Matches every object.
    pub fn everything() -> Self {
        LabelSelector { requirements: Some(Vec::new()) }
    }

    /// Matches no object.
    pub fn nothing() -> Self {
        LabelSelector { requirements: None }
    }

    /// Reads the text grammar, for example `app=web,tier in (a,b),!legacy`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parser = Parser { tokens: lex(text), position: 0 };
        let mut requirements = parser.requirements()?;
        requirements.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(LabelSelector { requirements: Some(requirements) })
    }

    /// Reads a `metav1.LabelSelector`: null matches nothing, `{}` everything.
    pub fn from_object(selector: &Value) -> Result<Self, Error> {
        if selector.is_null() {
            return Ok(Self::nothing());
        }
        let mut requirements = Vec::new();
        for (key, value) in selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push(Requirement::new(key, Operator::Equals, vec![value])?);
        }
        for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            requirements.push(Requirement::from_expression(expression)?);
        }
        requirements.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(LabelSelector { requirements: Some(requirements) })
    }

    /// Reads a plain map of labels that must all be equal, as Services and ReplicationControllers
    /// select; a missing or empty map matches nothing.
    pub fn from_map(labels: &Value) -> Self {
        let Some(labels) = labels.as_object().filter(|labels| !labels.is_empty()) else {
            return Self::nothing();
        };
        let requirements = labels
            .iter()
            .map(|(key, value)| Requirement {
                key: key.clone(),
                operator: Operator::Equals,
                values: vec![value.as_str().unwrap_or_default().to_owned()],
            })
            .collect();
        LabelSelector { requirements: Some(requirements) }
    }

    /// Whether labels, given by a lookup, satisfy every requirement.
    pub fn matches<'a>(&self, mut lookup: impl FnMut(&str) -> Option<&'a str>) -> bool {
        self.requirements.as_ref().is_some_and(|requirements| {
            requirements.iter().all(|requirement| requirement.matches(lookup(&requirement.key)))
        })
    }

    /// Whether a map of labels satisfies every requirement.
    pub fn matches_map(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches(|key| labels.get(key).map(String::as_str))
    }

    /// Whether the labels of an object satisfy every requirement.
    pub fn matches_object(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.matches(|key| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str))
    }

    /// Whether every object matches.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(Vec::is_empty)
    }

    /// The requirements; `None` if nothing can match.
    pub fn requirements(&self) -> Option<&[Requirement]> {
        self.requirements.as_deref()
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().flatten().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(out, "{separator}{requirement}")?;
        }
        Ok(())
    }
}

impl Requirement {
    /// A checked requirement.
    pub fn new(key: &str, operator: Operator, mut values: Vec<String>) -> Result<Self, Error> {
        let mut problems = Vec::new();
        problem("key", key, &qualified_name(key), &mut problems);
        let bad_values = |why: &str| format!("values: Invalid value: {}: {why}", serde_json::json!(values));
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                problems.push(bad_values("for 'in', 'notin' operators, values set can't be empty"));
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals if values.len() != 1 => {
                problems.push(bad_values("exact-match compatibility requires one single value"));
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                problems.push(bad_values("values set must be empty for exists and does not exist"));
            }
            Operator::GreaterThan | Operator::LessThan => {
                if values.len() != 1 {
                    problems.push(bad_values("for 'Gt', 'Lt' operators, exactly one value is required"));
                }
                for (index, value) in values.iter().enumerate().filter(|(_, value)| value.parse::<i64>().is_err()) {
                    problems.push(format!(
                        "values[{index}]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an integer",
                        quote(value)
                    ));
                }
            }
            _ => {}
        }
        for (index, value) in values.iter().enumerate() {
            problem(&format!("values[{index}][{key}]"), value, &label_value(value), &mut problems);
        }
        match problems.len() {
            0 => {}
            1 => return Err(Error(problems.remove(0))),
            _ => return Err(Error(format!("[{}]", problems.join(", ")))),
        }
        values.sort();
        Ok(Requirement { key: key.to_owned(), operator, values })
    }

    fn from_expression(expression: &Value) -> Result<Self, Error> {
        let text = |name: &str| expression.get(name).and_then(Value::as_str).unwrap_or_default();
        let operator = match text("operator") {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(Error(format!("{} is not a valid label selector operator", quote(other)))),
        };
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        let values = values.map(|value| value.as_str().unwrap_or_default().to_owned()).collect();
        Requirement::new(text("key"), operator, values)
    }

    /// Whether a label with this value, or its absence, satisfies the requirement.
    pub fn matches(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|wanted| wanted == value);
        match (self.operator, value) {
            (Operator::Exists, value) => value.is_some(),
            (Operator::DoesNotExist, value) => value.is_none(),
            (Operator::In | Operator::Equals | Operator::DoubleEquals, value) => value.is_some_and(listed),
            (Operator::NotIn | Operator::NotEquals, value) => !value.is_some_and(listed),
            (Operator::GreaterThan | Operator::LessThan, None) => false,
            (Operator::GreaterThan | Operator::LessThan, Some(value)) => {
                match (value.parse::<i64>(), self.values.first().map(|bound| bound.parse::<i64>())) {
                    (Ok(value), Some(Ok(bound))) if self.operator == Operator::GreaterThan => value > bound,
                    (Ok(value), Some(Ok(bound))) => value < bound,
                    _ => false,
                }
            }
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, values) = (&self.key, self.values.join(","));
        match self.operator {
            Operator::In => write!(out, "{key} in ({values})"),
            Operator::NotIn => write!(out, "{key} notin ({values})"),
            Operator::Equals => write!(out, "{key}={values}"),
            Operator::DoubleEquals => write!(out, "{key}=={values}"),
            Operator::NotEquals => write!(out, "{key}!={values}"),
            Operator::Exists => write!(out, "{key}"),
            Operator::DoesNotExist => write!(out, "!{key}"),
            Operator::GreaterThan => write!(out, "{key}>{values}"),
            Operator::LessThan => write!(out, "{key}<{values}"),
        }
    }
}

fn problem(field: &str, value: &str, why: &[String], problems: &mut Vec<String>) {
    if !why.is_empty() {
        problems.push(format!("{field}: Invalid value: {}: {}", quote(value), why.join("; ")));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    End,
    Symbol(&'a str),
    Word(&'a str),
    /// Special characters that form no symbol.
    Broken(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Token::End => "",
            Token::Symbol(text) | Token::Word(text) | Token::Broken(text) => text,
        }
    }
}

const SYMBOLS: [&str; 9] = [")", ",", "!", "==", "=", ">", "<", "!=", "("];

fn is_special(character: char) -> bool {
    "=!(),><".contains(character)
}

fn is_space(character: char) -> bool {
    " \t\r\n".contains(character)
}

fn lex(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let length = if is_special(first) {
            let longest = rest.chars().take(2).take_while(|character| is_special(*character)).count();
            (1..=longest).rev().find(|length| SYMBOLS.contains(&&rest[..*length])).unwrap_or(0)
        } else {
            rest.find(|character| is_special(character) || is_space(character)).unwrap_or(rest.len())
        };
        if length == 0 {
            tokens.push(Token::Broken(&rest[..1]));
            break;
        }
        let (token, tail) = rest.split_at(length);
        tokens.push(if is_special(first) { Token::Symbol(token) } else { Token::Word(token) });
        rest = tail.trim_start_matches(is_space);
    }
    tokens
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.position).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.position += 1;
        token
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>, Error> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::End => return Ok(requirements),
                Token::Word(_) | Token::Symbol("!") => {}
                token => return Err(found(token, "!, identifier, or 'end of string'")),
            }
            let requirement =
                self.requirement().map_err(|Error(why)| Error(format!("unable to parse requirement: {why}")))?;
            requirements.push(requirement);
            match self.next() {
                Token::End => return Ok(requirements),
                Token::Symbol(",") => match self.peek() {
                    Token::Word(_) | Token::Symbol("!") => {}
                    token => return Err(found(token, "identifier after ','")),
                },
                token => return Err(found(token, "',' or 'end of string'")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, Error> {
        let negated = self.peek() == Token::Symbol("!");
        if negated {
            self.position += 1;
        }
        let key = match self.next() {
            Token::Word(key) => key,
            token => return Err(found(token, "identifier")),
        };
        let problems = qualified_name(key);
        if !problems.is_empty() {
            return Err(Error(format!("<nil>: Invalid value: {}: {}", quote(key), problems.join("; "))));
        }
        if negated {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        Requirement::new(key, operator, values)
    }

    fn operator(&mut self) -> Result<Operator, Error> {
        Ok(match self.next() {
            Token::Word("in") => Operator::In,
            Token::Word("notin") => Operator::NotIn,
            Token::Symbol("=") => Operator::Equals,
            Token::Symbol("==") => Operator::DoubleEquals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            token => return Err(found(token, "in, notin, =, ==, !=, gt, lt")),
        })
    }

    fn values(&mut self) -> Result<Vec<String>, Error> {
        match self.next() {
            Token::Symbol("(") => {}
            token => return Err(Error(format!("found '{}' expected: '('", token.text()))),
        }
        // An empty place between commas or parentheses stands for the empty value.
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.insert(value.to_owned());
                    match self.next() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => return Ok(values.into_iter().collect()),
                        token => return Err(found(token, "',' or ')'")),
                    }
                    if self.peek() == Token::Symbol(")") {
                        values.insert(String::new());
                    }
                }
                Token::Symbol(",") => {
                    values.insert(String::new());
                }
                Token::Symbol(")") => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    return Ok(values.into_iter().collect());
                }
                token if values.is_empty() => return Err(found(token, "',', ')' or identifier")),
                token => return Err(found(token, "',', or identifier")),
            }
        }
    }

    fn exact_value(&mut self) -> Result<String, Error> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(String::new()),
            Token::Word(value) => {
                self.position += 1;
                Ok(value.to_owned())
            }
            token => Err(found(token, "identifier")),
        }
    }
}

fn found(token: Token<'_>, expected: &str) -> Error {
    Error(format!("found '{}', expected: {expected}", token.text()))
}
