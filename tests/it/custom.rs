//! Senders by configuration, each signed by a computation of its own and never by the scheme under test.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding::{self, Base64, Hex};
use tower_webhook::event::Project;
use tower_webhook::provider::custom::{Custom, Purpose};
use tower_webhook::provider::{Identity, Lookup, Message, Provider};
use tower_webhook::scheme::{
    Hmac, MacAlgorithm, Scheme, SealError, Sealing, Signed, StaticToken, Template, TimeUnit, Tolerance,
};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

use crate::support::flips;

const SECRET: &str = "whsec_5df8d8b6a1c24d6d9a2e";
const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
const URL: &str = "https://receiver.test/hooks/square";

fn sha256(key: &[u8], signed: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit as _, Mac as _};
    hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(signed).finalize().into_bytes().to_vec()
}

fn sha512(key: &[u8], signed: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit as _, Mac as _};
    hmac::Hmac::<sha2::Sha512>::new_from_slice(key).unwrap().chain_update(signed).finalize().into_bytes().to_vec()
}

fn sha1(key: &[u8], signed: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit as _, Mac as _};
    hmac::Hmac::<sha1::Sha1>::new_from_slice(key).unwrap().chain_update(signed).finalize().into_bytes().to_vec()
}

/// A sender: how it is configured, and what it sends with this body at this second.
struct Sender {
    name: &'static str,
    scheme: Box<dyn Scheme>,
    key: Vec<&'static str>,
    event: Option<&'static str>,
    body: &'static str,
    send: fn(&str, i64) -> Vec<(&'static str, String)>,
    expected_key: &'static str,
    expected_event: Option<&'static str>,
    timed: bool,
    /// Whether one delivery's signature proves its body.
    proves_body: bool,
}

fn signed(header: &'static str, encoding: Encoding) -> Signed {
    Signed::new(HeaderName::from_static(header), encoding)
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn at_header(name: &'static str, unit: TimeUnit) -> Tolerance {
    Tolerance::header(HeaderName::from_static(name), unit)
}

fn over(signed: Signed) -> Box<dyn Scheme> {
    Box::new(Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8(SECRET).unwrap()).unwrap())
}

fn over_512(signed: Signed) -> Box<dyn Scheme> {
    Box::new(Hmac::new(MacAlgorithm::HmacSha512, signed, Secret::utf8(SECRET).unwrap()).unwrap())
}

/// Places by their text: a JSON pointer or a header.
fn lookup(place: &str) -> Lookup {
    if place.starts_with('/') { Lookup::json(place).unwrap() } else { Lookup::header(place).unwrap() }
}

fn hex256(text: &str) -> String {
    Hex.encode(&sha256(SECRET.as_bytes(), text.as_bytes()))
}

fn base256(text: &str) -> String {
    Base64.encode(&sha256(SECRET.as_bytes(), text.as_bytes()))
}

fn plain(name: &'static str, scheme: Box<dyn Scheme>, send: fn(&str, i64) -> Vec<(&'static str, String)>) -> Sender {
    Sender {
        name,
        scheme,
        key: vec!["/id"],
        event: Some("/type"),
        body: r#"{"id":"evt_1","type":"payment.paid"}"#,
        send,
        expected_key: "evt_1",
        expected_event: Some("payment.paid"),
        timed: false,
        proves_body: true,
    }
}

fn senders() -> Vec<Sender> {
    use TimeUnit::{Milliseconds, Seconds};
    vec![
        Sender {
            key: vec!["x-github-delivery"],
            event: Some("x-github-event"),
            expected_key: "72d3162e",
            expected_event: Some("push"),
            ..plain("GitHub", over(signed("x-hub-signature-256", Hex).prefix("sha256=")), |body, _| {
                vec![
                    ("x-hub-signature-256", format!("sha256={}", hex256(body))),
                    ("x-github-delivery", "72d3162e".into()),
                    ("x-github-event", "push".into()),
                ]
            })
        },
        plain(
            "GitHub, legacy",
            Box::new(
                Hmac::new(
                    MacAlgorithm::from_name("dangerous-hmac-sha1").unwrap(),
                    signed("x-hub-signature", Hex).prefix("sha1="),
                    Secret::utf8(SECRET).unwrap(),
                )
                .unwrap(),
            ),
            |body, _| {
                let mac = sha1(SECRET.as_bytes(), body.as_bytes());
                vec![("x-hub-signature", format!("sha1={}", Hex.encode(&mac)))]
            },
        ),
        Sender {
            timed: true,
            ..plain(
                "Stripe",
                over(
                    signed("stripe-signature", Hex)
                        .params(",", "v1")
                        .template(template("{param:t}.{body}"))
                        .timestamp(Tolerance::param("t", Seconds)),
                ),
                |body, now| {
                    let zeros = "0".repeat(64);
                    vec![(
                        "stripe-signature",
                        format!("t={now},v1={zeros},v1={},v0={zeros}", hex256(&format!("{now}.{body}"))),
                    )]
                },
            )
        },
        Sender {
            timed: true,
            ..plain(
                "Paddle",
                over(
                    signed("paddle-signature", Hex)
                        .params(";", "h1")
                        .template(template("{param:ts}:{body}"))
                        .timestamp(Tolerance::param("ts", Seconds)),
                ),
                |body, now| vec![("paddle-signature", format!("ts={now};h1={}", hex256(&format!("{now}:{body}"))))],
            )
        },
        Sender {
            key: vec!["x-shopify-webhook-id"],
            event: Some("x-shopify-topic"),
            expected_key: "b54557e4",
            expected_event: Some("orders/paid"),
            ..plain("Shopify", over(signed("x-shopify-hmac-sha256", Base64)), |body, _| {
                vec![
                    ("x-shopify-hmac-sha256", base256(body)),
                    ("x-shopify-webhook-id", "b54557e4".into()),
                    ("x-shopify-topic", "orders/paid".into()),
                ]
            })
        },
        Sender {
            key: vec!["/meta/webhook_id"],
            event: None,
            body: r#"{"events":[{"id":"EV123"},{"id":"EV456"}],"meta":{"webhook_id":"WB123"}}"#,
            expected_key: "WB123",
            expected_event: None,
            ..plain("GoCardless", over(signed("webhook-signature", Hex)), |body, _| {
                vec![("webhook-signature", hex256(body))]
            })
        },
        Sender {
            key: vec!["/event", "/data/id"],
            event: Some("/event"),
            body: r#"{"event":"charge.success","data":{"id":302961,"amount":10000}}"#,
            expected_key: "charge.success|302961",
            expected_event: Some("charge.success"),
            ..plain("Paystack", over_512(signed("x-paystack-signature", Hex)), |body, _| {
                vec![("x-paystack-signature", Hex.encode(&sha512(SECRET.as_bytes(), body.as_bytes())))]
            })
        },
        Sender {
            key: vec!["/event_id"],
            body: r#"{"event_id":"ac3ac95b","type":"payment.paid"}"#,
            expected_key: "ac3ac95b",
            ..plain(
                "Square",
                over(signed("x-square-hmacsha256-signature", Base64).template(template("{url}{body}")).url(URL)),
                |body, _| vec![("x-square-hmacsha256-signature", base256(&format!("{URL}{body}")))],
            )
        },
        Sender {
            timed: true,
            ..plain(
                "Revolut",
                over(
                    signed("revolut-signature", Hex)
                        .list(",")
                        .prefix("v1=")
                        .template(template("v1.{header:revolut-request-timestamp}.{body}"))
                        .timestamp(at_header("revolut-request-timestamp", Milliseconds)),
                ),
                |body, now| {
                    let mac = hex256(&format!("v1.{now}000.{body}"));
                    vec![
                        ("revolut-signature", format!("v1={},v1={mac}", "0".repeat(64))),
                        ("revolut-request-timestamp", format!("{now}000")),
                    ]
                },
            )
        },
        Sender {
            key: vec!["x-idempotency-key"],
            expected_key: "idem-1",
            timed: true,
            ..plain(
                "Cashfree",
                over(
                    signed("x-webhook-signature", Base64)
                        .template(template("{header:x-webhook-timestamp}{body}"))
                        .timestamp(at_header("x-webhook-timestamp", Milliseconds)),
                ),
                |body, now| {
                    vec![
                        ("x-webhook-signature", base256(&format!("{now}000{body}"))),
                        ("x-webhook-timestamp", format!("{now}000")),
                        ("x-idempotency-key", "idem-1".into()),
                    ]
                },
            )
        },
        Sender {
            key: vec!["call-ref"],
            expected_key: "call-7",
            timed: true,
            ..plain(
                "Weavr",
                over(
                    signed("signature-v2", Base64)
                        .template(template("{header:call-ref}{body}{header:published-timestamp}"))
                        .timestamp(at_header("published-timestamp", Milliseconds)),
                ),
                |body, now| {
                    vec![
                        ("signature-v2", base256(&format!("call-7{body}{now}000"))),
                        ("published-timestamp", format!("{now}000")),
                        ("call-ref", "call-7".into()),
                    ]
                },
            )
        },
        Sender {
            key: vec!["moniepoint-webhook-id"],
            expected_key: "wh_9",
            timed: true,
            ..plain(
                "Moniepoint",
                over(
                    signed("moniepoint-webhook-signature", Base64)
                        .template(template(
                            "{header:moniepoint-webhook-id}__{header:moniepoint-webhook-timestamp}__{body}",
                        ))
                        .timestamp(at_header("moniepoint-webhook-timestamp", Milliseconds))
                        .split_strictly(),
                ),
                |body, now| {
                    vec![
                        ("moniepoint-webhook-signature", base256(&format!("wh_9__{now}000__{body}"))),
                        ("moniepoint-webhook-id", "wh_9".into()),
                        ("moniepoint-webhook-timestamp", format!("{now}000")),
                    ]
                },
            )
        },
        plain("Checkout.com", over(signed("cko-signature", Hex)), |body, _| vec![("cko-signature", hex256(body))]),
        Sender {
            key: vec!["/data/id"],
            body: r#"{"type":"payment.paid","data":{"id":"EVJN42"}}"#,
            expected_key: "EVJN42",
            ..plain(
                "Adyen platform",
                Box::new(
                    Hmac::new(MacAlgorithm::HmacSha256, signed("hmacsignature", Base64), Secret::hex(ADYEN).unwrap())
                        .unwrap(),
                ),
                |body, _| {
                    let key = Hex.decode(ADYEN.as_bytes()).unwrap();
                    vec![
                        ("hmacsignature", Base64.encode(&sha256(&key, body.as_bytes()))),
                        ("protocol", "HmacSHA256".into()),
                    ]
                },
            )
        },
        Sender {
            key: vec!["x-razorpay-event-id"],
            event: Some("/event"),
            body: r#"{"event":"payment.captured","payload":{}}"#,
            expected_key: "LLV",
            expected_event: Some("payment.captured"),
            ..plain("Razorpay", over(signed("x-razorpay-signature", Hex)), |body, _| {
                vec![("x-razorpay-signature", hex256(body)), ("x-razorpay-event-id", "LLV".into())]
            })
        },
        plain("Mollie", over(signed("x-mollie-signature", Hex).list(",").prefix("sha256=")), |body, _| {
            vec![("x-mollie-signature", format!("sha256={}, sha256={}", hex256("other"), hex256(body)))]
        }),
        Sender {
            key: vec!["x-webhook-id"],
            expected_key: "moov-1",
            proves_body: false,
            ..plain(
                "Moov",
                over_512(
                    signed("x-signature", Hex)
                        .template(template("{header:x-timestamp}|{header:x-nonce}|{header:x-webhook-id}"))
                        .dangerous_without_tolerance()
                        .dangerous_unsigned_body(),
                ),
                |_, _| {
                    let mac = sha512(SECRET.as_bytes(), b"2026-11-21T12:00:00Z|n0|moov-1");
                    vec![
                        ("x-signature", Hex.encode(&mac)),
                        ("x-timestamp", "2026-11-21T12:00:00Z".into()),
                        ("x-nonce", "n0".into()),
                        ("x-webhook-id", "moov-1".into()),
                    ]
                },
            )
        },
        Sender {
            key: vec!["/data/id"],
            event: Some("/event"),
            body: r#"{"event":"charge.completed","data":{"id":285959875}}"#,
            expected_key: "285959875",
            expected_event: Some("charge.completed"),
            proves_body: false,
            ..plain(
                "Flutterwave v3",
                Box::new(
                    StaticToken::new(HeaderName::from_static("verif-hash"), Secret::utf8(SECRET).unwrap()).unwrap(),
                ),
                |_, _| vec![("verif-hash", SECRET.into())],
            )
        },
    ]
}

const NOW: i64 = 1_795_262_400;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn kind<T>(result: Result<T, Rejection>) -> Option<RejectionKind> {
    result.err().map(|refused| refused.kind())
}

impl Sender {
    fn open(&self, headers: &HeaderMap, body: impl Into<Bytes>, now: Timestamp) -> Option<RejectionKind> {
        kind(self.scheme.open(headers, body.into(), now))
    }

    fn sent(&self) -> Vec<(&'static str, String)> {
        (self.send)(self.body, NOW)
    }
}

#[test]
fn each_sender_is_opened_keyed_and_named() {
    for sender in senders() {
        let (name, sent) = (sender.name, headers(&sender.sent()));
        assert_eq!(sender.open(&sent, sender.body, second(NOW)), None, "{name}");
        let mut custom = Custom::new(sender.scheme, sender.key.iter().map(|place| lookup(place))).unwrap();
        if let Some(place) = sender.event {
            custom = custom.event_from(lookup(place));
        }
        let decoded = custom.decode(&sent, Bytes::from(sender.body)).unwrap().into_iter().next().unwrap();
        assert_eq!(
            (decoded.key.as_str(), decoded.event.name.as_deref()),
            (sender.expected_key, sender.expected_event),
            "{name}"
        );
        assert_eq!(
            (&decoded.raw[..], &decoded.event.body[..]),
            (sender.body.as_bytes(), sender.body.as_bytes()),
            "{name}"
        );
        assert_eq!(decoded.identity, Identity::of_json(sender.body.as_bytes()), "{name}");
    }
}

#[test]
fn no_flipped_bit_of_body_or_signed_header_opens() {
    let refused = |case: &str, kind: Option<RejectionKind>| {
        let fair = [RejectionKind::SignatureMismatch, RejectionKind::HeaderMalformed, RejectionKind::SignatureMissing];
        assert!(kind.is_some_and(|kind| fair.contains(&kind)), "{case}: {kind:?}");
    };
    for sender in senders() {
        let (name, sent) = (sender.name, headers(&sender.sent()));
        for flipped in flips(sender.body.as_bytes()) {
            let expected = sender.proves_body.then_some(RejectionKind::SignatureMismatch);
            assert_eq!(sender.open(&sent, flipped, second(NOW)), expected, "{name}");
        }
        for (header, value) in sent.iter().filter(|(header, _)| sender.scheme.covers_header(header)) {
            for flipped in flips(value.as_bytes()).filter_map(|value| HeaderValue::from_bytes(&value).ok()) {
                let mut changed = sent.clone();
                changed.insert(header, flipped);
                refused(&format!("{name}, {header}"), sender.open(&changed, sender.body, second(NOW)));
            }
            let mut without = sent.clone();
            without.remove(header);
            assert_eq!(
                sender.open(&without, sender.body, second(NOW)),
                Some(RejectionKind::SignatureMissing),
                "{name}"
            );
        }
    }
}

#[test]
fn no_prefix_of_a_good_signature_and_no_signature_under_another_name_opens() {
    for sender in senders() {
        let sent = sender.sent();
        let [(header, good), rest @ ..] = &sent[..] else { panic!("{}", sender.name) };
        // What stands behind the good signature may be cut off.
        let end = good.find(",v0=").unwrap_or(good.len());
        for length in 0..end {
            let mut cut = vec![(*header, good[..length].to_owned())];
            cut.extend_from_slice(rest);
            assert!(sender.open(&headers(&cut), sender.body, second(NOW)).is_some(), "{} {length}", sender.name);
        }
        let renamed = headers(&[&[("x-other", good.clone())], rest].concat());
        assert_eq!(
            sender.open(&renamed, sender.body, second(NOW)),
            Some(RejectionKind::SignatureMissing),
            "{}",
            sender.name
        );
        let twice = headers(&[&sent[..1], &sent[..]].concat());
        assert_eq!(
            sender.open(&twice, sender.body, second(NOW)),
            Some(RejectionKind::HeaderRepeated),
            "{}",
            sender.name
        );
    }
}

#[test]
fn a_stale_delivery_is_refused_where_a_time_is_signed() {
    let minutes = Duration::from_mins(5);
    let nano = Duration::from_nanos(1);
    let outside = Some(RejectionKind::TimestampOutside);
    let all = senders();
    assert_eq!(all.iter().filter(|sender| sender.timed).count(), 6);
    for sender in all {
        let sent = headers(&sender.sent());
        for (now, fresh) in [
            (second(NOW) + minutes, true),
            (second(NOW) + minutes + nano, false),
            (second(NOW) - minutes, true),
            (second(NOW) - minutes - nano, false),
        ] {
            let expected = if fresh || !sender.timed { None } else { outside };
            assert_eq!(sender.open(&sent, sender.body, now), expected, "{} {now}", sender.name);
        }
    }
}

#[test]
fn the_body_may_be_any_bytes() {
    let body = Bytes::from_static(b"\0\xff\xfe not JSON \r\n");
    let mac = Hex.encode(&sha256(SECRET.as_bytes(), &body));
    let custom = Custom::new(over(signed("x-signature", Hex)), [lookup("x-id")]).unwrap();
    let custom = custom.event_from(lookup("/type"));
    let mut sent = headers(&[("x-signature", mac), ("x-id", "1".into())]);
    sent.insert(CONTENT_TYPE, HeaderValue::from_static("Application/Octet-Stream; x=y"));
    let opened = custom.scheme().open(&sent, body.clone(), second(NOW)).unwrap();
    let decoded = custom.decode(&sent, opened.plaintext).unwrap().into_iter().next().unwrap();
    assert_eq!(decoded.event.body, body);
    assert_eq!((decoded.event.name(), decoded.event.name.as_deref()), ("notification", None));
    assert_eq!(
        serde_json::to_value(decoded.event.project()).unwrap(),
        serde_json::json!({"kind": "notification", "name": null, "content_type": "application/octet-stream"})
    );
    assert_eq!(kind(decoded.event.json::<Value>()), Some(RejectionKind::PayloadMalformed));
}

#[test]
fn a_key_is_made_of_all_its_places_or_refused() {
    let custom = |places: &[&str]| {
        Custom::new(over(signed("x-signature", Hex)), places.iter().map(|place| lookup(place))).unwrap()
    };
    let sent =
        headers(&[("x-id", "a|b".into()), ("x-blank", " ".into()), ("x-two", "1".into()), ("x-two", "1".into())]);
    let body = Bytes::from_static(br#"{"id":7,"o":{},"s":"","n":null}"#);
    let missing = Err(RejectionKind::KeyMissing);
    for (places, expected) in [
        (&["x-id"][..], Ok(r"a\|b")),
        (&["/id"], Ok("7")),
        (&["x-id", "/id"], Ok(r"a\|b|7")),
        (&["/id", "x-id"], Ok(r"7|a\|b")),
        (&["x-none"], missing),
        (&["x-blank"], missing),
        (&["x-two"], missing),
        (&["/none"], missing),
        (&["/o"], missing),
        (&["/s"], missing),
        (&["/n"], missing),
        (&["x-id", "/none"], missing),
    ] {
        let key = custom(places).decode(&sent, body.clone()).map(|all| all[0].key.to_string());
        assert_eq!(key.map_err(|no| no.kind()), expected.map(str::to_owned), "{places:?}");
    }
    let broken = custom(&["/id"]).decode(&sent, Bytes::from_static(br#"{"id":7,"id":8}"#));
    assert_eq!(kind(broken), Some(RejectionKind::PayloadMalformed));
}

#[test]
fn a_key_must_come_from_the_delivery() {
    let new = |places: Vec<Lookup>| Custom::new(over(signed("x-signature", Hex)), places).err();
    assert_eq!(new(vec![]), Some(ConfigError::new(ConfigErrorKind::NoEventKey)));
    assert_eq!(new(vec![Lookup::fixed("a"), Lookup::fixed("b")]), Some(ConfigError::new(ConfigErrorKind::NoEventKey)));
    assert_eq!(new(vec![Lookup::fixed("a"), lookup("/id")]), None);
}

#[test]
fn what_is_looked_up_without_proof_is_reported() {
    let unsigned = |sender: &str| {
        let sender = senders().into_iter().find(|other| other.name == sender).unwrap();
        let mut custom = Custom::new(sender.scheme, sender.key.iter().map(|place| lookup(place))).unwrap();
        if let Some(place) = sender.event {
            custom = custom.event_from(lookup(place));
        }
        custom.unsigned_lookups().iter().map(|found| (found.purpose, found.to_string())).collect::<Vec<_>>()
    };
    let header =
        |purpose, what: &str, name: &str| (purpose, format!("the {what} comes from an unsigned header: {name}"));
    assert_eq!(
        unsigned("GitHub"),
        [
            header(Purpose::Key, "event key", "x-github-delivery"),
            header(Purpose::Event, "event name", "x-github-event")
        ]
    );
    assert_eq!(unsigned("Cashfree"), [header(Purpose::Key, "event key", "x-idempotency-key")]);
    for sender in ["Stripe", "Square", "Weavr", "Moniepoint", "GoCardless"] {
        assert_eq!(unsigned(sender), [], "{sender}");
    }
    assert_eq!(unsigned("Moov"), [(Purpose::Event, "the event name comes from an unsigned body: /type".into())]);
    assert_eq!(unsigned("Flutterwave v3").len(), 2);
}

#[test]
fn what_a_sender_seals_its_receiver_opens() {
    let sealing = Sealing::new(second(NOW), &OsEntropy);
    for sender in senders() {
        let name = sender.name;
        let (key, first) = (sender.key.clone(), sender.key[0]);
        let custom = Custom::new(sender.scheme, key.iter().map(|place| lookup(place))).unwrap();
        let message = Message::new(sender.body).idempotency_key("key-1");
        let sealed = custom.seal(message, &sealing);
        if name == "Moov" {
            // Its nonce is nobody's but the sender's.
            assert_eq!(sealed.unwrap_err(), SealError::SignedHeader);
            continue;
        }
        let sealed = sealed.unwrap_or_else(|no| panic!("{name}: {no}"));
        assert_eq!(sealed.method(), Method::POST, "{name}");
        let opened = custom.scheme().open(sealed.headers(), sealed.body().clone(), second(NOW)).expect(name);
        let key = custom.decode(sealed.headers(), opened.plaintext).unwrap().into_iter().next().unwrap().key;
        assert_eq!(key.as_str(), if first.starts_with('/') { sender.expected_key } else { "key-1" }, "{name}");
    }
}

#[test]
fn a_key_that_no_header_carries_is_not_sealed() {
    let custom = Custom::new(over(signed("x-signature", Hex)), [lookup("x-id")]).unwrap();
    let message = Message::new("{}").idempotency_key("line\nbreak");
    let refused = custom.seal(message, &Sealing::new(second(NOW), &OsEntropy)).unwrap_err();
    assert_eq!(refused, SealError::Header);
}

#[test]
fn the_profile_is_what_is_assumed_and_can_be_told() {
    let custom = Custom::new(over(signed("x-signature", Hex)), [lookup("/id")]).unwrap();
    let profile = custom.profile();
    assert_eq!((profile.name, &profile.methods[..], profile.content_types.len()), ("custom", &[Method::POST][..], 0));
    assert_eq!(profile.retention(), Duration::from_hours(6 * 24) * 6 / 5);
    let told = custom.change_profile(|profile| profile.methods = vec![Method::PUT]);
    let sealed = told.seal(Message::new(r#"{"id":1}"#), &Sealing::new(second(NOW), &OsEntropy)).unwrap();
    assert_eq!(sealed.method(), Method::PUT);
    assert!(!format!("{told:?}").contains(SECRET) && format!("{told:?}").contains("hmac-sha256"));
}

#[test]
fn short_tokens_need_the_dangerous_constructor() {
    let header = HeaderName::from_static("verif-hash");
    let short = Secret::utf8("mysecret").unwrap();
    let refused = StaticToken::new(header.clone(), short.clone()).unwrap_err();
    assert_eq!(refused, ConfigError::new(ConfigErrorKind::ShortSecret { least: 16, given: 8 }));
    let token = StaticToken::dangerous_short_keys(header, short).unwrap();
    let open = |value: &str| kind(token.open(&headers(&[("verif-hash", value.into())]), "{}".into(), second(NOW)));
    assert_eq!(open("mysecret"), None);
    for wrong in ["mysecre", "mysecret1", "Mysecret"] {
        assert_eq!(open(wrong), Some(RejectionKind::SignatureMismatch), "{wrong}");
    }
}
