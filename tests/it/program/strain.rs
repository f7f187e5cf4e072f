//! `listen` under strain: a stdout that nobody reads, peers that stall, hang up half-way or speak no HTTP.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::child::Listener;
use super::upstream::{Upstream, aella, forwarding};
use super::wire::{Answer, Raw, hex, hmac512};

const OK: &str = "200 OK\r\ncontent-length: 0";

fn set(config: &str, setting: &str) -> String {
    format!("{setting}\n{config}")
}

/// `/aella` forwards, `/printed` has its line as all of its effect.
fn both(upstream: &str) -> String {
    let printed = "[[endpoint]]\npath = \"/printed\"\nprovider = \"aella\"\n\
        keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
    set(&format!("{}{printed}", forwarding(upstream)), "drain = \"5s\"")
}

fn printed(id: &str) -> Raw {
    Raw { path: "/printed".to_owned(), ..aella(id) }
}

/// Enough lines to fill a pipe twice.
const STRANGERS: usize = 300;

fn knock(listener: &Listener) {
    for at in 0..STRANGERS {
        let path = format!("/{}{at}", "nowhere".repeat(30));
        assert_eq!(Raw::new(&path, &[], "").send(listener.address()).status, 404, "{at}");
    }
}

#[test]
fn a_stdout_that_nobody_reads_stops_no_answer_and_no_end() {
    let upstream = Upstream::start();
    let listener = Listener::start_unread(&both(&upstream.address));
    knock(&listener);

    upstream.answers.send(OK).unwrap();
    assert_eq!(aella("1").send(listener.address()).status, 200);
    assert!(upstream.seen.recv().unwrap().contains("\"id\":\"1\""));
    let unsaid = printed("2").send(listener.address());
    assert_eq!((unsaid.status, unsaid.header("retry-after")), (503, Some("5")), "what is not printed is not handled");

    let running = listener.into_running();
    running.signal("TERM");
    let start = Instant::now();
    let (code, stderr) = running.ends_within(Duration::from_secs(20));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(stderr.contains("lines on stdout were not read"), "{stderr}");
}

#[test]
fn lines_that_waited_are_all_there_once_somebody_reads_and_what_was_unsaid_is_said_once() {
    let upstream = Upstream::start();
    let listener = Listener::start_unread(&both(&upstream.address));
    knock(&listener);
    upstream.answers.send(OK).unwrap();
    assert_eq!(aella("1").send(listener.address()).status, 200);
    assert_eq!(printed("2").send(listener.address()).status, 503);
    for at in 0..STRANGERS {
        let line = listener.json();
        assert_eq!(line["kind"], "no_endpoint", "{line}");
        assert!(line["endpoint"].as_str().unwrap().ends_with(&format!("nowhere{at}")), "{line}");
    }
    let key = |line: &Value| (line["verdict"].clone(), line["key"].clone());
    assert_eq!(key(&listener.json()), (json!("accepted"), json!("transfer.completed|1")));
    assert_eq!(listener.json()["kind"], "handler_retry");
    // The key rests for as long as the sender was asked to wait.
    while printed("2").send(listener.address()).status == 503 {
        assert_eq!(listener.json()["verdict"], "refused");
        thread::sleep(Duration::from_millis(100));
    }
    let line = listener.json();
    assert_eq!(key(&line), (json!("accepted"), json!("transfer.completed|2")));
    assert_eq!(line["attempt_replayed"], true);
    assert_eq!(printed("2").send(listener.address()).status, 200);
    assert_eq!(key(&listener.json()), (json!("duplicate"), json!("transfer.completed|2")));
    let done = listener.stop();
    assert_eq!((done.code, done.stdout.len(), done.stderr.as_str()), (Some(0), 0, ""));
}

/// More requests on one connection than lines of rejections are kept, and how many were answered.
fn flood(listener: &Listener, count: usize) {
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    let path = "nowhere".repeat(30);
    let requests = format!("GET /{path} HTTP/1.1\r\nhost: a\r\n\r\n").repeat(count);
    let last = format!("GET /{path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let mut writer = stream.try_clone().unwrap();
    let writes = thread::spawn(move || writer.write_all(format!("{requests}{last}").as_bytes()));
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    writes.join().unwrap().unwrap();
    assert_eq!(answers.matches("HTTP/1.1 404").count(), count + 1);
}

#[test]
fn rejections_beyond_what_is_kept_are_counted_and_the_count_is_said() {
    const SENT: usize = 6000;
    let listener = Listener::start_unread(
        "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
        keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n",
    );
    flood(&listener, SENT - 1);
    let signature = hex(&hmac512(b"ae_sk_test_another", &[b"{}"]));
    let mut read = 0;
    // The next rejection of another kind comes behind all that were kept.
    let forged = Raw::new("/aella", &[("x-aella-signature", signature)], "{}");
    loop {
        let line = listener.json();
        if line["kind"] == "signature_mismatch" {
            break;
        }
        assert_eq!(line["kind"], "no_endpoint");
        read += 1;
        if read == 1000 {
            assert_eq!(forged.send(listener.address()).status, 401);
        }
    }
    assert!((1000..SENT).contains(&read), "{read}");
    let said = listener.running().stderr_line();
    let dropped = SENT - read;
    assert!(said.contains(&format!("{dropped} lines of rejections and repeats were left out")), "{read}: {said}");
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_hangup_ends_nothing() {
    let listener = Listener::start(&both("127.0.0.1:1"));
    for id in ["before", "after"] {
        listener.running().signal("HUP");
        while listener.json() != json!({ "reloaded": true }) {}
        assert_eq!(printed(id).send(listener.address()).status, 200, "{id}");
    }
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let upstream = Upstream::start();
    let patient = forwarding(&upstream.address).replace("\"1s\"", "\"50s\"");
    let listener = Listener::start(&set(&patient, "drain = \"50s\""));
    let address = listener.address().to_owned();
    let sender = thread::spawn({
        let bytes = aella("1").bytes();
        let mut stream = TcpStream::connect(&address).unwrap();
        move || {
            stream.write_all(&bytes).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        }
    });
    upstream.seen.recv().unwrap();
    let running = listener.into_running();
    running.signal("TERM");
    // Once new connections are refused, the first signal has been heard.
    while TcpStream::connect(&address).is_ok() {
        thread::yield_now();
    }
    running.signal("INT");
    let (code, stderr) = running.ends_within(Duration::from_secs(20));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("a second signal"), "{stderr}");
    let answer = sender.join().unwrap();
    assert!(answer.as_ref().is_ok_and(String::is_empty) || answer.is_err(), "{answer:?}");
}

#[test]
fn a_sender_that_shuts_its_side_down_still_gets_its_answer() {
    let upstream = Upstream::start();
    let patient = forwarding(&upstream.address).replace("\"1s\"", "\"50s\"");
    let listener = Listener::start(&patient);
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    let bytes = String::from_utf8(aella("1").bytes()).unwrap().replace("connection: close\r\n", "");
    stream.write_all(bytes.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(upstream.seen.recv_timeout(Duration::from_secs(30)).unwrap().contains("\"id\":\"1\""));
    // The receiver sees the end of the sender's side before the upstream answers.
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let early = stream.read(&mut [0]);
    assert!(early.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{early:?}");
    upstream.answers.send(OK).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(Answer::read(&mut stream).status, 200);
    assert_eq!(listener.json()["verdict"], "accepted");
}

/// Repeats of one event whose answer is long, on one connection that is never read.
fn never_reads(listener: &Listener, upstream: &Upstream, count: usize) -> TcpStream {
    let long = format!("200 OK\r\ncontent-length: 4000\r\n\r\n{}", "x".repeat(4000));
    upstream.answers.send(long.leak()).unwrap();
    assert_eq!(aella("1").send(listener.address()).status, 200);
    let request = String::from_utf8(aella("1").bytes()).unwrap().replace("connection: close\r\n", "");
    let stream = TcpStream::connect(listener.address()).unwrap();
    let mut writer = stream.try_clone().unwrap();
    // It blocks once the receiver reads no further, and fails when the receiver has closed.
    thread::spawn(move || writer.write_all(request.repeat(count).as_bytes()));
    stream
}

#[test]
fn a_peer_that_never_reads_its_answers_loses_its_connection_and_delays_no_end() {
    let upstream = Upstream::start();
    let config = set(&forwarding(&upstream.address), "drain = \"50s\"\nwrite_deadline = \"3s\"");
    let listener = Listener::start(&config);
    let _stalled = never_reads(&listener, &upstream, 10_000);
    // Until no more of them are answered: nothing more can be written.
    let mut answered = 0;
    while listener.running().line_within(Duration::from_millis(700)).is_some() {
        answered += 1;
    }
    assert!((100..10_000).contains(&answered), "{answered}");
    let running = listener.into_running();
    running.signal("TERM");
    let (code, stderr) = running.ends_within(Duration::from_secs(25));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}

#[test]
fn idle_connections_delay_no_end() {
    let listener = Listener::start(&set(&forwarding("127.0.0.1:9"), "drain = \"50s\""));
    let fresh = TcpStream::connect(listener.address()).unwrap();
    let mut used = TcpStream::connect(listener.address()).unwrap();
    used.write_all(b"GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    assert_eq!(listener.json()["kind"], "no_endpoint");
    assert!(used.read(&mut [0; 1024]).unwrap() > 0);
    let running = listener.into_running();
    running.signal("TERM");
    let start = Instant::now();
    assert_eq!(running.ends_within(Duration::from_secs(25)), (Some(0), String::new()));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    drop((fresh, used));
}

#[test]
fn a_peer_that_reads_slowly_gets_all_its_answers() {
    let upstream = Upstream::start();
    let config = set(&forwarding(&upstream.address), "write_deadline = \"1s\"");
    let listener = Listener::start(&config);
    let mut stream = never_reads(&listener, &upstream, 2000);
    let (mut all, mut piece) = (0, vec![0; 64 * 1024]);
    let per_answer = 4000;
    while all < 2000 * per_answer {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "closed after {all} bytes");
        all += read;
        thread::yield_now();
    }
}

#[test]
fn what_is_no_http_is_refused_with_a_line_that_quotes_nothing_of_it() {
    let listener = Listener::start(&forwarding("127.0.0.1:9"));
    let many: String = (0..200).map(|at| format!("x-{at}: canary\r\n")).collect();
    for (request, status, kind) in [
        ("GET / HTTP/1.1\r\ncanary canary\r\n\r\n".to_owned(), 400, "http_malformed"),
        ("G\u{1}T /canary HTTP/1.1\r\n\r\n".to_owned(), 400, "http_malformed"),
        ("POST /aella HTTP/1.1\r\ncontent-length: canary\r\n\r\n".to_owned(), 400, "http_malformed"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431, "headers_too_large"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "c".repeat(70_000)), 414, "headers_too_large"),
    ] {
        let mut stream = TcpStream::connect(listener.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        assert_eq!(Answer::read(&mut stream).status, status, "{kind}");
        let line = listener.json();
        assert_eq!((&line["verdict"], &line["endpoint"]), (&json!("refused"), &json!("-")), "{line}");
        assert_eq!((&line["status"], &line["kind"]), (&json!(status), &json!(kind)), "{line}");
        assert!(!line.to_string().contains("canary") && !line["detail"].as_str().unwrap().is_empty(), "{line}");
    }
    // Whoever says nothing is refused nothing.
    drop(TcpStream::connect(listener.address()).unwrap());
    assert_eq!(Raw::new("/nowhere", &[], "").send(listener.address()).status, 404);
    assert_eq!(listener.json()["kind"], "no_endpoint");
}

/// C0 but for what HTTP refuses, DEL, C1, marks and turns of direction, separators.
const ORDERS: [char; 11] = [
    '\u{85}', '\u{7f}', '\u{80}', '\u{9b}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{202e}', '\u{2066}',
    '\u{2069}',
];

#[test]
fn a_strangers_path_gives_no_orders_to_a_terminal() {
    let listener = Listener::start(&forwarding("127.0.0.1:9"));
    for order in ORDERS {
        let mut stream = TcpStream::connect(listener.address()).unwrap();
        stream
            .write_all(format!("GET /a{order}b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let status = Answer::read(&mut stream).status;
        let line = listener.running().line();
        assert!(!line.contains(order), "{:?} is in {line:?}", order);
        let line: Value = serde_json::from_str(&line).unwrap();
        match status {
            404 => assert_eq!(line["endpoint"], format!("/a{order}b")),
            _ => assert_eq!((status, &line["kind"]), (400, &json!("http_malformed"))),
        }
    }
}
