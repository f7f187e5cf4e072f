//! Aella: what its fixtures say, what its keys are, and what is refused.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::event::{Amount, Project as _, Text};
use tower_webhook::provider::aella::{
    Aella, BankAccount, ConfirmationStatus, DebitStatus, Environment, Event, Mandate, MandateDebit, MandateStatus,
    Source, Transaction, Transfer, TransferStatus,
};
use tower_webhook::provider::{Decoded, Delivered, Identity, Message, Provider as _};
use tower_webhook::scheme::{MacAlgorithm, Sealing};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigError, ConfigErrorKind, RejectionKind};

const TRANSFER: &str = include_str!("../fixtures/aella/transfer.completed.json");
const INWARDS: &str = include_str!("../fixtures/aella/inwards.completed.json");
const DEBIT: &str = include_str!("../fixtures/aella/mandate.debit.successful.json");
const VECTORS: &str = include_str!("../fixtures/vectors.json");

const ID: &str = "9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8";

const TRANSFERS: [&str; 4] = ["transfer.completed", "transfer.failed", "inwards.completed", "inwards.failed"];
const MANDATES: [&str; 2] = ["mandate.created", "mandate.confirmed"];
const DEBITS: [&str; 3] = ["mandate.debit.initiated", "mandate.debit.failed", "mandate.debit.successful"];

fn aella() -> Aella {
    Aella::new(Secret::utf8("ae_sk_test_example").unwrap()).unwrap()
}

fn decode(body: impl Into<Bytes>) -> Result<Decoded<Event>, RejectionKind> {
    let events = aella().decode(&HeaderMap::new(), body.into()).map_err(|no| no.kind())?;
    assert_eq!(events.len(), 1);
    Ok(events.into_iter().next().unwrap())
}

fn accepted(body: impl Into<Bytes>) -> Decoded<Event> {
    decode(body).unwrap()
}

fn envelope(name: &str, data: &str) -> String {
    format!(r#"{{"event":"{name}","timestamp":"2025-06-26T11:37:51.894Z","data":{data}}}"#)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn amount(text: &str) -> Option<Amount> {
    Some(Amount::parse(text).unwrap())
}

fn some(text: &str) -> Option<Text> {
    Some(text.into())
}

fn shared(body: &str) -> Value {
    serde_json::to_value(accepted(body.to_owned()).event.project()).unwrap()
}

#[test]
fn the_transfer_fixture_is_read_member_by_member() {
    let mut expected = Transfer::default();
    expected.id = "7b129bdd-b3c1-4a33-b80e-76cee553466f".into();
    expected.narration = some("Payment for order");
    expected.status = Some(TransferStatus::Success);
    expected.amount = amount("10000");
    expected.fee = amount("0");
    expected.external_reference = some("order-12345");
    expected.currency = some("NGN");
    expected.sender_name = some("Merchant Name");
    expected.sender_bank = some("Aella MFB");
    expected.sender_account_number = some("0242438865");
    expected.receiver_name = some("JOHN DOE");
    expected.receiver_bank = some("GTBANK PLC");
    expected.receiver_account_number = some("0480819436");
    expected.receiver_bank_code = some("000013");
    expected.environment = Some(Environment::Live);
    expected.created_at = Some(at("2025-03-25T10:17:00.380Z"));
    expected.updated_at = Some(at("2025-03-25T10:17:00.380Z"));

    let decoded = accepted(TRANSFER);
    assert_eq!(decoded.key.as_str(), "transfer.completed|7b129bdd-b3c1-4a33-b80e-76cee553466f");
    assert_eq!(decoded.occurred_at, Some(at("2024-12-06T14:00:00Z")));
    assert_eq!(decoded.event.name(), "transfer.completed");
    let Event::TransferCompleted(transfer) = decoded.event else { panic!("{:?}", decoded.event) };
    assert_eq!(*transfer, expected);
}

#[test]
fn the_inwards_fixture_is_read_member_by_member() {
    let mut expected = Transfer::default();
    expected.id = ID.into();
    expected.status = Some(TransferStatus::Success);
    expected.amount = amount("100");
    expected.fee = amount("0");
    expected.external_reference = some("payment-ref-123");
    expected.currency = some("NGN");
    expected.session_id = some("090614447739340718791499120552");
    expected.sender_name = some("GBOLUWAGA AFOLABI ADEYEMI");
    expected.sender_bank = some("GTBANK PLC");
    expected.sender_account_number = some("0480819436");
    expected.receiver_name = some("Merchant/Account Name");
    expected.receiver_bank = some("Aella Microfinance Bank");
    expected.receiver_account_number = some("0376236159");
    expected.receiver_bank_code = some("090416");
    expected.environment = Some(Environment::Live);
    expected.source = Some(Source::DynamicVirtual);
    expected.source_wallet = some("9f9fe6c7-3faf-49e6-afd3-1bacc9090ec8");
    expected.created_at = Some(at("2025-06-26T11:37:51.446Z"));
    expected.updated_at = Some(at("2025-06-26T11:37:51.446Z"));

    let decoded = accepted(INWARDS);
    assert_eq!(decoded.key.as_str(), format!("inwards.completed|{ID}"));
    assert_eq!(decoded.occurred_at, Some(at("2025-06-26T11:37:51.894Z")));
    let Event::InwardsCompleted(transfer) = decoded.event else { panic!("{:?}", decoded.event) };
    assert_eq!(*transfer, expected);
}

#[test]
fn the_debit_fixture_is_read_member_by_member() {
    let mut account = BankAccount::default();
    account.id = some(ID);
    let mut mandate = Mandate::default();
    mandate.id = some(ID);
    mandate.confirmation_status = Some(ConfirmationStatus::Confirmed);
    mandate.status = Some(MandateStatus::Active);
    mandate.bank_account = Some(account);
    mandate.created_at = Some(at("2025-06-26T10:37:51.894Z"));
    let mut transaction = Transaction::default();
    transaction.id = ID.into();
    transaction.amount = amount("200");
    transaction.status = Some(DebitStatus::Successful);
    transaction.final_response_code = some("00");
    transaction.narration = some("Subscription payment");
    transaction.provider_id = some("23421e0b-d23c-4145-2355-cc2e47023e91");
    transaction.mandate_id = some("4e71cbf2-9a6c-4168-8070-2c982e65f3ce");
    transaction.response_code = some("00");
    transaction.created_at = Some(at("2025-08-26T16:20:55.862Z"));
    transaction.fee = amount("2.14");
    let mut expected = MandateDebit::default();
    expected.mandate = Some(mandate);
    expected.transaction = transaction;

    let decoded = accepted(DEBIT);
    assert_eq!(decoded.key.as_str(), format!("mandate.debit.successful|{ID}"));
    let Event::MandateDebitSuccessful(debit) = decoded.event else { panic!("{:?}", decoded.event) };
    assert_eq!(*debit, expected);
}

#[test]
fn the_shared_vocabulary_says_what_the_fixtures_say() {
    assert_eq!(
        shared(TRANSFER),
        json!({
            "kind": "transfer", "id": "7b129bdd-b3c1-4a33-b80e-76cee553466f", "direction": "outgoing",
            "status": "completed", "amount": "10000", "currency": "NGN", "fee": "0", "reference": "order-12345",
            "narration": "Payment for order",
            "sender": { "name": "Merchant Name", "account": "0242438865", "bank": "Aella MFB" },
            "receiver": { "name": "JOHN DOE", "account": "0480819436", "bank": "GTBANK PLC" },
        })
    );
    let inwards = shared(INWARDS);
    assert_eq!((&inwards["kind"], &inwards["direction"]), (&json!("transfer"), &json!("incoming")));
    assert_eq!(
        (&inwards["amount"], &inwards["currency"], &inwards["narration"]),
        (&json!("100"), &json!("NGN"), &Value::Null)
    );
    assert_eq!(
        shared(DEBIT),
        json!({
            "kind": "mandate", "id": ID, "phase": "debit_successful", "status": "ACTIVE",
            "debit": {
                "id": ID, "amount": "200", "currency": null, "fee": "2.14",
                "narration": "Subscription payment", "status": "successful", "response_code": "00",
            },
        })
    );
}

#[test]
fn every_name_has_its_type_and_its_word_in_the_shared_vocabulary() {
    let transfer = r#"{"id":"1"}"#;
    let debit = r#"{"transaction":{"id":"1"}}"#;
    for (name, data, member, word) in [
        ("transfer.completed", transfer, "/status", "completed"),
        ("transfer.failed", transfer, "/status", "failed"),
        ("inwards.completed", transfer, "/direction", "incoming"),
        ("inwards.failed", transfer, "/status", "failed"),
        ("mandate.created", transfer, "/phase", "created"),
        ("mandate.confirmed", transfer, "/phase", "confirmed"),
        ("mandate.debit.initiated", debit, "/phase", "debit_initiated"),
        ("mandate.debit.failed", debit, "/phase", "debit_failed"),
        ("mandate.debit.successful", debit, "/phase", "debit_successful"),
    ] {
        let decoded = accepted(envelope(name, data));
        assert_eq!(decoded.event.name(), name);
        assert_eq!(decoded.key.as_str(), format!("{name}|1"));
        let said = shared(&envelope(name, data));
        assert_eq!(said.pointer(member), Some(&json!(word)), "{name}: {said}");
    }
    assert_eq!(shared(&envelope("wallet.closed", "{}")), json!({ "kind": "unknown", "name": "wallet.closed" }));
}

#[test]
fn a_mandate_stands_at_the_top_or_one_below() {
    let mandate = r#""status":"ACTIVE","bankAccount":{"id":"b"}"#;
    for (data, key, id) in [
        (format!(r#"{{"id":"m",{mandate}}}"#), "m", "m"),
        (format!(r#"{{"mandate":{{"id":"m",{mandate}}}}}"#), "m", "m"),
        (format!(r#"{{"mandate":{{{mandate}}},"id":"m"}}"#), "m", "m"),
        (format!(r#"{{"id":"e","mandate":{{"id":"m",{mandate}}}}}"#), "e", "m"),
        (format!(r#"{{"id":null,"mandate":{{"id":"m",{mandate}}}}}"#), "m", "m"),
    ] {
        for name in MANDATES {
            let decoded = accepted(envelope(name, &data));
            assert_eq!(decoded.key.as_str(), format!("{name}|{key}"), "{data}");
            let (Event::MandateCreated(mandate) | Event::MandateConfirmed(mandate)) = decoded.event else {
                panic!("{data}")
            };
            assert_eq!(mandate.id.as_deref(), Some(id), "{data}");
            assert_eq!(mandate.status, Some(MandateStatus::Active), "{data}");
            assert_eq!(mandate.bank_account.and_then(|account| account.id).as_deref(), Some("b"), "{data}");
        }
    }
}

#[test]
fn a_debit_names_its_mandate_in_either_place() {
    let data = r#"{"transaction":{"id":"1","mandateId":"m","responseCode":"51"}}"#;
    let said = shared(&envelope("mandate.debit.failed", data));
    assert_eq!((&said["id"], &said["debit"]["response_code"]), (&json!("m"), &json!("51")));
}

#[test]
fn unknown_members_and_words_are_no_refusal() {
    for fixture in [TRANSFER, INWARDS, DEBIT] {
        let plain = accepted(fixture);
        let richer = fixture.replace('{', r#"{"unheard":[{"of":1e400}],"#);
        let rich = accepted(richer.clone());
        assert_eq!(format!("{:?}", rich.event), format!("{:?}", plain.event), "{richer}");
        assert_eq!((rich.key, &rich.raw[..]), (plain.key, richer.as_bytes()));
    }
    let odd = TRANSFER.replace("Success", "Reversed").replace("LIVE", "SANDBOX");
    let Event::TransferCompleted(transfer) = accepted(odd).event else { panic!() };
    assert_eq!(transfer.status, Some(TransferStatus::Other("Reversed".into())));
    assert_eq!(transfer.environment, Some(Environment::Other("SANDBOX".into())));
}

#[test]
fn an_event_without_an_id_has_no_key() {
    for id in ["", r#""id":null"#, r#""id":"""#, r#""id":" ""#] {
        let plain = format!("{{{id}}}");
        let nested = format!(r#"{{"mandate":{plain}}}"#);
        let debit = format!(r#"{{"id":"1","mandate":{{"id":"1"}},"transaction":{plain}}}"#);
        let cases = TRANSFERS.map(|name| (name, &plain)).into_iter();
        let cases = cases.chain(MANDATES.map(|name| (name, &plain))).chain(MANDATES.map(|name| (name, &nested)));
        for (name, data) in cases.chain(DEBITS.map(|name| (name, &debit))) {
            assert_eq!(decode(envelope(name, data)).unwrap_err(), RejectionKind::KeyMissing, "{name} {data}");
        }
    }
    assert_eq!(decode(envelope(DEBITS[0], r#"{"id":"1"}"#)).unwrap_err(), RejectionKind::KeyMissing);
}

#[test]
fn what_is_not_the_published_shape_is_malformed() {
    let mut cases = vec![
        Vec::from("{"),
        Vec::from("[]"),
        Vec::from("null"),
        Vec::from(r#"["transfer.completed","2025-06-26T11:37:51.894Z",{"id":"1"}]"#),
        Vec::from(r#"{"data":{"id":"1"}}"#),
        Vec::from(r#"{"event":7,"data":{"id":"1"}}"#),
        Vec::from(r#"{"event":"transfer.completed"}"#),
        Vec::from(r#"{"event":"transfer.completed","event":"transfer.failed","data":{"id":"1"}}"#),
        Vec::from(r#"{"event":"transfer.completed","data":{"id":"1","\u0069d":"2"}}"#),
        Vec::from(r#"{"event":"wallet.closed","data":{"a":{"b":1,"b":1}}}"#),
        b"{\"event\":\"wallet.closed\",\"data\":\"\xff\"}".to_vec(),
        format!("{TRANSFER}{{}}").into(),
    ];
    for data in ["null", "7", r#""id""#, r#"["1"]"#, r#"{"id":true}"#, r#"{"id":["1"]}"#] {
        cases.extend(TRANSFERS.iter().chain(&MANDATES).map(|name| envelope(name, data).into()));
    }
    for member in [r#""amount":1e3"#, r#""amount":"1,000""#, r#""amount":true"#, r#""fee":{}"#, r#""status":1"#] {
        cases.push(envelope("transfer.failed", &format!(r#"{{"id":"1",{member}}}"#)).into());
        cases.push(envelope("mandate.debit.failed", &format!(r#"{{"transaction":{{"id":"1",{member}}}}}"#)).into());
    }
    for data in [
        r#"{"mandate":[],"transaction":{"id":"1"}}"#,
        r#"{"mandate":{"status":["1"]},"transaction":{"id":"1"}}"#,
        r#"{"transaction":["1"]}"#,
        r#"{"transaction":{"id":{}}}"#,
        r#"{"transaction":{"id":"1","finalResponseCode":{}}}"#,
    ] {
        cases.push(envelope("mandate.debit.successful", data).into());
    }
    for body in cases {
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(decode(body).map(|_| ()), Err(RejectionKind::PayloadMalformed), "{text}");
    }
}

#[test]
fn what_is_second_hand_is_absent_when_it_cannot_be_read_and_ids_may_be_numbers() {
    let decode = |body: String| aella().decode(&HeaderMap::new(), Bytes::from(body)).unwrap();
    for (member, name) in [
        (r#""narration":7"#, "narration"),
        (r#""createdAt":"2025""#, "createdAt"),
        (r#""createdAt":"2025-06-26T11:37:51""#, "createdAt"),
        (r#""sessionId":["1"]"#, "sessionId"),
    ] {
        let transfer = decode(envelope("transfer.failed", &format!(r#"{{"id":7,"amount":1.50,{member}}}"#)));
        assert_eq!((transfer[0].key.as_str(), transfer.absent()), ("transfer.failed|7", &[name.to_owned()][..]));
        assert!(matches!(&transfer[0].event, Event::TransferFailed(data) if data.amount == amount("1.50")), "{member}");
        let debit = decode(envelope("mandate.debit.failed", &format!(r#"{{"transaction":{{"id":7,{member}}}}}"#)));
        assert_eq!((debit[0].key.as_str(), debit.absent()), ("mandate.debit.failed|7", &[name.to_owned()][..]));
    }
    let inside =
        decode(envelope("mandate.debit.failed", r#"{"mandate":{"id":8,"bankAccount":["1"]},"transaction":{"id":7}}"#));
    assert_eq!(inside.absent(), ["bankAccount"]);
    for timestamp in [r#""yesterday""#, "1750937871"] {
        let events = decode(format!(r#"{{"event":"transfer.failed","timestamp":{timestamp},"data":{{"id":"1"}}}}"#));
        assert_eq!((events[0].occurred_at, events.absent()), (None, &["timestamp".to_owned()][..]), "{timestamp}");
    }
    assert_eq!(decode(TRANSFER.to_owned()).absent(), <[String; 0]>::default());
}

#[test]
fn an_unknown_event_is_kept_letter_for_letter() {
    for data in [r#"{ "id" : "1", "n" : 1e400, "s":"\u00e9" }"#, "[ 1 , 2.50 ]", r#""text""#, "null", "-0.0"] {
        let body = envelope("wallet.closed", data);
        let decoded = accepted(body.clone());
        assert_eq!(decoded.raw, body, "{data}");
        let Event::Unknown { name, data: kept } = decoded.event.clone() else { panic!("{data}") };
        assert_eq!((name.as_str(), kept.get()), ("wallet.closed", data));
    }
    let Event::Unknown { data, .. } = accepted(r#"{"event":"ping"}"#).event else { panic!() };
    assert_eq!(data.get(), "null");
}

#[test]
fn an_unknown_event_is_keyed_by_its_id_or_else_by_its_whole_body() {
    let key = |body: &str| accepted(body.to_owned()).key.to_string();
    assert_eq!(key(&envelope("wallet.closed", r#"{"id":"1"}"#)), "wallet.closed|1");
    assert_eq!(key(&envelope("wallet.closed", r#"{"id":7}"#)), "wallet.closed|7");
    assert_eq!(key(r#"{"event":"ping"}"#), format!("ping|identity|{}", Identity::of_json(br#"{"event":"ping"}"#)));
    for data in [r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":{}}"#, r#"["1"]"#, "{}", "null"] {
        let body = envelope("wallet.closed", data);
        assert!(key(&body).starts_with("wallet.closed|identity|"), "{data}");
        assert_eq!(key(&body), key(&body), "{data}");
        assert_ne!(key(&body), key(&body.replace(".894Z", ".895Z")), "{data}");
    }
}

#[test]
fn a_fresh_envelope_around_the_same_data_is_the_same_event() {
    let retry = TRANSFER.replace("2024-12-06T14:00:00Z", "2024-12-06T14:05:00Z");
    let other = TRANSFER.replace("\"amount\": 10000", "\"amount\": 10001");
    let [first, retry, other] = [accepted(TRANSFER), accepted(retry), accepted(other)];
    assert_eq!((&first.key, &first.identity), (&retry.key, &retry.identity));
    assert_ne!(first.raw, retry.raw);
    assert_eq!(first.key, other.key);
    assert_ne!(first.identity, other.identity);
}

#[test]
fn raw_is_a_slice_of_the_plaintext_and_the_identity_that_of_data_alone() {
    let body = Bytes::from(envelope("transfer.failed", r#"{"id":"1"}"#));
    let decoded = accepted(body.clone());
    assert_eq!(decoded.raw, body);
    assert_eq!(decoded.raw.as_ptr(), body.as_ptr());
    assert_eq!(decoded.identity, Identity::of_json(br#"{"id":"1"}"#));
    assert_ne!(decoded.identity, Identity::of_json(&body));
}

#[test]
fn the_vector_opens_and_decodes_and_one_bit_off_does_not() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let text = |name: &str| vectors["aella"][0][name].as_str().unwrap().to_owned();
    let aella = Aella::new(Secret::utf8(text("key")).unwrap()).unwrap();
    let now = at("2026-11-21T12:00:00Z");
    let open = |body: &[u8], signature: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::try_from(text("header")).unwrap(), signature.parse().unwrap());
        aella.scheme().open(&headers, Bytes::copy_from_slice(body), now).map_err(|no| no.kind())
    };

    let (body, signature) = (text("body"), text("signature_hex"));
    let opened = open(body.as_bytes(), &signature).unwrap();
    let decoded = aella.decode(&HeaderMap::new(), opened.plaintext).unwrap().into_iter().next().unwrap();
    assert_eq!(decoded.key.as_str(), "transfer.completed|7b129bdd-b3c1-4a33-b80e-76cee553466f");
    assert_eq!(aella.scheme().name(), "hmac-sha512");

    for bit in 0..8 {
        let mut changed = body.clone().into_bytes();
        changed[20] ^= 1 << bit;
        assert_eq!(open(&changed, &signature).unwrap_err(), RejectionKind::SignatureMismatch, "bit {bit}");
    }
    let changed = signature.replacen('d', "c", 1);
    assert_eq!(open(body.as_bytes(), &changed).unwrap_err(), RejectionKind::SignatureMismatch);

    let sent = aella.seal(Message::new(body), &Sealing::new(now, &OsEntropy)).unwrap();
    assert_eq!(sent.headers()["x-aella-signature"], signature);
    assert_eq!(sent.headers()["content-type"], "application/json");
}

#[test]
fn header_and_algorithm_are_data() {
    let now = at("2026-11-21T12:00:00Z");
    let other = aella()
        .signature_header(HeaderName::from_static("x-other"))
        .and_then(|aella| aella.algorithm(MacAlgorithm::HmacSha256))
        .unwrap()
        .change_profile(|profile| profile.max_body = 7);
    let sent = other.seal(Message::new("{}"), &Sealing::new(now, &OsEntropy)).unwrap();
    assert_eq!(sent.headers()["x-other"].len(), 64);
    assert_eq!(other.profile().max_body, 7);
    assert!(other.scheme().open(sent.headers(), sent.body().clone(), now).is_ok());
    let no = aella().scheme().open(sent.headers(), sent.body().clone(), now).unwrap_err();
    assert_eq!(no.kind(), RejectionKind::SignatureMissing);
}

#[test]
fn a_short_key_is_refused_and_a_key_is_kept_a_week() {
    let short = Aella::new(Secret::utf8("ae_sk_test_exam").unwrap()).unwrap_err();
    assert_eq!(short, ConfigError::new(ConfigErrorKind::ShortSecret { least: 16, given: 15 }));
    let aella = aella();
    let profile = aella.profile();
    assert_eq!(profile.retention().as_secs(), 6 * 86_400 * 6 / 5);
    assert_eq!((profile.delivered, profile.answer_within), (Delivered::AnySuccess, None));
    assert_eq!((profile.methods.len(), profile.content_types.len()), (1, 0));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened_and_decoded_to_the_same_bytes(name in any::<String>(), data in any_json()) {
        let aella = aella();
        let now = at("2026-11-21T12:00:00Z");
        let body = json!({ "event": name, "timestamp": "2025-06-26T11:37:51.894Z", "data": data }).to_string();
        let sent = aella.seal(Message::new(body.clone()), &Sealing::new(now, &OsEntropy)).unwrap();
        let opened = aella.scheme().open(sent.headers(), sent.body().clone(), now).unwrap();
        let decoded = aella.decode(sent.headers(), opened.plaintext).unwrap().into_iter().next().unwrap();
        prop_assert_eq!(decoded.raw, body);
        prop_assert_eq!(decoded.event.name(), &name);
        let Event::Unknown { data: kept, .. } = decoded.event else { panic!("{name}") };
        prop_assert_eq!(serde_json::from_str::<Value>(kept.get()).unwrap(), data);
    }

    #[test]
    fn every_known_event_with_an_id_is_taken_whatever_stands_beside_it(
        name in prop::sample::select([&TRANSFERS[..], &MANDATES[..]].concat()), id in "[!-~]{1,40}", beside in any_json(),
    ) {
        let body = json!({ "event": name, "data": { "id": id, "zz": beside } }).to_string();
        let decoded = accepted(body.clone());
        prop_assert_eq!(decoded.raw, body);
        prop_assert_eq!(decoded.key.as_str(), format!("{name}|{}", id.replace('\\', "\\\\").replace('|', "\\|")));
    }

    #[test]
    fn bytes_of_any_kind_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(kind) = decode(body) {
            prop_assert!(matches!(kind, RejectionKind::PayloadMalformed | RejectionKind::KeyMissing), "{}", kind);
        }
    }
}
