//! Events, providers and schemes that are made outside of the library.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tower_webhook::clock::OsEntropy;
use tower_webhook::event::Project as _;
use tower_webhook::provider::custom::{self, Custom};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::{
    Delivered, Lookup, Message, Profile, Provider, Retries, Unreadable, aella, banking_circle, opp, sibs,
};
use tower_webhook::scheme::{Opened, ProofHeader, ProofRole, Proofs, Scheme, SealError, Sealing};
use tower_webhook::secret::{KeyCheck, KeyRing, KeySwap, PreparedKeys, Secret, ct_eq, long_enough};
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind, json};

use crate::deliveries::{aella, bank, now};

/// A scheme from outside: the sum of the key's bytes and the body's is the proof. It is as weak as it looks.
#[derive(Debug)]
struct Summed {
    keys: PreparedKeys<u8>,
    proofs: Proofs,
}

const SUM: HeaderName = HeaderName::from_static("x-sum");

impl Summed {
    fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into().prepare(|secret| {
            long_enough(secret)?;
            Ok(secret.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)))
        })?;
        Ok(Self { keys, proofs: Proofs::new([ProofHeader::new(SUM, ProofRole::Signature)]) })
    }

    fn over(key: u8, body: &[u8]) -> String {
        body.iter().fold(key, |sum, byte| sum.wrapping_add(*byte)).to_string()
    }
}

impl Scheme for Summed {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn covers_body(&self) -> bool {
        true
    }

    fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    fn open(
        &self,
        headers: &HeaderMap,
        body: Bytes,
        now: tower_webhook::clock::Timestamp,
    ) -> Result<Opened, Rejection> {
        let given = headers.get(SUM).map(|value| value.as_bytes()).unwrap_or_default();
        let fitting = self.keys.valid_at(now).fitting(|key| ct_eq(Self::over(*key, &body).as_bytes(), given));
        match fitting {
            Some(id) => Ok(Opened::new(body, Some(id))),
            None => Err(Rejection::new(RejectionKind::SignatureMismatch, "no sum fits")),
        }
    }

    fn seal(&self, plaintext: Bytes, headers: &mut HeaderMap, with: &Sealing<'_>) -> Result<Bytes, SealError> {
        let keys = self.keys.valid_at(with.now);
        let key = keys.newest().ok_or(SealError::NoValidKey)?;
        headers.insert(SUM, Self::over(*key, &plaintext).parse().map_err(|_| SealError::Header)?);
        Ok(plaintext)
    }

    fn key_checks(&self) -> Vec<KeyCheck> {
        self.keys.checks()
    }
}

fn secret(letter: char) -> Secret {
    Secret::utf8(letter.to_string().repeat(20)).unwrap()
}

#[test]
fn a_scheme_from_outside_does_what_one_of_the_library_does() {
    let keys = KeySwap::new(secret('a'));
    let custom = Custom::new(Summed::new(keys.ring()).unwrap(), [Lookup::json("/id").unwrap()]).unwrap();
    let body = r#"{"id":"7"}"#;
    let sent = custom.seal(Message::new(body), &Sealing::new(now(), &OsEntropy)).unwrap();
    let open = |body: &str| {
        let opened = custom.scheme().open(sent.headers(), body.to_owned().into(), now());
        opened.map(|opened| opened.key_id.unwrap().to_string()).map_err(|no| no.kind())
    };
    let refused = Err(RejectionKind::SignatureMismatch);
    assert_eq!((open(body), open("{}")), (Ok("default".into()), refused.clone()));
    assert_eq!(custom.scheme().proof_headers(), [SUM]);
    assert_eq!(custom.scheme().key_checks(), [KeyCheck::of(&secret('a')).unwrap()]);

    let short = keys.replace(Secret::utf8("short").unwrap()).unwrap_err();
    assert_eq!(*short.kind(), ConfigErrorKind::ShortSecret { least: 16, given: 5 });
    assert_eq!(open(body), Ok("default".into()), "nothing was replaced");
    keys.replace(secret('b')).unwrap();
    assert_eq!(open(body), refused);
    assert_eq!(custom.scheme().key_checks(), [KeyCheck::of(&secret('b')).unwrap()]);
}

#[test]
fn events_are_made_by_hand_without_a_signature() {
    fn only<P: Provider>(provider: &P, body: &str) -> P::Event {
        provider.decode(&HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes())).unwrap().only().unwrap().event
    }
    let event = only(&aella(), r#"{"event":"transfer.completed","data":{"id":"7b","amount":1}}"#);
    assert!(matches!(event, aella::Event::TransferCompleted(transfer) if transfer.id == "7b"));
    let event = only(
        &bank(),
        r#"{"notifications":[{"eventId":"e-1","notificationType":"Reversed","payment":{"paymentId":"p"}}]}"#,
    );
    let mut payment = banking_circle::Payment::default();
    payment.payment_id = "p".into();
    let detail = banking_circle::Detail::Reversed(Box::new(payment));
    let mut expected = banking_circle::Event::new("e-1", detail);
    expected.notification_type = "Reversed".into();
    assert_eq!(event, expected);
    let opp = opp::Opp::new(Secret::bytes([7; 32]).unwrap()).unwrap();
    let event = only(&opp, r#"{"type":"PAYMENT","payload":{"id":"8a"}}"#);
    let mut payment = opp::Payment::default();
    payment.id = Some("8a".into());
    assert_eq!(event, opp::Event::Payment(Box::new(payment)));
    let sibs = sibs::Sibs::new(Secret::bytes([7; 32]).unwrap()).unwrap();
    let event = only(&sibs, r#"{"notificationID":"n","transactionID":"t"}"#);
    assert_eq!(event.notification_id(), Some("n"));
    let mut headers = HeaderMap::new();
    headers.insert("x-notifications-idempotency-key", "k-1".parse().unwrap());
    let events = Mambu::new().decode(&headers, "{}".into()).unwrap();
    assert_eq!(events.only().unwrap().event, mambu::Event::new("{}"));
    let mut event = custom::Event::new("{}");
    event.name = Some("paid".into());
    assert_eq!(event.name(), "paid");
}

#[test]
fn only_one_readable_event_is_the_only_one() {
    let decode = |body: &'static str| bank().decode(&HeaderMap::new(), body.into()).unwrap();
    let one = r#"{"notifications":[{"eventId":"e-1","notificationType":"CaseEvents","payment":{}}]}"#;
    assert_eq!(decode(one).only().unwrap().key.as_str(), "e-1");
    let two = r#"{"notifications":[{"eventId":"e-1","notificationType":"CaseEvents","payment":{}},{"eventId":"e-2","notificationType":"CaseEvents","payment":{}}]}"#;
    assert!(decode(two).only().is_none());
    assert!(decode(r#"{"notifications":[]}"#).only().is_none());
    let mut beside = decode(one);
    beside.push_unreadable(Unreadable::new(1, Rejection::new(RejectionKind::PayloadMalformed, "no"), Bytes::new()));
    assert!(beside.only().is_none());
}

#[test]
fn a_profile_by_hand_has_every_field_and_a_safe_default_for_each() {
    use std::time::Duration;
    let usual = Profile::new("acme");
    assert_eq!((usual.name, &usual.methods[..]), ("acme", &[http::Method::POST][..]));
    assert_eq!((usual.max_body, usual.max_events, usual.answer_within), (1024 * 1024, 1, None));
    assert_eq!(usual.retention(), Duration::from_hours(6 * 24) * 6 / 5);
    let hour = Duration::from_hours(1);
    let set = Profile::new("acme")
        .methods([http::Method::PUT])
        .content_types(["text/plain"])
        .max_body(7)
        .max_events(8)
        .answer_within(hour)
        .retries(Retries::steps([hour, hour]).until(5 * hour))
        .delivered(Delivered::OkOnly)
        .resend_window(5 * hour);
    assert_eq!((&set.methods[..], &set.content_types[..]), (&[http::Method::PUT][..], &["text/plain"][..]));
    assert_eq!((set.max_body, set.max_events, set.answer_within), (7, 8, Some(hour)));
    assert_eq!((set.delivered, set.retention()), (Delivered::OkOnly, 12 * hour));
}

#[test]
fn strict_json_is_for_everybody() {
    assert_eq!(json::parse::<Vec<u8>>(b"[1,2]").unwrap(), [1, 2]);
    for twice in [&br#"{"a":1,"a":1}"#[..], br#"[{"b":{"a":1,"\u0061":1}}]"#, b"\xff"] {
        let refused = json::parse::<serde_json::Value>(twice).unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::PayloadMalformed);
    }
}
