//! `coracle status`: one platform at a glance.

use base::Diagnostic;
use packages::kinds::{self, CustomPackage};
use packages::naming;
use serde_json::{Value, json};
use server::{Config, Layout};

use crate::cli::Status;
use crate::commands::get;
use crate::flags::{self, Format};
use crate::process::Usage;
use crate::{banner, connection, output, paths, process};

/// Prints how the platform is.
pub async fn run(args: &Status) -> Result<(), Diagnostic> {
    let format = flags::format(&args.output)?;
    let (config, layout) = paths::existing(&args.named)?;
    let facts = look(&config, &layout).await?;
    match format {
        Format::Json => output::print(&output::json(&facts)),
        Format::Yaml => output::print(&output::yaml(&facts)),
        Format::Table => output::print(&table(&facts)),
    }
    Ok(())
}

async fn look(config: &Config, layout: &Layout) -> Result<Value, Diagnostic> {
    let pid = layout.running();
    let usage = pid.and_then(process::usage).unwrap_or_default();
    let mut facts = json!({
        "name": config.name,
        "directory": layout.root().display().to_string(),
        "running": pid.is_some(),
        "urls": {
            "kubernetes": format!("https://{}:{}", config.bind, config.api_port),
            "argocd": banner::part_url(config, "argocd", false),
            "git": banner::part_url(config, "gitea", false),
        },
    });
    let Some(pid) = pid else { return Ok(facts) };
    let Usage { memory_bytes, uptime_secs } = usage;
    facts["pid"] = json!(pid);
    facts["uptimeSeconds"] = json!(uptime_secs);
    facts["memoryBytes"] = json!(memory_bytes);
    let objects = connection::connect(&layout.kubeconfig()).await?;
    facts["capabilities"] = get::capabilities(&*objects).await?;
    facts["packages"] = packages(&*objects, config).await?;
    Ok(facts)
}

async fn packages(objects: &dyn client::Objects, config: &Config) -> Result<Value, Diagnostic> {
    let target = client::Target::namespaced(
        &api::ClusterName::root(),
        &kinds::custom_packages(),
        &naming::namespace(&config.name),
    );
    let applications =
        connection::list(objects, &connection::everywhere(&kinds::applications("Application")), "").await?;
    let mut packages = Vec::new();
    for object in connection::list(objects, &target, "").await? {
        let package: CustomPackage = object.parse().map_err(|status| connection::refused(&status))?;
        let wanted = &package.spec.argo_cd;
        let application = applications
            .iter()
            .find(|found| found.meta.name == wanted.name && found.meta.namespace == wanted.namespace)
            .and_then(|found| found.value().ok())
            .unwrap_or_default();
        let ready = package.status.conditions.iter().find(|condition| condition["type"] == "Ready");
        let message = match ready {
            Some(ready) if ready["status"] == "False" => ready["message"].clone(),
            _ => application.pointer("/status/operationState/message").cloned().unwrap_or(Value::Null),
        };
        packages.push(json!({
            "name": wanted.name,
            "source": kinds::mark(&package.metadata.annotations, naming::SOURCE_PATH),
            "installed": package.status.synced,
            "sync": application.pointer("/status/sync/status").cloned().unwrap_or_default(),
            "health": application.pointer("/status/health/status").cloned().unwrap_or_default(),
            "message": message,
        }));
    }
    Ok(Value::Array(packages))
}

fn table(facts: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut process =
        vec![vec!["name".to_owned(), text(&facts["name"])], vec!["directory".to_owned(), text(&facts["directory"])]];
    if facts["running"] == true {
        let memory = facts["memoryBytes"].as_u64().unwrap_or_default() as f64 / f64::from(1 << 20);
        process.push(vec!["server".to_owned(), format!("running, process {}", facts["pid"])]);
        process.push(vec!["uptime".to_owned(), duration(facts["uptimeSeconds"].as_u64().unwrap_or_default())]);
        process.push(vec!["memory".to_owned(), format!("{memory:.1} MiB")]);
    } else {
        process.push(vec!["server".to_owned(), "stopped; start it with `coracle start`".to_owned()]);
    }
    for (name, url) in facts["urls"].as_object().into_iter().flatten() {
        process.push(vec![name.clone(), text(url)]);
    }
    let mut sections = vec![output::table(&["PLATFORM", ""], &process)];
    let rows = |list: &Value, keys: &[&str]| -> Vec<Vec<String>> {
        let items = list.as_array().into_iter().flatten();
        items.map(|item| keys.iter().map(|key| text(&item[*key])).collect()).collect()
    };
    if facts["running"] == true {
        let capabilities = rows(&facts["capabilities"], &["name", "plane", "provider", "ready", "message"]);
        sections.push(output::table(&["CAPABILITY", "PLANE", "PROVIDER", "READY", "MESSAGE"], &capabilities));
        let packages = rows(&facts["packages"], &["name", "sync", "health", "source", "message"]);
        sections.push(output::table(&["PACKAGE", "SYNC", "HEALTH", "SOURCE", "MESSAGE"], &packages));
    }
    sections.join("\n\n")
}

/// `3d 4h`, `4h 5m`, `5m 6s`, `6s`.
fn duration(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs}s"),
        (0, 0, _) => format!("{minutes}m {}s", secs % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}
