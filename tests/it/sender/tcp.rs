//! The provider's side over real connections, well behaved and not, against a receiver of ours.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;
use tower_webhook::sender::{Answer, Break, Conduct, Cut, Lie, NoAnswer, Tcp, Transport as _};
use tower_webhook::{MemoryStore, Received, Receiver};

const TRANSFER: &str = include_str!("../../fixtures/aella/transfer.completed.json");

fn provider() -> Aella {
    Aella::new(Secret::utf8("ae_sk_test_example").unwrap()).unwrap()
}

/// A receiver on a free port, and how often its handler ran.
async fn receiver() -> (SocketAddr, Arc<AtomicUsize>) {
    let (address, handled, _) = counting_receiver().await;
    (address, handled)
}

/// And how many connections it took.
async fn counting_receiver() -> (SocketAddr, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let service = Receiver::new("aella", provider())
        .body_deadline(Duration::from_millis(300))
        .dedupe(MemoryStore::new(100))
        .handle(move |_: Received<aella::Event>| {
            count.fetch_add(1, Ordering::Relaxed);
            async {}
        });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let taken = Arc::clone(&connections);
    let listener = listener.tap_io(move |_| {
        taken.fetch_add(1, Ordering::Relaxed);
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route_service("/hook", service)).await });
    (address, handled, connections)
}

/// A receiver that says this on each connection, one text a request, and how many requests it read. It closes at once, or when it
/// has read one request more.
async fn scripted(script: Vec<Vec<&'static str>>, reads_one_more: bool) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        for answers in script {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 65_536];
            for answer in answers {
                assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
                seen.fetch_add(1, Ordering::Relaxed);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            if reads_one_more && stream.read(&mut buffer).await.unwrap() > 0 {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    (address, requests)
}

fn request(conduct: Conduct) -> Request<Bytes> {
    let mut request =
        provider().seal(Message::new(TRANSFER), &Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy)).unwrap();
    *request.uri_mut() = "http://127.0.0.1/hook".parse().unwrap();
    request.extensions_mut().insert(conduct);
    request
}

async fn send(to: SocketAddr, conduct: Conduct) -> Result<Answer, NoAnswer> {
    let tcp = Tcp::new(to).unwrap();
    tokio::time::timeout(Duration::from_secs(20), tcp.exchange(request(conduct)))
        .await
        .unwrap_or(Err(NoAnswer::TimedOut))
}

#[tokio::test]
async fn odd_but_whole_requests_are_taken() {
    let bytes = 7.try_into().unwrap();
    for conduct in [
        Conduct::Well,
        Conduct::Chunked { bytes, ornate: false },
        Conduct::Chunked { bytes, ornate: true },
        Conduct::Slow { bytes: 100.try_into().unwrap(), pause: Duration::from_millis(1) },
        Conduct::HalfCloses,
        Conduct::ExpectsContinue,
    ] {
        let (address, handled) = receiver().await;
        let answer = send(address, conduct).await.unwrap_or_else(|why| panic!("{conduct:?}: {why:?}"));
        assert_eq!((answer.status, handled.load(Ordering::Relaxed)), (StatusCode::OK, 1), "{conduct:?}");
    }
}

#[tokio::test]
async fn what_is_not_whole_is_refused_and_handled_by_nobody() {
    for (conduct, expected) in [
        (Conduct::StallsBeforeTheLast, vec![408]),
        (Conduct::Lies(Lie::Huge), vec![413]),
        (Conduct::Lies(Lie::TooSmall), vec![401]),
        (Conduct::Lies(Lie::TooLarge), vec![408]),
    ] {
        let (address, handled) = receiver().await;
        let answer = send(address, conduct).await.unwrap_or_else(|why| panic!("{conduct:?}: {why:?}"));
        assert!(expected.contains(&answer.status.as_u16()), "{conduct:?}: {}", answer.status);
        assert_eq!(handled.load(Ordering::Relaxed), 0, "{conduct:?}");
        assert_eq!(send(address, Conduct::Well).await.unwrap().status, StatusCode::OK, "and the next is taken");
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_the_event_handled_once() {
    for cut in [Cut::BeforeHead, Cut::InHead, Cut::InBody, Cut::BehindBody] {
        let (address, handled) = receiver().await;
        assert_eq!(send(address, Conduct::Resets(cut)).await.unwrap_err(), NoAnswer::Broken, "{cut:?}");
        let mut answer = send(address, Conduct::Well).await.unwrap();
        while answer.status == StatusCode::SERVICE_UNAVAILABLE {
            answer = send(address, Conduct::Well).await.unwrap();
        }
        assert_eq!((answer.status, handled.load(Ordering::Relaxed)), (StatusCode::OK, 1), "{cut:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_no_answer_and_elsewhere_is_not_sent_to() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(send(free, Conduct::Well).await.unwrap_err(), NoAnswer::Unreachable);
    for here in ["127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(Tcp::new(here.parse().unwrap()).is_ok(), "{here}");
    }
    for elsewhere in ["192.0.2.1:80", "0.0.0.0:80", "[::]:80", "[::ffff:192.0.2.1]:80"] {
        assert!(Tcp::new(elsewhere.parse().unwrap()).unwrap_err().to_string().contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test]
async fn who_asks_is_told_why_no_answer_came() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (closing, _) = scripted(vec![vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"]], false).await;
    let (talking, _) = scripted(vec![vec!["nonsense\r\n\r\n"]], false).await;
    for (to, no_answer, words) in [
        (free, NoAnswer::Unreachable, "refused"),
        (closing, NoAnswer::Broken, "unexpected end of file"),
        (talking, NoAnswer::Broken, "invalid HTTP version"),
    ] {
        let error = Tcp::new(to).unwrap().ask(&request(Conduct::Well)).await.unwrap_err();
        assert_eq!((error.no_answer(), error.to_string()), (no_answer, no_answer.to_string()));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(words), "{cause}");
    }
}

#[tokio::test]
async fn what_goes_well_shares_a_connection_and_what_does_not_has_its_own() {
    let (address, handled, connections) = counting_receiver().await;
    let tcp = Tcp::new(address).unwrap();
    let bytes = 7.try_into().unwrap();
    let chunked = Conduct::Chunked { bytes, ornate: true };
    for conduct in [Conduct::Well, chunked, Conduct::Well] {
        assert_eq!(tcp.clone().exchange(request(conduct)).await.unwrap().status, StatusCode::OK, "{conduct:?}");
    }
    assert_eq!((connections.load(Ordering::Relaxed), handled.load(Ordering::Relaxed)), (1, 1));
    for (number, conduct) in [Conduct::HalfCloses, Conduct::ExpectsContinue, Conduct::Well].into_iter().enumerate() {
        assert_eq!(tcp.exchange(request(conduct)).await.unwrap().status, StatusCode::OK, "{conduct:?}");
        assert_eq!(connections.load(Ordering::Relaxed), 3.min(number + 2), "{conduct:?}");
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const LAST: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_closed_connection_is_not_taken_again() {
    for first in [OK, LAST] {
        let (address, requests) = scripted(vec![vec![first], vec![OK]], false).await;
        let tcp = Tcp::new(address).unwrap();
        assert_eq!(tcp.exchange(request(Conduct::Well)).await.unwrap().status, StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(tcp.exchange(request(Conduct::Well)).await.unwrap().status, StatusCode::OK, "{first}");
        assert_eq!(requests.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn a_request_that_may_have_been_seen_is_not_sent_again() {
    let (address, requests) = scripted(vec![vec![OK], vec![OK]], true).await;
    let tcp = Tcp::new(address).unwrap();
    assert_eq!(tcp.exchange(request(Conduct::Well)).await.unwrap().status, StatusCode::OK);
    assert_eq!(tcp.exchange(request(Conduct::Well)).await.unwrap_err(), NoAnswer::Broken);
    assert_eq!(requests.load(Ordering::Relaxed), 2);
    assert_eq!(tcp.exchange(request(Conduct::Well)).await.unwrap().status, StatusCode::OK, "a next try is another's");
}

#[tokio::test]
async fn behind_a_refused_request_the_true_one_is_taken_on_the_same_connection() {
    let (address, handled, connections) = counting_receiver().await;
    assert_eq!(send(address, Conduct::BehindRefused).await.unwrap().status, StatusCode::OK);
    assert_eq!((connections.load(Ordering::Relaxed), handled.load(Ordering::Relaxed)), (1, 1));

    let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (address, requests) = scripted(vec![vec![refusal], vec![OK]], false).await;
    assert_eq!(send(address, Conduct::BehindRefused).await.unwrap().status, StatusCode::OK, "or on another");
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn frames_that_it_does_not_speak_are_nothing_to_a_receiver() {
    for end in [Break::Reset, Break::GoAway] {
        let (address, handled) = receiver().await;
        assert_eq!(send(address, Conduct::Http2(end)).await.unwrap_err(), NoAnswer::Broken, "{end:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(handled.load(Ordering::Relaxed), 0, "{end:?}");
        assert_eq!(send(address, Conduct::Well).await.unwrap().status, StatusCode::OK, "{end:?}");
        assert_eq!(handled.load(Ordering::Relaxed), 1, "{end:?}");
    }
}
