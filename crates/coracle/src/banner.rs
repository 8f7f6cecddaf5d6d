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

/// Parts of the platform that have a login of their own: how they are called, their route,
/// and their user.
const PARTS: [(&str, &str, &str); 2] = [("ArgoCD", "argocd", "admin"), ("Git", "gitea", "giteaAdmin")];

/// The banner, with the parts that are there.
pub fn text(config: &Config, codespaces: bool, present: &[String], summary: &str) -> String {
    let mut text =
        "\n########################### Finished Creating IDP Successfully! ############################\n\n".to_owned();
    let slash = if config.path_routing || codespaces { "" } else { "/" };
    let name = if config.name == "localdev" { String::new() } else { format!(" --name {}", config.name) };
    for (title, part, user) in PARTS.iter().filter(|(_, part, _)| present.iter().any(|present| present == part)) {
        let url = part_url(config, part, codespaces);
        text.push_str(&format!(
            "\nCan Access {title} at {url}{slash}\nUsername: {user}\n\
             Password can be retrieved by running: coracle get secrets -p {part}{name}\n"
        ));
    }
    let context = crate::kubeconfig::context_name(&config.name);
    text.push_str(&format!(
        "\nCan Access Kubernetes with: kubectl --context {context} get applications -A\n\n{summary}"
    ));
    text
}
