//! Bodies that are deep, long, or both.

use super::process::{MIB, peak, resident};
use super::{KEY, body, exchange, listener, said_until, statuses, with_head};
use crate::program::child::Listener;
use crate::program::wire::Raw;

fn signed(event: &str) -> Vec<u8> {
    with_head(&format!("content-length: {}\r\n", event.len()), event.as_bytes(), event.as_bytes())
}

/// An event with a member of so many arrays in each other.
fn deep(id: &str, levels: usize) -> String {
    body(id).replacen("\"data\":{", &format!("\"data\":{{\"deep\":{}{},", "[".repeat(levels), "]".repeat(levels)), 1)
}

#[test]
fn fifty_thousand_levels_are_refused_in_flat_memory() {
    let listener = listener();
    assert_eq!(statuses(&exchange(&listener, &signed(&deep("shallow", 100)))), [200]);
    let attack = |count| {
        for _ in 0..count {
            assert_eq!(statuses(&exchange(&listener, &signed(&deep("deep", 50_000)))), [400]);
            // Not even closed.
            assert_eq!(statuses(&exchange(&listener, &signed(&"[".repeat(50_000)))), [400]);
        }
    };
    attack(5);
    let handled = ["shallow", "before"].map(|id| format!("transfer.completed|{id}"));
    assert_eq!(said_until(&listener, "before"), handled);
    let before = resident(&listener);
    attack(100);
    assert_eq!(said_until(&listener, "after"), ["transfer.completed|after"]);
    let after = resident(&listener);
    println!("RSS before: {before} KiB, after: {after} KiB");
    assert!(after < before + 8 * MIB, "{before} KiB before, {after} KiB after");
}

const FIFTY: usize = 50_000_000;

/// `/core` takes 50 MB, proved by a password, since to hash them takes a build for tests too long.
fn core() -> Listener {
    Listener::start(&format!(
        "listen = \"127.0.0.1:0\"\nquiet_payloads = true\n[[endpoint]]\npath = \"/core\"\nprovider = \"mambu\"\n\
         max_body = {FIFTY}\nbasic_auth = [{{ username = \"u\", password = {{ value = \"{KEY}\" }} }}]\n"
    ))
}

fn batch(id: &str, length: usize) -> Raw {
    let entry = format!("{{\"booking\":\"{}\"}}", "0".repeat(1000));
    let (start, end) = ("{\"bookings\":[", "]}");
    let count = (length - start.len() - end.len()) / (entry.len() + 1);
    let mut text = format!("{start}{}{end}", vec![entry; count].join(","));
    text += &" ".repeat(length - text.len());
    let password = crate::program::wire::base64(format!("u:{KEY}").as_bytes());
    let headers = [("authorization", format!("Basic {password}")), ("x-notifications-idempotency-key", id.to_owned())];
    Raw::new("/core", &headers, text)
}

#[test]
fn fifty_megabytes_pass_and_one_byte_more_does_not_and_none_of_it_stays() {
    let listener = core();
    assert_eq!(statuses(&exchange(&listener, &batch("small", 2000).bytes())), [200]);
    let before = resident(&listener);
    assert_eq!(statuses(&exchange(&listener, &batch("fifty", FIFTY).bytes())), [200]);
    let highest = peak(&listener);
    assert_eq!(statuses(&exchange(&listener, &batch("more", FIFTY + 1).bytes())), [413]);
    let after = resident(&listener);
    println!("RSS before: {before} KiB, highest: {highest} KiB, after: {after} KiB");
    assert!(highest < before + 6 * 48 * MIB, "{before} KiB before, {highest} KiB at most");
    assert!(after < before + 24 * MIB, "{before} KiB before, {after} KiB after");
    let handled: Vec<_> = (0..2).map(|_| listener.json()["verdict"].clone()).collect();
    assert_eq!(handled, ["accepted", "accepted"]);
    assert_eq!(listener.json()["kind"], "body_too_large");
}
