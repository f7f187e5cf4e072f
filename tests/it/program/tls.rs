//! `listen` with a certificate, against OpenSSL's and curl's own clients.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use super::certificates::Authority;
use super::child::{Done, Folder, Listener, Program};
use super::faults::faults;
use super::upstream::aella;
use super::wire::Raw;

const ENDPOINT: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
    keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";

/// A file that listens with this certificate.
pub(crate) fn with_tls(pem: &Path, key: &Path, more: &str) -> String {
    let (pem, key) = (pem.display(), key.display());
    format!(
        "listen = \"127.0.0.1:0\"\ntls = {{ certificate = \"{pem}\", key = {{ file = \"{key}\" }}{more} }}\n{ENDPOINT}"
    )
}

/// Sends an event by curl, and prints the status and the version of HTTP.
pub(super) fn curl(listener: &Listener, id: &str, ca: &Path, more: &[&str]) -> Done {
    send(listener, &aella(id), ca, more)
}

/// The same with the body of another.
pub(super) fn curl_forged(listener: &Listener, ca: &Path, more: &[&str]) -> Done {
    let (forged, other) = (aella("forged"), aella("other"));
    send(listener, &Raw { headers: other.headers, ..forged }, ca, more)
}

fn send(listener: &Listener, request: &Raw, ca: &Path, more: &[&str]) -> Done {
    let ca = ca.display().to_string();
    let mut arguments: Vec<String> =
        ["-s", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--cacert", &ca].map(str::to_owned).into();
    for (name, value) in request.headers.iter().filter(|(name, _)| name == "x-aella-signature") {
        arguments.extend(["-H".to_owned(), format!("{name}: {value}")]);
    }
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    arguments.extend(["--data-binary".to_owned(), String::from_utf8(request.body.clone()).unwrap()]);
    arguments.push(format!("https://{}/aella", listener.address()));
    Program::other("curl", arguments).run()
}

/// A client of TLS that believes this authority.
pub(crate) fn connect(address: &str, ca: &Path, alpn: &[u8]) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    StreamOwned::new(connection, stream)
}

#[test]
fn the_same_request_is_taken_over_both_versions_of_tls_and_nothing_in_clear() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("server", "server");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    for version in ["1.2", "1.3"] {
        let (least, most) = (format!("--tlsv{version}"), ["--tls-max", version]);
        let done = curl(&listener, version, &ca.pem(), &[&least, most[0], most[1], "--http1.1"]);
        assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &["200 1.1".to_owned()][..]), "{done:?}");
        assert_eq!(listener.json()["verdict"], "accepted", "{version}");
        let done = curl_forged(&listener, &ca.pem(), &[&least, most[0], most[1]]);
        assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &["401 2".to_owned()][..]), "{done:?}");
        assert_eq!(listener.json()["verdict"], "refused", "{version}");

        let flag = format!("-tls{}", version.replace('.', "_"));
        let asked = format!(
            "s_client -connect {} -CAfile {} {flag} -verify_return_error",
            listener.address(),
            ca.pem().display()
        );
        let done = Program::other("openssl", asked.split(' ')).stdin("").run();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.said().contains("Verify return code: 0 (ok)"), "{done:?}");
    }
    // The client's own check of the certificate has a twin too.
    let other = Authority::new(&folder, "other");
    assert_eq!(curl(&listener, "other", &other.pem(), &[]).code, Some(60));
    let line = listener.json();
    assert_eq!(
        (&line["verdict"], &line["kind"], line.get("status")),
        (&json!("refused"), &json!("tls_handshake"), None)
    );

    let clear = Program::other("curl", ["-s", "-d", "{}", &listener.url("/aella")]).run();
    assert_ne!(clear.code, Some(0), "{clear:?}");
    assert_eq!(listener.json()["kind"], "tls_handshake");
    let done = listener.stop();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.said().contains("PRIVATE"), "{done:?}");
}

#[test]
fn with_client_ca_a_sender_shows_a_certificate_of_that_authority_or_is_refused() {
    let folder = Folder::new();
    let (ca, senders, strangers) =
        (Authority::new(&folder, "ca"), Authority::new(&folder, "senders"), Authority::new(&folder, "strangers"));
    let (pem, key) = ca.signs("server", "server");
    let (right, wrong) = (senders.signs("right", "client"), strangers.signs("wrong", "client"));
    let listener = Listener::start(&with_tls(&pem, &key, &format!(", client_ca = \"{}\"", senders.pem().display())));
    let shown = |(pem, key): &(std::path::PathBuf, std::path::PathBuf)| {
        ["--cert".to_owned(), pem.display().to_string(), "--key".to_owned(), key.display().to_string()]
    };
    for version in ["1.2", "1.3"] {
        let with = |more: &[String]| {
            let mut all = vec!["--tls-max", version];
            all.extend(more.iter().map(String::as_str));
            curl(&listener, version, &ca.pem(), &all)
        };
        for (what, done) in [("none", with(&[])), ("wrong", with(&shown(&wrong)))] {
            // Which of its codes it is depends on what it was about to write.
            assert_ne!(done.code, Some(0), "{version} {what}: {done:?}");
            assert_eq!(done.stdout, ["000 0"], "{version} {what}");
            assert_eq!(listener.json()["kind"], "tls_handshake", "{version} {what}");
        }
        let done = with(&shown(&right));
        assert_eq!((done.code, done.stdout[0].split(' ').next()), (Some(0), Some("200")), "{version}: {done:?}");
        assert_eq!(listener.json()["verdict"], "accepted");
    }
}

#[test]
fn another_certificate_takes_the_place_of_the_one_before_and_kept_connections_go_on() {
    let folder = Folder::new();
    let (old, new) = (Authority::new(&folder, "old"), Authority::new(&folder, "new"));
    let (first, second) = (old.signs("first", "server"), new.signs("second", "server"));
    let listener = Listener::start(&with_tls(&first.0, &first.1, ""));
    let mut kept = BufReader::new(connect(listener.address(), &old.pem(), b"http/1.1"));
    let mut exchange = |id: &str| {
        let request = String::from_utf8(aella(id).bytes()).unwrap().replace("connection: close\r\n", "");
        kept.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(kept.read_line(&mut head).unwrap() > 0, "the connection was closed: {head}");
        }
        head.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(exchange("1"), "200");
    assert!(!listener.reload(&with_tls(&second.0, &first.1, "")), "a key that does not belong to its certificate");
    let said = listener.running().stderr_line();
    assert!(said.contains("receiver.toml: tls.key: does not belong to the certificate; "), "{said}");
    assert_eq!(curl(&listener, "2", &old.pem(), &[]).code, Some(0), "and the old one stays");

    assert!(listener.reload(&with_tls(&second.0, &second.1, "")));
    assert_eq!(exchange("3"), "200", "a connection that was there before");
    assert_eq!(curl(&listener, "4", &old.pem(), &[]).code, Some(60));
    assert_eq!(curl(&listener, "5", &new.pem(), &[]).code, Some(0));
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_drain_waits_for_no_handshake() {
    let folder = Folder::new();
    let (pem, key) = Authority::new(&folder, "ca").signs("server", "server");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    let _silent = TcpStream::connect(listener.address()).unwrap();
    // It is accepted before this one is.
    let refused = Program::other("curl", ["-s", &listener.url("/")]).run();
    assert_ne!(refused.code, Some(0));
    assert_eq!(listener.json()["kind"], "tls_handshake");
    listener.running().signal("TERM");
    assert_eq!(listener.into_running().ends_within(Duration::from_secs(5)), (Some(0), String::new()));
}

#[test]
fn what_is_wrong_with_a_certificate_is_a_fault_with_its_key_and_no_byte_of_a_secret() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (one, other) = (ca.signs("one", "server"), ca.signs("other", "server"));
    let text = folder.write("text.pem", "canary, no PEM");
    let broken = folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\ncanary!\n-----END CERTIFICATE-----\n");
    let nowhere = folder.path().join("nowhere.pem");
    let with_ca = |path: &Path| with_tls(&one.0, &one.1, &format!(", client_ca = \"{}\"", path.display()));
    assert_eq!(Listener::start(&with_ca(&ca.pem())).stop().code, Some(0), "nothing is wrong with these");
    let file = folder.write("receiver.toml", with_ca(&ca.pem()));
    let shown = format!("{:?}", tower_webhook::config::load(file).unwrap().tls);
    assert_eq!(shown, "Some(Tls(..))");
    for (config, fault) in [
        (with_tls(&nowhere, &one.1, ""), "tls.certificate: "),
        (with_tls(&text, &one.1, ""), "tls.certificate: no certificate is in "),
        (with_tls(&broken, &one.1, ""), "tls.certificate: "),
        (with_tls(&one.0, &nowhere, ""), "tls.key.file: "),
        (with_tls(&one.0, &text, ""), "tls.key.file: is no private key in PEM; "),
        (with_tls(&one.0, &one.0, ""), "tls.key.file: is no private key in PEM; "),
        (with_tls(&one.0, &other.1, ""), "tls.key: does not belong to the certificate; "),
        (with_ca(&nowhere), "tls.client_ca: "),
        (with_ca(&text), "tls.client_ca: no certificate is in "),
        (format!("tls = {{ certificate = \"{}\" }}\n{ENDPOINT}", one.0.display()), "tls.key: is missing; "),
        (
            format!("tls = {{ key = {{ file = \"{}\" }} }}\n{ENDPOINT}", one.1.display()),
            "tls.certificate: is missing; ",
        ),
    ] {
        let told = faults(&config);
        assert!(told.len() == 1 && told[0].starts_with(fault), "{fault}: {told:?}");
        assert!(!told[0].contains("canary"), "{told:?}");
    }
}
