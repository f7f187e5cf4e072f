//! Banking Circle: what its messages say, how each notification is keyed, and the way there and back.
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
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_webhook::clock::{NoEntropy, OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::event::Project;
use tower_webhook::provider::banking_circle::{
    BankingCircle, Detail, Event, HeaderNames, RetryCount, Status, UnreadablePolicy,
};
use tower_webhook::provider::{Decoded, Events, Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

const PROCESSED: &str = include_str!("../fixtures/banking-circle/incoming-payment-processed.json");
const BOOKED: &str = include_str!("../fixtures/banking-circle/outgoing-payment-booked.json");
const BATCH: &str = include_str!("../fixtures/banking-circle/batch.json");
const KEY: &str = "sim-bc-notification-key-32-chars";
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn bank() -> BankingCircle {
    BankingCircle::new(Secret::utf8(KEY).unwrap()).unwrap()
}

fn try_decode(json: &str) -> Result<Events<Event>, Rejection> {
    bank().decode(&HeaderMap::new(), Bytes::copy_from_slice(json.as_bytes()))
}

fn decode(json: &str) -> Vec<Decoded<Event>> {
    let events = try_decode(json).unwrap_or_else(|no| panic!("{no}: {json}"));
    assert_eq!(events.rejection().map(|no| no.to_string()), None, "{json}");
    events.into_iter().collect()
}

fn reject(json: &str) -> RejectionKind {
    try_decode(json).expect_err(json).kind()
}

/// The kind of reject, and how many events are readable all the same.
fn unreadable(json: &str) -> (RejectionKind, usize) {
    let events = try_decode(json).unwrap_or_else(|no| panic!("{no}: {json}"));
    (events.rejection().expect(json).kind(), events.len())
}

/// A message with one notification of these members.
fn message(members: &Value) -> String {
    json!({"notifications": [members]}).to_string()
}

fn project(members: &Value) -> Value {
    serde_json::to_value(decode(&message(members))[0].event.project()).unwrap()
}

/// The one notification of the fixture with one member changed.
fn changed(pointer: &str, value: Value) -> String {
    let mut message: Value = serde_json::from_str(PROCESSED).unwrap();
    *message.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    message.to_string()
}

#[test]
fn an_incoming_payment_decodes_to_its_exact_values() {
    let events = decode(PROCESSED);
    let [decoded] = events.as_slice() else { panic!("{}", events.len()) };
    assert_eq!(decoded.key.as_str(), "00000000-0000-4000-8000-000000000001");
    assert_eq!(decoded.occurred_at, Some("2024-07-26T14:53:52.8581798Z".parse().unwrap()));
    assert_eq!(decoded.event.name(), "IncomingPaymentProcessed");
    assert_eq!(decoded.event.subscription_id.as_deref(), Some("5f6b1d5e-8a55-4c0f-9a5e-0d2f4f6f8a01"));
    assert_eq!(decoded.event.subscription_event_id.as_deref(), Some("0c1d1e2f-3a4b-4c5d-8e6f-70819203a4b5"));
    let Detail::IncomingPaymentProcessed(payment) = &decoded.event.detail else { panic!("{decoded:?}") };
    assert_eq!(payment.status, Some(Status::Processed));
    assert_eq!(payment.is_traceable, Some(true));
    let transfer = payment.transfer.as_ref().unwrap();
    assert_eq!(transfer.remittance_information.as_ref().unwrap().line1.as_deref(), Some("Invoice 4711"));
    assert_eq!(
        serde_json::to_value(decoded.event.project()).unwrap(),
        json!({
            "kind": "payment_booking",
            "id": "4b0a2b62-3f1f-4a07-9f34-0c3f60a5b1aa",
            "reference": "010F103220030044",
            "direction": "incoming",
            "status": "processed",
            "is_return": false,
            "amount": "1250.35",
            "currency": "EUR",
            "debtor": {"name": "Example Debtor ApS", "account": "DK3489000000010101", "bank": "SXPYDKKK"},
            "creditor": {"name": null, "account": "LU784080000018104800", "bank": "BCIRLULL"},
            "value_date": "2024-07-26T00:00:00",
        })
    );
}

#[test]
fn a_payment_that_came_back_is_told_from_one_that_went() {
    for (word, is_return) in [("null", false), ("false", false), ("true", true)] {
        let text = PROCESSED.replacen("\"return\": null", &format!("\"return\": {word}"), 1);
        let events = decode(&text);
        let shared = serde_json::to_value(events[0].event.project()).unwrap();
        assert_eq!(shared["is_return"], json!(is_return), "{word}");
    }
}

#[test]
fn a_booking_keeps_its_sign() {
    let events = decode(BOOKED);
    assert!(matches!(&events[0].event.detail, Detail::OutgoingPaymentBooked(booking)
        if booking.amount.unwrap().to_string() == "-1250.35"));
    let shared = serde_json::to_value(events[0].event.project()).unwrap();
    assert_eq!((&shared["amount"], &shared["currency"]), (&json!("-1250.35"), &json!("EUR")));
    assert_eq!((&shared["direction"], &shared["status"]), (&json!("outgoing"), &json!("booked")));
}

#[test]
fn a_batch_decodes_in_order_and_each_event_keeps_its_own_json() {
    let rows = [
        ("11", "IncomingPaymentProcessed", "payment_booking", "incoming", "processed", "1250.35"),
        ("12", "IncomingPaymentBooked", "payment_booking", "incoming", "booked", "1250.35"),
        ("13", "OutgoingPaymentRejected", "payment_booking", "outgoing", "rejected", "1250.35"),
        ("14", "OutgoingPaymentProcessed", "payment_booking", "outgoing", "processed", "1250.35"),
        ("15", "OutgoingPaymentBooked", "payment_booking", "outgoing", "booked", "-1250.35"),
        ("16", "MissingFunding", "payment_booking", "outgoing", "missing_funding", "1250.35"),
        ("17", "Reversed", "payment_booking", "outgoing", "reversed", "1250.35"),
        ("18", "PaymentRouting", "payment_booking", "outgoing", "routed", "1250.35"),
        (
            "19",
            "OutgoingDirectDebitPendingProcessing",
            "payment_booking",
            "outgoing",
            "pending_direct_debit",
            "1250.35",
        ),
        ("20", "CasesEvents", "case", "", "OPEN", ""),
        ("21", "PaymentStatus", "payment", "", "", "1250.35"),
        ("22", "SomethingNewNextYear", "unknown", "", "", ""),
    ];
    let plaintext = Bytes::from_static(BATCH.as_bytes());
    let events = bank().decode(&HeaderMap::new(), plaintext.clone()).unwrap();
    assert_eq!(events.len(), rows.len());
    let mut rest = BATCH;
    for (decoded, (id, name, kind, direction, status, amount)) in events.iter().zip(rows) {
        assert_eq!(decoded.key.as_str(), format!("00000000-0000-4000-8000-0000000000{id}"));
        assert_eq!(decoded.event.name(), name);
        let shared = serde_json::to_value(decoded.event.project()).unwrap();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(word(&shared["kind"]), kind, "{name}");
        assert_eq!(word(&shared["direction"]), direction, "{name}");
        assert_eq!(word(&shared["status"]), status, "{name}");
        assert_eq!(word(&shared["amount"]), amount, "{name}");

        // The next piece of the message, letter for letter, and not a copy of it.
        let raw = std::str::from_utf8(&decoded.raw).unwrap();
        let at = rest.find(raw).unwrap_or_else(|| panic!("{name}: {raw}"));
        assert!(
            rest[..at].trim_matches(|letter: char| letter.is_whitespace() || letter == ',').is_empty() || id == "11"
        );
        rest = &rest[at + raw.len()..];
        assert!(plaintext.as_ptr_range().contains(&decoded.raw.as_ptr()), "{name} is a copy");
        assert_eq!(serde_json::from_str::<Value>(raw).unwrap()["eventId"], decoded.key.as_str());
    }
    assert_eq!(rest.split_whitespace().collect::<String>(), "]}");
}

#[test]
fn the_details_beside_payments_are_typed_as_far_as_they_are_published() {
    let events = decode(BATCH);
    assert_eq!(
        serde_json::to_value(events[9].event.project()).unwrap(),
        json!({"kind": "case", "id": "c-1001", "event": "CASE_CREATED", "case_type": "RFI", "status": "OPEN"})
    );
    assert_eq!(
        serde_json::to_value(events[10].event.project()).unwrap(),
        json!({
            "kind": "payment",
            "id": "97ed4827-7b6f-4491-a06f-b548d5a7512d",
            "payment_type": null,
            "class": "success",
            "code": "ACSC",
            "amount": "1250.35",
            "currency": "EUR",
            "reference": "E2E-1",
        })
    );
    assert!(matches!(&events[11].event.detail, Detail::Unknown { raw } if *raw == events[11].raw));
    let errors = json!([{"code": "AC04", "description": "Closed account number"}]);
    assert!(matches!(&events[2].event.detail, Detail::OutgoingPaymentRejected(payment)
        if serde_json::from_str::<Value>(payment.errors.as_deref().unwrap()).unwrap() == errors));
    assert!(matches!(&events[7].event.detail, Detail::PaymentRouting(payment)
        if payment.routing_status.as_deref() == Some("RoutedViaSwift")));
}

#[test]
fn types_of_unpublished_form_keep_their_detail_as_it_came() {
    for (name, kind) in [
        ("AccountHolderVerification", json!({"kind": "unknown", "name": "AccountHolderVerification"})),
        ("AgencyBankingWhitelistResult", json!({"kind": "unknown", "name": "AgencyBankingWhitelistResult"})),
        ("MandateStatus", json!({"kind": "mandate", "id": null, "phase": "status", "status": null, "debit": null})),
    ] {
        for (member, value) in [("payload", r#"{"x":[1.50]}"#), ("payment", r#"["any"]"#), ("other", "1")] {
            let json = format!(r#"{{"eventId":"e","notificationType":"{name}","{member}":{value}}}"#);
            let events = decode(&format!(r#"{{"notifications":[{json}]}}"#));
            let found = match &events[0].event.detail {
                Detail::AccountHolderVerification(found)
                | Detail::AgencyBankingWhitelistResult(found)
                | Detail::MandateStatus(found) => &found.raw,
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(found, if member == "other" { &json } else { value }, "{name} {member}");
            assert_eq!(serde_json::to_value(events[0].event.project()).unwrap(), kind, "{name}");
        }
    }
}

#[test]
fn a_type_may_be_a_number_and_a_case_has_two_spellings() {
    for (sent, name, known) in [
        (json!(1), "IncomingPaymentProcessed", true),
        (json!("8"), "IncomingPaymentBooked", true),
        (json!(14), "MandateStatus", true),
        (json!("CaseEvents"), "CaseEvents", true),
        (json!("CasesEvents"), "CasesEvents", true),
        (json!(0), "0", false),
        (json!(15), "15", false),
        (json!(-1), "-1", false),
        (json!(null), "", false),
    ] {
        let members = json!({"eventId": "e", "notificationType": sent, "payment": {"paymentId": "p", "caseId": "c"}});
        let event = &decode(&message(&members))[0].event;
        assert_eq!(event.name(), name);
        assert_eq!(!matches!(event.detail, Detail::Unknown { .. }), known, "{name}");
        assert_eq!(matches!(event.detail, Detail::CaseEvents(_)), name.starts_with("Case"), "{name}");
    }
}

#[test]
fn the_direction_is_the_banks_word_or_the_side_that_is_told() {
    let side = json!({"accountId": "a"});
    for (classification, debtor, creditor, direction) in [
        (json!("Incoming"), &side, &Value::Null, "incoming"),
        (json!("Outgoing"), &Value::Null, &side, "outgoing"),
        (json!("Internal"), &Value::Null, &side, "incoming"),
        (json!(null), &Value::Null, &side, "incoming"),
        (json!(null), &side, &Value::Null, "outgoing"),
        (json!(null), &side, &side, "outgoing"),
        (json!(null), &Value::Null, &Value::Null, "outgoing"),
    ] {
        for name in ["Reversed", "PaymentRouting"] {
            let payment = json!({"paymentId": "p", "classification": classification,
                "debtorInformation": debtor, "creditorInformation": creditor});
            let shared = project(&json!({"eventId": "e", "notificationType": name, "payment": payment}));
            assert_eq!(shared["direction"], direction, "{name} {payment}");
        }
    }
}

#[test]
fn the_amount_is_what_moves_on_the_account_and_else_what_was_ordered() {
    let money = |currency: &str, amount: f64| json!({"currency": currency, "amount": amount});
    let payment = json!({
        "paymentId": "p",
        "transfer": {"amount": money("USD", 3.5)},
        "debtorInformation": {"debitAmount": money("EUR", 1.25)},
        "creditorInformation": {"creditAmount": money("GBP", 2.25)},
    });
    for (name, amount) in [("IncomingPaymentProcessed", "2.25 GBP"), ("OutgoingPaymentProcessed", "1.25 EUR")] {
        let shared = project(&json!({"eventId": "e", "notificationType": name, "payment": payment}));
        let text = |member: &str| shared[member].as_str().unwrap().to_owned();
        assert_eq!(format!("{} {}", text("amount"), text("currency")), amount, "{name}");
    }
    let ordered = json!({"paymentId": "p", "transfer": {"amount": money("USD", 3.5)}});
    let shared = project(&json!({"eventId": "e", "notificationType": "MissingFunding", "payload": ordered}));
    assert_eq!((&shared["amount"], &shared["currency"]), (&json!("3.5"), &json!("USD")));
}

#[test]
fn an_iso_status_is_classed_and_an_unlisted_one_is_no_success() {
    for (code, class) in [
        ("ACSC", "success"),
        ("ACCC", "success"),
        ("RJCT", "rejected"),
        ("CANC", "rejected"),
        ("PDNG", "pending"),
        ("ACSP", "pending"),
        ("ACTC", "pending"),
        ("RCVD", "pending"),
        ("ACWP", "pending"),
        ("BLCK", "unknown"),
        ("XXXX", "unknown"),
    ] {
        let members =
            json!({"eventId": "e", "notificationType": "PaymentStatus", "payload": {"TransactionStatus": code}});
        let shared = project(&members);
        assert_eq!((&shared["class"], &shared["code"]), (&json!(class), &json!(code)));
    }
}

#[test]
fn a_message_holds_none_to_a_thousand_notifications() {
    let of = |count: usize| {
        let list: Vec<_> = (0..count).map(|at| format!(r#"{{"eventId":"e-{at}"}}"#)).collect();
        format!(r#"{{"notifications":[{}]}}"#, list.join(","))
    };
    for count in [0, 1, 1000] {
        let events = decode(&of(count));
        assert_eq!(events.len(), count);
        assert!(events.iter().enumerate().all(|(at, decoded)| decoded.key.as_str() == format!("e-{at}")));
    }
    for count in [1001, 5000] {
        assert_eq!(reject(&of(count)), RejectionKind::TooManyEvents, "{count}");
    }
}

#[test]
fn a_notification_without_an_id_of_its_own_is_refused() {
    for id in [json!(null), json!(""), json!(" ")] {
        let json = json!({"notifications": [{"eventId": "e"}, {"eventId": id, "notificationType": "New"}]});
        assert_eq!(unreadable(&json.to_string()), (RejectionKind::KeyMissing, 1), "{id}");
    }
    assert_eq!(unreadable(r#"{"notifications":[{}]}"#), (RejectionKind::KeyMissing, 0));
    assert_eq!(decode(r#"{"notifications":[{"eventId":"e"}]}"#).len(), 1);
}

#[test]
fn one_event_through_two_entries_of_a_subscription_is_one_event() {
    let first = &decode(PROCESSED)[0];
    let other_entry = &decode(&PROCESSED.replace("0c1d1e2f", "1c1d1e2f"))[0];
    assert_ne!(first.raw, other_entry.raw);
    assert_eq!((&first.key, &first.identity), (&other_entry.key, &other_entry.identity));
    let other_payment = &decode(&PROCESSED.replace("1250.35", "1250.36"))[0];
    assert_eq!(first.key, other_payment.key);
    assert_ne!(first.identity, other_payment.identity);
}

#[test]
fn unknown_members_are_never_an_error() {
    let more = PROCESSED
        .replace("\"paymentId\"", "\"new\": {\"x\": [1]}, \"paymentId\"")
        .replace("\"eventId\"", "\"newer\": 1, \"eventId\"");
    let more = more.replacen('{', "{\"newest\": null,", 1);
    assert_eq!(decode(&more)[0].event, decode(PROCESSED)[0].event);
}

#[test]
fn what_the_bank_does_not_send_is_malformed() {
    let cases = [
        "".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{\"notifications\":[".to_owned(),
        r#"{"notifications":null}"#.to_owned(),
        r#"{"notifications":{}}"#.to_owned(),
        r#"[[{"eventId":"e"}]]"#.to_owned(),
        PROCESSED.replacen('{', "{\"notifications\": [],", 1),
        PROCESSED.replacen("\"eventId\"", "\"eventId\": \"e\", \"eventId\"", 1),
        PROCESSED.replacen("\"currency\"", "\"currenc\\u0079\": \"USD\", \"currency\"", 1),
    ];
    for json in cases {
        assert_eq!(reject(&json), RejectionKind::PayloadMalformed, "{json}");
    }
}

/// A place in the fixture's one notification, and what is written there.
fn strict_members() -> Vec<(&'static str, Value)> {
    vec![
        ("", json!(1)),
        ("", json!(["e"])),
        ("/eventId", json!({})),
        ("/payment", json!(null)),
        ("/payment", json!([])),
        ("/payment/paymentId", json!(null)),
        ("/payment/paymentId", json!(true)),
        ("/payment/status", json!(1)),
        ("/payment/classification", json!(1)),
        ("/payment/return", json!("yes")),
        ("/payment/transfer", json!(["DK"])),
        ("/payment/transfer/amount", json!("1250.35")),
        ("/payment/transfer/amount/amount", json!("1.250,35")),
        ("/payment/transfer/amount/currency", json!(978)),
        ("/payment/creditorInformation", json!("a")),
        ("/payment/creditorInformation/creditAmount/amount", json!([1])),
    ]
}

#[test]
fn what_must_be_read_and_cannot_is_unreadable_and_says_where_and_not_what() {
    for (pointer, value) in strict_members() {
        let json = changed(&format!("/notifications/0{pointer}"), value);
        let events = try_decode(&json).unwrap_or_else(|no| panic!("{no}: {json}"));
        let ([], [one]) = (&*events, events.unreadable()) else { panic!("{json}: {events:?}") };
        assert_eq!((one.position, one.why.kind()), (0, RejectionKind::PayloadMalformed), "{json}");
        assert_eq!(json, format!(r#"{{"notifications":[{}]}}"#, std::str::from_utf8(&one.raw).unwrap()));
        let said = format!("{} {}", one.why, events.rejection().unwrap());
        assert!(!["1.250", "978", "DK"].iter().any(|value| said.contains(value)), "{said}");
        let member = pointer.rsplit('/').next().unwrap();
        assert!(member.is_empty() || member == "payment" || said.contains(&format!("`{member}`")), "{pointer}: {said}");
    }
}

#[test]
fn what_cannot_be_read_is_handed_over_by_policy_with_all_that_can() {
    let bank = bank().unreadable_policy(UnreadablePolicy::HandOver);
    let decode = |json: &str| bank.decode(&HeaderMap::new(), Bytes::copy_from_slice(json.as_bytes())).unwrap();
    let id = "00000000-0000-4000-8000-000000000001";
    for (pointer, value) in strict_members() {
        let json = changed(&format!("/notifications/0{pointer}"), value);
        let events = decode(&json);
        let (one, why) = match &*events {
            [one] => match &one.event.detail {
                Detail::Unreadable(unreadable) if unreadable.raw == one.raw => (one, &unreadable.why),
                other => panic!("{json}: {other:?}"),
            },
            _ => panic!("{json}: {events:?}"),
        };
        assert_eq!(events.rejection().map(|no| no.kind()), None);
        let name = if pointer.is_empty() { "" } else { "IncomingPaymentProcessed" };
        let shared = json!({"kind": "unreadable", "name": name, "why": why});
        assert_eq!(serde_json::to_value(one.event.project()).unwrap(), shared, "{json}");
        match pointer {
            "" | "/eventId" => assert_eq!(one.key.as_str(), format!("unreadable|{}", one.identity), "{json}"),
            _ => assert_eq!((one.key.as_str(), &*one.event.event_id), (id, id), "{json}"),
        }
    }
    // Nothing is handed over that can be read, and the same event has the same identity by either policy.
    assert_eq!(
        decode(BATCH).iter().map(|one| &one.event).collect::<Vec<_>>(),
        self::decode(BATCH).iter().map(|one| &one.event).collect::<Vec<_>>()
    );
    let mut message: Value = serde_json::from_str(BATCH).unwrap();
    message["notifications"][1] = json!({"eventId": "e", "notificationType": 1, "payment": 7});
    let events = decode(&message.to_string());
    assert_eq!((events.len(), events[1].key.as_str(), events[1].event.name()), (12, "e", "IncomingPaymentProcessed"));
}

#[test]
fn what_is_second_hand_is_absent_when_it_cannot_be_read_and_ids_may_be_numbers() {
    let payment = |pointer: &str, value: Value| {
        let json = changed(&format!("/notifications/0{pointer}"), value);
        let events = try_decode(&json).unwrap_or_else(|no| panic!("{no}: {json}"));
        assert_eq!((events.len(), events.unreadable().len()), (1, 0), "{json}");
        let absent = events.absent().to_vec();
        (events.into_iter().next().unwrap(), absent)
    };
    for (pointer, value) in [
        ("/timestamp", json!("yesterday")),
        ("/timestamp", json!("2024-07-26T14:53:52.8581798")),
        ("/subscriptionId", json!({})),
        ("/payment/isTraceable", json!("yes")),
        ("/payment/paymentRail", json!([])),
        ("/payment/transfer/valueDate", json!(20240726)),
        ("/payment/transfer/debtorAccount", json!("DK")),
        ("/payment/transfer/remittanceInformation", json!("Invoice 4711")),
        ("/payment/transfer/remittanceInformation/line1", json!(["Invoice 4711"])),
    ] {
        let (one, absent) = payment(pointer, value);
        assert_eq!(absent, [pointer.rsplit('/').next().unwrap()], "{pointer}");
        assert!(matches!(one.event.detail, Detail::IncomingPaymentProcessed(_)), "{pointer}");
        assert_eq!(serde_json::to_value(one.event.project()).unwrap()["amount"], "1250.35", "{pointer}");
        assert_eq!(one.occurred_at.is_none(), pointer == "/timestamp", "{pointer}");
    }
    let (unnamed, absent) = payment("/notificationType", json!(true));
    assert!(matches!(unnamed.event.detail, Detail::Unknown { .. }) && absent == ["notificationType"], "{absent:?}");
    for pointer in ["/eventId", "/subscriptionId", "/payment/paymentId", "/payment/transactionReference"] {
        let (one, absent) = payment(pointer, json!(7));
        assert_eq!(absent, <[String; 0]>::default(), "{pointer}");
        assert!(format!("{:?}", one.event).contains(r#""7""#), "{pointer}");
    }
}

fn vector(name: &str) -> String {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    all["banking_circle"][0][name].as_str().unwrap().to_owned()
}

fn vector_headers() -> HeaderMap {
    [("nonce", "nonce_b64"), ("authenticationtag", "tag_b64"), ("checksum", "checksum_b64")]
        .into_iter()
        .map(|(header, name)| (HeaderName::from_static(header), HeaderValue::from_str(&vector(name)).unwrap()))
        .collect()
}

#[test]
fn the_vector_opens_and_its_tampered_twins_do_not() {
    let open = |bank: &BankingCircle, headers: &HeaderMap, body: Vec<u8>| {
        let opened = bank.scheme().open(headers, body.into(), NOW).map_err(|no| no.kind())?;
        assert_eq!(opened.plaintext, vector("plaintext"));
        bank.decode(headers, opened.plaintext).map(|events| events.len()).map_err(|no| no.kind())
    };
    let body = Encoding::Hex.decode(vector("body_hex").as_bytes()).unwrap();
    let headers = vector_headers();
    assert_eq!(open(&bank(), &headers, body.clone()), Ok(0));
    let as_base64 = Secret::base64(Encoding::Base64.encode(KEY.as_bytes())).unwrap();
    assert_eq!(open(&BankingCircle::new(as_base64).unwrap(), &headers, body.clone()), Ok(0));
    let mut unchecked = headers.clone();
    unchecked.remove("checksum");
    assert_eq!(open(&bank(), &unchecked, body.clone()), Ok(0));

    let mut flipped = body.clone();
    flipped[0] ^= 1;
    assert_eq!(open(&bank(), &headers, flipped), Err(RejectionKind::SignatureMismatch));
    for header in ["nonce", "authenticationtag", "checksum"] {
        let mut tampered = headers.clone();
        let mut bytes = Encoding::Base64.decode(headers[header].as_bytes()).unwrap();
        bytes[0] ^= 1;
        tampered.insert(header, HeaderValue::from_str(&Encoding::Base64.encode(&bytes)).unwrap());
        assert_eq!(open(&bank(), &tampered, body.clone()), Err(RejectionKind::SignatureMismatch), "{header}");
    }
    let stranger = BankingCircle::new(Secret::utf8(KEY.replace("sim", "sin")).unwrap()).unwrap();
    assert_eq!(open(&stranger, &headers, body), Err(RejectionKind::SignatureMismatch));
}

#[test]
fn header_names_are_data() {
    let mut names = HeaderNames::default();
    names.nonce = HeaderName::from_static("x-bc-nonce");
    names.version = HeaderName::from_static("x-bc-version");
    let renamed = bank().headers(names).unwrap();
    let request = renamed.seal(Message::new(PROCESSED), &Sealing::new(NOW, &OsEntropy)).unwrap();
    assert_eq!(request.headers()["x-bc-version"], "1");
    assert_eq!(request.headers()[CONTENT_TYPE], "application/octet-stream");
    assert!(renamed.scheme().open(request.headers(), request.body().clone(), NOW).is_ok());
    let refused = bank().scheme().open(request.headers(), request.body().clone(), NOW).unwrap_err();
    assert_eq!(refused.kind(), RejectionKind::SignatureMissing);
}

#[test]
fn only_a_key_of_32_bytes_is_taken() {
    // The .NET sample's own reading of a 32-character key.
    let refused = BankingCircle::new(Secret::base64("abcdefghijklmnopqrstuvwxyzabcdef").unwrap()).unwrap_err();
    assert_eq!(refused, ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: 24 }));
    assert!(BankingCircle::new(Secret::utf8("abcdefghijklmnopqrstuvwxyzabcdef").unwrap()).is_ok());
}

#[test]
fn the_number_of_retries_is_a_choice_and_retention_follows_it() {
    let eleven = bank();
    let ten = bank().retry_count(RetryCount::Ten).resend_window(Duration::ZERO);
    assert_eq!((eleven.profile().retries.steps.len(), ten.profile().retries.steps.len()), (11, 10));
    assert_eq!(eleven.profile().retries.horizon(), Duration::from_secs(337_305));
    assert_eq!(ten.profile().retries.horizon(), Duration::from_secs(337_305 - 48 * 3600));
    assert_eq!(eleven.profile().retention(), Duration::from_secs((337_305 + 30 * 86_400) * 6 / 5));
    assert_eq!(ten.profile().retention(), Duration::from_secs((337_305 - 48 * 3600) * 6 / 5));
    // Whoever is warned of a switch-off is warned by the shorter, until somebody says which it is.
    let eleven_said = bank().retry_count(RetryCount::Eleven);
    let switched_off = [&eleven, &ten, &eleven_said].map(|bank| bank.profile().switched_off_after);
    assert_eq!(switched_off, [337_305 - 48 * 3600, 337_305 - 48 * 3600, 337_305].map(|s| Some(Duration::from_secs(s))));
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_decodes_to_the_same_bytes(
        nonce: [u8; 12],
        texts in proptest::collection::vec("\\PC{0,30}", 1..8),
        at: prop::sample::Index,
    ) {
        let seeded = move |out: &mut [u8]| -> Result<(), NoEntropy> {
            out.copy_from_slice(&nonce);
            Ok(())
        };
        let sent: Vec<String> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| json!({"eventId": format!("e-{at}"), "notificationType": "New", "text": text}).to_string())
            .collect();
        let message = Message::new(format!(r#"{{"notifications":[{}]}}"#, sent.join(" , ")));
        let request = bank().seal(message, &Sealing::new(NOW, &seeded)).unwrap();

        let opened = bank().scheme().open(request.headers(), request.body().clone(), NOW).unwrap();
        let events = bank().decode(request.headers(), opened.plaintext).unwrap();
        let raw: Vec<&[u8]> = events.iter().map(|decoded| &*decoded.raw).collect();
        prop_assert_eq!(raw, sent.iter().map(String::as_bytes).collect::<Vec<_>>());

        let mut tampered = request.body().to_vec();
        let at = at.index(tampered.len());
        tampered[at] ^= 1;
        let refused = bank().scheme().open(request.headers(), tampered.into(), NOW).unwrap_err();
        prop_assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
    }
}
