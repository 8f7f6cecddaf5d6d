//! Small facts: tables, processes, ports, the shipped stack, the banner, errors.

use std::collections::BTreeSet;
use std::path::Path;

use base::Diagnostic;
use server::Config;

use crate::commands::doctor::git_version;
use crate::process::{Usage, parse_usage};
use crate::{banner, localbuild, output, ports, stack, ui};

#[test]
fn the_embedded_stack_is_the_one_in_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stacks/basic");
    let mut there = BTreeSet::new();
    let mut left = vec![root.clone()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).expect("is readable").flatten() {
            if entry.path().is_dir() {
                left.push(entry.path());
            } else {
                there.insert(entry.path().strip_prefix(&root).expect("is below").display().to_string());
            }
        }
    }
    let embedded: BTreeSet<String> = stack::FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(embedded, there);
    assert_eq!(packages::discovery::check_local(&root).expect("is whole").len(), 3);
}

#[test]
fn tables_are_aligned() {
    let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["bbb".to_owned(), "x\ny".to_owned()]];
    assert_eq!(output::table(&["N", "V"], &rows), "N     V\na     long cell\nbbb   x y");
}

#[test]
fn processes_and_ports_are_read_from_proc() {
    let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 9 0 5000 1 1 1";
    let usage = parse_usage("Name:\tx\nVmRSS:\t   2048 kB\n", stat, "170.25 300.00\n");
    assert_eq!(usage, Some(Usage { memory_bytes: 2 * 1024 * 1024, uptime_secs: 120 }));
    let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:20FB 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 11 1\n   1: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1\n";
    assert_eq!(ports::listening_inode(table, 8443), Some(42));
    assert_eq!(ports::listening_inode(table, 8444), None);
    assert_eq!(git_version("git version 2.39.5"), Some((2, 39)));
    assert_eq!(git_version("git version 2.50.1 (Apple Git-155)"), Some((2, 50)));
    assert_eq!(git_version("not git"), None);
}

#[test]
fn urls_follow_the_routing() {
    let mut config = Config::new("localdev");
    let present = ["argocd".to_owned()];
    let check = |config: &Config, codespaces: bool, url: &str| {
        let text = banner::text(config, codespaces, &present, "");
        assert!(text.contains(&format!("Can Access ArgoCD at {url}\nUsername: admin\n")), "{text}");
        assert!(!text.contains("Can Access Git"), "{text}");
    };
    check(&config, false, "https://argocd.cnoe.localtest.me:8443/");
    check(&config, true, "https://cnoe.localtest.me/argocd");
    config.path_routing = true;
    check(&config, false, "https://cnoe.localtest.me:8443/argocd");
}

#[test]
fn errors_say_what_where_and_what_next() {
    let diagnostic = Diagnostic::new("a-code", "It failed").detail("one\ntwo").hint("do that");
    let plain: String = anstream::adapter::strip_str(&ui::error_text(&diagnostic)).to_string();
    assert_eq!(plain, "error[a-code]: It failed\n  one\n  two\nhelp: do that");
}

#[test]
fn arguments_keep_their_order_across_their_classes() {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::write(root.path().join("f.yaml"), "").expect("is writable");
    let file = root.path().join("f.yaml").display().to_string();
    let directory = root.path().display().to_string();
    let arguments = [file.as_str(), "https://host/o/r//p", &directory];
    let packages: Vec<crate::arguments::Package> =
        arguments.iter().map(|argument| crate::arguments::classify(argument).expect("is one")).collect();
    let configs = localbuild::package_configs(&packages);
    assert_eq!(configs.custom_package_urls, ["https://host/o/r//p"]);
    assert_eq!(configs.in_order().len(), 3);
    assert!(configs.in_order()[0].ends_with("f.yaml"));
    assert_eq!(configs.in_order()[1], "https://host/o/r//p");
}
