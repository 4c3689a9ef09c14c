//! TLS: a certificate and its key, both in PEM.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

use super::users::check_private;
use crate::error::{Error, Result};

/// A certificate with its key, ready for clients: TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads a certificate (with those that vouch for it after it, if any) and its key.
    ///
    /// # Errors
    /// `Error::SecretFile` where a file cannot be read, holds something else, the key belongs to
    /// another certificate, or is open to others than its owner.
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls> {
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |why: String| Error::SecretFile { path, why }
        };
        let read = |path: &Path| std::fs::read(path).map_err(|e| failed(path)(e.to_string()));
        let certificate_pem = read(certificate)?;
        check_private(key).map_err(failed(key))?;
        let key_pem = read(key)?;
        let certificates = certificates(&certificate_pem).map_err(failed(certificate))?;
        Tls::of(certificates, &key_pem).map_err(failed(key))
    }

    /// As `load`, from PEM in memory.
    ///
    /// # Errors
    /// `Error::SecretFile`, with `<certificate>` or `<key>` in place of a path.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Tls> {
        let failed = |what: &str| {
            let path = what.to_owned();
            move |why: String| Error::SecretFile { path, why }
        };
        let certificates = certificates(certificate).map_err(failed("<certificate>"))?;
        Tls::of(certificates, key).map_err(failed("<key>"))
    }

    fn of(
        certificates: Vec<CertificateDer<'static>>,
        key: &[u8],
    ) -> std::result::Result<Tls, String> {
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|e| format!("it holds no private key in PEM ({e})"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|e| format!("it does not go with the certificate ({e})"))?;
        Ok(Tls {
            config: Arc::new(config),
        })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// Says nothing of the key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

fn certificates(pem: &[u8]) -> std::result::Result<Vec<CertificateDer<'static>>, String> {
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err("it holds no certificate in PEM".to_owned()),
        Err(e) => Err(format!("it is no PEM ({e})")),
    }
}
