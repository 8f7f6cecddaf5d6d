//! `coracle get`: secrets, clusters, packages and capabilities, with the columns
//! and keys of CNOE's builder, always in the same order.

mod secrets;
mod clusters;
mod packages;

pub use secrets::core as core_secrets;

use std::path::PathBuf;
use std::sync::Arc;

use base::Diagnostic;
use client::Objects;
use serde_json::{Value, json};
use server::{Config, Layout};

use crate::cli::{Get, What};
use crate::flags::{self, Format};
use crate::{connection, output, paths};

/// What a `get` prints: the same facts as rows and as values.
pub struct Listing {
    /// Headings of the table.
    pub heading: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// The same for programs.
    pub value: Value,
    /// What to say if there is nothing.
    pub nothing: &'static str,
}

/// Prints what is asked for.
pub async fn run(args: &Get) -> Result<(), Diagnostic> {
    let Some(what) = args.what else {
        return Err(Diagnostic::new("bad-flag", "specify subcommand")
            .hint("use get secrets, get clusters, get packages or get capabilities"));
    };
    let format = flags::format(&args.output)?;
    let listing = match what {
        What::Secrets => secrets::list(&*connect(args).await?.objects, &args.packages).await?,
        What::Packages => packages::list(&connect(args).await?, &args.packages).await?,
        What::Clusters => clusters::list(args.data_dir.as_deref()).await?,
        What::Capabilities => capability_listing(capabilities(&*connect(args).await?.objects).await?),
    };
    match format {
        Format::Json => output::print(&output::json(&listing.value)),
        Format::Yaml => output::print(&output::yaml(&listing.value)),
        Format::Table if listing.rows.is_empty() => output::print(listing.nothing),
        Format::Table => output::print(&output::table(&listing.heading, &listing.rows)),
    }
    Ok(())
}

/// A platform that can be asked.
pub struct Connection {
    /// Its objects.
    pub objects: Arc<dyn Objects>,
    /// Its configuration, if it is one of this machine.
    pub config: Option<Config>,
}

async fn connect(args: &Get) -> Result<Connection, Diagnostic> {
    if let Some(kubeconfig) = args.kubeconfig.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        return Ok(Connection { objects: connection::connect(kubeconfig).await?, config: None });
    }
    let name = flags::name(&args.name)?;
    let (config, layout) = find(&name, args.data_dir.clone())?;
    if layout.running().is_none() {
        return Err(Diagnostic::new("platform-unreachable", format!("{} is not running", config.name))
            .hint("start it with `coracle start`"));
    }
    Ok(Connection { objects: connection::connect(&layout.kubeconfig()).await?, config: Some(config) })
}

/// The platform by its name; without a name the only one there is will do.
fn find(name: &str, data_dir: Option<PathBuf>) -> Result<(Config, Layout), Diagnostic> {
    let layout = paths::layout(name, data_dir.as_deref())?;
    if let Some(config) = layout.load()? {
        return Ok((config, layout));
    }
    let mut others = if data_dir.is_none() && name == "localdev" { clusters::platforms(None)? } else { Vec::new() };
    match others.pop() {
        Some(only) if others.is_empty() => Ok(only),
        _ => Err(paths::missing(name, &layout)),
    }
}

/// The platform's capabilities, as values.
pub async fn capabilities(objects: &dyn Objects) -> Result<Value, Diagnostic> {
    let mut capabilities = Vec::new();
    for object in connection::list(objects, &connection::everywhere(&connection::capabilities()), "").await? {
        let value = object.value().map_err(|status| connection::refused(&status))?;
        let conditions = value["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready").cloned().unwrap_or_default();
        capabilities.push(json!({
            "name": object.meta.name,
            "plane": value["status"]["plane"],
            "provider": value["spec"]["provider"],
            "ready": ready["status"],
            "reason": ready["reason"],
            "message": ready["message"],
            "speaks": value["status"]["speaks"],
            "summary": value["status"]["summary"],
        }));
    }
    Ok(Value::Array(capabilities))
}

fn capability_listing(value: Value) -> Listing {
    let keys = ["name", "plane", "provider", "ready", "speaks", "message"];
    let items = value.as_array().into_iter().flatten();
    let rows =
        items.map(|item| keys.iter().map(|key| item[*key].as_str().unwrap_or("-").to_owned()).collect()).collect();
    Listing {
        heading: vec!["NAME", "PLANE", "PROVIDER", "READY", "SPEAKS AS", "MESSAGE"],
        rows,
        value,
        nothing: "no capabilities found",
    }
}
