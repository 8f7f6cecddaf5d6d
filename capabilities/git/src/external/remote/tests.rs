//! Tests of remote addresses: what is refused, and that credentials never show.
//! They reach no network.

use super::*;

fn refusal(url: &str) -> String {
    Remote::parse(url, false).map(|remote| remote.url).unwrap_err().to_string()
}

#[test]
fn urls() {
    let plain = Remote::parse("https://github.com/cnoe-io/stacks.git", false).unwrap();
    assert_eq!(plain.url, "https://github.com/cnoe-io/stacks.git");
    assert!(plain.authorization.is_none());
    let secret = Remote::parse("https://us%40er:p%3Aw@host.example:8443/o/r", false).unwrap();
    assert_eq!(secret.url, "https://host.example:8443/o/r");
    let (key, header) = secret.authorization.clone().unwrap();
    assert_eq!(key, "http.https://host.example:8443/.extraHeader");
    assert_eq!(header, format!("Authorization: Basic {}", STANDARD.encode("us@er:p:w")));
    assert_ne!(secret.key(), Remote::parse("https://host.example:8443/o/r", false).unwrap().key());
    assert_eq!(plain.key(), Remote::parse("https://github.com/cnoe-io/stacks", false).unwrap().key());
}

#[test]
fn refused_plainly_and_without_secrets() {
    assert!(refusal("ssh://git@github.com/o/r").contains("git over ssh is not supported"));
    assert!(refusal("git@github.com:o/r.git").contains("git over ssh is not supported"));
    assert!(refusal("file:///etc").contains("files of this machine"));
    assert!(refusal("ext::sh -c id").contains("not supported"));
    assert!(refusal("--upload-pack=id").contains("not a repository URL"));
    assert!(!refusal("ftp://user:hunter2@host/x").contains("hunter2"));
    assert!(Remote::parse("file:///tmp/x", true).is_ok());
}

#[test]
fn credentials_are_cut_out_of_text() {
    assert_eq!(
        without_credentials("unable to access 'https://u:p@h/x': no, https://a@b"),
        "unable to access 'https://h/x': no, https://b"
    );
}

#[test]
fn listings() {
    let refs = parse_listing(
        b"ref: refs/heads/main\tHEAD\n11\tHEAD\n11\trefs/heads/main\n22\trefs/tags/v1\n33\trefs/tags/v1^{}\n",
    );
    assert_eq!(refs.head.as_deref(), Some("11"));
    assert_eq!(refs.by_name["refs/tags/v1"], "33");
}
