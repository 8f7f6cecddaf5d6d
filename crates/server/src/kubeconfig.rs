//! The administrator's kubeconfig, as JSON, which every reader of YAML reads.

use base::Diagnostic;
use serde_json::{Value, json};

use crate::Config;
use crate::layout::{Layout, write_private};
use crate::pki::Pair;

/// Name of the context, cluster and user that a platform's kubeconfig holds.
pub fn context_name(platform: &str) -> String {
    format!("coracle-{platform}")
}

/// Writes the kubeconfig of a platform into its directory.
pub fn write(layout: &Layout, config: &Config, api_url: &str, ca_pem: &str, admin: &Pair) -> Result<(), Diagnostic> {
    let text = machinery::yaml::to_string(&document(config, api_url, ca_pem, admin));
    write_private(&layout.kubeconfig(), text.as_bytes()).map_err(|error| {
        Diagnostic::new("unusable-directory", format!("{} cannot be written", layout.kubeconfig().display()))
            .detail(error)
            .hint("check its owner and permissions")
    })
}

fn document(config: &Config, api_url: &str, ca_pem: &str, admin: &Pair) -> Value {
    let name = context_name(&config.name);
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {
            "server": api_url,
            "certificate-authority-data": base64(ca_pem),
        }}],
        "users": [{"name": name, "user": {
            "client-certificate-data": base64(&admin.certificate),
            "client-key-data": base64(&admin.key),
        }}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "preferences": {},
    })
}

fn base64(text: &str) -> String {
    apiserver::record::base64(text.as_bytes())
}
