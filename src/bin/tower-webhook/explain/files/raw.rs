//! A request as it stood on the wire. Its head may have bare line feeds, as editors leave them.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Uri, Version};

use super::framing::frame;
use super::{Captured, MAX_HEADERS};
use crate::explain::report::Why;

pub(in crate::explain) fn raw(bytes: Vec<u8>) -> Result<Captured, String> {
    let bytes = Bytes::from(bytes);
    let mut lines = Lines { bytes: &bytes, at: 0, number: 0, ended: false };
    let (mut head, is_version) = loop {
        match lines.next() {
            Some([]) => {}
            Some(line) => break request_line(line)?,
            None => return Err("there is no request: the input is empty; give one on stdin or by --file".to_owned()),
        }
    };
    let mut notes = Vec::new();
    loop {
        let (number, line) = (lines.number + 1, lines.next());
        match line {
            Some([]) => break,
            Some(line) => add_header(&mut head.headers, line).map_err(|why| format!("line {number} {why}"))?,
            None => {
                notes.push("no empty line ends the headers: there is no body".to_owned());
                break;
            }
        }
    }
    let body = bytes.slice(lines.at..);
    let mut request = Captured::new(head, body, notes);
    if !is_version {
        let fix =
            "send it by HTTP/1.1; where a tool wrote another version in its place, write HTTP/1.1 in the first line";
        request.malformed = Some(Why::new("the version is neither HTTP/1.1 nor HTTP/1.0", fix));
        return Ok(request);
    }
    frame(&mut request);
    Ok(request)
}

/// The lines of the head, without what ends them.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    number: usize,
    ended: bool,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty() && !self.ended)?;
        self.number += 1;
        let line = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                self.at += end + 1;
                rest.get(..end)?
            }
            None => {
                self.at = self.bytes.len();
                self.ended = true;
                rest
            }
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The head so far, and whether its version is one that is spoken as text. None at all is one that was left out.
fn request_line(line: &[u8]) -> Result<(Parts, bool), String> {
    let wrong = || "the first line is not a request line such as POST /path HTTP/1.1".to_owned();
    let text = std::str::from_utf8(line).map_err(|_| wrong())?;
    let mut words = text.split_ascii_whitespace();
    let (Some(method), Some(target), version, None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(wrong());
    };
    if version.is_some_and(|version| !version.starts_with("HTTP/")) {
        return Err(wrong());
    }
    let method: Method = method.parse().map_err(|_| wrong())?;
    let target: Uri = target.parse().map_err(|_| wrong())?;
    let mut head = head(method, target)?;
    if version == Some("HTTP/1.0") {
        head.version = Version::HTTP_10;
    }
    Ok((head, version.is_none_or(|version| ["HTTP/1.0", "HTTP/1.1"].contains(&version))))
}

pub(super) fn head(method: Method, target: Uri) -> Result<Parts, String> {
    let request = Request::builder().method(method).uri(target).body(());
    request.map(|request| request.into_parts().0).map_err(|error| error.to_string())
}

fn add_header(headers: &mut HeaderMap, line: &[u8]) -> Result<(), &'static str> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or("is not a header such as name: value")?;
    let (name, value) = line.split_at(colon);
    let name = HeaderName::from_bytes(name).map_err(|_| "does not begin with the name of a header")?;
    insert(headers, name, value.get(1..).unwrap_or_default())
}

pub(super) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) -> Result<(), &'static str> {
    if headers.len() == MAX_HEADERS {
        return Err("is one header too many");
    }
    let value = HeaderValue::from_bytes(value.trim_ascii()).map_err(|_| "holds what a header cannot carry")?;
    headers.append(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Captured {
        raw(text.into()).map_err(|fault| panic!("{fault}")).unwrap()
    }

    #[test]
    fn the_head_may_have_either_line_end_and_the_body_keeps_its_own() {
        for text in ["POST /a?b HTTP/1.1\r\nX-A: 1\r\n\r\nx\r\ny\n", "\nPOST /a?b\nx-a:1\n\nx\r\ny\n"] {
            let request = read(text);
            assert_eq!((request.head.method.as_str(), request.head.uri.path()), ("POST", "/a"), "{text:?}");
            assert_eq!((&*request.body, &request.head.headers["x-a"]), (&b"x\r\ny\n"[..], &"1".parse().unwrap()));
            assert_eq!(request.notes.len(), 1, "there is no length: {text:?}");
            assert!(request.malformed.is_none() && request.unfinished.is_none(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused_without_being_quoted() {
        for (text, wrong) in [
            ("", "the input is empty"),
            ("\n\n", "the input is empty"),
            ("canary", "the first line"),
            ("POST /a canary", "the first line"),
            ("POST /a b HTTP/1.1", "the first line"),
            ("POST /a HTTP/1.1\ncanary\n\n", "line 2 is not a header"),
            ("POST /a HTTP/1.1\nx: 1\n canary: 1\n\n", "line 3 does not begin with"),
            ("POST /a HTTP/1.1\nx: canary\x01\n\n", "line 2 holds what"),
        ] {
            let fault = raw(text.into()).map(drop).unwrap_err();
            assert!(fault.contains(wrong) && !fault.contains("canary"), "{text:?}: {fault}");
        }
    }

    #[test]
    fn the_body_ends_where_it_says() {
        for (head, body, taken, noted, altered, judged) in [
            ("content-length: 2", "ab", "ab", false, false, ""),
            ("content-length: 2", "ab\r\n", "ab", true, false, ""),
            ("content-length: 2", "abc", "abc", true, true, ""),
            ("content-length: 9", "ab", "ab", true, true, "unfinished"),
            ("content-length: x", "ab", "ab", false, false, "malformed"),
            ("content-length: 2\r\ncontent-length: 3", "ab", "ab", false, false, "malformed"),
            ("content-length: 2\r\ncontent-length: 2", "ab", "ab", false, false, ""),
            ("x: y", "", "", false, false, ""),
            ("x: y", "ab", "ab", true, false, ""),
            ("transfer-encoding: chunked", "2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", "abc", true, false, ""),
            ("transfer-encoding: chunked", "0\r\nx: y\r\n\r\n", "", true, false, ""),
            ("transfer-encoding: chunked", "2\r\nab\r\n0\r\n", "ab", true, true, "unfinished"),
            ("transfer-encoding: chunked", "2\r\nab\r\n1\r\n", "ab", true, true, "unfinished"),
            ("transfer-encoding: chunked", "{}", "{}", false, true, "unfinished"),
            ("transfer-encoding: chunked", "2;\n\r\nab\r\n", "2;\n\r\nab\r\n", false, true, "unfinished"),
            (
                "transfer-encoding: chunked",
                "ffffffffffffffff\r\nab",
                "ffffffffffffffff\r\nab",
                false,
                true,
                "unfinished",
            ),
            ("transfer-encoding: xchunked", "{}", "{}", false, false, "malformed"),
        ] {
            let case = format!("{head} {body:?}");
            let request = read(&format!("POST / HTTP/1.1\r\n{head}\r\n\r\n{body}"));
            assert_eq!(request.body, taken, "{case}");
            assert_eq!((!request.notes.is_empty(), request.altered.is_some()), (noted, altered), "{case}");
            assert_eq!(request.malformed.is_some(), judged == "malformed", "{case}");
            assert_eq!(request.unfinished.is_some(), judged == "unfinished", "{case}");
        }
    }
}
