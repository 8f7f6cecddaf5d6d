//! Which kind of source a tree is, by its files alone, as Argo CD decides it. It
//! must never read file contents.

use crate::{Kind, Source};

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The kind that the files at the root of the tree show.
pub fn kind(source: &Source) -> Kind {
    if source.files.contains_key("Chart.yaml") {
        Kind::Helm
    } else if KUSTOMIZATIONS.iter().any(|name| source.files.contains_key(*name)) {
        Kind::Kustomize
    } else {
        Kind::Directory
    }
}
