//! SIBS Gateway: the cipher in Base64, the notification, its key, and the answer that echoes the id.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding::{Base64, Hex};
use tower_webhook::event::{Event as Shared, Project};
use tower_webhook::provider::sibs::{AckCode, Event, Sibs};
use tower_webhook::provider::{Decoded, Delivered, Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

use crate::support::flips;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

/// The generic example of the pages of 2026.
const PAYMENT: &str = r#"{
    "returnStatus": {"statusMsg": "Success", "statusCode": "000"},
    "paymentStatus": "Success", "paymentMethod": "MBWAY",
    "transactionID": "s2bfw1g1P1siCSUjVPP8", "transactionDateTime": "2026-03-12T10:48:44Z",
    "amount": {"currency": "EUR", "value": 15.90},
    "merchant": {"transactionId": "aafd48f8d6814e86855ed5489d04880f", "terminalId": 1562569,
        "merchantName": "MERCHANT DOT COM", "inApp": "false"},
    "paymentType": "PURS", "token": {"tokenType": "MobilePhone", "value": "351#912345678"},
    "internalTransactionId": "S13039300290071S", "notificationID": "b6571d90-35d6-41a6-b7b1-732464b1e58c"
}"#;

fn key() -> Secret {
    Secret::base64(Base64.encode(&Hex.decode(KEY.as_bytes()).unwrap())).unwrap()
}

fn sibs() -> Sibs {
    Sibs::new(key()).unwrap()
}

fn headers(iv: &str, tag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [("x-initialization-vector", iv), ("x-authentication-tag", tag)] {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn open(iv: &str, tag: &str, body: &str) -> Option<RejectionKind> {
    kind(sibs().scheme().open(&headers(iv, tag), body.to_owned().into(), NOW))
}

fn kind<T>(result: Result<T, Rejection>) -> Option<RejectionKind> {
    result.err().map(|refused| refused.kind())
}

fn try_decode(json: &str) -> Result<Decoded<Event>, Rejection> {
    sibs().decode(&HeaderMap::new(), Bytes::copy_from_slice(json.as_bytes())).map(|events| {
        assert_eq!(events.len(), 1, "{json}");
        events.into_iter().next().unwrap()
    })
}

fn decode(json: &str) -> Decoded<Event> {
    try_decode(json).unwrap_or_else(|no| panic!("{no}: {json}"))
}

/// The example with one member changed.
fn changed(pointer: &str, value: Value) -> String {
    let mut payment: Value = serde_json::from_str(PAYMENT).unwrap();
    *payment.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    payment.to_string()
}

fn without(name: &str) -> String {
    let mut payment: Value = serde_json::from_str(PAYMENT).unwrap();
    payment.as_object_mut().unwrap().remove(name).unwrap();
    payment.to_string()
}

/// The Open Payment Platform's published example, whose cipher this is, written in Base64.
fn vector() -> [Vec<u8>; 3] {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    ["iv_hex", "tag_hex", "body_hex"].map(|name| Hex.decode(all["opp"][0][name].as_str().unwrap().as_bytes()).unwrap())
}

#[test]
fn the_published_vector_opens_in_base64_and_no_flipped_bit_of_it_does() {
    let parts = vector();
    let [iv, tag, body] = parts.clone().map(|part| Base64.encode(&part));
    let opened = sibs().scheme().open(&headers(&iv, &tag), body.into(), NOW).unwrap();
    assert_eq!(opened.plaintext, r#"{"type":"PAYMENT"}"#);
    let mismatch = Some(RejectionKind::SignatureMismatch);
    for at in 0..3 {
        for flipped in flips(&parts[at]) {
            let mut changed = parts.clone();
            changed[at] = flipped;
            let [iv, tag, body] = changed.map(|part| Base64.encode(&part));
            assert_eq!(open(&iv, &tag, &body), mismatch, "part {at}");
        }
    }
    let [iv, tag, body] = parts.map(|part| Base64.encode(&part));
    for flipped in flips(&Hex.decode(KEY.as_bytes()).unwrap()) {
        let other = Sibs::new(Secret::bytes(flipped).unwrap()).unwrap();
        assert_eq!(kind(other.scheme().open(&headers(&iv, &tag), body.clone().into(), NOW)), mismatch);
    }
}

#[test]
fn iv_and_tag_have_their_one_length_and_spelling() {
    let [iv, tag, body] = vector().map(|part| Base64.encode(&part));
    let malformed = Some(RejectionKind::HeaderMalformed);
    assert_eq!((iv.len(), tag.len()), (16, 24));
    for length in [0, 1, 8, 11, 13, 16] {
        let expected = if length == 0 { Some(RejectionKind::SignatureMissing) } else { malformed };
        assert_eq!(open(&Base64.encode(&vec![0; length]), &tag, &body), expected, "IV of {length}");
    }
    for length in (0..16).chain([17, 32]) {
        let expected = if length == 0 { Some(RejectionKind::SignatureMissing) } else { malformed };
        assert_eq!(open(&iv, &Base64.encode(&vec![0; length]), &body), expected, "tag of {length}");
    }
    // The tag of the gateway's own page has 23 letters: one is lost.
    let lost: Vec<String> = (0..24).map(|at| [&tag[..at], &tag[at + 1..]].concat()).collect();
    for tag in lost.iter().chain([&tag.replace('=', ""), &format!("{tag}="), &tag.replace('/', "_")]) {
        assert!(tag.len() != 24 || tag.contains('_'), "{tag}");
        assert_eq!(open(&iv, tag, &body), malformed, "{tag}");
    }
    let hex = vector().map(|part| Hex.encode(&part));
    assert_eq!(open(&hex[0], &tag, &body), malformed);
    for (case, body) in [("hexadecimal", &*hex[2]), ("JSON", r#"{"encryptedBody":"CjRx"}"#), ("cut", &body[1..])] {
        assert!(open(&iv, &tag, body).is_some(), "{case}");
    }
    assert_eq!(open(&iv, &tag, &format!("{body}\r\n")), None);
    assert_eq!(open(&iv, &tag, &format!("\"{body}\"")), Some(RejectionKind::BodyMalformed));
}

#[test]
fn a_key_is_thirty_two_bytes() {
    for length in [16, 31, 33] {
        let refused = Sibs::new(Secret::bytes(vec![7; length]).unwrap()).unwrap_err();
        assert_eq!(refused, ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: length }));
    }
}

#[test]
fn the_published_payment_decodes_to_its_exact_values() {
    let decoded = decode(PAYMENT);
    assert_eq!(decoded.key.as_str(), "b6571d90-35d6-41a6-b7b1-732464b1e58c");
    assert_eq!(decoded.occurred_at, Some("2026-03-12T10:48:44Z".parse().unwrap()));
    assert_eq!((decoded.event.name(), &decoded.raw[..]), ("PURS", PAYMENT.as_bytes()));
    let Event::Payment(payment) = &decoded.event else { panic!("{:?}", decoded.event) };
    assert_eq!(payment.merchant.as_ref().unwrap().terminal_id.as_deref(), Some("1562569"));
    assert_eq!(payment.internal_transaction_id.as_deref(), Some("S13039300290071S"));
    assert_eq!(payment.token.as_ref().unwrap().value.as_deref(), Some("351#912345678"));
    assert!(!format!("{decoded:?}").split("raw").next().unwrap().contains("912345678"));
    assert_eq!(
        serde_json::to_value(decoded.event.project()).unwrap(),
        json!({
            "kind": "payment",
            "id": "s2bfw1g1P1siCSUjVPP8",
            "payment_type": "PURS",
            "class": "success",
            "code": "000",
            "amount": "15.90", "currency": "EUR",
            "reference": "aafd48f8d6814e86855ed5489d04880f",
        })
    );
}

#[test]
fn number_or_text_is_the_same_and_a_time_may_have_a_blank() {
    for value in [json!("15.90"), json!("16.20")] {
        let Event::Payment(payment) = decode(&changed("/amount/value", value.clone())).event else { panic!() };
        assert_eq!(payment.amount.unwrap().value.unwrap().to_string(), value.as_str().unwrap());
    }
    let Event::Payment(payment) = decode(&changed("/merchant/terminalId", json!("99978"))).event else { panic!() };
    assert_eq!(payment.merchant.unwrap().terminal_id.as_deref(), Some("99978"));
    let older = changed("/transactionDateTime", json!("2022-11-11T16:18:53.127Z "));
    assert_eq!(decode(&older).occurred_at, Some("2022-11-11T16:18:53.127Z".parse().unwrap()));
    assert_eq!(decode(&changed("/transactionDateTime", json!("yesterday"))).occurred_at, None);
    for amount in [json!("1e3"), json!("1,50"), json!({})] {
        let refused = try_decode(&changed("/amount/value", amount.clone()));
        assert_eq!(kind(refused), Some(RejectionKind::PayloadMalformed), "{amount}");
    }
}

#[test]
fn the_class_is_a_success_only_when_word_and_code_agree() {
    for (status, code, class) in [
        (Some("Success"), Some("000"), "success"),
        (Some("Success"), None, "success"),
        (Some("Success"), Some("01.106.0004"), "unknown"),
        (Some("Declined"), Some("01.106.0004"), "rejected"),
        (Some("Declined"), Some("000"), "rejected"),
        (Some("Pending"), Some("000"), "pending"),
        (Some("InProcessing"), Some("000"), "pending"),
        (Some("Timeout"), Some("000"), "unknown"),
        (Some("Succes"), Some("000"), "unknown"),
        (Some(""), Some("000"), "unknown"),
        // The return status is that of the request: a payment that waits has a success there too.
        (None, Some("000"), "unknown"),
        (None, None, "unknown"),
    ] {
        let mut payment = json!({"notificationID": "n", "returnStatus": {"statusMsg": "Success"}});
        if let Some(status) = status {
            payment["paymentStatus"] = json!(status);
        }
        if let Some(code) = code {
            payment["returnStatus"]["statusCode"] = json!(code);
        }
        let Shared::Payment(shared) = decode(&payment.to_string()).event.project() else { panic!("{payment}") };
        assert_eq!(shared.class.as_str(), class, "{payment}");
    }
    let Shared::Payment(nothing) = decode(r#"{"notificationID":"n"}"#).event.project() else { panic!() };
    assert_eq!((nothing.class.as_str(), nothing.amount), ("unknown", None));
}

#[test]
fn the_notifications_id_is_the_key_and_without_one_the_transaction_and_the_text() {
    let key = |json: &str| decode(json).key.to_string();
    assert_eq!(key(&changed("/notificationID", json!("a|b"))), r"a\|b");
    let fallback = key(&without("notificationID"));
    assert!(fallback.starts_with("transaction|s2bfw1g1P1siCSUjVPP8|") && fallback.len() == 33 + 32, "{fallback}");
    assert_eq!(key(&changed("/notificationID", json!(""))).split('|').count(), 3);
    assert_ne!(fallback, key(&without("notificationID").replace("Success", "Declined")));
    for json in ["{}", r#"{"notificationID":""}"#, r#"{"paymentStatus":"Success"}"#, r#"{"transactionID":" "}"#] {
        assert_eq!(kind(try_decode(json)), Some(RejectionKind::KeyMissing), "{json}");
    }
    for json in ["", "[]", "null", "{", r#"{"notificationID":"a","notificationID":"b"}"#, r#"{"notificationID":{}}"#] {
        assert_eq!(kind(try_decode(json)), Some(RejectionKind::PayloadMalformed), "{json}");
    }
}

#[test]
fn the_connection_test_pays_nothing() {
    let test = changed("/transactionID", json!("WebhookTest"));
    let decoded = decode(&test);
    assert!(matches!(decoded.event, Event::Test(_)));
    assert_eq!(decoded.key.as_str(), "b6571d90-35d6-41a6-b7b1-732464b1e58c");
    assert_eq!(
        serde_json::to_value(decoded.event.project()).unwrap(),
        json!({"kind": "notification", "name": "WebhookTest", "content_type": null})
    );
    assert!(decode(r#"{"transactionID":"WebhookTest"}"#).key.as_str().starts_with("transaction|WebhookTest|"));
}

#[test]
fn the_answer_echoes_the_id_and_has_the_code_that_was_chosen() {
    let answer = |sibs: &Sibs, json: &str| {
        let events = sibs.decode(&HeaderMap::new(), Bytes::copy_from_slice(json.as_bytes())).unwrap();
        sibs.acknowledge(&events).unwrap()
    };
    let with = |code: AckCode, id: &str| {
        format!(r#"{{"statusCode":"{}","statusMsg":"Success","notificationID":{id}}}"#, code.as_str())
    };
    let id = r#""b6571d90-35d6-41a6-b7b1-732464b1e58c""#;
    let acknowledged = answer(&sibs(), PAYMENT);
    assert_eq!(
        (acknowledged.status, acknowledged.content_type.unwrap()),
        (StatusCode::OK, "application/json".parse::<HeaderValue>().unwrap())
    );
    assert_eq!(acknowledged.body, with(AckCode::TwoHundred, id));
    assert_eq!(answer(&sibs().ack_code(AckCode::TripleZero), PAYMENT).body, with(AckCode::TripleZero, id));
    assert_eq!((AckCode::TwoHundred.as_str(), AckCode::TripleZero.as_str()), ("200", "000"));
    let odd = json!({"notificationID": "a\"},\\\u{e9}\n"}).to_string();
    let read: Value = serde_json::from_slice(&answer(&sibs(), &odd).body).unwrap();
    assert_eq!(read["notificationID"], "a\"},\\\u{e9}\n");
    assert_eq!(answer(&sibs(), r#"{"transactionID":"t-1"}"#).body, r#"{"statusCode":"200","statusMsg":"Success"}"#);
}

#[test]
fn the_profile_lasts_two_months() {
    let sibs = sibs();
    let profile = sibs.profile();
    assert_eq!((profile.name, profile.delivered), ("sibs", Delivered::OkOnly));
    assert_eq!(profile.content_types, ["text/plain", "application/json"]);
    assert_eq!(profile.retries.steps.len(), 44);
    let minutes = 5 * 5 + 4 * 60 + 5 * 120 + 6 * 240 + 7 * 360 + 8 * 720 + 9 * 1440;
    assert_eq!(profile.retries.steps.iter().sum::<Duration>(), Duration::from_mins(minutes));
    assert_eq!(profile.retries.horizon(), Duration::from_hours(62 * 24));
    assert!(profile.retention() > Duration::from_hours(74 * 24));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_it_seals_it_opens_as_either_type_and_one_changed_byte_it_does_not(
        id in "[!-~]{1,40}",
        at in any::<prop::sample::Index>(),
        bits in 1..=u8::MAX,
    ) {
        let json = changed("/notificationID", json!(id));
        let sent = sibs().seal(Message::new(json.clone()), &Sealing::new(NOW, &OsEntropy)).unwrap();
        prop_assert_eq!(&sent.headers()[CONTENT_TYPE], "text/plain");
        let opened = sibs().scheme().open(sent.headers(), sent.body().clone(), NOW).unwrap();
        prop_assert_eq!(&opened.plaintext, &Bytes::from(json));
        let expected = id.replace('\\', r"\\").replace('|', r"\|");
        let decoded = sibs().decode(sent.headers(), opened.plaintext).unwrap().into_iter().next().unwrap();
        prop_assert_eq!(decoded.key.as_str(), expected);
        let mut changed = sent.body().to_vec();
        let at = at.index(changed.len());
        changed[at] ^= bits;
        prop_assert!(sibs().scheme().open(sent.headers(), changed.into(), NOW).is_err());
    }
}
