//! One place of a schema, as those ask who merge, convert or describe objects.
//! It only reads: a place judges no value.

use std::fmt;

use api::schema::ListType;
use serde_json::Value;

use super::node::{Check, NONE, Node, NodeId, RuleTexts, Tables, Type, flag};

/// What a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object: properties or a map.
    Object,
    /// A list.
    Array,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A whole number or text.
    IntOrString,
    /// Anything: the schema states no type.
    Any,
}

/// One place of a schema.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    tables: &'a Tables,
    id: NodeId,
}

/// A rule in CEL (`x-kubernetes-validations`); absent texts are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// The expression.
    pub rule: &'a str,
    /// What to say when it does not hold.
    pub message: &'a str,
    /// An expression for what to say.
    pub message_expression: &'a str,
    /// The reason of the cause.
    pub reason: &'a str,
    /// The field to name, from this place.
    pub field_path: &'a str,
    /// Whether it also runs when there is no old value.
    pub optional_old_self: bool,
}

impl<'a> Place<'a> {
    pub(super) fn new(tables: &'a Tables, id: NodeId) -> Self {
        Place { tables, id }
    }

    fn node(self) -> &'a Node {
        self.tables.node(self.id)
    }

    fn has(self, flag: u16) -> bool {
        self.node().flags & flag != 0
    }

    fn below(self, id: NodeId) -> Option<Place<'a>> {
        (id != NONE).then_some(Place { tables: self.tables, id })
    }

    /// What stands here.
    pub fn kind(self) -> Kind {
        if self.has(flag::INT_OR_STRING) {
            return Kind::IntOrString;
        }
        match self.node().kind {
            Type::None => Kind::Any,
            Type::Object => Kind::Object,
            Type::Array => Kind::Array,
            Type::String => Kind::String,
            Type::Integer => Kind::Integer,
            Type::Number => Kind::Number,
            Type::Boolean => Kind::Boolean,
        }
    }

    /// The place of a field: a property, else what additional properties are.
    pub fn field(self, name: &str) -> Option<Place<'a>> {
        self.tables.field(self.node(), name).and_then(|id| self.below(id))
    }

    /// The place of a property that the schema names.
    pub fn property(self, name: &str) -> Option<Place<'a>> {
        self.tables.property(self.node(), name).and_then(|id| self.below(id))
    }

    /// The properties that are named, in the order of their names.
    pub fn properties(self) -> impl Iterator<Item = (&'a str, Place<'a>)> {
        let tables = self.tables;
        tables
            .properties(self.node())
            .iter()
            .map(move |property| (tables.name(property.name), Place { tables, id: property.node }))
    }

    /// The place of fields that no property names.
    pub fn additional(self) -> Option<Place<'a>> {
        self.below(self.node().additional)
    }

    /// The place of a list's items.
    pub fn item(self) -> Option<Place<'a>> {
        self.below(self.node().items)
    }

    /// How a list merges.
    pub fn list_type(self) -> ListType {
        if self.has(flag::LIST_SET) {
            ListType::Set
        } else if self.has(flag::LIST_MAP) {
            ListType::Map
        } else {
            ListType::Atomic
        }
    }

    /// The fields that a list's items are known by.
    pub fn list_map_keys(self) -> impl Iterator<Item = &'a str> {
        let tables = self.tables;
        tables.list_keys(self.node()).iter().map(move |name| tables.name(*name))
    }

    /// Whether an object is replaced whole.
    pub fn is_atomic_map(self) -> bool {
        self.has(flag::MAP_ATOMIC)
    }

    /// Whether fields that are not named stay.
    pub fn preserves_unknown(self) -> bool {
        self.has(flag::PRESERVE_UNKNOWN)
    }

    /// Whether an object of its own stands here.
    pub fn is_embedded_resource(self) -> bool {
        self.has(flag::EMBEDDED)
    }

    /// Whether null may stand here.
    pub fn is_nullable(self) -> bool {
        self.has(flag::NULLABLE)
    }

    /// What stands here if nothing is said.
    pub fn default(self) -> Option<&'a Value> {
        self.tables.default_of(self.node())
    }

    /// The rules in CEL of this place.
    pub fn rules(self) -> impl Iterator<Item = Rule<'a>> {
        let tables = self.tables;
        let span = tables.checks(self.node()).iter().find_map(|check| match check {
            Check::Rules(span) => Some(*span),
            _ => None,
        });
        let read = move |texts: &'a RuleTexts| Rule {
            rule: tables.name(texts.rule),
            message: tables.name(texts.message),
            message_expression: tables.name(texts.message_expression),
            reason: tables.name(texts.reason),
            field_path: tables.name(texts.field_path),
            optional_old_self: texts.optional_old_self,
        };
        span.unwrap_or_default().of(&tables.rules).iter().map(read)
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} at node {}", self.kind(), self.id)
    }
}
