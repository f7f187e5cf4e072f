//! Apps that break a promise, tests that expect the wrong thing, and what is said of them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use http::{Request, Response};
use tokio::time::sleep;
use tower::{Service, ServiceExt as _, service_fn};
use tower_webhook::RejectionKind;
use tower_webhook::gate::{Body, ResponseBody};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::opp::Opp;
use tower_webhook::secret::Secret;
use tower_webhook::sender::Broken;
use tower_webhook::sender::forge::Forgery;
use tower_webhook::testing::harness::BrokenPromises;
use tower_webhook::testing::{Harness, Sent, events, forge};

use super::*;

const TRANSFER: &str = "transfer.completed|7b129bdd-b3c1-4a33-b80e-76cee553466f";

fn said(broken: &BrokenPromises, promise: Broken, times: u64, line: &str) {
    assert_eq!(broken.count(promise), times, "{broken}");
    assert!(broken.lines().iter().any(|given| given.contains(line)), "{line:?} is not in {broken}");
    assert!(broken.to_string().contains("to replay it: Harness::seed(0)"), "{broken}");
}

fn of_panic<T>(action: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(action)) else { panic!("it did not panic") };
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn an_app_that_handles_twice() {
    let twice = || {
        let receiver = Receiver::new("aella", provider()).dangerous_without_dedupe();
        harness(of(receiver.handle(|_: Received<aella::Event>| async { sleep(Duration::from_millis(1)).await })))
    };
    let after = twice();
    after.send_twice("/aella", events::aella::transfer()).await;
    let broken = after.verify().unwrap_err();
    said(
        &broken,
        Broken::HandledTwice,
        1,
        &format!("handled twice: event {TRANSFER}: called again after its sender had"),
    );
    assert_eq!(broken.sent().nth(1).unwrap(), format!("/aella, {TRANSFER}: 200, a handler called"));

    let beside = twice();
    beside.send_together("/aella", events::aella::transfer(), 3).await;
    let broken = beside.verify().unwrap_err();
    said(&broken, Broken::HandledTwice, 2, "called again with fence 0 after 0");
    assert!(broken.to_string().contains("called again with fence 0 after 0 (2 times)\n"), "{broken}");

    let replayed = twice();
    replayed.forge("/aella", events::aella::transfer(), forge::replayed()).await;
    said(&replayed.verify().unwrap_err(), Broken::HandledTwice, 1, TRANSFER);
    let stormy = twice();
    let report = stormy.storm(200, "duplicates=0.3".parse().unwrap(), 7).await;
    assert!(report.handled_twice > 0, "{report}");
    let broken = stormy.verify().unwrap_err();
    said(&broken, Broken::HandledTwice, report.handled_twice, "handled twice: event ");
    assert!(broken.to_string().contains("  a storm: Harness::storm(200, \"duplicates=0.3"), "{broken}");
    let dropped = twice();
    dropped.send_twice("/aella", events::aella::transfer()).await;
    assert!(of_panic(|| drop(dropped)).contains("handled twice: event transfer.completed|"));
}

/// Answers 200 first, and handles then, or never.
#[derive(Clone, Copy)]
enum Then {
    Handles,
    Never,
}

fn answers_first(then: Then) -> Harness {
    let inside = app();
    let app = service_fn(move |request: Request<Body>| {
        let mut inside = inside.clone();
        async move {
            let handling = async move { inside.call(request.map(axum::body::Body::new)).await };
            if let Then::Handles = then {
                tokio::spawn(handling);
            }
            Ok::<_, Infallible>(Response::<ResponseBody>::default())
        }
    });
    Harness::start(app).provider("/aella", provider())
}

#[tokio::test]
async fn an_app_that_answers_before_it_handles() {
    let harness = answers_first(Then::Handles);
    harness.send("/aella", events::aella::transfer()).await.accepted();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let broken = harness.verify().unwrap_err();
    said(&broken, Broken::AnsweredEarly, 1, &format!("answered early: event {TRANSFER}: the sender had a 2xx"));
    assert_eq!(broken.count(Broken::Lost), 0, "{broken}");
}

#[tokio::test]
async fn an_app_that_loses() {
    let harness = answers_first(Then::Never);
    harness.send("/aella", events::aella::transfer()).await.accepted().not_handled();
    let broken = harness.verify().unwrap_err();
    said(&broken, Broken::Lost, 1, &format!("lost: event {TRANSFER}: accepted, and never handled"));
    assert!(broken.sent().eq([format!("/aella, {TRANSFER}: 200, no handler called")]), "{broken}");
}

#[tokio::test]
async fn an_app_that_takes_what_is_forged() {
    let open = || {
        let receiver = Receiver::new("aella", provider()).dangerous_skip_verification().dedupe(MemoryStore::new(99));
        harness(of(receiver.handle(|_: Received<aella::Event>| async {})))
    };
    let bit = open();
    bit.forge("/aella", events::aella::transfer(), Forgery::ProofBit).await;
    let line = format!("wrongly accepted: event {TRANSFER}: ProofBit: its handler was called");
    said(&bit.verify().unwrap_err(), Broken::WronglyAccepted, 1, &line);

    let repeat = open();
    repeat.send("/aella", events::aella::transfer()).await.accepted();
    repeat.forge("/aella", events::aella::transfer(), Forgery::NoProof).await;
    let line = format!("wrongly accepted: event {TRANSFER}: NoProof: answered 200");
    said(&repeat.verify().unwrap_err(), Broken::WronglyAccepted, 1, &line);

    let all = open();
    all.forge_all("/aella", events::aella::transfer()).await;
    let words = of_panic(|| drop(all));
    assert!(words.contains("wrongly accepted: event ") && words.contains("BodyBit: 200"), "{words}");
    assert!(!words.contains("GzipBomb"), "that was refused: {words}");
    let asserted = open().may_refuse();
    let sent = asserted.forge("/aella", events::aella::transfer(), Forgery::ProofBit).await;
    let words = of_panic(|| sent.refused(401));
    assert!(
        words.starts_with(&format!("/aella, {TRANSFER}: accepted with 200, where it had to be refused\n")),
        "{words}"
    );
    assert!(words.contains("broken so far:\n  wrongly accepted"), "{words}");
    asserted.verify().unwrap_err();
}

#[tokio::test]
async fn an_app_that_says_yes_to_what_cannot_be_read() {
    let inside = app();
    let polite = service_fn(move |request: Request<Body>| {
        let inside = inside.clone();
        async move {
            let mut response = inside.oneshot(request.map(axum::body::Body::new)).await?;
            *response.status_mut() = http::StatusCode::OK;
            Ok::<_, Infallible>(response)
        }
    });
    let harness = Harness::start(polite).provider("/aella", provider());
    harness.send("/aella", events::aella::transfer().amount("a lot")).await;
    let broken = harness.verify().unwrap_err();
    said(&broken, Broken::WronglyAccepted, 1, "what cannot be read, payload_malformed");
}

/// A platform that takes 200 alone.
#[tokio::test]
async fn an_app_that_says_yes_in_another_way_than_its_provider() {
    let no_content = service_fn(|_: Request<Body>| async {
        let mut response = Response::<ResponseBody>::default();
        *response.status_mut() = http::StatusCode::NO_CONTENT;
        Ok::<_, Infallible>(response)
    });
    let opp =
        Opp::new(Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f").unwrap()).unwrap();
    let harness = Harness::start(no_content).provider("/opp", opp);
    harness.send("/opp", events::opp::payment()).await.not_handled();
    harness.forge("/opp", events::opp::payment().number(2), forge::flipped_bit()).await;
    let broken = harness.verify().unwrap_err();
    said(&broken, Broken::WronglyAccepted, 1, "FlippedBit: answered 204");
    said(&broken, Broken::WronglyRefused, 1, "refused with 204: which answers does this provider take for a yes?");
}

#[tokio::test]
async fn an_app_that_refuses_what_is_genuine() {
    let other = || Aella::new(Secret::utf8("ae_sk_test_another").unwrap()).unwrap();
    let of_other = || Harness::start(app()).provider("/aella", other());
    let harness = of_other();
    harness.send("/aella", events::aella::transfer()).await;
    let broken = harness.verify().unwrap_err();
    said(
        &broken,
        Broken::WronglyRefused,
        1,
        &format!("wrongly refused: event {TRANSFER}: refused with 401 (signature_mis"),
    );
    assert!(broken.lines()[0].ends_with(": is the secret the same on both sides?"), "{broken}");

    let down = super::harness(fails_at_first(1));
    down.send("/aella", events::aella::transfer()).await;
    let broken = down.verify().unwrap_err();
    said(&broken, Broken::Unsettled, 1, &format!("unsettled: event {TRANSFER}: refused with 500 (handler_failed"));

    let asserted = of_other().may_refuse();
    let sent = || asserted.send("/aella", events::aella::transfer());
    for (words, promise) in [
        (
            of_panic_of(sent().await, Sent::accepted),
            "where it had to be accepted: is the secret the same on both sides?",
        ),
        (of_panic_of(sent().await, |sent| sent.refused(403)), "where it had to be refused with 403"),
        (
            of_panic_of(sent().await, |sent| sent.refused_as(RejectionKind::InFlight)),
            "where it had to be refused as in_flight",
        ),
        (
            of_panic_of(sent().await, Sent::handled_once),
            "had to be handled once, and it was handled 0 times: did a handler fail, or does no receiver of this crate call it?",
        ),
    ] {
        assert!(words.starts_with(&format!("/aella, {TRANSFER}: refused with 401 (signature_mismatch")), "{words}");
        assert!(words.ends_with(promise), "{words}");
    }
}

fn of_panic_of(sent: Sent, assert: impl FnOnce(Sent) -> Sent) -> String {
    of_panic(|| assert(sent))
}

#[tokio::test]
async fn a_test_that_expects_the_wrong_thing_fails() {
    let harness = harness(app());
    let sent = || harness.send("/aella", events::aella::transfer());
    let words = of_panic_of(sent().await, Sent::replayed);
    assert!(words.contains("where it had to be known as a repeat: was it handled before"), "{words}");
    let words = of_panic_of(sent().await, Sent::not_accepted);
    assert!(words.ends_with("accepted with 200, where it had to be refused"), "{words}");
    let words = of_panic_of(harness.send("/aella", events::aella::inwards()).await, Sent::not_handled);
    assert!(words.ends_with("where no handler had to be called (calls: 1)"), "{words}");
    let words = of_panic_of(harness.send("/aella", rubbish()).await.not_accepted(), Sent::handled_once);
    assert!(words.ends_with("and it has none that can be read"), "{words}");

    assert!(of_panic(|| drop(harness.send("/elsewhere", rubbish()))).contains("nobody sends to /elsewhere"));
    let words = of_panic(|| drop(harness.forge("/aella", rubbish(), forge::stale())));
    assert_eq!(words, "the test is wrong: there is nothing to forge by Stale in what is sent to /aella");
    harness.verify().unwrap();
    for path in ["aella", "/a b", "/aella"] {
        let words = of_panic(|| super::harness(app()).provider(path, provider()));
        assert!(words.contains(path), "{words}");
    }
}

fn rubbish() -> events::aella::Transfer {
    events::aella::transfer().amount("a lot")
}
