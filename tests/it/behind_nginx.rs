//! Behind a real nginx that keeps its connections to the receiver: every refusal comes out with its own status.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use http::{Request, Response, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower_webhook::gate::answer_early;
use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer};
use tower_webhook::provider::aella;
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{TRANSFER, aella, now, sealed};
use crate::support::free_address;

const PATIENCE: Duration = Duration::from_secs(20);
const CLIENTS: u32 = 4;
/// How often each client goes through all kinds of deliveries.
const TURNS: u32 = 6;

/// An nginx of its own in front of one port, ended with this value or with this process.
struct Nginx {
    process: Child,
    watch: Child,
    folder: PathBuf,
    buffered: SocketAddr,
    streaming: SocketAddr,
}

impl Nginx {
    async fn before(receiver: SocketAddr) -> Self {
        for _ in 0..10 {
            let mut nginx = Self::launch(receiver);
            if nginx.is_up().await {
                return nginx;
            }
        }
        panic!("nginx does not come up");
    }

    fn launch(receiver: SocketAddr) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tower-webhook-nginx-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let [buffered, streaming] = [free_address(), free_address()];
        std::fs::write(folder.join("nginx.conf"), config(receiver, buffered, streaming)).unwrap();
        let start = |program: &str| {
            Command::new(program)
                .args(["-e", "error.log", "-c", "nginx.conf", "-p"])
                .arg(&folder)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        // Debian keeps it where an ordinary user's path does not lead.
        let process = start("nginx").or_else(|_| start("/usr/sbin/nginx"));
        let process =
            process.unwrap_or_else(|error| panic!("this needs nginx, which scripts/test.sh installs: {error}"));
        let watch = format!("cat; kill -9 {}", process.id());
        let watch = Command::new("sh").args(["-c", &watch]).stdin(Stdio::piped()).spawn().unwrap();
        Self { process, watch, folder, buffered, streaming }
    }

    async fn is_up(&mut self) -> bool {
        let end = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < end && self.process.try_wait().unwrap().is_none() {
            if TcpStream::connect(self.buffered).await.is_ok() && TcpStream::connect(self.streaming).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        for process in [&mut self.watch, &mut self.process] {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One process, so that its id ends all of it; nothing is written outside of its folder.
fn config(receiver: SocketAddr, buffered: SocketAddr, streaming: SocketAddr) -> String {
    let server = |listen: SocketAddr, buffering: &str| {
        format!(
            "server {{ listen {listen}; location / {{ proxy_pass http://receiver; proxy_http_version 1.1; \
             proxy_set_header Connection \"\"; proxy_request_buffering {buffering}; }} }}"
        )
    };
    let temporary: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n")).concat();
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{ worker_connections 256; }}\n\
         http {{\naccess_log off;\n{temporary}client_max_body_size 8m;\n\
         upstream receiver {{ server {receiver}; keepalive 16; }}\n{}\n{}\n}}\n",
        server(buffered, "on"),
        server(streaming, "off")
    )
}

async fn receiver() -> SocketAddr {
    let provider = || aella().change_profile(|profile| profile.content_types = vec!["application/json"]);
    let make = || Receiver::new("aella", provider()).clock(now()).dedupe(MemoryStore::new(10_000));
    let password = Secret::utf8("correct horse battery staple").unwrap();
    let basic = BasicAuthLayer::new([Credentials::new("aella", password).unwrap()]).unwrap();
    let elsewhere = SourceIpLayer::new(["192.0.2.1"]).unwrap().peer(|_| Some(Ipv4Addr::LOCALHOST.into()));
    let handler = async |_: Received<aella::Event>| ();
    let app = Router::new()
        .route_service("/open", make().handle(handler))
        .route_service("/basic", make().basic_auth(&basic).handle(handler))
        .route_service("/elsewhere", make().sources(&elsewhere).handle(handler))
        .fallback(async |request: Request<axum::body::Body>| {
            let mut answer = Response::new(axum::body::Body::empty());
            *answer.status_mut() = StatusCode::NOT_FOUND;
            answer_early(request, answer).await
        });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// What is sent, and the status that belongs to it.
struct Delivery {
    what: &'static str,
    bytes: Vec<u8>,
    status: u16,
}

fn delivery(what: &'static str, line: &str, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Delivery {
    let mut bytes = format!("{line} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        bytes += &format!("{name}: {value}\r\n");
    }
    let bytes = [bytes.as_bytes(), b"\r\n", body].concat();
    Delivery { what, bytes, status }
}

/// One good transfer, and one of each reject, most of them with 200 KB.
fn deliveries(number: u32) -> Vec<Delivery> {
    let transfer = TRANSFER.replacen("7b129bdd", &format!("{number:08x}"), 1);
    let good = sealed(&aella(), transfer.clone());
    let signature = good.headers()["x-aella-signature"].to_str().unwrap();
    let signed = [("content-type", "application/json"), ("x-aella-signature", signature)];
    let (long, longer) = (vec![b'x'; 200_000], vec![b'x'; 3_000_000]);
    let typed = |content_type| [("content-type", content_type), ("x-aella-signature", signature)];
    let gzip = [signed[0], signed[1], ("content-encoding", "gzip")];
    vec![
        delivery("good", "POST /open", 200, &signed, transfer.as_bytes()),
        delivery("another signature", "POST /open", 401, &signed, &long),
        delivery("good", "POST /open", 200, &signed, transfer.as_bytes()),
        delivery("no signature", "POST /open", 401, &signed[..1], &long),
        delivery("no credentials", "POST /basic", 401, &signed, &long),
        delivery("from elsewhere", "POST /elsewhere", 403, &signed, &long),
        delivery("good", "POST /open", 200, &signed, transfer.as_bytes()),
        delivery("no such path", "POST /nowhere", 404, &signed, &long),
        delivery("another method", "PUT /open", 405, &signed, &long),
        delivery("another type", "POST /open", 415, &typed("text/csv"), &long),
        delivery("good", "POST /open", 200, &signed, transfer.as_bytes()),
        delivery("compressed", "POST /open", 415, &gzip, &long),
        delivery("too long", "POST /open", 413, &signed, &longer),
        delivery("a short one", "PUT /open", 405, &signed, transfer.as_bytes()),
    ]
}

/// A sender that keeps its connection to nginx, as long as nginx does.
struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    /// The answer's status. A kept connection that ends without a word was closed meanwhile, and a new one is taken.
    async fn send(&mut self, request: &[u8]) -> u16 {
        if let Some(stream) = self.stream.take()
            && let Some(status) = self.exchange(stream, request).await
        {
            return status;
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.exchange(stream, request).await.unwrap_or(0)
    }

    async fn exchange(&mut self, mut stream: TcpStream, request: &[u8]) -> Option<u16> {
        let (mut reading, mut writing) = stream.split();
        let mut answer = Vec::new();
        let read = async {
            let mut buffer = [0; 4096];
            while !is_whole(&answer) {
                match reading.read(&mut buffer).await {
                    Ok(length @ 1..) => answer.extend_from_slice(&buffer[..length]),
                    _ => break,
                }
            }
        };
        let exchange = async { tokio::join!(read, async { writing.write_all(request).await.is_ok() }) };
        let ((), is_sent) = tokio::time::timeout(PATIENCE, exchange).await.expect("nginx does not answer");
        let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        if is_sent && status.is_some() && !answer.contains("connection: close") {
            self.stream = Some(stream);
        }
        status
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(answer) else { return false };
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
        || head.contains("transfer-encoding") && body.ends_with("0\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_comes_out_with_its_own_status() {
    let nginx = Nginx::before(receiver().await).await;
    let mut wrong: BTreeMap<(&str, &str, u16), u32> = BTreeMap::new();
    let mut seen = 0;
    for (address, mode) in [(nginx.buffered, "buffered"), (nginx.streaming, "streaming")] {
        let clients = (0..CLIENTS).map(|client| {
            tokio::spawn(async move {
                let mut connection = Client { address, stream: None };
                let mut results = Vec::new();
                for turn in 0..TURNS {
                    for delivery in deliveries(client * TURNS + turn) {
                        let status = connection.send(&delivery.bytes).await;
                        results.push((delivery.what, delivery.status, status));
                    }
                }
                results
            })
        });
        for client in clients.collect::<Vec<_>>() {
            for (what, expected, status) in client.await.unwrap() {
                seen += 1;
                if status != expected {
                    *wrong.entry((mode, what, status)).or_default() += 1;
                }
            }
        }
    }
    let total = 2 * CLIENTS * TURNS * u32::try_from(deliveries(0).len()).unwrap();
    assert_eq!((seen, wrong), (total, BTreeMap::new()));
}
