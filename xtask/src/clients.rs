//! The pinned clients that tests drive the platform with: Go programs from
//! `tools/` and the Python client, kept below `target/tools` and rebuilt only
//! when their sources change. It must never take a client from elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{run, toolchain};

/// Where the clients are, for the tests' environment.
pub struct Clients {
    pub kubectl: PathBuf,
    pub python: PathBuf,
}

/// `cargo xtask tools`.
pub fn run() -> Result<ExitCode> {
    let clients = ready()?;
    for (name, value) in clients.environment() {
        println!("{name}={}", value.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Installs and builds whatever is not there yet.
pub fn ready() -> Result<Clients> {
    toolchain::install(&[toolchain::GIT, toolchain::CURL, toolchain::PYTHON, toolchain::GO])?;
    let programs = go_programs()?;
    let kubectl = programs.into_iter().find(|path| path.ends_with("kubectl")).context("tools/kubectl is missing")?;
    Ok(Clients { kubectl, python: python()? })
}

impl Clients {
    /// The variables by which tests find them.
    pub fn environment(&self) -> [(&'static str, &Path); 2] {
        [("CORACLE_TEST_KUBECTL", &self.kubectl), ("CORACLE_TEST_PYTHON", &self.python)]
    }
}

/// Builds every folder of `tools/` that holds a main.go.
fn go_programs() -> Result<Vec<PathBuf>> {
    let tools = run::root().join("tools");
    let mut programs = Vec::new();
    for entry in fs::read_dir(&tools).context("cannot read tools/")? {
        let folder = entry?.path();
        if folder.join("main.go").is_file() {
            programs.push(go_program(&tools, &folder)?);
        }
    }
    programs.sort();
    Ok(programs)
}

fn go_program(tools: &Path, folder: &Path) -> Result<PathBuf> {
    let name = folder.file_name().context("a folder has a name")?.to_string_lossy().into_owned();
    let directory = run::root().join("target/tools/bin");
    let program = directory.join(&name);
    let sources = [tools.join("go.mod"), tools.join("go.sum"), folder.join("main.go")];
    let stamp = Stamp::of(&directory.join(format!(".{name}.stamp")), &sources)?;
    if stamp.is_fresh() && program.is_file() {
        return Ok(program);
    }
    let modules = fs::read_to_string(&sources[0])?;
    eprintln!("building {name} from tools/go.mod");
    fs::create_dir_all(&directory)?;
    // Beside its place and then renamed, since a test may be running the old one.
    let fresh = directory.join(format!(".{name}.{}", std::process::id()));
    let wanted = required(&modules, "go").context("tools/go.mod names no Go version")?;
    let mut build = toolchain::go(wanted)?;
    build.current_dir(tools).env("CGO_ENABLED", "0");
    build.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &version_flags(&modules), "-o"]);
    run::must_succeed(build.arg(&fresh).arg(format!("./{name}")))?;
    fs::rename(&fresh, &program)?;
    stamp.write()?;
    Ok(program)
}

/// Upstream stamps its version at link time; without it kubectl says v0.0.0.
fn version_flags(modules: &str) -> String {
    let version = required(modules, "k8s.io/kubectl").unwrap_or("v0.0.0");
    let version = format!("v1.{}", version.trim_start_matches("v0."));
    let minor = version.split('.').nth(1).unwrap_or("0");
    let package = "k8s.io/component-base/version";
    format!(
        "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor=1 -X {package}.gitMinor={minor} \
         -X {package}.gitTreeState=clean"
    )
}

/// The version behind a name in a go.mod.
fn required<'text>(modules: &'text str, name: &str) -> Option<&'text str> {
    modules.lines().find_map(|line| {
        let mut words = line.split_whitespace().filter(|word| *word != "require");
        (words.next() == Some(name)).then(|| words.next()).flatten()
    })
}

/// A virtual environment with exactly what tools/requirements.txt pins.
fn python() -> Result<PathBuf> {
    let root = run::root();
    let environment = root.join("target/tools/venv");
    let program = environment.join("bin/python");
    let requirements = root.join("tools/requirements.txt");
    let stamp = Stamp::of(&environment.join(".stamp"), std::slice::from_ref(&requirements))?;
    // An upgrade of the system's Python leaves the old environment unusable.
    let works = || run::output_of(Command::new(&program).args(["-c", "import kubernetes"])).is_some();
    if stamp.is_fresh() && works() {
        return Ok(program);
    }
    eprintln!("installing the Python client of tools/requirements.txt");
    run::must_succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(&program);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    run::must_succeed(pip.arg(&requirements))?;
    stamp.write()?;
    Ok(program)
}

/// Says whether something was built from the sources as they are now.
struct Stamp {
    path: PathBuf,
    sources: String,
}

impl Stamp {
    fn of(path: &Path, sources: &[PathBuf]) -> Result<Stamp> {
        let mut text = String::new();
        for source in sources {
            text += &fs::read_to_string(source).with_context(|| format!("cannot read {}", source.display()))?;
        }
        Ok(Stamp { path: path.to_owned(), sources: text })
    }

    fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|stamped| stamped == self.sources)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.sources).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::{required, version_flags};

    const MODULES: &str = "module example\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubectl v0.36.6\n)\n";

    #[test]
    fn versions_come_from_go_mod() {
        assert_eq!(required(MODULES, "go"), Some("1.26.0"));
        assert_eq!(required(MODULES, "k8s.io/kubectl"), Some("v0.36.6"));
        assert_eq!(required("require k8s.io/kubectl v0.36.6", "k8s.io/kubectl"), Some("v0.36.6"));
        assert_eq!(required(MODULES, "k8s.io/api"), None);
    }

    #[test]
    fn kubectl_learns_its_release() {
        let flags = version_flags(MODULES);
        assert!(flags.contains("gitVersion=v1.36.6 "), "{flags}");
        assert!(flags.contains("gitMinor=36 "), "{flags}");
    }
}
