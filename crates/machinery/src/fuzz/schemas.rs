//! Schemas of CustomResourceDefinitions, valid and not, and objects under them.

use serde_json::{Value, json};

use super::run;
use super::shapes::{self, map};
use crate::openapi::{KindSchema, Resource, Types, document};
use crate::structural::{Schema, selectable_field};
use crate::structured::{self, Duplicates, Node};

#[test]
fn structural() {
    run("fuzz::schemas::structural", |source| {
        let schema = match source.below(5) {
            0 => shapes::any(source, 6),
            _ => json!({"type": "object", "properties": {"spec": shapes::object_schema(source, 4)}}),
        };
        let compiled = Schema::compile(&schema, "at");
        let is_valid = compiled.is_ok();
        if let Err(causes) = &compiled {
            assert!(causes.len() <= 1000, "{}", causes.len());
        }
        let compiled = compiled.unwrap_or_else(|_| Schema::compile_stored(&schema));
        let wild = source.once_in(4);
        let mut next = || map(if wild { shapes::any(source, 5) } else { shapes::fitting(source, &schema, 6) });
        let (mut object, old) = (next(), next());
        compiled.malformed(&object);
        compiled.prune(&mut object);
        let mut again = object.clone();
        assert_eq!((compiled.prune(&mut again), &again), (Vec::new(), &object), "pruned twice under {schema}");
        compiled.default(&mut object);
        let mut again = object.clone();
        compiled.default(&mut again);
        assert_eq!(again, object, "defaulted twice under {schema}");
        // As in Kubernetes, defaults below `additionalProperties` are not looked at.
        if is_valid && !schema.to_string().contains("additionalProperties") {
            assert_eq!(compiled.prune(&mut again), Vec::<String>::new(), "a default is pruned under {schema}");
        }
        let causes = compiled.validate(&object, None);
        assert!(causes.len() < 1000);
        if causes.is_empty() {
            assert_eq!(compiled.validate(&object, Some(&object)), Vec::new(), "what is valid stays so: {schema}");
        }
        compiled.validate(&object, Some(&old));
        compiled.validate_status(&object, &old);
        selectable_field(compiled.root(), source.pick(&[".spec.a", ".spec.b.c", "", ".", "spec", ".spec[0]"])).ok();
        let value = Value::Object(object);
        let node = Node::of_schema(&compiled);
        if structured::validate(node, &value, Duplicates::Refused).is_ok() {
            let merged = structured::merge(node, &value, &value).expect("it fits");
            assert_eq!(merged, value);
            assert!(structured::compare(node, &value, &value).expect("it fits").is_same());
        }
    });
}

#[test]
fn openapi() {
    run("fuzz::schemas::openapi", |source| {
        let schema = match source.below(3) {
            0 => shapes::any(source, 6),
            _ => {
                json!({"type": "object", "properties": {"spec": shapes::schema(source, 4), "metadata": shapes::any(source, 2)}})
            }
        };
        let kind = api::KindDescriptor {
            gvk: api::Gvk::new("x.example.com", "v1", "Thing"),
            plural: "things".into(),
            list_kind: "ThingList".into(),
            type_name: "".into(),
            ..crate::fixtures::kind("apps", "Deployment")
        };
        let resource = Resource { kind: &kind, schema: KindSchema::Custom(&schema), subresources: &[] };
        let docs = api::builtin::docs();
        let types = Types { table: api::builtin::types(), docs: &docs };
        let bytes = document("x.example.com", "v1", &[resource], types, "v1.36.0");
        let document: Value = serde_json::from_slice(&bytes).expect("a document is JSON");
        assert!(document["components"]["schemas"].get("com.example.x.v1.Thing").is_some());
    });
}
