//! Who gets an event, and several of them in one message.

use std::num::NonZeroUsize;
use std::time::Duration;

use http::StatusCode;
use tokio::time::sleep;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::{Message, Provider as _};
use tower_webhook::secret::Secret;
use tower_webhook::sender::{
    Answer, Batches, DeliveryProfile, Interest, NotSent, State, Status, Subscriptions, Webhook,
};

use super::{DAY, KEY, PAYMENT, Target, at, opp_provider};

fn bank_provider() -> BankingCircle {
    BankingCircle::new(Secret::hex(KEY).unwrap()).unwrap()
}

fn bank(target: &Target) -> Webhook<BankingCircle, Target> {
    at(bank_provider(), DeliveryProfile::banking_circle(), target.clone())
}

fn batches(target: &Target, most: usize) -> Batches<BankingCircle, Target> {
    Batches::banking_circle(bank(target), NonZeroUsize::new(most).unwrap())
}

fn event(id: usize) -> Message {
    Message::new(format!(r#"{{"eventId":"e-{id}","notificationType":"CaseEvents","payment":{{"status":"OPEN"}}}}"#))
}

/// The keys of the notifications of each message, as its receiver reads them.
fn received(target: &Target) -> Vec<Vec<String>> {
    let opened = target.seen().into_iter().map(|request| {
        let (head, body) = request.into_parts();
        let now = tower_webhook::clock::Timestamp::UNIX_EPOCH;
        let opened = bank_provider().scheme().open(&head.headers, body, now).unwrap();
        let events = bank_provider().decode(&head.headers, opened.plaintext).unwrap();
        events.iter().map(|event| event.key.as_str().to_owned()).collect()
    });
    opened.collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_goes_to_those_that_asked_for_its_type_and_whom_it_is_about() {
    let targets: [Target; 4] = std::array::from_fn(|_| Target::always(200));
    let [company, account, both, other] = &targets;
    let many = bank(both);
    let subscriptions = Subscriptions::new()
        .subscribe(Interest::everything().types(["Booked", "Missing"]).scopes(["company"]), bank(company))
        .subscribe(Interest::everything().types(["Booked"]).scopes(["account-1", "account-2"]), bank(account))
        .subscribe(Interest::everything().types(["Missing"]).scopes(["account-1"]), many.clone())
        .subscribe(Interest::everything().types(["Routing"]).scopes(["account-1"]), many)
        .subscribe(Interest::everything().scopes(["stranger"]), bank(other));
    let send = |event_type: &str, scopes: &[&str]| {
        let routed = subscriptions.send(event_type, scopes, &Message::new(r#"{"notifications":[]}"#));
        routed.iter().map(|one| (one.subscription, one.taken.is_ok())).collect::<Vec<_>>()
    };
    assert_eq!(send("Booked", &["account-1", "company"]), [(0, true), (1, true)]);
    assert_eq!(send("Booked", &["account-3", "company"]), [(0, true)], "at the company's level alone");
    assert_eq!(send("Missing", &["account-1", "company"]), [(0, true), (2, true)]);
    assert_eq!(send("Routing", &["account-1", "company"]), [(3, true)], "one address for several subscriptions");
    assert_eq!(send("Routing", &["account-2", "company"]), [], "nobody asked");
    assert_eq!(send("Booked", &[]), []);
    sleep(DAY).await;
    assert_eq!(targets.map(|target| target.seen().len()), [3, 1, 2, 0]);
}

/// Up the entity tree: the channel's webhook and the merchant's get the same, each under its own key.
#[tokio::test(start_paused = true)]
async fn one_webhook_of_the_tree_that_is_off_holds_no_other_up() {
    const OTHER: &str = "101112131415161718191a1b1c1d1e1f101112131415161718191a1b1c1d1e1f";
    let (down, up) = (Target::always(500), Target::always(200));
    let merchant = at(Opp::new(Secret::hex(OTHER).unwrap()).unwrap(), DeliveryProfile::opp(), up.clone());
    let subscriptions = Subscriptions::new()
        .subscribe(Interest::everything().scopes(["channel"]), at(opp_provider(), DeliveryProfile::opp(), down))
        .subscribe(Interest::everything().scopes(["merchant"]), merchant);
    let send = || subscriptions.send("PAYMENT", &["channel", "merchant"], &Message::new(PAYMENT));
    assert!(send().iter().all(|one| one.taken.is_ok()));
    sleep(6 * DAY).await;
    let routed = send();
    assert_eq!(routed[0].taken, Err(NotSent::SwitchedOff));
    assert!(routed[1].taken.is_ok());
    sleep(DAY).await;
    let seen = up.seen();
    assert_eq!(seen.len(), 2);
    let open = |key: &str| {
        let opp = Opp::new(Secret::hex(key).unwrap()).unwrap();
        let now = tower_webhook::clock::Timestamp::UNIX_EPOCH;
        opp.scheme().open(seen[0].headers(), seen[0].body().clone(), now).map(|opened| opened.plaintext)
    };
    assert_eq!(open(OTHER).unwrap(), PAYMENT);
    assert!(open(KEY).is_err(), "under the merchant's own key");
}

#[tokio::test(start_paused = true)]
async fn what_is_offered_at_once_is_one_message_of_as_many_as_it_may_hold() {
    let target = Target::always(200);
    let batches = batches(&target, 5);
    (0..12).for_each(|id| batches.offer(event(id)).unwrap());
    sleep(Duration::from_millis(10)).await;
    batches.offer(event(12)).unwrap();
    sleep(Duration::from_millis(10)).await;
    let received = received(&target);
    assert_eq!(received.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2, 1]);
    let all: Vec<_> = (0..13).map(|id| format!("e-{id}")).collect();
    assert_eq!(received.concat(), all, "each once, in order");
}

#[tokio::test(start_paused = true)]
async fn a_window_collects_what_comes_within_it_and_no_more() {
    let target = Target::always(200);
    let batches = batches(&target, 100).within(Duration::from_secs(2));
    for id in 0..6 {
        batches.offer(event(id)).unwrap();
        sleep(Duration::from_millis(900)).await;
    }
    sleep(Duration::from_secs(2)).await;
    assert_eq!(received(&target).iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
}

/// A target that is down until it is told otherwise, and a webhook that was switched off for it with one message in it.
async fn switched_off(
    keeps: bool,
) -> (Batches<BankingCircle, Target>, Target, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    use std::sync::atomic::Ordering::Relaxed;
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = up.clone();
    let target = Target::new(move |_| {
        Ok(Answer::of(if now.load(Relaxed) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }))
    });
    let batches = batches(&target, 5);
    let batches = if keeps { batches.keeping_while_off() } else { batches };
    batches.offer(event(0)).unwrap();
    batches.flush().unwrap();
    batches.webhook().settled().await;
    assert!(matches!(batches.webhook().status(), Status::SwitchedOff { .. }));
    (batches, target, up)
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_while_it_is_off_comes_in_few_messages_behind_what_waited() {
    let (batches, target, up) = switched_off(true).await;
    (1..9).for_each(|id| batches.offer(event(id)).unwrap());
    sleep(DAY).await;
    let before = target.seen().len();
    up.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(batches.switch_on().unwrap().len(), 2);
    batches.webhook().settled().await;
    assert_eq!(received(&target)[before..].iter().map(Vec::len).collect::<Vec<_>>(), [1, 5, 3]);
    assert!(batches.webhook().history().iter().all(|one| one.state == State::Sent));
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_it_is_off_is_not_filled_in_later() {
    let (batches, target, up) = switched_off(false).await;
    assert_eq!(batches.offer(event(1)), Err(NotSent::SwitchedOff));
    up.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(batches.switch_on(), Ok(vec![]));
    batches.webhook().settled().await;
    assert_eq!(received(&target).last().unwrap(), &["e-0"]);
    assert_eq!(batches.webhook().history().len(), 1);
}
