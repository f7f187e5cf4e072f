//! `explain` and `listen` judge the framing of a request alike.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::child::{Done, Listener, Program};
use super::wire::{hex, hmac512};

const CONFIG: &str = "listen = \"127.0.0.1:0\"\nquiet_payloads = true\nmax_body = \"4KiB\"\n[[endpoint]]\npath = \"/aella\"\n\
    provider = \"aella\"\nkeys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";

fn event(id: usize) -> String {
    format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}"}}}}"#)
}

/// A signed delivery whose head has this first line and these lines, and whose body is written so.
fn request(first: &str, lines: &str, event: &str, body: &str) -> Vec<u8> {
    let signature = hex(&hmac512(b"ae_sk_test_example", &[event.as_bytes()]));
    format!("{first}\r\nhost: receiver\r\nconnection: close\r\nx-aella-signature: {signature}\r\n{lines}\r\n{body}")
        .into()
}

fn chunks(event: &str) -> String {
    let (one, two) = event.split_at(7);
    format!("{:x}\r\n{one}\r\n{:X};a=b\r\n{two}\r\n0\r\n\r\n", one.len(), two.len())
}

/// The first answer's status, and the kind that is told.
fn listened(listener: &Listener, request: &[u8]) -> (u64, String) {
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _ = stream.write_all(request).and_then(|()| stream.shutdown(Shutdown::Write));
    // It is closed on somebody who writes more than is read.
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap();
    let line = listener.json();
    (status, line["kind"].as_str().unwrap_or("accepted").to_owned())
}

fn explained(listener: &Listener, request: &[u8]) -> Done {
    let config = listener.config().to_str().unwrap();
    Program::new(["explain", "--config", config]).stdin(request).run()
}

fn line<'a>(done: &'a Done, begin: &str) -> Option<&'a str> {
    done.stdout.iter().find_map(|line| line.strip_prefix(begin)).map(str::trim)
}

const POST: &str = "POST /aella HTTP/1.1";
const CODED: &str = "transfer-encoding: chunked\r\n";

#[test]
fn what_listen_refuses_for_its_framing_is_refused_and_why() {
    let listener = Listener::start(CONFIG);
    let event = event(0);
    let length = event.len();
    let of = |said: &str| request(POST, &format!("content-length: {said}\r\n"), &event, &event);
    let coded = |body: &str| request(POST, CODED, &event, body);
    let chunked = chunks(&event);
    let cut = |less: usize| coded(&chunked[..chunked.len() - less]);
    for (request, verdict, cause) in [
        (of(&format!("{length}, {length}")), "400 http_malformed", "Content-Length is not a plain number"),
        (of(&format!("+{length}")), "400 http_malformed", "Content-Length is not a plain number"),
        (of("abc"), "400 http_malformed", "Content-Length is not a plain number"),
        (of("-1"), "400 http_malformed", "Content-Length is not a plain number"),
        (of(""), "400 http_malformed", "Content-Length is not a plain number"),
        (of("99999999999999999999"), "400 http_malformed", "Content-Length is not a plain number"),
        (of(&format!("{length}\r\ncontent-length: 5")), "400 http_malformed", "Content-Length stands 2 times"),
        (of("5000"), "413 body_too_large", "Content-Length says 5000 bytes, 4096 are taken"),
        (of(&(length + 1).to_string()), "400 body_aborted", "the body is not whole: Content-Length says"),
        (coded(&event), "400 body_aborted", "it says chunked, and no whole chunk is there"),
        (coded(""), "400 body_aborted", "it says chunked, and no whole chunk is there"),
        (cut(7), "400 body_aborted", "it says chunked, and the chunks end early"),
        (cut(5), "400 body_aborted", "it says chunked, and the chunks end early"),
        (cut(2), "400 body_aborted", "it says chunked, and the chunks end early"),
        (coded(&chunked[..20]), "400 body_aborted", "it says chunked, and the chunks end early"),
        (coded(&format!("+{chunked}")), "400 body_aborted", "it says chunked, and no whole chunk is there"),
        (coded(&chunked.replacen("\r\n", "\n", 1)), "400 body_aborted", "it says chunked, and no whole chunk is there"),
        (coded(&chunked.replacen("\r\n0", "XX0", 1)), "400 body_aborted", "it says chunked, and the chunks end early"),
        (
            request("POST /aella HTTP/1.0", CODED, &event, &chunked),
            "400 http_malformed",
            "HTTP/1.0 knows no Transfer-Encoding",
        ),
        (
            request(POST, "transfer-encoding: gzip\r\n", &event, &event),
            "400 http_malformed",
            "Transfer-Encoding does not end in chunked",
        ),
        (
            request("POST /aella HTTP/1.2", &format!("content-length: {length}\r\n"), &event, &event),
            "400 http_malformed",
            "the version is neither HTTP/1.1 nor HTTP/1.0",
        ),
        (
            request("POST /aella HTTP/2.0", &format!("content-length: {length}\r\n"), &event, &event),
            "400 http_malformed",
            "the version is neither HTTP/1.1 nor HTTP/1.0",
        ),
    ] {
        let text = String::from_utf8_lossy(&request).into_owned();
        let (status, kind) = listened(&listener, &request);
        assert_eq!(format!("{status} {kind}"), verdict, "{text}");
        let done = explained(&listener, &request);
        assert_eq!((done.code, line(&done, "refused: ")), (Some(1), Some(verdict)), "{text}: {done:#?}");
        assert!(line(&done, "likely cause: ").unwrap().contains(cause), "{text}: {done:#?}");
        assert!(line(&done, "to fix: ").is_some_and(|fix| fix.len() > 10), "{text}: {done:#?}");
    }
}

#[test]
fn what_listen_takes_is_accepted() {
    let listener = Listener::start(CONFIG);
    let events: Vec<String> = (1..).map(event).take(9).collect();
    let of = |at: usize, lines: &str| {
        request(POST, &lines.replace("{}", &events[at].len().to_string()), &events[at], &events[at])
    };
    let coded = |at: usize, lines: &str, behind: &str| {
        request(POST, lines, &events[at], &chunks(&events[at]).replace("\r\n0\r\n\r\n", behind))
    };
    let old = format!("content-length: {}\r\n", events[5].len());
    let text = String::from_utf8(of(6, "content-length: {}\r\n")).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let short = format!("{}\n\n{body}", head.replace("\r\n", "\n"));
    for request in [
        of(0, "content-length: {}\r\n"),
        of(1, "content-length: {}\r\nContent-Length: {}\r\n"),
        of(2, "content-length: \t 0{} \r\n"),
        coded(3, CODED, "\r\n0\r\n\r\n"),
        coded(4, "content-length: 5000\r\nTransfer-Encoding: CHUNKED\r\n", "\r\n0;a\r\nx-trailer: ignored\r\n\r\n"),
        request("POST /aella HTTP/1.0", &old, &events[5], &events[5]),
        short.into(),
        coded(7, &format!("{CODED}content-length: abc\r\n"), "\r\n00\r\n\r\n"),
    ] {
        let text = String::from_utf8_lossy(&request).into_owned();
        assert_eq!(listened(&listener, &request), (200, "accepted".to_owned()), "{text}");
        let done = explained(&listener, &request);
        assert_eq!((done.code, line(&done, "accepted: ")), (Some(0), Some("1 event")), "{text}: {done:#?}");
        assert!(!done.said().contains("FAILED"), "{text}: {done:#?}");
    }
}

/// What a recorder leaves out or adds is no fault of the sender.
#[test]
fn what_a_recorder_adds_or_leaves_out_is_a_note() {
    let listener = Listener::start(CONFIG);
    let event = event(0);
    let length = format!("content-length: {}\r\n", event.len());
    for (request, note) in [
        (
            request(POST, &length, &event, &format!("{event}\n")),
            "the line end behind them, as editors add one, is left out",
        ),
        (
            request(POST, "", &event, &event),
            "neither Content-Length nor chunks: a server would see no body; taken as it is",
        ),
    ] {
        let done = explained(&listener, &request);
        assert_eq!(done.code, Some(0), "{done:#?}");
        let told = line(&done, "recording").unwrap_or_else(|| panic!("{note}: {done:#?}"));
        assert!(told.starts_with("note") && told.contains(note), "{told}");
    }
    let done = explained(&listener, &request(POST, &length, &event, &event));
    assert_eq!((done.code, line(&done, "recording")), (Some(0), None), "{done:#?}");
}
