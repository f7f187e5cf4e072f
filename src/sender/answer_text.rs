//! An answer out of the bytes of HTTP/1.1.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::transport::Answer;

/// The longest answer that is read, head and body.
const MAX_ANSWER: usize = 1024 * 1024;
const MAX_HEADERS: usize = 64;
/// So much room there is for each read, at least.
const ROOM: usize = 4096;

/// An answer, and whether another may follow on the same connection: it was whole, and nobody said that it was the last.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) answer: Answer,
    pub(super) more_may_follow: bool,
}

struct Head {
    status: StatusCode,
    headers: HeaderMap,
    /// HTTP/1.1, where a connection is kept unless something else is said.
    keeps: bool,
}

/// Reads one answer to a request of this method. Those that only say that another comes, such as 100, are passed over.
pub(super) async fn hear(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut BytesMut,
    method: &Method,
) -> io::Result<Heard> {
    loop {
        let head = head(stream, read).await?;
        if !head.status.is_informational() {
            let (body, is_framed) = body(stream, read, &head, method).await?;
            let more_may_follow = head.keeps && is_framed && read.is_empty();
            return Ok(Heard { answer: Answer { status: head.status, headers: head.headers, body }, more_may_follow });
        }
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin), read: &mut BytesMut) -> io::Result<Head> {
    loop {
        if let Some((length, head)) = parsed(read)? {
            read.advance(length);
            return Ok(head);
        }
        more(stream, read).await?;
    }
}

fn parsed(read: &[u8]) -> io::Result<Option<(usize, Head)>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(read).map_err(other)? else { return Ok(None) };
    let status = StatusCode::from_u16(response.code.unwrap_or_default()).map_err(other)?;
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(other)?;
        headers.append(name, HeaderValue::from_bytes(field.value).map_err(other)?);
    }
    let keeps = response.version == Some(1) && !closes(&headers);
    Ok(Some((length, Head { status, headers, keeps })))
}

fn closes(headers: &HeaderMap) -> bool {
    let mut words = headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    words.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// The body, and whether its end was known otherwise than by the end of the connection (RFC 9112, section 6.3).
async fn body(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut BytesMut,
    head: &Head,
    method: &Method,
) -> io::Result<(Bytes, bool)> {
    let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) || method == Method::HEAD {
        return Ok((Bytes::new(), true));
    }
    if head.headers.contains_key(TRANSFER_ENCODING) {
        return Ok((chunks(stream, read).await?, true));
    }
    if let Some(length) = length {
        fill(stream, read, length).await?;
        return Ok((take(read, length), true));
    }
    loop {
        match more(stream, read).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok((take(read, read.len()), false)),
            Err(error) => return Err(error),
        }
    }
}

async fn chunks(stream: &mut (impl AsyncRead + Unpin), read: &mut BytesMut) -> io::Result<Bytes> {
    let mut all = BytesMut::new();
    loop {
        let (line, length) = loop {
            match httparse::parse_chunk_size(read).map_err(|_| other("a chunk without a size"))? {
                httparse::Status::Complete((line, length)) => break (line, usize::try_from(length).map_err(other)?),
                httparse::Status::Partial => more(stream, read).await?,
            }
        };
        read.advance(line);
        if length == 0 {
            trailers(stream, read).await?;
            return Ok(all.freeze());
        }
        if length > MAX_ANSWER {
            return Err(too_long());
        }
        fill(stream, read, length + 2).await?;
        all.extend_from_slice(&read.split_to(length));
        read.advance(2);
        if all.len() > MAX_ANSWER {
            return Err(too_long());
        }
    }
}

/// Reads over them, up to the empty line.
async fn trailers(stream: &mut (impl AsyncRead + Unpin), read: &mut BytesMut) -> io::Result<()> {
    loop {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        if let httparse::Status::Complete((length, _)) = httparse::parse_headers(read, &mut fields).map_err(other)? {
            read.advance(length);
            return Ok(());
        }
        more(stream, read).await?;
    }
}

/// A short one is copied, so that the room it stood in serves for the next answer.
fn take(read: &mut BytesMut, length: usize) -> Bytes {
    if length > ROOM {
        return read.split_to(length).freeze();
    }
    let body = Bytes::copy_from_slice(read.get(..length).unwrap_or_default());
    read.advance(body.len());
    body
}

async fn fill(stream: &mut (impl AsyncRead + Unpin), read: &mut BytesMut, length: usize) -> io::Result<()> {
    while read.len() < length {
        more(stream, read).await?;
    }
    Ok(())
}

/// Reads on. At the end of the connection an error, and so when the answer is too long.
async fn more(stream: &mut (impl AsyncRead + Unpin), read: &mut BytesMut) -> io::Result<()> {
    if read.len() > MAX_ANSWER {
        return Err(too_long());
    }
    if read.capacity() - read.len() < ROOM / 2 {
        read.reserve(ROOM);
    }
    match stream.read_buf(read).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn too_long() -> io::Error {
    other("an answer that is too long")
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, and whether more may follow.
    async fn heard(text: &str) -> Option<(String, bool)> {
        heard_of(&Method::POST, text).await
    }

    async fn heard_of(method: &Method, text: &str) -> Option<(String, bool)> {
        let mut read = BytesMut::new();
        let heard = hear(&mut text.as_bytes(), &mut read, method).await.ok()?;
        Some((String::from_utf8(heard.answer.body.to_vec()).unwrap(), heard.more_may_follow))
    }

    #[tokio::test]
    async fn an_answer_ends_where_its_frame_says_and_more_follow_unless_it_is_the_last() {
        for (text, body, more) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok", true),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", "", true),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", "", true),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok", true),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nx-a: b\r\n\r\n", "ok", true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "", true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", "ok", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: x, Close\r\n\r\nok", "ok", false),
            ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok", false),
            ("HTTP/1.1 200 OK\r\n\r\nok", "ok", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and what nobody asked for", "ok", false),
        ] {
            assert_eq!(heard(text).await, Some((body.to_owned(), more)), "{text:?}");
        }
        for broken in [
            "",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff0\r\n",
            "PRI * HTTP/2.0\r\n\r\n",
        ] {
            assert_eq!(heard(broken).await, None, "{broken:?}");
        }
    }

    #[tokio::test]
    async fn to_a_head_an_answer_has_a_length_and_no_body() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        assert_eq!(heard_of(&Method::HEAD, head).await, Some((String::new(), true)));
        assert_eq!(heard_of(&Method::GET, head).await, None);
    }

    #[tokio::test]
    async fn an_answer_of_more_than_a_mebibyte_is_not_read_to_its_end() {
        let of = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(length));
        assert_eq!(heard(&of(MAX_ANSWER)).await.unwrap().0.len(), MAX_ANSWER);
        assert_eq!(heard(&of(2 * MAX_ANSWER)).await, None);
        let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 * MAX_ANSWER));
        assert_eq!(heard(&endless).await, None);
    }
}
