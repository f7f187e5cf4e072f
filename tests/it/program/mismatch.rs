//! `on_mismatch`: a key that was completed with another payload, refused or acknowledged, and told on stdout in both cases.

use serde_json::json;

use super::child::{Folder, Listener, Program};
use super::upstream::{Upstream, forwarding};
use super::wire::{Raw, hex, hmac512};

fn config(more: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\n{more}\n"
    )
}

fn transfer(amount: u32) -> Raw {
    made(amount, "2024-12-06T14:00:00Z")
}

fn made(amount: u32, at: &str) -> Raw {
    let body = format!(
        r#"{{"event":"transfer.completed","timestamp":"{at}","data":{{"id":"7b","createdAt":"{at}","amount":{amount}}}}}"#
    );
    let signature = hex(&hmac512(b"ae_sk_test_example", &[body.as_bytes()]));
    Raw::new("/aella", &[("x-aella-signature", signature)], body)
}

#[test]
fn another_payload_is_answered_as_the_file_says_and_never_handled() {
    for (more, status) in [("", 422), ("on_mismatch = \"refuse\"", 422), ("on_mismatch = \"acknowledge\"", 200)] {
        let listener = Listener::start(&config(more));
        assert_eq!(transfer(1).send(listener.address()).status, 200, "{more}");
        assert_eq!(listener.json()["verdict"], "accepted", "{more}");
        assert_eq!(transfer(2).send(listener.address()).status, status, "{more}");
        let line = listener.json();
        let told = (&line["verdict"], &line["kind"], &line["status"]);
        assert_eq!(told, (&json!("refused"), &json!("payload_mismatch"), &json!(status)), "{more}");
        assert_eq!(transfer(1).send(listener.address()).header("idempotent-replayed"), Some("true"), "{more}");
        assert_eq!(listener.json()["verdict"], "duplicate", "{more}");
    }
}

#[test]
fn what_no_line_of_an_event_says_is_a_warning() {
    const OTHER: &str = "warning: /aella: an event runs whose key was known with another payload";
    const FAILED: &str = "500 Internal Server Error\r\ncontent-length: 0";
    const HANDLED: &str = "200 OK\r\ncontent-length: 0";
    for (first, second, warned) in [(1, 2, 1), (1, 1, 0)] {
        let upstream = Upstream::start();
        let listener = Listener::start(&forwarding(&upstream.address));
        upstream.answers.send(FAILED).unwrap();
        assert_eq!(transfer(first).send(listener.address()).status, 500);
        upstream.answers.send(HANDLED).unwrap();
        assert_eq!(transfer(second).send(listener.address()).status, 200);
        let done = listener.stop();
        assert_eq!(done.stderr.matches(OTHER).count(), warned, "{first} and {second}: {}", done.stderr);
    }
}

#[test]
fn a_member_that_cannot_be_read_is_warned_of_once() {
    for (at, warned) in [("2024-12-06T14:00:00Z", [0, 0]), ("2024-12-06 14:00", [1, 1])] {
        let listener = Listener::start(&config(""));
        assert_eq!([1, 1].map(|amount| made(amount, at).send(listener.address()).status), [200, 200], "{at}");
        let done = listener.stop();
        let count = |name: &str| {
            done.stderr.matches(&format!("warning: /aella: {name} cannot be read as what it should be")).count()
        };
        assert_eq!(["timestamp", "createdAt"].map(count), warned, "{at}: {}", done.stderr);
    }
}

#[test]
fn another_word_for_it_is_a_fault_of_the_file() {
    let folder = Folder::new();
    let path = folder.write("receiver.toml", config("on_mismatch = \"ignore\""));
    let done = Program::new(["listen".into(), "--config".into(), path.into_os_string()]).run();
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("on_mismatch: is not known; write \"refuse\" or \"acknowledge\""), "{}", done.stderr);
}
