//! Mambu: every body reaches the handler, and what tells one notification from another.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::event::{Amount, Project as _};
use tower_webhook::json::Pointer;
use tower_webhook::provider::mambu::{ContentType, Event, EventName, KeyPolicy, Mambu, RetryPolicy};
use tower_webhook::provider::{Decoded, Delivered, Identity, Lookup, Message, Provider as _};
use tower_webhook::scheme::{SealError, Sealing};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

const KEY: &str = "x-notifications-idempotency-key";
const TEMPLATE: &str = include_str!("../fixtures/mambu/loan-disbursed.template.json");
const VALUES: &str = include_str!("../fixtures/mambu/values.json");
const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// The template as Mambu renders it: what has no value is empty, and whether values are escaped is up to `write`.
fn rendered(write: fn(&str) -> String) -> String {
    let template: Value = serde_json::from_str(TEMPLATE).unwrap();
    let values: serde_json::Map<String, Value> = serde_json::from_str(VALUES).unwrap();
    let body = template["body"].as_str().unwrap().replace("{CF:CLIENT:Score:1}", "");
    values
        .iter()
        .fold(body, |body, (name, value)| body.replace(&format!("{{{name}}}"), &write(value.as_str().unwrap())))
}

fn escaped(text: &str) -> String {
    text.replace('"', "\\\"")
}

fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn decode(mambu: &Mambu, headers: &HeaderMap, body: impl Into<Bytes>) -> Result<Decoded<Event>, RejectionKind> {
    let events = mambu.decode(headers, body.into()).map_err(|no| no.kind())?;
    assert_eq!(events.len(), 1);
    Ok(events.into_iter().next().unwrap())
}

fn key(mambu: &Mambu, header: &str, body: impl Into<Bytes>) -> String {
    decode(mambu, &headers(&[(KEY, header)]), body).unwrap().key.to_string()
}

fn keyed_by(members: &[&str]) -> Mambu {
    Mambu::new().key_from_body(members.iter().map(|member| Pointer::new(*member).unwrap()))
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

#[test]
fn the_fixture_reaches_the_handler_with_its_name_and_exact_amount() {
    #[derive(Deserialize)]
    struct Loan<'a> {
        amount: Amount,
        #[serde(rename = "clientName")]
        client: String,
        score: &'a str,
    }
    let mambu = Mambu::new().event_at(Lookup::json("/event").unwrap());
    let head = headers(&[(KEY, "6f1c"), ("content-type", "application/json; charset=UTF-8")]);
    let body = Bytes::from(rendered(escaped));
    let decoded = decode(&mambu, &head, body.clone()).unwrap();
    assert_eq!(decoded.key.as_str(), "6f1c");
    assert_eq!(decoded.occurred_at, None);
    assert_eq!((&decoded.raw, &decoded.event.body), (&body, &body));
    assert_eq!(decoded.identity, Identity::of_json(&body));
    assert_eq!(decoded.raw.as_ptr(), body.as_ptr());
    assert_eq!(decoded.event.name, Some(EventName::LoanDisbursement));
    assert_eq!(decoded.event.name(), "LOAN_DISBURSEMENT");
    assert_eq!(
        serde_json::to_value(decoded.event.project()).unwrap(),
        json!({ "kind": "notification", "name": "LOAN_DISBURSEMENT", "content_type": "application/json" })
    );
    let loan: Loan<'_> = decoded.event.json().unwrap();
    assert_eq!(
        (loan.amount.to_string().as_str(), loan.client.as_str(), loan.score),
        ("2500.00", "Zoë \"Zed\" O'Hara", "")
    );
}

#[test]
fn a_body_of_any_type_and_any_shape_reaches_the_handler() {
    let mambu = Mambu::new().event_at(Lookup::json("/event").unwrap());
    let broken = rendered(str::to_owned);
    assert!(serde_json::from_str::<Value>(&broken).is_err());
    for (sent, content_type, body) in [
        ("application/json", Some(ContentType::Json), broken.as_bytes()),
        ("Application/XML", Some(ContentType::Xml), b"<event>LOAN_CREATED</event>"),
        ("text/xml;charset=utf-8", Some(ContentType::TextXml), b"<event/>"),
        ("text/plain; charset=UTF-8", Some(ContentType::Text), "Zoë".as_bytes()),
        ("text/csv", Some(ContentType::Other("text/csv".into())), b"a,b"),
        ("application/json", Some(ContentType::Json), b"{\"event\":\"\xff\"}"),
        ("application/json", Some(ContentType::Json), b"{\"event\":\"A\",\"event\":\"B\"}"),
        ("application/json", Some(ContentType::Json), b""),
        (" ", None, b"\0"),
    ] {
        let head = headers(&[(KEY, "6f1c"), ("content-type", sent)]);
        let decoded = decode(&mambu, &head, Bytes::copy_from_slice(body)).unwrap();
        let event = decoded.event;
        assert_eq!((event.content_type.clone(), &event.body[..]), (content_type, body), "{sent} {body:?}");
        assert_eq!((event.name.as_ref(), event.name()), (None, "notification"), "{body:?}");
        assert_eq!(&decoded.raw[..], body);
        assert_eq!(event.json::<Value>().unwrap_err().kind(), RejectionKind::PayloadMalformed, "{body:?}");
        assert_eq!(event.text().ok(), std::str::from_utf8(body).ok(), "{body:?}");
    }
    assert_eq!(decode(&mambu, &headers(&[(KEY, "6f1c")]), "{}").unwrap().event.content_type, None);
}

#[test]
fn a_complaint_about_a_body_quotes_none_of_it() {
    let event = decode(&Mambu::new(), &headers(&[(KEY, "6f1c")]), &b"\"canary\" \xff"[..]).unwrap().event;
    for no in [event.json::<u8>().unwrap_err(), event.text().unwrap_err()] {
        assert_eq!((no.kind(), no.detail()), (RejectionKind::PayloadMalformed, "not UTF-8 at byte 9"));
    }
}

#[test]
fn the_name_is_read_where_the_configuration_says() {
    let head = headers(&[(KEY, "6f1c"), ("x-event", "SAVINGS_DEPOSIT")]);
    for (place, name) in [
        (Lookup::json("/a/event").unwrap(), Some(EventName::CreditBalanceDeposit)),
        (Lookup::json("/a/new").unwrap(), Some(EventName::Other("BRAND_NEW".into()))),
        (Lookup::json("/a/none").unwrap(), None),
        (Lookup::header("x-event").unwrap(), Some(EventName::SavingsDeposit)),
        (Lookup::header("x-other").unwrap(), None),
        (Lookup::fixed("END_OF_DAY_PROCESSING_COMPLETED"), Some(EventName::EndOfDayProcessingCompleted)),
    ] {
        let body = r#"{"a":{"event":"CREDIT_BALANCE_DEPOSIT","new":"BRAND_NEW","none":""}}"#;
        let event = decode(&Mambu::new().event_at(place.clone()), &head, body).unwrap().event;
        assert_eq!(event.name, name, "{place:?}");
    }
}

#[test]
fn the_header_is_required_and_stands_once_in_visible_ascii() {
    let (long, longer) = ("k".repeat(255), "k".repeat(256));
    for (given, answer) in [
        (&["6f1c"][..], Ok("6f1c")),
        (&[" 6f1c\t"], Ok("6f1c")),
        (&["a|b\\c"], Ok("a\\|b\\\\c")),
        (&[&long], Ok(&long)),
        (&[&longer], Err(RejectionKind::HeaderMalformed)),
        (&["6f 1c"], Err(RejectionKind::HeaderMalformed)),
        (&["6f1ç"], Err(RejectionKind::HeaderMalformed)),
        (&[], Err(RejectionKind::KeyMissing)),
        (&[""], Err(RejectionKind::KeyMissing)),
        (&[" "], Err(RejectionKind::KeyMissing)),
        (&["6f1c", "6f1d"], Err(RejectionKind::HeaderRepeated)),
        (&["6f1c", "6f1c"], Err(RejectionKind::HeaderRepeated)),
        (&["", "6f1c"], Err(RejectionKind::HeaderRepeated)),
    ] {
        let head = headers(&given.iter().map(|value| (KEY, *value)).collect::<Vec<_>>());
        for mambu in [Mambu::new(), keyed_by(&["/n"])] {
            let said = decode(&mambu, &head, "abc").map(|decoded| decoded.key.to_string());
            assert_eq!(said, answer.map(str::to_owned), "{given:?}");
        }
        assert_eq!(decode(&keyed_by(&["/n"]), &head, r#"{"n":1}"#).err(), answer.err(), "{given:?}");
    }
}

#[test]
fn without_the_header_the_body_is_the_key_where_the_policy_says_so() {
    let mambu = Mambu::new().key_policy(KeyPolicy::OrBodyDigest);
    for (given, answer) in [
        (&[][..], Ok(format!("sha256|{SHA256_OF_ABC}"))),
        (&[" "], Ok(format!("sha256|{SHA256_OF_ABC}"))),
        (&["6f1c"], Ok("6f1c".to_owned())),
        (&["6f1c", "6f1c"], Err(RejectionKind::HeaderRepeated)),
        (&["6f 1c"], Err(RejectionKind::HeaderMalformed)),
    ] {
        let head = headers(&given.iter().map(|value| (KEY, *value)).collect::<Vec<_>>());
        let said = decode(&mambu, &head, "abc").map(|decoded| decoded.key.to_string());
        assert_eq!(said, answer, "{given:?}");
    }
    let other = decode(&mambu, &HeaderMap::new(), "abd").unwrap().key;
    assert_ne!(other.as_str(), format!("sha256|{SHA256_OF_ABC}"));
    let body = decode(&keyed_by(&["/n"]).key_policy(KeyPolicy::OrBodyDigest), &HeaderMap::new(), r#"{"n":1}"#).unwrap();
    assert_eq!(body.key.as_str(), "body|1");
}

#[test]
fn a_resend_by_hand_has_the_key_of_the_first_send() {
    let mambu = keyed_by(&["/event", "/accountId"]);
    let body = rendered(escaped);
    assert_eq!(key(&mambu, "first", body.clone()), "body|LOAN_DISBURSEMENT|LA-10042");
    assert_eq!(key(&mambu, "second", body.clone()), key(&mambu, "first", body.clone()));
    assert_ne!(key(&mambu, "first", body.replace("LA-10042", "LA-10043")), key(&mambu, "first", body.clone()));
    assert_ne!(key(&Mambu::new(), "second", body.clone()), key(&Mambu::new(), "first", body));
}

#[test]
fn half_a_body_key_is_none() {
    let mambu = keyed_by(&["/event", "/id"]);
    for body in [
        r#"{"event":"E"}"#,
        r#"{"event":"E","id":""}"#,
        r#"{"event":"E","id":null}"#,
        r#"{"event":"E","id":{}}"#,
        r#"{"event":"E","id":1"#,
        r#"{"event":"E","id":1,"id":1}"#,
        "<event>E</event>",
    ] {
        assert_eq!(key(&mambu, "6f1c", body), "6f1c", "{body}");
    }
    assert_eq!(key(&mambu, "6f1c", r#"{"event":"E","id":1.50}"#), "body|E|1.50");
    assert_eq!(key(&keyed_by(&[]), "6f1c", "{}"), "6f1c");
}

#[test]
fn no_header_can_say_what_a_body_says() {
    let body = key(&keyed_by(&["/id"]), "6f1c", r#"{"id":"a1"}"#);
    assert_eq!(body, "body|a1");
    assert_ne!(key(&Mambu::new(), "body|a1", "{}"), body);
}

#[test]
fn basic_auth_in_front_proves_the_sender_or_a_static_header_does() {
    assert!(!Mambu::new().scheme().proves_sender());
    let header = HeaderName::from_static("x-api-key");
    let short = Mambu::static_header(header.clone(), Secret::utf8("mambu-api-key-1").unwrap()).unwrap_err();
    assert_eq!(short, ConfigError::new(ConfigErrorKind::ShortSecret { least: 16, given: 15 }));

    let mambu = Mambu::static_header(header, Secret::utf8("mambu-api-key-01").unwrap()).unwrap();
    assert!(mambu.scheme().proves_sender());
    let open = |head: &HeaderMap| mambu.scheme().open(head, Bytes::new(), now()).map(|_| ()).map_err(|no| no.kind());
    assert_eq!(open(&headers(&[("x-api-key", "mambu-api-key-01")])), Ok(()));
    assert_eq!(open(&headers(&[("x-api-key", "mambu-api-key-00")])), Err(RejectionKind::SignatureMismatch));
    assert_eq!(open(&HeaderMap::new()), Err(RejectionKind::SignatureMissing));
}

#[test]
fn sealing_sets_the_key_the_type_and_the_token() {
    let token = Secret::utf8("mambu-api-key-01").unwrap();
    let mambu = Mambu::static_header(HeaderName::from_static("x-api-key"), token).unwrap();
    let seal = |message: Message| mambu.seal(message, &Sealing::new(now(), &OsEntropy));

    let sent = seal(Message::new("{}").idempotency_key("6f1c")).unwrap();
    assert_eq!(sent.method(), Method::POST);
    assert_eq!(sent.headers()[KEY], "6f1c");
    assert_eq!(sent.headers()["x-api-key"], "mambu-api-key-01");
    assert_eq!(sent.headers()["content-type"], "application/json");

    let sent = seal(Message::new("hi").content_type(HeaderValue::from_static("text/plain"))).unwrap();
    assert_eq!(sent.headers()["content-type"], "text/plain");
    assert!(!sent.headers().contains_key(KEY));
    assert_eq!(seal(Message::new("{}").idempotency_key("a\nb")).unwrap_err(), SealError::Header);
}

#[test]
fn the_profile_says_what_the_documents_say() {
    let mambu = Mambu::new();
    let profile = mambu.profile();
    assert_eq!(profile.methods, [Method::POST, Method::PUT, Method::PATCH]);
    assert_eq!(profile.content_types, ["application/json", "application/xml", "text/xml", "text/plain"]);
    assert_eq!((profile.delivered, profile.answer_within), (Delivered::AnySuccess, None));
    assert_eq!(profile.retention().as_secs(), 12 * 86_400 * 6 / 5);

    let five = Mambu::new().retry_policy(RetryPolicy::FiveAttempts);
    let profile = five.profile();
    assert_eq!((profile.retries.steps.len(), profile.retries.horizon().as_secs()), (4, 86_400));
    assert_eq!(profile.retention().as_secs(), 8 * 86_400 * 6 / 5);
    assert_eq!(Mambu::new().change_profile(|profile| profile.max_body = 7).profile().max_body, 7);
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened_and_decoded_to_the_same_bytes(
        body in prop::collection::vec(any::<u8>(), 0..200), id in "[!-~]{1,255}",
    ) {
        let mambu = keyed_by(&["/id"]).event_at(Lookup::json("/event").unwrap());
        let message = Message::new(body.clone()).idempotency_key(id.clone());
        let sent = mambu.seal(message, &Sealing::new(now(), &OsEntropy)).unwrap();
        let opened = mambu.scheme().open(sent.headers(), sent.body().clone(), now()).unwrap();
        let decoded = decode(&mambu, sent.headers(), opened.plaintext).unwrap();
        prop_assert_eq!(&decoded.raw[..], &body[..]);
        prop_assert_eq!(&decoded.event.body[..], &body[..]);
        prop_assert_eq!(decoded.key.as_str(), id.replace('\\', "\\\\").replace('|', "\\|"));
    }

    #[test]
    fn any_event_name_and_id_in_json_make_name_and_key(event in "[^ ]\\PC{0,20}", id in "[^ ]\\PC{0,20}") {
        prop_assume!(!event.trim().is_empty() && !id.trim().is_empty());
        let mambu = keyed_by(&["/id"]).event_at(Lookup::json("/event").unwrap());
        let body = json!({ "event": event, "id": id }).to_string();
        let decoded = decode(&mambu, &headers(&[(KEY, "6f1c")]), body).unwrap();
        prop_assert_eq!(decoded.event.name(), &event);
        // White space around it is the text's own: no bare value is written so.
        let is_bare = !id.starts_with(['{', '[']) && id.trim() == id && serde_json::from_str::<Value>(&id).is_ok();
        let is_bare = is_bare || id.starts_with('"');
        let id = if is_bare { json!(id).to_string() } else { id };
        prop_assert_eq!(decoded.key.as_str(), format!("body|{}", id.replace('\\', "\\\\").replace('|', "\\|")));
    }

    #[test]
    fn two_bodies_have_two_digests(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
        let mambu = Mambu::new().key_policy(KeyPolicy::OrBodyDigest);
        let key = |body: &Vec<u8>| decode(&mambu, &HeaderMap::new(), body.clone()).unwrap().key;
        prop_assert_eq!(key(&a) == key(&b), a == b);
    }
}
