//! One place in a schema as structured merge sees it: a map, a list or a scalar,
//! and whether it is one thing or many. Built-in types, CustomResourceDefinitions
//! and places without a schema all answer the same questions.

use api::schema::{Field, ListType, Shape, Type, TypeTable};
use serde_json::Value;

use crate::structural::{Kind as PlaceKind, Place, Schema};

/// The type of the metadata of every object.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Stands for any list.
static NO_ITEMS: Value = Value::Array(Vec::new());

/// A place in a schema.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    /// The schema knows no such field.
    Undeclared,
    /// Anything, replaced whole.
    Opaque,
    /// Anything: maps merge by entry, lists are replaced.
    Deduced,
    /// An object type.
    Object { table: &'a TypeTable, kind: &'a Type, is_atomic: bool },
    /// A place in the schema of a CustomResourceDefinition. A whole object has type and metadata
    /// beside what its schema says; below a place that keeps unknown fields, all places do.
    Custom { place: Place<'a>, is_object: bool, is_open: bool },
    /// What a field, an item or an entry holds; the field says how lists merge.
    Shape { table: &'a TypeTable, shape: &'a Shape, field: Option<&'a Field> },
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    /// A map or an object.
    Map(MapForm<'a>),
    /// A list.
    List(ListForm<'a>),
    /// Text, a number or a truth value.
    Scalar(Scalar),
    /// Nothing may stand here.
    Nothing,
}

/// A map or an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct MapForm<'a> {
    /// Whether it is replaced whole.
    pub is_atomic: bool,
    /// Whether nothing is known of its fields.
    pub is_deduced: bool,
    node: Node<'a>,
}

/// A list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListForm<'a> {
    /// How its items are told apart.
    pub relation: ListType,
    /// What its items are.
    pub item: Node<'a>,
    holder: Node<'a>,
}

/// Which scalars may stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Numeric,
    String,
    Boolean,
    Any,
}

impl<'a> Node<'a> {
    /// A built-in type by its name; anything at all if the table does not know it.
    pub fn of_type(table: &'a TypeTable, name: &str) -> Node<'a> {
        let kind = table.by_name(name);
        Node { kind: kind.map_or(Kind::Deduced, |kind| Kind::Object { table, kind, is_atomic: kind.map_atomic }) }
    }

    /// The objects of a version of a CustomResourceDefinition.
    pub fn of_schema(schema: &'a Schema) -> Node<'a> {
        let place = schema.root();
        Node { kind: Kind::Custom { place, is_object: true, is_open: place.preserves_unknown() } }
    }

    /// A place of which nothing is known: maps merge by entry, lists are replaced.
    pub fn deduced() -> Node<'a> {
        Node { kind: Kind::Deduced }
    }

    fn opaque() -> Node<'a> {
        Node { kind: Kind::Opaque }
    }

    /// A place that no schema knows.
    pub(super) fn nothing() -> Node<'a> {
        Node { kind: Kind::Undeclared }
    }

    /// Whether the schema knows no such place.
    pub(super) fn is_undeclared(self) -> bool {
        matches!(self.kind, Kind::Undeclared)
    }

    /// The map that may stand here.
    pub(super) fn as_map(self) -> Option<MapForm<'a>> {
        match self.form(None) {
            Form::Map(form) => Some(form),
            _ => None,
        }
    }

    /// The list that may stand here.
    pub(super) fn as_list(self) -> Option<ListForm<'a>> {
        match self.form(Some(&NO_ITEMS)) {
            Form::List(form) => Some(form),
            _ => None,
        }
    }

    fn shape(table: &'a TypeTable, shape: &'a Shape, field: Option<&'a Field>) -> Node<'a> {
        match shape {
            Shape::Object(id) => {
                let kind = table.get(*id);
                let is_atomic = kind.map_atomic || field.is_some_and(|field| field.map_atomic);
                Node { kind: Kind::Object { table, kind, is_atomic } }
            }
            Shape::RawExtension => Node::opaque(),
            Shape::Json | Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings => Node::deduced(),
            _ => Node { kind: Kind::Shape { table, shape, field } },
        }
    }

    /// What stands here, given the value that does; where several forms are allowed, the value
    /// decides.
    pub(super) fn form(self, value: Option<&Value>) -> Form<'a> {
        match self.kind {
            Kind::Undeclared => Form::Nothing,
            Kind::Opaque | Kind::Deduced => self.form_of_value(value),
            Kind::Custom { place, is_object, is_open } => self.form_of_place(place, is_object, is_open, value),
            Kind::Object { is_atomic, .. } => Form::Map(MapForm { is_atomic, is_deduced: false, node: self }),
            Kind::Shape { table, shape, field } => match shape {
                Shape::Map(_) => {
                    let is_atomic = field.is_some_and(|field| field.map_atomic);
                    Form::Map(MapForm { is_atomic, is_deduced: false, node: self })
                }
                Shape::List(item) => {
                    let relation = field.map_or(ListType::Atomic, |field| field.list_type);
                    Form::List(ListForm { relation, item: Node::shape(table, item, None), holder: self })
                }
                Shape::FieldsV1 => Form::Map(MapForm { is_atomic: false, is_deduced: true, node: self }),
                Shape::String | Shape::Bytes | Shape::Duration => Form::Scalar(Scalar::String),
                Shape::Boolean => Form::Scalar(Scalar::Boolean),
                Shape::Int32 | Shape::Int64 | Shape::Double => Form::Scalar(Scalar::Numeric),
                _ => Form::Scalar(Scalar::Any),
            },
        }
    }

    fn form_of_place(self, place: Place<'a>, is_object: bool, is_open: bool, value: Option<&Value>) -> Form<'a> {
        let list = || {
            let item = place.item().map_or(Node::opaque(), |item| Node::below(item, is_open));
            Form::List(ListForm { relation: place.list_type(), item, holder: self })
        };
        let map = || {
            let knows_none = place.properties().next().is_none() && place.additional().is_none();
            let is_deduced = knows_none && !is_object;
            Form::Map(MapForm { is_atomic: place.is_atomic_map(), is_deduced, node: self })
        };
        match (place.kind(), value) {
            (PlaceKind::Object, _) => map(),
            (PlaceKind::Array, _) => list(),
            (PlaceKind::String, _) => Form::Scalar(Scalar::String),
            (PlaceKind::Integer | PlaceKind::Number, _) => Form::Scalar(Scalar::Numeric),
            (PlaceKind::Boolean, _) => Form::Scalar(Scalar::Boolean),
            (_, Some(Value::Array(_))) => list(),
            (_, Some(Value::String(_) | Value::Number(_) | Value::Bool(_))) => Form::Scalar(Scalar::Any),
            (_, Some(Value::Object(_) | Value::Null) | None) => map(),
        }
    }

    /// A place below another one of the same schema.
    fn below(place: Place<'a>, is_open: bool) -> Node<'a> {
        let is_open = is_open || place.preserves_unknown();
        Node { kind: Kind::Custom { place, is_object: place.is_embedded_resource(), is_open } }
    }

    /// A field that every object has.
    fn of_every_object(name: &str) -> Option<Node<'static>> {
        let types = api::builtin::types();
        match name {
            "metadata" => Some(Node::of_type(types, OBJECT_META)),
            "apiVersion" | "kind" => {
                Some(Node { kind: Kind::Shape { table: types, shape: &Shape::String, field: None } })
            }
            _ => None,
        }
    }

    fn form_of_value(self, value: Option<&Value>) -> Form<'a> {
        let is_atomic = matches!(self.kind, Kind::Opaque);
        match value {
            Some(Value::Array(_)) => {
                Form::List(ListForm { relation: ListType::Atomic, item: Node::opaque(), holder: self })
            }
            Some(Value::String(_) | Value::Number(_) | Value::Bool(_)) => Form::Scalar(Scalar::Any),
            Some(Value::Object(_) | Value::Null) | None => {
                Form::Map(MapForm { is_atomic, is_deduced: true, node: self })
            }
        }
    }

    /// The default of a field of an object, if it has one.
    fn default_of(self, name: &str) -> Option<Value> {
        match self.kind {
            Kind::Object { kind, .. } => {
                let default = &kind.field(name)?.default;
                if default.is_empty() { None } else { serde_json::from_str(default).ok() }
            }
            Kind::Custom { place, .. } => place.property(name)?.default().cloned(),
            _ => None,
        }
    }
}

impl<'a> MapForm<'a> {
    /// The place of a field or an entry, and whether the schema names it.
    pub fn field(self, name: &str) -> (Node<'a>, bool) {
        match self.node.kind {
            Kind::Object { table, kind, .. } => match kind.field(name) {
                Some(field) => (Node::shape(table, &field.shape, Some(field)), true),
                // An object without any field may hold anything.
                None if kind.fields.is_empty() => (Node::deduced(), false),
                None => (Node { kind: Kind::Undeclared }, false),
            },
            Kind::Shape { table, shape: Shape::Map(inner), .. } => (Node::shape(table, inner, None), false),
            Kind::Custom { place, is_object, is_open } => field_of_place(place, is_object, is_open, name),
            Kind::Opaque => (Node::opaque(), false),
            Kind::Undeclared => (self.node, false),
            Kind::Deduced | Kind::Shape { .. } => (Node::deduced(), false),
        }
    }
}

fn field_of_place<'a>(place: Place<'a>, is_object: bool, is_open: bool, name: &str) -> (Node<'a>, bool) {
    if is_object && let Some(node) = Node::of_every_object(name) {
        return (node, true);
    }
    if let Some(property) = place.property(name) {
        return (Node::below(property, is_open), true);
    }
    let knows_none = place.properties().next().is_none();
    match place.additional() {
        Some(additional) => (Node::below(additional, is_open), false),
        None if is_open || place.preserves_unknown() || (knows_none && !is_object) => (Node::deduced(), false),
        None => (Node::nothing(), false),
    }
}

impl<'a> ListForm<'a> {
    /// The names of the fields that tell items apart.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        let (fields, place) = match self.holder.kind {
            Kind::Shape { field: Some(field), .. } => (field.list_map_keys.as_slice(), None),
            Kind::Custom { place, .. } => (&[][..], Some(place)),
            _ => (&[][..], None),
        };
        fields.iter().map(|name| &**name).chain(place.into_iter().flat_map(Place::list_map_keys))
    }

    /// What a key is in items that do not state it.
    pub fn key_default(self, name: &str) -> Option<Value> {
        self.item.default_of(name)
    }
}
