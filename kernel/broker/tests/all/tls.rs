//! TLS: clients that trust the certificate are served, everybody else is not.

use std::net::TcpStream;
use std::sync::Arc;

use headwater_broker::Server;
use headwater_broker::security::hash::Hash;
use headwater_broker::security::{Security, Tls};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::clients::{PATIENCE, start_broker_with};
use crate::raw::{Raw, connect};
use crate::security::{is_in, scram, with_ada};

struct Certificate {
    pem: String,
    key_pem: String,
    der: CertificateDer<'static>,
}

fn certificate() -> Certificate {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names).expect("a certificate");
    Certificate {
        pem: cert.pem(),
        key_pem: signing_key.serialize_pem(),
        der: cert.der().clone(),
    }
}

fn start(certificate: &Certificate, security: Security) -> Server {
    let (pem, key) = (&certificate.pem, &certificate.key_pem);
    let tls = Tls::from_pem(pem.as_bytes(), key.as_bytes()).expect("certificate and key");
    start_broker_with(|config| {
        config.security = Security {
            tls: Some(tls),
            ..security
        };
    })
}

fn connect_tls(
    server: &Server,
    trusted: &Certificate,
) -> Raw<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let socket = TcpStream::connect(server.bootstrap()).expect("a connection");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    Raw {
        stream: StreamOwned::new(client, socket),
    }
}

#[test]
fn client_that_trusts_the_certificate_is_served() {
    let certificate = certificate();
    let server = start(&certificate, Security::default());
    assert!(is_in(&mut connect_tls(&server, &certificate)));
}

#[test]
fn client_that_trusts_another_certificate_hangs_up() {
    let server = start(&certificate(), Security::default());
    assert!(!is_in(&mut connect_tls(&server, &certificate())));
}

#[test]
fn client_without_tls_gets_nothing_of_kafka() {
    let server = start(&certificate(), Security::default());
    let mut raw = connect(&server);
    raw.send(3, 0, 7, &0i32.to_be_bytes());
    // TLS may say with an alert what it makes of this; it is not a reply.
    let mut back = Vec::new();
    let _ = std::io::Read::read_to_end(&mut raw.stream, &mut back);
    assert!(back.len() < 12, "{back:?}");
}

#[test]
fn login_goes_through_tls() {
    let certificate = certificate();
    let server = start(&certificate, with_ada());
    let mut raw = connect_tls(&server, &certificate);
    assert_eq!(
        scram(&mut raw, Hash::Sha512, "ada", "engine"),
        Some((0, String::new()))
    );
    assert!(is_in(&mut raw));
    let mut raw = connect_tls(&server, &certificate);
    assert!(!is_in(&mut raw), "nobody gets in without a login");
}

#[test]
fn key_of_another_certificate_is_refused() {
    let (one, other) = (certificate(), certificate());
    let refused = Tls::from_pem(one.pem.as_bytes(), other.key_pem.as_bytes());
    let message = refused.expect_err("an error").to_string();
    assert!(
        message.contains("<key>") && message.contains("does not go with"),
        "{message}"
    );
    let refused = Tls::from_pem(b"no PEM", other.key_pem.as_bytes());
    let message = refused.expect_err("an error").to_string();
    assert!(
        message.contains("it holds no certificate in PEM"),
        "{message}"
    );
    let refused = Tls::from_pem(one.pem.as_bytes(), b"no PEM");
    let message = refused.expect_err("an error").to_string();
    assert!(
        message.contains("it holds no private key in PEM"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let made = certificate();
    std::fs::write(path("cert.pem"), &made.pem).expect("written");
    std::fs::write(path("key.pem"), &made.key_pem).expect("written");
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path("key.pem"), permissions).expect("set");
    };
    mode(0o644);
    let refused = Tls::load(&path("cert.pem"), &path("key.pem"));
    let message = refused.expect_err("an error").to_string();
    assert!(
        message.contains("key.pem") && message.contains("mode 644"),
        "{message}"
    );
    mode(0o600);
    Tls::load(&path("cert.pem"), &path("key.pem")).expect("certificate and key");
    let refused = Tls::load(&path("none.pem"), &path("key.pem"));
    assert!(
        refused
            .expect_err("an error")
            .to_string()
            .contains("none.pem")
    );
}
