//! The kinds of this capability: manifests of their definitions, and how they are
//! addressed. It must never be narrower than what Argo CD's own definitions accept.

use api::Gvr;

/// Definitions, one document each.
pub const DEFINITIONS: &[&str] = &[
    include_str!("kinds/application.yaml"),
    include_str!("kinds/appproject.yaml"),
    include_str!("kinds/applicationset.yaml"),
];

/// Applications.
pub fn applications() -> Gvr {
    Gvr::new("argoproj.io", "v1alpha1", "applications")
}

/// AppProjects.
pub fn projects() -> Gvr {
    Gvr::new("argoproj.io", "v1alpha1", "appprojects")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn definitions_have_argo_cds_names() {
        let names: Vec<(String, Value, Value)> = super::DEFINITIONS
            .iter()
            .map(|text| {
                let definition = machinery::yaml::value(text).expect("the definition is YAML");
                let spec = &definition["spec"];
                let version = &spec["versions"][0];
                assert_eq!(version["name"], "v1alpha1");
                let has_status = version["subresources"].get("status").is_some();
                assert!(!has_status, "Argo CD writes status through the object itself");
                (
                    definition["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
                    spec["names"]["shortNames"].clone(),
                    version["additionalPrinterColumns"].clone(),
                )
            })
            .collect();
        let short: Vec<(&str, String)> =
            names.iter().map(|(name, short, _)| (name.as_str(), short.to_string())).collect();
        assert_eq!(
            short,
            [
                ("applications.argoproj.io", r#"["app","apps"]"#.to_owned()),
                ("appprojects.argoproj.io", r#"["appproj","appprojs"]"#.to_owned()),
                ("applicationsets.argoproj.io", r#"["appset","appsets"]"#.to_owned()),
            ]
        );
        let columns: Vec<&str> =
            names[0].2.as_array().expect("columns").iter().filter_map(|column| column["name"].as_str()).collect();
        assert_eq!(columns, ["Sync Status", "Health Status", "Revision", "Project"]);
    }
}
