//! Destinations, as cases.

use api::ClusterName;

use super::resolve;
use crate::types::Destination;

#[test]
fn destinations_are_understood_or_refused_plainly() {
    let team = ClusterName::new("team").expect("a name");
    let prefix = "application destination spec for app is invalid: ";
    let cases: &[(&str, &str, Result<&str, String>)] = &[
        ("https://kubernetes.default.svc", "", Ok("team")),
        ("https://kubernetes.default.svc/", "", Ok("team")),
        ("", "in-cluster", Ok("team")),
        ("https://127.0.0.1:6443", "", Ok("root")),
        ("https://127.0.0.1:6443/clusters/dev", "", Ok("dev")),
        (
            "https://127.0.0.1:6443/clusters/",
            "",
            Err(format!(
                "{prefix}unable to find destination server: there are no clusters with this URL: https://127.0.0.1:6443/clusters/"
            )),
        ),
        (
            "https://elsewhere.example",
            "",
            Err(format!(
                "{prefix}unable to find destination server: there are no clusters with this URL: https://elsewhere.example"
            )),
        ),
        (
            "",
            "prod",
            Err(format!("{prefix}unable to find destination server: there are no clusters with this name: prod")),
        ),
        (
            "https://kubernetes.default.svc",
            "in-cluster",
            Err(format!(
                "{prefix}application destination can't have both name and server defined: in-cluster https://kubernetes.default.svc"
            )),
        ),
        ("", "", Err("Destination server missing from app spec".into())),
    ];
    for (server, name, expect) in cases {
        let wanted = Destination { server: (*server).into(), name: (*name).into(), namespace: "web".into() };
        let found = resolve("app", &wanted, &team, "https://127.0.0.1:6443");
        assert_eq!(found.as_ref().map(|found| found.cluster.as_str()), expect.as_ref().copied(), "{server} {name}");
    }
}
