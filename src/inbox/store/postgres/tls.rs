//! TLS by rustls: a server is believed by the machine's roots, or by one that was named.

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::super::{InboxError, InboxErrorKind};
use super::setup::PostgresSetup;

fn unusable(why: impl Into<String>) -> InboxError {
    InboxError::new(InboxErrorKind::Unusable).caused_by(why.into())
}

#[cfg(feature = "postgres-tls")]
pub(super) use tokio_postgres_rustls::MakeRustlsConnect as Tls;

#[cfg(not(feature = "postgres-tls"))]
pub(super) use tokio_postgres::NoTls as Tls;

#[cfg(not(feature = "postgres-tls"))]
pub(super) fn tls(config: &mut Config, _: &PostgresSetup) -> Result<Tls, InboxError> {
    match config.get_ssl_mode() {
        SslMode::Require => Err(unusable("sslmode=require needs the feature `postgres-tls`")),
        _ => Ok(Tls),
    }
}

#[cfg(not(feature = "postgres-tls"))]
pub(super) fn check(_: &PostgresSetup) -> Result<(), InboxError> {
    Ok(())
}

/// Whether a root that is named is one.
#[cfg(feature = "postgres-tls")]
pub(super) fn check(setup: &PostgresSetup) -> Result<(), InboxError> {
    match &setup.root {
        Some(_) => roots(setup).map(drop),
        None => Ok(()),
    }
}

/// Whoever names a root means TLS, and nothing less.
#[cfg(feature = "postgres-tls")]
pub(super) fn tls(config: &mut Config, setup: &PostgresSetup) -> Result<Tls, InboxError> {
    if setup.root.is_some() {
        config.ssl_mode(SslMode::Require);
    }
    let provider = rustls::crypto::CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| std::sync::Arc::new(rustls::crypto::ring::default_provider()));
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(Tls::new(client.with_root_certificates(roots(setup)?).with_no_client_auth()))
}

#[cfg(feature = "postgres-tls")]
fn roots(setup: &PostgresSetup) -> Result<rustls::RootCertStore, InboxError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let mut roots = rustls::RootCertStore::empty();
    let Some(pem) = &setup.root else {
        // What of the machine's roots cannot be read is none.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(format!("the root is no PEM: {error}")))?;
        roots.add(certificate).map_err(|error| unusable(format!("the root is no certificate: {error}")))?;
    }
    if roots.is_empty() { Err(unusable("the root is no certificate")) } else { Ok(roots) }
}
