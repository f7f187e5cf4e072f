//! The client: connections that are kept busy, and how long each answer takes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tower_webhook::error::BoxError;

/// Kept connections with one request under way on each, read in a fixed order by blocking reads, which costs least. An answer
/// that comes out of turn counts as coming when it is read.
pub(crate) struct Client(Vec<Connection>);

struct Connection {
    stream: TcpStream,
    begun: Option<Instant>,
    answer: [u8; 1024],
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, connections: usize) -> Result<Self, BoxError> {
        (0..connections).map(|_| Connection::open(address)).collect::<Result<_, _>>().map(Self)
    }

    /// Sends all of these and reads all answers, each of which must be 2xx and no repeat. How long each took.
    pub(crate) fn send(&mut self, requests: &[Bytes]) -> Result<Vec<Duration>, BoxError> {
        let mut took = Vec::with_capacity(requests.len());
        for wave in requests.chunks(self.0.len()) {
            for (connection, request) in self.0.iter_mut().zip(wave) {
                took.extend(connection.settle()?);
                connection.begun = Some(Instant::now());
                connection.stream.write_all(request)?;
            }
        }
        for connection in &mut self.0 {
            took.extend(connection.settle()?);
        }
        Ok(took)
    }
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { stream, begun: None, answer: [0; 1024] })
    }

    /// Reads the answer that is under way, if one is.
    fn settle(&mut self) -> Result<Option<Duration>, BoxError> {
        let Some(begun) = self.begun.take() else { return Ok(None) };
        let mut length = 0;
        loop {
            let rest = self.answer.get_mut(length..).filter(|rest| !rest.is_empty()).ok_or("a long answer")?;
            match self.stream.read(rest)? {
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
            return if is_new { Ok(Some(begun.elapsed())) } else { Err(format!("not stored: {text}").into()) };
        }
    }
}
