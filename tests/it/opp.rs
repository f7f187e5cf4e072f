//! The Open Payment Platform: what its notifications say, how they are keyed, and the way there and back.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail like tests"
)]

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_webhook::clock::{NoEntropy, Timestamp};
use tower_webhook::event::{Event as Shared, Project};
use tower_webhook::provider::opp::{Action, Event, Opp, ResultGroup, RetrySchedule, Wrapper};
use tower_webhook::provider::{Decoded, Identity, Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

const PAYMENT: &str = include_str!("../fixtures/opp/payment.json");
const ACTIVATION: &str = include_str!("../fixtures/opp/activation-test.json");
const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn opp() -> Opp {
    Opp::new(Secret::hex(KEY).unwrap()).unwrap()
}

fn try_decode(json: &str) -> Result<Decoded<Event>, Rejection> {
    let events = opp().decode(&HeaderMap::new(), Bytes::copy_from_slice(json.as_bytes()))?;
    assert_eq!(events.len(), 1, "{json}");
    Ok(events.into_iter().next().unwrap())
}

fn decode(json: &str) -> Decoded<Event> {
    try_decode(json).unwrap_or_else(|no| panic!("{no}: {json}"))
}

fn key(json: &str) -> String {
    decode(json).key.to_string()
}

/// The key without the identity that it ends in.
fn undigested(json: &str) -> String {
    let decoded = decode(json);
    let end = format!("|{}", decoded.identity);
    decoded.key.as_str().strip_suffix(&end).unwrap().to_owned()
}

fn project(json: &str) -> Value {
    serde_json::to_value(decode(json).event.project()).unwrap()
}

/// The payment of the fixture with one member changed.
fn changed(pointer: &str, value: Value) -> String {
    let mut payment: Value = serde_json::from_str(PAYMENT).unwrap();
    *payment.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    payment.to_string()
}

#[test]
fn the_published_payment_decodes_to_its_exact_values() {
    let decoded = decode(PAYMENT);
    let said = "PAYMENT||8a829449515d198b01517d5601df5584|000.000.000|2015-12-07 16:46:07+0000";
    assert_eq!(decoded.key.as_str(), format!("{said}|{}", decoded.identity));
    assert_eq!(decoded.identity, Identity::of_json(PAYMENT.as_bytes()));
    assert_eq!(decoded.occurred_at, Some("2015-12-07T16:46:07Z".parse().unwrap()));
    assert_eq!(decoded.raw, PAYMENT);
    assert_eq!(decoded.event.name(), "PAYMENT");
    let Event::Payment(payment) = &decoded.event else { panic!("{:?}", decoded.event) };
    assert_eq!(payment.amount.unwrap().to_string(), "92.00");
    assert_eq!(payment.timestamp, decoded.occurred_at);
    assert_eq!(payment.card.as_ref().unwrap().last4_digits.as_deref(), Some("0000"));
    assert_eq!(payment.custom_parameters["SHOPPER_promoCode"], "AT052");
    assert_eq!(payment.result.as_ref().unwrap().code.as_ref().unwrap().group(), ResultGroup::Success);
    assert_eq!(
        serde_json::to_value(decoded.event.project()).unwrap(),
        json!({
            "kind": "payment",
            "id": "8a829449515d198b01517d5601df5584",
            "payment_type": "PA",
            "class": "success",
            "code": "000.000.000",
            "amount": "92.00",
            "currency": "EUR",
            "reference": null,
        })
    );
}

#[test]
fn the_activation_test_is_a_notification_keyed_by_its_digest() {
    let decoded = decode(ACTIVATION);
    let key = decoded.key.as_str();
    assert!(key.starts_with("test|webhook activation|") && key.len() == 24 + 32, "{key}");
    let Event::Test(test) = &decoded.event else { panic!("{:?}", decoded.event) };
    assert_eq!(test.action.as_deref(), Some("webhook activation"));
    assert!(test.result.as_ref().unwrap().code.as_ref().unwrap().is_test_mode());
    assert_eq!(project(ACTIVATION), json!({"kind": "notification", "name": "test", "content_type": null}));
    assert_ne!(key, self::key(&ACTIVATION.replace("000.100.110", "000.100.111")));
}

#[test]
fn registrations_schedules_and_risks_are_typed() {
    let registration = r#"{"type":"REGISTRATION","action":"CREATED","payload":{"id":"r","paymentBrand":"VISA",
        "result":{"code":"000.000.000","randomField1315125026":"Please allow for new unexpected fields to be added"},
        "redirect":{"parameters":[]},"risk":{"score":""},"timestamp":"2015-12-07 16:46:09+0000"}}"#;
    assert_eq!(undigested(registration), "REGISTRATION|CREATED|r|000.000.000|2015-12-07 16:46:09+0000");
    assert!(matches!(decode(registration).event, Event::Registration(r) if r.action == Some(Action::Created)));
    let shared =
        json!({"kind": "registration", "id": "r", "action": "CREATED", "class": "success", "code": "000.000.000"});
    assert_eq!(project(registration), shared);

    let schedule = r#"{"type":"SCHEDULE","action":"RESUMED","payload":{"id":"s","amount":3.50,"currency":"EUR",
        "result":{"code":"000.200.000"},"timestamp":"2015-12-07 16:46:07+0000"}}"#;
    assert!(matches!(&decode(schedule).event, Event::Schedule(s) if s.action == Some(Action::from("RESUMED"))
        && s.amount.unwrap().to_string() == "3.50"));
    let shared = json!({"kind": "schedule", "id": "s", "action": "RESUMED", "class": "pending", "code": "000.200.000"});
    assert_eq!(project(schedule), shared);

    for score in ["12", "\"12\""] {
        let risk = format!(r#"{{"type":"RISK","payload":{{"id":"k","risk":{{"score":{score}}}}}}}"#);
        let shared = json!({"kind": "risk", "id": "k", "class": "unknown", "code": null, "score": "12"});
        assert_eq!(project(&risk), shared, "{risk}");
    }
}

#[test]
fn a_pending_result_does_not_swallow_the_success_that_follows() {
    let pending = changed("/payload/result/code", json!("000.200.000"));
    assert_eq!(key(&pending), key(&changed("/payload/result/code", json!("000.200.000"))));
    assert_ne!(key(&pending), key(PAYMENT));
    assert_ne!(key(PAYMENT), key(&changed("/payload/timestamp", json!("2015-12-07 16:46:08+0000"))));
    assert_ne!(key(PAYMENT), key(&changed("/payload/id", json!("8a829449515d198b01517d5601df5585"))));
}

#[test]
fn without_an_id_or_a_time_something_else_keeps_keys_apart() {
    let payment = |payload: &str| format!(r#"{{"type":"PAYMENT","payload":{payload}}}"#);
    let (with, undigested) = (|payload: &str| key(&payment(payload)), |payload: &str| undigested(&payment(payload)));
    let time = r#""timestamp":"2015-12-07 16:46:07+0000""#;
    assert_eq!(undigested(&format!(r#"{{"ndc":"n",{time}}}"#)), "PAYMENT||n||2015-12-07 16:46:07+0000");
    assert_eq!(undigested(&format!(r#"{{"id":"","ndc":"n",{time}}}"#)), "PAYMENT||n||2015-12-07 16:46:07+0000");
    for (one, other) in [
        (r#"{"id":"a","amount":"1"}"#.to_owned(), r#"{"id":"a","amount":"2"}"#.to_owned()),
        (format!(r#"{{"amount":"1",{time}}}"#), format!(r#"{{"amount":"2",{time}}}"#)),
        ("{}".to_owned(), r#"{"amount":"2"}"#.to_owned()),
    ] {
        assert_eq!(with(&one), with(&one), "{one}");
        assert_ne!(with(&one), with(&other), "{one}");
    }
}

#[test]
fn a_notification_with_nearly_nothing_in_it_decodes() {
    for json in [
        r#"{"type":"PAYMENT"}"#,
        r#"{"type":"PAYMENT","payload":null}"#,
        r#"{"type":"PAYMENT","action":null,"payload":{}}"#,
        r#"{"type":"PAYMENT","payload":{"id":"8a","result":null,"card":null,"customParameters":null,"amount":null}}"#,
        r#"{"type":"PAYMENT","payload":{"customParameters":[]}}"#,
        r#"{"type":"REGISTRATION","payload":{"result":{}}}"#,
        r#"{"type":"SCHEDULE"}"#,
        r#"{"type":"RISK"}"#,
        r#"{"type":"test"}"#,
    ] {
        assert!(!matches!(decode(json).event, Event::Unknown { .. }), "{json}");
    }
    assert_eq!(project(r#"{"type":"PAYMENT"}"#)["class"], "unknown");
}

#[test]
fn unknown_types_and_members_are_never_an_error() {
    for (json, name) in [
        (r#"{"type":"DISPUTE","payload":{"id":7,"timestamp":"soon","result":["x"]}}"#, "DISPUTE"),
        (r#"{"type":"DISPUTE","payload":["id"],"extra":{}}"#, "DISPUTE"),
        (r#"{"type":"payment","payload":"text"}"#, "payment"),
        (r#"{"type":7}"#, "7"),
        (r#"{"type":null}"#, ""),
        ("{}", ""),
    ] {
        let decoded = decode(json);
        assert_eq!(decoded.event.name(), name, "{json}");
        assert!(matches!(&decoded.event, Event::Unknown { raw, .. } if raw == json), "{json}");
        assert_eq!(project(json), json!({"kind": "unknown", "name": name}), "{json}");
        assert_eq!(decoded.occurred_at, None, "{json}");
    }
    assert_eq!(undigested(r#"{"type":"DISPUTE","payload":{"id":7,"timestamp":"soon"}}"#), "DISPUTE||7||soon");
    let with_more = PAYMENT.replacen("\"payload\": {", "\"new\": [1], \"payload\": {\"newer\": {\"x\": 1},", 1);
    assert_eq!(decode(&with_more).event, decode(PAYMENT).event);
}

#[test]
fn what_the_platform_does_not_send_is_malformed() {
    let cases = [
        "".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        r#"["PAYMENT"]"#.to_owned(),
        "{".to_owned(),
        PAYMENT.replacen("\"payload\"", "\"type\": \"PAYMENT\", \"payload\"", 1),
        PAYMENT.replacen("\"bin\"", "\"last4Digits\": \"1111\", \"bin\"", 1),
        PAYMENT.replacen("\"code\"", "\"\\u0063ode\": \"000.000.000\", \"code\"", 1),
        r#"{"type":{}}"#.to_owned(),
        r#"{"type":"PAYMENT","payload":["8a"]}"#.to_owned(),
        r#"{"type":"PAYMENT","payload":"8a"}"#.to_owned(),
        changed("/payload/id", json!(["8a"])),
        changed("/payload/amount", json!(true)),
        changed("/payload/amount", json!("92,00")),
        changed("/payload/amount", json!("9.2e1")),
        changed("/payload/result", json!(["000.000.000"])),
        changed("/payload/result/code", json!(0)),
        changed("/payload/result", json!("000.000.000")),
        changed("/payload/currency", json!(978)),
        changed("/payload/presentationAmount", json!("abc")),
        changed("/payload/paymentType", json!(["RF"])),
    ];
    for json in cases {
        let refused = try_decode(&json).expect_err(&json);
        assert_eq!(refused.kind(), RejectionKind::PayloadMalformed, "{json}");
        assert!(!["8a829", "92,00", "978", "RF"].iter().any(|value| refused.to_string().contains(value)), "{refused}");
    }
}

#[test]
fn what_is_second_hand_is_absent_when_it_cannot_be_read_and_ids_may_be_numbers() {
    for (pointer, value) in [
        ("/payload/card", json!("4200")),
        ("/payload/card/bin", json!({})),
        ("/payload/timestamp", json!("2015-12-07")),
        ("/payload/timestamp", json!("2015-12-07 16:46:07")),
        ("/payload/timestamp", json!("2015-13-07 16:46:07+0000")),
        ("/payload/timestamp", json!(1449506767)),
        ("/payload/descriptor", json!(7)),
        ("/payload/authentication", json!([])),
    ] {
        let json = changed(pointer, value);
        let events = opp().decode(&HeaderMap::new(), Bytes::from(json.clone())).unwrap();
        assert_eq!(events.absent(), [pointer.rsplit('/').next().unwrap()], "{json}");
        let shared = serde_json::to_value(events[0].event.project()).unwrap();
        assert_eq!((&shared["amount"], &shared["class"]), (&json!("92.00"), &json!("success")), "{json}");
        assert_eq!(events[0].occurred_at.is_none(), pointer == "/payload/timestamp", "{json}");
    }
    let numbered = opp().decode(&HeaderMap::new(), Bytes::from(changed("/payload/id", json!(7)))).unwrap();
    assert_eq!(numbered.absent(), <[String; 0]>::default());
    assert!(matches!(&numbered[0].event, Event::Payment(payment) if payment.id.as_deref() == Some("7")));
}

#[test]
fn the_published_vector_opens_and_its_tampered_twins_do_not() {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    let vector = |name: &str| all["opp"][0][name].as_str().unwrap().to_owned();
    let open = |key: &str, iv: &str, tag: &str, body: String| {
        let mut headers = HeaderMap::new();
        headers.insert("x-initialization-vector", HeaderValue::from_str(iv).unwrap());
        headers.insert("x-authentication-tag", HeaderValue::from_str(tag).unwrap());
        let opp = Opp::new(Secret::hex(key).unwrap()).unwrap();
        let opened = opp.scheme().open(&headers, body.into(), NOW).map_err(|no| no.kind())?;
        opp.decode(&headers, opened.plaintext).map_err(|no| no.kind())
    };
    let (key, iv, tag, body) = (vector("key_hex"), vector("iv_hex"), vector("tag_hex"), vector("body_hex"));
    for body in [body.clone(), body.to_lowercase(), format!(r#"{{"encryptedBody":"{body}"}}"#)] {
        let events = open(&key, &iv, &tag, body).unwrap();
        assert_eq!(events[0].raw, vector("plaintext"));
        assert_eq!(events[0].key.as_str(), format!("PAYMENT||{}", Identity::of_json(br#"{"type":"PAYMENT"}"#)));
    }
    let flip = |hex: &str| format!("{}{}", &hex[..hex.len() - 1], if hex.ends_with('0') { '1' } else { '0' });
    for (what, kind) in [
        ("key", open(&flip(&key), &iv, &tag, body.clone())),
        ("iv", open(&key, &flip(&iv), &tag, body.clone())),
        ("tag", open(&key, &iv, &flip(&tag), body.clone())),
        ("body", open(&key, &iv, &tag, flip(&body))),
    ] {
        assert_eq!(kind.map(|_| ()), Err(RejectionKind::SignatureMismatch), "{what}");
    }
}

#[test]
fn only_a_key_of_32_bytes_is_taken() {
    for digits in ["00", &KEY[..32], &format!("{KEY}00")] {
        let refused = Opp::new(Secret::hex(digits).unwrap()).unwrap_err();
        assert_eq!(
            refused,
            ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: digits.len() / 2 }),
            "{digits}"
        );
    }
}

#[test]
fn the_schedule_is_a_choice_and_retention_follows_it() {
    let day = Duration::from_hours(24);
    let thirty = opp();
    let five = opp().retry_schedule(RetrySchedule::FiveDays);
    assert_eq!(thirty.profile().retries.steps[..2], [Duration::from_mins(1), Duration::from_mins(2)]);
    assert_eq!((thirty.profile().retries.horizon(), thirty.profile().retention()), (30 * day, 36 * day));
    assert_eq!((five.profile().retries.horizon(), five.profile().retention()), (5 * day, 6 * day));
    assert_eq!(five.profile().retries.then_every, Some(Duration::from_hours(1)));
    // Whoever is warned of a switch-off is warned by the shorter, until somebody says which it is.
    let thirty_said = opp().retry_schedule(RetrySchedule::ThirtyDays);
    let switched_off = [&thirty, &five, &thirty_said].map(|opp| opp.profile().switched_off_after);
    assert_eq!(switched_off, [Some(5 * day), Some(5 * day), Some(30 * day)]);
}

#[test]
fn the_wrapper_decides_body_and_content_type() {
    let zero = |out: &mut [u8]| -> Result<(), NoEntropy> {
        out.fill(0);
        Ok(())
    };
    for (wrapper, content_type, body) in [
        (Wrapper::None, "text/plain", "0a3471c72d9be49a8520f79c66bbd9a12ff9"),
        (Wrapper::Json, "application/json", r#"{"encryptedBody":"0a3471c72d9be49a8520f79c66bbd9a12ff9"}"#),
    ] {
        let sender = opp().sealed_as(wrapper).unwrap();
        let request = sender.seal(Message::new(r#"{"type":"PAYMENT"}"#), &Sealing::new(NOW, &zero)).unwrap();
        assert_eq!(request.headers()[CONTENT_TYPE], content_type, "{wrapper:?}");
        assert_eq!(request.headers()["X-Authentication-Tag"], "ce573fb7a41ab78e743180dc83ff09bd", "{wrapper:?}");
        assert_eq!(request.body(), body, "{wrapper:?}");
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_decodes_to_the_same_bytes(
        iv: [u8; 12],
        wrapped: bool,
        id in "[0-9a-f]{1,32}",
        text in "\\PC{0,40}",
        amount in 0u32..1_000_000,
    ) {
        let seeded = move |out: &mut [u8]| -> Result<(), NoEntropy> {
            out.copy_from_slice(&iv);
            Ok(())
        };
        let wrapper = if wrapped { Wrapper::Json } else { Wrapper::None };
        let sent = json!({"type": "PAYMENT", "payload": {"id": id, "descriptor": text, "amount": amount}}).to_string();
        let sender = opp().sealed_as(wrapper).unwrap();
        let request = sender.seal(Message::new(sent.clone()), &Sealing::new(NOW, &seeded)).unwrap();

        let opened = opp().scheme().open(request.headers(), request.body().clone(), NOW).unwrap();
        let events = opp().decode(request.headers(), opened.plaintext).unwrap();
        prop_assert_eq!(&events[0].raw, &sent);
        let Shared::Payment(payment) = events[0].event.project() else { panic!("{:?}", events[0]) };
        prop_assert_eq!(payment.amount.unwrap().amount.to_string(), amount.to_string());

        let mut tampered = request.body().to_vec();
        let at = tampered.iter().rposition(u8::is_ascii_hexdigit).unwrap();
        tampered[at] = if tampered[at] == b'0' { b'1' } else { b'0' };
        let refused = opp().scheme().open(request.headers(), tampered.into(), NOW).unwrap_err();
        prop_assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
    }
}
