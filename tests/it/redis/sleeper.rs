//! Handlers that take longer than their lease, in two receiver processes in front of one Redis: cases 5 and 6.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::fleet::{Sender, config, delivery, message, serve};
use super::server::{PATIENCE, Server};
use crate::program::child::Listener;

/// As `config` says.
const LEASE: Duration = Duration::from_secs(2);

/// The handler of both processes. What comes with fence 1 waits until it is told to go on, and then writes.
#[derive(Default)]
struct Slow {
    state: Mutex<State>,
    change: Condvar,
    /// Whether it takes a write that is late.
    blind: bool,
}

#[derive(Default)]
struct State {
    arrived: Vec<u64>,
    written: Vec<u64>,
    refused: Vec<u64>,
    goes_on: bool,
}

impl Slow {
    fn talk(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Ok(Some(head)) = message(&mut reader) {
            let fence = head.lines().find_map(|line| line.strip_prefix("tower-webhook-fence: ")).unwrap();
            let status = if self.write(fence.parse().unwrap()) { "200 OK" } else { "409 Conflict" };
            if stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).is_err() {
                return;
            }
        }
    }

    /// Writes the effect, unless one with a larger fence is there.
    fn write(&self, fence: u64) -> bool {
        let mut state = self.state.lock().unwrap();
        state.arrived.push(fence);
        self.change.notify_all();
        let mut state = self.change.wait_while(state, |state| fence == 1 && !state.goes_on).unwrap();
        let is_late = state.written.iter().any(|written| *written > fence) && !self.blind;
        if is_late {
            state.refused.push(fence)
        } else {
            state.written.push(fence)
        }
        self.change.notify_all();
        !is_late
    }

    fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let late = self.change.wait_timeout_while(state, PATIENCE, |state| !is_so(state)).unwrap().1;
        assert!(!late.timed_out(), "never so: {what}");
    }

    fn go_on(&self) {
        self.state.lock().unwrap().goes_on = true;
        self.change.notify_all();
    }
}

/// Two processes, and one delivery that the first of them has in hand.
struct Scene {
    slow: Arc<Slow>,
    _redis: Server,
    first: Listener,
    second: Sender,
    _second: Listener,
    /// What the first process answers at last.
    answer: thread::JoinHandle<String>,
}

impl Scene {
    fn set(slow: Slow) -> Self {
        let slow = Arc::new(slow);
        let redis = Server::start(&["--appendonly", "yes"]);
        let serving = Arc::clone(&slow);
        let config = config(&redis, Some(&serve(move |stream| serving.talk(stream))));
        let (first, second) = (Listener::start(&config), Listener::start(&config));
        let to = |listener: &Listener| Sender::to(listener.address());
        let mut sender = to(&first);
        let answer = thread::spawn(move || sender.try_once(&delivery(1)).unwrap().unwrap());
        slow.until("the first process handles it", |state| state.arrived == [1]);
        Self { slow, _redis: redis, second: to(&second), first, _second: second, answer }
    }

    /// Another copy, at the second process.
    fn copy(&mut self) -> String {
        self.second.try_once(&delivery(1)).unwrap().unwrap()
    }
}

#[test]
fn a_handler_that_is_longer_than_its_lease_runs_once() {
    let mut scene = Scene::set(Slow::default());
    let start = Instant::now();
    let mut copies = 0;
    while start.elapsed() < LEASE * 2 {
        let answer = scene.copy();
        assert!(answer.starts_with("http/1.1 503") && answer.contains("retry-after: "), "copy {copies}: {answer}");
        copies += 1;
    }
    scene.slow.go_on();
    assert!(scene.answer.join().unwrap().starts_with("http/1.1 200"));
    let repeat = scene.second.try_once(&delivery(1)).unwrap().unwrap();
    assert!(repeat.starts_with("http/1.1 200") && repeat.contains("idempotent-replayed: true"), "{repeat}");
    assert_eq!((&scene.slow.state.lock().unwrap().arrived[..], copies > 2), (&[1][..], true));
}

/// The process that has it is stopped, so that it renews nothing, until another has done its work. What it is answered
/// by the handler, and what it answers then.
fn oversleep(slow: Slow) -> (Arc<Slow>, String) {
    let mut scene = Scene::set(slow);
    scene.first.running().signal("STOP");
    let stopped = Instant::now();
    let mut last = scene.copy();
    while !last.starts_with("http/1.1 200") {
        assert!(last.starts_with("http/1.1 503"), "{last}");
        assert!(stopped.elapsed() < PATIENCE, "the second process never gets it");
        last = scene.copy();
    }
    assert!(!last.contains("idempotent-replayed"), "the second process did it: {last}");
    assert!(stopped.elapsed() > LEASE / 2, "the lease ran for the rest of its time");
    assert_eq!(scene.slow.state.lock().unwrap().written, [2], "with a larger fence");

    scene.first.running().signal("CONT");
    scene.slow.go_on();
    let answer = scene.answer.join().unwrap();
    let again = scene.second.try_once(&delivery(1)).unwrap().unwrap();
    assert!(again.starts_with("http/1.1 200") && again.contains("idempotent-replayed: true"), "{again}");
    (scene.slow, answer)
}

#[test]
fn one_that_oversleeps_its_lease_writes_nothing_and_is_answered_by_its_handler() {
    let (slow, answer) = oversleep(Slow::default());
    let state = slow.state.lock().unwrap();
    assert_eq!((&state.arrived[..], &state.written[..], &state.refused[..]), (&[1, 2][..], &[2][..], &[1][..]));
    assert!(answer.starts_with("http/1.1 409"), "{answer}");
}

#[test]
fn control_a_ledger_that_looks_at_no_fence_takes_the_late_write() {
    let (slow, answer) = oversleep(Slow { blind: true, ..Slow::default() });
    assert_eq!(slow.state.lock().unwrap().written, [2, 1]);
    assert!(
        answer.starts_with("http/1.1 200") && answer.contains("idempotent-replayed: true"),
        "its completion was refused, so it tells what the other did: {answer}"
    );
}
