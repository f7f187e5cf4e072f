//! Where the body of a recording ends, by the rules of the server; and what a server would refuse for its framing.

use http::Version;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};

use super::{Captured, Unfinished};
use crate::explain::report::Why;

/// Finds the end of the body as a server would, and says where the recording disagrees.
pub(super) fn frame(request: &mut Captured) {
    let headers = &request.head.headers;
    let Some(coding) = headers.get_all(TRANSFER_ENCODING).iter().next_back() else {
        match length(headers) {
            Ok(said) => measure(request, said),
            Err(why) => request.malformed = Some(why),
        }
        return;
    };
    if request.head.version == Version::HTTP_10 {
        let why = Why::new("HTTP/1.0 knows no Transfer-Encoding", "have the sender send it by HTTP/1.1");
        request.malformed = Some(why);
    } else if !is_chunked(coding) {
        let fix = "have the sender, or the proxy in between, send it chunked or with a Content-Length";
        request.malformed = Some(Why::new("Transfer-Encoding does not end in chunked", fix));
    } else {
        // Beside chunks a length does not count.
        request.head.headers.remove(CONTENT_LENGTH);
        join(request);
    }
}

fn is_chunked(coding: &HeaderValue) -> bool {
    let last = coding.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
    last.trim_ascii().eq_ignore_ascii_case(b"chunked")
}

/// What `Content-Length` says, if it stands there. It may stand several times if it says the same each time.
fn length(headers: &HeaderMap) -> Result<Option<usize>, Why> {
    let fix = "have the sender, or the proxy in between, send one number of bytes, once";
    let mut said = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(length) = digits.and_then(|digits| digits.parse().ok()) else {
            return Err(Why::new("Content-Length is not a plain number", fix));
        };
        if said.is_some_and(|said| said != length) {
            let times = headers.get_all(CONTENT_LENGTH).iter().count();
            return Err(Why::new(format!("Content-Length stands {times} times, and says not the same"), fix));
        }
        said = Some(length);
    }
    Ok(said)
}

fn measure(request: &mut Captured, said: Option<usize>) {
    let here = request.body.len();
    let Some(said) = said else {
        if here > 0 {
            let note = "neither Content-Length nor chunks: a server would see no body; taken as it is";
            request.notes.push(note.to_owned());
        }
        return;
    };
    compare(request, said);
    if said > here {
        let cause = format!("the body is not whole: Content-Length says {said} bytes, {here} are here");
        let fix = "see where it breaks off: at the sender, at a proxy in between, or in this recording";
        request.unfinished = Some(Unfinished { declared: Some(said), why: Why::new(cause, fix) });
    }
}

/// What a recording says of the length of its body, where that decides nothing.
pub(super) fn note_length(request: &mut Captured) {
    match length(&request.head.headers) {
        Ok(Some(said)) => compare(request, said),
        Ok(None) => {}
        Err(why) => request.notes.push(format!("{}: not looked at", why.cause)),
    }
}

fn compare(request: &mut Captured, said: usize) {
    let here = request.body.len();
    let says = format!("Content-Length says {said} bytes, {here} are here");
    if said > here {
        request.notes.push(format!("{says}: judged as they are; a server would wait for the rest"));
        request.altered = Some(format!("the body is not whole: {says}"));
    }
    if said < here {
        let line_ends = request.body.iter().skip(said).all(u8::is_ascii_whitespace);
        if line_ends {
            request.body.truncate(said);
            request.notes.push(format!("{says}: the line end behind them, as editors add one, is left out"));
        } else {
            request.notes.push(format!("{says}: all of them are taken"));
            request.altered = Some(format!("the body was changed after it was sent: {says}"));
        }
    }
}

/// Joins the chunks, as far as they are whole. Where none is, the body is taken as it is.
fn join(request: &mut Captured) {
    let Chunks { body, count, is_whole } = chunks(&request.body);
    if !is_whole {
        let cause = match count {
            0 => "it says chunked, and no whole chunk is there".to_owned(),
            _ => format!("it says chunked, and the chunks end early, behind {count}"),
        };
        let fix = "capture it as it stood on the wire, and see where it breaks off; where a recorder has joined the chunks, \
            leave Transfer-Encoding out";
        request.altered = Some(cause.clone());
        request.unfinished = Some(Unfinished { declared: None, why: Why::new(cause, fix) });
    }
    if is_whole || count > 0 {
        request.notes.push(format!("{count} chunks were joined to {} bytes", body.len()));
        request.body = body.into();
    }
}

/// A body out of its chunks, as far as they are whole.
struct Chunks {
    body: Vec<u8>,
    count: usize,
    /// Whether the last one is there, and the end behind it. Trailers are dropped.
    is_whole: bool,
}

fn chunks(mut bytes: &[u8]) -> Chunks {
    let mut chunks = Chunks { body: Vec::new(), count: 0, is_whole: false };
    while let Some((chunk, rest)) = chunk(bytes) {
        if chunk.is_empty() {
            chunks.is_whole = has_end(rest);
            break;
        }
        chunks.body.extend_from_slice(chunk);
        chunks.count += 1;
        bytes = rest;
    }
    chunks
}

/// The first chunk, and what is behind it. Of the last one, which is empty, there is but its line.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = line(bytes)?;
    let digits = std::str::from_utf8(size).ok()?.split(';').next()?.trim_end_matches([' ', '\t']);
    if size.contains(&b'\n') || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match usize::from_str_radix(digits, 16).ok()? {
        0 => Some((&[], rest)),
        length => {
            let (chunk, rest) = rest.split_at_checked(length)?;
            Some((chunk, rest.strip_prefix(b"\r\n")?))
        }
    }
}

/// The first line, and what is behind it. A bare line feed ends none.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    Some((bytes.get(..end)?, bytes.get(end + 2..)?))
}

/// Whether an empty line is there, behind any trailers.
fn has_end(mut bytes: &[u8]) -> bool {
    while let Some((trailer, rest)) = line(bytes) {
        if trailer.is_empty() {
            return true;
        }
        bytes = rest;
    }
    false
}
