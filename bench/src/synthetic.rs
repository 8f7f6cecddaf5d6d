//! Definitions made up to be like those of the field in size, depth and mix of
//! keywords. The same seed gives the same schema under any name.

use serde_json::{Map, Value, json};

use crate::schema::{self, Draw};

/// Depth below `spec` at which nesting ends; real ones reach 4 to 18.
const DEPTH: usize = 8;

/// A definition of about `size` bytes of JSON.
pub fn definition(seed: u64, name: &str, size: usize) -> Value {
    let mut draw = Draw::new(seed);
    let mut properties = Map::new();
    let mut written = 0;
    // Names and the status take the rest of the size.
    while written + 1200 < size {
        let number = properties.len();
        let property = nested(&mut draw, DEPTH.min(2 + number % DEPTH));
        written += property.to_string().len() + 20;
        properties.insert(draw.field(number), property);
    }
    let required: Vec<&String> = properties.keys().take(2).collect();
    let spec = json!({"type": "object", "required": required, "properties": properties});
    let status = conditions(&mut draw);
    schema::definition("synthetic.bench.example.com", name, &mut draw, spec, status)
}

/// A branch as it appears in real definitions: mostly objects that hold leaves and one deeper object.
fn nested(draw: &mut Draw, depth: usize) -> Value {
    if depth == 0 {
        return leaf(draw);
    }
    let mut properties = Map::new();
    for number in 0..2 + draw.below(4) {
        let schema = leaf(draw);
        properties.insert(draw.field(number), draw.described(schema));
    }
    let deeper = nested(draw, depth - 1);
    properties.insert("template".into(), draw.described(deeper));
    let mut schema = json!({"type": "object", "properties": properties});
    match draw.below(8) {
        0 => schema = map_list(draw, schema),
        1 | 2 => schema = schema::list(schema),
        3 => schema["x-kubernetes-map-type"] = json!("atomic"),
        _ => {}
    }
    draw.described(schema)
}

/// A list whose items are told apart by their names.
fn map_list(draw: &mut Draw, mut items: Value) -> Value {
    let name = draw.described(json!({"type": "string", "minLength": 1, "maxLength": 63}));
    items["properties"]["name"] = name;
    items["required"] = json!(["name"]);
    if let Some(fields) = items.as_object_mut() {
        fields.remove("x-kubernetes-map-type");
    }
    json!({
        "type": "array",
        "items": items,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    })
}

/// The mix of real ones: half texts; in a hundred, some two or three of each keyword.
fn leaf(draw: &mut Draw) -> Value {
    match draw.below(40) {
        0 => json!({"type": "string", "enum": ["Always", "IfNotPresent", "Never"], "default": "IfNotPresent"}),
        1 => json!({"type": "string", "enum": ["Cluster", "Namespace"]}),
        2 => json!({"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"}),
        3 => json!({"type": "string", "minLength": 1, "maxLength": 253}),
        4 => json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true}),
        5 => json!({"type": "integer", "format": "int32", "minimum": 0, "default": 3}),
        6 => json!({"type": "boolean", "default": false}),
        7 => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        8 => json!({"type": "string", "format": "date-time"}),
        9..=11 => schema::texts(),
        12..=14 => schema::list(schema::text()),
        15..=18 => schema::boolean(),
        19 | 20 => schema::integer(),
        _ => schema::text(),
    }
}

/// The conditions of a status as controller-gen writes them.
fn conditions(draw: &mut Draw) -> Value {
    let fields = vec![
        ("lastTransitionTime", json!({"type": "string", "format": "date-time"})),
        ("message", json!({"type": "string", "maxLength": 32768})),
        ("observedGeneration", json!({"type": "integer", "format": "int64", "minimum": 0})),
        ("reason", json!({"type": "string", "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"})),
        ("status", json!({"type": "string", "enum": ["True", "False", "Unknown"]})),
        ("type", json!({"type": "string", "maxLength": 316})),
    ];
    let condition = schema::object(draw, &["lastTransitionTime", "message", "reason", "status", "type"], fields);
    let list = json!({
        "type": "array",
        "items": condition,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    });
    schema::object(draw, &[], vec![("conditions", list)])
}
