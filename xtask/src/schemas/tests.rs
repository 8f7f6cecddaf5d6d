//! Go declarations as Kubernetes writes them, without its modules.

use std::collections::BTreeMap;

use super::fetch::Sources;
use super::gostruct::{GoField, Package, Structs, parse_file};
use super::join::join;

const SOURCE: &str = r#"package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Mode says how.
// +enum
type Mode string

const (
	// ModeFast is fast.
	ModeFast Mode = "Fast"
	ModeSlow Mode = "Slow"
	Other Kind = "NotAMode"
)

type Kind string

// Thing is a thing.
type Thing struct {
	metav1.TypeMeta `json:",inline"`
	// Name of it. `backticks` do no harm here.
	Name string `json:"name,omitempty" protobuf:"bytes,1,opt,name=name"`
	Size *int32 `json:"size,omitempty" protobuf:"varint,2,opt,name=size"`
	Modes map[string][]Mode `json:"modes" protobuf:"bytes,3,rep,name=modes,casttype=Mode"`
	When metav1.Time `json:"when,omitempty,omitzero" protobuf:"bytes,4,opt,name=when"`
	Inner `json:",inline" protobuf:"bytes,5,opt,name=inner"`
	// Removed `json:"removed"`
	hidden string
}
"#;

fn parsed() -> Package {
    let mut package = Package::default();
    parse_file(SOURCE, "api/x/v1", &mut package);
    package
}

#[test]
fn structs_are_read_as_go_declares_them() {
    let package = parsed();
    let fields = &package.structs["Thing"];
    let field = |name: &str| fields.iter().find(|field| field.json == name).unwrap();
    assert_eq!(fields.len(), 6);
    assert_eq!((field("name").tag, field("name").omit, field("name").pointer), (1, true, false));
    assert!(field("size").pointer);
    assert_eq!(field("modes").base, ("api/x/v1".to_owned(), "Mode".to_owned()));
    assert!(!field("modes").omit);
    assert_eq!(field("when").base, ("apimachinery/pkg/apis/meta/v1".to_owned(), "Time".to_owned()));
    assert!(field("when").omit_struct);
    assert_eq!(field("name").declared, "string");
    assert_eq!(field("size").declared, "int32");
    assert_eq!(field("modes").declared, "map[string][]v1.Mode");
    assert_eq!(field("when").declared, "v1.Time");
    let embedded: Vec<&GoField> = fields.iter().filter(|field| field.inline).collect();
    assert_eq!(
        embedded.iter().map(|field| (field.tag, &*field.base.1)).collect::<Vec<_>>(),
        [(0, "TypeMeta"), (5, "Inner")]
    );
}

#[test]
fn enumerations_are_those_marked() {
    let package = parsed();
    assert_eq!(package.enums, BTreeMap::from([("Mode".to_owned(), vec!["Fast".to_owned(), "Slow".to_owned()])]));
}

#[test]
fn a_schema_without_its_go_field_is_refused() {
    let sources = Sources { kubernetes: "nowhere".into(), staging: BTreeMap::new() };
    let schema = serde_json::json!({ "properties": { "name": { "type": "string" } } });
    let schemas = BTreeMap::from([("io.k8s.api.x.v1.Thing".to_owned(), schema)]);
    let error = join(&schemas, Structs::new(&sources)).unwrap_err();
    assert_eq!(format!("{error:#}"), "joining io.k8s.api.x.v1.Thing: no Go field for name");
}
