//! Walking a JSON document alongside the schema of its type, for the merges
//! that depend on merge keys and patch strategies. Where the schema ends, a
//! node is unknown and merges as plain JSON; nothing here fails.

use api::schema::{Field, Shape, Type, TypeTable};

/// A type table and the name of the type that a document has in it.
pub type Schema<'a> = (&'a TypeTable, &'a str);

/// What is known of one place in a document.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    known: Option<(&'a TypeTable, Known<'a>)>,
}

#[derive(Clone, Copy)]
enum Known<'a> {
    Root(&'a Type),
    Shape(&'a Shape),
}

/// How the value of a field merges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Strategy<'a> {
    /// The field is replaced whole, even where it is a map.
    pub replace: bool,
    /// A list merges item by item.
    pub merge: bool,
    /// Keys that the new value does not state are dropped.
    pub retain_keys: bool,
    /// Zero, false and empty values are the same as absent ones.
    pub omit_zero: bool,
    /// What identifies the items of a merging list of maps; empty for a list of scalars.
    pub merge_key: &'a str,
}

impl<'a> Node<'a> {
    pub fn root(schema: Option<Schema<'a>>) -> Self {
        let known = schema.and_then(|(table, name)| table.by_name(name).map(|kind| (table, Known::Root(kind))));
        Node { known }
    }

    /// The node and the strategy of a field or map entry.
    pub fn child(self, name: &str) -> (Node<'a>, Strategy<'a>) {
        let unknown = (Node { known: None }, Strategy::default());
        let Some((table, known)) = self.known else { return unknown };
        let kind = match known {
            Known::Root(kind) => kind,
            Known::Shape(Shape::Object(id)) => table.get(*id),
            Known::Shape(Shape::Map(inner)) => {
                return (Node { known: Some((table, Known::Shape(inner))) }, Strategy::default());
            }
            Known::Shape(_) => return unknown,
        };
        match kind.field(name) {
            Some(field) => (Node { known: Some((table, Known::Shape(&field.shape))) }, strategy(field)),
            None => unknown,
        }
    }

    /// The node of the items of a list.
    pub fn item(self) -> Node<'a> {
        match self.known {
            Some((table, Known::Shape(Shape::List(inner)))) => Node { known: Some((table, Known::Shape(inner))) },
            _ => Node { known: None },
        }
    }

    /// Whether the schema says anything of this place.
    pub fn is_known(self) -> bool {
        self.known.is_some()
    }

    /// Whether a map of free keys stands here.
    pub fn is_map(self) -> bool {
        matches!(self.known, Some((_, Known::Shape(Shape::Map(_)))))
    }

    /// The name of the type that stands here, with its package; empty if it has no fields.
    pub fn type_name(self) -> &'a str {
        match self.known {
            Some((_, Known::Root(kind))) => &kind.name,
            Some((table, Known::Shape(Shape::Object(id)))) => &table.get(*id).name,
            _ => "",
        }
    }

    /// The shape that stands here, if the schema says.
    pub fn shape(self) -> Option<&'a Shape> {
        match self.known {
            Some((_, Known::Shape(shape))) => Some(shape),
            _ => None,
        }
    }
}

fn strategy(field: &Field) -> Strategy<'_> {
    let has = |wanted: &str| field.patch_strategy.split(',').any(|strategy| strategy == wanted);
    Strategy {
        replace: has("replace"),
        merge: has("merge"),
        retain_keys: has("retainKeys"),
        omit_zero: field.omit_zero,
        merge_key: &field.patch_merge_key,
    }
}

/// The deepest nesting of a value; a scalar has none.
pub(crate) fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
