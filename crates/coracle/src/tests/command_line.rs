//! The command line as CNOE's builder has it, and what every refusal owes.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Colour, Command};

#[test]
fn clap_finds_no_fault() {
    Cli::command().debug_assert();
}

#[test]
fn every_flag_of_cnoes_builder_is_there() {
    let command = Cli::command();
    let check = |path: &[&str], long: &str, short: Option<char>| {
        let mut at = &command;
        for name in path {
            at = at.find_subcommand(name).unwrap_or_else(|| panic!("no command {name}"));
        }
        let mut arguments = at.get_arguments().chain(command.get_arguments());
        let found = arguments.find(|argument| argument.get_long() == Some(long));
        assert_eq!(found.unwrap_or_else(|| panic!("no --{long}")).get_short(), short, "--{long}");
    };
    check(&[], "log-level", Some('l'));
    check(&[], "color", None);
    for (long, short) in [
        ("recreate", None),
        ("name", None),
        ("build-name", None),
        ("dev-password", None),
        ("kube-version", None),
        ("extra-ports", None),
        ("kind-config", None),
        ("registry-config", None),
        ("host", None),
        ("ingress-host-name", None),
        ("protocol", None),
        ("port", None),
        ("use-path-routing", None),
        ("package", Some('p')),
        ("package-custom-file", Some('c')),
        ("no-exit", Some('n')),
    ] {
        check(&["create"], long, short);
    }
    check(&["delete"], "name", None);
    check(&["get"], "packages", Some('p'));
    check(&["get"], "output", Some('o'));
    check(&["get"], "kubeconfig", None);
    check(&["version"], "output", Some('o'));
    for path in [["get", "secrets"], ["get", "clusters"], ["get", "packages"]] {
        check(&path[..1], "output", Some('o'));
        assert!(command.find_subcommand("get").and_then(|get| get.find_subcommand(path[1])).is_some());
    }
}

#[test]
fn flags_are_read_as_cobra_reads_them() {
    let create = |arguments: &[&str]| {
        let cli = Cli::try_parse_from([&["coracle", "create"], arguments].concat()).expect("is read");
        let Command::Create(create) = cli.command else { panic!("is create") };
        (*create, cli.global)
    };
    assert_eq!(create(&["-p", "a,b", "--package", "c", "-p=d"]).0.package, ["a", "b", "c", "d"]);
    assert!(create(&["-n"]).0.no_exit && create(&["--no-exit=true"]).0.no_exit);
    assert!(!create(&[]).0.no_exit && !create(&["--no-exit=false"]).0.no_exit);
    assert_eq!(create(&["--port", "1", "--port", "2"]).0.port.as_deref(), Some("2"));
    assert_eq!(create(&["--registry-config"]).0.registry_config.len(), 2);
    assert_eq!(create(&["--registry-config=a"]).0.registry_config, ["a"]);
    assert_eq!(create(&["--color"]).1.color, Colour::Always);
    assert_eq!(create(&["--color=false", "-l", "debug"]).1.color, Colour::Never);
    assert_eq!(create(&["cluster", "--name", "x"]).0.named.name, "x");
}

/// Every code that the sources of this crate and of `packages` name.
fn codes() -> BTreeSet<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut codes = BTreeSet::new();
    let mut left = vec![here.join("src"), here.join("../../capabilities/packages/src")];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("is readable").flatten().map(|entry| entry.path());
            left.extend(entries.filter(|path| !path.ends_with("tests")));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("is text");
        for part in text.split("Diagnostic::new(").skip(1) {
            if let Some(code) = part.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                codes.insert(code.to_owned());
            }
        }
    }
    codes
}

#[test]
fn every_code_has_a_page() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let codes = codes();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).unwrap_or_default();
        assert!(page.contains("## Cause") && page.contains("## Remedy"), "docs/errors/{code}.md is missing or short");
    }
}
