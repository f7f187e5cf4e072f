//! A request as the bytes of HTTP/1.1.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};

use super::conduct::{Conduct, Lie};

/// What goes over the connection.
pub(super) struct RequestText {
    pub(super) head: Vec<u8>,
    pub(super) body: Bytes,
}

/// Whether another request may follow on the same connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    MayFollow,
    /// And the head says so.
    None,
}

/// A head and a body as this conduct has them.
pub(super) fn write(request: &Request<Bytes>, conduct: Conduct, host: &str, next: Next) -> RequestText {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut head = Vec::with_capacity(512);
    for part in [request.method().as_str(), " ", path, " HTTP/1.1\r\n"] {
        head.extend_from_slice(part.as_bytes());
    }
    let mut field = |name: &str, value: &[u8]| {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    if !request.headers().contains_key(HOST) {
        field("host", host.as_bytes());
    }
    for (name, value) in request.headers().iter().filter(|(name, _)| **name != CONTENT_LENGTH) {
        field(name.as_str(), value.as_bytes());
    }
    if next == Next::None {
        field("connection", b"close");
    }
    if conduct == Conduct::ExpectsContinue {
        field(EXPECT.as_str(), b"100-continue");
    }
    let body = match conduct {
        Conduct::Chunked { bytes, ornate } => {
            field(TRANSFER_ENCODING.as_str(), b"chunked");
            chunked(request.body(), bytes.get(), ornate).into()
        }
        _ => {
            field(CONTENT_LENGTH.as_str(), stated(request.body().len(), conduct).to_string().as_bytes());
            request.body().clone()
        }
    };
    head.extend_from_slice(b"\r\n");
    RequestText { head, body }
}

fn stated(length: usize, conduct: Conduct) -> u64 {
    let length = length as u64;
    match conduct {
        Conduct::Lies(Lie::Huge) => 1_000_000_000_000_000_000,
        Conduct::Lies(Lie::TooSmall) => length.saturating_sub(1),
        Conduct::Lies(Lie::TooLarge) => length.saturating_add(1),
        _ => length,
    }
}

fn chunked(body: &[u8], bytes: usize, ornate: bool) -> Vec<u8> {
    let mut all = Vec::with_capacity(body.len() + 64);
    let extension = if ornate { ";signed=yes" } else { "" };
    for chunk in body.chunks(bytes) {
        all.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        all.extend_from_slice(chunk);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(format!("0{extension}\r\n").as_bytes());
    if ornate {
        all.extend_from_slice(b"x-trailer: of no consequence\r\n");
    }
    all.extend_from_slice(b"\r\n");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(conduct: Conduct, next: Next) -> (String, String) {
        let request = Request::post("http://127.0.0.1:1/hook?a=1").header("x-a", "b").body("12345".into()).unwrap();
        let RequestText { head, body } = write(&request, conduct, "127.0.0.1:1", next);
        (String::from_utf8(head).unwrap(), String::from_utf8(body.to_vec()).unwrap())
    }

    fn text(conduct: Conduct) -> (String, String) {
        next(conduct, Next::None)
    }

    #[test]
    fn a_request_is_written_with_its_length_or_another_or_in_chunks() {
        let head = "POST /hook?a=1 HTTP/1.1\r\nhost: 127.0.0.1:1\r\nx-a: b\r\nconnection: close\r\n";
        let with_length = |length: &str| (format!("{head}content-length: {length}\r\n\r\n"), "12345".to_owned());
        assert_eq!(text(Conduct::Well), with_length("5"));
        assert_eq!(text(Conduct::Lies(Lie::TooSmall)), with_length("4"));
        assert_eq!(text(Conduct::Lies(Lie::TooLarge)), with_length("6"));
        assert_eq!(text(Conduct::Lies(Lie::Huge)), with_length("1000000000000000000"));
        let bytes = 2.try_into().unwrap();
        let chunked = |body: &str| (format!("{head}transfer-encoding: chunked\r\n\r\n"), body.to_owned());
        assert_eq!(
            text(Conduct::Chunked { bytes, ornate: false }),
            chunked("2\r\n12\r\n2\r\n34\r\n1\r\n5\r\n0\r\n\r\n")
        );
        assert_eq!(
            text(Conduct::Chunked { bytes: 5.try_into().unwrap(), ornate: true }),
            chunked("5;signed=yes\r\n12345\r\n0;signed=yes\r\nx-trailer: of no consequence\r\n\r\n")
        );
        let head = "POST /hook?a=1 HTTP/1.1\r\nhost: 127.0.0.1:1\r\nx-a: b\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(next(Conduct::Well, Next::MayFollow), (head.to_owned(), "12345".to_owned()));
        assert!(text(Conduct::ExpectsContinue).0.contains("\r\nexpect: 100-continue\r\n"));
    }
}
