//! What `create` prints at its end, in the form of CNOE's builder. Pure.

use server::Config;

/// The base URL of a part of the platform, without a trailing slash.
pub fn part_url(config: &Config, part: &str, codespaces: bool) -> String {
    let Config { protocol, host, port, .. } = config;
    if codespaces {
        // A proxy stands in front, with its own port and certificate.
        return format!("https://{host}/{part}");
    }
    if config.path_routing {
        format!("{protocol}://{host}:{port}/{part}")
    } else {
        format!("{protocol}://{part}.{host}:{port}")
    }
}

/// The banner.
pub fn text(config: &Config, codespaces: bool, summary: &str) -> String {
    let argocd = part_url(config, "argocd", codespaces);
    let slash = if config.path_routing || codespaces { "" } else { "/" };
    let git = part_url(config, "gitea", codespaces);
    let context = crate::kubeconfig::context_name(&config.name);
    let name = if config.name == "localdev" { String::new() } else { format!(" --name {}", config.name) };
    format!(
        "\n########################### Finished Creating IDP Successfully! ############################\n\n\n\
         Can Access ArgoCD at {argocd}{slash}\n\
         Username: admin\n\
         Password can be retrieved by running: coracle get secrets -p argocd{name}\n\n\
         Can Access Git at {git}{slash}\n\
         Username: giteaAdmin\n\
         Password can be retrieved by running: coracle get secrets -p gitea{name}\n\n\
         Can Access Kubernetes with: kubectl --context {context} get applications -A\n\n\
         {summary}"
    )
}
