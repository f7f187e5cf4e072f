//! The client: connections that are kept busy, and a look at every answer.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use tower_webhook::error::BoxError;

pub(crate) const CONNECTIONS: usize = 64;

/// What every answer must be, besides a 2xx.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    Fresh,
    Replayed,
}

/// Keep-alive connections, each with one request under way. Blocking reads in a fixed order cost less than the server's
/// own work, so that it never waits for us.
pub(crate) struct Client(Vec<Connection>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, BoxError> {
        Self::connect_times(CONNECTIONS, address)
    }

    pub(crate) fn connect_times(connections: usize, address: SocketAddr) -> Result<Self, BoxError> {
        (0..connections).map(|_| Connection::open(address)).collect::<Result<_, _>>().map(Self)
    }

    /// Sends all of these and reads all answers.
    pub(crate) fn send(&mut self, requests: &[Bytes], expected: Expected) -> Result<(), BoxError> {
        for wave in requests.chunks(self.0.len()) {
            for (connection, request) in self.0.iter_mut().zip(wave) {
                connection.settle(expected)?;
                connection.begin(request)?;
            }
        }
        self.0.iter_mut().try_for_each(|connection| connection.settle(expected))
    }
}

struct Connection {
    stream: TcpStream,
    is_busy: bool,
    answer: [u8; 1024],
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { stream, is_busy: false, answer: [0; 1024] })
    }

    fn begin(&mut self, request: &[u8]) -> Result<(), BoxError> {
        self.is_busy = true;
        Ok(self.stream.write_all(request)?)
    }

    /// Reads the answer that is under way, if one is.
    fn settle(&mut self, expected: Expected) -> Result<(), BoxError> {
        if !std::mem::take(&mut self.is_busy) {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let rest = self.answer.get_mut(length..).filter(|rest| !rest.is_empty()).ok_or("a long answer")?;
            match self.stream.read(rest)? {
                0 => return Err("the server hung up".into()),
                more => length += more,
            }
            let text = std::str::from_utf8(self.answer.get(..length).unwrap_or_default())?;
            if is_whole(text)? {
                return check(text, expected);
            }
        }
    }
}

fn is_whole(answer: &str) -> Result<bool, BoxError> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return Ok(false) };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).ok_or("no content-length")?;
    Ok(body.len() >= length.parse()?)
}

fn check(answer: &str, expected: Expected) -> Result<(), BoxError> {
    let was = if answer.contains("idempotent-replayed: true") { Expected::Replayed } else { Expected::Fresh };
    if !answer.starts_with("HTTP/1.1 2") || was != expected {
        return Err(format!("{expected:?} was expected: {answer}").into());
    }
    Ok(())
}
