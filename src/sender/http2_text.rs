//! The beginning of a request as the frames of HTTP/2 (RFC 9113), to a receiver of which it is not known whether it speaks it.

use bytes::Bytes;
use http::Request;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};

use super::conduct::Break;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The longest payload of a frame, before anybody has allowed more.
const MAX_FRAME: usize = 16_384;
/// So much of a body may be sent, before anybody has allowed more.
const WINDOW: usize = 65_535;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// `CANCEL`: the stream is no longer needed.
const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// `GOAWAY`: no stream of the receiver's was taken, and there was no error.
const GONE: [u8; 8] = [0; 8];

/// The preface, the head of the request, half of its body, and then its end, by the frame that is asked for.
pub(super) fn broken_off(request: &Request<Bytes>, host: &str, end: Break) -> Vec<u8> {
    let mut all = PREFACE.to_vec();
    frame(&mut all, SETTINGS, 0, 0, &[]);
    let fields = fields(request, host);
    let mut blocks = fields.chunks(MAX_FRAME).peekable();
    let mut kind = HEADERS;
    while let Some(block) = blocks.next() {
        frame(&mut all, kind, if blocks.peek().is_none() { END_HEADERS } else { 0 }, 1, block);
        kind = CONTINUATION;
    }
    let half = request.body().get(..request.body().len() / 2).unwrap_or_default();
    for data in half.get(..WINDOW).unwrap_or(half).chunks(MAX_FRAME) {
        frame(&mut all, DATA, 0, 1, data);
    }
    match end {
        Break::Reset => frame(&mut all, RST_STREAM, 0, 1, &CANCEL),
        Break::GoAway => frame(&mut all, GOAWAY, 0, 0, &GONE),
    }
    all
}

fn frame(all: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    all.extend_from_slice(length.get(1..).unwrap_or_default());
    all.extend_from_slice(&[kind, flags]);
    all.extend_from_slice(&stream.to_be_bytes());
    all.extend_from_slice(payload);
}

/// The head as literal fields without indexing (RFC 7541, section 6.2.2), and without what belongs to one connection.
fn fields(request: &Request<Bytes>, host: &str) -> Vec<u8> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let authority = request.headers().get(HOST).map_or(host.as_bytes(), |host| host.as_bytes());
    let mut block = Vec::new();
    field(&mut block, ":method", request.method().as_str().as_bytes());
    field(&mut block, ":scheme", b"http");
    field(&mut block, ":path", path.as_bytes());
    field(&mut block, ":authority", authority);
    let own = [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE];
    for (name, value) in request.headers().iter().filter(|(name, _)| !own.contains(name)) {
        field(&mut block, name.as_str(), value.as_bytes());
    }
    field(&mut block, CONTENT_LENGTH.as_str(), request.body().len().to_string().as_bytes());
    block
}

fn field(block: &mut Vec<u8>, name: &str, value: &[u8]) {
    block.push(0);
    string(block, name.as_bytes());
    string(block, value);
}

fn string(block: &mut Vec<u8>, text: &[u8]) {
    length(block, text.len());
    block.extend_from_slice(text);
}

/// An integer with a prefix of 7 bits (RFC 7541, section 5.1), and the eighth clear: the text behind it is not compressed.
fn length(block: &mut Vec<u8>, length: usize) {
    let low = |number: usize| u8::try_from(number & 0x7f).unwrap_or_default();
    let Some(mut rest) = length.checked_sub(0x7f) else { return block.push(low(length)) };
    block.push(0x7f);
    while rest >= 0x80 {
        block.push(low(rest) | 0x80);
        rest >>= 7;
    }
    block.push(low(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: usize, header: usize, end: Break) -> Vec<u8> {
        let request = Request::post("http://127.0.0.1:1/hook?a=1").header("x-a", "b".repeat(header));
        broken_off(&request.body(vec![b'y'; body].into()).unwrap(), "127.0.0.1:1", end)
    }

    /// Kind, flags, stream and payload of each frame behind the preface.
    fn frames(all: &[u8]) -> Vec<(u8, u8, u8, &[u8])> {
        let mut rest = all.strip_prefix(PREFACE).unwrap();
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let length = usize::from(rest[0]) << 16 | usize::from(rest[1]) << 8 | usize::from(rest[2]);
            frames.push((rest[3], rest[4], rest[8], &rest[9..9 + length]));
            rest = &rest[9 + length..];
        }
        frames
    }

    #[test]
    fn a_request_is_a_preface_settings_head_half_a_body_and_its_end() {
        let mut head = Vec::new();
        for (name, value) in [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/hook?a=1"),
            (":authority", "127.0.0.1:1"),
            ("x-a", "bb"),
            ("content-length", "10"),
        ] {
            let [long, wide] = [name, value].map(|text| u8::try_from(text.len()).unwrap());
            head.extend([&[0, long], name.as_bytes(), &[wide], value.as_bytes()].concat());
        }
        let beginning = [(4, 0, 0, &[][..]), (1, 4, 1, &head), (0, 0, 1, b"yyyyy")];
        let reset = text(10, 2, Break::Reset);
        assert_eq!(frames(&reset), [&beginning[..], &[(3, 0, 1, &[0, 0, 0, 8])]].concat());
        let goes = text(10, 2, Break::GoAway);
        assert_eq!(frames(&goes), [&beginning[..], &[(7, 0, 0, &[0; 8])]].concat());
        // Byte for byte as RFC 9113, section 4.1, lays out a frame.
        assert_eq!(reset[24..33], [0, 0, 0, 4, 0, 0, 0, 0, 0]);
        assert_eq!(reset[33 + 9 + head.len()..], *b"\0\0\x05\0\0\0\0\0\x01yyyyy\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08");
    }

    #[test]
    fn no_frame_is_longer_than_may_be_nor_all_of_the_body() {
        let all = text(1_000_000, 20_000, Break::Reset);
        let frames = frames(&all);
        let kinds: Vec<_> = frames.iter().map(|(kind, flags, ..)| (*kind, *flags)).collect();
        assert_eq!(kinds, [(4, 0), (1, 0), (9, 4), (0, 0), (0, 0), (0, 0), (0, 0), (3, 0)]);
        assert!(frames.iter().all(|(.., payload)| payload.len() <= MAX_FRAME));
        let data = frames.iter().filter(|(kind, ..)| *kind == DATA).map(|(.., payload)| payload.len());
        assert_eq!(data.sum::<usize>(), WINDOW);
    }

    /// The examples of RFC 7541, sections C.1, have other prefixes; of this one they are these.
    #[test]
    fn lengths_are_written_in_as_many_bytes_as_they_need() {
        for (number, bytes) in [
            (0, &[0][..]),
            (126, &[126]),
            (127, &[127, 0]),
            (254, &[127, 127]),
            (255, &[127, 0x80, 1]),
            (1337, &[127, 0xba, 9]),
        ] {
            let mut written = Vec::new();
            length(&mut written, number);
            assert_eq!(written, bytes, "{number}");
        }
    }
}
