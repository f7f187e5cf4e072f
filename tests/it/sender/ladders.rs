//! Whole ladders against a receiver that is away for four fifths of each: what comes at the end is handled once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::Instant;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::secret::Secret;
use tower_webhook::sender::{DeliveryProfile, InProcess, NoAnswer, State, Status, Transport};
use tower_webhook::{MemoryStore, Received, Receiver};

use super::{DAY, KEY, Target, at, opp_provider};

const OPP: [&str; 2] = [
    r#"{"type":"PAYMENT","payload":{"id":"8a82","result":{"code":"000.200.000"},"timestamp":"2026-11-21 12:00:00+0000"}}"#,
    r#"{"type":"PAYMENT","payload":{"id":"8a82","result":{"code":"000.000.000"},"timestamp":"2026-11-21 12:00:00+0000"}}"#,
];
const SIBS: [&str; 2] = [
    r#"{"notificationID":"n-1","transactionID":"s2bf","paymentStatus":"Pending"}"#,
    r#"{"notificationID":"n-2","transactionID":"s2bf","paymentStatus":"Success"}"#,
];

fn sibs() -> Sibs {
    Sibs::new(Secret::hex(KEY).unwrap()).unwrap()
}

/// What became of a ladder.
struct Climbed {
    handled: usize,
    reached: usize,
    states: Vec<State>,
    status: Status,
}

/// Sends both messages, of which the first is handled at once, while its answer is lost. Then the receiver is away until this time.
/// It keeps what it handled as long as its provider's profile says.
async fn climb<P: Provider>(
    provider: impl Fn() -> P,
    profile: DeliveryProfile,
    messages: [&'static str; 2],
    away: Duration,
) -> Climbed {
    let (handled, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, arrived) = (Arc::clone(&handled), Arc::clone(&reached));
    let receiver = Receiver::new("climber", provider()).dedupe(MemoryStore::new(1000));
    let service = InProcess::new(receiver.handle(move |_: Received<P::Event>| {
        count.fetch_add(1, Ordering::Relaxed);
        async {}
    }));
    let start = Instant::now();
    let flaky = move |request: Request<Bytes>| {
        let (service, arrived) = (service.clone(), Arc::clone(&arrived));
        async move {
            let is_away = start.elapsed() < away;
            if is_away && arrived.load(Ordering::Relaxed) > 0 {
                return Err(NoAnswer::Unreachable);
            }
            arrived.fetch_add(1, Ordering::Relaxed);
            let answer = service.exchange(request).await;
            if is_away { Err(NoAnswer::Broken) } else { answer }
        }
    };
    let webhook = at(provider(), profile, flaky);
    for message in messages {
        webhook.send(Message::new(message)).unwrap();
    }
    webhook.settled().await;
    Climbed {
        handled: handled.load(Ordering::Relaxed),
        reached: reached.load(Ordering::Relaxed),
        states: webhook.history().iter().map(|one| one.state).collect(),
        status: webhook.status(),
    }
}

/// 5, 30 and 62 days: the pending result and the success that follows it are both handled, and each once.
#[tokio::test(start_paused = true)]
async fn what_comes_at_the_end_of_a_ladder_is_handled_once() {
    let began = std::time::Instant::now();
    for climbed in [
        climb(opp_provider, DeliveryProfile::opp(), OPP, 4 * DAY).await,
        climb(opp_provider, DeliveryProfile::opp_daily(), OPP, 24 * DAY).await,
        climb(sibs, DeliveryProfile::sibs(), SIBS, 50 * DAY).await,
    ] {
        assert_eq!(climbed.states, [State::Sent, State::Sent]);
        assert_eq!(climbed.reached, 3, "once with its answer lost, and both at the end");
        assert_eq!(climbed.handled, 2);
        assert_eq!(climbed.status, Status::Active);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_back_after_the_end_of_a_ladder_gets_nothing() {
    for (climbed, switched_off) in [
        (climb(opp_provider, DeliveryProfile::opp(), OPP, 6 * DAY).await, true),
        (climb(opp_provider, DeliveryProfile::opp_daily(), OPP, 31 * DAY).await, true),
        (climb(sibs, DeliveryProfile::sibs(), SIBS, 63 * DAY).await, false),
    ] {
        assert_eq!(climbed.states, [State::Failed, State::Failed]);
        assert_eq!((climbed.reached, climbed.handled), (1, 1));
        assert_eq!(climbed.status != Status::Active, switched_off);
    }
}

/// The twin of the first: with a memory shorter than the ladder, what was handled is handled again.
#[tokio::test(start_paused = true)]
async fn a_memory_shorter_than_the_ladder_handles_twice() {
    let forgetful = || {
        opp_provider().change_profile(|profile| {
            profile.retries.steps.clear();
            profile.retries.then_every = None;
            profile.retries.until = Some(DAY);
        })
    };
    let climbed = climb(forgetful, DeliveryProfile::opp(), OPP, 4 * DAY).await;
    assert_eq!((climbed.reached, climbed.handled), (3, 3));
}

/// 200 alone, as the rooms of both have it; where any 2xx counts it is the same answer that is delivered.
#[tokio::test(start_paused = true)]
async fn another_2xx_than_200_does_not_count_for_opp_and_sibs() {
    async fn tries<P: Provider>(provider: P, profile: DeliveryProfile, message: &'static str) -> (usize, State) {
        let webhook = at(provider, profile, Target::always(202));
        webhook.send(Message::new(message)).unwrap();
        webhook.settled().await;
        let first = &webhook.history()[0];
        (first.attempts.len(), first.state)
    }
    assert_eq!(tries(opp_provider(), DeliveryProfile::opp(), OPP[0]).await, (126, State::Failed));
    assert_eq!(tries(sibs(), DeliveryProfile::sibs(), SIBS[0]).await, (91, State::Failed));
    assert_eq!(tries(opp_provider(), DeliveryProfile::aella(), OPP[0]).await, (1, State::Sent));
}
