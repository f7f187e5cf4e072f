//! Built events: sealed, opened and decoded by their provider they say what was set, however they are written.

use serde_json::{Value, json};
use tower_webhook::clock::{OsEntropy, Timestamp};
use tower_webhook::event::{self, Project as _};
use tower_webhook::json::Pointer;
use tower_webhook::provider::{Decoded, Events, Lookup, aella, banking_circle, mambu, opp, sibs};
use tower_webhook::scheme::Sealing;
use tower_webhook::sender::events::{self, Json, Written};
use tower_webhook::{Rejection, RejectionKind};

use super::*;

fn opened<P: Provider>(provider: &P, message: Message) -> Result<Events<P::Event>, Rejection> {
    let now = Timestamp::UNIX_EPOCH;
    let sent = provider.seal(message, &Sealing::new(now, &OsEntropy)).unwrap();
    let opened = provider.scheme().open(sent.headers(), sent.body().clone(), now).unwrap();
    provider.decode(sent.headers(), opened.plaintext)
}

/// The events of a message, which are the same however it is written, and of which every member can be read.
fn read<P: Provider>(provider: &P, build: impl Fn(Written) -> Message) -> Vec<Decoded<P::Event>> {
    let read = |how| {
        let events = opened(provider, build(how)).unwrap();
        assert_eq!((events.unreadable().len(), events.absent()), (0, &[][..]), "{how:?}");
        events.to_vec()
    };
    let first = read(Written::Compact);
    for how in Written::ALL {
        for (event, same) in first.iter().zip(read(*how)) {
            assert_eq!((&event.key, event.identity), (&same.key, same.identity), "{how:?}");
            assert_eq!((event.event.project(), event.occurred_at), (same.event.project(), same.occurred_at), "{how:?}");
        }
        assert_eq!(*how == Written::Compact, build(*how).body == build(Written::Compact).body, "{how:?}");
    }
    first
}

/// The one event of a message.
fn one<P: Provider>(provider: &P, build: impl Fn(Written) -> Message) -> Decoded<P::Event> {
    let mut events = read(provider, build);
    assert_eq!(events.len(), 1);
    events.pop().unwrap()
}

fn refusal<P: Provider>(provider: &P, message: impl Into<Message>) -> RejectionKind {
    let events = opened(provider, message.into());
    events.map_or_else(|why| why.kind(), |events| events.rejection().unwrap().kind())
}

/// What moved, and its currency.
fn money(event: event::Event) -> (String, Option<String>) {
    let money = match event {
        event::Event::Transfer(transfer) => transfer.amount,
        event::Event::Mandate(mandate) => mandate.debit.and_then(|debit| debit.amount),
        event::Event::PaymentBooking(booking) => booking.amount,
        event::Event::Payment(payment) => payment.amount,
        _ => None,
    };
    money.map(|money| (money.amount.to_string(), money.currency.map(String::from))).unwrap()
}

fn euros(amount: &str) -> (String, Option<String>) {
    (amount.to_owned(), Some("EUR".to_owned()))
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn secret() -> Secret {
    Secret::hex(KEY).unwrap()
}

#[test]
fn aella_s_transfers_say_what_was_set() {
    let aella = Aella::new(secret()).unwrap();
    let ids = ["7b129bdd-b3c1-4a33-b80e-76cee553466f", "9e8ed5c7-3faf-49e6-afd3-1bacc9090ec8"];
    for (build, name, id) in [
        (events::aella::transfer as fn() -> _, "transfer.completed", ids[0]),
        (events::aella::transfer_failed, "transfer.failed", ids[0]),
        (events::aella::inwards, "inwards.completed", ids[1]),
        (events::aella::inwards_failed, "inwards.failed", ids[1]),
    ] {
        assert_eq!(one(&aella, |how| build().written(how).message()).key.as_str(), format!("{name}|{id}"));
        let set = || build().number(7).amount("2500.00").currency("EUR").fee("2.140").narration("Zoë/Co <&>");
        let accounts = || set().sender_account("01").sender_name("S").receiver_account("02").receiver_name("R");
        let event = one(&aella, |how| accounts().external_reference("order/é").written(how).message());
        assert_eq!(event.key.as_str(), format!("{name}|00000001-0000-4000-8000-000000000007"));
        assert_eq!((event.event.name(), money(event.event.project())), (name, euros("2500.00")));
        let event::Event::Transfer(transfer) = event.event.project() else { panic!("{name}") };
        assert_eq!(transfer.narration.as_deref(), Some("Zoë/Co <&>"));
        assert_eq!(transfer.reference.as_deref(), Some("order/é"));
        assert_eq!(transfer.fee.unwrap().amount.to_string(), "2.140");
        assert_eq!((transfer.sender.account.as_deref(), transfer.sender.name.as_deref()), (Some("01"), Some("S")));
        assert_eq!((transfer.receiver.account.as_deref(), transfer.receiver.name.as_deref()), (Some("02"), Some("R")));

        let other = one(&aella, |how| set().number(8).amount("2500.01").written(how).message());
        assert_ne!(other.key, event.key);
        assert_eq!(money(other.event.project()), euros("2500.01"));
        assert_eq!(refusal(&aella, set().amount("a lot")), RejectionKind::PayloadMalformed);
        assert_eq!(refusal(&aella, set().without("/data/id")), RejectionKind::KeyMissing);
    }
}

#[test]
fn aella_s_other_members_are_set_too() {
    let aella = Aella::new(secret()).unwrap();
    let times = || events::aella::transfer().timestamp("2026-01-01T00:00:00Z").created_at("2026-01-02T00:00:00Z");
    let event = one(&aella, |how| times().updated_at("2026-01-03T00:00:00Z").status("Gone").written(how).message());
    let aella::Event::TransferCompleted(transfer) = &event.event else { panic!("{event:?}") };
    assert_eq!(event.occurred_at, time("2026-01-01T00:00:00Z"));
    assert_eq!(
        (transfer.created_at, transfer.updated_at),
        (time("2026-01-02T00:00:00Z"), time("2026-01-03T00:00:00Z"))
    );
    assert_eq!(transfer.status.as_ref().unwrap().as_str(), "Gone");
    let event = one(&aella, |how| events::aella::inwards().event("inwards.lost").id("7").written(how).message());
    assert_eq!((event.key.as_str(), event.event.name()), ("inwards.lost|7", "inwards.lost"));
}

#[test]
fn aella_s_mandates_and_debits_say_what_was_set() {
    let aella = Aella::new(secret()).unwrap();
    for (build, name) in [
        (events::aella::mandate_created as fn() -> _, "mandate.created"),
        (events::aella::mandate_confirmed, "mandate.confirmed"),
    ] {
        let set =
            || build().id("M-1").account("A-1").timestamp("2026-01-01T00:00:00Z").created_at("2026-01-02T00:00:00Z");
        let event = one(&aella, |how| set().written(how).message());
        assert_eq!((event.key.as_str(), event.event.name()), (&*format!("{name}|M-1"), name));
        let (aella::Event::MandateCreated(mandate) | aella::Event::MandateConfirmed(mandate)) = &event.event else {
            panic!("{event:?}");
        };
        assert_eq!(mandate.bank_account.as_ref().unwrap().id.as_deref(), Some("A-1"));
        assert_eq!(
            (event.occurred_at, mandate.created_at),
            (time("2026-01-01T00:00:00Z"), time("2026-01-02T00:00:00Z"))
        );
        let confirmation = mandate.confirmation_status.clone().unwrap();
        assert_eq!(confirmation == aella::ConfirmationStatus::Confirmed, name == "mandate.confirmed");
        let numbered = |number| one(&aella, |how| build().number(number).written(how).message()).key;
        assert_ne!(numbered(7), numbered(8));
    }
    for (build, name, code) in [
        (events::aella::debit_initiated as fn() -> _, "mandate.debit.initiated", None),
        (events::aella::debit_failed, "mandate.debit.failed", Some("51")),
        (events::aella::debit_successful, "mandate.debit.successful", Some("00")),
    ] {
        let set =
            || build().id("D-1").mandate_id("M-1").amount("200.10").fee("0.00").narration("Zoë/Co").status("gone");
        let event = one(&aella, |how| set().created_at("2026-01-02T00:00:00Z").account("A-1").written(how).message());
        assert_eq!(serde_json::from_slice::<Value>(&event.raw).unwrap()["data"]["transaction"]["status"], "gone");
        assert_eq!((event.key.as_str(), event.event.name()), (&*format!("{name}|D-1"), name));
        let event::Event::Mandate(event::Mandate { id, debit: Some(debit), .. }) = event.event.project() else {
            panic!("{event:?}");
        };
        assert_eq!((id.as_deref(), debit.narration.as_deref()), (Some("M-1"), Some("Zoë/Co")));
        assert_eq!((debit.response_code.as_deref(), debit.fee.unwrap().amount.to_string().as_str()), (code, "0.00"));
        assert_eq!(money(event.event.project()).0, "200.10");
        let numbered = |number| one(&aella, |how| build().number(number).written(how).message()).key;
        assert_ne!(numbered(7), numbered(8));
        assert_eq!(refusal(&aella, build().amount("")), RejectionKind::PayloadMalformed);
    }
}

#[test]
fn the_platform_s_notifications_say_what_was_set() {
    let opp = opp_provider();
    for (build, name) in [
        (events::opp::payment as fn() -> events::opp::Notification, "PAYMENT"),
        (events::opp::registration, "REGISTRATION"),
        (events::opp::schedule, "SCHEDULE"),
        (events::opp::risk, "RISK"),
    ] {
        let set = || build().id("8a/é").result_code("800.100.151").timestamp("2026-01-01 00:00:00+0000");
        let event = one(&opp, |how| set().written(how).message());
        assert_eq!(event.event.name(), name);
        assert_eq!(event.occurred_at, time("2026-01-01T00:00:00Z"));
        let said = serde_json::to_value(event.event.project()).unwrap();
        assert_eq!(
            (&said["id"], &said["code"], &said["class"]),
            (&json!("8a/é"), &json!("800.100.151"), &json!("rejected"))
        );
        let numbered = |number| one(&opp, |how| build().number(number).written(how).message()).key;
        assert_ne!(numbered(7), numbered(8));
        assert!(numbered(7).as_str().contains("8a829401000000000000000000000007"));
        assert_eq!(refusal(&opp, build().set("/payload/result", "none")), RejectionKind::PayloadMalformed);
    }
    let test = one(&opp, |how| events::opp::activation_test().written(how).set("/payload/note", "é/").message());
    assert!(matches!(&test.event, opp::Event::Test(test) if test.action.as_deref() == Some("webhook activation")));
    let unknown = one(&opp, |how| events::opp::risk().event("NEWER").written(how).message());
    assert_eq!(unknown.event.name(), "NEWER");
}

#[test]
fn the_platform_s_members_are_typed_as_they_were_set() {
    let opp = opp_provider();
    let set = || events::opp::payment().amount("2500.00").currency("SEK").payment_type("DB").holder("Zoë / Co");
    let event = one(&opp, |how| set().merchant_transaction_id("order-1").score("99").written(how).message());
    let opp::Event::Payment(payment) = &event.event else { panic!("{event:?}") };
    assert_eq!(money(event.event.project()), ("2500.00".to_owned(), Some("SEK".to_owned())));
    assert_eq!(payment.presentation_amount.unwrap().to_string(), "2500.00");
    assert_eq!((payment.payment_type.as_deref(), payment.presentation_currency.as_deref()), (Some("DB"), Some("SEK")));
    assert_eq!(payment.card.as_ref().unwrap().holder.as_deref(), Some("Zoë / Co"));
    assert_eq!(payment.merchant_transaction_id.as_deref(), Some("order-1"));
    assert_eq!(payment.risk.as_ref().unwrap().score.as_deref(), Some("99"));
    assert_eq!(refusal(&opp, set().amount("2,500.00")), RejectionKind::PayloadMalformed);

    let set = || events::opp::schedule().amount("7.10").registration_id("r-1").action("UPDATED");
    let event = one(&opp, |how| set().written(how).message());
    let opp::Event::Schedule(schedule) = event.event else { panic!("{event:?}") };
    assert_eq!(
        (schedule.amount.unwrap().to_string().as_str(), schedule.registration_id.as_deref()),
        ("7.10", Some("r-1"))
    );
    assert_eq!(schedule.action, Some(opp::Action::Updated));
}

#[test]
fn the_gateway_s_payments_say_what_was_set() {
    let sibs = Sibs::new(secret()).unwrap();
    let set =
        || events::sibs::payment().number(7).amount("2500.00").merchant_transaction_id("order/é").status("Declined");
    let more = || set().status_code("01.106").event("REFU").payment_method("MBWAY").merchant_name("Zoë");
    let event = one(&sibs, |how| more().timestamp("2026-01-01T00:00:00Z").written(how).message());
    assert_eq!(event.key.as_str(), "00000001-0000-4000-8000-000000000007");
    assert_eq!((money(event.event.project()), event.event.name()), (euros("2500.00"), "REFU"));
    assert_eq!(event.occurred_at, time("2026-01-01T00:00:00Z"));
    let said = serde_json::to_value(event.event.project()).unwrap();
    assert_eq!((&said["class"], &said["code"]), (&json!("rejected"), &json!("01.106")));
    assert_eq!((&said["reference"], &said["id"]), (&json!("order/é"), &json!("s2000000000007")));

    assert_ne!(one(&sibs, |how| set().number(8).written(how).message()).key, event.key);
    assert_eq!(one(&sibs, |how| set().id("n-1").written(how).message()).key.as_str(), "n-1");
    let number = || set().set("/amount/value", Json::number("7.10")).currency("SEK");
    let number = one(&sibs, |how| number().written(how).message());
    assert_eq!(money(number.event.project()), ("7.10".to_owned(), Some("SEK".to_owned())));
    let test = one(&sibs, |how| set().transaction_id("WebhookTest").written(how).message());
    assert!(matches!(test.event, sibs::Event::Test(_)));
    assert_eq!(refusal(&sibs, set().amount("")), RejectionKind::PayloadMalformed);
}

type Notified = fn() -> events::banking_circle::Notification;

const NOTIFIED: [(Notified, &str, &str); 10] = [
    (events::banking_circle::incoming_payment_processed, "IncomingPaymentProcessed", "processed"),
    (events::banking_circle::outgoing_payment_rejected, "OutgoingPaymentRejected", "rejected"),
    (events::banking_circle::outgoing_payment_processed, "OutgoingPaymentProcessed", "processed"),
    (events::banking_circle::missing_funding, "MissingFunding", "missing_funding"),
    (events::banking_circle::reversed, "Reversed", "reversed"),
    (events::banking_circle::outgoing_payment_booked, "OutgoingPaymentBooked", "booked"),
    (events::banking_circle::payment_routing, "PaymentRouting", "routed"),
    (events::banking_circle::incoming_payment_booked, "IncomingPaymentBooked", "booked"),
    (
        events::banking_circle::outgoing_direct_debit_pending_processing,
        "OutgoingDirectDebitPendingProcessing",
        "pending_direct_debit",
    ),
    (events::banking_circle::payment_status, "PaymentStatus", "success"),
];

#[test]
fn the_bank_s_notifications_say_what_was_set() {
    let bank = BankingCircle::new(secret()).unwrap();
    for (build, name, status) in NOTIFIED {
        let set = || build().number(7).amount("2500.00").timestamp("2026-01-01T00:00:00Z").creditor_account("LU/é");
        let event = one(&bank, |how| set().debtor_account("DK1").payment_id("p-1").written(how).message());
        assert_eq!(event.key.as_str(), "00000001-0000-4000-8000-000000000007", "{name}");
        assert_eq!((event.event.name(), money(event.event.project())), (name, euros("2500.00")));
        assert_eq!(event.occurred_at, time("2026-01-01T00:00:00Z"), "{name}");
        let said = serde_json::to_value(event.event.project()).unwrap();
        let word = if name == "PaymentStatus" { &said["class"] } else { &said["status"] };
        assert_eq!((word, &said["id"]), (&json!(status), &json!("p-1")), "{name}");
        if name != "PaymentStatus" {
            assert_eq!(said["direction"] == "incoming", name.starts_with("Incoming"), "{name}");
            let accounts = (&said["debtor"]["account"], &said["creditor"]["account"]);
            assert_eq!(accounts, (&json!("DK1"), &json!("LU/é")), "{name}");
        }
        let other = one(&bank, |how| set().number(8).currency("SEK").amount("7.10").written(how).message());
        assert_eq!(money(other.event.project()), ("7.10".to_owned(), Some("SEK".to_owned())), "{name}");
        assert_ne!(other.key, event.key);
        assert_eq!(one(&bank, |how| build().id("e-1").written(how).message()).key.as_str(), "e-1");
        let said = |event: &Decoded<banking_circle::Event>| serde_json::to_value(event.event.project()).unwrap();
        assert_eq!(said(&other)["id"], numbered_id(name, 8), "{name}");
        if name != "PaymentStatus" {
            let set = || build().reference("r/1").value_date("2026-01-03").debtor_name("Zoë");
            let said = said(&one(&bank, |how| set().written(how).message()));
            assert_eq!((&said["reference"], &said["value_date"]), (&json!("r/1"), &json!("2026-01-03")), "{name}");
            assert_eq!(said["debtor"]["name"], "Zoë", "{name}");
        }
        assert_eq!(refusal(&bank, build().amount("a lot")), RejectionKind::PayloadMalformed, "{name}");
    }
}

fn numbered_id(name: &str, number: u64) -> String {
    match name {
        "PaymentStatus" => format!("010F{number:012}"),
        _ => format!("00000002-0000-4000-8000-{number:012x}"),
    }
}

#[test]
fn the_bank_s_amounts_keep_their_sign_on_the_books_alone() {
    let bank = BankingCircle::new(secret()).unwrap();
    let event = one(&bank, |how| events::banking_circle::outgoing_payment_booked().written(how).message());
    let banking_circle::Detail::OutgoingPaymentBooked(booking) = event.event.detail else { panic!("{event:?}") };
    assert_eq!(booking.amount.unwrap().to_string(), "-1250.35");
    assert_eq!(booking.transfer.unwrap().amount.unwrap().amount.unwrap().to_string(), "1250.35");
}

#[test]
fn the_bank_s_types_and_statuses_are_as_they_were_set() {
    let bank = BankingCircle::new(secret()).unwrap();
    let payment = || events::banking_circle::reversed().event("PaymentRouting").status("Cancelled");
    let event = one(&bank, |how| payment().written(how).message());
    let banking_circle::Detail::PaymentRouting(payment) = event.event.detail else { panic!("{event:?}") };
    assert_eq!((payment.status, payment.is_return), (Some(banking_circle::Status::Cancelled), None));
    let event = one(&bank, |how| events::banking_circle::payment_status().status("RJCT").written(how).message());
    let banking_circle::Detail::PaymentStatus(status) = event.event.detail else { panic!("{event:?}") };
    assert_eq!(status.transaction_status, Some(banking_circle::TransactionStatus::Rejected));
}

#[test]
fn the_bank_s_batches_hold_their_notifications_in_order() {
    let bank = BankingCircle::new(secret()).unwrap();
    let all = || (0..).zip(NOTIFIED).map(|(number, (build, ..))| build().number(number).debtor_name("Zoë/Co"));
    let events = read(&bank, |how| events::banking_circle::batch(all()).written(how).message());
    let names: Vec<_> = events.iter().map(|event| event.event.name()).collect();
    assert_eq!(names, NOTIFIED.map(|(_, name, _)| name));
    let keys: std::collections::HashSet<_> = events.iter().map(|event| &event.key).collect();
    assert_eq!(keys.len(), NOTIFIED.len());

    let broken = events::banking_circle::batch(all()).set("/notifications/3/payment/status", json!(7)).message();
    let events = opened(&bank, broken).unwrap();
    assert_eq!((events.len(), events.unreadable().len(), events.unreadable()[0].position), (9, 1, 3));
    assert!(opened(&bank, events::banking_circle::batch([]).into()).unwrap().is_empty());
}

#[test]
fn standard_webhooks_say_what_was_set() {
    let webhooks = StandardWebhooks::new(secret()).unwrap();
    let set = || events::standard_webhooks::event("invoice/paid é").number(7).amount("2500.00").currency("EUR");
    let event = one(&webhooks, |how| set().timestamp("2026-01-01T00:00:00Z").written(how).message());
    assert_eq!((event.key.as_str(), event.event.name()), ("msg_000000000007", "invoice/paid é"));
    assert_eq!(event.occurred_at, time("2026-01-01T00:00:00Z"));
    let data = json!({"id": "inv_000000000007", "amount": "2500.00", "currency": "EUR"});
    assert_eq!(event.event.json::<Value>().unwrap()["data"], data);

    assert_ne!(one(&webhooks, |how| set().number(8).written(how).message()).key, event.key);
    let other =
        one(&webhooks, |how| set().event("e").id("msg_é".replace('é', "1")).data(json!([7])).written(how).message());
    assert_eq!((other.key.as_str(), other.event.name()), ("msg_1", "e"));
    assert_eq!(other.event.json::<Value>().unwrap()["data"], json!([7]));
}

fn mambu_provider() -> Mambu {
    Mambu::new().event_at(Lookup::json("/event").unwrap())
}

#[test]
fn mambu_s_templates_say_what_was_set() {
    let set =
        || events::mambu::json("LOAN_DISBURSEMENT").number(7).amount("2500.00").value("CLIENT_NAME", "Zoë \"/\" Co");
    let event = one(&mambu_provider(), |how| set().written(how).message());
    assert_eq!(event.key.as_str(), "00000001-0000-4000-8000-000000000007");
    assert_eq!(event.event.name, Some(mambu::EventName::LoanDisbursement));
    let body = event.event.json::<Value>().unwrap();
    assert_eq!((&body["clientName"], &body["transactionId"]), (&json!("Zoë \"/\" Co"), &json!("T-000000000007")));
    assert!(event.raw.windows(10).any(|piece| piece == b":2500.00,\""), "{event:?}");

    assert_ne!(one(&mambu_provider(), |how| set().number(8).written(how).message()).key, event.key);
    let at_transaction = mambu_provider().key_from_body([Pointer::new("/transactionId").unwrap()]);
    let event = one(&at_transaction, |how| {
        set().id("k").transaction_id("T/é").currency("SEK").account("A").written(how).message()
    });
    assert_eq!(event.key.as_str(), "body|T/é");
    let body = event.event.json::<Value>().unwrap();
    assert_eq!((&body["currency"], &body["accountId"]), (&json!("SEK"), &json!("A")));

    let broken = opened(&mambu_provider(), set().amount("").written(Written::Spaced).message()).unwrap();
    assert!(broken[0].event.json::<Value>().is_err());
}

#[test]
fn mambu_s_other_types_are_theirs() {
    let xml = events::mambu::xml("LOAN_DISBURSEMENT").id("k").value("CLIENT_NAME", "<Zoë>").amount("7.10");
    let xml = opened(&mambu_provider(), xml.into()).unwrap().only().unwrap();
    assert_eq!((xml.key.as_str(), &xml.event.content_type), ("k", &Some(mambu::ContentType::Xml)));
    let text = xml.event.text().unwrap();
    assert!(text.contains(">7.10</amount>") && text.contains("<client>&lt;Zoë&gt;</client>"), "{text}");

    let text = events::mambu::text("LOAN_REPAYMENT").written(Written::Escaped).amount("a lot").currency("EUR");
    let text = opened(&mambu_provider(), text.into()).unwrap().only().unwrap();
    assert_eq!(text.event.content_type, Some(mambu::ContentType::Text));
    assert_eq!(text.event.text().unwrap(), "LOAN_REPAYMENT T-1: a lot EUR, LA-10042, Zoë \"Zed\" O'Hara");

    let own = events::mambu::of("<a>{CF:LOAN:x}</a>", HeaderValue::from_static("text/xml")).value("CF:LOAN:x", "1");
    let own = opened(&mambu_provider(), own.into()).unwrap().only().unwrap();
    assert_eq!(
        (own.event.text().unwrap(), own.event.content_type.clone()),
        ("<a>1</a>", Some(mambu::ContentType::TextXml))
    );
}
