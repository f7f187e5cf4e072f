//! Certificates: the one to listen with, and those that are believed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::secret;
use crate::config::fault::{Faults, Found, Place};
use crate::config::spec::{SecretSource, TlsClientSpec, TlsSpec};

const PEM_FILE: &str = "give the path of a readable PEM file";
const WITH_A_CERTIFICATE: &str = "give a PEM file with a certificate: -----BEGIN CERTIFICATE-----";

/// How to listen with a certificate, checked. `Debug` prints nothing of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Tls {
    /// TLS 1.2 and 1.3, with HTTP/2 and HTTP/1.1 by ALPN.
    pub server: Arc<ServerConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

/// Whom a client believes, and by what it proves itself, checked. `Debug` prints nothing of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct TlsClient {
    /// TLS 1.2 and 1.3.
    pub config: Arc<ClientConfig>,
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClient(..)")
    }
}

impl TlsClientSpec {
    /// Checks and builds it. The keys of its faults are `to`, `ca`, `certificate` and `key`.
    ///
    /// # Errors
    ///
    /// All [`Faults`] at once.
    pub fn build(&self) -> Result<TlsClient, Faults> {
        let found = Found::in_file("");
        let place = Place::root(&found);
        let identity = self.identity.as_ref().map(|(certificate, secret)| {
            let chain = certificates(certificate, "certificate", &place);
            Some((chain?, key(secret, &place.part("key"))?))
        });
        let client = client(self.ca.as_deref(), ("to", "ca"), identity, &place);
        found.or_faults(client)
    }
}

pub(super) fn server(spec: &TlsSpec, place: &Place<'_>) -> Option<Tls> {
    let chain = certificates(&spec.certificate, "certificate", place);
    let key = key(&spec.key, &place.part("key"));
    let clients = spec.client_ca.as_deref().map(|path| clients(path, place));
    let (chain, key) = (chain?, key?);
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = place.sound("certificate", builder, "this is no fault of the file: report it")?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients?),
        None => builder.with_no_client_auth(),
    };
    let server = builder.with_single_cert(chain, key).map_err(unfit);
    let mut server = place.sound("key", server, "give the private key that belongs to the certificate")?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(Tls { server: Arc::new(server) })
}

/// A certificate with what leads to its root, and its key. Inside, `None`: it has a fault.
type Identity = Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>;

/// For whoever connects: the machine's roots, or the ones of this file alone. The keys are those of the address and of the file.
pub(super) fn client(
    ca: Option<&Path>,
    (to_key, ca_key): (&str, &str),
    identity: Option<Identity>,
    place: &Place<'_>,
) -> Option<TlsClient> {
    let roots = match ca {
        Some(path) => roots(path, ca_key, place),
        None => of_the_machine(to_key, place),
    };
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = place.sound(to_key, builder, "this is no fault of the file: report it")?;
    let builder = builder.with_root_certificates(roots?);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity?;
            let config = builder.with_client_auth_cert(chain, key).map_err(unfit);
            place.sound("key", config, "give the private key that belongs to the certificate")?
        }
    };
    Some(TlsClient { config: Arc::new(config) })
}

fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()))
}

fn unfit(error: rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "does not belong to the certificate".to_owned(),
        other => other.to_string(),
    }
}

fn key(source: &SecretSource, place: &Place<'_>) -> Option<PrivateKeyDer<'static>> {
    let text = secret::text(source, place)?;
    secret::warn_of_readers(source, place);
    // What its words would say of the text is nobody's business.
    let key = PrivateKeyDer::from_pem_slice(text.expose().as_bytes()).map_err(|_| "is no private key in PEM");
    place.sound(source.key(), key, "give an unencrypted key in PEM: -----BEGIN PRIVATE KEY-----")
}

fn certificates(path: &Path, key: &str, place: &Place<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
    let pem = place.sound(key, pem, PEM_FILE)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let all = match all {
        Ok(all) if all.is_empty() => Err(format!("no certificate is in {}", path.display())),
        Ok(all) => Ok(all),
        Err(error) => Err(format!("{} is no PEM: {error}", path.display())),
    };
    place.sound(key, all, WITH_A_CERTIFICATE)
}

fn roots(path: &Path, key: &str, place: &Place<'_>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, key, place)? {
        let added = roots.add(certificate).map_err(|error| format!("is no certificate of an authority: {error}"));
        place.sound(key, added, WITH_A_CERTIFICATE)?;
    }
    Some(roots)
}

fn of_the_machine(to_key: &str, place: &Place<'_>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // What of the machine's roots cannot be read is none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let right = "install the machine's certificates, or name an authority: forward_ca = \"ca.pem\", or --ca";
        place.fault(to_key, "is https, and this machine believes no certificate authority", right);
        return None;
    }
    Some(roots)
}

fn clients(path: &Path, place: &Place<'_>) -> Option<Arc<dyn ClientCertVerifier>> {
    let roots = Arc::new(roots(path, "client_ca", place)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
    place.sound("client_ca", verifier, WITH_A_CERTIFICATE)
}
