//! The Localbuild that asks a platform for its packages: composed from flags,
//! written to the API, and read back. It must never write any other object.

use api::ClusterName;
use base::{Clock, Diagnostic};
use client::{Objects, Patch, Target, WriteOptions};
use packages::kinds::{self, BuildCustomization, Enabled, Localbuild, PackageConfigs, to_value};
use packages::naming;
use serde_json::json;
use server::Config;

use crate::arguments::Package;
use crate::connection::refused;

fn target() -> Target {
    Target::cluster(&ClusterName::root(), &kinds::localbuilds())
}

/// How the packages of the command line stand in a new Localbuild.
pub fn package_configs(packages: &[Package]) -> PackageConfigs {
    added(&PackageConfigs::default(), packages)
}

/// Packages of the command line beside those there are. One that is named again moves to
/// the end, where it counts most.
pub fn added(before: &PackageConfigs, packages: &[Package]) -> PackageConfigs {
    let named: Vec<String> = packages.iter().map(Package::argument).collect();
    let mut configs = without(before.clone(), &named);
    configs.argo_package_configs = Enabled { enabled: true };
    configs.embedded_argo_applications_package_configs = Enabled { enabled: true };
    for (package, argument) in packages.iter().zip(named) {
        match package {
            Package::Directory(_) => configs.custom_package_dirs.push(argument.clone()),
            Package::File(_) => configs.custom_package_files.push(argument.clone()),
            Package::Remote { .. } => configs.custom_package_urls.push(argument.clone()),
        }
        configs.custom_package_order.push(argument);
    }
    configs
}

/// The packages there are but for some; the order of the others stays.
pub fn without(mut configs: PackageConfigs, unwanted: &[String]) -> PackageConfigs {
    // What was written by hand may have no order of its own.
    configs.custom_package_order = configs.in_order();
    for list in [
        &mut configs.custom_package_dirs,
        &mut configs.custom_package_files,
        &mut configs.custom_package_urls,
        &mut configs.custom_package_order,
    ] {
        list.retain(|package| !unwanted.contains(package));
    }
    configs
}

/// How a platform is reached, as a Localbuild says it.
pub fn build_customization(config: &Config) -> BuildCustomization {
    BuildCustomization {
        protocol: config.protocol.clone(),
        host: config.host.clone(),
        ingress_host: config.ingress_host.clone(),
        port: config.port.to_string(),
        use_path_routing: config.path_routing,
        self_signed_cert: String::new(),
        static_password: config.dev_password,
    }
}

/// The platform's Localbuild, if it has one.
pub async fn read(objects: &dyn Objects, name: &str) -> Result<Option<Localbuild>, Diagnostic> {
    match objects.get(&target(), name).await {
        Ok(object) => object.parse().map(Some).map_err(|status| refused(&status)),
        Err(status) if status.is_not_found() => Ok(None),
        Err(status) => Err(refused(&status)),
    }
}

/// Asks for packages; `None` for those already asked for. Returns the invocation's id.
pub async fn ask(
    objects: &dyn Objects,
    clock: &Clock,
    config: &Config,
    packages: Option<PackageConfigs>,
) -> Result<String, Diagnostic> {
    let start_time = clock.now_micro();
    let annotations = json!({naming::CLI_START_TIME: start_time});
    let mut spec = json!({"buildCustomization": to_value(&build_customization(config))});
    if let Some(packages) = packages {
        let mut packages = to_value(&packages);
        // A merge must not leave an order behind that is no longer asked for.
        if packages["customPackageOrder"].is_null() {
            packages["customPackageOrder"] = json!([]);
        }
        spec["packageConfigs"] = packages;
    }
    let change = json!({"metadata": {"annotations": annotations}, "spec": spec});
    let options = WriteOptions { field_manager: naming::FIELD_MANAGER.to_owned(), ..WriteOptions::default() };
    let patch = Patch::Merge(change.to_string().into());
    match objects.patch(&target(), &config.name, None, patch, options.clone()).await {
        Err(status) if status.is_not_found() => {}
        other => return other.map(|_| start_time).map_err(|status| refused(&status)),
    }
    let mut object = change;
    object["apiVersion"] = json!(kinds::API_VERSION);
    object["kind"] = json!("Localbuild");
    object["metadata"]["name"] = json!(config.name);
    objects.create(&target(), object.to_string().into(), options).await.map_err(|status| refused(&status))?;
    Ok(start_time)
}
