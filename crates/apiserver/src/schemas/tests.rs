//! Schemas are shared by content and forgotten with their last user.

use std::sync::Arc;

use serde_json::json;

use super::Schemas;

#[test]
fn equal_schemas_are_one_and_unused_ones_go() {
    let schemas = Schemas::default();
    let schema = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
    assert!(schemas.find(&schema("a")).is_none());
    let first = schemas.of_stored(&schema("a"));
    let second = schemas.of_stored(&schema("a"));
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!Arc::ptr_eq(&first, &schemas.of_stored(&schema("b"))));
    assert!(schemas.find(&schema("b")).is_none());
    for index in 0..1000 {
        schemas.of_stored(&schema(&format!("p{index}")));
    }
    assert!(schemas.held.lock().len() < 300);
    assert!(Arc::ptr_eq(&first, &schemas.find(&schema("a")).expect("it is in use")));
}
