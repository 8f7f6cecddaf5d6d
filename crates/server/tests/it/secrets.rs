//! Keys and what they protect: sealed values, the administrator's token, the
//! certificates.

use anyhow::{Result, ensure};
use base::Ids;
use contracts::auth::TokenVerifier;
use server::pki::{self, Authority};
use server::seal::FileSealer;
use server::tokens::{self, FileTokens};
use server::{Config, Layout};
use store::Sealer;
use tempfile::TempDir;

fn layout() -> Result<(TempDir, Layout)> {
    let directory = tempfile::tempdir()?;
    let layout = Layout::new(directory.path().join("platform"));
    layout.create(&Config::new("x"))?;
    Ok((directory, layout))
}

#[test]
fn a_sealed_value_opens_only_where_it_belongs() -> Result<()> {
    let (_directory, layout) = layout()?;
    let sealer = FileSealer::open(&layout, &Ids::system())?;
    let key = sealer.current_key_id();
    let sealed = sealer.seal(key, b"here", b"hunter2")?;
    ensure!(!sealed.windows(7).any(|window| window == b"hunter2"));
    ensure!(sealer.seal(key, b"here", b"hunter2")? != sealed, "equal values do not look equal");
    ensure!(FileSealer::open(&layout, &Ids::system())?.open(key, b"here", &sealed)? == b"hunter2");
    ensure!(sealer.open(key, b"there", &sealed).is_err());
    ensure!(sealer.open(key + 1, b"here", &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        ensure!(sealer.open(key, b"here", &changed).is_err(), "byte {at} is protected");
    }
    ensure!(sealer.open(key, b"here", &sealed[..5]).is_err());
    Ok(())
}

#[test]
fn a_lost_key_is_not_replaced_while_there_is_data() -> Result<()> {
    let (_directory, layout) = layout()?;
    FileSealer::open(&layout, &Ids::system())?;
    std::fs::write(layout.store(), "data")?;
    std::fs::remove_file(layout.pki().join("secrets.key"))?;
    let refused = FileSealer::open(&layout, &Ids::system());
    ensure!(refused.err().is_some_and(|diagnostic| diagnostic.code == "secrets-key"));
    Ok(())
}

#[tokio::test]
async fn only_the_administrators_token_is_known() -> Result<()> {
    let (_directory, layout) = layout()?;
    let known = FileTokens::open(&layout, &Ids::system())?;
    let token = std::fs::read_to_string(tokens::path(&layout))?;
    ensure!(known.verify(&token).await.is_some_and(|who| who.is_master()));
    for wrong in ["", "x", &token[1..], &token.to_uppercase()] {
        ensure!(known.verify(wrong).await.is_none(), "{wrong:?}");
    }
    let again = FileTokens::open(&layout, &Ids::system())?;
    ensure!(again.verify(&token).await.is_some(), "the token lasts");
    Ok(())
}

#[test]
fn certificates_carry_the_identity_and_the_authority_lasts() -> Result<()> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let (_directory, layout) = layout()?;
    let authority = Authority::open(&layout, "x")?;
    let pair = authority.client("alice", "team")?;
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
    let read = pki::identity(&certificate).map(|identity| (identity.user, identity.groups));
    let groups = ["team", "system:authenticated"].map(String::from).to_vec();
    ensure!(read == Some(("alice".into(), groups)), "{read:?}");
    ensure!(Authority::open(&layout, "x")?.certificate() == authority.certificate());
    let key = layout.pki().join("ca.key");
    let text = std::fs::read_to_string(&key)?;
    std::fs::write(&key, [0xff, 0xfe])?;
    ensure!(Authority::open(&layout, "x").err().is_some_and(|diagnostic| diagnostic.code == "broken-pki"));
    std::fs::remove_file(&key)?;
    ensure!(Authority::open(&layout, "x").is_err(), "an authority is never replaced");
    std::fs::write(&key, text)?;
    ensure!(Authority::open(&layout, "x")?.certificate() == authority.certificate());
    Ok(())
}
