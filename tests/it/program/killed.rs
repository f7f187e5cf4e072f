//! `listen` with an inbox, stopped and killed: nothing that was answered is lost, and no lease is waited for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::child::{Done, Folder, Listener, Program};
use super::kept::config;
use super::upstream::{Upstream, aella};
use crate::support::free_address;

const OK: &str = "200 OK\r\ncontent-length: 0";

fn forwarding(folder: &Folder, to: &str) -> String {
    config(folder, &format!("forward_to = \"http://{to}/hooks\"\nforward_timeout = \"60s\""), "")
}

/// What the service is told of attempt and fence by the next request.
fn turn(upstream: &Upstream) -> (u64, u64) {
    let seen = upstream.seen.recv_timeout(Duration::from_secs(20)).unwrap().to_ascii_lowercase();
    let number = |name: &str| {
        let line = seen.lines().find_map(|line| line.strip_prefix(&format!("tower-webhook-{name}: ")));
        line.unwrap_or_else(|| panic!("no {name}: {seen}")).parse().unwrap()
    };
    (number("attempt"), number("fence"))
}

#[test]
fn a_stop_lets_what_is_in_hand_finish() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let listener = Listener::start(&forwarding(&folder, &upstream.address));
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    let first = turn(&upstream);
    assert_eq!(first, (1, 1));
    listener.running().signal("TERM");
    thread::sleep(Duration::from_millis(300));
    upstream.answers.send(OK).unwrap();
    let done = listener.into_running().wait();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let verdicts: Vec<Value> = done.json().iter().map(|line| line["verdict"].clone()).collect();
    assert_eq!(verdicts, ["stored", "accepted"]);
    let again = Listener::start(&forwarding(&folder, &upstream.address));
    assert!(upstream.seen.recv_timeout(Duration::from_millis(1500)).is_err(), "what is done is done");
    assert_eq!(again.stop().code, Some(0));
}

#[test]
fn a_stop_gives_back_what_hangs_within_ten_seconds_and_counts_no_attempt() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let listener = Listener::start(&forwarding(&folder, &upstream.address));
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    let first = turn(&upstream);
    let start = Instant::now();
    let done = listener.stop();
    assert_eq!((done.code, done.stderr.lines().count()), (Some(0), 1), "{done:?}");
    assert!(done.stderr.contains("warning: inbox: 1 events were in hand at the end of the drain"), "{done:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(start.elapsed() > Duration::from_secs(5), "it was not waited for: {:?}", start.elapsed());
    // The answer of the one that hung, to a connection that is gone, and that of the next.
    upstream.answers.send(OK).unwrap();
    upstream.answers.send(OK).unwrap();
    let again = Listener::start(&forwarding(&folder, &upstream.address));
    let second = turn(&upstream);
    assert!(second.0 == 1 && second.1 > first.1, "{second:?} after {first:?}");
    assert_eq!(again.json()["verdict"], "accepted");
}

#[test]
fn after_each_kill_it_is_handed_over_once_more_and_at_once() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let start = || Listener::start(&forwarding(&folder, &upstream.address));
    let mut listener = start();
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    let mut last = turn(&upstream);
    assert_eq!(last.0, 1);
    for attempt in 2..=4 {
        // Dropped it is killed, and what its service answers then goes nowhere.
        drop(listener);
        upstream.answers.send(OK).unwrap();
        listener = start();
        let began = Instant::now();
        let next = turn(&upstream);
        assert!(began.elapsed() < Duration::from_secs(10), "a lease of 30 s was waited for: {:?}", began.elapsed());
        assert!(next.0 == attempt && next.1 > last.1, "{next:?} after {last:?}");
        last = next;
    }
    upstream.answers.send(OK).unwrap();
    let accepted = listener.json();
    assert_eq!((&accepted["attempt"], &accepted["fence"]), (&json!(last.0), &json!(last.1)), "{accepted}");
    assert_eq!(accepted["attempt_replayed"], true, "{accepted}");
    let repeat = aella("t1").send(listener.address());
    assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(listener.stop().code, Some(0));
}

const EVENTS: &str = "2000";
const KILLS: usize = 3;

/// A storm on a listener that is killed so often meanwhile, and each time starts with what this makes of its configuration.
fn storm(config_of: impl Fn(usize, SocketAddr) -> String + Send + 'static) -> Done {
    let (upstream, at) = (free_address(), free_address());
    let played = Folder::new();
    let file = played.write("receiver.toml", config_of(0, upstream));
    let killer = thread::spawn(move || {
        let start = |life| Listener::start(&config_of(life, upstream).replace("127.0.0.1:0", &at.to_string()));
        for life in 0..KILLS {
            let listener = start(life);
            thread::sleep(Duration::from_millis(900));
            drop(listener);
        }
        start(KILLS)
    });
    let (to, upstream) = (format!("http://{at}"), upstream.to_string());
    let own = ["storm", "--config", file.to_str().unwrap(), "--to", &to, "--upstream", &upstream, "--seed", "7"];
    let more = ["--events", EVENTS, "--duplicates", "0.3", "--bad", "0.05", "--handler-failures", "0", "--heal", "20s"];
    let done = Program::new(own.into_iter().chain(more)).run();
    drop(killer.join());
    done
}

#[test]
fn a_storm_with_kills_loses_nothing_and_calls_again_no_more_than_was_in_hand() {
    let folder = Folder::new();
    let done = storm(move |_, upstream| forwarding(&folder, &upstream.to_string()));
    assert_eq!(done.code, Some(0), "{done:?}");
    let report = &done.json()[0];
    assert_eq!((&report["events"], &report["lost"], &report["handled_twice"]), (&json!(2000), &json!(0), &json!(0)));
    assert!(report["called_again"].as_u64().unwrap() <= KILLS as u64 * 32, "{report}");
}

#[test]
fn a_receiver_that_begins_each_life_with_another_file_loses_what_it_answered() {
    let folders: Vec<Folder> = (0..=KILLS).map(|_| Folder::new()).collect();
    let done = storm(move |life, upstream| forwarding(&folders[life], &upstream.to_string()));
    let report = &done.json()[0];
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(report["lost"].as_u64().unwrap() + report["handled_twice"].as_u64().unwrap() > 0, "{report}");
}

/// Whether it was answered 200. Its receiver may be gone by then, since a worker's write can be the first that fails.
fn is_taken(id: &str, address: &str) -> bool {
    let mut answer = String::new();
    let exchange = TcpStream::connect(address).and_then(|mut stream| {
        stream.write_all(&aella(id).bytes())?;
        stream.read_to_string(&mut answer)
    });
    exchange.is_ok() && answer.starts_with("HTTP/1.1 200 ")
}

#[test]
fn a_disk_that_takes_no_write_ends_it_and_the_next_start_knows_all_that_was_answered() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config(&folder, "", ""));
    let limited = format!(
        "trap '' XFSZ; ulimit -f 1000; exec '{}' listen --config '{}'",
        env!("CARGO_BIN_EXE_tower-webhook"),
        file.display()
    );
    let running = Program::other("sh", ["-c", &limited]).start();
    let address = running.json()["listening"].as_str().unwrap().to_owned();
    let answered = |at: &usize| is_taken(&format!("t{at}"), &address);
    let count = (0..1000).take_while(answered).count();
    assert!((1..1000).contains(&count), "{count}");
    let (code, said) = running.ends_within(Duration::from_secs(20));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("until it is opened anew: start again"), "{said}");

    let again = Listener::start(&config(&folder, "", ""));
    for at in 0..count {
        let repeat = aella(&format!("t{at}")).send(again.address());
        assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, Some("true")), "{at} of {count}");
    }
    let new = aella("new").send(again.address());
    assert_eq!((new.status, new.header("idempotent-replayed")), (200, None));
}
