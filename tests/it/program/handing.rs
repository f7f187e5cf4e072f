//! How `listen` hands stored events over: to one service beside another, when they rest, and at its end.

use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::child::{Folder, Listener};
use super::kept::{self, wait_for};
use super::upstream::{Upstream, aella, request_text};

const OK: &str = "200 OK\r\ncontent-length: 0";

/// An upstream that takes everything and answers nothing.
fn mute() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (saw, seen) = mpsc::channel();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            saw.send(request_text(&stream)).unwrap();
            held.push(stream);
        }
    });
    (address, seen)
}

#[test]
fn a_service_that_is_slow_leaves_places_to_the_others() {
    let good = Upstream::start();
    let other = format!(
        "[[endpoint]]\npath = \"/other\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\nforward_to = \"http://{}/\"",
        good.address
    );
    for (more, running) in [("", 32), (other.as_str(), 24)] {
        let (folder, (slow, seen)) = (Folder::new(), mute());
        let endpoint = format!("forward_to = \"http://{slow}/\"\nforward_timeout = \"60s\"\n{more}");
        let listener = Listener::start(&format!("drain = \"100ms\"\n{}", kept::config(&folder, &endpoint, "")));
        for at in 0..40 {
            assert_eq!(aella(&format!("t{at}")).send(listener.address()).status, 200, "{at}");
        }
        (0..running).for_each(|_| drop(seen.recv_timeout(Duration::from_secs(30)).unwrap()));
        wait_for(&listener, "running", running);
        if !more.is_empty() {
            good.answers.send(OK).unwrap();
            let mut raw = aella("of the other");
            "/other".clone_into(&mut raw.path);
            assert_eq!(raw.send(listener.address()).status, 200);
            wait_for(&listener, "done", 1);
        }
        assert!(seen.try_recv().is_err(), "no more than {running} at a time");
    }
}

#[test]
fn a_rest_that_a_service_asks_for_is_no_shorter_than_the_first_of_the_file() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let config = kept::config(
        &folder,
        &format!("forward_to = \"http://{}/\"", upstream.address),
        "retry = { base = \"300ms\", cap = \"1h\", attempts = 9 }",
    );
    let listener = Listener::start(&config);
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    assert_eq!(listener.json()["verdict"], "stored");
    for (answer, in_ms) in [
        ("503 X\r\nretry-after: 0\r\ncontent-length: 0", 300),
        ("429 X\r\nretry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 0", 300),
        ("503 X\r\nretry-after: 1\r\ncontent-length: 0", 1000),
    ] {
        upstream.seen.recv_timeout(Duration::from_secs(30)).unwrap();
        upstream.answers.send(answer).unwrap();
        let line = listener.json();
        assert_eq!((&line["verdict"], &line["in_ms"]), (&json!("retry"), &json!(in_ms)), "{line}");
    }
}

#[test]
fn what_is_given_back_at_the_end_of_a_drain_is_counted() {
    for events in [0, 2] {
        let (folder, (slow, seen)) = (Folder::new(), mute());
        let endpoint = format!("forward_to = \"http://{slow}/\"\nforward_timeout = \"60s\"");
        let listener = Listener::start(&format!("drain = \"400ms\"\n{}", kept::config(&folder, &endpoint, "")));
        for at in 0..events {
            assert_eq!(aella(&format!("t{at}")).send(listener.address()).status, 200, "{at}");
            seen.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        let done = listener.stop();
        let said = "warning: inbox: 2 events were in hand at the end of the drain: given back, and handed over again";
        let expected = if events == 0 { String::new() } else { said.to_owned() };
        assert_eq!((done.code, done.stderr.replace("tower-webhook: ", "")), (Some(0), expected), "{done:?}");
    }
}
