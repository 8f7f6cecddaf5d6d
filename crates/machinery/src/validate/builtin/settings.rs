//! Rules for `ConfigMap` and `Secret`: keys that can be files, what a type of secret must
//! hold, and what no longer changes once it is immutable.

use serde_json::{Value, json};

use super::Object;
use super::findings::Findings;
use super::places::{at, entries, text};

/// What a secret of a type must hold; of the types with `false` one of them is enough.
const NEEDED: &[(&str, &[&str], bool)] = &[
    ("kubernetes.io/dockercfg", &[".dockercfg"], true),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"], true),
    ("kubernetes.io/basic-auth", &["username", "password"], false),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"], true),
    ("kubernetes.io/tls", &["tls.crt", "tls.key"], true),
];

/// Checks a `ConfigMap`.
pub(super) fn config_map(object: &Object, found: &mut Findings) {
    for (key, _) in entries(object, "data") {
        let field = format!("data[{key}]");
        check_key(key, &field, found);
        if entries(object, "binaryData").any(|(other, _)| other == key) {
            found.invalid(&field, &json!(key), "duplicate of key present in binaryData");
        }
    }
    for (key, _) in entries(object, "binaryData") {
        check_key(key, &format!("binaryData[{key}]"), found);
    }
}

/// Checks a `Secret`.
pub(super) fn secret(object: &Object, found: &mut Findings) {
    for (key, _) in entries(object, "data") {
        check_key(key, &format!("data[{key}]"), found);
    }
    let of = text(object, "type");
    let has = |name: &str| entries(object, "data").any(|(key, _)| key == name);
    for (_, names, all) in NEEDED.iter().filter(|(name, ..)| *name == of) {
        let missing: Vec<&&str> = names.iter().filter(|name| !has(name)).collect();
        if *all || missing.len() == names.len() {
            missing.iter().for_each(|name| found.required(&format!("data[{name}]"), ""));
        }
    }
    const ACCOUNT: &str = "kubernetes.io/service-account.name";
    let is_named = entries(object, "metadata.annotations")
        .any(|(key, value)| key == ACCOUNT && value.as_str().is_some_and(|name| !name.is_empty()));
    if of == "kubernetes.io/service-account-token" && !is_named {
        found.required(&format!("metadata.annotations[{ACCOUNT}]"), "");
    }
}

fn check_key(key: &str, field: &str, found: &mut Findings) {
    if key.len() > 253 {
        found.invalid(field, &json!(key), "must be no more than 253 characters");
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if key.is_empty() || !key.bytes().all(is_plain) {
        let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
            'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
        found.invalid(field, &json!(key), why);
    }
    if key == "." || key == ".." {
        found.invalid(field, &json!(key), &format!("must not be '{key}'"));
    } else if key.starts_with("..") {
        found.invalid(field, &json!(key), "must not start with '..'");
    }
}

/// Checks what of a `ConfigMap` or `Secret` changes.
pub(super) fn update(old: &Object, new: &Object, found: &mut Findings) {
    const WHY: &str = "field is immutable when `immutable` is set";
    let is_fixed = |object: &Object| at(object, "immutable") == Some(&json!(true));
    if !is_fixed(old) {
        return;
    }
    if !is_fixed(new) {
        found.forbidden("immutable", WHY);
    }
    for field in ["data", "binaryData"] {
        let is_filled = |value: &&Value| value.as_object().is_none_or(|map| !map.is_empty());
        if at(old, field).filter(is_filled) != at(new, field).filter(is_filled) {
            found.forbidden(field, WHY);
        }
    }
}
