//! The grammar of a remote package's address, kustomize's remote syntax as
//! CNOE's builder takes it. Pure; it must never reach for the network.
//!
//! `https://[user[:password]@]host[:port]/org/repo//path?ref=v1&timeout=30&submodules=true`
//! or `git@host:org/repo//path?ref=v1`.

use std::fmt;
use std::time::Duration;

use base::Diagnostic;

/// How long a remote package may take to answer when its address does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(27);

/// A package in a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePackage {
    /// What git clones, credentials included where the address has some.
    pub repository: String,
    /// Directory or file in it, without slashes at either end; empty for its root.
    pub path: String,
    /// Branch, tag or commit; empty for the default branch.
    pub revision: String,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether submodules are wanted.
    pub submodules: bool,
}

impl RemotePackage {
    /// The revision to resolve.
    pub fn revision_or_head(&self) -> &str {
        if self.revision.is_empty() { "HEAD" } else { &self.revision }
    }
}

impl fmt::Display for RemotePackage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}//{}", redact(&self.repository), self.path)
    }
}

/// Whether an argument of `-p` can only be an address, not a path.
pub fn looks_remote(argument: &str) -> bool {
    argument.contains("://") || is_scp(argument)
}

/// Reads an address.
pub fn parse(address: &str) -> Result<RemotePackage, Diagnostic> {
    let refuse = |why: &str| {
        Diagnostic::new("bad-package-url", format!("{} is not the address of a package", redact(address)))
            .detail(why)
            .hint("write it as https://host/org/repo//path?ref=branch")
    };
    let (location, query) = address.split_once('?').unwrap_or((address, ""));
    let start = repository_start(location).map_err(refuse)?;
    let Some(split) = location[start..].find("//").map(|at| at + start) else {
        return Err(refuse("it must have // after the repository, before the path"));
    };
    let repository = &location[..split];
    if repository.get(start..).unwrap_or_default().trim_matches('/').is_empty() {
        return Err(refuse("it names no repository"));
    }
    let path = clean(&location[split + 2..]).ok_or_else(|| refuse("its path leaves the repository"))?;
    let options = Options::read(query).map_err(|why| refuse(&why))?;
    Ok(RemotePackage {
        repository: repository.to_owned(),
        path,
        revision: options.reference.or(options.version).unwrap_or_default(),
        timeout: options.timeout.unwrap_or(DEFAULT_TIMEOUT),
        submodules: options.submodules.unwrap_or(true),
    })
}

/// The address without a user's name and password.
pub fn redact(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    match rest[..authority_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

/// The `user:password` that an address carries, decoded; `None` if it carries none.
pub fn credentials(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let (stated, _) = authority.rsplit_once('@')?;
    let mut decoded = Vec::new();
    let mut bytes = stated.bytes();
    while let Some(byte) = bytes.next() {
        let digits: Option<[u8; 2]> = (byte == b'%').then(|| Some([bytes.next()?, bytes.next()?])).flatten();
        let escaped = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
    }
    String::from_utf8(decoded).ok()
}

/// A relative path without `.` and `..`, joined by single slashes; `None` if it
/// climbs above its root.
pub fn clean(path: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Where the path of the repository begins: behind the host.
fn repository_start(location: &str) -> Result<usize, &'static str> {
    for scheme in ["https://", "http://"] {
        if let Some(rest) = location.strip_prefix(scheme) {
            let host_end = rest.find('/').ok_or("it names no repository")?;
            let host = rest[..host_end].rsplit('@').next().unwrap_or_default();
            if host.is_empty() {
                return Err("it names no host");
            }
            return Ok(scheme.len() + host_end + 1);
        }
    }
    if location.contains("://") {
        return Err("only https, http and git@host: addresses are understood");
    }
    if is_scp(location) {
        return location.find(':').map(|at| at + 1).ok_or("it names no repository");
    }
    Err("it begins neither with https:// nor with git@host:")
}

/// `user@host:path`, git's short form for SSH.
fn is_scp(text: &str) -> bool {
    let Some((user_and_host, path)) = text.split_once(':') else { return false };
    let Some((user, host)) = user_and_host.split_once('@') else { return false };
    !user.is_empty() && !host.is_empty() && !user_and_host.contains('/') && !path.starts_with("//")
}

#[derive(Default)]
struct Options {
    reference: Option<String>,
    version: Option<String>,
    timeout: Option<Duration>,
    submodules: Option<bool>,
}

impl Options {
    fn read(query: &str) -> Result<Self, String> {
        let mut options = Options::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let given = || (!value.is_empty()).then(|| value.to_string());
            match &*key {
                "ref" => options.reference = given(),
                "version" => options.version = given(),
                "timeout" => options.timeout = Some(duration(&value)?),
                "submodules" => options.submodules = Some(boolean(&value)?),
                _ => {}
            }
        }
        Ok(options)
    }
}

/// Whole seconds, or Go's notation: `1m30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let refuse = || format!("{text:?} is not a duration, write it as 90s or 1m30s");
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(refuse)?;
        let number: f64 = rest[..digits].parse().map_err(|_| refuse())?;
        let unit_end = rest[digits..].find(|letter: char| letter.is_ascii_digit()).map_or(rest.len(), |at| at + digits);
        let seconds = match &rest[digits..unit_end] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(refuse()),
        };
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| refuse())?;
        total = total.checked_add(part).ok_or_else(refuse)?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { Err(refuse()) } else { Ok(total) }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}
