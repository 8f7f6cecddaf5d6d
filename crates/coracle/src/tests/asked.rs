//! Flags against a platform that exists.

use server::Config;

use crate::asked::Asked;
use crate::flags;

#[test]
fn only_what_is_given_must_match() {
    let existing = Config::new("localdev");
    assert_eq!(Asked::default().check(&existing), Ok(()));
    let same = Asked { port: Some(8443), protocol: Some("https".into()), ..Asked::default() };
    assert_eq!(same.check(&existing), Ok(()));
    let other = Asked { port: Some(2443), ..Asked::default() };
    let refused = other.check(&existing).expect_err("the port differs");
    assert_eq!(refused.code, "incompatible-flags");
    for part in [
        "provided command flags and existing configurations are incompatible. please recreate the cluster. existing: {",
        "\"port\":\"8443\"",
        "given: {",
        "\"port\":\"2443\"",
    ] {
        assert!(refused.title.contains(part), "{part}: {}", refused.title);
    }
}

#[tokio::test]
async fn a_new_platform_is_what_was_asked_for() {
    let asked = Asked {
        host: Some("idp.example".into()),
        path_routing: Some(true),
        simulated_nodes: Some(3),
        ..Asked::default()
    };
    let (config, note) = asked.new_config("x").await;
    assert_eq!((config.host.as_str(), config.ingress_host.as_str(), note), ("idp.example", "idp.example", None));
    assert!(config.path_routing);
    assert_eq!(config.capabilities["workloads"]["settings"]["simulatedNodes"], 3);
}

#[test]
fn values_of_flags() {
    assert_eq!(flags::extra_ports("8080:80, 9090:90,"), Ok(vec![(8080, 80), (9090, 90)]));
    assert_eq!(flags::protocol("HTTPS"), Ok("https".to_owned()));
    assert_eq!(flags::host("host", "CNOE.Local"), Ok("cnoe.local".to_owned()));
    assert!(flags::host("host", "https://a").is_err());
    assert_eq!(flags::simulated_nodes("3"), Ok(3));
    for count in ["", "-1", "many", "5001"] {
        assert!(flags::simulated_nodes(count).is_err(), "{count}");
    }
    for name in ["a", "my-idp-2"] {
        assert_eq!(flags::name(name), Ok(name.to_owned()));
    }
    for name in ["", "A", "a_b", "-a", &"a".repeat(41)] {
        assert!(flags::name(name).is_err(), "{name}");
    }
    let variable = |name: &str| (name == "DIR").then(|| env!("CARGO_MANIFEST_DIR").to_owned());
    assert_eq!(flags::registry_config(&["/absent".into(), "${DIR}/Cargo.toml".into()], &variable), Ok(()));
    assert_eq!(flags::registry_config(&["$DIR/Cargo.toml".into()], &variable), Ok(()));
    assert!(flags::registry_config(&["$NONE/Cargo.toml".into()], &variable).is_err());
}
