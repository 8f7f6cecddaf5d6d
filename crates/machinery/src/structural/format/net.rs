//! Addresses, as Go's standard library reads them: IP addresses with leading
//! zeros, prefixes, hardware addresses, request URIs. Text in, yes or no out.

use std::net::Ipv6Addr;

/// An IP address; numbers of version 4 may have leading zeros, which old servers allowed.
pub(super) fn is_ip_sloppy(text: &str) -> bool {
    if text.contains(':') {
        return match text.rsplit_once(':') {
            Some((head, tail)) if tail.contains('.') => {
                is_ipv4(tail) && format!("{head}:0.0.0.0").parse::<Ipv6Addr>().is_ok()
            }
            _ => text.parse::<Ipv6Addr>().is_ok(),
        };
    }
    is_ipv4(text)
}

fn is_ipv4(text: &str) -> bool {
    let mut count = 0;
    for part in text.split('.') {
        count += 1;
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || part.trim_start_matches('0').len() > 3 {
            return false;
        }
        if part.trim_start_matches('0').parse::<u16>().unwrap_or(0) > 255 {
            return false;
        }
    }
    count == 4
}

/// An address with the length of a prefix.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let limit = if address.contains(':') { 128 } else { 32 };
    let is_number = !length.is_empty() && length.len() <= 6 && length.bytes().all(|byte| byte.is_ascii_digit());
    is_number && length.parse::<u32>().is_ok_and(|length| length <= limit) && is_ip_sloppy(address)
}

/// A hardware address of 6, 8 or 20 bytes.
pub(super) fn is_mac(text: &str) -> bool {
    let is_hex = |part: &str, len: usize| part.len() == len && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let separator = match (text.as_bytes().get(2), text.as_bytes().get(4)) {
        (Some(b':'), _) => ':',
        (Some(b'-'), _) => '-',
        (_, Some(b'.')) => '.',
        _ => return false,
    };
    let parts: Vec<&str> = text.split(separator).collect();
    if separator == '.' {
        return [3, 4, 10].contains(&parts.len()) && parts.iter().all(|part| is_hex(part, 4));
    }
    [6, 8, 20].contains(&parts.len()) && parts.iter().all(|part| is_hex(part, 2))
}

/// An absolute URI or an absolute path.
pub(super) fn is_uri(text: &str) -> bool {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) || text.is_empty() {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = split_scheme(text) else { return false };
    let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
    if !rest.starts_with('/') {
        return !scheme.is_empty();
    }
    if let Some(after) = rest.strip_prefix("//").filter(|_| !scheme.is_empty()) {
        let (authority, path) = after.find('/').map_or((after, ""), |at| after.split_at(at));
        return is_authority(authority) && has_valid_escapes(path);
    }
    has_valid_escapes(rest)
}

/// The scheme, which may be empty, and the rest; `None` if it begins with a colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at > 0 => return Some((&text[..at], &text[at + 1..])),
            b':' => return None,
            _ => break,
        }
    }
    Some(("", text))
}

fn has_valid_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_escape = |at: usize| bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || is_escape(at))
}

fn is_authority(authority: &str) -> bool {
    let host = match authority.rsplit_once('@') {
        None => authority,
        Some((user, host)) => {
            let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
            if !user.bytes().all(is_legal) || !has_valid_escapes(user) {
                return false;
            }
            host
        }
    };
    let port_of = |text: &str| {
        text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if let Some(host) = host.strip_prefix('[') {
        let Some((inner, port)) = host.rsplit_once(']') else { return false };
        let address = inner.split_once("%25").map_or(inner, |(address, _)| address);
        return port_of(port) && address.parse::<Ipv6Addr>().is_ok();
    }
    if let Some(at) = host.rfind(':')
        && !port_of(&host[at..])
    {
        return false;
    }
    let is_legal =
        |byte: u8| byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
    host.bytes().all(is_legal) && has_valid_escapes(host)
}
