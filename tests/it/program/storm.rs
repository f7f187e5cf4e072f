//! `storm` from outside: our own listener comes through it, and receivers that are wrong do not.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use tower_webhook::sender::storm::Fault;

use super::child::{Done, Folder, Listener, Program};
use super::wire::{Raw, hex, hmac512};
use crate::support::free_address;

const SECRET: &str = "ae_sk_test_example";
const INBOX: &str = "[inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\n";

pub(super) fn aella(upstream: SocketAddr) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"k\", value = \"{SECRET}\" }}, {{ id = \"next\", value = \"ae_sk_test_another\" }},\n\
         {{ id = \"old\", value = \"ae_sk_test_older_one\", not_after = \"2025-12-01T00:00:00Z\" }}]\n\
         forward_to = \"http://{upstream}/\"\n"
    )
}

/// All providers of the mission, and two of no room of their own.
fn everybody(upstream: SocketAddr) -> String {
    let forward = format!("forward_to = \"http://{upstream}/\"\n");
    let opp = "000102030405060708090a0b0c0d0e0f".repeat(2);
    let standard = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let endpoints = [
        "path = \"/mambu\"\nprovider = \"mambu\"\nbasic_auth = [{ username = \"m\", password = { value = \"correct\" } }]".to_owned(),
        format!("path = \"/opp\"\nprovider = \"opp\"\nkeys = [{{ id = \"k\", value = \"{opp}\" }}]"),
        "path = \"/bank\"\nname = \"the bank\"\nprovider = \"banking_circle\"\n\
         keys = [{ id = \"k\", value = \"sim-bc-notification-key-32-chars\" }]".to_owned(),
        "path = \"/sibs\"\nprovider = \"sibs\"\n\
         keys = [{ id = \"k\", value = \"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=\" }]".to_owned(),
        format!("path = \"/standard\"\nprovider = \"standard_webhooks\"\nkeys = [{{ id = \"k\", value = \"{standard}\" }}]"),
        "path = \"/hub\"\nprovider = \"custom\"\nkeys = [{ id = \"k\", value = \"It's a Secret to Everybody\" }]\n\
         scheme = { mac = \"hmac-sha256\", header = \"x-hub-signature-256\", prefix = \"sha256=\", encoding = \"hex\", signed = \"{body}\" }\n\
         key = { header = \"x-github-delivery\" }\nevent = { header = \"x-github-event\" }".to_owned(),
        "path = \"/shop\"\nprovider = \"custom\"\nkeys = [{ id = \"k\", value = \"an example of a secret\" }]\n\
         scheme = { mac = \"hmac-sha512\", header = \"x-shop\", encoding = \"base64\", signed = \"{body}\" }\n\
         key = { json = \"/data/id\" }".to_owned(),
        // Nothing is said of its time, which is one by its name.
        "path = \"/timed\"\nprovider = \"custom\"\nkeys = [{ id = \"k\", value = \"an example of a timed secret\" }]\n\
         scheme = { mac = \"hmac-sha256\", header = \"x-timed\", params = \",\", encoding = \"hex\", signed = \"{param:t}.{body}\" }\n\
         key = { json = \"/id\" }".to_owned(),
    ];
    let others: String = endpoints.map(|endpoint| format!("[[endpoint]]\n{endpoint}\n{forward}")).concat();
    aella(upstream) + &others
}

/// A storm on whoever listens there.
pub(super) fn storm(config: &str, to: &str, upstream: SocketAddr, more: &[&str]) -> Done {
    let folder = Folder::new();
    let config = folder.write("receiver.toml", config);
    let upstream = upstream.to_string();
    let config = config.to_str().unwrap();
    let own = ["storm", "--config", config, "--to", to, "--upstream", &upstream, "--seed", "7"];
    Program::new(own.into_iter().chain(more.iter().copied())).run()
}

pub(super) fn report(done: &Done) -> Value {
    let lines = done.json();
    assert_eq!(lines.len(), 1, "{done:?}");
    lines[0].clone()
}

#[test]
fn our_own_listener_comes_through_all_faults_of_all_providers() {
    let upstream = free_address();
    let config = everybody(upstream);
    let listener = Listener::start(&(config.clone() + "[dedupe]\nkind = \"memory\"\n"));
    let done =
        storm(&config, &listener.url(""), upstream, &["--events", "800", "--faults", "all=0.3", "--time", "1000x"]);
    let report = report(&done);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(report["events"], 800, "{report}");
    for none in ["lost", "handled_twice", "wrongly_accepted", "wrongly_refused", "unsettled", "answered_early"] {
        assert_eq!(report[none], 0, "{report}");
    }
    assert_eq!(report["switched_off"], serde_json::json!([]), "{report}");
    assert!(report["refused"].as_u64().unwrap() > 20, "{report}");
    assert!(report["called_again"].as_u64().unwrap() > 0, "{report}");
    assert!(report["p50_ms"].as_f64().unwrap() > 0.0, "{report}");
    assert_eq!(listener.stop().code, Some(0));
}

/// Two receivers are sent events of one id, and told apart by their names, whatever letters these have.
#[test]
fn an_event_of_another_receiver_is_another_event() {
    let upstream = free_address();
    let config = aella(upstream);
    let (head, own) = config.split_once("[[endpoint]]").unwrap();
    let named = own.replace("\"/aella\"\n", "\"/aella-2\"\nname = \"zweite Börse, 50 %\"\n");
    let config = format!("{head}[[endpoint]]{own}[[endpoint]]{named}");
    let listener = Listener::start(&config);
    let done = storm(
        &config,
        &listener.url(""),
        upstream,
        &["--events", "100", "--duplicates", "0", "--bad", "0", "--faults", "other-receiver=0.5", "--time", "1000x"],
    );
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(listener.stop().code, Some(0));
}

#[test]
fn the_line_that_is_printed_does_the_same_again() {
    let upstream = free_address();
    let config = aella(upstream);
    let folder = Folder::new();
    let file = folder.write("receiver.toml", &config);
    let run = |arguments: Vec<String>| {
        let done = Program::new(arguments).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        report(&done)
    };
    let listener = Listener::start(&config);
    let to = listener.url("");
    let upstream = upstream.to_string();
    let own = ["storm", "--config", file.to_str().unwrap(), "--to", &to, "--upstream", &upstream];
    let own = |seed: &str| own.into_iter().chain(["--seed", seed, "--events", "100"]).map(str::to_owned).collect();
    let first = run(own("3"));
    let line = first["replay"].as_str().unwrap().strip_prefix("tower-webhook ").unwrap();
    let again = run(line.split(' ').map(str::to_owned).collect());
    assert_eq!(again["hash"], first["hash"]);
    assert_eq!(again["replay"], first["replay"]);
    assert_ne!(run(own("4"))["hash"], first["hash"]);
}

/// A receiver of Aella's, written from the page and not with this crate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wrong {
    Not,
    HandlesTwice,
    ForgetsNowAndThen,
    AnswersBeforeItHandles,
    Loses,
    VerifiesNothing,
    ComparesPrefixes,
    TrustsAnUnsignedHeader,
    KnowsOneKey,
    FailsForGood,
    /// It changes nothing that is said.
    WritesJsonAnew,
    ForgetsAMember,
    /// It answers so, whatever it is sent.
    Answers(u16),
    /// What it should refuse it answers so. 0: it hangs up.
    NeverRefuses(u16),
}

struct Server {
    wrong: Wrong,
    upstream: SocketAddr,
    /// Per key: whether it is done, and the last fence.
    known: Mutex<HashMap<String, (bool, u64)>>,
    requests: std::sync::atomic::AtomicU64,
}

impl Server {
    fn start(wrong: Wrong, upstream: SocketAddr) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Self { wrong, upstream, known: Mutex::default(), requests: Default::default() });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (server, stream) = (Arc::clone(&server), stream.unwrap());
                thread::spawn(move || server.serve(&stream));
            }
        });
        format!("http://{address}")
    }

    /// One request a connection.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut headers = HashMap::<String, Vec<String>>::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.entry(name.to_ascii_lowercase()).or_default().push(value.to_owned()),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let length = headers.get("content-length").and_then(|length| length[0].parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let status = self.answer(&headers, &body);
        if status == 0 {
            return;
        }
        let _ = write!(&*stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }

    fn is_signed(&self, headers: &HashMap<String, Vec<String>>, body: &[u8]) -> bool {
        let given = headers.get("x-aella-signature").filter(|all| all.len() == 1).map(|all| all[0].as_str());
        let secrets: &[&str] =
            if self.wrong == Wrong::KnowsOneKey { &[SECRET] } else { &[SECRET, "ae_sk_test_another"] };
        let fits = |secret: &&str| {
            let signature = hex(&hmac512(secret.as_bytes(), &[body]));
            match self.wrong {
                Wrong::ComparesPrefixes => given.is_some_and(|given| !given.is_empty() && signature.starts_with(given)),
                _ => given == Some(&signature),
            }
        };
        self.wrong == Wrong::VerifiesNothing || secrets.iter().any(fits)
    }

    fn answer(&self, headers: &HashMap<String, Vec<String>>, body: &[u8]) -> u16 {
        if let Wrong::Answers(status) = self.wrong {
            return status;
        }
        if !self.is_signed(headers, body) {
            return if let Wrong::NeverRefuses(status) = self.wrong { status } else { 401 };
        }
        let Ok(value) = serde_json::from_slice::<Value>(body) else { return 400 };
        let id = [&value["data"]["id"], &value["data"]["transaction"]["id"]].into_iter().find_map(Value::as_str);
        let label = headers.get("x-event-id").map(|all| all[0].clone());
        let key = match (self.wrong, label) {
            (Wrong::TrustsAnUnsignedHeader, Some(label)) => label,
            _ => id.unwrap_or_default().to_owned(),
        };
        let number = self.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // One at a time, so that nothing is handled twice but by its flaw.
        let mut known = self.known.lock().unwrap();
        if self.wrong == Wrong::ForgetsNowAndThen && number % 50 == 49 {
            known.clear();
        }
        let entry = known.entry(key.clone()).or_default();
        if entry.0 && self.wrong != Wrong::HandlesTwice {
            return 200;
        }
        entry.1 += 1;
        let fence = entry.1;
        let mut anew = value.clone();
        let handed = match self.wrong {
            Wrong::WritesJsonAnew => anew.to_string().into_bytes(),
            Wrong::ForgetsAMember => {
                let _ = anew.as_object_mut().unwrap().remove("timestamp");
                anew.to_string().into_bytes()
            }
            _ => body.to_vec(),
        };
        let call = Raw::new("/", &[("tower-webhook-key", key), ("tower-webhook-fence", fence.to_string())], handed);
        let upstream = self.upstream.to_string();
        match self.wrong {
            Wrong::FailsForGood => return 410,
            Wrong::Loses if number % 10 == 5 => entry.0 = true,
            Wrong::AnswersBeforeItHandles => {
                entry.0 = true;
                thread::spawn(move || call.send(&upstream));
                return 200;
            }
            _ => {
                let status = call.send(&upstream).status;
                entry.0 = status == 200;
                return status;
            }
        }
        200
    }
}

#[test]
fn a_receiver_that_is_wrong_is_found() {
    for (wrong, broken) in [
        (Wrong::Not, ""),
        (Wrong::HandlesTwice, "handled_twice"),
        (Wrong::ForgetsNowAndThen, "handled_twice"),
        (Wrong::AnswersBeforeItHandles, "answered_early"),
        (Wrong::Loses, "lost"),
        (Wrong::VerifiesNothing, "wrongly_accepted"),
        (Wrong::ComparesPrefixes, "wrongly_accepted"),
        (Wrong::TrustsAnUnsignedHeader, "handled_twice"),
        (Wrong::KnowsOneKey, "wrongly_refused"),
        (Wrong::FailsForGood, "wrongly_refused"),
        (Wrong::WritesJsonAnew, ""),
        (Wrong::ForgetsAMember, "wrongly_accepted"),
        (Wrong::NeverRefuses(500), "unsettled"),
        (Wrong::NeverRefuses(302), "unsettled"),
        (Wrong::NeverRefuses(0), "unsettled"),
    ] {
        let upstream = free_address();
        let to = Server::start(wrong, upstream);
        let more = ["--events", "200", "--bad", "0.2", "--faults", "other-key=0.1", "--time", "1000x", "--heal", "10s"];
        let done = storm(&aella(upstream), &to, upstream, &more);
        let report = report(&done);
        match wrong {
            Wrong::Not | Wrong::WritesJsonAnew => assert_eq!(done.code, Some(0), "{done:?}"),
            _ => {
                assert_eq!(done.code, Some(1), "{wrong:?}: {done:?}");
                assert!(report[broken].as_u64().unwrap() > 0, "{wrong:?}: {report}");
            }
        }
        if let Wrong::NeverRefuses(status) = wrong {
            let last = if status == 0 { "no whole answer came".to_owned() } else { format!("answered {status}") };
            assert!(done.stderr.contains(&format!("nobody refused what had to be refused: {last}")), "{done:?}");
        }
    }
}

#[test]
fn a_forgery_may_be_refused_with_any_4xx() {
    for status in [400, 404, 408, 429] {
        let upstream = free_address();
        let to = Server::start(Wrong::NeverRefuses(status), upstream);
        let done = storm(&aella(upstream), &to, upstream, &["--events", "100", "--bad", "0.2", "--time", "10000x"]);
        assert_eq!(done.code, Some(0), "{status}: {done:?}");
        assert!(report(&done)["refused"].as_u64().unwrap() > 5, "{status}: {done:?}");
    }
}

#[test]
fn with_an_inbox_in_the_file_an_answer_before_the_handler_is_right_and_without_one_wrong() {
    for (inbox, code) in [(INBOX, 0), ("", 1)] {
        let upstream = free_address();
        let to = Server::start(Wrong::AnswersBeforeItHandles, upstream);
        let more = ["--events", "200", "--handler-failures", "0", "--time", "1000x", "--heal", "10s"];
        let done = storm(&(aella(upstream) + inbox), &to, upstream, &more);
        let report = report(&done);
        assert_eq!(done.code, Some(code), "{done:?}");
        assert_eq!(report["answered_early"].as_u64().unwrap() > 0, inbox.is_empty(), "{report}");
    }
}

#[test]
fn with_an_inbox_in_the_file_what_is_done_is_handled_twice_if_nothing_was_killed() {
    for (wrong, code) in [(Wrong::Not, 0), (Wrong::HandlesTwice, 1)] {
        let upstream = free_address();
        let to = Server::start(wrong, upstream);
        let more = ["--events", "200", "--handler-failures", "0.1", "--time", "1000x", "--heal", "10s"];
        let done = storm(&(aella(upstream) + INBOX), &to, upstream, &more);
        let report = report(&done);
        assert_eq!(done.code, Some(code), "{wrong:?}: {done:?}");
        assert_eq!(report["handled_twice"].as_u64().unwrap() > 20, code == 1, "{wrong:?}: {report}");
        assert!(report["called_again"].as_u64().unwrap() > 0, "{wrong:?}: {report}");
    }
}

#[test]
fn who_is_killed_and_forgets_handles_twice() {
    let (upstream, at) = (free_address(), free_address());
    let config = aella(upstream).replace("127.0.0.1:0", &at.to_string());
    let killer = thread::spawn({
        let config = config.clone();
        move || {
            for _ in 0..8 {
                let listener = Listener::start(&config);
                thread::sleep(std::time::Duration::from_millis(700));
                drop(listener);
            }
            Listener::start(&config)
        }
    });
    let done = storm(
        &config,
        &format!("http://{at}"),
        upstream,
        &["--events", "8000", "--duplicates", "0.5", "--time", "1000x"],
    );
    let report = report(&done);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(report["handled_twice"].as_u64().unwrap() > 0 && report["lost"] == 0, "{report}");
    drop(killer.join());
}

#[test]
fn nobody_there_is_a_failure_and_wrong_arguments_are_said() {
    let upstream = free_address();
    let config = aella(upstream);
    let nobody = storm(&config, &format!("http://{}", free_address()), upstream, &["--events", "10", "--heal", "1s"]);
    assert_eq!((nobody.code, &report(&nobody)["unsettled"]), (Some(1), &serde_json::json!(1)), "{nobody:?}");
    assert!(nobody.stderr.contains("not accepted to the end: nobody took the connection"), "{nobody:?}");
    assert!(nobody.stderr.contains(&format!("nobody called {upstream}")), "{nobody:?}");

    for (more, said) in [
        (["--duplicates", "2"], "--duplicates"),
        (["--faults", "nonsense"], "--faults: \"nonsense\" is no fault; take a name that storm --help lists"),
        (["--to", "http://example.com"], "--to: example.com is not this machine; storm sends to 127.0.0.0/8, ::1"),
        (["--to", "http://192.0.2.1:80"], "--to: 192.0.2.1 is not this machine; storm sends to 127.0.0.0/8, ::1"),
        (["--to", "http://127.0.0.1:1/aella"], "write http://127.0.0.1:1: the paths are those of the file"),
        (["--to", "http://127.0.0.1:1?a=b"], "write http://127.0.0.1:1: the paths are those of the file"),
        (["--bad", "0.9"], "more than 1 together"),
        (["--time", "0x"], "100x"),
        (["--concurrency", "0"], "1 to 4096"),
    ] {
        let done = storm(&config, "http://127.0.0.1:1", upstream, &more);
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
        assert!(done.stderr.contains(said), "{done:?}");
        assert!(!done.stderr.contains("--dangerous-any-host"), "{done:?}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = storm(&config, "http://127.0.0.1:1", taken.local_addr().unwrap(), &[]);
    assert_eq!(taken.code, Some(1), "{taken:?}");
    let public = config.replace("provider = \"aella\"", "provider = \"nobody\"");
    assert_eq!(storm(&public, "http://127.0.0.1:1", upstream, &[]).code, Some(2));
}

/// What a shell makes of the line that is printed.
#[test]
fn the_line_that_is_printed_is_one_of_a_shell() {
    let upstream = free_address();
    let config = aella(upstream);
    let listener = Listener::start(&config);
    let folder = Folder::new();
    let file = folder.write("it's a receiver.toml", &config);
    let (to, upstream) = (listener.url(""), upstream.to_string());
    let own = ["storm", "--config", file.to_str().unwrap(), "--to", &to, "--upstream", &upstream, "--seed", "3"];
    for (more, said) in [
        (&["--heal", "1500ms", "--faults", "resealed=0.1"][..], " --heal 1500ms"),
        (&["--heal", "2m", "--duplicates", "0", "--bad", "0", "--handler-failures", "0"], " --heal 120s"),
    ] {
        let first = Program::new(own.iter().chain(["--events", "50"].iter()).chain(more).copied()).run();
        assert_eq!(first.code, Some(0), "{first:?}");
        let line = report(&first)["replay"].as_str().unwrap().to_owned();
        let program = format!("'{}'", env!("CARGO_BIN_EXE_tower-webhook"));
        let script = line.replacen("tower-webhook", &program, 1);
        let again = Program::other("sh", ["-c", &script]).run();
        assert_eq!(again.code, Some(0), "{line}: {again:?}");
        assert!(line.ends_with(said), "{line}");
        assert_eq!(report(&again)["hash"], report(&first)["hash"]);
        assert_eq!(report(&again)["replay"], report(&first)["replay"]);
    }
}

#[test]
fn the_last_answer_to_what_did_not_settle_is_said() {
    let upstream = free_address();
    let to = Server::start(Wrong::Answers(500), upstream);
    let done = storm(&aella(upstream), &to, upstream, &["--events", "10", "--heal", "1s"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("not accepted to the end: answered 500"), "{done:?}");

    let to = Server::start(Wrong::Answers(200), upstream);
    let done = storm(&aella(upstream), &to, upstream, &["--events", "10", "--bad", "0", "--heal", "1s"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let said = format!("nobody called {upstream}: does forward_to name it?");
    assert!(done.stderr.contains(&said), "{done:?}");
}

#[test]
fn the_faults_are_listed_by_name_and_one_that_cannot_be_done_is_said() {
    let help = Program::new(["storm", "--help"]).run();
    let words: Vec<&str> = help.stdout.iter().flat_map(|line| line.split([' ', ',', ':'])).collect();
    for fault in Fault::all() {
        assert!(words.contains(&&*fault.name()), "{}: {help:?}", fault.name());
    }
    let upstream = free_address();
    let config = aella(upstream);
    let listener = Listener::start(&config);
    // Aella signs no time, and the first delivery opens the way.
    let faults = "stale@3,duplicate@0,body-bit@5,resealed@5000";
    let more = ["--events", "20", "--duplicates", "0", "--bad", "0", "--faults", faults];
    let done = storm(&config, &listener.url(""), upstream, &more);
    assert_eq!((done.code, &report(&done)["refused"]), (Some(0), &serde_json::json!(1)), "{done:?}");
    for said in [
        "stale@3 was not done: it cannot be done to this delivery",
        "duplicate@0 was not done: the first delivery opens the way, and has no fault",
        "resealed@5000 was not done: the deliveries were 0 to 19",
    ] {
        assert!(done.stderr.contains(said), "{said}: {done:?}");
    }
    assert!(!done.stderr.contains("body-bit@5 was"), "{done:?}");
}

/// Endpoints that nobody but their senders can seal for, and what is said of each.
#[test]
fn what_cannot_be_sealed_is_a_fault_of_the_file_and_nothing_is_sent() {
    const PUBLIC: &str = "keys = [{ id = \"k\", value = \"whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\" }]";
    let ed25519 = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c\", encoding = \"hex";
    let custom = |keys: &str, scheme: &str| {
        format!(
            "path = \"/x\"\nprovider = \"custom\"\nkeys = [{{ id = \"k\", value = \"{keys}\" }}]\n{scheme}\nkey = {{ header = \"x-id\" }}\nevent = {{ header = \"x-event\" }}\n"
        )
    };
    let mac = |signed: &str| {
        custom(
            "an example of a secret",
            &format!("scheme = {{ mac = \"hmac-sha256\", header = \"x-signature\", {signed} }}"),
        )
    };
    for (endpoint, said) in [
        (
            format!("path = \"/x\"\nprovider = \"standard_webhooks\"\nsignature = \"v1a\"\n{PUBLIC}\n"),
            "keys: its keys are public",
        ),
        (
            custom(ed25519, "scheme = { signature = \"ed25519\", header = \"x-signature\" }"),
            "keys: its keys are public",
        ),
        (mac("signed = \"{header:x-tenant}.{body}\""), "scheme.signed: header x-tenant is signed and has no value"),
        (mac("params = \",\", signed = \"{param:n}.{body}\""), "scheme.signed: parameter n is signed and has no value"),
        (mac("signed = \"{header:x-id}.{header:x-event}.{body}\""), ""),
    ] {
        let upstream = free_address();
        let config = format!("{}[[endpoint]]\n{endpoint}forward_to = \"http://{upstream}/\"\n", aella(upstream));
        let listener = Listener::start(&config);
        let more = ["--events", "50", "--bad", "0"];
        let done = storm(&config, &listener.url(""), upstream, &more);
        if said.is_empty() {
            assert_eq!(done.code, Some(0), "{done:?}");
            continue;
        }
        assert_eq!((done.code, done.stdout.len(), done.stderr.lines().count()), (Some(2), 0, 1), "{done:?}");
        assert!(done.stderr.contains(&format!("receiver.toml: endpoint[1].{said}")), "{said}: {done:?}");
        assert!(done.stderr.contains("leave /x out of the file"), "{done:?}");
    }
}
