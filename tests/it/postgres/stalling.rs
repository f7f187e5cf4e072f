//! A server that is there and says nothing: every call is given up at its deadline, and what it did all the same is there once.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower_webhook::inbox::{
    Accepted, Ended, Filter, InboxError, InboxErrorKind, InboxStore as _, LeaseToken, PostgresInbox, StoredState,
};

use super::server::{PATIENCE, Server};
use super::{LEASE, at, event, lease, opened, schema};

const DEADLINE: Duration = Duration::from_millis(700);

/// What goes through.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flow {
    All,
    /// The server hears and does what it is asked, and nobody hears of it.
    Requests,
    Nothing,
}

/// A proxy in front of a server that holds back what it is told to, for as long as it is told to.
struct Stall {
    url: String,
    flow: watch::Sender<Flow>,
    task: JoinHandle<()>,
}

impl Stall {
    async fn before(server: &Server) -> Self {
        let (flow, seen) = watch::channel(Flow::All);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("postgres://tester@{}/postgres?sslmode=disable", listener.local_addr().unwrap());
        let upstream = server.url().rsplit_once('@').unwrap().1.trim_end_matches("/postgres").to_owned();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (client, server) = (client.into_split(), TcpStream::connect(&upstream).await.unwrap().into_split());
                tokio::spawn(pass(client.0, server.1, seen.clone(), |flow| flow != Flow::Nothing));
                tokio::spawn(pass(server.0, client.1, seen.clone(), |flow| flow == Flow::All));
            }
        });
        Self { url, flow, task }
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut flow: watch::Receiver<Flow>, may: fn(Flow) -> bool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if flow.wait_for(|flow| may(*flow)).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// The call fails, at its deadline and not much later.
async fn is_given_up<T>(what: &str, call: impl Future<Output = Result<T, InboxError>>) {
    let begin = Instant::now();
    let Err(error) = tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| panic!("{what} waits")) else {
        panic!("{what} was answered")
    };
    assert_eq!(error.kind(), InboxErrorKind::Unavailable, "{what}: {error}");
    assert!(begin.elapsed() < 5 * DEADLINE, "{what} took {:?}", begin.elapsed());
}

async fn stalled(flow: Flow) {
    let (server, schema) = (Server::shared().await, schema());
    let stall = Stall::before(server).await;
    let open = || PostgresInbox::setup().schema(&schema).pool(2).deadline(DEADLINE);
    let (inbox, direct) = (open().connect(&stall.url).await.unwrap(), opened(server, &schema).await);
    direct.accept(vec![event(1, None)], at(0)).await.unwrap();
    let held = lease(&direct, 1, 1, 1).await.remove(0);
    let first = inbox.accept(vec![event(2, None)], at(1)).await.unwrap();
    assert!(matches!(first[..], [Accepted::Stored(_)]), "what is not held back is answered");
    // Both connections know the statement by now, so that it is sent whole.
    for _ in 0..10 {
        let repeat = || inbox.accept(vec![event(2, None)], at(1));
        let (one, other) = tokio::join!(repeat(), repeat());
        assert_eq!(one.unwrap(), other.unwrap());
    }

    stall.flow.send_replace(flow);
    is_given_up("accept", inbox.accept(vec![event(3, None), event(4, Some("lane"))], at(1))).await;
    is_given_up("extend", inbox.extend(&held, LEASE, at(2))).await;
    is_given_up("complete", inbox.complete(&held, at(2))).await;
    is_given_up("next_due", inbox.next_due()).await;
    is_given_up("stats", inbox.stats(at(2))).await;
    is_given_up("list", inbox.list(&Filter::default(), 9)).await;
    is_given_up("show", inbox.show(held.id)).await;
    is_given_up("purge", inbox.purge(at(-9), at(2))).await;
    is_given_up("erase", inbox.erase("no key of anybody", at(2))).await;
    is_given_up("replay", inbox.replay(&Filter::default(), 0, true, "ann", at(2))).await;
    is_given_up("lease", inbox.lease(LeaseToken([2; 16]), 1, LEASE, at(2))).await;
    is_given_up("connect", open().connect(&stall.url)).await;

    stall.flow.send_replace(Flow::All);
    let begin = Instant::now();
    let repeated = loop {
        match inbox.accept(vec![event(3, None), event(4, Some("lane"))], at(3)).await {
            Ok(accepted) => break accepted,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
        }
    };
    let is_known = |accepted: &Accepted| matches!(accepted, Accepted::Duplicate(_));
    assert!(repeated.iter().all(is_known) || !repeated.iter().any(is_known), "all or none was stored: {repeated:?}");
    if flow == Flow::Requests {
        assert!(repeated.iter().all(is_known), "what the server was told it has done: {repeated:?}");
    }
    // Or it was done by the call that was given up.
    let (Ended::Done | Ended::Lost) = inbox.complete(&held, at(4)).await.unwrap() else {
        panic!("an end is one of two")
    };
    let mut all = inbox.list(&Filter::default(), 99).await.unwrap();
    all.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(all.iter().map(|stored| &*stored.key).collect::<Vec<_>>(), ["key-1", "key-2", "key-3", "key-4"]);
    assert_eq!((all[0].state, all[0].attempts), (StoredState::Done, 1), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_the_server_never_hears_are_given_up_at_their_deadline() {
    stalled(Flow::Nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_whose_answers_do_not_come_are_given_up_and_stored_once() {
    stalled(Flow::Requests).await;
}
