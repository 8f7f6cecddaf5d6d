//! Tests of credentials: which count as whose. They store nothing.

use api::ClusterName;
use client::Object;

use super::record::{self, Record};
use super::*;

fn read(secret: &serde_json::Value) -> Record {
    let object = Object::from_json(ClusterName::root(), serde_json::to_vec(secret).unwrap().into()).unwrap();
    record::read(&object).unwrap()
}

fn users() -> Users {
    let users = Users::new(Contracts::default());
    let values = [("username", "giteaAdmin".to_owned()), ("password", "s3cret".into()), ("token", "ab".repeat(20))];
    users.observe(record::CREDENTIAL, Some(read(&record::secret(record::CREDENTIAL, &[], &values))));
    let rounds = NonZeroU32::new(2).unwrap();
    let hash = base::digest::password_hash("pw", "salt", rounds);
    let ann = Account {
        number: 2,
        login: "Ann".into(),
        kind: AccountKind::User,
        email: String::new(),
        full_name: String::new(),
        admin: false,
        created: String::new(),
        owners: Vec::new(),
        password: Password::Hashed { salt: "salt".into(), rounds, hash },
    };
    users.observe("ann", Some(read(&record::account_secret("ann", &ann))));
    let token = Token {
        number: 3,
        login: "ann".into(),
        name: "ci".into(),
        sha256: base::digest::sha256_hex(b"annstoken"),
        last_eight: "nnstoken".into(),
        scopes: vec!["read:repository".into()],
        created: String::new(),
    };
    users.observe("token", Some(read(&record::token_secret("token", &token))));
    users
}

async fn check(users: &Users, authorization: &str, expect: Option<(&str, bool)>) {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization.parse().unwrap());
    let got = match users.authenticate(&headers).await {
        Presented::Caller(caller) => Some((caller.login, caller.admin)),
        Presented::Wrong => None,
        Presented::Nobody => panic!("{authorization} was not seen"),
    };
    assert_eq!(got, expect.map(|(login, admin)| (login.to_owned(), admin)), "{authorization}");
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn credentials() {
    let users = users();
    let token = "ab".repeat(20);
    let admin = Some(("giteaAdmin", true));
    check(&users, &basic("giteaAdmin", "s3cret"), admin).await;
    check(&users, &basic("giteaAdmin", &token), admin).await;
    check(&users, &basic(&token, ""), admin).await;
    check(&users, &basic(&token, "x-oauth-basic"), admin).await;
    check(&users, &basic("oauth2", &token), admin).await;
    check(&users, &format!("token {token}"), admin).await;
    check(&users, &format!("Bearer {token}"), admin).await;
    check(&users, &basic("Ann", "pw"), Some(("Ann", false))).await;
    check(&users, &basic("ann", "pw"), Some(("Ann", false))).await;
    check(&users, "token annstoken", Some(("Ann", false))).await;
    for wrong in [
        basic("giteaAdmin", "wrong"),
        basic("giteaAdmin", ""),
        basic("", ""),
        basic("Ann", "s3cret"),
        basic("giteaAdmin", "annstoken"),
        "token ".into(),
        "token nope".into(),
        "Basic !!!".into(),
        "Digest x".into(),
    ] {
        check(&users, &wrong, None).await;
    }
    assert_eq!(users.authenticate(&HeaderMap::new()).await, Presented::Nobody);
}

#[tokio::test]
async fn a_removed_secret_takes_its_access_away() {
    let users = users();
    users.observe("token", None);
    check(&users, "token annstoken", None).await;
    users.observe("ann", None);
    check(&users, &basic("Ann", "pw"), None).await;
}

#[tokio::test]
async fn scopes_narrow() {
    let users = users();
    let caller = users.token("annstoken").await.unwrap();
    assert!(caller.scope_allows(Wish::Read) && !caller.scope_allows(Wish::Write));
}
