//! The local certificate authority. It is made once per platform, signs every
//! listener's certificate and the administrator's, and never leaves the
//! platform's directory.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use base::Diagnostic;
use contracts::auth::Identity;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::layout::{Layout, write_private};

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Pair {
    /// Certificate.
    pub certificate: String,
    /// Private key.
    pub key: String,
}

/// The platform's authority.
pub struct Authority {
    certificate: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// The authority of a platform; made on first use.
    pub fn open(layout: &Layout, name: &str) -> Result<Self, Diagnostic> {
        let key_path = layout.pki().join("ca.key");
        let certificate_path = layout.pki().join("ca.crt");
        let (key, certificate) = (read_if_there(&key_path)?, read_if_there(&certificate_path)?);
        if certificate.is_some() && key.is_none() {
            return Err(broken(&"there is a certificate, but not its key"));
        }
        // A key alone is what a crash between the two writes leaves; nobody trusts it yet.
        let key = match &key {
            Some(key) => KeyPair::from_pem(key),
            None => KeyPair::generate(),
        };
        let key = key.map_err(|error| broken(&error))?;
        let key_pem = key.serialize_pem();
        let issuer = CertifiedIssuer::self_signed(authority_params(name), key).map_err(|error| broken(&error))?;
        if let Some(certificate) = certificate {
            return Ok(Authority { certificate, issuer });
        }
        let certificate = issuer.pem();
        // The key first: a certificate without its key would be taken for a whole authority.
        write_private(&key_path, key_pem.as_bytes()).map_err(|error| broken(&error))?;
        write_private(&certificate_path, certificate.as_bytes()).map_err(|error| broken(&error))?;
        Ok(Authority { certificate, issuer })
    }

    /// The authority's certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a listener.
    pub fn listener(&self, names: &[String], addresses: &[IpAddr]) -> Result<Pair, Diagnostic> {
        let mut params = CertificateParams::new(names.to_vec()).map_err(|error| broken(&error))?;
        params.subject_alt_names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
        params.distinguished_name = distinguished(names.first().map_or("coracle", String::as_str), None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// A client certificate: the common name is the user, the organisation the group.
    pub fn client(&self, user: &str, group: &str) -> Result<Pair, Diagnostic> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(user, Some(group));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Pair, Diagnostic> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(|error| broken(&error))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| broken(&error))?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// TLS for a listener. With `client_certificates`, those that this authority signed
    /// are verified; a connection without one is still taken.
    pub fn tls(&self, pair: &Pair, client_certificates: bool) -> Result<Arc<ServerConfig>, Diagnostic> {
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(pair.certificate.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(|error| broken(&error))?;
        let builder = ServerConfig::builder();
        let builder = if client_certificates {
            let mut roots = RootCertStore::empty();
            let own = CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(|error| broken(&error))?;
            roots.add(own).map_err(|error| broken(&error))?;
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
                .allow_unauthenticated()
                .build()
                .map_err(|error| broken(&error))?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let chain = chain.map_err(|error| broken(&error))?;
        let mut config = builder.with_single_cert(chain, key).map_err(|error| broken(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Who a verified client certificate says the caller is.
pub fn identity(certificate: &CertificateDer<'_>) -> Option<Identity> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let subject = parsed.subject();
    let user = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let mut groups: Vec<String> =
        subject.iter_organization().filter_map(|group| Some(group.as_str().ok()?.to_owned())).collect();
    groups.push("system:authenticated".to_owned());
    Some(Identity { user, groups })
}

/// A file's text; `None` if there is none. Anything else must not be taken for a first use,
/// or an authority that everybody trusts would be replaced.
fn read_if_there(path: &Path) -> Result<Option<String>, Diagnostic> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(broken(&format!("{}: {error}", path.display()))),
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(&format!("coracle {name} authority"), None);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn distinguished(common_name: &str, organisation: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    if let Some(organisation) = organisation {
        name.push(DnType::OrganizationName, organisation);
    }
    name
}

fn broken(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("broken-pki", "the platform's certificates cannot be made or read")
        .detail(error)
        .hint("restore the `pki` directory from a backup, or delete the platform and create it again")
}
