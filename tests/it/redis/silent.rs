//! A host of the address that says nothing, as one that is switched off does: the others know enough.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tower_webhook::idempotency::RedisStore;

use super::server::{PATIENCE, Server};
use super::topology::cluster;
use super::{FIRST, claim, is_away};

/// Its backlog is full, so that the kernel drops what comes.
struct Silent {
    listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Silent {
    async fn start() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..8 {
            match timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
                Ok(connected) => waiting.push(connected.unwrap()),
                Err(_) => return Self { listener, _waiting: waiting },
            }
        }
        panic!("its backlog is never full");
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }
}

/// With the silent one at first, and at last.
fn urls(kind: &str, silent: &Silent, port: u16, rest: &str) -> [String; 2] {
    let silent = silent.port();
    [(silent, port), (port, silent)]
        .map(|(first, second)| format!("redis-{kind}://127.0.0.1:{first},127.0.0.1:{second}{rest}"))
}

/// Once it is connected, and by callers who leave before it is.
async fn is_found(url: &str, first: u32) {
    let store = RedisStore::connect(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(claim(&store, first, 1).await, FIRST, "{url}");
    let hasty = RedisStore::at(url).deadline(Duration::from_millis(600)).build().unwrap();
    let begin = Instant::now();
    loop {
        match claim(&hasty, first + 1, 1).await {
            Err(error) => assert!(is_away(&error) && begin.elapsed() < PATIENCE, "{url}: {error}"),
            claimed => return assert_eq!(claimed, FIRST, "{url}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinel_that_says_nothing_hides_no_other() {
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&primary);
    let sentinel = Server::sentinel_of("payments", &primary, &replica);
    let silent = Silent::start().await;
    for (number, url) in (0..).zip(urls("sentinel", &silent, sentinel.port(), "/payments")) {
        is_found(&url, 10 * number).await;
        // The same where each call has a connection of its own.
        let hasty = RedisStore::at(&url).deadline(Duration::from_millis(600));
        let waiting = hasty.wait(1, Duration::from_millis(100)).build().unwrap();
        let begin = Instant::now();
        while let Err(error) = claim(&waiting, 10 * number + 5, 1).await {
            assert!(begin.elapsed() < PATIENCE, "{url}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_says_nothing_hides_no_other() {
    let nodes = cluster();
    let silent = Silent::start().await;
    for (number, url) in (0..).zip(urls("cluster", &silent, nodes[0].port(), "")) {
        is_found(&url, 10 * number).await;
    }
    let alone = format!("redis-cluster://127.0.0.1:{}", silent.port());
    assert!(RedisStore::connect(&alone).await.is_err(), "control");
}
