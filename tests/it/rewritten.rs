//! A retry that was serialised anew is the same event, for every provider: it is handled when the first try failed, and
//! acknowledged when it did not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::{self, StandardWebhooks};
use tower_webhook::provider::{Lookup, Message, Provider};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Sealing, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{TRANSFER, aella, bank, counting, now, read};
use crate::rewriting::Doc;

const BANKED: &str = include_str!("../fixtures/banking-circle/incoming-payment-processed.json");
const PAYMENT: &str = include_str!("../fixtures/opp/payment.json");
const PURCHASE: &str = include_str!("../fixtures/sibs/payment.json");
const PLAIN: &str =
    r#"{"type":"paid","timestamp":"2026-11-21T12:00:00Z","data":{"id":"7","amount":10000,"by":"é / \\"}}"#;

fn opp() -> Opp {
    Opp::new(Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f").unwrap()).unwrap()
}

fn sibs() -> Sibs {
    Sibs::new(Secret::base64("AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=").unwrap()).unwrap()
}

fn webhooks() -> StandardWebhooks {
    StandardWebhooks::new(standard_webhooks::secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()).unwrap()
}

pub(crate) fn custom(key: Lookup) -> Custom {
    let signed = Signed::new("x-signature".parse().unwrap(), Encoding::Hex);
    let secret = Secret::utf8("a secret that is long enough").unwrap();
    Custom::new(Hmac::new(MacAlgorithm::HmacSha256, signed, secret).unwrap(), [key]).unwrap()
}

fn mambu() -> Mambu {
    let token = Secret::utf8("a secret that is long enough").unwrap();
    Mambu::static_header("x-api-key".parse().unwrap(), token).unwrap()
}

fn request(provider: &impl Provider, body: &str, at: Timestamp) -> Request<Full<Bytes>> {
    let message = Message::new(body.to_owned()).idempotency_key("key-1");
    provider.seal(message, &Sealing::new(at, &counting)).unwrap().map(Full::new)
}

/// What each of these bodies is answered, where the handler fails as often as told; and how often it ran.
async fn answers<P: Provider>(new: fn() -> P, failures: usize, bodies: &[&str]) -> (Vec<(u16, bool)>, usize) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let receiver = Receiver::new("here", new()).clock(now()).dedupe(MemoryStore::new(100));
    let service = receiver.handle(move |_: Received<P::Event>| {
        let fails = count.fetch_add(1, Ordering::SeqCst) < failures;
        async move { if fails { Err("the ledger is down") } else { Ok(()) } }
    });
    let mut answers = Vec::new();
    for body in bodies {
        let response = service.clone().oneshot(request(&new(), body, now())).await.unwrap();
        let (status, replayed, _) = read(response).await;
        answers.push((status, replayed));
    }
    (answers, runs.load(Ordering::SeqCst))
}

/// Whether a rewritten body is the same event, and one that says something else under the same key is not.
async fn check<P: Provider>(new: fn() -> P, body: &str, said: &str, instead: &str, other: (u16, bool)) {
    let name = new().profile().name;
    let doc = Doc::read(body);
    let [retry, repeat, changed] =
        [(7, body), (11, body), (13, &*body.replace(said, instead))].map(|(seed, body)| Doc::read(body).write(seed));
    assert!(retry != body && retry != repeat && Doc::read(&retry) == doc && Doc::read(&changed) != doc, "{name}");
    let (told, runs) = answers(new, 1, &[body, &retry, &repeat, body, &changed]).await;
    assert_eq!(told, [(500, false), (200, false), (200, true), (200, true), other], "{name}");
    assert_eq!(runs, if other.0 == 200 { 3 } else { 2 }, "{name}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_was_written_anew_is_handled_and_a_repeat_is_told_so() {
    let mismatch = (422, false);
    check(aella, TRANSFER, "10000", "10001", mismatch).await;
    check(bank, BANKED, "1250.35", "1250.350", mismatch).await;
    check(sibs, PURCHASE, "16.20", "16.21", mismatch).await;
    check(webhooks, PLAIN, "10000", "\"10000\"", mismatch).await;
    check(|| custom(Lookup::json("/data/id").unwrap()), PLAIN, "10000", "1e4", mismatch).await;
    check(|| custom(Lookup::header("x-id").unwrap()), PLAIN, "\"by\"", "\"of\"", mismatch).await;
    check(mambu, PLAIN, "10000", "10001", mismatch).await;
    // What it says is part of its key, so that whatever says something else is another event.
    check(opp, PAYMENT, "92.00", "92.01", (200, false)).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_json_is_its_bytes() {
    for (body, other) in
        [("<paid/>", "<paid />"), ("{\"a\":}", "{\"a\": }"), ("{\"a\":1,\"a\":1}", "{\"a\":1, \"a\":1}")]
    {
        let (told, _) = answers(mambu, 1, &[body, body, body, other]).await;
        assert_eq!(told, [(500, false), (200, false), (200, true), (422, false)], "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_changes_within_a_second_are_two_events_and_their_repeats_are_none() {
    let updated = |brand: &str| {
        format!(
            r#"{{"type":"REGISTRATION","action":"UPDATED","payload":{{"id":"r","paymentBrand":"{brand}",
            "result":{{"code":"000.000.000"}},"timestamp":"2015-12-07 16:46:09+0000"}}}}"#
        )
    };
    let [first, second] = [updated("VISA"), updated("MASTER")];
    let again = Doc::read(&second).write(3);
    let (told, runs) = answers(opp, 0, &[&first, &second, &first, &again]).await;
    assert_eq!((told, runs), (vec![(200, false), (200, false), (200, true), (200, true)], 2));
}

/// The same transaction without an id of its own for the notification.
#[tokio::test(start_paused = true)]
async fn a_digest_in_a_key_is_of_what_is_said_and_not_of_how() {
    let Doc::Object(mut members) = Doc::read(PURCHASE) else { panic!() };
    members.remove("notificationID");
    let plain = Doc::Object(members);
    let (told, runs) =
        answers(sibs, 0, &[&plain.write(0), &plain.write(5), &plain.write(0).replace("16.20", "16.21")]).await;
    assert_eq!((told, runs), (vec![(200, false), (200, true), (200, false)], 2));
    let ping = r#"{"event":"ping","timestamp":"2026-11-21T12:00:00Z"}"#;
    let (told, runs) = answers(aella, 0, &[ping, &Doc::read(ping).write(5), &ping.replace("12:00", "12:01")]).await;
    assert_eq!((told, runs), (vec![(200, false), (200, true), (200, false)], 2));
}
