//! `rediss://`: a server is believed when its certificate is signed by the root that was named.

use tower_webhook::idempotency::RedisStore;

use super::server::Server;
use super::{FIRST, claim};
use crate::support::free_address;

/// The server's certificate is for `localhost`. Its authority's key was thrown away.
const ROOT: &str = include_str!("../../fixtures/tls/ca.pem");
const OTHER_ROOT: &str = include_str!("../../fixtures/tls/other.pem");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_its_root_and_its_name_only() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let (certificate, key) = (format!("{fixtures}/server.pem"), format!("{fixtures}/server.key"));
    let tls = free_address().port();
    let server = Server::start(&[
        "--tls-port",
        &tls.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ]);
    let at = |host: &str, port: u16| RedisStore::at(&format!("rediss://{host}:{port}"));

    let store = at("localhost", tls).root_certificate(ROOT).connect().await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);

    for (case, setup) in [
        ("another authority of the same name", at("localhost", tls).root_certificate(OTHER_ROOT)),
        ("the machine's roots", at("localhost", tls)),
        ("another name", at("127.0.0.1", tls).root_certificate(ROOT)),
        ("a server that speaks no TLS", at("localhost", server.port()).root_certificate(ROOT)),
        ("a root that is no certificate", at("localhost", tls).root_certificate("no PEM")),
    ] {
        assert!(setup.connect().await.is_err(), "{case}");
    }
    assert!(RedisStore::at("redis://localhost").root_certificate(ROOT).build().is_err(), "a root without TLS");
}
