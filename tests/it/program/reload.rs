//! SIGHUP: another file takes the place of the one before in one step, or nothing changes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::child::{Folder, Listener};
use super::kept;
use super::upstream::{Upstream, aella};
use super::wire::{Raw, hex, hmac512};

const A: &str = "ae_sk_test_of_october";
const B: &str = "ae_sk_test_of_november";
const PATIENCE: Duration = Duration::from_secs(60);
const OK: &str = "200 OK\r\ncontent-length: 0";

fn signed(key: &str, id: &str) -> Raw {
    let body = format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}"}}}}"#);
    Raw::new("/aella", &[("x-aella-signature", hex(&hmac512(key.as_bytes(), &[body.as_bytes()])))], body)
}

fn file(keys: &[&str]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("{{ id = \"{key}\", value = \"{key}\" }}")).collect();
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\nkeys = [{}]\n",
        keys.join(", ")
    )
}

#[test]
fn a_rotation_under_load_loses_no_delivery_and_forgets_no_duplicate() {
    const SENDERS: usize = 4;
    let listener = Listener::start(&file(&[A]));
    let is_over = AtomicBool::new(false);
    let sent: Vec<usize> = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (listener, is_over) = (listener.address(), &is_over);
                scope.spawn(move || {
                    let mut sent = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        assert_eq!(
                            signed(A, &format!("{sender}-{sent}")).send(listener).status,
                            200,
                            "{sender}-{sent}"
                        );
                        sent += 1;
                    }
                    sent
                })
            })
            .collect();
        for round in 0..20 {
            let file = if round % 2 == 0 { file(&[B, A]) } else { file(&[A]) };
            assert!(listener.reload(&file), "{round}");
        }
        is_over.store(true, Ordering::Relaxed);
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(sent.iter().all(|sent| *sent > 0), "{sent:?}");
    for (sender, sent) in sent.iter().enumerate() {
        for at in 0..*sent {
            let again = signed(A, &format!("{sender}-{at}")).send(listener.address());
            assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{sender}-{at}");
        }
    }
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_key_counts_from_its_file_on_and_no_longer_when_it_is_gone_from_it() {
    let listener = Listener::start(&file(&[A]));
    let status = |key, id| signed(key, id).send(listener.address()).status;
    assert_eq!((status(A, "1"), status(B, "2")), (200, 401));
    assert!(listener.reload(&file(&[B, A])));
    assert_eq!((status(A, "3"), status(B, "4")), (200, 200));
    assert!(listener.reload(&file(&[B])));
    assert_eq!((status(A, "5"), status(B, "6")), (401, 200));
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_connection_that_was_open_before_is_answered_by_what_came_after() {
    let listener = Listener::start(&file(&[A]));
    let mut stream = TcpStream::connect(listener.address()).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut exchange = |key, id| {
        let request = String::from_utf8(signed(key, id).bytes()).unwrap().replace("connection: close\r\n", "");
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(answers.read_line(&mut head).unwrap() > 0, "the connection was closed: {head}");
        }
        head.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!((exchange(B, "1"), exchange(A, "2")), ("401".to_owned(), "200".to_owned()));
    assert!(listener.reload(&file(&[B])));
    assert_eq!((exchange(B, "3"), exchange(A, "4")), ("200".to_owned(), "401".to_owned()));
}

#[test]
fn a_file_with_faults_leaves_the_old_in_force_and_each_fault_is_said() {
    let listener = Listener::start(&file(&[A]));
    let odd = format!("colour = 1\ndrain = 5\n{}", file(&["short"]));
    assert!(!listener.reload(&odd));
    let said: Vec<_> = (0..3).map(|_| listener.running().stderr_line()).collect();
    for fault in
        ["colour: is not known here", "drain: integer is not taken here", "endpoint[0].keys[0].value: the secret"]
    {
        let fault = format!("receiver.toml: {fault}");
        assert_eq!(said.iter().filter(|line| line.contains(&fault)).count(), 1, "{fault}: {said:?}");
    }
    assert!(!listener.reload("listen = "), "no TOML at all");
    assert_eq!(signed(A, "1").send(listener.address()).status, 200);
    assert!(listener.reload(&file(&[B])), "and a good one is taken after that");
    assert_eq!(signed(B, "2").send(listener.address()).status, 200);
}

#[test]
fn what_cannot_change_while_it_runs_is_a_fault_and_nothing_else_of_the_file_counts() {
    let folder = Folder::new();
    let before = kept::config(&folder, "forward_to = \"http://127.0.0.1:1\"", "").replace("ae_sk_test_example", A);
    let inbox = format!("path = \"{}\"", folder.path().join("inbox.db").display());
    let other = inbox.replace("inbox.db", "other.db");
    for (old, from, to, key) in [
        (file(&[A]), "127.0.0.1:0", "127.0.0.1:4", "listen"),
        (file(&[A]), "[[endpoint]]", "admin = \"127.0.0.1:4\"\n[[endpoint]]", "admin"),
        (file(&[A]), "[[endpoint]]", "tenant = \"other\"\n[[endpoint]]", "tenant"),
        (
            file(&[A]),
            "[[endpoint]]",
            "[dedupe]\nkind = \"redis\"\nurl = \"redis://127.0.0.1:1\"\n[[endpoint]]",
            "dedupe.kind",
        ),
        (file(&[A]), "[[endpoint]]", "[dedupe]\ncapacity = 5\n[[endpoint]]", "dedupe.capacity"),
        (before.clone(), inbox.as_str(), other.as_str(), "inbox.path"),
        (before.clone(), inbox.as_str(), &format!("{inbox}\nlease = \"9s\""), "inbox.lease"),
        (
            before.clone(),
            "[inbox]\nkind = \"sqlite\"",
            "[inbox]\nkind = \"postgres\"\nurl = \"postgres://u@127.0.0.1:1/d\"",
            "inbox.kind",
        ),
    ] {
        let listener = Listener::start(&old);
        let next = old.replacen(from, to, 1).replace(A, B);
        assert_ne!(next.replace(B, A), old, "{key}");
        assert!(!listener.reload(&next), "{key}");
        let said = listener.running().stderr_line();
        assert!(said.contains(&format!("receiver.toml: {key}: cannot be changed while the program runs")), "{said}");
        assert_eq!(listener.running().stderr_so_far(), "", "{key}: one line for one fault");
        assert_eq!(signed(A, "1").send(listener.address()).status, 200, "{key}");
        assert_eq!(signed(B, "2").send(listener.address()).status, 401, "{key}");
        assert!(listener.reload(&old), "{key}: the same again is no change");
    }
}

#[test]
fn stored_events_go_where_the_last_file_says() {
    let (folder, one, other) = (Folder::new(), Upstream::start(), Upstream::start());
    let to = |upstream: &Upstream| kept::config(&folder, &format!("forward_to = \"http://{}/\"", upstream.address), "");
    let listener = Listener::start(&to(&one));
    assert_eq!(aella("1").send(listener.address()).status, 200);
    assert!(one.seen.recv_timeout(PATIENCE).unwrap().contains("\"id\":\"1\""));
    // In hand, and it ends with what it began with.
    assert!(listener.reload(&to(&other)));
    one.answers.send(OK).unwrap();
    assert_eq!(aella("2").send(listener.address()).status, 200);
    assert!(other.seen.recv_timeout(PATIENCE).unwrap().contains("\"id\":\"2\""));
    other.answers.send(OK).unwrap();
    let again = aella("1").send(listener.address());
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "the inbox is the same");
    assert_eq!(listener.stop().code, Some(0));
    assert_eq!(one.seen.try_iter().count(), 0);
}
