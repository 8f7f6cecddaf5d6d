//! A kind with one field of everything that structured merge tells apart.

use std::sync::LazyLock;

use serde_json::json;

use crate::structural::Schema;
use crate::structured::Node;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "text": text,
                    "number": number,
                    "set": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
                    "numbers": {"type": "array", "items": number, "x-kubernetes-list-type": "set"},
                    "atomicList": {"type": "array", "items": {"type": "object", "properties": {"a": text}}},
                    "keyed": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {"name": text, "value": text, "inner": {"type": "object", "properties": {"x": number, "y": number}}},
                        },
                    },
                    "ports": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["port", "protocol"],
                        "items": {
                            "type": "object",
                            "required": ["port"],
                            "properties": {"port": number, "protocol": {"type": "string", "default": "TCP"}, "note": text},
                        },
                    },
                    "map": {"type": "object", "additionalProperties": text},
                    "atomicMap": {"type": "object", "additionalProperties": text, "x-kubernetes-map-type": "atomic"},
                    "struct": {"type": "object", "properties": {"p": text, "q": text, "deep": {"type": "object", "properties": {"r": text}}}},
                    "atomicStruct": {"type": "object", "properties": {"p": text, "q": text}, "x-kubernetes-map-type": "atomic"},
                    "any": {"x-kubernetes-preserve-unknown-fields": true},
                    "open": {"type": "object", "properties": {"known": text}, "x-kubernetes-preserve-unknown-fields": true},
                    "intOrString": {"x-kubernetes-int-or-string": true},
                },
            },
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        },
    });
    Schema::compile(&schema, "schema").expect("the schema is structural")
});

/// The kind's objects.
pub fn node() -> Node<'static> {
    Node::of_schema(&SCHEMA)
}
