//! Host names and mail addresses, as Kubernetes' format library reads them.
//! Text in, yes or no out.

use std::sync::OnceLock;

use regex::Regex;

/// A host name: one label, or labels that end in a domain of letters alone.
pub(super) fn is_hostname(text: &str) -> bool {
    const CHARACTER: &str = r"[a-zA-Z0-9\p{S}\p{L}]";
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    if text.len() > 255 || text.split('.').any(|label| label.len() > 63) {
        return false;
    }
    let pattern = PATTERN.get_or_init(|| {
        let single = format!(r"{CHARACTER}((-?{CHARACTER}{{0,62}})?)");
        let several =
            format!(r"({CHARACTER}(([a-zA-Z0-9\-\p{{S}}\p{{L}}]{{0,61}}{CHARACTER})?)(\.))+([a-zA-Z\p{{L}}]){{2,63}}");
        Regex::new(&format!("^({single}|{several})$")).ok()
    });
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// A mail address, alone or after a name in angle brackets.
pub(super) fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    if is_address(text) {
        return true;
    }
    let Some((name, address)) = text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) else { return false };
    let name = name.trim_matches([' ', '\t']);
    let is_word = |word: &str| word.chars().all(|character| is_atom(character) || character == '.');
    let is_name = name.is_empty() || is_quoted(name) || name.split([' ', '\t']).all(is_word);
    is_name && is_address(address)
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_literal = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| inner.strip_prefix("IPv6:").unwrap_or(inner).parse::<std::net::IpAddr>().is_ok());
    (is_dotted(local) || is_quoted(local)) && (is_dotted(domain) || is_literal)
}

/// Atoms with single dots between them.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_atom(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii() || "!#$%&'*+-/=?^_`{|}~".contains(character)
}

fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let is_legal = match character {
            '"' => false,
            '\\' => characters.next().is_some_and(|next| !next.is_control()),
            other => !other.is_control(),
        };
        if !is_legal {
            return false;
        }
    }
    !inner.is_empty()
}
