//! What a drain's time is not enough for, and how its end tells of it.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::child::Listener;
use super::upstream::{Upstream, aella, forwarding};

const OK: &str = "200 OK\r\ncontent-length: 0";

/// A listener that drains for so long, before a service that may take a minute.
fn start(upstream: &Upstream, drain: &str) -> Listener {
    let patient = forwarding(&upstream.address).replace("\"1s\"", "\"60s\"");
    Listener::start(&format!("drain = \"{drain}\"\n{patient}"))
}

/// Sends these bytes, and reads whatever comes until the connection ends.
fn send(listener: &Listener, bytes: Vec<u8>) -> JoinHandle<io::Result<String>> {
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    thread::spawn(move || {
        stream.write_all(&bytes)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    })
}

/// Ends it by SIGTERM: its code, and what it said on stderr.
fn stop(listener: Listener) -> (Option<i32>, String) {
    let running = listener.into_running();
    running.signal("TERM");
    running.ends_within(Duration::from_secs(30))
}

#[test]
fn a_delivery_that_is_cut_off_is_work_that_failed() {
    let upstream = Upstream::start();
    let listener = start(&upstream, "300ms");
    let sender = send(&listener, aella("1").bytes());
    upstream.seen.recv_timeout(Duration::from_secs(30)).unwrap();
    let (code, stderr) = stop(listener);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("1 deliveries were still in hand when the drain's time of 300ms was over"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(sender.join().unwrap().unwrap_or_default(), "", "it has no answer, and comes again");
}

#[test]
fn a_delivery_that_ends_in_time_is_none() {
    let upstream = Upstream::start();
    let listener = start(&upstream, "50s");
    let sender = send(&listener, aella("1").bytes());
    upstream.seen.recv_timeout(Duration::from_secs(30)).unwrap();
    upstream.answers.send(OK).unwrap();
    assert_eq!(stop(listener), (Some(0), String::new()));
    assert!(sender.join().unwrap().unwrap().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_peer_that_has_not_brought_all_of_its_delivery_fails_no_work() {
    let listener = start(&Upstream::start(), "300ms");
    let whole = String::from_utf8(aella("1").bytes()).unwrap();
    let half = whole.replacen("\r\n", "\r\nexpect: 100-continue\r\n", 1);
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.write_all(&half.as_bytes()[..half.len() - 1]).unwrap();
    // Its body is being read.
    let mut begun = [0; 21];
    stream.read_exact(&mut begun).unwrap();
    assert!(begun.starts_with(b"HTTP/1.1 100 "), "{begun:?}");
    let (code, stderr) = stop(listener);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.ends_with("connections were still open when the drain's time was over: closed"), "{stderr}");
}
