//! Connections to the upstream that are used again: what becomes of an event when one of them was closed meanwhile.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use super::child::{Folder, Listener};
use super::kept;
use super::upstream::{aella, forwarding, request_text};
use crate::support::free_address;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// The connection is closed without a word.
const CLOSED: &str = "";
/// Nothing comes, for longer than is waited for.
const SILENT: &str = "silent";

/// An upstream that keeps its connections open: what it writes to each request of its first connection, of its second …
struct Keeping {
    address: String,
    /// Each request, with the number of its connection.
    seen: Receiver<(usize, String)>,
}

impl Keeping {
    fn start(connections: &[&[&'static str]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections: Vec<Vec<&'static str>> = connections.iter().map(|answers| answers.to_vec()).collect();
        let (saw, seen) = mpsc::channel();
        thread::spawn(move || {
            let mut silent = Vec::new();
            for (number, (answers, stream)) in connections.into_iter().zip(listener.incoming()).enumerate() {
                let mut stream = stream.unwrap();
                for answer in answers {
                    saw.send((number + 1, request_text(&stream).to_ascii_lowercase())).unwrap();
                    match answer {
                        SILENT => silent.push(stream.try_clone().unwrap()),
                        _ => stream.write_all(answer.as_bytes()).unwrap(),
                    }
                }
            }
        });
        Self { address, seen }
    }

    /// The connections that requests came on by now, and the keys and fences that these were told.
    fn seen(&self) -> (Vec<usize>, Vec<String>) {
        let ours = |text: &str| {
            let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            format!("{} {}", line("tower-webhook-key"), line("tower-webhook-fence"))
        };
        self.seen.try_iter().map(|(number, text)| (number, ours(&text))).unzip()
    }
}

#[test]
fn a_connection_that_was_closed_meanwhile_costs_no_delivery_and_nothing_else_is_tried_again() {
    for (what, connections, statuses, expected) in [
        ("it was used before", &[&[OK, CLOSED][..], &[OK]][..], &[200, 200][..], &[1, 1, 2][..]),
        ("it stays open", &[&[OK, OK]], &[200, 200], &[1, 1]),
        ("it is a new one", &[&[CLOSED], &[OK]], &[503], &[1]),
        ("so is the second", &[&[OK, CLOSED], &[CLOSED], &[OK]], &[200, 503], &[1, 1, 2]),
        ("it began to answer", &[&[OK, "HTTP/1.1 20"], &[OK]], &[200, 503], &[1, 1]),
        ("it was waited for", &[&[OK, SILENT], &[OK]], &[200, 503], &[1, 1]),
    ] {
        let upstream = Keeping::start(connections);
        let listener = Listener::start(&forwarding(&upstream.address));
        for (at, status) in statuses.iter().enumerate() {
            assert_eq!(aella(&format!("t{at}")).send(listener.address()).status, *status, "{what}: delivery {at}");
        }
        let (numbers, told) = upstream.seen();
        assert_eq!(numbers, expected, "{what}: {told:?}");
        if let [_, first, again] = told.as_slice() {
            assert_eq!(first, again, "{what}: it is the same event of the same claim");
        }
    }
}

/// The reason of a refusal, and of a stored event's next attempt.
fn reasons(to: &str) -> [String; 2] {
    let direct = Listener::start(&forwarding(to));
    assert_eq!(aella("t1").send(direct.address()).status, 503);
    let folder = Folder::new();
    let stored = Listener::start(&kept::config(&folder, &format!("forward_to = \"http://{to}/\""), ""));
    assert_eq!(aella("t1").send(stored.address()).status, 200);
    assert_eq!(stored.json()["verdict"], "stored");
    [&direct.json()["detail"], &stored.json()["reason"]].map(|reason| reason.as_str().unwrap().to_owned())
}

#[test]
fn a_reason_says_what_caused_it_and_whether_the_service_may_have_had_the_event() {
    let nobody = free_address().to_string();
    let closing = Keeping::start(&[&[CLOSED], &[CLOSED]]);
    let babbling = Keeping::start(&[&["nonsense\r\n\r\n"], &["nonsense\r\n\r\n"]]);
    for (to, begins, cause) in [
        (&nobody, "the upstream cannot be reached: ", "onnection refused"),
        (&closing.address, "the upstream was reached, and did not answer: ", "connection closed before"),
        (&babbling.address, "the upstream was reached, and did not answer: ", "invalid HTTP version"),
    ] {
        for reason in reasons(to) {
            assert!(reason.starts_with(begins) && reason.contains(cause), "{begins}{cause}: {reason}");
            assert!(!reason.contains("client error"), "{reason}");
        }
    }
    assert!(closing.seen.recv_timeout(Duration::from_secs(10)).is_ok());
}
