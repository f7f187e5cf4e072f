//! What the program says while deliveries take every way: no secret, no payload, no credentials, and no orders to a terminal.

use super::admin::metrics;
use super::child::{Done, Folder, Listener};
use super::kept::{self, ask, wait_for};
use super::upstream::{Upstream, aella};
use super::wire::{Raw, base64, hex, hmac512};
use crate::secrecy::{CANARIES, MASKED, QUOTE, leaks};

/// Orders to a terminal: an escape, the same in one byte, a turn of direction.
const ORDERS: &str = "\u{1b}[31m\u{9b}2J\u{202e}";

fn config(quiet: bool, to: &str) -> String {
    let [secret, password, ..] = CANARIES;
    let endpoint = |path: &str, more: &str| {
        format!(
            "[[endpoint]]\npath = \"/{path}\"\nprovider = \"aella\"\nkeys = [{{ id = \"k\", value = \"{secret}\" }}]\n\
             basic_auth = [{{ username = \"u\", password = {{ value = \"{password}\" }} }}]\n{more}\n"
        )
    };
    format!(
        "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\nquiet_payloads = {quiet}\n{}{}",
        endpoint(
            "printed",
            "candidate = { provider = \"aella\", keys = [{ id = \"n\", value = \"canary-of-next-year\" }] }"
        ),
        endpoint("forwarded", &format!("forward_to = \"http://{to}/\""))
    )
}

/// A transfer with everything that is nobody's business.
fn transfer(path: &str, id: &str, amount: &str) -> Raw {
    let [secret, password, name, iban, card, token] = CANARIES;
    let body = format!(
        r#"{{"event":"transfer.completed","data":{{"id":"{id}","senderName":"{name}","receiverAccountNumber":"{iban}","card":"{card}","amount":{amount}}}}}"#
    );
    let headers = [
        ("x-aella-signature", hex(&hmac512(secret.as_bytes(), &[body.as_bytes()]))),
        ("authorization", format!("Basic {}", base64(format!("u:{password}").as_bytes()))),
        ("cookie", token.to_owned()),
    ];
    Raw::new(&format!("{path}?token={token}"), &headers, body)
}

fn with(mut raw: Raw, name: &str, value: &str) -> Raw {
    raw.headers.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| value.clone_into(old));
    raw
}

/// Success, repeat, contradiction, refusals and failures. The statuses, the numbers, and all that was said.
fn scene(quiet: bool) -> (Vec<u16>, String, Done) {
    let upstream = Upstream::start();
    let listener = Listener::start(&config(quiet, &upstream.address));
    let token = CANARIES[5];
    let requests = [
        transfer("/printed", "1", "1"),
        transfer("/printed", "1", "1"),
        transfer("/printed", "1", "2"),
        with(transfer("/printed", "2", "1"), "authorization", &format!("Basic {}", base64(b"u:canary-guess"))),
        with(transfer("/printed", "2", "1"), "authorization", &format!("Bearer {token}")),
        with(transfer("/printed", "2", "1"), "x-aella-signature", &"ca".repeat(64)),
        with(transfer("/printed", "2", "1"), "x-aella-signature", token),
        transfer("/printed", "3", "\"canary\""),
        transfer("/printed", "4", "canary"),
        transfer("/printed", "5", "1,\"amount\":1"),
        transfer("/forwarded", "6", "1"),
        transfer("/forwarded", "7", "1"),
    ];
    // What a ledger may quote in its refusal.
    for answer in [
        "500 no account DE89370400440532013000\r\nx-error: Canary Jane\r\ncontent-length: 0",
        "422 no\r\ntower-webhook-dead: card 4111111111111111\r\ncontent-length: 0",
    ] {
        upstream.answers.send(answer).unwrap();
    }
    let statuses = requests.iter().map(|request| request.send(listener.address()).status).collect();
    let numbers = metrics(listener.admin());
    (statuses, numbers, listener.stop())
}

#[test]
fn no_way_of_a_delivery_makes_the_program_say_a_canary() {
    let (statuses, numbers, done) = scene(true);
    assert_eq!(statuses[..10], [200, 200, 422, 401, 401, 401, 400, 400, 400, 400], "{}", done.said());
    assert!(statuses[10..].iter().all(|status| *status >= 400), "{statuses:?}");
    for (place, text) in [("stdout and stderr", &done.said()), ("the numbers", &numbers)] {
        assert_eq!(leaks(text), Vec::<&str>::new(), "in {place}: {text}");
    }
    for told in ["accepted", "payload_mismatch", "credentials_wrong", "signature_mismatch", "payload_malformed"] {
        assert!(done.said().contains(told), "{told} is not in {}", done.said());
    }
    assert!(done.stderr.contains("the candidate would refuse"), "{}", done.stderr);
    assert!(numbers.contains("credentials_wrong"), "{numbers}");
}

/// Without quiet payloads events are printed as they are, and the test above would notice.
#[test]
fn events_that_may_be_printed_are_and_would_be_noticed() {
    let (_, numbers, done) = scene(false);
    let said = done.said();
    assert!(leaks(&said).contains(&CANARIES[2]) && leaks(&said).contains(&CANARIES[3]), "{said}");
    for secret in [CANARIES[0], CANARIES[1], CANARIES[5], "canary-guess", "canary-of-next-year"] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
    assert_eq!(leaks(&numbers), Vec::<&str>::new());
}

/// A service's own words for why an event is a dead letter.
#[test]
fn a_reason_that_quotes_numbers_is_masked_wherever_it_is_told() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let listener =
        Listener::start(&kept::config(&folder, &format!("forward_to = \"http://{}/\"", upstream.address), ""));
    assert_eq!(aella("1").send(listener.address()).status, 200);
    let id = listener.json()["id"].as_str().unwrap().to_owned();
    let answer = format!("422 X\r\ntower-webhook-dead: {QUOTE}\r\ncontent-length: 0");
    upstream.answers.send(Box::leak(answer.into_boxed_str())).unwrap();
    wait_for(&listener, "dead", 1);
    let (row, history) = (ask(&listener, &["list"]).to_string(), ask(&listener, &["show", &id]).to_string());
    let line = listener.json().to_string();
    for (place, text) in [("the line", line), ("the list", row), ("the history", history)] {
        assert!(text.contains(MASKED), "in {place}: {text}");
        assert_eq!(leaks(&text), Vec::<&str>::new(), "in {place}: {text}");
    }
    let done = listener.stop();
    assert_eq!(leaks(&done.said()), Vec::<&str>::new(), "{}", done.said());
}

fn is_order(letter: char) -> bool {
    letter != '\n' && (letter.is_control() || letter == '\u{202e}')
}

#[test]
fn what_senders_and_strangers_write_gives_no_orders_to_who_reads_the_lines() {
    let upstream = Upstream::start();
    let listener = Listener::start(&config(false, &upstream.address));
    let escaped: String = ORDERS.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect();
    for (at, orders) in [ORDERS.replace('\u{1b}', "\\u001b"), escaped].into_iter().enumerate() {
        assert_eq!(transfer("/printed", &format!("{at}{orders}"), "1").send(listener.address()).status, 200);
        let line = listener.running().line();
        assert!(!line.contains(is_order), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["payload"]["data"]["id"], format!("{at}{ORDERS}"), "it says the same: {line}");
    }
    let stranger = Raw::new("/nowhere\u{9b}2J\u{202e}", &[], "{}");
    assert!(stranger.send(listener.address()).status >= 400);
    let done = listener.stop();
    assert!(!done.said().contains(is_order), "{:?}", done.said());
}
