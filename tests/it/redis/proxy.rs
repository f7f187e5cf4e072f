//! A TCP proxy that cuts a connection after a number of bytes, holds replies back, or says something of its own.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The way of bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Request,
    Reply,
}

/// What happens to bytes from now on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    Pass,
    /// Once: after that many more bytes on that way, the connection is cut.
    CutOnce(Way, usize),
    /// The same for every connection, each with a count of its own. Nothing is let through where it is none.
    CutAll(Way),
    /// Once: these bytes before the next reply.
    SayFirst(&'static [u8]),
}

pub(super) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

struct State {
    upstream: u16,
    plan: Plan,
    requests: usize,
    replies: usize,
    /// How often a request came when nothing but replies had come since the one before.
    trips: usize,
    last: Way,
}

impl Proxy {
    pub(super) async fn to(upstream: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            upstream,
            plan: Plan::Pass,
            requests: 0,
            replies: 0,
            trips: 0,
            last: Way::Reply,
        }));
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { port, state, task }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Counts bytes anew.
    pub(super) fn plan(&self, plan: Plan) {
        let mut state = self.state.lock().unwrap();
        *state = State { plan, requests: 0, replies: 0, trips: 0, ..*state };
    }

    /// The bytes of requests and of replies since the last plan was made.
    pub(super) fn counted(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.requests, state.replies)
    }

    /// The round trips since the last plan was made, where there is one connection.
    pub(super) fn trips(&self) -> usize {
        self.state.lock().unwrap().trips
    }

    /// Where connections lead that are made from now on.
    pub(super) fn lead_to(&self, upstream: u16) {
        self.state.lock().unwrap().upstream = upstream;
    }

    /// Whether what was planned has happened.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state.lock().unwrap().plan, Plan::Pass)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let upstream = state.lock().unwrap().upstream;
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await else { continue };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (requests, replies) = (Arc::clone(&state), Arc::clone(&state));
        tokio::spawn(async move {
            // The first to end cuts the other.
            tokio::select! {
                () = carry(from_client, to_server, Way::Request, requests) => {}
                () = carry(from_server, to_client, Way::Reply, replies) => {}
            }
        });
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way, state: Arc<Mutex<State>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let (first, pass, cut) = state.lock().unwrap().judge(way, length);
        if to.write_all(first).await.is_err() || to.write_all(&buffer[..pass]).await.is_err() || cut {
            return;
        }
    }
}

impl State {
    /// What is said first, how many bytes pass, and whether the connection is cut then.
    fn judge(&mut self, way: Way, length: usize) -> (&'static [u8], usize, bool) {
        let counted = if way == Way::Request { &mut self.requests } else { &mut self.replies };
        let before = *counted;
        *counted += length;
        if way == Way::Request && self.last == Way::Reply {
            self.trips += 1;
        }
        self.last = way;
        match self.plan {
            Plan::CutOnce(cut, after) if cut == way && before + length > after => {
                self.plan = Plan::Pass;
                (&[], after.saturating_sub(before), true)
            }
            Plan::CutAll(cut) if cut == way => (&[], 0, true),
            Plan::SayFirst(words) if way == Way::Reply => {
                self.plan = Plan::Pass;
                (words, length, false)
            }
            _ => (&[], length, false),
        }
    }
}
