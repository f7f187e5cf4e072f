//! The handlers alone, with events that nobody sent.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use http::HeaderMap;
use stranger::shop::{Event, Shop, on_shop};
use stranger::{Ledger, LedgerDown, Notification, booked, on_mambu};
use tower_webhook::delivery::ForTest;
use tower_webhook::provider::banking_circle::{self, BankingCircle};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::{EventKey, Lookup, Provider};
use tower_webhook::secret::Secret;
use tower_webhook::{Outcome, Received};

fn made_up(key: &str) -> ForTest {
    ForTest { receiver: "bank".to_owned(), key: EventKey::of(&[key]), ..ForTest::default() }
}

/// A provider's events cannot be made by hand: its decoder makes one of a body.
fn sole<P: Provider>(provider: &P, headers: &[(&'static str, &str)], body: &'static str) -> P::Event {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    provider.decode(&headers, Bytes::from_static(body.as_bytes())).unwrap().into_iter().next().unwrap().event
}

fn notification() -> mambu::Event {
    let mambu = Mambu::new().event_at(Lookup::json("/event").unwrap());
    sole(&mambu, &[("x-notifications-idempotency-key", "1")], r#"{"event":"LOAN_DISBURSEMENT"}"#)
}

#[tokio::test]
async fn a_notification_of_mambus_is_written_with_its_key() {
    let ledger = Ledger::default();
    assert_eq!(on_mambu(ledger.clone(), Received::for_test(notification(), made_up("7b"))).await, Ok(()));
    let entry = &ledger.entries()[0];
    assert_eq!((&*entry.receiver, &*entry.key, &*entry.what), ("bank", "7b", "LOAN_DISBURSEMENT"));
}

#[tokio::test]
async fn a_notification_of_mambus_fails_with_the_ledger() {
    let ledger = Ledger::default();
    ledger.set_down(true);
    assert_eq!(on_mambu(ledger.clone(), Received::for_test(notification(), made_up("7b"))).await, Err(LedgerDown));
    assert!(ledger.entries().is_empty());
}

fn booking() -> Received<banking_circle::Event> {
    let bank = BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars").unwrap()).unwrap();
    let body = r#"{"notifications":[{"eventId":"e1","notificationType":"MandateStatus"}]}"#;
    Received::for_test(sole(&bank, &[], body), made_up("e1"))
}

fn read(event_id: &str) -> Json<Notification> {
    Json(Notification { event_id: event_id.to_owned(), notification_type: "MandateStatus".to_owned() })
}

#[tokio::test]
async fn a_booking_is_answered_by_what_became_of_it() {
    let ledger = Ledger::default();
    assert_eq!(booked(State(ledger.clone()), booking(), read("e1")).await, 204);
    assert_eq!(booked(State(ledger.clone()), booking(), read("e2")).await, 500, "the body is another event's");
    ledger.set_down(true);
    assert_eq!(booked(State(ledger.clone()), booking(), read("e1")).await, 503);
    assert_eq!(ledger.entries().len(), 1);
}

#[tokio::test]
async fn a_batch_of_the_shops_has_an_outcome_for_each() {
    let batch = || ["1", "2"].map(|id| Received::for_test(unknown(id), made_up(id))).into();
    let ledger = Ledger::default();
    let outcomes = on_shop(ledger.clone(), batch()).await;
    assert!(matches!(outcomes[..], [Outcome::Done, Outcome::Done]));
    ledger.set_down(true);
    let outcomes = on_shop(ledger.clone(), batch()).await;
    assert!(matches!(outcomes[..], [Outcome::Failed(_), Outcome::Failed(_)]));
    assert_eq!(ledger.entries().len(), 2);
}

fn unknown(id: &str) -> Event {
    Event::Unknown { name: "new-next-year".to_owned(), raw: Bytes::from(id.to_owned()) }
}

#[test]
fn an_event_of_an_unknown_name_is_kept_as_it_came() {
    let shop = Shop::new(Secret::utf8("correct horse battery").unwrap()).unwrap();
    let event = sole(&shop, &[], r#"{"events":[{"id":"1","name":"new","more":{"x": 1.10}}]}"#);
    let raw = Bytes::from_static(br#"{"id":"1","name":"new","more":{"x": 1.10}}"#);
    assert_eq!(event, Event::Unknown { name: "new".to_owned(), raw });
}
