//! One drain for two receivers: what is in hand finishes, and what comes new to either comes again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use stranger::shop::{Event, Shop};
use stranger::{Stop, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tower_webhook::delivery::Drain;
use tower_webhook::secret::Secret;
use tower_webhook::testing::TestSender;
use tower_webhook::{MemoryStore, Received, Receiver};

const BODY: &str = r#"{"events":[{"id":"1","name":"new"}]}"#;

fn shop() -> Shop {
    Shop::new(Secret::utf8("correct horse battery").unwrap()).unwrap()
}

/// How far the slow handler is, and how far it may go.
#[derive(Clone)]
struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

async fn slow(gate: Gate, _: Received<Event>) {
    gate.entered.add_permits(1);
    gate.open.acquire().await.unwrap().forget();
}

fn app(gate: &Gate, drain: &Drain) -> Router {
    let store = MemoryStore::new(10);
    let receiver = |name: &'static str| Receiver::new(name, shop()).drain(drain).dedupe(store.clone());
    let quick = receiver("quick").handle(|_: Received<Event>| async {});
    Router::new()
        .route_service("/slow", receiver("slow").handle_with(gate.clone(), slow))
        .route_service("/quick", quick)
}

/// Sends one delivery over a connection of its own.
async fn send(to: SocketAddr, path: &str) -> TcpStream {
    let request = TestSender::new(&shop()).request(path, BODY).unwrap();
    let headers = request.headers().iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let headers: String = headers.collect();
    let length = BODY.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n");
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(format!("{head}{headers}\r\n{BODY}").as_bytes()).await.unwrap();
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_is_in_hand_finishes_and_what_comes_new_comes_again() {
    let gate = Gate { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) };
    let drain = Drain::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (signal, signalled) = oneshot::channel::<()>();
    let stop = Stop { signal: async { signalled.await.unwrap_or(()) }, patience: Duration::from_secs(20) };
    let server = tokio::spawn(serve(listener, app(&gate, &drain), drain.clone(), stop));

    assert_eq!(answer(send(address, "/quick").await).await, "HTTP/1.1 200 OK");
    let in_hand = send(address, "/slow").await;
    gate.entered.acquire().await.unwrap().forget();
    signal.send(()).unwrap();
    while !drain.has_begun() {
        tokio::task::yield_now().await;
    }
    for path in ["/quick", "/slow"] {
        assert_eq!(answer(send(address, path).await).await, "HTTP/1.1 503 Service Unavailable");
    }
    assert!(!server.is_finished());
    gate.open.add_permits(1);
    assert_eq!(answer(in_hand).await, "HTTP/1.1 200 OK");
    server.await.unwrap().unwrap();
}
