//! Which crate may use which, and who owns each heavy third-party crate. The
//! tables below are the architecture: adding a line is a decision, and each
//! line says why it is there.

use super::Finding;
use super::tree::Tree;
use super::workspace::{Dependency, Package};

/// A crate of the platform and what it may use.
struct Crate {
    name: &'static str,
    may_use: &'static [(&'static str, &'static str)],
}

/// From the bottom up: each crate uses only crates above it in this list.
const CRATES: &[Crate] = &[
    Crate { name: "base", may_use: &[] },
    Crate { name: "gotemplate", may_use: &[] },
    Crate { name: "api", may_use: &[] },
    Crate {
        name: "machinery",
        may_use: &[("api", "it computes on Kubernetes' vocabulary"), ("base", "diagnostics and limits")],
    },
    Crate {
        name: "contracts",
        may_use: &[("api", "contracts speak of clusters and objects"), ("base", "clock, ids and limits")],
    },
    Crate {
        name: "client",
        may_use: &[("api", "objects are named by its vocabulary"), ("base", "clock, tasks and limits")],
    },
    Crate {
        name: "store",
        may_use: &[
            ("base", "clock, tasks and limits"),
            ("contracts", "it implements keyspaces and seals with secret envelopes"),
        ],
    },
    Crate {
        name: "controller",
        may_use: &[
            ("client", "controllers observe and act through Objects"),
            ("api", "conditions, owners and finalizers"),
            ("base", "clock, tasks and limits"),
        ],
    },
    Crate {
        name: "render",
        may_use: &[
            ("gotemplate", "Helm's charts are Go templates"),
            ("machinery", "Kustomize's patches are Kubernetes' patches"),
            ("contracts", "sources are trees read through the git contract"),
            ("api", "rendering gives objects"),
            ("base", "limits and diagnostics"),
        ],
    },
    Crate {
        name: "apiserver",
        may_use: &[
            ("store", "the pipeline commits to it and watches it"),
            ("machinery", "patches, defaults, validation and tables"),
            ("contracts", "authentication and authorisation are contracts"),
            ("client", "it implements the in-process transport"),
            ("api", "kind descriptors drive the pipeline"),
            ("base", "clock, ids, tasks and limits"),
        ],
    },
    Crate {
        name: "capability",
        may_use: &[
            ("controller", "a descriptor lists controllers"),
            ("client", "a context carries Objects"),
            ("contracts", "a descriptor names what it needs and provides"),
            ("api", "a descriptor lists kinds"),
            ("base", "clock, tasks and diagnostics"),
        ],
    },
    Crate {
        name: "server",
        may_use: &[
            ("apiserver", "it serves the API"),
            ("store", "it opens, backs up and closes the store"),
            ("capability", "it boots the list it is handed"),
            ("controller", "it supervises the capabilities' controllers"),
            ("client", "it hands transports to capabilities"),
            ("machinery", "it reads and writes YAML: kubeconfigs and the platform's own manifests"),
            ("contracts", "it wires what is provided to what is needed"),
            ("api", "it reports Platform and Capability objects"),
            ("base", "clock, tasks and diagnostics"),
        ],
    },
    Crate { name: "coracle", may_use: &[(EVERYTHING, "the binary puts the house together")] },
    Crate { name: "testkit", may_use: &[(EVERYTHING, "it is a whole platform in process")] },
    Crate { name: "bench", may_use: &[] },
    Crate { name: "xtask", may_use: &[("api", "schemas are written in its format, behind a feature")] },
];

/// What every capability may use; never another one, `apiserver`, `store` or
/// `server`: capabilities meet in resources and contracts.
const CAPABILITIES: &[(&str, &str)] = &[
    ("capability", "its descriptor, context and lifecycle"),
    ("controller", "its reconcilers"),
    ("client", "its objects"),
    ("contracts", "bytes, streams and synchronous answers"),
    ("machinery", "patches, selectors and diffs"),
    ("render", "objects from sources"),
    ("gotemplate", "templates users write"),
    ("api", "Kubernetes' vocabulary"),
    ("base", "clock, tasks and diagnostics"),
];

const EVERYTHING: &str = "*";

/// Third-party crates that are heavy to build or that shape the code around
/// them: the crates that may use them outside of tests.
struct Owned {
    names: &'static [&'static str],
    owners: &'static [&'static str],
    reason: &'static str,
}

const ANY_CAPABILITY: &str = "capabilities/*";

const OWNED: &[Owned] = &[
    Owned { names: &["rusqlite"], owners: &["store"], reason: "one crate writes to disk" },
    Owned {
        names: &["rcgen", "rustls", "tokio-rustls", "x509-parser"],
        owners: &["server"],
        reason: "the server owns every listener and the one CA",
    },
    Owned { names: &["gix"], owners: &["git"], reason: "others read trees through the git contract" },
    Owned {
        names: &["kube", "k8s-openapi"],
        owners: &["client"],
        reason: "others use Objects, whatever the transport",
    },
    Owned {
        names: &["clap", "clap_complete", "indicatif", "comfy-table", "anstream"],
        owners: &["coracle"],
        reason: "only the binary talks to a terminal",
    },
    Owned { names: &["tracing-subscriber"], owners: &["coracle"], reason: "the binary decides where logs go" },
    Owned {
        names: &["axum"],
        owners: &["apiserver", "capability", "server", "coracle", ANY_CAPABILITY],
        reason: "what serves no HTTP needs no router",
    },
    Owned {
        names: &["aws-lc-rs"],
        owners: &["base", "server", "store"],
        reason: "randomness, certificates and sealing have one home each",
    },
    Owned { names: &["uuid"], owners: &["base"], reason: "ids come from base" },
    Owned {
        names: &["json-patch"],
        owners: &["client"],
        reason: "client's fake imitates patches, which machinery applies as Kubernetes does",
    },
    Owned { names: &["anyhow"], owners: &["coracle", "xtask"], reason: "libraries have typed errors" },
    Owned { names: &["insta", "proptest"], owners: &[], reason: "they are for tests" },
];

/// Checks every dependency of every crate of ours.
pub fn check(packages: &[Package], tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let complaint =
                if dependency.is_ours { edge(package, dependency, packages) } else { owned(package, dependency) };
            if let Some(text) = complaint {
                let manifest = package.manifest();
                let line = line_of(tree, &manifest, &dependency.name);
                findings.push(Finding::new(&manifest, line, text));
            }
        }
        if allowed(package).is_none() {
            let text = format!("{} is in no layer: add it, with what it may use, to {TABLE}", package.name);
            findings.push(Finding::new(&package.manifest(), 1, text));
        }
    }
    findings
}

const TABLE: &str = "xtask/src/tidy/layers.rs";

fn allowed(package: &Package) -> Option<&'static [(&'static str, &'static str)]> {
    if package.is_capability() {
        return Some(CAPABILITIES);
    }
    CRATES.iter().find(|known| known.name == package.name).map(|known| known.may_use)
}

fn edge(package: &Package, dependency: &Dependency, packages: &[Package]) -> Option<String> {
    let (from, to) = (&package.name, &dependency.name);
    if to == "testkit" {
        let text = format!("{from} may use testkit only in its tests: move it to [dev-dependencies]");
        return (!dependency.is_dev).then_some(text);
    }
    let may_use = allowed(package)?;
    if may_use.iter().any(|(name, _)| name == to || *name == EVERYTHING) {
        return None;
    }
    let is_capability = |name: &str| packages.iter().any(|other| other.name == name && other.is_capability());
    if package.is_capability() && is_capability(to) {
        return Some(format!(
            "the capabilities {from} and {to} must not know each other: meet in a resource or a contract, \
             or test them together in crates/coracle"
        ));
    }
    Some(format!("{from} may not use {to}: move the code, or decide on a new edge and give its reason in {TABLE}"))
}

fn owned(package: &Package, dependency: &Dependency) -> Option<String> {
    if dependency.is_dev || ["testkit", "bench"].contains(&package.name.as_str()) {
        return None;
    }
    let rule = OWNED.iter().find(|rule| rule.names.contains(&dependency.name.as_str()))?;
    let is_owner = |owner: &str| owner == package.name || (owner == ANY_CAPABILITY && package.is_capability());
    if rule.owners.iter().any(|owner| is_owner(owner)) {
        return None;
    }
    let home = match rule.owners {
        [] => "the tests".to_owned(),
        owners => owners.join(", "),
    };
    let (from, to, reason) = (&package.name, &dependency.name, rule.reason);
    Some(format!("{from} may not use {to}, which belongs to {home}: {reason}"))
}

/// Where a manifest mentions the dependency.
fn line_of(tree: &Tree, manifest: &str, name: &str) -> usize {
    let lines = tree.file(manifest).map(|file| file.text.lines()).into_iter().flatten();
    let mentions = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    lines.enumerate().find(|(_, line)| mentions(line)).map_or(1, |(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::{CAPABILITIES, CRATES, EVERYTHING, check};
    use crate::tidy::tree::Tree;
    use crate::tidy::workspace::{Dependency, Package};

    fn package(folder: &str, ours: &[&str], others: &[&str], dev: &[&str]) -> Package {
        let name = folder.rsplit('/').next().unwrap_or_default().to_owned();
        let dependency = |name: &&str, is_ours, is_dev| Dependency { name: (*name).to_owned(), is_dev, is_ours };
        let dependencies = (ours.iter().map(|name| dependency(name, true, false)))
            .chain(others.iter().map(|name| dependency(name, false, false)))
            .chain(dev.iter().map(|name| dependency(name, *name == "testkit", true)))
            .collect();
        Package { name, folder: folder.to_owned(), dependencies, targets: Vec::new() }
    }

    fn findings(packages: &[Package]) -> Vec<String> {
        check(packages, &Tree::default()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn edges_point_down() {
        let height = |name: &str| CRATES.iter().position(|known| known.name == name);
        for (index, known) in CRATES.iter().enumerate() {
            for (name, reason) in known.may_use.iter().filter(|(name, _)| *name != EVERYTHING) {
                assert!(height(name).is_some_and(|below| below < index), "{} must stand above {name}", known.name);
                assert!(!reason.is_empty());
            }
        }
        for (name, _) in CAPABILITIES {
            assert!(height(name) < height("server"), "{name} stands above the capabilities");
        }
    }

    #[test]
    fn what_the_tables_allow_passes() {
        let packages = [
            package("capabilities/git", &["capability", "contracts"], &["gix", "axum", "serde"], &["testkit", "kube"]),
            package("crates/coracle", &["git", "server"], &["clap"], &[]),
            package("crates/testkit", &["apiserver", "server"], &["kube", "anyhow"], &[]),
        ];
        assert_eq!(findings(&packages), Vec::<String>::new());
    }

    #[test]
    fn forbidden_edges_say_what_to_do() {
        let packages = [
            package("capabilities/git", &["gitops", "store"], &[], &[]),
            package("capabilities/gitops", &["testkit"], &[], &[]),
            package("crates/store", &["client"], &["clap"], &[]),
            package("crates/newcomer", &[], &[], &[]),
        ];
        let found = findings(&packages);
        assert_eq!(found.len(), 6, "{found:#?}");
        assert!(found[0].contains("git and gitops must not know each other"), "{}", found[0]);
        assert!(found[1].contains("git may not use store"), "{}", found[1]);
        assert!(found[2].contains("move it to [dev-dependencies]"), "{}", found[2]);
        assert!(found[3].contains("store may not use client"), "{}", found[3]);
        assert!(found[4].contains("store may not use clap, which belongs to coracle"), "{}", found[4]);
        assert!(found[5].contains("newcomer is in no layer"), "{}", found[5]);
    }
}
