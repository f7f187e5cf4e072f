//! A server is believed when its certificate is signed by the root that was named.

use tower_webhook::inbox::{InboxStore as _, PostgresInbox};

use super::server::Server;
use super::{at, event, schema};

/// The server's certificate is for `localhost`. Its authority's key was thrown away.
const ROOT: &str = include_str!("../../fixtures/tls/ca.pem");
const OTHER_ROOT: &str = include_str!("../../fixtures/tls/other.pem");
const CERTIFICATE: &str = include_str!("../../fixtures/tls/server.pem");
const KEY: &str = include_str!("../../fixtures/tls/server.key");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_its_root_and_its_name_only() {
    let server = Server::start_with(|folder| {
        let certificate = Server::file(folder, "server.pem", CERTIFICATE);
        let key = Server::file(folder, "server.key", KEY);
        vec!["ssl=on".to_owned(), format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")]
    });
    let plain = Server::shared().await;
    let local = |server: &Server| server.url().replace("127.0.0.1", "localhost");
    let setup = || PostgresInbox::setup().schema(schema());

    let inbox = setup().root_certificate(ROOT).connect(&local(&server)).await.unwrap();
    inbox.accept(vec![event(1, None)], at(0)).await.unwrap();
    let sealed = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                  WHERE ssl AND application_name = 'tower-webhook'";
    let count: i64 = server.client().await.query_one(sealed, &[]).await.unwrap().get(0);
    assert!(count >= 1, "it speaks TLS");

    for (case, setup, url) in [
        ("another authority of the same name", setup().root_certificate(OTHER_ROOT), local(&server)),
        ("the machine's roots", setup(), local(&server)),
        ("another name", setup().root_certificate(ROOT), server.url()),
        ("a server that speaks no TLS", setup().root_certificate(ROOT), local(plain)),
        ("a server that speaks no TLS, and must", setup(), format!("{}?sslmode=require", plain.url())),
        ("a root that is no certificate", setup().root_certificate("no PEM"), local(&server)),
    ] {
        assert!(setup.connect(&url).await.is_err(), "{case}");
    }
    setup().connect(&format!("{}?sslmode=disable", server.url())).await.unwrap();
    setup().connect(&plain.url()).await.unwrap();
}
