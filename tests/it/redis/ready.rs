//! `/ready` of a `listen` whose store is Redis: as the server is, and asked of it no more often than it changes.

use std::thread;
use std::time::{Duration, Instant};

use super::server::Server;
use crate::program::admin::ready;
use crate::program::child::Listener;
use crate::program::upstream::aella;

const PATIENCE: Duration = Duration::from_secs(30);

fn config(server: &Server) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[dedupe]\nkind = \"redis\"\nurl = \"{}\"\n\
         [[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\nkeys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\n",
        server.url()
    )
}

fn listener(server: &Server) -> Listener {
    Listener::start(&config(server))
}

fn until(listener: &Listener, status: u16, says: &str) {
    let end = Instant::now() + PATIENCE;
    loop {
        let (now, said) = ready(listener.admin());
        if now == status && said.starts_with(says) {
            return;
        }
        assert!(Instant::now() < end, "still {now} {said}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_is_away_or_silent_makes_it_unready_and_one_that_is_back_ready() {
    let mut server = Server::start(&[]);
    let listener = listener(&server);
    assert_eq!(ready(listener.admin()).0, 200);
    server.kill();
    // On a busy machine it may first be that nobody answers in time.
    until(&listener, 503, "dedupe: ");
    server.restart();
    until(&listener, 200, "ready");
    server.freeze();
    let start = Instant::now();
    until(&listener, 503, "");
    assert!(start.elapsed() < Duration::from_secs(6), "a question has an end: {:?}", start.elapsed());
    server.thaw();
    until(&listener, 200, "ready");
}

#[test]
fn however_often_it_is_asked_the_server_hears_of_it_once_a_second() {
    let server = Server::start(&[]);
    let listener = listener(&server);
    let scripts = || {
        let info = server.command(&["INFO", "commandstats"]);
        let calls = |line: &str| line.strip_prefix("cmdstat_eval")?.split(['=', ',']).nth(1)?.parse::<u64>().ok();
        info.lines().filter_map(calls).sum::<u64>()
    };
    assert_eq!(ready(listener.admin()).0, 200);
    let (before, start) = (scripts(), Instant::now());
    for _ in 0..200 {
        assert_eq!(ready(listener.admin()).0, 200);
    }
    let most = (start.elapsed().as_secs() + 1) * 2;
    let asked = scripts() - before;
    assert!(asked <= most, "{asked} calls, and {most} were expected at most");
}

/// The endpoint's name is told to the server anew, and its keys are the same.
#[test]
fn another_file_serves_from_the_same_server_and_knows_what_was_handled() {
    let server = Server::start(&[]);
    let one = config(&server);
    let listener = Listener::start(&one);
    assert_eq!(aella("1").send(listener.address()).status, 200);
    assert!(listener.reload(&one.replace("path = \"/aella\"", "path = \"/aella\"\nmax_body = \"64KiB\"")));
    let again = aella("1").send(listener.address());
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert!(!listener.reload(&one.replace(&server.url(), "redis://127.0.0.1:1")));
    while !listener.running().stderr_line().contains("dedupe.url: cannot be changed while the program runs") {}
    assert_eq!(aella("2").send(listener.address()).status, 200);
}
