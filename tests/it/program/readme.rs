//! The README's part for services in any language, run as it is written but for its two ports.

use std::path::Path;

use super::child::{Folder, Program, Running};
use crate::support::free_address;

const README: &str = include_str!("../../../README.md");

/// The code blocks under a heading, with their languages.
fn blocks(heading: &str) -> Vec<(&'static str, &'static str)> {
    let part = README.split(&format!("## {heading}\n")).nth(1).expect("the heading stands in the README");
    let part = part.split("\n## ").next().unwrap();
    let fenced = part.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).collect()
}

fn free_port() -> String {
    free_address().port().to_string()
}

#[test]
fn a_service_in_another_language_gets_each_event_once() {
    let blocks = blocks("Beside a service in any language");
    let languages: Vec<_> = blocks.iter().map(|(language, _)| *language).collect();
    assert_eq!(languages, ["sh", "toml", "python", "sh", "sh", "sh", "toml", "sh"]);
    let (listen_port, service_port) = (free_port(), free_port());
    let text = |at: usize| blocks[at].1.replace("8080", &listen_port).replace("3000", &service_port);

    let folder = Folder::new();
    folder.write("receiver.toml", text(1));
    folder.write("service.py", text(2));
    let bin = Path::new(env!("CARGO_BIN_EXE_tower-webhook")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let shell = |script: String| {
        // With exec, so that the child that is ended is the one that was started.
        let script =
            script.replace("tower-webhook listen", "exec tower-webhook listen").replace("python3 ", "exec python3 ");
        let script = format!("cd '{}'\n{script}", folder.path().display());
        Program::other("sh", ["-c", &script]).env("PATH", &path)
    };

    let service: Running = shell(text(3)).start();
    let receiver: Running = shell(text(4)).start();
    assert_eq!(receiver.json()["listening"], format!("127.0.0.1:{listen_port}"));
    wait_for(&service_port, &service);
    let sent = shell(text(5)).run();
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let statuses: Vec<_> = sent.json().iter().map(|line| (line["status"].clone(), line["replayed"].clone())).collect();
    let told = |status: u16, replayed: bool| (status.into(), replayed.into());
    assert_eq!(statuses, [told(200, false), told(200, true), told(401, false)]);

    let verdicts: Vec<_> = (0..3).map(|_| receiver.json()["verdict"].clone()).collect();
    assert_eq!(verdicts, ["accepted", "duplicate", "refused"]);
    assert_eq!(service.line(), "transfer.completed|7b129bdd-b3c1-4a33-b80e-76cee553466f 567 bytes");
    receiver.signal("TERM");
    let done = receiver.wait();
    assert_eq!((done.code, done.stdout.len()), (Some(0), 0), "{done:?}");
}

/// Until the service takes connections.
fn wait_for(port: &str, service: &Running) {
    let start = std::time::Instant::now();
    while std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
        assert!(start.elapsed().as_secs() < 30, "the service does not start: {}", service.stderr_so_far());
        std::thread::yield_now();
    }
}

#[test]
fn the_storm_of_the_readme_finds_nothing_in_our_own_receiver() {
    let file = blocks("Beside a service in any language")[1];
    let storm = blocks("Under a storm");
    assert_eq!((file.0, storm.len(), storm[0].0), ("toml", 1, "sh"));
    let (listen_port, upstream_port) = (free_port(), free_port());
    let text = |text: &str| text.replace("8080", &listen_port).replace("3000", &upstream_port);
    let folder = Folder::new();
    let config = folder.write("receiver.toml", text(file.1));
    let listen = ["listen".into(), "--config".into(), config.into_os_string()];
    let receiver = Program::new(listen).env("AELLA_SECRET", "ae_sk_test_example").start();
    assert_eq!(receiver.json()["listening"], format!("127.0.0.1:{listen_port}"));
    let bin = Path::new(env!("CARGO_BIN_EXE_tower-webhook")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = format!("cd '{}'\n{}", folder.path().display(), text(storm[0].1));
    let done = Program::other("sh", ["-c", &script]).env("PATH", &path).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.json()[0]["events"], 2000, "{done:?}");
}
