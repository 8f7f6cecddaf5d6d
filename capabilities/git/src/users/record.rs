//! Accounts and tokens in the form in which Secrets keep them. The one place that
//! knows the keys; it does no I/O.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::Object;
use serde::Deserialize;
use serde_json::{Value, json};

/// The Secret that CNOE's tools read the administrator from.
pub const CREDENTIAL: &str = "gitea-credential";
/// Label of Secrets that hold an account or a token; its value says which.
pub const RECORD_LABEL: &str = "git.coracle.dev/record";
/// Number of the administrator's account, as in Gitea.
pub const ADMINISTRATOR_NUMBER: i64 = 1;
/// Rounds with which passwords are hashed.
pub const ROUNDS: NonZeroU32 = NonZeroU32::new(210_000).expect("it is not zero");

/// What one Secret says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// An account.
    pub account: Option<Account>,
    /// Tokens.
    pub tokens: Vec<Token>,
}

/// A user or an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number that Gitea's API shows.
    pub number: i64,
    /// Name.
    pub login: String,
    /// Which of the two.
    pub kind: AccountKind,
    /// Address.
    pub email: String,
    /// Name for people.
    pub full_name: String,
    /// Whether they may do everything.
    pub admin: bool,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Logins of those who own an organisation.
    pub owners: Vec<String>,
    /// How a user proves who they are.
    pub password: Password,
}

/// User or organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A person or machine.
    User,
    /// A group of users that owns repositories.
    Organisation,
}

/// What is known of a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// There is none: only tokens.
    None,
    /// The administrator's, which its Secret shows to CNOE's tools.
    Plain(String),
    /// Anybody else's.
    Hashed {
        /// Salt.
        salt: String,
        /// Rounds.
        rounds: NonZeroU32,
        /// Derived value, hexadecimal.
        hash: String,
    },
}

impl std::fmt::Debug for Password {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Password(…)")
    }
}

/// An access token; the token itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Number that Gitea's API shows.
    pub number: i64,
    /// Whose it is.
    pub login: String,
    /// What it was called.
    pub name: String,
    /// Digest of the token, hexadecimal.
    pub sha256: String,
    /// Its last eight characters, by which people tell tokens apart.
    pub last_eight: String,
    /// What it is for; empty for everything.
    pub scopes: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
}

#[derive(Deserialize)]
struct Secret {
    #[serde(default)]
    data: BTreeMap<String, String>,
}

/// Reads a Secret; `None` if it holds neither account nor token.
pub fn read(secret: &Object) -> Option<Record> {
    let data = decode(secret)?;
    let text = |key: &str| data.get(key).cloned().unwrap_or_default();
    if secret.meta.name == CREDENTIAL {
        return Some(read_credential(secret, &data));
    }
    match secret.meta.labels.get(RECORD_LABEL)?.as_str() {
        "account" => Some(Record { account: Some(read_account(&text)), tokens: Vec::new() }),
        "token" => Some(Record { account: None, tokens: vec![read_token(&text)] }),
        _ => None,
    }
}

/// The values of a Secret as text.
pub fn decode(secret: &Object) -> Option<BTreeMap<String, String>> {
    let parsed: Secret = secret.parse().ok()?;
    let decoded = parsed.data.into_iter().filter_map(|(key, value)| {
        let bytes = STANDARD.decode(value).ok()?;
        Some((key, String::from_utf8(bytes).ok()?))
    });
    Some(decoded.collect())
}

fn read_credential(secret: &Object, data: &BTreeMap<String, String>) -> Record {
    let text = |key: &str| data.get(key).map(|value| value.trim().to_owned()).unwrap_or_default();
    let login = text("username");
    let created = secret.meta.creation_timestamp.clone().unwrap_or_default();
    let password = text("password");
    let token = text("token");
    let tokens = if token.is_empty() {
        Vec::new()
    } else {
        vec![Token {
            number: 1,
            login: login.clone(),
            name: "admin".into(),
            sha256: base::digest::sha256_hex(token.as_bytes()),
            last_eight: last_eight(&token),
            scopes: Vec::new(),
            created: created.clone(),
        }]
    };
    let account = Account {
        number: ADMINISTRATOR_NUMBER,
        email: "gitea@local.domain".into(),
        full_name: String::new(),
        kind: AccountKind::User,
        admin: true,
        created,
        owners: Vec::new(),
        password: if password.is_empty() { Password::None } else { Password::Plain(password) },
        login,
    };
    Record { account: (!account.login.is_empty()).then_some(account), tokens }
}

fn read_account(text: &dyn Fn(&str) -> String) -> Account {
    let organisation = text("kind") == "organisation";
    let password = match NonZeroU32::new(text("rounds").parse().unwrap_or(0)) {
        Some(rounds) => Password::Hashed { salt: text("salt"), rounds, hash: text("hash") },
        None => Password::None,
    };
    Account {
        number: text("number").parse().unwrap_or(0),
        login: text("login"),
        kind: if organisation { AccountKind::Organisation } else { AccountKind::User },
        email: text("email"),
        full_name: text("fullName"),
        admin: text("admin") == "true",
        created: text("created"),
        owners: list(&text("owners")),
        password,
    }
}

fn read_token(text: &dyn Fn(&str) -> String) -> Token {
    Token {
        number: text("number").parse().unwrap_or(0),
        login: text("login"),
        name: text("name"),
        sha256: text("sha256"),
        last_eight: text("lastEight"),
        scopes: list(&text("scopes")),
        created: text("created"),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The last eight characters of a token.
pub fn last_eight(token: &str) -> String {
    token.chars().skip(token.chars().count().saturating_sub(8)).collect()
}

/// The Secret of an account.
pub fn account_secret(name: &str, account: &Account) -> Value {
    let mut values = vec![
        ("kind", if account.kind == AccountKind::Organisation { "organisation".into() } else { "user".to_owned() }),
        ("number", account.number.to_string()),
        ("login", account.login.clone()),
        ("email", account.email.clone()),
        ("fullName", account.full_name.clone()),
        ("admin", account.admin.to_string()),
        ("created", account.created.clone()),
        ("owners", account.owners.join(",")),
    ];
    if let Password::Hashed { salt, rounds, hash } = &account.password {
        values.extend([("salt", salt.clone()), ("rounds", rounds.to_string()), ("hash", hash.clone())]);
    }
    secret(name, &[(RECORD_LABEL, "account")], &values)
}

/// The Secret of a token.
pub fn token_secret(name: &str, token: &Token) -> Value {
    let values = [
        ("number", token.number.to_string()),
        ("login", token.login.clone()),
        ("name", token.name.clone()),
        ("sha256", token.sha256.clone()),
        ("lastEight", token.last_eight.clone()),
        ("scopes", token.scopes.join(",")),
        ("created", token.created.clone()),
    ];
    secret(name, &[(RECORD_LABEL, "token")], &values)
}

/// A Secret in the namespace of the git server.
pub fn secret(name: &str, labels: &[(&str, &str)], values: &[(&str, String)]) -> Value {
    let data: serde_json::Map<String, Value> =
        values.iter().map(|(key, value)| ((*key).to_owned(), json!(STANDARD.encode(value)))).collect();
    let labels: serde_json::Map<String, Value> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": crate::kinds::NAMESPACE, "labels": labels},
        "type": "Opaque",
        "data": data,
    })
}
