//! A request as the bytes of HTTP/1.1, and back.

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_LENGTH;

use super::BoxError;

/// The headers stand in the order of their names; values of one name in their own.
pub(crate) fn write(request: &Request<Bytes>) -> Vec<u8> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut raw = format!("{} {path} HTTP/1.1\r\nhost: receiver.test\r\n", request.method()).into_bytes();
    let mut headers: Vec<_> = request.headers().iter().filter(|(name, _)| **name != CONTENT_LENGTH).collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        raw.extend_from_slice(format!("{name}: ").as_bytes());
        raw.extend_from_slice(value.as_bytes().trim_ascii());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
    raw.extend_from_slice(request.body());
    raw
}

pub(crate) fn read(raw: &[u8]) -> Result<Request<Bytes>, BoxError> {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the head has no end")?;
    let (head, body) = raw.split_at(end + 4);
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut words = std::str::from_utf8(lines.next().unwrap_or_default())?.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request::builder().method(method).uri(path);
    for line in lines.take_while(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':').ok_or("a line of the head has no colon")?;
        let (name, value) = line.split_at(colon);
        request = request.header(name, value.get(1..).unwrap_or_default().trim_ascii());
    }
    Ok(request.body(Bytes::copy_from_slice(body))?)
}
