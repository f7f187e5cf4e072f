//! Stored events are decoded again when they are handled, each alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::sleep;
use tower::ServiceExt as _;
use tower_webhook::event::Project as _;
use tower_webhook::inbox::{Routes, Stored, StoredState, Typed, Verdict, Worker};
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::StandardWebhooks;
use tower_webhook::provider::{AnyProvider, Decoded, Lookup, Message, Provider, banking_circle};
use tower_webhook::scheme::StaticToken;
use tower_webhook::secret::Secret;
use tower_webhook::testing::TokioClock;
use tower_webhook::{Received, Receiver};

use super::Inbox;
use crate::deliveries::{BATCH, TRANSFER, aella, bank, now, read, sealed};

const HEX: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

/// As it was decoded from its delivery.
fn first<P: Provider>(provider: &P, headers: &[(&'static str, &str)], body: &str) -> Decoded<P::Event> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    provider.decode(&map, body.to_owned().into()).unwrap().into_iter().next_back().unwrap()
}

/// Decoded alone it is the event that it was in its delivery.
fn again<P: Provider>(provider: P, headers: &[(&'static str, &str)], body: &str) {
    let before = first(&provider, headers, body);
    let after = provider.decode_one(before.event.name(), before.raw.clone()).unwrap();
    assert_eq!(format!("{after:?}"), format!("{:?}", before.event), "{}", provider.profile().name);
    assert_eq!(after.name(), before.event.name());
    let any = AnyProvider::new(provider);
    let shared = any.decode_one(before.event.name(), before.raw).unwrap().project();
    assert_eq!(format!("{shared:?}"), format!("{:?}", before.event.project()));
}

#[test]
fn every_provider_s_event_is_what_it_was() {
    let hex = || Secret::hex(HEX).unwrap();
    let token = || {
        StaticToken::new(HeaderName::from_static("x-token"), Secret::utf8("correct horse battery staple").unwrap())
            .unwrap()
    };
    let key = ("x-notifications-idempotency-key", "6f1c");
    again(aella(), &[], TRANSFER);
    again(bank(), &[], BATCH);
    again(Sibs::new(hex()).unwrap(), &[], include_str!("../../fixtures/sibs/payment.json"));
    again(Opp::new(hex()).unwrap(), &[], r#"{"type":"PAYMENT","payload":{"id":"8a"}}"#);
    again(StandardWebhooks::new(hex()).unwrap(), &[("webhook-id", "m")], r#"{"type":"paid","data":{}}"#);
    again(Mambu::new(), &[key], "plain");
    again(Mambu::new().event_at(Lookup::header("x-event").unwrap()), &[key, ("x-event", "MANUAL")], "plain");
    again(Mambu::new().event_at(Lookup::json("/e").unwrap()), &[key], r#"{"e":"LOAN_CREATED"}"#);
    let custom = |event| Custom::new(token(), [Lookup::header("x-id").unwrap()]).unwrap().event_from(event);
    let event = Lookup::header("x-event").unwrap();
    again(custom(event.clone()), &[("x-id", "1"), ("x-event", "paid")], "plain");
    again(custom(event), &[("x-id", "1")], "plain");
}

#[test]
fn what_is_no_event_is_none() {
    let hex = || Secret::hex(HEX).unwrap();
    for (name, is_read) in [
        ("aella", aella().decode_one("transfer.completed", "{".into()).is_ok()),
        ("bank, a message", bank().decode_one("IncomingPaymentProcessed", BATCH.to_owned().into()).is_ok()),
        ("bank, two", bank().decode_one("New", r#"{"eventId":"a"},{"eventId":"b"}"#.into()).is_ok()),
        ("bank, none", bank().decode_one("New", "".into()).is_ok()),
        ("sibs", Sibs::new(hex()).unwrap().decode_one("payment", "[]".into()).is_ok()),
    ] {
        assert!(!is_read, "{name}");
    }
    assert!(bank().decode_one("New", r#"{"eventId":"a","notificationType":"New"}"#.into()).is_ok());
}

/// What a typed handler saw of its events.
type Seen = Arc<Mutex<Vec<String>>>;

#[tokio::test(start_paused = true)]
async fn a_worker_hands_over_what_each_receiver_stored_under_its_key() {
    let inbox = Inbox::open().await;
    let clock = TokioClock::starting_at(now());
    let to_bank = Receiver::new("bank", bank()).clock(clock).inbox(&inbox);
    assert_eq!(read(to_bank.oneshot(sealed(&bank(), BATCH)).await.unwrap()).await.0, 200);
    let mambu = || Mambu::new().event_at(Lookup::json("/event").unwrap());
    let message = Message::new(r#"{"event":"MANUAL"}"#).idempotency_key("6f|1c");
    let sealing = tower_webhook::scheme::Sealing::new(now(), &crate::deliveries::counting);
    let request = mambu().seal(message, &sealing).unwrap().map(http_body_util::Full::new);
    let to_mambu = Receiver::new("mambu", mambu()).clock(clock).dangerous_skip_verification().inbox(&inbox);
    assert_eq!(read(to_mambu.oneshot(request).await.unwrap()).await.0, 200);

    let seen = Seen::default();
    let (of_bank, of_mambu) = (Arc::clone(&seen), Arc::clone(&seen));
    let routes = Routes::new()
        .receiver(
            "bank",
            Typed::new(bank(), move |event: Received<banking_circle::Event>| {
                let delivery = event.delivery();
                assert_eq!(delivery.key().as_str(), &*event.event().event_id);
                assert_eq!(
                    (delivery.receiver(), delivery.provider(), delivery.attempt()),
                    ("bank", "banking_circle", std::num::NonZeroU64::new(1))
                );
                assert!(delivery.fence().is_some() && !event.lease_lost().is_lost());
                of_bank.lock().unwrap().push(event.name().to_owned());
                async {}
            }),
        )
        .receiver(
            "mambu",
            Typed::new(mambu(), move |event: Received<mambu::Event>| {
                of_mambu.lock().unwrap().push(format!("{} {}", event.delivery().key(), event.name()));
                async { Verdict::dead("seen enough") }
            }),
        );
    let running = Worker::new(inbox.clone(), routes).clock(clock).start();
    sleep(Duration::from_secs(5)).await;
    running.stop().await;
    let states: Vec<_> = inbox.all().await.iter().map(|stored| (stored.receiver.clone(), stored.state)).collect();
    let count = BATCH.matches("\"eventId\"").count();
    assert_eq!(states.iter().filter(|state| **state == ("bank".to_owned(), StoredState::Done)).count(), count);
    assert_eq!(states.last().unwrap(), &("mambu".to_owned(), StoredState::Dead));
    let seen = seen.lock().unwrap();
    assert!(seen.len() == count + 1 && seen.contains(&"6f\\|1c MANUAL".to_owned()), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_decode_is_a_dead_letter_and_what_nobody_handles_is_parked() {
    for (routed_as, state) in [("aella", StoredState::Dead), ("another", StoredState::Parked)] {
        let inbox = Inbox::open().await;
        let clock = TokioClock::starting_at(now());
        // Stored by one provider, and handled as another's.
        let service = Receiver::new("aella", bank()).clock(clock).inbox(&inbox);
        assert_eq!(service.oneshot(sealed(&bank(), BATCH)).await.unwrap().status(), 200);
        let handler = Typed::new(aella(), |_: Received<_>| async { Verdict::Done });
        let routes = Routes::new().receiver(routed_as, handler);
        let running = Worker::new(inbox.clone(), routes).clock(clock).start();
        sleep(Duration::from_millis(300)).await;
        running.stop().await;
        let all: Vec<Stored> = inbox.all().await;
        assert!(all.iter().all(|stored| stored.state == state), "{all:?}");
        let word = if state == StoredState::Dead { "cannot be decoded" } else { "nobody handles" };
        assert!(all.iter().all(|stored| stored.reason.as_ref().unwrap().contains(word)), "{all:?}");
    }
}
