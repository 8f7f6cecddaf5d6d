//! The compiled form of a schema: small nodes in one table, with what they
//! check in another, names and values in pools. Equal parts stand there once.
//! Nothing in this file reads schemas or objects.

use serde_json::Value;

use super::format::Format;

/// Index of a node.
pub(super) type NodeId = u32;
/// Index of a name.
pub(super) type NameId = u32;
/// No node, or no name.
pub(super) const NONE: u32 = u32::MAX;

/// Part of one of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Span {
    pub start: u32,
    pub len: u32,
}

impl Span {
    pub(super) fn of<T>(self, table: &[T]) -> &[T] {
        let start = self.start as usize;
        table.get(start..start + self.len as usize).unwrap_or_default()
    }
}

/// What a schema states as its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Type {
    #[default]
    None,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Type {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "" => Type::None,
            "object" => Type::Object,
            "array" => Type::Array,
            "string" => Type::String,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Type::None => "",
            Type::Object => "object",
            Type::Array => "array",
            Type::String => "string",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Boolean => "boolean",
        }
    }
}

/// Yes-or-no facts of a node, as bits.
pub(super) mod flag {
    pub(in super::super) const NULLABLE: u16 = 1;
    pub(in super::super) const PRESERVE_UNKNOWN: u16 = 1 << 1;
    pub(in super::super) const EMBEDDED: u16 = 1 << 2;
    pub(in super::super) const INT_OR_STRING: u16 = 1 << 3;
    pub(in super::super) const LIST_SET: u16 = 1 << 4;
    pub(in super::super) const LIST_MAP: u16 = 1 << 5;
    pub(in super::super) const MAP_ATOMIC: u16 = 1 << 6;
    /// `additionalProperties: true`.
    pub(in super::super) const ADDITIONAL_ALLOWED: u16 = 1 << 7;
    /// `additionalProperties: false`.
    pub(in super::super) const ADDITIONAL_FORBIDDEN: u16 = 1 << 8;
    /// A default is stated here.
    pub(in super::super) const DEFAULT: u16 = 1 << 9;
    /// A default is stated somewhere below.
    pub(in super::super) const DEFAULT_BELOW: u16 = 1 << 10;
    /// A list of type set or map stands here or below.
    pub(in super::super) const LIST_BELOW: u16 = 1 << 11;
    /// An embedded resource stands here or below.
    pub(in super::super) const EMBEDDED_BELOW: u16 = 1 << 12;
    /// A rule in CEL is stated here.
    pub(in super::super) const RULES: u16 = 1 << 13;
}

/// One place of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub kind: Type,
    pub flags: u16,
    /// Schema of what no property names.
    pub additional: NodeId,
    pub items: NodeId,
    /// In `Tables::properties`, ordered by name.
    pub properties: Span,
    /// In `Tables::checks`.
    pub checks: Span,
}

/// A property of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Property {
    pub name: NameId,
    pub node: NodeId,
}

/// Something a node demands or states beyond its type. Numbers are kept as bits, so that
/// checks can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Check {
    Format(Format),
    Maximum {
        bits: u64,
        exclusive: bool,
    },
    Minimum {
        bits: u64,
        exclusive: bool,
    },
    MultipleOf {
        bits: u64,
    },
    MaxLength(i64),
    MinLength(i64),
    MaxItems(i64),
    MinItems(i64),
    MaxProperties(i64),
    MinProperties(i64),
    Pattern(NameId),
    /// Names in `Tables::lists`.
    Required(Span),
    /// Texts in `Tables::lists`: what enums nearly always are.
    EnumTexts(Span),
    /// Values in `Tables::values`.
    EnumValues(Span),
    /// Nodes in `Tables::lists`.
    AllOf(Span),
    AnyOf(Span),
    OneOf(Span),
    Not(NodeId),
    /// Value in `Tables::values`.
    Default(u32),
    /// Names in `Tables::lists`.
    ListKeys(Span),
    /// In `Tables::rules`.
    Rules(Span),
}

/// A rule in CEL, as names; absent texts are `NONE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RuleTexts {
    pub rule: NameId,
    pub message: NameId,
    pub message_expression: NameId,
    pub reason: NameId,
    pub field_path: NameId,
    pub optional_old_self: bool,
}

/// Everything a schema consists of.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub nodes: Box<[Node]>,
    pub properties: Box<[Property]>,
    pub checks: Box<[Check]>,
    pub lists: Box<[u32]>,
    pub values: Box<[Value]>,
    pub rules: Box<[RuleTexts]>,
    pub text: Box<str>,
    /// Where each name ends in `text`.
    pub ends: Box<[u32]>,
}

/// What an index that leads nowhere stands for: a schema that demands nothing.
static ANYTHING: Node = Node {
    kind: Type::None,
    flags: 0,
    additional: NONE,
    items: NONE,
    properties: Span { start: 0, len: 0 },
    checks: Span { start: 0, len: 0 },
};

impl Tables {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&ANYTHING)
    }

    pub(super) fn name(&self, id: NameId) -> &str {
        let index = id as usize;
        let Some(&end) = self.ends.get(index) else { return "" };
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn checks(&self, node: &Node) -> &[Check] {
        node.checks.of(&self.checks)
    }

    pub(super) fn properties(&self, node: &Node) -> &[Property] {
        node.properties.of(&self.properties)
    }

    /// The node of a property that is stated by name.
    pub(super) fn property(&self, node: &Node, name: &str) -> Option<NodeId> {
        let properties = self.properties(node);
        let at = properties.binary_search_by(|property| self.name(property.name).cmp(name)).ok()?;
        Some(properties[at].node)
    }

    /// The node of a property, stated by name or not.
    pub(super) fn field(&self, node: &Node, name: &str) -> Option<NodeId> {
        self.property(node, name).or((node.additional != NONE).then_some(node.additional))
    }

    pub(super) fn default_of(&self, node: &Node) -> Option<&Value> {
        if node.flags & flag::DEFAULT == 0 {
            return None;
        }
        self.checks(node).iter().find_map(|check| match check {
            Check::Default(index) => self.values.get(*index as usize),
            _ => None,
        })
    }

    pub(super) fn list_keys(&self, node: &Node) -> &[NameId] {
        let keys = self.checks(node).iter().find_map(|check| match check {
            Check::ListKeys(span) => Some(*span),
            _ => None,
        });
        keys.unwrap_or_default().of(&self.lists)
    }

    /// Bytes on the heap.
    pub(super) fn size_bytes(&self) -> usize {
        size_of_val(&*self.nodes)
            + size_of_val(&*self.properties)
            + size_of_val(&*self.checks)
            + size_of_val(&*self.lists)
            + size_of_val(&*self.rules)
            + size_of_val(&*self.ends)
            + self.text.len()
            + self.values.iter().map(value_bytes).sum::<usize>()
    }
}

/// About what a value costs, with what it points to.
pub(super) fn value_bytes(value: &Value) -> usize {
    /// Room for eleven keys and values, which even a small map takes.
    const MAP_LEAF: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;
    size_of::<Value>()
        + match value {
            Value::String(text) => text.capacity(),
            Value::Array(list) => list.iter().map(value_bytes).sum(),
            Value::Object(map) if map.is_empty() => 0,
            Value::Object(map) => {
                let held = |(key, value): (&String, &Value)| key.capacity() + value_bytes(value);
                MAP_LEAF * map.len().div_ceil(6) + map.iter().map(held).sum::<usize>()
            }
            _ => 0,
        }
}
