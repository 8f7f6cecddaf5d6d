//! What values of flags mean, and what is said when they mean nothing. Pure but
//! for the files that `--registry-config` and `-c` name.

use std::fs;
use std::path::Path;

use base::Diagnostic;
use packages::manifest::{self, SourceFile};

/// A flag's value that cannot be used.
pub fn bad(flag: &str, why: impl Into<String>) -> Diagnostic {
    Diagnostic::new("bad-flag", format!("--{flag}: {}", why.into()))
}

/// Checks `--log-level`.
pub fn log_level(text: &str) -> Result<&str, Diagnostic> {
    match text {
        "debug" | "info" | "warn" | "error" => Ok(text),
        _ => Err(Diagnostic::new("bad-flag", format!("{text} is not a valid log level"))
            .hint("use debug, info, warn or error")),
    }
}

/// Checks the name of a platform.
pub fn name(text: &str) -> Result<String, Diagnostic> {
    // The name is part of `idpbuilder-<name>`, which must be a DNS label itself.
    if text.len() <= 40 && api::name::is_dns_label(text) {
        return Ok(text.to_owned());
    }
    Err(bad("name", format!("{text:?} cannot be the name of a platform"))
        .hint("use at most 40 lower-case letters, digits and '-'"))
}

/// Checks `--protocol`.
pub fn protocol(text: &str) -> Result<String, Diagnostic> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "https" | "http" => Ok(lower),
        _ => Err(bad("protocol", format!("{text:?} is neither https nor http")).hint("leave it out for https")),
    }
}

/// Checks a port.
pub fn port(flag: &str, text: &str) -> Result<u16, Diagnostic> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(bad(flag, format!("{text:?} is not a port")).hint("use a number from 1 to 65535")),
    }
}

/// Simulated nodes at most, as the capability has it.
const MOST_NODES: u32 = 5_000;

/// Checks `--simulated-nodes`.
pub fn simulated_nodes(text: &str) -> Result<u32, Diagnostic> {
    match text.parse() {
        Ok(count) if count <= MOST_NODES => Ok(count),
        _ => Err(bad("simulated-nodes", format!("{text:?} is not a number of nodes"))
            .hint(format!("use a number up to {MOST_NODES}"))),
    }
}

/// Checks a host name; it is lower-cased.
pub fn host(flag: &str, text: &str) -> Result<String, Diagnostic> {
    let lower = text.to_lowercase();
    if api::name::is_dns_subdomain(&lower) {
        return Ok(lower);
    }
    Err(bad(flag, format!("{text:?} is not a host name")).hint("leave out protocol, port and path"))
}

/// Checks `--timeout`.
pub fn timeout(text: &str) -> Result<std::time::Duration, Diagnostic> {
    packages::remote::duration(text).map_err(|why| bad("timeout", why))
}

/// Checks `--extra-ports`: `hostPort:containerPort,…`.
pub fn extra_ports(text: &str) -> Result<Vec<(u16, u16)>, Diagnostic> {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let refuse =
                || bad("extra-ports", format!("{pair:?} is not a pair of ports")).hint("write 8080:80,9090:90");
            let (host, container) = pair.split_once(':').ok_or_else(refuse)?;
            Ok((host.trim().parse().map_err(|_| refuse())?, container.trim().parse().map_err(|_| refuse())?))
        })
        .collect()
}

/// Checks `--registry-config`: one of the files must exist.
pub fn registry_config(candidates: &[String], variable: &dyn Fn(&str) -> Option<String>) -> Result<(), Diagnostic> {
    let exists = |candidate: &String| Path::new(&expand(candidate, variable)).is_file();
    if candidates.is_empty() || candidates.iter().any(exists) {
        return Ok(());
    }
    Err(Diagnostic::new("bad-flag", "--registry-config flag used but no registry config was found")
        .hint("name an existing file, or leave the flag out"))
}

/// Replaces `$NAME` and `${NAME}` by their values.
fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (name, after) = match behind.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
            Some((name, after)) => (name, after),
            None => {
                let end = behind.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
                behind.split_at(end.unwrap_or(behind.len()))
            }
        };
        expanded.push_str(&variable(name).unwrap_or_default());
        rest = after;
    }
    expanded + rest
}

/// Checks `-c`: `<argocd|gitea|nginx>:<file>` with a file of Kubernetes objects.
pub fn package_custom_file(text: &str) -> Result<(), Diagnostic> {
    let refuse = |why: String| bad("package-custom-file", why).hint("write it as argocd:path/to/file.yaml");
    let parts: Vec<&str> = text.split(':').collect();
    let [name, path] = parts[..] else { return Err(refuse(format!("{text:?} must contain exactly one ':'"))) };
    if !matches!(name, "argocd" | "gitea" | "nginx") {
        return Err(refuse(format!("customization for {name} not supported")));
    }
    let content = fs::read_to_string(path).map_err(|error| refuse(format!("{path} cannot be read: {error}")))?;
    let file = SourceFile { path: path.to_owned(), text: content };
    for document in manifest::documents(&file)? {
        if !document["apiVersion"].is_string() || !document["kind"].is_string() {
            return Err(refuse(format!("{path} holds something that is not a Kubernetes object")));
        }
    }
    Ok(())
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For programs, too.
    Yaml,
}

/// Checks `--output`.
pub fn format(text: &str) -> Result<Format, Diagnostic> {
    match text {
        "table" | "" => Ok(Format::Table),
        "json" => Ok(Format::Json),
        "yaml" => Ok(Format::Yaml),
        _ => Err(Diagnostic::new("bad-flag", format!("output format {text} is not supported"))
            .hint("use table, json or yaml")),
    }
}
