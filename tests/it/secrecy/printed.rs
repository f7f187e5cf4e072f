//! What public types print that hold, or are made of, a secret or a payload.

use std::fmt::Debug;

use bytes::Bytes;
use http::HeaderValue;
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::{Body, ResponseBody};
use tower_webhook::layers::{BasicAuthLayer, Credentials, RateLimitLayer, VerifyLayer};
use tower_webhook::mask::Masked;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::{EventKey, Message, Provider as _};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme as _, Signed};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{MemoryStore, Receiver, Rejection, RejectionKind};

use super::{CANARIES, QUOTE, leaks};
use crate::deliveries::now;

const BODY: &str = r#"{"event":"transfer.completed","data":{"id":"1","senderName":"Canary Jane","amount":1}}"#;

fn secret() -> Secret {
    Secret::utf8("canary-secret-canary-secret-32-b").unwrap()
}

fn printed() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let mut print = |name, value: &dyn Debug| all.push((name, format!("{value:?} {value:#?}")));
    let ring = || KeyRing::new([Key::new("id", secret())]).unwrap();
    let credentials = || Credentials::new("user", Secret::utf8(CANARIES[1]).unwrap()).unwrap();
    let basic = BasicAuthLayer::new([credentials()]).unwrap();
    let signed = Signed::new(http::HeaderName::from_static("x-signature"), Encoding::Hex);
    let hmac = Hmac::new(MacAlgorithm::HmacSha256, signed, secret()).unwrap();
    let aella = || Aella::new(secret()).unwrap();
    print("Secret", &secret());
    print("Key", &Key::new("id", secret()));
    print("KeyRing", &ring());
    print("Credentials", &credentials());
    print("BasicAuthLayer", &basic);
    print("RateLimitLayer", &RateLimitLayer::new(1, 1).unwrap());
    print("Hmac", &hmac);
    print("VerifyLayer", &VerifyLayer::new(hmac.clone()));
    print("Aella", &aella());
    print("BankingCircle", &BankingCircle::new(secret()).unwrap());
    print("Mambu", &Mambu::new());
    let receiver = Receiver::new("shop", aella()).basic_auth(&basic).candidate(aella()).dedupe(MemoryStore::new(1));
    print("Receiver", &receiver);
    print("ReceiverLayer", &receiver.clone().layer());
    print("Body", &Body::from(Bytes::from(BODY)));
    print("ResponseBody", &ResponseBody::from(Bytes::from(BODY)));
    let authorization = HeaderValue::from_static("Basic canary-token");
    print("Message", &Message::new(BODY).header(http::header::AUTHORIZATION, authorization));
    let events = aella().decode(&http::HeaderMap::new(), Bytes::from(BODY)).unwrap();
    print("Events", &events);
    print("Decoded", &events.iter().collect::<Vec<_>>());
    let rejection = Rejection::new(RejectionKind::HandlerFailed, QUOTE).caused_by(QUOTE);
    print("Rejection", &rejection);
    print("Rejection, in words", &rejection.to_string());
    print("Masked", &Masked(QUOTE));
    let unreadable = aella().decode(&http::HeaderMap::new(), Bytes::from(BODY.replace("1}}", "\"canary\"}}")));
    print("what cannot be decoded", &unreadable.map(|_| ()));
    let forged = hmac.open(&http::HeaderMap::new(), Bytes::from(BODY), now());
    print("what cannot be opened", &forged.map(|_| ()));
    all
}

#[test]
fn what_holds_a_secret_or_a_payload_prints_neither() {
    for (name, text) in printed() {
        assert_eq!(leaks(&text), Vec::<&str>::new(), "{name}: {text}");
    }
}

/// A key names an event, and may be said: whoever prints one prints what the sender has chosen as its name.
#[test]
fn a_name_is_printed() {
    let key = EventKey::of(&["transfer.completed", "1"]);
    assert!(format!("{key:?}").contains("transfer.completed|1"));
}
