//! The names of a definition: what they must look like. Whether others hold
//! them is not known here.

use api::Cause;
use machinery::validate;

use super::super::spec::Names;
use super::label_problem;

/// Checks a group.
pub(super) fn group(group: &str, causes: &mut Vec<Cause>) {
    let field = "spec.group";
    let problems = validate::dns_subdomain(group);
    if group.is_empty() {
        causes.push(validate::required(field, ""));
    } else if !problems.is_empty() {
        causes.push(validate::invalid(field, group, &problems.join(",")));
    } else if !group.contains('.') {
        causes.push(validate::invalid(field, group, "should be a domain with at least one dot"));
    }
}

/// Checks the names of a kind.
pub(super) fn check(names: &Names, causes: &mut Vec<Cause>) {
    let field = |name: &str| format!("spec.names.{name}");
    for (name, text) in [
        ("plural", &names.plural),
        ("singular", &names.singular),
        ("kind", &names.kind),
        ("listKind", &names.list_kind),
    ] {
        if text.is_empty() {
            causes.push(validate::required(&field(name), ""));
            continue;
        }
        let is_kind = name == "kind" || name == "listKind";
        let judged = if is_kind { text.to_lowercase() } else { text.clone() };
        if let Some(problem) = label_problem(&judged) {
            let mixed = if is_kind { "may have mixed case, but should otherwise match: " } else { "" };
            causes.push(validate::invalid(&field(name), text, &format!("{mixed}{problem}")));
        }
    }
    for (list, texts) in [("shortNames", &names.short_names), ("categories", &names.categories)] {
        for (index, text) in texts.iter().enumerate() {
            if let Some(problem) = label_problem(text) {
                causes.push(validate::invalid(&format!("spec.names.{list}[{index}]"), text, &problem));
            }
        }
    }
    if !names.kind.is_empty() && names.kind == names.list_kind {
        let why = "kind and listKind may not be the same";
        causes.push(validate::invalid(&field("listKind"), &names.list_kind, why));
    }
}
