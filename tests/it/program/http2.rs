//! HTTP/2: the same deliveries, the same answers, and the same end.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, StreamOwned};

use super::certificates::Authority;
use super::child::{Folder, Listener, Program};
use super::tls::{connect, curl, curl_forged, with_tls};
use super::upstream::{Upstream, aella};
use super::wire::Raw;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A literal field that no table keeps (RFC 7541, section 6.2.2).
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let literal = |text: &str| {
        // The length in a prefix of seven bits (section 5.1).
        let length = match u8::try_from(text.len()) {
            Ok(length) if length < 127 => vec![length],
            Ok(length) if length < 127 + 128 => vec![127, length - 127],
            _ => panic!("{text} is too long"),
        };
        [&length, text.as_bytes()].concat()
    };
    [vec![0], literal(name), literal(value)].concat()
}

/// The head of a request, behind which a body comes.
pub(crate) fn block(request: &Raw) -> Vec<u8> {
    let signature = request.headers.iter().find(|(name, _)| name == "x-aella-signature").unwrap();
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/aella"),
        (":authority", "receiver"),
        (&signature.0, &signature.1),
    ];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// The frames of one connection, by hand (RFC 9113).
pub(crate) struct Frames<S = StreamOwned<ClientConnection, TcpStream>>(pub(crate) S);

impl<S: Read + Write> Frames<S> {
    pub(crate) fn open(mut stream: S) -> Self {
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut frames = Self(stream);
        frames.write(SETTINGS, 0, 0, &[]);
        frames
    }

    pub(crate) fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0.write_all(&frame(kind, flags, stream, payload)).unwrap();
    }

    /// A delivery on this stream.
    pub(crate) fn send(&mut self, stream: u32, id: &str) {
        let request = aella(id);
        self.head(stream, &request);
        self.write(DATA, END_STREAM, stream, &request.body);
    }

    /// Its head, behind which a body comes.
    fn head(&mut self, stream: u32, request: &Raw) {
        self.write(HEADERS, END_HEADERS, stream, &block(request));
    }

    /// The next frame, with settings and pings acknowledged. `None`: the connection has ended.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        if self.0.read(&mut head[..1]).unwrap_or(0) == 0 {
            return None;
        }
        self.0.read_exact(&mut head[1..]).unwrap();
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        self.0.read_exact(&mut payload).unwrap();
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        // Who has ended the connection waits for no answer.
        let _ = match (frame.kind, frame.flags) {
            (SETTINGS, 0) => self.0.write_all(&self::frame(SETTINGS, ACK, 0, &[])),
            (PING, 0) => self.0.write_all(&self::frame(PING, ACK, 0, &frame.payload)),
            _ => Ok(()),
        };
        Some(frame)
    }

    pub(crate) fn until(&mut self, what: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.next().expect("the connection ended before that");
            if what(&frame) {
                return frame;
            }
        }
    }
}

/// The status 200, which HPACK has as one byte.
const OK: u8 = 0x88;

pub(crate) fn is_ok(frame: &Frame) -> bool {
    frame.kind == HEADERS && frame.payload.contains(&OK)
}

#[test]
fn a_delivery_over_http2_is_taken_a_forged_one_refused_and_a_repeat_known() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("server", "server");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    let status = |id: &str, more: &[&str]| {
        let done = curl(&listener, id, &ca.pem(), &[&["--http2"], more].concat());
        assert_eq!(done.code, Some(0), "{done:?}");
        done.stdout[0].clone()
    };
    assert_eq!(status("1", &[]), "200 2");
    assert_eq!(listener.json()["verdict"], "accepted");
    assert_eq!(curl_forged(&listener, &ca.pem(), &["--http2"]).stdout, ["401 2"]);
    assert_eq!(listener.json()["verdict"], "refused");
    assert_eq!(status("1", &[]), "200 2");
    assert_eq!(listener.json()["verdict"], "duplicate");
    let long = format!("x-long: {}", "x".repeat(20_000));
    // The server answers 431 and resets the stream; curl says the one or the other.
    let done = curl(&listener, "3", &ca.pem(), &["--http2", "-H", &long]);
    assert!(["431 2", "000 0"].contains(&done.stdout[0].as_str()), "headers have a limit: {done:?}");
    assert_eq!(status("4", &[]), "200 2");
    assert!(listener.json()["key"].as_str().unwrap().ends_with("|4"), "and the one beyond it was nobody's");
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_body_has_the_same_time_and_the_same_length_over_http2() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("server", "server");
    let limits = "body_deadline = \"300ms\"\nmax_body = \"1KiB\"\n";
    let listener = Listener::start(&format!("{limits}{}", with_tls(&pem, &key, "")));
    let mut frames = Frames::open(connect(listener.address(), &ca.pem(), b"h2"));
    frames.head(1, &aella("1"));
    frames.write(DATA, 0, 1, b"{");
    frames.until(|frame| frame.stream == 1);
    assert_eq!(listener.json()["status"], 408, "it stands still");
    frames.head(3, &aella("2"));
    frames.write(DATA, END_STREAM, 3, &[b' '; 2000]);
    frames.until(|frame| frame.stream == 3);
    assert_eq!(listener.json()["status"], 413, "it is too long");
    frames.send(5, "3");
    assert_eq!(frames.until(is_ok).stream, 5);
    assert_eq!(listener.json()["verdict"], "accepted", "and the connection goes on");
}

#[test]
fn in_clear_there_is_http1_alone() {
    let config = "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
        keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
    let listener = Listener::start(config);
    let known = Program::other("curl", ["-s", "--http2-prior-knowledge", &listener.url("/aella")]).run();
    assert_ne!(known.code, Some(0), "{known:?}");
    let upgrade = ["-s", "-o", "/dev/null", "-w", "%{http_version}", "--http2", &listener.url("/aella")];
    assert_eq!(Program::other("curl", upgrade).run().stdout, ["1.1"]);
    assert_eq!(aella("1").send(listener.address()).status, 200);
}

#[test]
fn a_drain_says_goaway_and_finishes_what_is_in_hand() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("server", "server");
    let config = with_tls(&pem, &key, "") + &format!("forward_to = \"http://{}/\"\n", upstream.address);
    let listener = Listener::start(&config);
    let mut frames = Frames::open(connect(listener.address(), &ca.pem(), b"h2"));
    frames.send(1, "1");
    assert!(upstream.seen.recv().unwrap().contains("transfer"));
    listener.running().signal("TERM");
    frames.until(|frame| frame.kind == GOAWAY);
    upstream.answers.send("200 OK\r\ncontent-length: 0").unwrap();
    assert_eq!(frames.until(is_ok).stream, 1);
    while frames.next().is_some() {}
    assert_eq!(listener.json()["verdict"], "accepted");
    assert_eq!(listener.into_running().wait().code, Some(0));
}

#[test]
fn one_connection_has_a_hundred_deliveries_in_hand_and_no_more() {
    let folder = Folder::new();
    let ca = Authority::new(&folder, "ca");
    let (pem, key) = ca.signs("server", "server");
    let listener = Listener::start(&with_tls(&pem, &key, ""));
    let mut frames = Frames::open(connect(listener.address(), &ca.pem(), b"h2"));
    let settings = frames.until(|frame| frame.kind == SETTINGS && frame.flags == 0).payload;
    let setting = |id: u16| {
        settings
            .chunks(6)
            .find(|one| one[..2] == id.to_be_bytes())
            .map(|one| u32::from_be_bytes([one[2], one[3], one[4], one[5]]))
    };
    assert_eq!((setting(3), setting(4), setting(6)), (Some(100), Some(64 * 1024), Some(16 * 1024)));
}
