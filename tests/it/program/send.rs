//! `send` against `listen`: what it sends is taken, and what it damages is refused.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::child::{Done, Folder, Listener, Program};

/// Whoever finds this on stdout or stderr has found a secret.
const CANARY: &str = "canary";
const OPP_KEY: &str = "ca9a41ca9a41ca9a41ca9a41ca9a41ca9a41ca9a41ca9a41ca9a41ca9a41ca9a";
const SIBS_KEY: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTMyLWI=";

const ENVIRONMENT: &[(&str, &str)] = &[
    ("MAMBU_PASSWORD", "canary: horse \"battery\" $HOME 'staple'"),
    ("MAMBU_KEY", "canary-of-a-static-header"),
    ("AELLA_NEW", "canary_ae_sk_test_new"),
    ("AELLA_OLD", "canary_ae_sk_test_old"),
    ("AELLA_GONE", "canary_ae_sk_test_gone"),
    ("OPP_KEY", OPP_KEY),
    ("BANK_KEY", "canary-bc-notification-key-32-ch"),
    ("SIBS_KEY", SIBS_KEY),
    ("SW_KEY", "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnk="),
    ("HUB_KEY", "canary of a hub's signature"),
    ("TOKEN", "canary-of-a-token"),
];

const ENDPOINTS: &str = r#"
[[endpoint]]
path = "/mambu"
provider = "mambu"
basic_auth = [{ username = "mambu", password = { env = "MAMBU_PASSWORD" } }]

[[endpoint]]
path = "/mambu-header"
provider = "mambu"
static_header = "x-api-key"
keys = [{ id = "k", env = "MAMBU_KEY" }]

[[endpoint]]
path = "/aella"
provider = "aella"
keys = [{ id = "gone", env = "AELLA_GONE", not_after = "2020-01-01T00:00:00Z" },
        { id = "new", env = "AELLA_NEW" }, { id = "old", env = "AELLA_OLD" }]

[[endpoint]]
path = "/opp"
provider = "opp"
keys = [{ id = "k", env = "OPP_KEY" }]

[[endpoint]]
path = "/bank"
provider = "banking_circle"
keys = [{ id = "k", env = "BANK_KEY" }]

[[endpoint]]
path = "/sibs"
provider = "sibs"
keys = [{ id = "k", env = "SIBS_KEY" }]

[[endpoint]]
path = "/sw"
provider = "standard_webhooks"
keys = [{ id = "k", env = "SW_KEY" }]

[[endpoint]]
path = "/hub"
provider = "custom"
keys = [{ id = "k", env = "HUB_KEY" }]
scheme = { mac = "hmac-sha256", header = "x-hub-signature-256", prefix = "sha256=", signed = "{body}" }
key = { header = "x-github-delivery" }
event = { header = "x-github-event" }

[[endpoint]]
path = "/timed"
provider = "custom"
keys = [{ id = "k", env = "HUB_KEY" }]
scheme = { mac = "hmac-sha512", header = "x-signature", params = ",", signed = "{param:t}.{body}" }
timestamp = { param = "t" }
key = { json = "/data/id" }

[[endpoint]]
path = "/token"
provider = "custom"
keys = [{ id = "k", env = "TOKEN" }]
scheme = { token = true, header = "verif-hash" }
key = { header = "x-id" }
"#;

fn config(listen: &str) -> String {
    format!("listen = \"{listen}\"\n{ENDPOINTS}")
}

fn listen() -> Listener {
    Listener::start_with(&config("127.0.0.1:0"), ENVIRONMENT)
}

/// An event and an endpoint that takes it, for every provider there is.
const PAIRS: [(&str, &str); 10] = [
    ("mambu/loan-disbursed", "/mambu"),
    ("mambu/loan-disbursed", "/mambu-header"),
    ("aella/transfer.completed", "/aella"),
    ("opp/payment", "/opp"),
    ("banking_circle/batch", "/bank"),
    ("sibs/payment", "/sibs"),
    ("standard_webhooks/invoice.paid", "/sw"),
    ("standard_webhooks/invoice.paid", "/hub"),
    ("standard_webhooks/invoice.paid", "/timed"),
    ("standard_webhooks/invoice.paid", "/token"),
];

fn program(arguments: &[&str]) -> Program {
    let program = Program::new([&["send"], arguments].concat());
    ENVIRONMENT.iter().fold(program, |program, (name, value)| program.env(name, value))
}

/// Sends to an endpoint of the listener, as its own configuration says.
fn send(listener: &Listener, event: &str, path: &str, more: &[&str]) -> Done {
    let (file, to) = (listener.config().to_str().unwrap(), format!("http://{}", listener.address()));
    let arguments = [event, "--config", file, "--endpoint", path, "--to", &to];
    let done = program(&[&arguments, more].concat()).run();
    silent(&done);
    done
}

/// No secret, and no part of one as it may be encoded.
fn silent(done: &Done) {
    let said = done.said();
    for secret in [CANARY, "Y2FuYXJ5", &OPP_KEY[..12], "bWFtYnU6"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

fn statuses(done: &Done) -> Vec<(i64, bool)> {
    let read = |line: &Value| (line["status"].as_i64().unwrap_or(-1), line["replayed"].as_bool().unwrap());
    done.json().iter().map(read).collect()
}

#[test]
fn every_event_is_taken_once_and_then_replayed() {
    let listener = listen();
    let names = Program::new(["send", "--list"]).run();
    assert_eq!(names.code, Some(0));
    assert!(names.stdout.len() >= 11, "{names:?}");
    let known: Vec<&str> = names.stdout.iter().map(String::as_str).collect();
    let own = known.iter().map(|name| {
        let path = match name.split_once('/').unwrap().0 {
            "banking_circle" => "/bank",
            "standard_webhooks" => "/sw",
            _ => PAIRS.iter().find(|(event, _)| event.split('/').next() == name.split('/').next()).unwrap().1,
        };
        (*name, path)
    });
    let mut sent: Vec<(&str, &str)> = own.collect();
    sent.extend(PAIRS.iter().filter(|pair| !sent.contains(pair)).collect::<Vec<_>>());
    for (event, path) in sent {
        let key = event.replace(['/', '.'], "-");
        let first = send(&listener, event, path, &["--idempotency-key", &key]);
        assert_eq!((first.code, statuses(&first)), (Some(0), vec![(200, false)]), "{event} {path}: {first:?}");
        next(&listener, "accepted", path);
        let again = send(&listener, event, path, &["--idempotency-key", &key]);
        assert_eq!((again.code, statuses(&again)), (Some(0), vec![(200, true)]), "{event} {path}: {again:?}");
        next(&listener, "duplicate", path);
    }
    assert_eq!(listener.stop().code, Some(0));
}

/// The listener's next line of this kind. A batch brings one for each event.
fn next(listener: &Listener, verdict: &str, path: &str) -> Value {
    loop {
        let line = listener.json();
        if line["verdict"] == verdict && line["endpoint"] == path {
            return line;
        }
    }
}

/// Why the listener has refused the last delivery.
fn reject(listener: &Listener, path: &str) -> String {
    next(listener, "refused", path)["kind"].as_str().unwrap().to_owned()
}

#[test]
fn one_flipped_bit_is_refused_wherever_something_is_proved() {
    let listener = listen();
    for (event, path) in PAIRS {
        let only_the_sender = ["/mambu", "/mambu-header", "/token"].contains(&path);
        let signature = send(&listener, event, path, &["--tamper", "signature"]);
        assert_eq!(
            (signature.code, signature.json()[0]["status"].as_i64()),
            (Some(0), Some(401)),
            "{path} {signature:?}"
        );
        let kind = if path == "/mambu" { "credentials_wrong" } else { "signature_mismatch" };
        assert_eq!(reject(&listener, path), kind, "{path}");

        let body = send(&listener, event, path, &["--tamper"]);
        if only_the_sender {
            assert_eq!((body.code, statuses(&body)), (Some(1), vec![(200, false)]), "{path} {body:?}");
            assert!(body.stderr.contains("proves no body") && body.stderr.contains("oracle is unhappy"), "{body:?}");
        } else {
            assert_eq!((body.code, body.json()[0]["status"].as_i64()), (Some(0), Some(401)), "{path} {body:?}");
            assert_eq!(reject(&listener, path), "signature_mismatch", "{path}");
        }

        let header = send(&listener, event, path, &["--tamper", "header"]);
        if ["/opp", "/bank", "/sibs", "/sw"].contains(&path) {
            assert_eq!((header.code, header.json()[0]["status"].as_i64()), (Some(0), Some(401)), "{path} {header:?}");
            assert_eq!(reject(&listener, path), "signature_mismatch", "{path}");
        } else {
            assert_eq!((header.code, header.stdout.len()), (Some(2), 0), "{path} {header:?}");
            assert!(header.stderr.contains("proves no header"), "{path} {header:?}");
        }
    }
}

#[test]
fn a_stale_delivery_is_refused_where_a_time_or_an_expired_key_tells() {
    let listener = listen();
    for (event, path) in PAIRS {
        let stale = send(&listener, event, path, &["--stale"]);
        match path {
            "/sw" | "/timed" => {
                assert_eq!((stale.code, reject(&listener, path).as_str()), (Some(0), "timestamp_outside"))
            }
            "/aella" => {
                assert_eq!(
                    (stale.code, reject(&listener, path).as_str()),
                    (Some(0), "signature_mismatch"),
                    "{stale:?}"
                );
                assert!(stale.stderr.contains("under key gone"), "{stale:?}");
            }
            _ => {
                assert_eq!((stale.code, statuses(&stale)), (Some(1), vec![(200, false)]), "{path} {stale:?}");
                assert!(stale.stderr.contains("nothing is stale"), "{path} {stale:?}");
            }
        }
    }
}

#[test]
fn keys_are_chosen_by_their_validity_or_by_name() {
    let listener = listen();
    for (more, key_id) in [(&[][..], "new"), (&["--key-id", "old", "--header", "x=y"], "old")] {
        let event = format!("{{\"event\":\"e\",\"data\":{{\"id\":\"{key_id}\"}}}}");
        let path = listener.folder().write(key_id, event);
        let done = send(&listener, &format!("@{}", path.display()), "/aella", more);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(listener.json()["key_id"], key_id);
    }
    let gone = send(&listener, "aella/transfer.completed", "/aella", &["--key-id", "gone"]);
    assert_eq!((gone.code, statuses(&gone)), (Some(1), vec![(401, false)]), "{gone:?}");
    assert!(gone.stderr.contains("not valid now"), "{gone:?}");
    let none = send(&listener, "aella/transfer.completed", "/aella", &["--key-id", "nobody's"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("take --key-id with one of gone, new, old"), "{none:?}");
}

#[test]
fn tries_are_counted_and_the_address_may_come_from_the_file() {
    let listener = listen();
    let file = listener.folder().write("fixed.toml", config(listener.address()));
    let file = file.to_str().unwrap();
    for more in [&["--times", "3"][..], &["--times", "3", "--reseal", "--timeout", "30s"]] {
        // The only endpoint of its provider needs no name.
        let done = program(&[&["sibs/payment", "--config", file], more].concat()).run();
        let first_is_new = more.len() == 2;
        let expected = vec![(200, !first_is_new), (200, true), (200, true)];
        assert_eq!((done.code, statuses(&done)), (Some(0), expected), "{done:?}");
        assert!(done.json()[0]["body"].as_str().unwrap().contains("notificationID"), "{done:?}");
    }
    let which = program(&["mambu/loan-disbursed", "--config", file]).run();
    assert_eq!(which.code, Some(2));
    assert!(which.stderr.contains("take --endpoint with one of /mambu, /mambu-header"), "{which:?}");
}

#[test]
fn options_alone_are_enough_and_placeholders_take_values() {
    let listener = listen();
    let key = listener.folder().write("key", "canary_ae_sk_test_old\n");
    let aella = ["aella/transfer.completed", "--provider", "aella", "--to", &listener.url("/aella")];
    let by_env = program(&[&aella[..], &["--key-env", "AELLA_NEW"]].concat()).run();
    let by_file = program(&[&aella[..], &["--key-file", key.to_str().unwrap()]].concat()).run();
    let by_value = program(&[&aella[..], &["--dangerous-key", "canary_ae_sk_test_old"]].concat()).run();
    let strange = program(&[&aella[..], &["--dangerous-key", "another key altogether"]].concat()).run();
    for (done, expected) in [
        (by_env, (Some(0), vec![(200, false)])),
        (by_file, (Some(0), vec![(200, true)])),
        (by_value, (Some(0), vec![(200, true)])),
        (strange, (Some(1), vec![(401, false)])),
    ] {
        silent(&done);
        assert_eq!((done.code, statuses(&done)), expected, "{done:?}");
    }

    let mambu = ["--provider", "mambu", "--user", "mambu", "--password-env", "MAMBU_PASSWORD"];
    let to = listener.url("/mambu");
    let set = ["--set", "ACCOUNT_ID=L\"1", "--set", "LOAN_AMOUNT=12.50", "--to", &to, "--method", "PUT"];
    let from_stdin = [&["-"], &mambu[..], &set, &["--header", "content-type=application/xml"]].concat();
    let done = program(&from_stdin).stdin("<a b=\"{ACCOUNT_ID}\">{LOAN_AMOUNT}{CF:CLIENT:Score:1}</a>").run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let done = program(&[&["mambu/loan-disbursed"], &mambu[..], &set].concat()).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    silent(&done);
    assert_eq!(listener.json()["key_id"], "new");
    let payloads = [(); 2].map(|()| next(&listener, "accepted", "/mambu")["payload"].clone());
    assert_eq!(payloads[0], "<a b=\"L&quot;1\">12.50</a>");
    assert_eq!(payloads[1]["accountId"], "L\"1");
    assert_eq!((payloads[1]["amount"].as_f64(), payloads[1]["score"].as_str()), (Some(12.5), Some("")));
}

#[test]
fn a_providers_name_is_taken_with_either_dash() {
    for (name, code) in [("standard_webhooks", 0), ("standard-webhooks", 0), ("standard webhooks", 2)] {
        let to = "http://127.0.0.1:1/";
        let fixed = ["standard-webhooks/invoice.paid", "--key-env", "SW_KEY", "--to", to, "--dry-run"];
        let done = program(&[&fixed[..], &["--provider", name]].concat()).run();
        silent(&done);
        assert_eq!(done.code, Some(code), "{name}: {done:?}");
        assert_eq!(done.stderr.contains("as standard_webhooks"), code == 0, "{name}: {done:?}");
    }
}

/// Runs a script. Without curl this is to fail clearly, not to be skipped.
fn shell(script: &Done) -> Done {
    let curl = Program::other("sh", ["-c", "command -v curl && command -v base64"]).run();
    assert_eq!(curl.code, Some(0), "curl and base64 are needed for this test: apt-get install curl");
    let folder = Folder::new();
    let file = folder.write("script", script.stdout.join("\n"));
    let shell = Program::other("sh", [file]);
    ENVIRONMENT.iter().fold(shell, |shell, (name, value)| shell.env(name, value)).run()
}

#[test]
fn the_line_of_curl_sends_the_same_and_holds_no_secret() {
    let listener = listen();
    let long = format!("{{\"event\":\"it's\",\"data\":{{\"id\":\"l\",\"note\":\"{}\"}}}}\n", "x".repeat(200_000));
    let long = format!("@{}", listener.folder().write("long", long).display());
    let odd = "@@ $(id) `id` \\ \"'\n\n";
    let odd = format!("@{}", listener.folder().write("odd", odd).display());
    let pairs = [(long.as_str(), "/aella"), (&odd, "/hub"), (&odd, "/mambu")];
    for (at, (event, path)) in PAIRS.into_iter().chain(pairs).enumerate() {
        let key = format!("dry-{at}");
        let more = ["--idempotency-key", &key, "--dry-run"];
        let line = send(&listener, event, path, &more);
        assert_eq!(line.code, Some(0), "{path}: {line:?}");
        let answer = shell(&line);
        assert_eq!(answer.code, Some(0), "{path}: {line:?} {answer:?}");
        assert!(answer.stdout.iter().any(|line| line.starts_with("HTTP/1.1 200")), "{path}: {line:?} {answer:?}");
        next(&listener, "accepted", path);
        // The same event by `send` itself: nothing differs.
        let again = send(&listener, event, path, &more[..2]);
        assert_eq!(statuses(&again), [(200, true)], "{path}: {again:?}");
        next(&listener, "duplicate", path);
    }
    let tampered = send(&listener, "opp/payment", "/opp", &["--tamper", "--dry-run"]);
    let answer = shell(&tampered);
    assert!(answer.stdout.iter().any(|line| line.starts_with("HTTP/1.1 401")), "{answer:?}");
    for path in ["/mambu", "/mambu-header", "/token"] {
        let more = ["--tamper", "signature", "--dry-run"];
        let secret = send(&listener, "mambu/loan-disbursed", path, &more);
        assert_eq!((secret.code, secret.stdout.len()), (Some(2), 0), "{secret:?}");
    }
}

/// A server of one answer a connection; with nothing to answer it hangs up. Hands back what it was sent.
fn server(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = move || {
        let take = |answer: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            let read = request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            read
        };
        answers.iter().map(take).collect()
    };
    (address, thread::spawn(serve))
}

/// One request, whole.
fn request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "hung up: {head}");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn a_retry_brings_the_same_bytes_and_resealing_does_not() {
    let folder = Folder::new();
    let event = format!("@{}", folder.write("event", "{}").display());
    let file = folder.write("receiver.toml", config("127.0.0.1:0"));
    for (more, same) in [(&["--times", "2"][..], true), (&["--times", "2", "--reseal"], false)] {
        let (address, served) = server(&[EMPTY, EMPTY]);
        let to = format!("http://{address}/a?b=c");
        let arguments = [&event, "--config", file.to_str().unwrap(), "--endpoint", "/sibs", "--to", &to];
        let extra = ["--header", "x-a=1", "--header", "x-a=2", "--header", "content-type=a/b"];
        let done = program(&[&arguments, more, &extra].concat()).run();
        assert_eq!((done.code, statuses(&done)), (Some(0), vec![(204, false); 2]), "{done:?}");
        let requests = served.join().unwrap();
        assert_eq!(requests[0] == requests[1], same, "{requests:?}");
        assert!(requests[0].starts_with("POST /a?b=c HTTP/1.1\r\n"), "{requests:?}");
        for line in [&format!("host: {address}"), "x-a: 1\r\nx-a: 2", "content-type: a/b"] {
            assert!(requests[0].to_lowercase().contains(&format!("\r\n{line}\r\n")), "{line}: {requests:?}");
        }
    }
}

#[test]
fn what_is_not_answered_with_2xx_is_not_delivered() {
    let folder = Folder::new();
    let event = format!("@{}", folder.write("event", "{}").display());
    for (answer, status, tampered) in [
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n", Some(302), 1),
        ("HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n", Some(503), 1),
        ("HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n", Some(400), 0),
        ("nonsense\r\n\r\n", None, 1),
        ("", None, 1),
    ] {
        for (more, code) in [(&[][..], 1), (&["--tamper", "signature"], tampered)] {
            let (address, served) = server(vec![answer].leak());
            let to = format!("http://{address}/");
            let arguments = [&event, "--provider", "aella", "--key-env", "AELLA_NEW", "--to", &to];
            let done = program(&[&arguments, more].concat()).run();
            assert_eq!((done.code, done.json()[0]["status"].as_i64()), (Some(code), status), "{answer} {done:?}");
            assert_eq!(done.json()[0]["error"].is_string(), status.is_none(), "{done:?}");
            served.join().unwrap();
        }
    }
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{}", "y".repeat(5000));
    let (address, served) = server(vec![&*long.leak()].leak());
    let to = format!("http://{address}/");
    let done = program(&[&event, "--provider", "aella", "--key-env", "AELLA_NEW", "--to", &to]).run();
    assert_eq!((done.code, done.json()[0]["body"].as_str().unwrap().len()), (Some(0), 1024));
    served.join().unwrap();

    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}/", mute.local_addr().unwrap());
    let arguments = [&event, "--provider", "aella", "--key-env", "AELLA_NEW", "--to", &to, "--timeout", "50ms"];
    let done = program(&arguments).run();
    assert_eq!((done.code, &done.json()[0]["error"]), (Some(1), &"no answer within 50 ms".into()), "{done:?}");
}

#[test]
fn wrong_arguments_end_with_2_and_say_what_would_be_right() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config("127.0.0.1:0"));
    let file = file.to_str().unwrap();
    let event = "aella/transfer.completed";
    let aella = ["--provider", "aella", "--key-env", "AELLA_NEW"];
    let here = ["--to", "http://127.0.0.1:1/"];
    let cases: &[(&[&str], &str)] = &[
        (&[&[event][..], &aella, &["--to", "http://192.0.2.1/"]].concat(), "--dangerous-any-host"),
        (&[&[event][..], &aella, &["--to", "http://192.0.2.1/", "--dry-run"]].concat(), "--dangerous-any-host"),
        (&[&[event][..], &aella, &["--to", "https://192.0.2.1/"]].concat(), "--dangerous-any-host"),
        (
            &[&[event][..], &aella, &["--to", "https://127.0.0.1/", "--ca", "nowhere.pem"]].concat(),
            "--ca: nowhere.pem ",
        ),
        (&[&[event][..], &aella, &here, &["--ca", "ca.pem"]].concat(), "mean nothing for http"),
        (&[&[event][..], &aella, &here, &["--cert", "c.pem"]].concat(), "--cert-key"),
        (&[&[event][..], &aella, &["--to", "http://a:b@127.0.0.1/"]].concat(), "--password-env"),
        (&[&[event][..], &aella].concat(), "--to: is missing"),
        (&[&["aella/nothing"][..], &aella, &here].concat(), "send --list"),
        (&[&["@/nowhere/at/all"][..], &aella, &here].concat(), "cannot be read"),
        (&[&[event, "--key", "canary"][..], &aella, &here].concat(), "unexpected argument '--key'"),
        (&[&[event, "--provider", "aella"][..], &here].concat(), "give --key-env NAME or --key-file FILE"),
        (&[&[event, "--provider", "aella", "--key-env", "UNSET"][..], &here].concat(), "--key-env: UNSET is not set"),
        (&[&[event, "--provider", "mambu"][..], &here].concat(), "give --user NAME and --password-env NAME"),
        (&[&[event, "--provider", "custom", "--key-env", "TOKEN"][..], &here].concat(), "give --config and --endpoint"),
        (&[&[event, "--provider", "nobody"][..], &here].concat(), "banking_circle"),
        (&[&[event][..], &here].concat(), "--config"),
        (&[&[event, "--config", file, "--provider", "aella"][..], &here].concat(), "cannot be used with"),
        (&[&[event, "--config", file, "--endpoint", "/x"][..], &here].concat(), "take --endpoint with one of /mambu"),
        (&[&[event, "--config", "nowhere.toml"][..], &here].concat(), "nowhere.toml"),
        (&[&[event, "--set", "A=b"][..], &aella, &here].concat(), "there is no {A} in this event"),
        (&[&["mambu/loan-disbursed", "--set", "A=b"][..], &aella, &here].concat(), "there is no {A} in this event"),
        (&[&[event, "--times", "0"][..], &aella, &here].concat(), "--times"),
        (&[&[event, "--timeout", "0s"][..], &aella, &here].concat(), "--timeout"),
        (&[&[event, "--header", "a b=c"][..], &aella, &here].concat(), "is not a header name"),
        (&[&[event, "--header", "Content-Length=3"][..], &aella, &here].concat(), "content-length is that of the body"),
        (&[&[event, "--header", "transfer-encoding=chunked"][..], &aella, &here].concat(), "is that of the body"),
        (&[&[event, "--provider", "aella", "--dangerous-key", ""][..], &here].concat(), "--dangerous-key: "),
        (
            &[&["mambu/loan-disbursed", "--provider", "mambu", "--user", "a:b", "--password-env", "TOKEN"][..], &here]
                .concat(),
            "--user: ",
        ),
        (&[], "EVENT"),
    ];
    for (arguments, right) in cases {
        let done = program(arguments).run();
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(right), "{arguments:?}: {done:?}");
    }
    // Only what is used of the file has to be there.
    let lonely = Program::new(["send", event, "--config", file, "--dry-run"]).env("AELLA_NEW", "canary_ae_sk_test_new");
    let done = lonely.run();
    assert!(done.stderr.contains("--to: is missing"), "{done:?}");
    let unset = Program::new(["send", event, "--config", file, "--dry-run"]).run();
    assert!(unset.stderr.contains("AELLA_NEW is not set"), "{unset:?}");
    assert_eq!((done.code, unset.code), (Some(2), Some(2)));
}

#[test]
fn an_address_without_a_path_gets_the_endpoint_s_and_keeps_its_query() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config("127.0.0.1:0"));
    for (to, line) in [("?z=1", "POST /aella?z=1 HTTP/1.1\r\n"), ("/?z=1", "POST /?z=1 HTTP/1.1\r\n")] {
        let (address, served) = server(&[EMPTY]);
        let to = format!("http://{address}{to}");
        let done = program(&["aella/transfer.completed", "--config", file.to_str().unwrap(), "--to", &to]).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        let requests = served.join().unwrap();
        assert!(requests[0].starts_with(line), "{requests:?}");
    }
}

#[test]
fn why_an_event_cannot_be_sealed_is_said() {
    const MORE: &str = r#"
[[endpoint]]
path = "/public"
provider = "standard_webhooks"
signature = "v1a"
keys = [{ id = "k", value = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=" }]

[[endpoint]]
path = "/tenant"
provider = "custom"
keys = [{ id = "k", env = "HUB_KEY" }]
scheme = { mac = "hmac-sha256", header = "x-signature", signed = "{header:x-id}.{header:x-tenant}.{body}" }
key = { header = "x-id" }

[[endpoint]]
path = "/param"
provider = "custom"
keys = [{ id = "k", env = "HUB_KEY" }]
scheme = { mac = "hmac-sha256", header = "x-signature", params = ",", signed = "{param:n}.{body}" }
key = { header = "x-id" }
"#;
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config("127.0.0.1:0") + MORE);
    let file = file.to_str().unwrap();
    let (event, here) = ("standard_webhooks/invoice.paid", ["--to", "http://127.0.0.1:1/", "--dry-run"]);
    for (path, said) in [
        ("/public", "its keys are public, and only its sender can sign"),
        ("/tenant", "header x-tenant is signed and has no value; give --header x-tenant=VALUE"),
        ("/param", "parameter n is signed and has no value"),
    ] {
        let done = program(&[&[event, "--config", file, "--endpoint", path][..], &here].concat()).run();
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
        assert!(done.stderr.contains(said) && !done.stderr.contains("valid at this time"), "{done:?}");
    }
    let given = [event, "--config", file, "--endpoint", "/tenant", "--header", "x-tenant=7"];
    let done = program(&[&given[..], &here].concat()).run();
    assert_eq!(done.code, Some(0), "{done:?}");
}
