//! `/ready` of a `listen` whose store is Redis: as the server is, and asked of it no more often than it changes.

use std::thread;
use std::time::{Duration, Instant};

use super::server::Server;
use crate::program::admin::ready;
use crate::program::child::Listener;

const PATIENCE: Duration = Duration::from_secs(30);

fn listener(server: &Server) -> Listener {
    Listener::start(&format!(
        "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[dedupe]\nkind = \"redis\"\nurl = \"{}\"\n\
         [[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\nkeys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\n",
        server.url()
    ))
}

fn until(listener: &Listener, status: u16) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let (now, said) = ready(listener.admin());
        if now == status {
            return said;
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
    assert!(until(&listener, 503).starts_with("dedupe: "));
    server.restart();
    until(&listener, 200);
    server.freeze();
    let start = Instant::now();
    until(&listener, 503);
    assert!(start.elapsed() < Duration::from_secs(6), "a question has an end: {:?}", start.elapsed());
    server.thaw();
    until(&listener, 200);
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
