//! What an upstream may trust: which headers come from the program alone, and what each of them says.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::child::Listener;
use super::faults::faults;
use super::upstream::{TRACE, Upstream, aella, forwarding};
use super::wire::{Raw, base64, hex, hmac256};

const OK: &str = "200 OK\r\ncontent-length: 0";

/// The headers of a request as it was seen, in lower case.
fn head(upstream: &Upstream) -> Vec<String> {
    let seen = upstream.seen.recv().unwrap();
    let (head, _) = seen.split_once("\r\n\r\n").unwrap();
    head.to_ascii_lowercase().lines().skip(1).map(str::to_owned).collect()
}

fn header<'a>(head: &'a [String], name: &str) -> Vec<&'a str> {
    head.iter().filter_map(|line| line.strip_prefix(&format!("{name}:"))).map(|value| value.trim_ascii()).collect()
}

fn custom(to: &str, key: &str) -> String {
    format!(
        "[[endpoint]]\npath = \"/x\"\nname = \"bank é\"\nprovider = \"custom\"\n\
         keys = [{{ id = \"k\", value = \"an example of a secret\" }}]\n\
         scheme = {{ mac = \"hmac-sha256\", header = \"x-signature\", encoding = \"hex\", signed = \"{{body}}\" }}\n\
         key = {key}\nforward_to = \"http://{to}/\"\n"
    )
}

fn keyed(body: &str, headers: &[(&str, String)]) -> Raw {
    let signature = ("x-signature", hex(&hmac256(b"an example of a secret", &[body.as_bytes()])));
    Raw::new("/x", &[headers, &[signature]].concat(), body)
}

#[test]
fn keys_that_differ_in_white_space_are_headers_that_differ() {
    let upstream = Upstream::start();
    let listener = Listener::start(&custom(&upstream.address, "{ json = \"/id\" }"));
    for (key, value) in [
        ("w", "w"),
        ("w ", "w%20"),
        (" w", "%20w"),
        ("w%20", "w%2520"),
        ("w w", "w w"),
        ("  w\\t", "%20%20w%09"),
        ("é", "%c3%a9"),
    ] {
        upstream.answers.send(OK).unwrap();
        let answer = keyed(&format!("{{\"id\":\"{key}\"}}"), &[]).send(listener.address());
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, None), "{key:?}");
        let head = head(&upstream);
        assert_eq!(header(&head, "tower-webhook-key"), [value], "{key:?}: {head:?}");
        assert_eq!(header(&head, "tower-webhook-receiver"), ["bank %c3%a9"], "{head:?}");
    }
}

#[test]
fn no_header_of_the_sender_passes_for_one_of_ours_in_any_spelling() {
    let upstream = Upstream::start();
    let listener = Listener::start(&custom(&upstream.address, "{ json = \"/id\" }"));
    let forged = [
        "tower_webhook_key",
        "Tower_Webhook-Key",
        "tower-webhook_fence",
        "TOWER_WEBHOOK_RECEIVER",
        "tower-webhook-attempt",
        "tower_webhook_anything",
        "accept-encoding",
    ];
    let mut headers: Vec<(&str, String)> = forged.iter().map(|name| (*name, "canary, gzip".to_owned())).collect();
    headers.push(("x_tower_webhook", "stays".to_owned()));
    upstream.answers.send(OK).unwrap();
    assert_eq!(keyed("{\"id\":1}", &headers).send(listener.address()).status, 200);
    let head = head(&upstream);
    assert!(!head.iter().any(|line| line.contains("canary")), "{head:?}");
    assert_eq!(header(&head, "x_tower_webhook"), ["stays"], "{head:?}");
    assert_eq!(header(&head, "tower-webhook-fence"), ["1"], "{head:?}");
}

#[test]
fn a_trace_goes_on_as_it_came_and_what_cannot_be_read_does_not() {
    let upstream = Upstream::start();
    let listener = Listener::start(&custom(&upstream.address, "{ json = \"/id\" }"));
    let later = TRACE.replacen("00-", "cc-", 1) + "-more";
    let state = ("tracestate", "k=v");
    for (id, (sent, goes_on)) in [
        (vec![("traceparent", TRACE), state], true),
        (vec![("traceparent", &later), state], true),
        (vec![("traceparent", TRACE), ("TraceParent", TRACE), state], false),
        (vec![("traceparent", "canary"), state], false),
        (vec![("traceparent", &format!("{TRACE}-canary")), state], false),
        (vec![state], false),
    ]
    .into_iter()
    .enumerate()
    {
        let headers: Vec<(&str, String)> = sent.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        upstream.answers.send(OK).unwrap();
        assert_eq!(keyed(&format!("{{\"id\":{id}}}"), &headers).send(listener.address()).status, 200, "{sent:?}");
        let head = head(&upstream);
        let expected = if goes_on { (vec![sent[0].1], vec!["k=v"]) } else { (vec![], vec![]) };
        assert_eq!((header(&head, "traceparent"), header(&head, "tracestate")), expected, "{sent:?}");
    }
}

fn standard(to: &str, more: &str) -> String {
    format!(
        "[[endpoint]]\npath = \"/standard\"\nprovider = \"standard_webhooks\"\n\
         keys = [{{ id = \"k\", value = \"whsec_{}\" }}]\nforward_to = \"http://{to}/\"\n{more}\n",
        base64(&[7; 24])
    )
}

fn invoice(id: &str) -> Raw {
    let (time, body) = (super::listen::seconds_ago(1).to_string(), r#"{"type":"invoice.paid","data":{}}"#);
    let signature = base64(&hmac256(&[7; 24], &[id.as_bytes(), b".", time.as_bytes(), b".", body.as_bytes()]));
    let headers =
        [("webhook-id", id.to_owned()), ("webhook-timestamp", time), ("webhook-signature", format!("v1,{signature}"))];
    Raw::new("/standard", &headers, body)
}

#[test]
fn a_410_of_the_upstream_switches_no_sender_off_unless_told_to() {
    const GONE: &str = "410 Gone\r\ncontent-length: 0";
    let upstream = Upstream::start();
    for (more, status) in [("", 502), ("pass_gone = true", 410), ("pass_gone = false", 502)] {
        let listener = Listener::start(&standard(&upstream.address, more));
        upstream.answers.send(GONE).unwrap();
        assert_eq!(invoice("1").send(listener.address()).status, status, "{more}");
        upstream.seen.recv().unwrap();
        let line = listener.json();
        assert_eq!((&line["status"], &line["kind"]), (&json!(status), &json!("handler_failed")), "{line}");
        assert_eq!(line["detail"], "the upstream answered 410", "{line}");
        upstream.answers.send(OK).unwrap();
        assert_eq!(invoice("1").send(listener.address()).status, 200, "the claim was released: {more}");
        upstream.seen.recv().unwrap();
    }
}

#[test]
fn of_a_good_answer_64_kib_go_on_and_no_redirect_is_followed() {
    let (upstream, elsewhere) = (Upstream::start(), Upstream::start());
    let listener = Listener::start(&forwarding(&upstream.address));
    for (bytes, passed) in [(65_536, 65_536), (65_537, 0)] {
        let long = format!("200 OK\r\ncontent-length: {bytes}\r\n\r\n{}", "x".repeat(bytes));
        upstream.answers.send(long.leak()).unwrap();
        let answer = aella(&bytes.to_string()).send(listener.address());
        assert_eq!((answer.status, answer.body.len()), (200, passed), "{}", answer.head);
    }
    for status in ["301 Moved", "304 Same", "307 There"] {
        let redirect = format!("{status}\r\nlocation: http://{}/\r\ncontent-length: 0", elsewhere.address);
        upstream.answers.send(redirect.leak()).unwrap();
        let answer = aella(status).send(listener.address());
        assert_eq!((answer.status, answer.header("location")), (502, None), "{status}");
    }
    assert!(elsewhere.seen.try_recv().is_err(), "nothing of an event goes where nobody of the file is");
}

#[test]
fn an_upstream_that_is_too_slow_is_told_by_the_fence_and_the_operator_by_a_warning() {
    let upstream = Upstream::start();
    let listener = Listener::start(&forwarding(&upstream.address).replace("\"1s\"", "\"200ms\""));
    assert_eq!(aella("slow").send(listener.address()).status, 503);
    assert_eq!(header(&head(&upstream), "tower-webhook-fence"), ["1"]);
    assert_eq!(aella("slower").send(listener.address()).status, 503);
    upstream.answers.send(OK).unwrap();
    assert_eq!(header(&head(&upstream), "tower-webhook-fence"), ["1"]);
    upstream.answers.send(OK).unwrap();
    upstream.answers.send(OK).unwrap();
    // The key rests for as long as the sender was asked to wait.
    while aella("slow").send(listener.address()).status == 503 {
        thread::sleep(Duration::from_millis(100));
    }
    let again = head(&upstream);
    assert_eq!(header(&again, "tower-webhook-fence"), ["2"]);
    assert_eq!(header(&again, "tower-webhook-key"), ["transfer.completed|slow"]);
    let done = listener.stop();
    let warnings: Vec<&str> = done.stderr.lines().collect();
    assert_eq!(warnings.len(), 1, "{done:?}");
    for word in ["warning: /aella: the upstream did not answer within 200ms", "tower-webhook-fence", "forward_timeout"]
    {
        assert!(warnings[0].contains(word), "{word} is not in {done:?}");
    }
}

#[test]
fn nothing_is_forwarded_in_clear_beyond_this_machine_unless_danger_is_named() {
    let config = |to: &str, more: &str| {
        format!(
            "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
             keys = [{{ id = \"k\", value = \"ae_sk_test_example\" }}]\nforward_to = \"http://{to}/\"\n{more}\n"
        )
    };
    for to in [
        "192.0.2.1",
        "example.com:3000",
        "[2001:db8::1]:3000",
        "[fe80::1]",
        "[::]:1",
        "[::ffff:192.0.2.1]",
        "127.1",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "0.0.0.0:1",
    ] {
        let told = faults(&config(to, ""));
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert!(told[0].starts_with("endpoint[0].forward_to: "), "{told:?}");
        assert!(told[0].contains("dangerous_forward_in_clear = true"), "{told:?}");
        let told = faults(&config(to, "dangerous_forward_in_clear = false"));
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert_eq!(Listener::start(&config(to, "dangerous_forward_in_clear = true")).stop().code, Some(0), "{to}");
    }
    for to in ["127.0.0.1", "127.9.9.9:3000", "[::1]:3000", "LocalHost:3000"] {
        assert_eq!(Listener::start(&config(to, "")).stop().code, Some(0), "{to}");
    }
    // What looks like this machine is a user's name, whatever is named.
    for more in ["", "dangerous_forward_in_clear = true"] {
        let told = faults(&config("127.0.0.1@192.0.2.1", more));
        assert_eq!(told.len(), 1, "{more}: {told:?}");
        assert!(told[0].starts_with("endpoint[0].forward_to: "), "{told:?}");
    }
}
