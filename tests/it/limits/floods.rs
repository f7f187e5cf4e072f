//! HTTP/2 that is worth nothing: streams that are reset at once, heads without an end, settings and pings without number.
//! Each ends its own connection; the others go on, and nothing of it stays in memory.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::PATIENCE;
use super::process::{MIB, computed, peak, resident};
use crate::program::certificates::Authority;
use crate::program::child::{Folder, Listener};
use crate::program::http2::{
    ACK, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PING, SETTINGS, block, field, frame, is_ok,
};
use crate::program::tls::{connect, with_tls};
use crate::program::upstream::aella;

const RST_STREAM: u8 = 3;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// What a connection is ended with that asks too much (RFC 9113, section 7).
const ENHANCE_YOUR_CALM: u32 = 11;
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const OURS: [u8; 8] = *b"behindit";

/// A listener with a certificate, and who believes it.
struct Receiver {
    listener: Listener,
    folder: Folder,
}

impl Receiver {
    fn start() -> Self {
        let folder = Folder::new();
        let (pem, key) = Authority::new(&folder, "ca").signs("server", "server");
        let listener = Listener::start(&format!("write_deadline = \"500ms\"\n{}", with_tls(&pem, &key, "")));
        Self { listener, folder }
    }

    fn connect(&self) -> impl Read + Write + use<> {
        connect(self.listener.address(), &self.folder.path().join("ca.pem"), b"h2")
    }

    /// The time that the receiver computes for, over some deliveries, in hundredths of a second.
    fn work(&self, frames: &mut Frames<impl Read + Write>, first: u32) -> u64 {
        let before = computed(&self.listener);
        for stream in (first..first + 100).step_by(2) {
            frames.send(stream, &format!("good {stream}"));
            assert_eq!(frames.until(is_ok).stream, stream);
        }
        computed(&self.listener) - before
    }
}

/// The same by hyper, without what it allows at most.
fn without_limits() -> TcpStream {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let service = service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(Body::empty())));
            let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream).unwrap());
            let server = http2::Builder::new(TokioExecutor::new())
                .max_pending_accept_reset_streams(usize::MAX)
                .max_local_error_reset_streams(None)
                .max_header_list_size(1 << 30)
                .serve_connection(stream, service);
            let _ = server.await;
        });
    });
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Streams that are reset at once, so many.
fn resets(count: u32) -> Vec<u8> {
    let head = block(&aella("reset"));
    (0..count)
        .flat_map(|number| {
            let stream = 2 * number + 1;
            [frame(HEADERS, END_HEADERS, stream, &head), frame(RST_STREAM, 0, stream, &CANCEL)].concat()
        })
        .collect()
}

/// Streams that the receiver must reset, since a window that grows too large is a fault (RFC 9113, section 6.9.1).
fn faults(count: u32) -> Vec<u8> {
    let head = block(&aella("fault"));
    let one = |number| {
        let stream = 2 * number + 1;
        [frame(HEADERS, END_HEADERS, stream, &head), frame(WINDOW_UPDATE, 0, stream, &[0x7f, 0xff, 0xff, 0xff])]
            .concat()
    };
    (0..count).flat_map(one).collect()
}

/// The head of one request, in so many frames.
fn pieces(count: u32) -> Vec<u8> {
    let mut all = frame(HEADERS, END_STREAM, 1, &block(&aella("pieces")));
    for number in 1..=count {
        let flags = if number == count { END_HEADERS } else { 0 };
        all.extend(frame(CONTINUATION, flags, 1, &field("x-more", "of it")));
    }
    all
}

/// Writes all of it, and what the connection is ended with then. `None`: it goes on.
fn ended_with(stream: impl Read + Write, bytes: &[u8]) -> Option<u32> {
    let mut frames = Frames::open(stream);
    // It may have ended before all was written.
    let _ = frames.0.write_all(&[bytes, &frame(PING, 0, 0, &OURS)].concat());
    let is_end = |kind, flags| kind == GOAWAY || (kind, flags) == (PING, ACK);
    let end = frames.until(|frame| is_end(frame.kind, frame.flags));
    (end.kind == GOAWAY).then(|| u32::from_be_bytes(end.payload[4..8].try_into().unwrap()))
}

#[test]
fn resets_faults_and_heads_in_many_pieces_end_their_connection_and_few_of_them_do_not() {
    let receiver = Receiver::start();
    for (what, few, many) in
        [("resets", resets(5), resets(100)), ("faults", faults(5), faults(1500)), ("pieces", pieces(3), pieces(20))]
    {
        assert_eq!(ended_with(receiver.connect(), &few), None, "few {what}");
        assert_eq!(ended_with(receiver.connect(), &many), Some(ENHANCE_YOUR_CALM), "many {what}");
        assert_eq!(ended_with(without_limits(), &many), None, "many {what}, and a server without limits");
    }
    let mut good = Frames::open(receiver.connect());
    receiver.work(&mut good, 1);
}

/// Writes it again and again without reading, until the connection has ended. How many bytes were taken.
fn until_refused(stream: impl Read + Write, piece: &[u8], most: usize) -> Result<usize, String> {
    let mut frames = Frames::open(stream);
    for round in 0..most / piece.len() {
        if frames.0.write_all(piece).is_err() {
            return Ok(round * piece.len());
        }
    }
    Err(format!("{most} bytes were taken, and the connection goes on"))
}

/// Sends deliveries one after the other on one connection while others do this. How many were taken meanwhile.
fn beside(receiver: &Receiver, what: &str, flood: impl FnOnce()) -> u32 {
    let mut good = Frames::open(receiver.connect());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sent = scope.spawn(|| {
            let mut count = 0;
            loop {
                let (is_last, stream) = (is_over.load(Ordering::Relaxed), 2 * count + 1);
                good.send(stream, &format!("{what} {stream}"));
                assert_eq!(good.until(is_ok).stream, stream, "beside {what}");
                count += 1;
                if is_last {
                    return count;
                }
            }
        });
        let end = Over(&is_over);
        flood();
        drop(end);
        sent.join().unwrap()
    })
}

/// Says so however it ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn floods_leave_nothing_behind_in_memory_or_time_and_others_go_on_beside_them() {
    let receiver = Receiver::start();
    let listener = &receiver.listener;
    let normal = receiver.work(&mut Frames::open(receiver.connect()), 1);
    let memory = resident(listener);
    let long = frame(CONTINUATION, 0, 1, &[b'x'; 16 * 1024]);
    let headless = [frame(HEADERS, 0, 1, &block(&aella("long"))), long.repeat(100)].concat();
    let empty = [frame(HEADERS, 0, 1, &[]), frame(CONTINUATION, 0, 1, &[]).repeat(5_000)].concat();
    for (what, piece, most, connections) in [
        ("resets", resets(5_000), 8 << 20, 20),
        ("faults", faults(5_000), 8 << 20, 20),
        ("pieces", headless, 8 << 20, 20),
        ("empty pieces", empty, 8 << 20, 20),
        ("settings", frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 16, 0]).repeat(1_000), 64 << 20, 1),
        ("pings", frame(PING, 0, 0, &OURS).repeat(1_000), 64 << 20, 1),
    ] {
        let mut taken = 0;
        let good = beside(&receiver, what, || {
            for _ in 0..connections {
                let one = until_refused(receiver.connect(), &piece, most);
                taken += one.unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
            }
        });
        let after = receiver.work(&mut Frames::open(receiver.connect()), 1);
        println!("{what}: {connections} connections ended behind {taken} bytes, {good} deliveries beside them");
        println!("{normal} hundredths of a second before, {after} after; {} KiB", resident(listener));
        assert!(after <= 3 * normal.max(20), "{what}: {normal} hundredths before, {after} after");
    }
    let after = (resident(listener), peak(listener));
    println!("{memory} KiB before, {after:?} KiB after and at most");
    assert!(after.0 < memory + 16 * MIB && after.1 < memory + 32 * MIB, "{memory} KiB before, {after:?} after");
}

/// Who reads the answers may ask as long as it likes, at its own cost, and nothing piles up.
#[test]
fn pings_that_are_read_are_answered_one_by_one() {
    let receiver = Receiver::start();
    let mut frames = Frames::open(receiver.connect());
    receiver.work(&mut frames, 1);
    let memory = resident(&receiver.listener);
    for round in 0..100 {
        frames.0.write_all(&frame(PING, 0, 0, &OURS).repeat(200)).unwrap();
        for _ in 0..200 {
            assert_eq!(frames.until(|frame| (frame.kind, frame.flags) == (PING, ACK)).payload, OURS, "{round}");
        }
    }
    receiver.work(&mut frames, 101);
    assert!(resident(&receiver.listener) < memory + 8 * MIB, "{memory} KiB before");
}
