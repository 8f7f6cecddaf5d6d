//! When an image is pulled if nobody says: always, if its name leads to `latest`. It
//! judges names only as far as that needs.

/// The pull policy that the name of an image implies.
pub(super) fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) { "Always" } else { "IfNotPresent" }
}

fn is_latest(image: &str) -> bool {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let (path, tag) = match name[last..].split_once(':') {
        Some((_, tag)) => (&name[..name.len() - tag.len() - 1], Some(tag)),
        None => (name, None),
    };
    is_path(path) && tag.map_or(digest.is_none(), |tag| tag == "latest")
}

/// Whether this can be the name of a repository, with its host: a name that cannot be
/// read says nothing of `latest`.
fn is_path(path: &str) -> bool {
    let within = match path.split_once('/') {
        Some((host, rest)) if host == "localhost" || host.contains(['.', ':']) || is_shouted(host) => rest,
        _ => path,
    };
    within.split('/').all(is_part)
}

fn is_shouted(host: &str) -> bool {
    host.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Words of lower case letters and digits with one of `.`, `_`, `__` or dashes between them.
fn is_part(part: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = part.as_bytes();
    loop {
        let word = rest.iter().take_while(|byte| is_word(byte)).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        if rest.is_empty() {
            return true;
        }
        let gap = rest.iter().take_while(|byte| !is_word(byte)).count();
        let is_gap = matches!(&rest[..gap], b"." | b"_" | b"__") || rest[..gap].iter().all(|byte| *byte == b'-');
        if !is_gap {
            return false;
        }
        rest = &rest[gap..];
    }
}
