//! Over a connection of its own: HTTP/1.1 as a provider writes it, and as no client library would.

use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::conduct::{Conduct, Cut};
use super::request_text::{RequestText, write};
use super::transport::{Answer, NoAnswer, Transport};

/// The longest answer that is read, head and body.
const MAX_ANSWER: usize = 1024 * 1024;
const MAX_HEADERS: usize = 64;

/// A connection for each request. How it behaves on it is the [`Conduct`] in the request's extensions; without one, well.
#[derive(Clone, Copy, Debug)]
pub struct Tcp(SocketAddr);

/// The address is not on this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotLoopback(SocketAddr);

impl std::fmt::Display for NotLoopback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not on this machine: a sender with faults sends to loopback only", self.0)
    }
}

impl std::error::Error for NotLoopback {}

impl Tcp {
    /// To this address, which is on this machine.
    ///
    /// # Errors
    ///
    /// [`NotLoopback`] for any other.
    pub fn new(address: SocketAddr) -> Result<Self, NotLoopback> {
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(NotLoopback(address)) }
    }

    /// To any address.
    ///
    /// # Security
    ///
    /// Whoever is there gets what an attacker would send.
    #[must_use]
    pub fn dangerous_any_host(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl Transport for Tcp {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        let conduct = request.extensions().get::<Conduct>().copied().unwrap_or_default();
        let mut stream = TcpStream::connect(self.0).await.map_err(|_| NoAnswer::Unreachable)?;
        let text = write(&request, conduct, self.0);
        match say(&mut stream, &text, conduct).await {
            // A receiver may answer before it has heard all, and close: what it said is there to be read.
            Ok(true) | Err(_) => hear(&mut stream).await.map_err(|_| NoAnswer::Broken),
            Ok(false) => Err(NoAnswer::Broken),
        }
    }
}

/// Writes the request. False: that was it, and nobody waits for the answer.
async fn say(stream: &mut TcpStream, text: &RequestText, conduct: Conduct) -> io::Result<bool> {
    let RequestText { head, body } = text;
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

/// Reads one answer. Those that only say that another comes, such as 100, are passed over.
async fn hear(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut read = BytesMut::new();
    loop {
        let (head_length, status, headers) = head(stream, &mut read).await?;
        drop(read.split_to(head_length));
        if !status.is_informational() {
            let body = body(stream, read, status, &headers).await?;
            return Ok(Answer { status, headers, body });
        }
    }
}

async fn head(stream: &mut TcpStream, read: &mut BytesMut) -> io::Result<(usize, StatusCode, HeaderMap)> {
    loop {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut fields);
        if let httparse::Status::Complete(length) = response.parse(read).map_err(other)? {
            let status = StatusCode::from_u16(response.code.unwrap_or_default()).map_err(other)?;
            let mut headers = HeaderMap::new();
            for field in response.headers.iter() {
                let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(other)?;
                headers.append(name, HeaderValue::from_bytes(field.value).map_err(other)?);
            }
            return Ok((length, status, headers));
        }
        more(stream, read).await?;
    }
}

async fn body(
    stream: &mut TcpStream,
    mut read: BytesMut,
    status: StatusCode,
    headers: &HeaderMap,
) -> io::Result<Bytes> {
    let length =
        headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let is_chunked = headers.contains_key(http::header::TRANSFER_ENCODING);
    match length {
        _ if status == StatusCode::NO_CONTENT => Ok(Bytes::new()),
        Some(length) => {
            while read.len() < length {
                more(stream, &mut read).await?;
            }
            Ok(read.split_to(length).freeze())
        }
        None if is_chunked => chunks(stream, read).await,
        // Until the end of the connection.
        None => loop {
            match more(stream, &mut read).await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(read.freeze()),
                Err(error) => return Err(error),
            }
        },
    }
}

async fn chunks(stream: &mut TcpStream, mut read: BytesMut) -> io::Result<Bytes> {
    let mut all = BytesMut::new();
    loop {
        let (line, length) = loop {
            match httparse::parse_chunk_size(&read).map_err(|_| other("a chunk without a size"))? {
                httparse::Status::Complete((line, length)) => break (line, usize::try_from(length).map_err(other)?),
                httparse::Status::Partial => more(stream, &mut read).await?,
            }
        };
        drop(read.split_to(line));
        if length == 0 {
            return Ok(all.freeze());
        }
        if length > MAX_ANSWER {
            return Err(other("a chunk that is too long"));
        }
        while read.len() < length + 2 {
            more(stream, &mut read).await?;
        }
        all.extend_from_slice(&read.split_to(length));
        drop(read.split_to(2));
        if all.len() > MAX_ANSWER {
            return Err(other("an answer that is too long"));
        }
    }
}

/// Reads on. At the end of the connection an error, and so when the answer is too long.
async fn more(stream: &mut TcpStream, read: &mut BytesMut) -> io::Result<()> {
    if read.len() > MAX_ANSWER {
        return Err(other("an answer that is too long"));
    }
    match stream.read_buf(read).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
