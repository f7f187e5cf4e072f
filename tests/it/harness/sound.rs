//! Apps that keep their promises.

use std::time::Duration;

use axum::routing::post;
use http::{HeaderName, StatusCode};
use tower::ServiceBuilder;
use tower_webhook::clock::{Clock, Timestamp};
use tower_webhook::delivery::Outcome;
use tower_webhook::encoding::Encoding;
use tower_webhook::idempotency::IdempotencyLayer;
use tower_webhook::layers::{BasicAuthLayer, Credentials, VerifyLayer};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::standard_webhooks::{self, StandardWebhooks};
use tower_webhook::provider::{Lookup, aella, banking_circle};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::sender::forge::Forgery;
use tower_webhook::sender::{Malformed, State};
use tower_webhook::testing::{Harness, TokioClock, events, forge};
use tower_webhook::{MemoryStore, Received, Receiver, RejectionKind};

use super::*;
use crate::deliveries::bank;

#[tokio::test]
async fn whoever_calls_the_handler_it_is_seen_once_for_each_event() {
    let receiver = || Receiver::new("aella", provider()).dedupe(MemoryStore::new(1000));
    let signed = Signed::new(HeaderName::from_static("x-aella-signature"), Encoding::Hex);
    let verify = VerifyLayer::new(
        Hmac::new(MacAlgorithm::HmacSha512, signed, Secret::utf8("ae_sk_test_example").unwrap()).unwrap(),
    );
    let dedupe = IdempotencyLayer::new("aella", provider(), MemoryStore::new(1000));
    for (what, app) in [
        ("a handler", app()),
        ("with a state", of(receiver().handle_with((), |(), _: Received<aella::Event>| async {}))),
        ("of batches", of(receiver().handle_batch(|_: Vec<Received<aella::Event>>| async {}))),
        (
            "behind a layer",
            Router::new().route("/aella", post(async |_: Received<aella::Event>| ()).layer(receiver().layer())),
        ),
        (
            "behind layers by hand",
            Router::new().route(
                "/aella",
                post(async |_: Received<aella::Event>| ()).layer(ServiceBuilder::new().layer(verify).layer(dedupe)),
            ),
        ),
    ] {
        let harness = harness(app);
        let sent = harness.send("/aella", events::aella::transfer().amount("2500.00")).await.accepted().handled_once();
        assert_eq!(sent.calls(), 1, "{what}");
        harness.send("/aella", events::aella::transfer().amount("2500.00")).await.replayed().handled_once();
        for sent in harness.send_twice("/aella", events::aella::transfer().number(2)).await {
            sent.accepted().handled_once();
        }
        let together = harness.send_together("/aella", events::aella::transfer().number(3), 5).await;
        assert_eq!(together.iter().map(|sent| sent.calls()).sum::<u64>(), 1, "{what}: {together:?}");
        harness.forge_all("/aella", events::aella::transfer().number(4)).await.accepted().handled_once();
        let kept = harness.verify().unwrap();
        assert_eq!((kept.tally.events, kept.tally.accepted, kept.tally.called_again), (4, 4, 0), "{what}");
        assert!(kept.forgeries > 20 && kept.deliveries >= kept.forgeries + 10, "{kept}");
    }
}

#[tokio::test]
async fn what_the_test_expects_to_be_refused_is_nobodys_complaint() {
    let harness = harness(fails_at_first(1)).provider("/nowhere", provider());
    harness.send("/aella", events::aella::transfer()).await.refused(500).refused_as(RejectionKind::HandlerFailed);
    harness.send("/aella", events::aella::transfer()).await.accepted().handled_once();
    harness.send("/nowhere", events::aella::transfer()).await.refused(404).not_handled();
    let rubbish = events::aella::transfer().number(2).amount("a lot");
    harness.send("/aella", rubbish).await.refused_as(RejectionKind::PayloadMalformed).not_handled();
    let (twin, other) = (events::aella::transfer().number(3), events::aella::transfer().number(3).amount("1"));
    harness.send("/aella", twin).await.accepted();
    harness.send("/aella", other).await.refused_as(RejectionKind::PayloadMismatch);
    assert_eq!(harness.verify().unwrap().tally.called_again, 1);
}

#[tokio::test]
async fn what_came_right_in_the_end_need_not_be_expected() {
    let harness = harness(fails_at_first(1));
    harness.send("/aella", events::aella::transfer()).await;
    harness.send("/aella", events::aella::transfer()).await;
}

#[tokio::test]
async fn times_and_keys_that_are_wrong_are_refused() {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let webhooks = |secret: &str| StandardWebhooks::new(Secret::utf8(secret).unwrap()).unwrap();
    let receiver =
        Receiver::new("sw", webhooks("a secret of at least 24 bytes")).clock(now).dedupe(MemoryStore::new(99));
    let app = receiver.handle(|_: Received<standard_webhooks::Event>| async {});
    let harness = Harness::start(app).provider("/", webhooks("a secret of at least 24 bytes")).clock(now);
    let event = |number| events::standard_webhooks::event("a.b").number(number);
    for how in [forge::stale(), forge::early()] {
        harness.forge("/", event(1), how).await.refused_as(RejectionKind::TimestampOutside).not_handled();
    }
    let other = forge::wrong_key(webhooks("another secret of 24 bytes and more"));
    for how in [other, forge::flipped_bit(), Forgery::SignedHeader.into()] {
        harness.forge("/", event(1), how).await.refused_as(RejectionKind::SignatureMismatch);
    }
    harness.forge("/", event(1), Malformed::GzipBomb).await.refused(415);
    harness.forge("/", event(1), forge::replayed()).await.replayed().handled_once();
    harness.forge_all("/", event(2)).await.accepted();
    assert!(harness.verify().unwrap().forgeries > 20);
}

#[tokio::test]
async fn credentials_are_sent_and_left_out() {
    let credentials = Credentials::new("mambu", Secret::utf8("correct horse").unwrap()).unwrap();
    let mambu = || Mambu::new().event_at(Lookup::json("/event").unwrap());
    let basic = BasicAuthLayer::new([credentials.clone()]).unwrap();
    let receiver = Receiver::new("mambu", mambu()).basic_auth(&basic).dedupe(MemoryStore::new(99));
    let app = receiver.handle(|_: Received<mambu::Event>| async {});
    let harness = Harness::start(app).provider("/", mambu()).basic_auth("/", &credentials);
    harness.send("/", events::mambu::json("LOAN_CREATED").number(1)).await.accepted().handled_once();
    harness.forge("/", events::mambu::json("LOAN_CREATED").number(2), forge::no_credentials()).await.refused(401);
    harness.forge_all("/", events::mambu::json("LOAN_CREATED").number(2)).await.accepted();
}

#[tokio::test]
async fn a_batch_is_handled_but_for_what_cannot_be_read() {
    let receiver = || Receiver::new("bank", bank()).dedupe(MemoryStore::new(99));
    let batch = |from: u64| {
        events::banking_circle::batch(
            (from..from + 3).map(|n| events::banking_circle::incoming_payment_booked().number(n)),
        )
    };
    let each = receiver().handle(|_: Received<banking_circle::Event>| async {});
    let harness = Harness::start(each).provider("/", bank());
    harness.send("/", batch(1)).await.accepted().handled_once();
    let sent = harness.forge("/", batch(11), forge::unreadable_member()).await.refused_as(RejectionKind::KeyMissing);
    assert_eq!(sent.handled_once().calls(), 2);
    let sent = harness.forge("/", batch(21), forge::twin_member()).await;
    assert_eq!(sent.not_accepted().calls(), 3, "one of the twins");
    harness.forge_all("/", batch(31)).await.accepted().handled_once();
    harness.verify().unwrap();

    let failing = receiver().handle_batch(|all: Vec<Received<banking_circle::Event>>| async move {
        all.iter()
            .map(|one| if one.attempt_is_first() { Outcome::failed("at first") } else { Outcome::Done })
            .collect::<Vec<_>>()
    });
    let harness = Harness::start(failing).provider("/", bank());
    harness.send("/", batch(1)).await.refused(500);
    harness.send("/", batch(1)).await.accepted().handled_once();
    assert_eq!(harness.verify().unwrap().tally.called_again, 3);
}

trait Attempt {
    fn attempt_is_first(&self) -> bool;
}

impl<E> Attempt for Received<E> {
    fn attempt_is_first(&self) -> bool {
        self.delivery().attempt().is_some_and(|attempt| attempt.get() == 1)
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_runs_its_ladder_into_the_app() {
    let start = tokio::time::Instant::now();
    let harness = harness(fails_at_first(3));
    let webhook = harness.webhook("/aella");
    webhook.send(events::aella::transfer().message()).unwrap();
    webhook.settled().await;
    assert_eq!((webhook.history()[0].attempts.len(), webhook.history()[0].state), (4, State::Sent));
    assert_eq!(start.elapsed(), Duration::from_secs(30 + 60 + 120));
    assert_eq!(harness.verify().unwrap().tally.called_again, 3);

    let down = super::harness(fails_at_first(usize::MAX)).may_refuse();
    let webhook = down.webhook("/aella");
    webhook.send(events::aella::transfer().message()).unwrap();
    webhook.settled().await;
    assert_eq!(webhook.history()[0].state, State::Failed);
    drop(down);
}

#[tokio::test]
async fn the_same_seed_sends_the_same_bytes() {
    let nonce = |seed| async move {
        let echo = tower::service_fn(|request: http::Request<tower_webhook::gate::Body>| async move {
            let mut response = http::Response::new(request.into_body());
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
            Ok::<_, std::convert::Infallible>(response)
        });
        let harness = Harness::start(echo).provider("/", bank()).seed(seed);
        let sent = harness.send("/", events::banking_circle::payment_status()).await.refused(418);
        sent.response().unwrap().body().clone()
    };
    assert_eq!(nonce(7).await, nonce(7).await);
    assert_ne!(nonce(7).await, nonce(8).await);
}

#[tokio::test(start_paused = true)]
async fn a_storm_passes_over_a_sound_app() {
    let receiver = Receiver::new("bank", bank()).dedupe(MemoryStore::new(10_000));
    let bank_too = Router::new()
        .route_service("/bank", receiver.handle(|_: Received<banking_circle::Event>| async {}))
        .merge(app());
    let harness = harness(bank_too).provider("/bank", bank());
    harness.send("/aella", events::aella::transfer()).await.accepted();
    let report = harness.storm(400, "duplicates=0.2,bad=0.2".parse().unwrap(), 7).await;
    assert!(report.is_happy() && report.refused > 10, "{report}");
    let kept = harness.verify().unwrap();
    assert_eq!((kept.tally.events, kept.tally.accepted), (report.events + 1, report.accepted + 1));
    assert_eq!(kept.forgeries, report.refused);
}

/// Standard Webhooks, whose app goes by this clock, and whose handler fails three times.
fn of_signed_times(clock: impl Clock + Copy) -> Harness {
    let webhooks = || StandardWebhooks::new(Secret::utf8("a secret of at least 24 bytes").unwrap()).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::new("sw", webhooks()).clock(clock).dedupe(MemoryStore::new(9999));
    let app = receiver.handle(move |_: Received<standard_webhooks::Event>| {
        let is_down = calls.fetch_add(1, Ordering::Relaxed) < 3;
        async move { if is_down { Outcome::failed("down") } else { Outcome::Done } }
    });
    Harness::start(app).provider("/", webhooks()).clock(clock)
}

#[tokio::test(start_paused = true)]
async fn a_ladder_of_signed_times_needs_a_clock_that_goes_along() {
    let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let message = || events::standard_webhooks::event("a.b").number(1).message();
    let harness = of_signed_times(TokioClock::starting_at(start));
    let webhook = harness.webhook("/");
    webhook.send(message()).unwrap();
    webhook.settled().await;
    assert_eq!((webhook.history()[0].attempts.len(), webhook.history()[0].state), (4, State::Sent));
    let report = harness.storm(200, "duplicates=0.1,bad=0.2".parse().unwrap(), 3).await;
    assert!(report.is_happy(), "{report}");
    harness.verify().unwrap();

    let still = of_signed_times(start);
    let webhook = still.webhook("/");
    webhook.send(message()).unwrap();
    webhook.settled().await;
    assert_eq!(webhook.history()[0].state, State::Failed);
    let broken = still.verify().unwrap_err();
    let hint = "do the app and the harness go by one clock, by `clock`?";
    assert!(broken.lines().iter().any(|line| line.contains("timestamp_outside") && line.ends_with(hint)), "{broken}");
}
