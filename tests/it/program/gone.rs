//! `listen` whose stdout nobody will ever read again.

use std::time::{Duration, Instant};

use serde_json::json;

use super::admin::ready;
use super::child::{Folder, Listener, Program};
use super::kept;
use super::upstream::{Upstream, aella, forwarding};

const OK: &str = "200 OK\r\ncontent-length: 0";

#[test]
fn stored_events_that_nobody_will_read_use_up_no_attempt_and_wait_for_another_start() {
    let folder = Folder::new();
    let inbox = "retry = { base = \"1ms\", cap = \"1ms\", attempts = 2 }";
    let config = kept::config(&folder, "", inbox);
    let mut listener = Listener::start(&format!("admin = \"127.0.0.1:0\"\ndrain = \"4s\"\n{config}"));
    listener.close_stdout();
    let (start, mut sent) = (Instant::now(), 0);
    // The first lines may still be read, so that their event is done.
    while ready(listener.admin()).0 == 200 {
        assert_eq!(aella(&format!("t{sent}")).send(listener.address()).status, 200, "{sent}");
        sent += 1;
        while ready(listener.admin()).0 == 200 && kept::ask(&listener, &["stats"])["done"] != sent {
            assert!(start.elapsed() < Duration::from_secs(30), "it goes on: {}", kept::ask(&listener, &["list"]));
        }
    }
    let (code, stderr) = listener.into_running().ends_within(Duration::from_secs(20));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("stdout is gone"), "{stderr}");

    let file = folder.write("receiver.toml", &config);
    let again = Program::new(["inbox".into(), "list".into(), "--config".into(), file.into_os_string()]).run();
    let rows = again.json();
    let left: Vec<_> = rows.iter().filter(|row| row["state"] != "done").collect();
    assert!(!left.is_empty(), "{again:?}");
    for row in left {
        assert_eq!((&row["state"], &row["attempts"]), (&json!("ready"), &json!(0)), "{row}");
    }
    let next = Listener::start(&config);
    kept::wait_for(&next, "done", sent);
}

#[test]
fn stored_events_that_go_to_a_service_do_without_a_reader() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let forward = format!("forward_to = \"http://{}/\"", upstream.address);
    let mut listener = Listener::start(&kept::config(&folder, &forward, ""));
    listener.close_stdout();
    for at in 0..5 {
        upstream.answers.send(OK).unwrap();
        assert_eq!(aella(&format!("t{at}")).send(listener.address()).status, 200, "{at}");
        upstream.seen.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    kept::wait_for(&listener, "done", 5);
    let done = listener.stop();
    assert_eq!((done.code, done.stderr.matches("stdout is gone").count()), (Some(0), 1), "{done:?}");
}

/// Events go nowhere but on stdout.
fn printing() -> String {
    forwarding("127.0.0.1:1").replace("forward_to", "# ").replace("forward_timeout", "# ")
}

#[test]
fn who_can_only_print_and_has_no_reader_is_not_ready_and_who_hands_over_is() {
    let upstream = Upstream::start();
    let handing = forwarding(&upstream.address);
    let printed = printing().replace("listen = ", "# ").replace("\"/aella\"", "\"/printed\"");
    for (config, expected) in [
        (printing(), (503, "stdout is gone")),
        (handing.clone(), (200, "ready")),
        (format!("{handing}{printed}"), (200, "ready")),
    ] {
        let mut listener = Listener::start(&format!("admin = \"127.0.0.1:0\"\n{config}"));
        assert_eq!(ready(listener.admin()), (200, "ready".to_owned()), "{config}");
        listener.close_stdout();
        let mut sent = 0;
        while !listener.running().stderr_so_far().contains("stdout is gone") {
            assert!(sent < 100, "it is not noticed: {config}");
            upstream.answers.send(OK).unwrap();
            aella(&format!("t{sent}")).send(listener.address());
            sent += 1;
        }
        assert_eq!(ready(listener.admin()), (expected.0, expected.1.to_owned()), "{config}");
    }
}

#[test]
fn a_stdout_that_is_gone_is_said_once() {
    let mut listener = Listener::start(&printing());
    assert_eq!(aella("t0").send(listener.address()).status, 200);
    listener.close_stdout();
    let mut events = 1..;
    let mut next = || aella(&format!("t{}", events.next().unwrap())).send(listener.address()).status;
    // The first lines may still be read.
    let start = Instant::now();
    while next() != 500 {
        assert!(start.elapsed() < Duration::from_secs(30), "it goes on");
    }
    for _ in 0..5 {
        assert_eq!(next(), 500);
    }
    let done = listener.stop();
    assert_eq!((done.code, done.stderr.matches("stdout is gone").count()), (Some(0), 1), "{done:?}");
}
