//! How objects get from one version to another: not at all, or through a
//! webhook. Webhooks are checked as Kubernetes checks them and accepted; calling
//! them is not this file's business.

use api::Cause;
use machinery::validate;
use serde_json::{Value, json};

use super::super::spec::{ClientConfig, Conversion, ServiceReference};
use super::{invalid, label_problem, unsupported};

const VERSIONS: &str = "spec.conversion.conversionReviewVersions";
const CONFIG: &str = "spec.conversion.webhookClientConfig";

/// Checks a conversion.
pub(super) fn check(conversion: Option<&Conversion>, causes: &mut Vec<Cause>) {
    let Some(conversion) = conversion else { return };
    match conversion.strategy.as_str() {
        "" => causes.push(validate::required("spec.conversion.strategy", "")),
        "None" | "Webhook" => {}
        other => causes.push(unsupported("spec.conversion.strategy", other, &["None", "Webhook"])),
    }
    let config = conversion.webhook.as_ref().and_then(|webhook| webhook.client_config.as_ref());
    let versions = conversion.webhook.as_ref().map(|webhook| webhook.conversion_review_versions.as_slice());
    let versions = versions.unwrap_or_default();
    if conversion.strategy == "Webhook" {
        match config {
            Some(config) => client_config(config, causes),
            None => causes.push(validate::required(CONFIG, "required when strategy is set to Webhook")),
        }
        review_versions(versions, causes);
        return;
    }
    let why = "should not be set when strategy is not set to Webhook";
    if config.is_some() {
        causes.push(validate::forbidden(CONFIG, why));
    }
    if !versions.is_empty() {
        causes.push(validate::forbidden(VERSIONS, why));
    }
}

fn client_config(config: &ClientConfig, causes: &mut Vec<Cause>) {
    match (&config.url, &config.service) {
        (Some(url), None) => check_url(url, causes),
        (None, Some(reference)) => service(reference, causes),
        _ => causes.push(validate::required(CONFIG, "exactly one of url or service is required")),
    }
}

fn check_url(text: &str, causes: &mut Vec<Cause>) {
    const FORM: &str = "; desired format: https://host[/path]";
    let field = format!("{CONFIG}.url");
    let url = match url::Url::parse(text) {
        Ok(url) => url,
        Err(error) => {
            causes.push(validate::required(&field, &format!("url must be a valid URL: {error}{FORM}")));
            return;
        }
    };
    if url.scheme() != "https" {
        let why = format!("'https' is the only allowed URL scheme{FORM}");
        causes.push(validate::invalid(&field, url.scheme(), &why));
    }
    if url.host_str().is_none_or(str::is_empty) {
        causes.push(validate::invalid(&field, "", &format!("host must be specified{FORM}")));
    }
    if !url.username().is_empty() {
        let user = url.password().map_or(url.username().to_owned(), |word| format!("{}:{word}", url.username()));
        causes.push(validate::invalid(&field, &user, "user information is not permitted in the URL"));
    }
    for (part, why) in [
        (url.fragment(), "fragments are not permitted in the URL"),
        (url.query(), "query parameters are not permitted in the URL"),
    ] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            causes.push(validate::invalid(&field, part, why));
        }
    }
}

fn service(service: &ServiceReference, causes: &mut Vec<Cause>) {
    let field = |name: &str| format!("{CONFIG}.service.{name}");
    for (name, text) in [("name", &service.name), ("namespace", &service.namespace)] {
        if text.is_empty() {
            causes.push(validate::required(&field(name), ""));
        }
    }
    let port = service.port.unwrap_or(443);
    if !(1..=65535).contains(&port) {
        let why = "port is not valid: must be between 1 and 65535, inclusive";
        causes.push(invalid(&field("port"), &Value::from(port), why));
    }
    let path = service.path.as_deref().unwrap_or_default();
    if path.is_empty() || path == "/" {
        return;
    }
    let mut refuse = |why: &str| causes.push(validate::invalid(&field("path"), path, why));
    if path == "//" {
        return refuse("segment[0] may not be empty");
    }
    if !path.starts_with('/') {
        refuse("must start with a '/'");
    }
    let mut characters = path.chars();
    characters.next();
    let steps = characters.as_str();
    for (index, step) in steps.strip_suffix('/').unwrap_or(steps).split('/').enumerate() {
        if step.is_empty() {
            refuse(&format!("segment[{index}] may not be empty"));
            continue;
        }
        for problem in validate::dns_subdomain(step) {
            refuse(&format!("segment[{index}]: {problem}"));
        }
    }
}

fn review_versions(versions: &[String], causes: &mut Vec<Cause>) {
    if versions.is_empty() {
        causes.push(validate::required(VERSIONS, ""));
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        let field = format!("{VERSIONS}[{index}]");
        if versions[..index].contains(version) {
            causes.push(validate::invalid(&field, version, "duplicate version"));
        } else if let Some(problem) = label_problem(version) {
            causes.push(validate::invalid(&field, version, &problem));
        }
    }
    if !versions.iter().any(|version| version == "v1" || version == "v1beta1") {
        causes.push(invalid(VERSIONS, &json!(versions), "must include at least one of v1, v1beta1"));
    }
}
