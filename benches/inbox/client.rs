//! The client: connections that are kept busy, and how long each answer takes.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tower_webhook::error::BoxError;

/// Kept connections with a request under way on each. Whoever has an answer sends the next, and waits for nobody: were they read
/// in a fixed order, those that were answered by one commit would wait for those that are answered by the next.
pub(crate) struct Client {
    runtime: Runtime,
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    answer: [u8; 1024],
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, connections: usize) -> Result<Self, BoxError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let opening = (0..connections).map(|_| Connection::open(address));
        let connections = runtime.block_on(try_join_all(opening))?;
        Ok(Self { runtime, connections })
    }

    /// Sends all of these and reads all answers, each of which must be 2xx and no repeat. How long each took.
    pub(crate) fn send(&mut self, requests: &[Bytes]) -> Result<Vec<Duration>, BoxError> {
        let waiting = RefCell::new(requests.iter());
        let sending = self.connections.iter_mut().map(|connection| async {
            let mut took = Vec::new();
            loop {
                let next = waiting.borrow_mut().next();
                let Some(request) = next else { return Ok::<_, BoxError>(took) };
                took.push(connection.send(request).await?);
            }
        });
        let limited = async { tokio::time::timeout(Duration::from_secs(120), try_join_all(sending)).await };
        Ok(self.runtime.block_on(limited)??.concat())
    }
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: [0; 1024] })
    }

    async fn send(&mut self, request: &[u8]) -> Result<Duration, BoxError> {
        let begun = Instant::now();
        self.stream.write_all(request).await?;
        let mut length = 0;
        loop {
            let rest = self.answer.get_mut(length..).filter(|rest| !rest.is_empty()).ok_or("a long answer")?;
            match self.stream.read(rest).await? {
                0 => return Err("the server hung up".into()),
                more => length += more,
            }
            let text = std::str::from_utf8(self.answer.get(..length).unwrap_or_default())?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let says =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or("no content-length")?;
            if body.len() < says.parse()? {
                continue;
            }
            let is_new = text.starts_with("HTTP/1.1 2") && !text.contains("idempotent-replayed: true");
            return if is_new { Ok(begun.elapsed()) } else { Err(format!("not stored: {text}").into()) };
        }
    }
}
