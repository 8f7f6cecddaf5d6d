//! The pieces that schemas of definitions are made of here, with descriptions as
//! long and as many as in definitions of the field: of 49 real ones (Argo CD,
//! cert-manager, Crossplane, External Secrets, Argo Workflows) those that have
//! descriptions give them 0.5 to 0.7 of their bytes, and 103 bytes to a field.
//! Everything drawn comes from a seed.

use serde_json::{Map, Value, json};

const WORDS: &[&str] = &[
    "the",
    "a",
    "of",
    "to",
    "is",
    "that",
    "resource",
    "controller",
    "specifies",
    "which",
    "name",
    "field",
    "when",
    "object",
    "reference",
    "secret",
    "namespace",
    "must",
    "be",
    "set",
    "and",
    "or",
    "default",
    "value",
    "used",
    "for",
    "if",
    "not",
    "specified",
    "will",
    "provider",
    "cluster",
    "list",
    "configuration",
    "certificate",
    "request",
    "status",
    "version",
    "container",
    "policy",
    "source",
    "optional",
    "more",
    "information",
    "by",
    "this",
    "in",
];

/// A source of numbers that are the same in every run.
pub struct Draw(u64);

impl Draw {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }

    /// A word.
    pub fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    /// A sentence of about `length` bytes.
    pub fn sentence(&mut self, length: usize) -> String {
        let mut text = String::from("It");
        while text.len() < length {
            text.push(' ');
            text.push_str(self.word());
        }
        text.push('.');
        text
    }

    /// The name of a field, as long as most are.
    pub fn field(&mut self, number: usize) -> String {
        let second = self.word();
        let (head, tail) = second.split_at(1);
        format!("{}{}{tail}{number}", self.word(), head.to_uppercase())
    }

    /// A description for most of the schemas that are handed in.
    pub fn described(&mut self, mut schema: Value) -> Value {
        if let Some(fields) = schema.as_object_mut().filter(|_| self.below(10) != 0) {
            let length = 20 + self.below(80) + self.below(3) * self.below(90);
            fields.insert("description".into(), json!(self.sentence(length)));
        }
        schema
    }
}

/// A text.
pub fn text() -> Value {
    json!({"type": "string"})
}

/// A number.
pub fn integer() -> Value {
    json!({"type": "integer", "format": "int64"})
}

/// Yes or no.
pub fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// A list.
pub fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// A map of texts.
pub fn texts() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

/// An object with these fields, of which some must be there.
pub fn object(draw: &mut Draw, required: &[&str], fields: Vec<(&str, Value)>) -> Value {
    let described = |(name, schema): (&str, Value)| (name.to_owned(), draw.described(schema));
    let properties: Map<String, Value> = fields.into_iter().map(described).collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A definition of one version with the schema of its spec and of its status.
pub fn definition(group: &str, kind: &str, draw: &mut Draw, spec: Value, status: Value) -> Value {
    let singular = kind.to_lowercase();
    let plural = format!("{singular}s");
    let top = vec![("apiVersion", text()), ("kind", text()), ("spec", spec), ("status", status)];
    let mut top = object(draw, &["spec"], top);
    // Nothing more may be said of it, not even a description.
    top["properties"]["metadata"] = json!({"type": "object"});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": top},
                "additionalPrinterColumns": [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
            }],
        },
    })
}
