//! `forward_to` by https: to whom the upstream proves itself, by either HTTP, and to nobody else.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use axum::body::Body;
use http::{Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::certificates::Authority;
use super::child::{Folder, Listener, Program};
use super::faults::faults;
use super::upstream::{aella, forwarding};

/// An upstream that answers 200 to all that it sees.
struct Upstream {
    port: u16,
    seen: Receiver<(Version, Request<String>)>,
}

impl Upstream {
    fn start((pem, key): &(PathBuf, PathBuf), alpn: &[&str]) -> Self {
        let chain = vec![CertificateDer::from_pem_file(pem).unwrap()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (saw, seen) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, TlsAcceptor::from(Arc::new(config)), saw));
        });
        Self { port, seen }
    }
}

async fn serve(listener: std::net::TcpListener, acceptor: TlsAcceptor, saw: mpsc::Sender<(Version, Request<String>)>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, saw) = (acceptor.clone(), saw.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let service = service_fn(move |request: Request<Incoming>| {
                let saw = saw.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let request = Request::from_parts(head, String::from_utf8(body.to_vec()).unwrap());
                    let _ = saw.send((request.version(), request));
                    Ok::<_, Infallible>(Response::new(Body::empty()))
                }
            });
            let stream = TokioIo::new(stream);
            let _ = match is_http2 {
                true => http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await,
                false => http1::Builder::new().serve_connection(stream, service).await,
            };
        });
    }
}

fn to(upstream: &Upstream, host: &str, ca: Option<&Path>) -> String {
    let config = forwarding("upstream").replace("http://upstream", &format!("https://{host}:{}", upstream.port));
    config + &ca.map(|ca| format!("forward_ca = \"{}\"\n", ca.display())).unwrap_or_default()
}

#[test]
fn an_upstream_that_proves_itself_gets_the_event_by_the_http_that_it_takes() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let certificate = ca.signs("server", "server");
    for (alpn, version) in
        [(&["h2", "http/1.1"][..], Version::HTTP_2), (&["http/1.1"][..], Version::HTTP_11), (&[][..], Version::HTTP_11)]
    {
        let upstream = Upstream::start(&certificate, alpn);
        for host in ["localhost", "127.0.0.1"] {
            let listener = Listener::start(&to(&upstream, host, Some(&ca.pem())));
            for id in ["1", "2"] {
                assert_eq!(aella(id).send(listener.address()).status, 200, "{alpn:?} {host}");
                let (seen, request) = upstream.seen.recv().unwrap();
                assert_eq!((seen, request.uri().path_and_query().unwrap().as_str()), (version, "/hooks?a=b"));
                assert_eq!(request.body().as_bytes(), aella(id).body);
                assert_eq!(request.headers()["tower-webhook-key"], format!("transfer.completed|{id}"));
                assert_eq!(request.headers().get("x-aella-signature"), None, "its proof stays here");
            }
        }
    }
}

#[test]
fn an_upstream_that_does_not_prove_itself_gets_nothing_and_the_event_comes_again() {
    let folder = Folder::new();
    let (ca, other) = (Authority::new(&folder, "ca"), Authority::new(&folder, "other"));
    let upstream = Upstream::start(&ca.signs("server", "server"), &["h2", "http/1.1"]);
    let elsewhere = Upstream::start(&ca.signs("elsewhere", "elsewhere"), &["h2", "http/1.1"]);
    for (what, config) in [
        ("another authority", to(&upstream, "localhost", Some(&other.pem()))),
        ("another name", to(&elsewhere, "localhost", Some(&ca.pem()))),
        ("another address", to(&elsewhere, "127.0.0.1", Some(&ca.pem()))),
    ] {
        let listener = Listener::start(&config);
        for id in ["1", "2"] {
            let answer = aella(id).send(listener.address());
            assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{what}");
            let line = listener.json();
            assert_eq!((&line["verdict"], &line["status"]), (&json!("refused"), &json!(503)), "{what}: {line}");
            assert!(line["detail"].as_str().unwrap().starts_with("the upstream cannot be reached"), "{what}: {line}");
        }
        assert!(listener.reload(&to(&upstream, "localhost", Some(&ca.pem()))), "{what}");
        assert_eq!(aella("3").send(listener.address()).status, 200, "{what}");
        assert_eq!(upstream.seen.recv().unwrap().1.headers()["tower-webhook-key"], "transfer.completed|3");
    }
    assert_eq!((upstream.seen.try_iter().count(), elsewhere.seen.try_iter().count()), (0, 0));
}

#[test]
fn an_upstream_without_tls_gets_no_byte_of_an_event() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let count = std::io::Read::read(&mut stream, &mut bytes).unwrap();
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        bytes[..count].to_vec()
    });
    let config = forwarding("upstream").replace("http://upstream", &format!("https://127.0.0.1:{port}"));
    let receiver = Listener::start(&format!("{config}forward_ca = \"{}\"\n", ca.pem().display()));
    assert_eq!(aella("1").send(receiver.address()).status, 503);
    let heard = heard.join().unwrap();
    assert_eq!(heard.first(), Some(&0x16), "a handshake, and no HTTP: {heard:?}");
    assert!(!String::from_utf8_lossy(&heard).contains("transfer"), "{heard:?}");
}

#[test]
fn the_machines_roots_count_where_none_is_named() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let upstream = Upstream::start(&ca.signs("server", "server"), &["h2"]);
    let config = to(&upstream, "localhost", None);
    let roots = ca.pem().display().to_string();
    let listener = Listener::start_with(&config, &[("SSL_CERT_FILE", &roots)]);
    assert_eq!(aella("1").send(listener.address()).status, 200);
    let other = Authority::new(&folder, "other").pem().display().to_string();
    let listener = Listener::start_with(&config, &[("SSL_CERT_FILE", &other)]);
    assert_eq!(aella("1").send(listener.address()).status, 503);
    // A machine that believes nobody says so before it starts.
    let empty = folder.write("empty.pem", "");
    let file = folder.write("receiver.toml", &config);
    let check = Program::new(["check-config".into(), "--config".into(), file.into_os_string()]);
    let done = check.env("SSL_CERT_FILE", &empty.display().to_string()).run();
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("endpoint[0].forward_to: is https, and this machine believes no"), "{done:?}");
}

#[test]
fn an_authority_that_cannot_be_read_or_means_nothing_is_a_fault() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let text = folder.write("text.pem", "no PEM");
    let https = forwarding("upstream").replace("http://upstream", "https://upstream.example");
    for (config, fault) in [
        (format!("{https}forward_ca = \"nowhere.pem\"\n"), "endpoint[0].forward_ca: "),
        (format!("{https}forward_ca = \"{}\"\n", text.display()), "endpoint[0].forward_ca: no certificate is in "),
        (
            format!("{}forward_ca = \"{}\"\n", forwarding("127.0.0.1:1"), ca.pem().display()),
            "endpoint[0].forward_ca: means nothing for an http address; ",
        ),
        (forwarding("upstream").replace("http://upstream", "ftp://upstream"), "endpoint[0].forward_to: "),
        (forwarding("upstream.example"), "endpoint[0].forward_to: is not this machine"),
    ] {
        let told = faults(&config);
        assert!(told.len() == 1 && told[0].starts_with(fault), "{fault}: {told:?}");
    }
}
