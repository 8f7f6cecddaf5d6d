//! `coracle version`, with the keys of CNOE's builder beside our own.

use base::Diagnostic;
use serde_json::{Value, json};

use crate::cli::Version;
use crate::output;

/// Prints the version.
pub fn run(args: &Version) -> Result<(), Diagnostic> {
    let facts = facts();
    match args.output.as_str() {
        "" => output::print(&line(&facts)),
        "wide" => output::print(&wide(&facts)),
        "json" => output::print(&output::json(&facts)),
        "yaml" => output::print(&output::yaml(&facts)),
        other => {
            return Err(Diagnostic::new("bad-flag", format!("output format {other} is not supported"))
                .hint("use wide, json or yaml, or none for one line"));
        }
    }
    Ok(())
}

fn facts() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let rust = format!("rust{}", env!("CARGO_PKG_RUST_VERSION"));
    let os = std::env::consts::OS;
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "coracleVersion": version,
        "idpbuilderVersion": version,
        "goVersion": rust,
        "goOs": os,
        "goArch": arch,
        "gitCommit": option_env!("CORACLE_GIT_COMMIT").unwrap_or("unknown"),
        "buildDate": option_env!("CORACLE_BUILD_DATE").unwrap_or("unknown"),
    })
}

fn line(facts: &Value) -> String {
    let text = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
    format!("coracle {} {} {}/{}", text("coracleVersion"), text("goVersion"), text("goOs"), text("goArch"))
}

fn wide(facts: &Value) -> String {
    let text = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
    format!("{}\ncommit {}\nbuilt {}", line(facts), text("gitCommit"), text("buildDate"))
}
