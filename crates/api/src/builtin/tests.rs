//! The embedded data is whole: every reference resolves, every kind has its
//! type, and what is written down by hand names things that exist.

use super::*;
use crate::schema::{Empty, ListType, Shape};

fn kind(group: &str, version: &str, kind: &str) -> &'static Arc<KindDescriptor> {
    let gvk = Gvk::new(group, version, kind);
    kinds().iter().find(|descriptor| descriptor.gvk == gvk).unwrap_or_else(|| panic!("{gvk} is missing"))
}

fn field_of(type_name: &str, field: &str) -> &'static crate::schema::Field {
    types().by_name(type_name).unwrap().field(field).unwrap()
}

#[test]
fn every_object_shape_names_a_type() {
    for kind in types().types() {
        for id in kind.fields.iter().filter_map(|field| field.shape.object()) {
            assert!(id.index() < types().types().len(), "{} refers to type {}", kind.name, id.0);
        }
        for embedded in &kind.embedded {
            assert!(!types().get(embedded.kind).fields.is_empty(), "{} embeds nothing", kind.name);
        }
    }
    assert!(types().types().len() > 500);
    assert_eq!(release(), "v1.36.0");
    assert_eq!(VERSION.git_version.split('+').next(), Some(release()));
}

#[test]
fn tags_are_unique_in_their_message() {
    for kind in types().types() {
        let fields = kind.fields.iter().map(|field| field.tag);
        let mut tags: Vec<u32> = fields.chain(kind.embedded.iter().map(|embedded| embedded.tag)).collect();
        tags.retain(|tag| *tag != 0);
        tags.sort_unstable();
        let total = tags.len();
        tags.dedup();
        assert_eq!(tags.len(), total, "{} has two fields of one tag", kind.name);
    }
}

#[test]
fn every_kind_has_its_type() {
    for kind in kinds() {
        let of_kind = types().by_name(&kind.type_name).unwrap_or_else(|| panic!("no type {}", kind.type_name));
        assert_eq!(of_kind.gvk.as_ref(), Some(&kind.gvk));
        assert_eq!(type_of(&kind.gvk), types().id(&kind.type_name));
        assert!(of_kind.field("metadata").is_some(), "{} has no metadata", kind.gvk);
        let list = Gvk { kind: kind.list_kind.clone(), ..kind.gvk.clone() };
        assert!(kind.verbs == Verbs::Create || type_of(&list).is_some(), "no type for {list}");
        assert!(!kind.singular.is_empty());
    }
    assert_eq!(kinds().len(), 67);
}

#[test]
fn descriptors_state_what_kube_apiserver_does() {
    let deployment = kind("apps", "v1", "Deployment");
    assert_eq!((&*deployment.plural, &*deployment.singular), ("deployments", "deployment"));
    assert_eq!(deployment.short_names, ["deploy".into()]);
    assert_eq!(deployment.categories, ["all".into()]);
    assert!(deployment.namespaced && deployment.has_generation && deployment.subresources.status);
    assert_eq!(deployment.subresources.scale, Some(extra::scale_paths()));
    assert_eq!(deployment.verbs, Verbs::All);
    assert_eq!(deployment.storage_gvr(), deployment.gvr());

    assert_eq!(kind("", "v1", "Namespace").verbs, Verbs::AllButDeleteCollection);
    assert!(!kind("", "v1", "Namespace").namespaced);
    assert_eq!(kind("", "v1", "Endpoints").singular, "endpoints".into());
    assert_eq!(kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview").verbs, Verbs::Create);
    assert!(!kind("", "v1", "Secret").has_generation);
    assert_eq!(kind("events.k8s.io", "v1", "Event").storage_gvr(), kind("", "v1", "Event").gvr());
    assert_eq!(&*kind("autoscaling", "v1", "HorizontalPodAutoscaler").storage_version, "v2");
}

#[test]
fn subresources_name_kinds_that_can_be_decoded() {
    let pods = subresources(&Gvr::new("", "v1", "pods"));
    let eviction = pods.iter().find(|sub| &*sub.name == "eviction").unwrap();
    assert_eq!(eviction.gvk, Gvk::new("policy", "v1", "Eviction"));
    assert!(type_of(&eviction.gvk).is_some());
    let token = &subresources(&Gvr::new("", "v1", "serviceaccounts"))[0];
    assert_eq!((&*token.name, &*token.gvk.kind), ("token", "TokenRequest"));
    assert!(type_of(&token.gvk).is_some());
    assert!(subresources(&Gvr::new("", "v1", "secrets")).is_empty());
}

#[test]
fn delete_options_are_known_in_every_group() {
    let id = types().id("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
    for (group, version) in [("", "v1"), ("apps", "v1"), ("meta.k8s.io", "v1"), ("made.up", "v1beta1")] {
        assert_eq!(type_of(&Gvk::new(group, version, "DeleteOptions")), id);
    }
    assert_eq!(type_of(&Gvk::new("made.up", "v1", "Thing")), None);
}

#[test]
fn fields_carry_merge_rules_and_shapes() {
    let containers = field_of("io.k8s.api.core.v1.PodSpec", "containers");
    assert_eq!((&*containers.patch_merge_key, &*containers.patch_strategy), ("name", "merge"));
    assert_eq!((containers.list_type, containers.list_map_keys.as_slice()), (ListType::Map, &["name".into()][..]));
    assert!(containers.required);
    assert_eq!(&*field_of("io.k8s.api.core.v1.PodSpec", "volumes").patch_strategy, "merge,retainKeys");
    let protocol = field_of("io.k8s.api.core.v1.ContainerPort", "protocol");
    assert_eq!((&*protocol.default, protocol.enumeration.len()), ("\"TCP\"", 3));
    let replicas = field_of("io.k8s.api.apps.v1.DeploymentSpec", "replicas");
    assert_eq!((replicas.tag, &replicas.shape, replicas.omit_zero), (1, &Shape::Int32, false));
    assert!(field_of("io.k8s.api.apps.v1.DeploymentSpec", "paused").omit_zero);
    assert_eq!(field_of("io.k8s.api.core.v1.Secret", "data").shape, Shape::Map(Box::new(Shape::Bytes)));
    assert!(field_of("io.k8s.api.apps.v1.DeploymentSpec", "selector").map_atomic);
    assert_eq!(field_of("io.k8s.api.apps.v1.Deployment", "kind").tag, 0);
    let volume = types().by_name("io.k8s.api.core.v1.Volume").unwrap();
    assert_eq!(volume.field("emptyDir").unwrap().tag, 0);
    assert_eq!(types().get(volume.embedded[0].kind).name, "io.k8s.api.core.v1.VolumeSource".into());
}

#[test]
fn fields_say_what_go_writes_and_calls_them() {
    const CORE: &str = "io.k8s.api.core.v1";
    let meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    let cases = [
        (format!("{CORE}.PodSpec"), "containers", Empty::Null, "[]v1.Container"),
        (format!("{CORE}.PodSpec"), "restartPolicy", Empty::LeftOut, "v1.RestartPolicy"),
        (format!("{CORE}.Container"), "resources", Empty::Zero, "v1.ResourceRequirements"),
        (format!("{CORE}.ResourceRequirements"), "limits", Empty::LeftOut, "v1.ResourceList"),
        (format!("{CORE}.ServicePort"), "targetPort", Empty::Zero, "intstr.IntOrString"),
        (format!("{CORE}.PodCondition"), "lastProbeTime", Empty::Null, "v1.Time"),
        ("io.k8s.api.apps.v1.DeploymentSpec".to_owned(), "strategy", Empty::Zero, "v1.DeploymentStrategy"),
        ("io.k8s.api.apps.v1.DeploymentSpec".to_owned(), "replicas", Empty::LeftOut, "int32"),
        (meta.to_owned(), "creationTimestamp", Empty::LeftOut, "v1.Time"),
        (meta.to_owned(), "uid", Empty::LeftOut, "types.UID"),
    ];
    for (type_name, name, empty, go_type) in cases {
        let field = field_of(&type_name, name);
        let named = if field.go_type.is_empty() { types().go_name(&field.shape) } else { field.go_type.to_string() };
        assert_eq!((field.empty, named.as_str()), (empty, go_type), "{type_name}.{name}");
    }
}

#[test]
fn selectable_fields_exist() {
    for kind in kinds() {
        for path in &kind.selectable_fields {
            for source in selectable_source(&kind.gvk, path).0 {
                let mut shape = Shape::Object(type_of(&kind.gvk).unwrap());
                for part in source.split('.').skip(1) {
                    let inside = types().get(shape.object().unwrap());
                    shape = inside.field(part).unwrap_or_else(|| panic!("{} has no {source}", kind.gvk)).shape.clone();
                }
            }
        }
    }
    let job = Gvk::new("batch", "v1", "Job");
    assert_eq!(selectable_source(&job, ".status.successful"), (vec![".status.succeeded"], "0"));
}

#[test]
fn documentation_is_at_hand_but_not_resident() {
    let docs = docs();
    let id = types().id("io.k8s.api.core.v1.PodSpec").unwrap();
    assert_eq!(docs.of_type(id), "PodSpec is a description of a pod.");
    let position = types().get(id).fields.iter().position(|field| &*field.name == "containers").unwrap();
    assert!(docs.of_field(id, position).starts_with("List of containers belonging to the pod."));
    assert_eq!(docs.of_field(id, 10_000), "");
}

#[test]
fn encoding_is_deterministic() {
    let (tables, offset) = data::decode_tables(BYTES).unwrap();
    let docs = data::decode_docs(&BYTES[offset..]).unwrap();
    // Not compared with the file: which deflate the workspace builds with is not ours to say.
    let encoded = data::encode(&tables, &docs).unwrap();
    assert_eq!(encoded, data::encode(&tables, &docs).unwrap());
    let (again, offset) = data::decode_tables(&encoded).unwrap();
    assert_eq!((again, data::decode_docs(&encoded[offset..]).unwrap()), (tables, docs));
    assert!(BYTES.len() < 300_000);
}

#[test]
fn damaged_data_is_refused() {
    assert!(data::decode_tables(&BYTES[..BYTES.len() / 100]).is_err());
    assert!(data::decode_tables(b"not gzip").is_err());
    let shape = data::FieldData { name: "x".into(), shape: "[]nonsense".into(), ..Default::default() };
    let damaged = data::TypeData { fields: vec![shape], ..Default::default() };
    assert_eq!(damaged.into_type().unwrap_err().to_string(), "schema data names an unknown shape `nonsense`");
}
