//! Over connections: HTTP/1.1 as a provider writes it, and as no client library would.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use super::answer_text::{Heard, hear};
use super::conduct::{Conduct, Cut};
use super::connection::{Connection, Idle, Written};
use super::http2_text::broken_off;
use super::request_text::{Next, RequestText, write};
use super::transport::{Answer, NoAnswer, Transport};

/// Connections to one address. How a request behaves on its connection is the [`Conduct`] in its extensions; without one, well.
///
/// Who behaves well takes a connection that an earlier request has left, and leaves it to the next when the answer was whole and
/// did not say `connection: close`. At most 256 wait so; clones share them. A kept connection may be closed by the receiver at any
/// time: where not a byte of a request could be written, it goes over a new one. Where some could, nobody can tell what the receiver
/// has seen, and the request is [`NoAnswer::Broken`], as it is to a real sender, whose next try is the answer to it.
#[derive(Clone, Debug)]
pub struct Tcp(Arc<Peer>);

#[derive(Debug)]
struct Peer {
    address: SocketAddr,
    host: String,
    idle: Idle,
}

/// The address is not on this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotLoopback(SocketAddr);

impl fmt::Display for NotLoopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not on this machine: a sender with faults sends to loopback only", self.0)
    }
}

impl Error for NotLoopback {}

/// No answer came, and why not: its source is the fault in the words of the network or of the parser.
#[derive(Debug)]
pub struct NotAnswered {
    no_answer: NoAnswer,
    cause: Option<io::Error>,
}

impl NotAnswered {
    /// What is known without the words.
    #[must_use]
    pub fn no_answer(&self) -> NoAnswer {
        self.no_answer
    }

    fn unreachable(cause: io::Error) -> Self {
        Self { no_answer: NoAnswer::Unreachable, cause: Some(cause) }
    }

    fn broken(cause: impl Into<Option<io::Error>>) -> Self {
        Self { no_answer: NoAnswer::Broken, cause: cause.into() }
    }
}

impl fmt::Display for NotAnswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.no_answer.fmt(f)
    }
}

impl Error for NotAnswered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

impl Tcp {
    /// To this address, which is on this machine.
    ///
    /// # Errors
    ///
    /// [`NotLoopback`] for any other.
    pub fn new(address: SocketAddr) -> Result<Self, NotLoopback> {
        if address.ip().to_canonical().is_loopback() {
            Ok(Self::dangerous_any_host(address))
        } else {
            Err(NotLoopback(address))
        }
    }

    /// To any address.
    ///
    /// # Security
    ///
    /// Whoever is there gets what an attacker would send.
    #[must_use]
    pub fn dangerous_any_host(address: SocketAddr) -> Self {
        Self(Arc::new(Peer { address, host: address.to_string(), idle: Idle::default() }))
    }

    /// Sends one request, as [`exchange`](Transport::exchange) does, and keeps the cause where no answer comes.
    ///
    /// # Errors
    ///
    /// [`NotAnswered`] when no whole answer came.
    pub async fn ask(&self, request: &Request<Bytes>) -> Result<Answer, NotAnswered> {
        let conduct = request.extensions().get::<Conduct>().copied().unwrap_or_default();
        match conduct {
            Conduct::Well | Conduct::Chunked { .. } => self.0.on_a_kept_one(request, conduct).await,
            Conduct::BehindRefused => self.0.behind_refused(request).await,
            _ => self.0.on_its_own(request, conduct).await,
        }
    }
}

impl Transport for Tcp {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        self.ask(&request).await.map_err(|error| error.no_answer)
    }

    async fn is_there(&self) -> Option<bool> {
        Some(self.0.open().await.is_ok())
    }
}

impl Peer {
    async fn open(&self) -> Result<Connection, NotAnswered> {
        Connection::open(self.address).await.map_err(NotAnswered::unreachable)
    }

    async fn on_a_kept_one(&self, request: &Request<Bytes>, conduct: Conduct) -> Result<Answer, NotAnswered> {
        let text = write(request, conduct, &self.host, Next::MayFollow);
        let (mut connection, written) = self.start(&text).await?;
        let heard = listen(&mut connection, request).await?;
        if heard.more_may_follow && written == Written::All {
            self.idle.put(connection);
        }
        Ok(heard.answer)
    }

    async fn start(&self, text: &RequestText) -> Result<(Connection, Written), NotAnswered> {
        if let Some(mut connection) = self.idle.take() {
            let written = connection.write(text).await;
            if written != Written::Nothing {
                return Ok((connection, written));
            }
        }
        let mut connection = self.open().await?;
        let written = connection.write(text).await;
        Ok((connection, written))
    }

    /// A copy without its proof, and the request itself where that has been refused.
    async fn behind_refused(&self, request: &Request<Bytes>) -> Result<Answer, NotAnswered> {
        let mut connection = self.open().await?;
        connection.write(&write(&bare(request), Conduct::Well, &self.host, Next::MayFollow)).await;
        if !listen(&mut connection, request).await.is_ok_and(|heard| heard.more_may_follow) {
            connection = self.open().await?;
        }
        connection.write(&write(request, Conduct::Well, &self.host, Next::None)).await;
        Ok(listen(&mut connection, request).await?.answer)
    }

    async fn on_its_own(&self, request: &Request<Bytes>, conduct: Conduct) -> Result<Answer, NotAnswered> {
        let mut connection = self.open().await?;
        if let Conduct::Http2(end) = conduct {
            // A receiver that does not speak it may have closed at the first bytes, and is told the rest in vain.
            let _ = connection.stream.write_all(&broken_off(request, &self.host, end)).await;
            let _ = connection.stream.shutdown().await;
            return Err(NotAnswered::broken(None));
        }
        let text = write(request, conduct, &self.host, Next::None);
        let said = say(&mut connection, &text, conduct).await;
        match said {
            // A receiver may answer before it has heard all, and close: what it said is there to be read.
            Ok(true) | Err(_) => Ok(listen(&mut connection, request).await?.answer),
            Ok(false) => Err(NotAnswered::broken(None)),
        }
    }
}

/// The same request without what proves it.
fn bare(request: &Request<Bytes>) -> Request<Bytes> {
    let mut bare = request.clone();
    let content_type = bare.headers_mut().remove(CONTENT_TYPE);
    *bare.headers_mut() = content_type.into_iter().map(|value| (CONTENT_TYPE, value)).collect::<HeaderMap>();
    bare
}

async fn listen(connection: &mut Connection, to: &Request<Bytes>) -> Result<Heard, NotAnswered> {
    hear(&mut connection.stream, &mut connection.read, to.method()).await.map_err(NotAnswered::broken)
}

/// Writes the request. False: that was it, and nobody waits for the answer.
async fn say(connection: &mut Connection, text: &RequestText, conduct: Conduct) -> io::Result<bool> {
    let (stream, RequestText { head, body }) = (&mut connection.stream, text);
    let (half_head, half_body) = (head.get(..head.len() / 2), body.get(..body.len() / 2));
    match conduct {
        Conduct::Resets(cut) => {
            let (head, body) = match cut {
                Cut::BeforeHead => (&[][..], &[][..]),
                Cut::InHead => (half_head.unwrap_or_default(), &[][..]),
                Cut::InBody => (&head[..], half_body.unwrap_or_default()),
                Cut::BehindBody => (&head[..], &body[..]),
            };
            stream.write_all(head).await?;
            stream.write_all(body).await?;
            stream.flush().await?;
            stream.set_zero_linger()?;
            return Ok(false);
        }
        Conduct::Slow { bytes, pause } => {
            stream.write_all(head).await?;
            for piece in body.chunks(bytes.get()) {
                stream.write_all(piece).await?;
                sleep(pause).await;
            }
        }
        Conduct::StallsBeforeTheLast => {
            stream.write_all(head).await?;
            stream.write_all(body.get(..body.len().saturating_sub(1)).unwrap_or_default()).await?;
        }
        Conduct::HalfCloses => {
            stream.write_all(head).await?;
            stream.write_all(body).await?;
            stream.shutdown().await?;
        }
        _ => {
            stream.write_all(head).await?;
            stream.write_all(body).await?;
        }
    }
    Ok(true)
}
