//! What is asked of the API, whichever way it came in: the parsed path, the verb
//! and the options. Pure; no lookup happens here.

use api::{ClusterName, Gvr, Status};

/// A path below `/api` or `/apis`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePath {
    /// Logical cluster.
    pub cluster: ClusterName,
    /// Group, version and plural.
    pub gvr: Gvr,
    /// Namespace in the path.
    pub namespace: Option<String>,
    /// Object name.
    pub name: Option<String>,
    /// Subresource.
    pub subresource: Option<String>,
    /// The deprecated `/watch/` prefix.
    pub watch: bool,
}

/// Where a request path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Objects.
    Resource(ResourcePath),
    /// `/api`, `/apis`, `/api/v1`, `/apis/group`, `/apis/group/version`.
    Discovery {
        /// Logical cluster.
        cluster: ClusterName,
        /// Whether below `/apis` rather than `/api`.
        named_groups: bool,
        /// Group, if stated.
        group: Option<String>,
        /// Version, if stated.
        version: Option<String>,
    },
    /// `/openapi/v3` and below; the rest of the path.
    OpenApi {
        /// Logical cluster.
        cluster: ClusterName,
        /// What follows `/openapi/v3/`; empty for the index.
        document: String,
    },
    /// `/openapi/v2`.
    OldOpenApi,
    /// `/`, the list of paths.
    Paths,
    /// `/version`.
    Version,
    /// `/healthz`, `/livez`, `/readyz` and their checks.
    Health,
    /// Nothing.
    Nowhere,
}

/// Finds where `path` leads. Percent-encoded segments are decoded first; one that does
/// not decode, or decodes to a path, leads nowhere.
pub fn place(path: &str) -> Place {
    let Some(segments) = path.split('/').filter(|part| !part.is_empty()).map(decode).collect::<Option<Vec<_>>>() else {
        return Place::Nowhere;
    };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["clusters", name, rest @ ..] => match ClusterName::new(name) {
            Some(cluster) => below(cluster, rest),
            None => Place::Nowhere,
        },
        rest => below(ClusterName::root(), rest),
    }
}

fn below(cluster: ClusterName, segments: &[&str]) -> Place {
    let discovery = |named_groups, group: Option<&str>, version: Option<&str>| Place::Discovery {
        cluster: cluster.clone(),
        named_groups,
        group: group.map(str::to_owned),
        version: version.map(str::to_owned),
    };
    match segments {
        [] if cluster.is_root() => Place::Paths,
        ["version"] => Place::Version,
        ["healthz" | "livez" | "readyz", ..] => Place::Health,
        ["openapi", "v2"] => Place::OldOpenApi,
        ["openapi", "v3", rest @ ..] => Place::OpenApi { cluster, document: rest.join("/") },
        ["api"] => discovery(false, None, None),
        ["api", "v1"] => discovery(false, None, Some("v1")),
        ["apis"] => discovery(true, None, None),
        ["apis", group] => discovery(true, Some(group), None),
        ["apis", group, version] => discovery(true, Some(group), Some(version)),
        ["api", version, rest @ ..] => resource(cluster, "", version, rest),
        ["apis", group, version, rest @ ..] => resource(cluster, group, version, rest),
        _ => Place::Nowhere,
    }
}

fn resource(cluster: ClusterName, group: &str, version: &str, segments: &[&str]) -> Place {
    let (watch, segments) = match segments {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        all => (false, all),
    };
    let (namespace, plural, rest) = match segments {
        // A namespace itself, or one of its own subresources.
        ["namespaces"] => (None, "namespaces", &segments[1..]),
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, "namespaces", &segments[1..]),
        ["namespaces", namespace, plural, rest @ ..] => (Some((*namespace).to_owned()), *plural, rest),
        [plural, rest @ ..] => (None, *plural, rest),
        [] => return Place::Nowhere,
    };
    if rest.len() > 2 {
        return Place::Nowhere;
    }
    Place::Resource(ResourcePath {
        cluster,
        gvr: Gvr::new(group, version, plural),
        namespace,
        name: rest.first().map(|&name| name.to_owned()),
        subresource: rest.get(1).map(|&name| name.to_owned()),
        watch,
    })
}

/// Decodes `%xx`; `None` for anything malformed, or that contains a slash or a NUL.
fn decode(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return (segment != "." && segment != "..").then(|| segment.to_owned());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &tail[2..];
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(['/', '\0']) && text != "." && text != "..").then_some(text)
}

/// A revision that a client stated.
pub fn parse_revision(text: &str) -> Result<u64, Status> {
    text.parse().map_err(|_| {
        Status::bad_request(format!("Invalid value: \"{text}\": resourceVersion must be a decimal number"))
    })
}

#[cfg(test)]
mod tests;
