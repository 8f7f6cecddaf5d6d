//! `cargo xtask schemas`: regenerates `crates/api/schemas` from Kubernetes'
//! own published modules, fetched by name through the Go client. Go struct tags
//! carry protobuf tags and what is left out when empty; the OpenAPI documents
//! carry types, documentation and merge rules; the discovery documents carry
//! resources. It writes one file and must never read anything but its sources.

mod fetch;
mod gostruct;
mod join;
mod kinds;
mod openapi;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, bail};
use api::builtin::data::{self, DocsData, Tables};

/// The release to take schemas from.
const RELEASE: &str = "v1.36.0";

/// Where the data goes, from the root of the repository.
const OUTPUT: &str = "crates/api/schemas/kubernetes-1.36.json.gz";

/// Runs the command. `--check` compares with the file instead of writing it.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask schemas [--check]"),
    };
    let bytes = generate()?;
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(OUTPUT);
    if check {
        let present = std::fs::read(&output).with_context(|| format!("reading {OUTPUT}"))?;
        if content(&present)? != content(&bytes)? {
            bail!("{OUTPUT} is not what its sources give: run `cargo xtask schemas`");
        }
        return Ok(());
    }
    std::fs::write(&output, &bytes).with_context(|| format!("writing {OUTPUT}"))?;
    println!("{OUTPUT}: {} bytes", bytes.len());
    Ok(())
}

/// What is inside: two builds may compress the same content differently.
fn content(bytes: &[u8]) -> anyhow::Result<(Tables, DocsData)> {
    let (tables, docs_offset) = data::decode_tables(bytes)?;
    Ok((tables, data::decode_docs(&bytes[docs_offset..])?))
}

fn generate() -> anyhow::Result<Vec<u8>> {
    let sources = fetch::sources(RELEASE)?;
    let schemas = openapi::read(&sources)?;
    let kinds = kinds::read(&sources, &schemas)?;
    let structs = gostruct::Structs::new(&sources);
    let (types, docs) = join::join(&schemas, structs)?;
    let tables = Tables { release: RELEASE.to_owned(), types, kinds };
    Ok(data::encode(&tables, &docs)?)
}
