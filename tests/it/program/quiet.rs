//! Quiet payloads: who sent which event is printed, and nothing of what it says.

use serde_json::{Value, json};

use super::child::{Folder, Listener, Program, Running};
use super::upstream::aella;

const KEPT: [&str; 8] =
    ["attempt_replayed", "endpoint", "event", "key", "key_id", "occurred_at", "provider", "verdict"];

fn config(file: &str, endpoint: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n{file}\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n{endpoint}\n\
         keys = [{{ id = \"2026-11\", value = \"ae_sk_test_example\" }}]\n"
    )
}

fn names(line: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn check_quiet(line: &Value) {
    assert_eq!(names(line), KEPT, "{line}");
    assert_eq!((&line["verdict"], &line["key_id"]), (&json!("accepted"), &json!("2026-11")));
    assert_eq!((&line["event"], &line["key"]), (&json!("transfer.completed"), &json!("transfer.completed|t1")));
    assert_eq!(line["occurred_at"], json!("2024-12-06T14:00:00Z"));
}

#[test]
fn the_file_or_an_endpoint_says_whether_payloads_are_printed() {
    for (file, endpoint, is_quiet) in [
        ("", "", false),
        ("quiet_payloads = true", "", true),
        ("", "quiet_payloads = true", true),
        ("quiet_payloads = true", "quiet_payloads = false", false),
        ("quiet_payloads = false", "quiet_payloads = true", true),
    ] {
        let listener = Listener::start(&config(file, endpoint));
        assert_eq!(aella("t1").send(listener.address()).status, 200);
        let line = listener.json();
        match is_quiet {
            true => check_quiet(&line),
            false => {
                assert_eq!((&line["typed"]["kind"], &line["payload"]["data"]["id"]), (&json!("transfer"), &json!("t1")))
            }
        }
        let done = listener.stop();
        assert_eq!(done.stderr.contains("what its events say goes nowhere"), is_quiet, "{done:?}");
    }
}

#[test]
fn the_option_counts_more_than_the_file() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config("", "quiet_payloads = false"));
    let arguments = ["listen".into(), "--quiet-payloads".into(), "--config".into(), file.into_os_string()];
    let running: Running = Program::new::<std::ffi::OsString>(arguments).start();
    let address = running.json()["listening"].as_str().unwrap().to_owned();
    assert_eq!(aella("t1").send(&address).status, 200);
    check_quiet(&running.json());
    assert_eq!(aella("t1").send(&address).status, 200);
    assert_eq!(names(&running.json()), ["endpoint", "key", "verdict"], "a repeat is as it was");
}
