//! From the JSON of a schema to its compiled form. Equal parts are found by
//! comparing and kept once; descriptions and examples are left behind. It
//! builds what it is given: that a schema is valid is checked before.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::format::Format;
use super::node::{Check, NONE, NameId, Node, NodeId, Property, RuleTexts, Span, Tables, Type, flag};
use super::read;

/// Tables that grow, each with the way back from what it holds to where.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Node>,
    node_ids: HashMap<Node, NodeId>,
    properties: Vec<Property>,
    property_spans: HashMap<Box<[Property]>, Span>,
    checks: Vec<Check>,
    check_spans: HashMap<Box<[Check]>, Span>,
    lists: Vec<u32>,
    list_spans: HashMap<Box<[u32]>, Span>,
    values: Vec<Value>,
    value_ids: HashMap<String, Span>,
    rules: Vec<RuleTexts>,
    rule_spans: HashMap<Box<[RuleTexts]>, Span>,
    text: String,
    ends: Vec<u32>,
    names: HashMap<Box<str>, NameId>,
}

/// Where a part of a table begins and how long it is; tables of a bounded schema are short.
fn span_at(start: usize, len: usize) -> Span {
    let short = |count: usize| u32::try_from(count).unwrap_or(NONE);
    Span { start: short(start), len: short(len) }
}

fn intern<T: Copy + Eq + std::hash::Hash>(
    table: &mut Vec<T>,
    known: &mut HashMap<Box<[T]>, Span>,
    part: Vec<T>,
) -> Span {
    if part.is_empty() {
        return Span::default();
    }
    if let Some(span) = known.get(&part[..]) {
        return *span;
    }
    let span = span_at(table.len(), part.len());
    table.extend_from_slice(&part);
    known.insert(part.into_boxed_slice(), span);
    span
}

impl Builder {
    /// Ends the building.
    pub(super) fn finish(self) -> Tables {
        Tables {
            nodes: self.nodes.into_boxed_slice(),
            properties: self.properties.into_boxed_slice(),
            checks: self.checks.into_boxed_slice(),
            lists: self.lists.into_boxed_slice(),
            values: self.values.into_boxed_slice(),
            rules: self.rules.into_boxed_slice(),
            text: self.text.into_boxed_str(),
            ends: self.ends.into_boxed_slice(),
        }
    }

    fn name(&mut self, name: &str) -> NameId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = span_at(self.ends.len(), 0).start;
        self.text.push_str(name);
        self.ends.push(span_at(self.text.len(), 0).start);
        self.names.insert(name.into(), id);
        id
    }

    fn list(&mut self, part: Vec<u32>) -> Span {
        intern(&mut self.lists, &mut self.list_spans, part)
    }

    fn values(&mut self, values: &[Value]) -> Span {
        let text = serde_json::to_string(values).unwrap_or_default();
        if let Some(span) = self.value_ids.get(&text) {
            return *span;
        }
        let span = span_at(self.values.len(), values.len());
        self.values.extend_from_slice(values);
        self.value_ids.insert(text, span);
        span
    }

    /// Adds a schema and everything below it.
    pub(super) fn node(&mut self, schema: &Map<String, Value>) -> NodeId {
        let mut below = 0;
        let mut flags = flags_of(schema);
        let items = read::schema(schema, "items").map_or(NONE, |items| self.node_below(items, &mut below));
        let additional = match read::get(schema, "additionalProperties") {
            Some(Value::Object(schema)) => self.node_below(schema, &mut below),
            Some(Value::Bool(true)) => {
                flags |= flag::ADDITIONAL_ALLOWED;
                NONE
            }
            Some(Value::Bool(false)) => {
                flags |= flag::ADDITIONAL_FORBIDDEN;
                NONE
            }
            _ => NONE,
        };
        let properties = self.properties(schema, &mut below);
        let checks = self.checks(schema);
        let passed_up = flag::LIST_BELOW | flag::EMBEDDED_BELOW;
        flags |= below & passed_up;
        if below & (flag::DEFAULT | flag::DEFAULT_BELOW) != 0 {
            flags |= flag::DEFAULT_BELOW;
        }
        let kind = Type::of(read::text(schema, "type")).unwrap_or_default();
        let node = Node { kind, flags, additional, items, properties, checks };
        if let Some(id) = self.node_ids.get(&node) {
            return *id;
        }
        let id = span_at(self.nodes.len(), 0).start;
        self.nodes.push(node);
        self.node_ids.insert(node, id);
        id
    }

    fn node_below(&mut self, schema: &Map<String, Value>, below: &mut u16) -> NodeId {
        let id = self.node(schema);
        *below |= self.nodes.get(id as usize).map_or(0, |node| node.flags);
        id
    }

    fn properties(&mut self, schema: &Map<String, Value>, below: &mut u16) -> Span {
        let mut part = Vec::new();
        // The map is ordered by name, as the table must be.
        for (name, schema) in read::map(schema, "properties") {
            let Some(schema) = schema.as_object() else { continue };
            let node = self.node_below(schema, below);
            part.push(Property { name: self.name(name), node });
        }
        intern(&mut self.properties, &mut self.property_spans, part)
    }

    fn checks(&mut self, schema: &Map<String, Value>) -> Span {
        let mut part = Vec::new();
        if let Some(format) = Format::of(read::text(schema, "format"), type_of(schema)) {
            part.push(Check::Format(format));
        }
        let bits = |key: &str| read::number(schema, key).map(f64::to_bits);
        if let Some(bits) = bits("maximum") {
            part.push(Check::Maximum { bits, exclusive: read::flag(schema, "exclusiveMaximum") });
        }
        if let Some(bits) = bits("minimum") {
            part.push(Check::Minimum { bits, exclusive: read::flag(schema, "exclusiveMinimum") });
        }
        part.extend(bits("multipleOf").map(|bits| Check::MultipleOf { bits }));
        let count = |key: &str| read::count(schema, key);
        part.extend(count("maxLength").map(Check::MaxLength));
        part.extend(count("minLength").map(Check::MinLength));
        part.extend(count("maxItems").map(Check::MaxItems));
        part.extend(count("minItems").map(Check::MinItems));
        part.extend(count("maxProperties").map(Check::MaxProperties));
        part.extend(count("minProperties").map(Check::MinProperties));
        match read::text(schema, "pattern") {
            "" => {}
            pattern => part.push(Check::Pattern(self.name(pattern))),
        }
        part.extend(self.named(schema, "required").map(Check::Required));
        part.extend(self.enumeration(schema));
        self.branches(schema, &mut part);
        if let Some(default) = read::get(schema, "default") {
            part.push(Check::Default(self.values(std::slice::from_ref(default)).start));
        }
        part.extend(self.named(schema, "x-kubernetes-list-map-keys").map(Check::ListKeys));
        part.extend(self.rules(schema).map(Check::Rules));
        intern(&mut self.checks, &mut self.check_spans, part)
    }

    fn named(&mut self, schema: &Map<String, Value>, key: &str) -> Option<Span> {
        let names: Vec<u32> = read::texts(schema, key).map(|name| self.name(name)).collect();
        (!names.is_empty()).then(|| self.list(names))
    }

    fn enumeration(&mut self, schema: &Map<String, Value>) -> Option<Check> {
        let values = read::list(schema, "enum");
        if values.is_empty() {
            return None;
        }
        if values.iter().all(Value::is_string) {
            return self.named(schema, "enum").map(Check::EnumTexts);
        }
        Some(Check::EnumValues(self.values(values)))
    }

    fn branches(&mut self, schema: &Map<String, Value>, part: &mut Vec<Check>) {
        for key in ["anyOf", "oneOf", "allOf"] {
            let nodes: Vec<u32> = read::schemas(schema, key).map(|schema| self.node(schema)).collect();
            if !nodes.is_empty() {
                let span = self.list(nodes);
                part.push(match key {
                    "anyOf" => Check::AnyOf(span),
                    "oneOf" => Check::OneOf(span),
                    _ => Check::AllOf(span),
                });
            }
        }
        part.extend(read::schema(schema, "not").map(|schema| Check::Not(self.node(schema))));
    }

    fn rules(&mut self, schema: &Map<String, Value>) -> Option<Span> {
        let mut part = Vec::new();
        for rule in read::schemas(schema, "x-kubernetes-validations") {
            let mut named = |key: &str| match read::text(rule, key) {
                "" => NONE,
                text => self.name(text),
            };
            part.push(RuleTexts {
                rule: named("rule"),
                message: named("message"),
                message_expression: named("messageExpression"),
                reason: named("reason"),
                field_path: named("fieldPath"),
                optional_old_self: read::flag(rule, "optionalOldSelf"),
            });
        }
        (!part.is_empty()).then(|| intern(&mut self.rules, &mut self.rule_spans, part))
    }
}

/// The types that a value may have, as formats ask.
fn type_of(schema: &Map<String, Value>) -> &str {
    if read::flag(schema, "x-kubernetes-int-or-string") { "" } else { read::text(schema, "type") }
}

fn flags_of(schema: &Map<String, Value>) -> u16 {
    let mut flags = 0;
    for (key, bits) in [
        ("nullable", flag::NULLABLE),
        ("x-kubernetes-preserve-unknown-fields", flag::PRESERVE_UNKNOWN),
        ("x-kubernetes-embedded-resource", flag::EMBEDDED | flag::EMBEDDED_BELOW),
        ("x-kubernetes-int-or-string", flag::INT_OR_STRING),
    ] {
        if read::flag(schema, key) {
            flags |= bits;
        }
    }
    match read::text(schema, "x-kubernetes-list-type") {
        "set" => flags |= flag::LIST_SET | flag::LIST_BELOW,
        "map" => flags |= flag::LIST_MAP | flag::LIST_BELOW,
        _ => {}
    }
    if read::text(schema, "x-kubernetes-map-type") == "atomic" {
        flags |= flag::MAP_ATOMIC;
    }
    if read::get(schema, "default").is_some() {
        flags |= flag::DEFAULT;
    }
    if !read::list(schema, "x-kubernetes-validations").is_empty() {
        flags |= flag::RULES;
    }
    flags
}
