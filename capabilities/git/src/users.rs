//! Who may use the git server: accounts and tokens, as data read from Secrets.
//! Nothing here knows how a user came to be; it never writes, and never shows a
//! secret.

pub mod record;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::Contracts;
use contracts::auth::TokenVerifier;
use parking_lot::{Mutex, RwLock};

use record::{Account, AccountKind, Password, Record, Token};

/// Longest `Authorization` header that is looked at.
const HEADER_BYTES: usize = 8 * 1024;
/// Verified passwords that are remembered, because verifying is slow on purpose.
const VERIFIED: usize = 256;

/// What a caller wants with a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Read it.
    Read,
    /// Push or commit to it.
    Write,
    /// Change its settings or remove it.
    Administer,
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// User name.
    pub login: String,
    /// Whether they may do everything.
    pub admin: bool,
    /// What their token is for; `None` for everything.
    pub scopes: Option<Vec<String>>,
}

impl Caller {
    /// Whether the caller's token is for this.
    pub fn scope_allows(&self, wish: Wish) -> bool {
        let Some(scopes) = &self.scopes else { return true };
        let allows = |scope: &String| match wish {
            Wish::Read => matches!(scope.as_str(), "all" | "write:repository" | "read:repository"),
            Wish::Write | Wish::Administer => matches!(scope.as_str(), "all" | "write:repository"),
        };
        scopes.iter().any(allows)
    }
}

/// What a request presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// No credentials.
    Nobody,
    /// Credentials that are right.
    Caller(Caller),
    /// Credentials that are not.
    Wrong,
}

#[derive(Default)]
struct State {
    records: BTreeMap<String, Record>,
    /// Lower-case login → record.
    accounts: HashMap<String, String>,
    /// SHA-256 of a token → record.
    tokens: HashMap<String, String>,
}

/// All accounts and tokens.
pub struct Users {
    state: RwLock<State>,
    verified: Mutex<Vec<String>>,
    contracts: Contracts,
}

impl Users {
    /// No users yet; other tokens are asked of the verifier in `contracts`.
    pub fn new(contracts: Contracts) -> Self {
        Users { state: RwLock::default(), verified: Mutex::default(), contracts }
    }

    /// Takes in what a Secret says, or that it is gone.
    pub fn observe(&self, secret: &str, record: Option<Record>) {
        let mut state = self.state.write();
        match record {
            Some(record) => state.records.insert(secret.to_owned(), record),
            None => state.records.remove(secret),
        };
        let State { records, accounts, tokens } = &mut *state;
        accounts.clear();
        tokens.clear();
        for (name, record) in records.iter() {
            if let Some(account) = &record.account {
                accounts.insert(account.login.to_ascii_lowercase(), name.clone());
            }
            for token in &record.tokens {
                tokens.insert(token.sha256.clone(), name.clone());
            }
        }
    }

    /// An account by its login, whatever the case.
    pub fn account(&self, login: &str) -> Option<Account> {
        let state = self.state.read();
        let record = state.accounts.get(&login.to_ascii_lowercase())?;
        state.records.get(record)?.account.clone()
    }

    /// Every account, users and organisations.
    pub fn accounts(&self) -> Vec<Account> {
        self.state.read().records.values().filter_map(|record| record.account.clone()).collect()
    }

    /// The tokens of a user with the Secrets they are in.
    pub fn tokens(&self, login: &str) -> Vec<(String, Token)> {
        let state = self.state.read();
        let mut found: Vec<(String, Token)> = Vec::new();
        for (name, record) in &state.records {
            let own = record.tokens.iter().filter(|token| token.login.eq_ignore_ascii_case(login));
            found.extend(own.map(|token| (name.clone(), token.clone())));
        }
        found.sort_by_key(|(_, token)| token.number);
        found
    }

    /// A number that no account and no token has.
    pub fn next_number(&self) -> i64 {
        let state = self.state.read();
        let accounts = state.records.values().filter_map(|record| Some(record.account.as_ref()?.number));
        let tokens = state.records.values().flat_map(|record| record.tokens.iter().map(|token| token.number));
        accounts.chain(tokens).max().unwrap_or(0) + 1
    }

    /// The administrator that CNOE's tools log in as, once its Secret was read.
    pub fn administrator(&self) -> Option<Account> {
        self.accounts().into_iter().find(|account| account.admin && account.number == record::ADMINISTRATOR_NUMBER)
    }

    /// Whether what `owner` owns is also `login`'s.
    pub fn belongs_to(&self, login: &str, owner: &str) -> bool {
        login.eq_ignore_ascii_case(owner)
            || self.account(owner).is_some_and(|account| {
                account.kind == AccountKind::Organisation
                    && account.owners.iter().any(|name| name.eq_ignore_ascii_case(login))
            })
    }

    /// Who a request comes from, by its `Authorization`.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Presented {
        let Some(value) = headers.get(AUTHORIZATION) else { return Presented::Nobody };
        let Some(text) = value.to_str().ok().filter(|text| text.len() <= HEADER_BYTES) else { return Presented::Wrong };
        let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
        let credentials = credentials.trim();
        let caller = match scheme.to_ascii_lowercase().as_str() {
            "basic" => self.basic(credentials).await,
            "token" | "bearer" => self.token(credentials).await,
            _ => None,
        };
        caller.map_or(Presented::Wrong, Presented::Caller)
    }

    /// The user whose password this is.
    pub async fn by_password(&self, login: &str, password: &str) -> Option<Caller> {
        let account = self.account(login).filter(|account| account.kind == AccountKind::User)?;
        let right = match &account.password {
            Password::None => false,
            Password::Plain(own) => digest::same_secret(own, password),
            Password::Hashed { salt, rounds, hash } => self.verify(salt, *rounds, hash, password).await,
        };
        right.then_some(Caller { login: account.login, admin: account.admin, scopes: None })
    }

    async fn basic(&self, credentials: &str) -> Option<Caller> {
        let decoded = STANDARD.decode(credentials).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (login, password) = text.split_once(':')?;
        if let Some(caller) = self.by_password(login, password).await {
            return Some(caller);
        }
        if password.is_empty() || password == "x-oauth-basic" {
            return self.token(login).await;
        }
        // A token in the place of a password counts whatever login stands beside it, if that is
        // the token's own or a customary placeholder.
        let caller = self.token(password).await?;
        let placeholder = matches!(login, "" | "token" | "oauth2" | "x-access-token" | "git");
        (placeholder || caller.login.eq_ignore_ascii_case(login)).then_some(caller)
    }

    async fn token(&self, token: &str) -> Option<Caller> {
        if token.is_empty() {
            return None;
        }
        if let Some(caller) = self.own_token(token) {
            return Some(caller);
        }
        let verifier: Arc<dyn TokenVerifier> = self.contracts.get()?;
        let identity = verifier.verify(token).await?;
        let admin = identity.is_master();
        Some(Caller { login: identity.user, admin, scopes: None })
    }

    fn own_token(&self, token: &str) -> Option<Caller> {
        let hash = digest::sha256_hex(token.as_bytes());
        let found = {
            let state = self.state.read();
            let record = state.records.get(state.tokens.get(&hash)?)?;
            record.tokens.iter().find(|token| digest::same_secret(&token.sha256, &hash))?.clone()
        };
        let account = self.account(&found.login)?;
        let scopes = if found.scopes.is_empty() { None } else { Some(found.scopes) };
        Some(Caller { login: account.login, admin: account.admin, scopes })
    }

    async fn verify(&self, salt: &str, rounds: NonZeroU32, hash: &str, password: &str) -> bool {
        let known = digest::sha256_hex(format!("{hash}\0{password}").as_bytes());
        if self.verified.lock().contains(&known) {
            return true;
        }
        let (salt, password) = (salt.to_owned(), password.to_owned());
        let derived = tokio::task::spawn_blocking(move || digest::password_hash(&password, &salt, rounds)).await;
        let right = derived.is_ok_and(|derived| digest::same_secret(&derived, hash));
        if right {
            let mut verified = self.verified.lock();
            if verified.len() >= VERIFIED {
                verified.remove(0);
            }
            verified.push(known);
        }
        right
    }
}

#[cfg(test)]
mod tests;
