//! Several receiver processes in front of one Redis: many copies of every event at once, and a process that dies inside a
//! handler.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;

use super::server::Server;
use crate::program::child::{Listener, Program};

const SECRET: &[u8] = b"ae_sk_test_example";
const EVENTS: usize = 1000;
const COPIES: usize = 100;
/// The event in whose handler the first process dies.
const FATAL: usize = 500;

pub(super) fn config(redis: &Server, ledger: Option<&str>) -> String {
    let forward = ledger.map(|address| format!("forward_to = \"http://{address}/\"\nforward_timeout = \"60s\"\n"));
    format!(
        "listen = \"127.0.0.1:0\"\n[dedupe]\nkind = \"redis\"\nurl = \"{}\"\nlease = \"2s\"\n\
         [[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\nkeys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\n{}",
        redis.url(),
        forward.unwrap_or_default()
    )
}

pub(super) fn delivery(number: usize) -> Vec<u8> {
    let body =
        format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"e{number}"}}}}"#);
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let length = body.len();
    format!(
        "POST /aella HTTP/1.1\r\nhost: x\r\nx-aella-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// Talks on every connection, each in a thread of its own, until the test ends. Tells where.
pub(super) fn serve(talk: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, talk) = (stream.unwrap(), talk.clone());
            thread::spawn(move || talk(stream));
        }
    });
    address
}

/// A head, and the body that its length announces. `None`: the connection ended.
pub(super) fn message(from: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body)?;
    Ok(Some(head.to_ascii_lowercase()))
}

/// What the effects of all events are written into: one row for a key, by the largest fence.
#[derive(Default)]
struct Ledger {
    fences: Mutex<HashMap<String, Vec<u64>>>,
    holds: AtomicBool,
}

impl Ledger {
    /// Writes an effect, unless one with this fence or a larger is there.
    fn write(&self, key: &str, fence: u64) -> bool {
        let mut fences = self.fences.lock().unwrap();
        let row = fences.entry(key.to_owned()).or_default();
        let is_new = row.last().is_none_or(|last| *last < fence);
        if is_new {
            row.push(fence);
        }
        is_new
    }

    /// The fatal event's first request is never answered.
    fn talk(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Ok(Some(head)) = message(&mut reader) {
            let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            let (key, fence) = (value("tower-webhook-key: "), value("tower-webhook-fence: ").parse().unwrap());
            let is_fatal = key.ends_with(&format!("|e{FATAL}")) && fence == 1;
            let is_written = self.write(&key, fence);
            if is_fatal {
                self.holds.store(true, Ordering::SeqCst);
                continue;
            }
            let status = if is_written { "200 OK" } else { "409 Conflict" };
            if stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// A sender that keeps its connection, and takes the other process when one is gone.
pub(super) struct Sender {
    addresses: Vec<String>,
    at: usize,
    line: Option<BufReader<TcpStream>>,
}

impl Sender {
    pub(super) fn to(address: &str) -> Self {
        Self { addresses: vec![address.to_owned()], at: 0, line: None }
    }

    /// Comes again until the delivery is answered 200. Says whether it was a repeat.
    fn settle(&mut self, delivery: &[u8]) -> bool {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < Duration::from_secs(60), "not settled");
            match self.try_once(delivery) {
                Ok(Some(head)) if head.starts_with("http/1.1 200") => {
                    return head.contains("idempotent-replayed: true");
                }
                Ok(Some(head)) if head.starts_with("http/1.1 503") => thread::sleep(Duration::from_millis(50)),
                Ok(Some(head)) => panic!("answered {head}"),
                Ok(None) | Err(_) => {
                    self.line = None;
                    self.at += 1;
                }
            }
        }
    }

    pub(super) fn try_once(&mut self, delivery: &[u8]) -> io::Result<Option<String>> {
        if self.line.is_none() {
            self.line = Some(BufReader::new(TcpStream::connect(&self.addresses[self.at % self.addresses.len()])?));
        }
        let line = self.line.as_mut().unwrap();
        line.get_mut().write_all(delivery)?;
        message(line)
    }
}

#[test]
fn a_hundred_copies_of_a_thousand_events_at_two_processes_are_one_effect_each() {
    let redis = Server::start(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let ledger = Arc::new(Ledger::default());
    let serving = Arc::clone(&ledger);
    let address = serve(move |stream| serving.talk(stream));
    let config = config(&redis, Some(&address));
    let (first, second) = (Listener::start(&config), Listener::start(&config));
    let addresses = [first.address().to_owned(), second.address().to_owned()];

    // The fatal event goes to the first process alone until that holds it, so that it is the one to die.
    let barrier = Arc::new(Barrier::new(COPIES + 1));
    let senders: Vec<_> = (0..COPIES)
        .map(|number| {
            let (barrier, ledger) = (Arc::clone(&barrier), Arc::clone(&ledger));
            let mut sender = Sender { addresses: addresses.to_vec(), at: number, line: None };
            thread::spawn(move || {
                let mut repeats = 0;
                for event in 0..EVENTS {
                    barrier.wait();
                    while event == FATAL && sender.at % 2 == 1 && !ledger.holds.load(Ordering::SeqCst) {
                        thread::yield_now();
                    }
                    repeats += usize::from(sender.settle(&delivery(event)));
                }
                repeats
            })
        })
        .collect();
    let mut first = Some(first);
    for event in 0..EVENTS {
        barrier.wait();
        if event == FATAL {
            while !ledger.holds.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            first.take().unwrap().running().signal("KILL");
        }
    }
    let repeats: usize = senders.into_iter().map(|sender| sender.join().unwrap()).sum();

    let fences = ledger.fences.lock().unwrap().clone();
    assert_eq!(fences.len(), EVENTS, "nothing is lost");
    for (key, fences) in &fences {
        let expected: &[u64] = if key.ends_with(&format!("|e{FATAL}")) { &[1, 2] } else { &[1] };
        assert_eq!(fences, expected, "{key}");
    }
    assert_eq!(repeats, EVENTS * (COPIES - 1), "every other copy was told that it is a repeat");
    assert!(
        !ledger.write(&format!("transfer.completed|e{FATAL}"), 1),
        "the write of the dead is refused when it comes late"
    );
    drop(second);
}

#[test]
fn what_one_process_has_handled_another_and_a_later_one_know() {
    let redis = Server::start(&["--appendonly", "yes"]);
    let (here, there) = (Listener::start(&config(&redis, None)), Listener::start(&config(&redis, None)));
    let send = |listener: &Listener| Sender::to(listener.address()).settle(&delivery(1));
    assert!(!send(&here));
    assert!(send(&there));
    assert_eq!((&here.json()["verdict"], &there.json()["verdict"]), (&"accepted".into(), &"duplicate".into()));
    let done = here.stop();
    assert!(done.stderr.contains("a claim and its completion took"), "{}", done.stderr);
    assert_eq!(done.stderr.contains("warning"), !redis.finishes_when_full(), "{}", done.stderr);
    assert!(send(&Listener::start(&config(&redis, None))));

    // Another namespace of keys knows nothing of it: the store's prefix is part of the question.
    let apart = config(&redis, None).replace("lease =", "prefix = \"other:\"\nlease =");
    assert!(!send(&Listener::start(&apart)));
}

#[test]
fn strict_refuses_a_server_that_forgets_and_a_route_may_run_unprotected_by_name() {
    let mut redis = Server::start(&[]);
    let strict = config(&redis, None).replace("lease =", "strict = true\nlease =");
    let folder = crate::program::child::Folder::new();
    let path = folder.write("receiver.toml", strict);
    let done = Program::new(["listen".into(), "--config".into(), path.into_os_string()]).run();
    assert_eq!((done.code, done.stdout.len()), (Some(1), 0), "{done:?}");
    assert!(done.stderr.contains("append-only"), "{done:?}");

    let protected = Listener::start(&config(&redis, None));
    let unprotected = Listener::start(&(config(&redis, None) + "dangerous_run_unprotected = true\n"));
    redis.kill();
    let once = |listener: &Listener| Sender::to(listener.address()).try_once(&delivery(1)).unwrap().unwrap();
    let refused = once(&protected);
    assert!(refused.starts_with("http/1.1 503") && refused.contains("retry-after: "), "{refused}");
    assert_eq!(protected.json()["kind"], "store_unavailable");
    for _ in 0..2 {
        assert!(once(&unprotected).starts_with("http/1.1 200"));
        assert_eq!(unprotected.json()["verdict"], "accepted");
    }
    assert!(unprotected.stop().stderr.contains("2 events ran without protection against repeats"));
}

#[test]
fn without_a_common_store_two_processes_both_handle_it() {
    let alone = "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
        keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
    for listener in [Listener::start(alone), Listener::start(alone)] {
        assert!(
            !Sender::to(listener.address()).settle(&delivery(1)),
            "so the tests above see what only a common store brings"
        );
    }
}
