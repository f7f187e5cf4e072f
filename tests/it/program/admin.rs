//! The admin address of `listen`, asked in plain HTTP/1.1, and `healthcheck`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::child::{Done, Folder, Listener, Program};
use super::kept;
use super::upstream::{Upstream, aella, forwarding};
use super::wire::{Answer, Raw};
use crate::postgres::server::Server;
use crate::support::free_address;

const OK: &str = "200 OK\r\ncontent-length: 0";
const ADMIN: &str = "admin = \"127.0.0.1:0\"\n";
const PATIENCE: Duration = Duration::from_secs(60);

fn ask(address: &str, line: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{line} HTTP/1.1\r\nhost: admin\r\n\r\n").as_bytes()).unwrap();
    Answer::read(&mut stream)
}

/// Status and body of `/ready`.
pub(crate) fn ready(address: &str) -> (u16, String) {
    let answer = ask(address, "GET /ready");
    (answer.status, answer.body.trim().to_owned())
}

pub(super) fn metrics(address: &str) -> String {
    let answer = ask(address, "GET /metrics");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    answer.body
}

fn until_ready(address: &str, status: u16) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let (now, said) = ready(address);
        if now == status {
            return said;
        }
        assert!(Instant::now() < end, "still {now} {said}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn three_paths_are_known_to_those_who_only_ask() {
    let listener = Listener::start(&format!("{ADMIN}{}", forwarding("127.0.0.1:1")));
    for (line, status) in [
        ("GET /live", 200),
        ("GET /ready", 200),
        ("HEAD /ready", 200),
        ("GET /ready?verbose", 200),
        ("GET /metrics", 200),
        ("POST /ready", 405),
        ("DELETE /live", 405),
        ("OPTIONS /metrics", 405),
        ("GET /", 404),
        ("GET /ready/", 404),
        ("POST /readyz", 404),
        ("GET /aella", 404),
    ] {
        let answer = ask(listener.admin(), line);
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{line}: {answer:?}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("get, head"), "{line}");
        assert_eq!(line.starts_with("HEAD"), answer.body.is_empty(), "{line}: {answer:?}");
    }
    // And nothing of it at the address that strangers reach.
    assert_eq!(Raw::new("/live", &[], "").send(listener.address()).status, 404);
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn without_an_admin_address_the_first_line_is_as_before() {
    let folder = Folder::new();
    let config = folder.write("receiver.toml", forwarding("127.0.0.1:1"));
    let running = Program::new(["listen".into(), "--config".into(), config.into_os_string()]).start();
    let first = running.json();
    let names: Vec<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["listening"]);
}

#[test]
fn a_drain_is_unready_from_its_first_moment_and_lives_to_its_end() {
    let upstream = Upstream::start();
    let patient = forwarding(&upstream.address).replace("\"1s\"", "\"50s\"");
    let listener = Listener::start(&format!("{ADMIN}drain = \"50s\"\n{patient}"));
    let (address, admin) = (listener.address().to_owned(), listener.admin().to_owned());
    let sender = thread::spawn(move || aella("1").send(&address));
    upstream.seen.recv().unwrap();
    assert_eq!(ready(&admin), (200, "ready".to_owned()));
    listener.running().signal("TERM");
    // Within a second of the answer before, which is not to be told again.
    assert_eq!(until_ready(&admin, 503), "draining");
    assert_eq!(ask(&admin, "GET /live").status, 200);
    upstream.answers.send(OK).unwrap();
    assert_eq!(sender.join().unwrap().status, 200);
    assert_eq!(listener.into_running().wait().code, Some(0));
}

#[test]
fn a_full_inbox_is_not_ready_and_one_with_room_is() {
    for (rows, expected) in [(1, (503, "inbox: the inbox is full")), (2, (200, "ready"))] {
        let folder = Folder::new();
        let inbox = format!("quota = {{ rows = {rows} }}\nretry = {{ base = \"1h\" }}");
        let config = kept::config(&folder, "forward_to = \"http://127.0.0.1:1\"", &inbox);
        let listener = Listener::start(&format!("{ADMIN}{config}"));
        assert_eq!(ready(listener.admin()).0, 200, "{rows}");
        assert_eq!(aella("1").send(listener.address()).status, 200);
        let full = (expected.0, expected.1.to_owned());
        let end = Instant::now() + PATIENCE;
        // The answer of a moment ago holds for a second.
        while ready(listener.admin()) != full {
            assert!(Instant::now() < end, "{rows}: {:?}", ready(listener.admin()));
            thread::sleep(Duration::from_millis(100));
        }
        let next = aella("2").send(listener.address()).status;
        assert_eq!(next, if expected.0 == 200 { 200 } else { 503 }, "what it says is what a delivery gets");
    }
}

#[test]
fn peers_that_say_nothing_hold_it_for_no_longer_than_a_head_may_take() {
    let listener = Listener::start(&format!("{ADMIN}{}", forwarding("127.0.0.1:1")));
    let mute: Vec<_> = (0..64).map(|_| TcpStream::connect(listener.admin()).unwrap()).collect();
    let start = Instant::now();
    assert_eq!(ready(listener.admin()).0, 200);
    let waited = start.elapsed().as_secs();
    assert!((8..60).contains(&waited), "all places were taken, until the heads' time was over: {waited} s");
    assert_eq!(mute.len(), 64);
}

fn healthcheck(config: &str) -> Done {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config);
    Program::new(["healthcheck".into(), "--config".into(), file.into_os_string()]).run()
}

#[test]
fn a_healthcheck_ends_by_what_the_admin_address_says() {
    let admin = free_address();
    // Without the secret, which it does not need.
    let config = format!("admin = \"{admin}\"\n{}", forwarding("127.0.0.1:1").replace("value = ", "env = "));
    let gone = healthcheck(&config);
    assert_eq!((gone.code, gone.stdout.len(), gone.stderr.lines().count()), (Some(1), 0, 1), "{gone:?}");
    let listener = Listener::start_with(&config, &[("ae_sk_test_example", "ae_sk_test_example")]);
    assert_eq!(listener.admin(), admin.to_string());
    let done = healthcheck(&config.replace("127.0.0.1:1/", "127.0.0.1:2/"));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let everywhere =
        healthcheck(&config.replace(&format!("admin = \"{admin}\""), &format!("admin = \"0.0.0.0:{}\"", admin.port())));
    assert_eq!(everywhere.code, Some(0), "{everywhere:?}");
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn a_healthcheck_of_a_receiver_that_is_not_ready_says_why() {
    let (admin, folder) = (free_address(), Folder::new());
    let config = kept::config(&folder, "forward_to = \"http://127.0.0.1:1\"", "quota = { rows = 1 }");
    let config = format!("admin = \"{admin}\"\n{config}");
    let listener = Listener::start(&config);
    assert_eq!(aella("1").send(listener.address()).status, 200);
    let done = healthcheck(&config);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.ends_with("answered 503 inbox: the inbox is full"), "{done:?}");
}

/// Asks an admin address that answers by these bytes, one after the other, and keeps the connection open.
fn healthcheck_of(answer: impl Iterator<Item = u8> + Send + 'static, pause: Duration) -> (Option<i32>, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (folder, admin) = (Folder::new(), listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // It ends where nobody waits any more.
        let all_written =
            answer.map(|byte| stream.write_all(&[byte])).inspect(|_| thread::sleep(pause)).all(|it| it.is_ok());
        if all_written {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let file = folder.write("receiver.toml", format!("admin = \"{admin}\"\n{}", forwarding("127.0.0.1:1")));
    let start = Instant::now();
    let running = Program::new(["healthcheck".into(), "--config".into(), file.into_os_string()]).start();
    let (code, _) = running.ends_within(Duration::from_secs(12));
    (code, start.elapsed())
}

#[test]
fn a_healthcheck_waits_for_a_whole_answer_and_not_for_long() {
    for (answer, code) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n", 0),
        ("HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\ndraining\n", 1),
        ("HTTP/1.1 200 OK\r\n\r\n", 0),
    ] {
        let (ended, took) = healthcheck_of(answer.bytes(), Duration::ZERO);
        assert!(took < Duration::from_secs(3), "the connection stays open, and nobody waits for its end: {took:?}");
        assert_eq!(ended, Some(code), "{answer}");
    }
    let endless = "HTTP/1.1 200 OK\r\nx: ".bytes().chain(std::iter::repeat(b'x'));
    let (ended, took) = healthcheck_of(endless, Duration::from_millis(300));
    assert_eq!(ended, Some(1), "after {took:?}");
    assert!(took < Duration::from_secs(7), "{took:?}");
}

#[test]
fn a_file_that_names_no_admin_port_is_a_fault() {
    let plain = forwarding("127.0.0.1:1");
    for (config, fault) in [
        (plain.clone(), "receiver.toml: admin: is missing; "),
        (format!("{ADMIN}{plain}"), "receiver.toml: admin: has port 0"),
        (format!("admin = \"here\"\n{plain}"), "receiver.toml: admin: is not an address; "),
        (format!("admin = 7\n{plain}"), "receiver.toml: admin: integer is not taken here; "),
    ] {
        let done = healthcheck(&config);
        assert_eq!((done.code, done.stderr.lines().count()), (Some(2), 1), "{done:?}");
        assert!(done.stderr.contains(fault), "{fault}: {done:?}");
    }
    let same = "listen = \"127.0.0.1:4\"\nadmin = \"127.0.0.1:4\"\n";
    let folder = Folder::new();
    let file = folder.write("receiver.toml", plain.replace("listen = \"127.0.0.1:0\"\n", same));
    let done = Program::new(["check-config".into(), "--config".into(), file.into_os_string()]).run();
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("admin: is the address to listen on; "), "{done:?}");
}

#[test]
fn the_environment_goes_before_the_addresses_of_the_file() {
    let (admin, folder) = (free_address(), Folder::new());
    let file = folder.write("receiver.toml", format!("admin = \"192.0.2.1:9\"\n{}", forwarding("127.0.0.1:1")));
    let of_file = |command: &str| Program::new([command.into(), "--config".into(), file.clone().into_os_string()]);
    let listener = of_file("listen").env("TOWER_WEBHOOK_ADMIN", &admin.to_string());
    let listener = listener.env("TOWER_WEBHOOK_LISTEN", "[::1]:0").start();
    let first = listener.json();
    assert_eq!(first["admin"], admin.to_string());
    assert!(first["listening"].as_str().unwrap().starts_with("[::1]:"), "{first}");
    let checked = of_file("healthcheck").env("TOWER_WEBHOOK_ADMIN", &admin.to_string()).run();
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for command in ["listen", "check-config", "healthcheck"] {
        let done = of_file(command).env("TOWER_WEBHOOK_ADMIN", "here").run();
        assert_eq!(done.code, Some(2), "{command}: {done:?}");
        assert!(done.stderr.contains("TOWER_WEBHOOK_ADMIN: is not an address; "), "{command}: {done:?}");
    }
}

#[test]
fn words_are_json_for_who_gathers_them() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", "colour = 1\n");
    let listen = |more: &[&str]| {
        let arguments = ["listen", "--config", file.to_str().unwrap()];
        Program::new(arguments.into_iter().chain(more.iter().copied())).run()
    };
    let (text, json) = (listen(&[]), listen(&["--log", "json"]));
    assert_eq!((text.code, json.code), (Some(2), Some(2)), "{json:?}");
    let messages: Vec<String> = json
        .stderr
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| format!("tower-webhook: {}", line["message"].as_str().unwrap()))
        .collect();
    assert_eq!(messages, text.stderr.lines().collect::<Vec<_>>());
}

#[test]
fn a_postgres_that_is_away_makes_it_unready_and_one_that_is_back_ready() {
    let mut server = Server::start();
    let inbox = format!("[inbox]\nkind = \"postgres\"\nurl = \"{}\"\ndeadline = \"1s\"\n", server.url());
    let listener = Listener::start(&format!("{ADMIN}{}{inbox}", forwarding("127.0.0.1:1")));
    assert_eq!(ready(listener.admin()), (200, "ready".to_owned()));
    server.kill();
    assert!(until_ready(listener.admin(), 503).starts_with("inbox: "));
    assert_eq!(ask(listener.admin(), "GET /live").status, 200);
    server.restart();
    until_ready(listener.admin(), 200);
}
