//! A connection that may carry one request after another, and those that carry none for now.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf as _, BytesMut};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::request_text::RequestText;

/// So many are kept. Those beyond are closed when their answer is there.
const MAX_IDLE: usize = 256;

/// A connection, and what was read from it and not yet used.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) read: BytesMut,
}

/// How much of a request was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    All,
    Some,
    /// Not a byte.
    Nothing,
}

impl Connection {
    pub(super) async fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        // A request is written at once, and has nothing to wait for.
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: BytesMut::new() })
    }

    /// In one write, where the socket takes it all.
    pub(super) async fn write(&mut self, text: &RequestText) -> Written {
        let mut bytes = text.head.chain(&text.body[..]);
        let length = bytes.remaining();
        match self.stream.write_all_buf(&mut bytes).await {
            Ok(()) => Written::All,
            Err(_) if bytes.remaining() == length => Written::Nothing,
            Err(_) => Written::Some,
        }
    }

    /// Whether the receiver has neither closed it nor said a thing that nobody asked for.
    fn is_quiet(&self) -> bool {
        let heard = self.stream.try_read(&mut [0]);
        self.read.is_empty() && heard.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// The connections that wait for a next request. The one that came last goes first, so that the others may grow old.
#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<Vec<Connection>>);

impl Idle {
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    pub(super) fn put(&self, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn what_the_receiver_closed_is_not_taken_and_no_more_are_kept_than_may_be() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idle = Idle::default();
        assert!(idle.take().is_none());
        let mut theirs = Vec::new();
        for _ in 0..=MAX_IDLE {
            idle.put(Connection::open(listener.local_addr().unwrap()).await.unwrap());
            theirs.push(listener.accept().await.unwrap().0);
        }
        assert_eq!(idle.0.lock().unwrap().len(), MAX_IDLE);
        let living = idle.take().unwrap();
        assert_eq!(idle.0.lock().unwrap().len(), MAX_IDLE - 1, "a living one is taken at once");
        idle.put(living);
        // All but the first, which would be the last to be taken.
        theirs.truncate(1);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let first = idle.take().unwrap();
        assert_eq!(first.stream.local_addr().unwrap(), theirs[0].peer_addr().unwrap());
        assert!(idle.take().is_none());
        theirs[0].write_all(b"HTTP/1.1 408").await.unwrap();
        idle.put(first);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(idle.take().is_none(), "what says a thing unasked is about to close");
    }
}
