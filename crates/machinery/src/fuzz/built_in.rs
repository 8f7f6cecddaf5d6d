//! Objects of built-in kinds, right and wrong: decoding, completing, defaulting, validation,
//! table columns.

use api::KindDescriptor;
use serde_json::{Map, Value, json};

use super::shapes::{self, map};
use super::{Source, run};
use crate::{decode, defaults, validate};

fn any_kind(source: &mut Source<'_>) -> &'static KindDescriptor {
    const USUAL: [&str; 8] =
        ["Pod", "Deployment", "Service", "StatefulSet", "CronJob", "PersistentVolumeClaim", "Ingress", "NetworkPolicy"];
    let kinds = api::builtin::kinds();
    let any = &kinds[source.below(kinds.len())];
    let name = if source.once_in(2) { &any.gvk.kind } else { source.pick(&USUAL) };
    kinds.iter().find(|kind| &*kind.gvk.kind == name).unwrap_or(any)
}

fn object(source: &mut Source<'_>, kind: &KindDescriptor, wrong: usize) -> Map<String, Value> {
    let table = api::builtin::types();
    let id = table.id(&kind.type_name).expect("a built-in kind has a type");
    let mut object = map(shapes::typed(source, table, id, 7, wrong));
    object.insert("apiVersion".into(), json!(kind.gvk.api_version()));
    object.insert("kind".into(), json!(&*kind.gvk.kind));
    object
}

#[test]
fn decoding() {
    run("fuzz::built_in::decoding", |source| {
        let table = api::builtin::types();
        let kind = any_kind(source);
        let id = table.id(&kind.type_name).expect("a built-in kind has a type");
        let wrong = source.pick(&[0, 40, 8]);
        let mut held = object(source, kind, wrong);
        let numbers = source.pick(&[decode::Numbers::AsWritten, decode::Numbers::ByValue]);
        let text = Value::Object(held.clone()).to_string();
        match decode::builtin_with(table, id, &mut held, numbers) {
            Err(error) => {
                let order = decode::order(text.as_bytes(), &error.paths());
                assert!(!error.in_order(&order).to_string().is_empty());
            }
            Ok(unknown) => {
                assert!(unknown.len() <= decode::MOST_FINDINGS);
                decode::order(text.as_bytes(), &unknown);
                let mut again = held.clone();
                let unknown = decode::builtin_with(table, id, &mut again, numbers).expect("it was read before");
                assert_eq!((&again, unknown), (&held, Vec::new()), "decoding twice");
                decode::complete(table, id, &mut again);
                let completed = again.clone();
                decode::complete(table, id, &mut again);
                assert_eq!(again, completed, "completing twice");
                decode::builtin_with(table, id, &mut again, numbers).expect("what is complete can be read");
                decode::complete(table, id, &mut again);
                assert_eq!(again, completed, "reading what is complete");
            }
        }
        decode::metadata(table, &mut held).ok();
    });
}

#[test]
fn defaulting() {
    run("fuzz::built_in::defaulting", |source| {
        let kind = any_kind(source);
        let wrong = source.pick(&[0, 30, 5, 2]);
        let mut filled = object(source, kind, wrong);
        defaults::apply(api::builtin::types(), &kind.type_name, &mut filled);
        let once = filled.clone();
        defaults::apply(api::builtin::types(), &kind.type_name, &mut filled);
        // What is of another type than its field was refused before, or may come to rest later.
        if wrong == 0 {
            assert_eq!(filled, once);
        }
    });
}

#[test]
fn validation() {
    run("fuzz::built_in::validation", |source| {
        let kind = any_kind(source);
        let wrong = source.pick(&[0, 30, 5, 2]);
        let mut new = object(source, kind, wrong);
        let mut old = if source.once_in(3) { new.clone() } else { object(source, kind, wrong) };
        if source.once_in(2) {
            defaults::apply(api::builtin::types(), &kind.type_name, &mut new);
            defaults::apply(api::builtin::types(), &kind.type_name, &mut old);
        }
        let causes = validate::builtin_create(kind, &new);
        assert!(causes.len() < 2000, "{}", causes.len());
        let changed = validate::builtin_update(kind, &old, &new);
        assert!(changed.len() < 2000, "{}", changed.len());
        let now = jiff::Timestamp::UNIX_EPOCH;
        let whole = Value::Object(new);
        let columns = crate::table::columns(kind).len();
        assert_eq!(crate::table::cells(kind, &whole, now).len(), columns);
        crate::table::row_conditions(kind, &whole);
    });
}

#[test]
fn metadata() {
    run("fuzz::built_in::metadata", |source| {
        let table = api::builtin::types();
        let id = table.id("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta").expect("there is metadata");
        let kind = any_kind(source);
        let read = |source: &mut Source<'_>| {
            let mut meta = map(shapes::typed(source, table, id, 4, 30));
            decode::builtin(table, id, &mut meta).ok()?;
            serde_json::from_value::<api::ObjectMeta>(Value::Object(meta)).ok()
        };
        if let (Some(new), Some(old)) = (read(source), read(source)) {
            validate::metadata(kind, &new);
            validate::metadata_update(kind, &new, &old);
        }
    });
}
