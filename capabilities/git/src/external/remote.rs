//! One address of another server: checked, its credentials taken out, and called
//! through git. What git answers is put into words without them.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::git::Error;
use tokio::io::AsyncReadExt;
use url::Url;

use crate::program::{Program, Running};
use crate::revision::Refs;

/// What is read of the answer to one call.
const ANSWER_BYTES: u64 = 64 << 20;
/// What is kept of an error.
const ERROR_BYTES: u64 = 16 * 1024;

/// How this machine reaches others: the only part of its environment that these calls see.
const NETWORK: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
];

/// Another server's repository.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its URL without credentials.
    pub url: String,
    /// Header that carries the credentials, and the part of the address it is for.
    authorization: Option<(String, String)>,
}

/// One call of git.
pub struct Call<'a> {
    /// Git.
    pub program: &'a Program,
    /// Where it runs.
    pub directory: &'a Path,
    /// What it is told.
    pub arguments: &'a [&'a str],
    /// How long it may take.
    pub timeout: Duration,
}

impl Remote {
    /// Checks a URL and takes its credentials out.
    pub fn parse(url: &str, allow_file: bool) -> Result<Self, Error> {
        let refused = |why: &str| Error::Unreachable {
            url: without_credentials(url),
            why: format!("{why}; use an https:// URL"),
        };
        let text = url.trim();
        if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(refused("this is not a repository URL"));
        }
        let Ok(mut parsed) = Url::parse(text) else {
            let is_scp = text.contains('@') && text.contains(':');
            return Err(refused(if is_scp { "git over ssh is not supported" } else { "this is not a repository URL" }));
        };
        match parsed.scheme() {
            "http" | "https" | "git" => {}
            "file" if allow_file => {}
            "file" => return Err(refused("files of this machine are not fetched from")),
            "ssh" | "git+ssh" | "ssh+git" => return Err(refused("git over ssh is not supported")),
            scheme => return Err(refused(&format!("{scheme}:// is not supported"))),
        }
        let decode = |text: &str| percent_decode(text);
        let (user, password) = (decode(parsed.username()), decode(parsed.password().unwrap_or_default()));
        let mut authorization = None;
        if !user.is_empty() || !password.is_empty() {
            // Neither fails on a URL that could carry credentials in the first place.
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            if parsed.scheme() != "git" {
                let origin = parsed.origin().ascii_serialization();
                let header = format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")));
                authorization = Some((format!("http.{origin}/.extraHeader"), header));
            }
        }
        parsed.set_fragment(None);
        Ok(Remote { url: parsed.to_string(), authorization })
    }

    /// What tells this repository's cache from others'.
    pub fn key(&self) -> String {
        let header = self.authorization.as_ref().map_or("", |(_, header)| header);
        let url = self.url.trim_end_matches('/');
        format!("{}\n{header}", url.strip_suffix(".git").unwrap_or(url))
    }

    /// An error about this server.
    pub fn unreachable(&self, why: &str) -> Error {
        Error::Unreachable { url: self.url.clone(), why: why.to_owned() }
    }

    /// Runs git against this server and answers its output.
    pub async fn call(&self, call: Call<'_>) -> Result<Vec<u8>, Error> {
        let mut config = vec![
            ("transfer.fsckObjects", "false"),
            ("credential.helper", ""),
            ("http.followRedirects", "initial"),
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", "20"),
            ("core.fsync", "none"),
        ];
        if let Some((key, header)) = &self.authorization {
            config.push((key, header));
        }
        let mut command = call.program.command(call.directory, &config);
        command
            .args(call.arguments)
            .env("GIT_ALLOW_PROTOCOL", "http:https:git:file")
            .env("GIT_PROTOCOL_FROM_USER", "0");
        command.envs(NETWORK.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        let mut running = Running::start(&mut command).map_err(|error| Error::Internal(error.to_string()))?;
        let (stdout, stderr) = (running.child().stdout.take(), running.child().stderr.take());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Err(Error::Internal("git was started without pipes".into()));
        };
        let (mut answer, mut said) = (Vec::new(), Vec::new());
        let (mut stdout, mut stderr) = (stdout.take(ANSWER_BYTES), stderr.take(ERROR_BYTES));
        let read = async { futures::join!(stdout.read_to_end(&mut answer), stderr.read_to_end(&mut said)) };
        if tokio::time::timeout(call.timeout, read).await.is_err() {
            running.finish(Duration::ZERO).await;
            return Err(self.unreachable(&format!("no answer within {} seconds", call.timeout.as_secs())));
        }
        if running.finish(Duration::from_secs(5)).await {
            return Ok(answer);
        }
        Err(self.unreachable(&self.explain(&String::from_utf8_lossy(&said))))
    }

    /// What git said, in one sentence, without secrets.
    fn explain(&self, said: &str) -> String {
        let line = said
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")))
            .or_else(|| said.lines().last())
            .unwrap_or("git failed without a word");
        let mut line = without_credentials(line.trim());
        if let Some((_, header)) = &self.authorization {
            line = line.replace(header.as_str(), "…");
        }
        if line.contains("could not read Username") || line.contains("Authentication failed") {
            return "it asks for credentials, or refuses those given".into();
        }
        if line.contains("Could not resolve host") {
            return format!("{line}; is this machine offline?");
        }
        line
    }
}

/// Whether a server refused to hand out a single commit, so that only everything will do.
pub fn is_refused_commit(error: &Error) -> bool {
    let Error::Unreachable { why, .. } = error else { return false };
    ["not our ref", "unadvertised object", "remote did not send all", "does not support shallow", "dumb http"]
        .iter()
        .any(|text| why.contains(text))
}

/// Reads what `git ls-remote --symref` prints; annotated tags are peeled.
pub fn parse_listing(listing: &[u8]) -> Refs {
    let mut refs = Refs::default();
    for line in String::from_utf8_lossy(listing).lines() {
        let Some((id, name)) = line.split_once('\t') else { continue };
        if id.starts_with("ref:") {
            continue;
        }
        if name == "HEAD" {
            refs.head = Some(id.to_owned());
        } else if let Some(tag) = name.strip_suffix("^{}") {
            refs.by_name.insert(tag.to_owned(), id.to_owned());
        } else {
            refs.by_name.entry(name.to_owned()).or_insert_with(|| id.to_owned());
        }
    }
    refs
}

/// A text with what stands between `://` and `@` taken out of every URL in it.
fn without_credentials(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(['/', ' ', '\'', '"']).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut index = 0;
    while index < raw.len() {
        let hex = (raw[index] == b'%').then(|| text.get(index + 1..index + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                index += 3;
            }
            None => {
                bytes.push(raw[index]);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
