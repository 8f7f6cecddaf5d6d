//! The programs this repository needs on the machine: finds them, installs them
//! by package name when it may, and otherwise says what to type. It must never
//! install anything that a package manager or Go's own module client does not
//! verify.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;

/// A program, how to see that it is there, and the Debian package that has it.
pub struct Need {
    name: &'static str,
    present: fn() -> bool,
    package: &'static str,
}

pub const GIT: Need = Need { name: "git", present: || answers("git", &["--version"]), package: "git" };
pub const C_COMPILER: Need =
    Need { name: "a C compiler", present: || answers("cc", &["--version"]), package: "build-essential" };
pub const CURL: Need = Need { name: "curl", present: || answers("curl", &["--version"]), package: "curl" };
/// `ensurepip` is what Debian leaves out of Python's own `venv`.
pub const PYTHON: Need = Need {
    name: "Python with venv and pip",
    present: || answers("python3", &["-c", "import venv, ensurepip"]),
    package: "python3-venv",
};
pub const GO: Need = Need { name: "Go", present: || installed_go().is_some(), package: "golang" };

/// Fails with one sentence when something is missing.
pub fn require(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("{}", how_to_install(&missing));
}

/// Installs what is missing, as root on a system with apt; fails with the
/// command to type elsewhere.
pub fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_root = run::output_of(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !is_root || !answers("apt-get", &["--version"]) {
        bail!("{}", how_to_install(&missing));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    eprintln!("installing {}", packages.join(" "));
    run::must_succeed(apt_get().args(["update", "--quiet"]))?;
    run::must_succeed(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))?;
    // A package may be there and its program not: say so now rather than later.
    require(needs)
}

/// A Go command that can build modules which ask for `wanted`, such as `1.26.0`.
pub fn go(wanted: &str) -> Result<Command> {
    let program = installed_go().with_context(|| how_to_install(&[&GO]))?;
    let version = go_version(&program).context("`go version` says nothing that can be read")?;
    if version >= numbers(wanted) {
        return Ok(Command::new(program));
    }
    // Go fetches newer toolchains itself since 1.21.
    if version >= [1, 21, 0] {
        let mut command = Command::new(program);
        command.env("GOTOOLCHAIN", "auto");
        return Ok(command);
    }
    Ok(Command::new(fetch_go(&program, wanted)?))
}

/// Old distributions package a Go that cannot fetch a newer one by itself, but
/// whose module client can: toolchains are modules, and verified as modules.
fn fetch_go(old: &Path, wanted: &str) -> Result<PathBuf> {
    let platform = run::captured(Command::new(old).args(["env", "GOOS", "GOARCH"]))?;
    let platform = platform.split_whitespace().collect::<Vec<_>>().join("-");
    let module = format!("golang.org/toolchain@v0.0.1-go{wanted}.{platform}");
    eprintln!("fetching Go {wanted} with {}", old.display());
    // Outside any module, since an old Go cannot read a new go.mod.
    let mut download = Command::new(old);
    download.args(["mod", "download", "-json", &module]).current_dir(std::env::temp_dir());
    let answer: serde_json::Value = serde_json::from_str(&run::captured(&mut download)?)?;
    let directory = answer["Dir"].as_str().context("`go mod download` names no directory")?;
    // Modules carry no executable bits.
    let programs = format!("chmod +x '{directory}'/bin/* '{directory}'/pkg/tool/*/*");
    run::must_succeed(Command::new("sh").args(["-c", &programs]))?;
    Ok(Path::new(directory).join("bin/go"))
}

fn installed_go() -> Option<PathBuf> {
    let mut places = vec![PathBuf::from("go"), PathBuf::from("/usr/local/go/bin/go")];
    let packaged = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    places.extend(
        packaged
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("go-1.")))
            .map(|path| path.join("bin/go")),
    );
    places.into_iter().filter(|place| go_version(place).is_some()).max_by_key(|place| go_version(place))
}

/// In the temporary directory, so that no go.mod asks for another version.
fn go_version(program: &Path) -> Option<[u32; 3]> {
    let text = run::output_of(Command::new(program).arg("version").current_dir(std::env::temp_dir()))?;
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("go1."))?;
    Some(numbers(&format!("1.{version}")))
}

/// `1.26.8` as numbers; what is missing or not a number counts as zero.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    });
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    run::output_of(Command::new(program).args(arguments)).is_some()
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn how_to_install(missing: &[&Need]) -> String {
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!(
        "{} {verb} missing; install with `sudo apt-get install {}`, or the same from your own package manager",
        names.join(" and "),
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::{C_COMPILER, GIT, how_to_install, numbers};

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(numbers("1.26.8"), [1, 26, 8]);
        assert_eq!(numbers("1.27rc1"), [1, 27, 0]);
        assert!(numbers("1.9.4") < numbers("1.21"));
    }

    #[test]
    fn what_is_missing_comes_with_its_command() {
        let text = how_to_install(&[&GIT, &C_COMPILER]);
        assert!(text.starts_with("git and a C compiler are missing"), "{text}");
        assert!(text.contains("`sudo apt-get install git build-essential`"), "{text}");
    }
}
