//! A handler that takes all new events of a delivery at once.

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;
use tower::ServiceExt as _;
use tower_webhook::provider::banking_circle::Event;
use tower_webhook::{MemoryStore, Outcome, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{bank, now, read, sealed};

type Calls = Arc<Mutex<Vec<Vec<String>>>>;
type Batch = Vec<Received<Event>>;

fn message(ids: &[&str]) -> String {
    let notifications: Vec<_> = ids
        .iter()
        .map(|id| {
            json!({
                "eventId": id,
                "notificationType": "IncomingPaymentProcessed",
                "payment": {"paymentId": "p", "status": "Processed",
                    "creditorInformation": {"accountId": "a", "creditAmount": {"currency": "EUR", "amount": "92.00"}}},
            })
        })
        .collect();
    json!({ "notifications": notifications }).to_string()
}

fn receiver(store: &MemoryStore) -> Receiver<tower_webhook::provider::banking_circle::BankingCircle, MemoryStore> {
    Receiver::new("bank", bank()).clock(now()).dedupe(store.clone())
}

fn ids(events: &Batch) -> Vec<String> {
    events.iter().map(|event| event.delivery().key().to_string()).collect()
}

fn kind<B>(response: &http::Response<B>) -> Option<RejectionKind> {
    response.extensions().get().map(Rejection::kind)
}

#[tokio::test(start_paused = true)]
async fn all_new_events_of_a_delivery_come_at_once_and_in_their_order() {
    let (store, calls) = (MemoryStore::new(100), Calls::default());
    let service = receiver(&store).handle_batch_with(calls.clone(), |calls: Calls, events: Batch| {
        calls.lock().unwrap().push(ids(&events));
        assert!(events.iter().all(|event| event.fence().is_some()));
        ready(())
    });
    let send = async |ids: &[&str]| read(service.clone().oneshot(sealed(&bank(), message(ids))).await.unwrap()).await;
    assert_eq!(send(&["a", "b", "c"]).await, (200, false, String::new()));
    assert!(send(&["a", "b", "c"]).await.1, "all were handled before");
    assert_eq!(send(&["b", "e", "a", "d"]).await, (200, false, String::new()));
    assert_eq!(send(&["f"]).await, (200, false, String::new()));
    assert_eq!(*calls.lock().unwrap(), [vec!["a", "b", "c"], vec!["e", "d"], vec!["f"]]);
}

#[tokio::test(start_paused = true)]
async fn each_event_has_its_own_outcome_and_the_next_try_brings_the_rest() {
    let (store, calls) = (MemoryStore::new(100), Calls::default());
    let service = receiver(&store).handle_batch_with(calls.clone(), |calls: Calls, events: Batch| {
        let mut calls = calls.lock().unwrap();
        let outcomes = events.iter().map(|event| match (event.delivery().key().as_str(), calls.len()) {
            ("b", 0) => Outcome::Retry(Duration::from_secs(3)),
            ("c", 0) => Outcome::failed("no such account"),
            _ => Outcome::Done,
        });
        let outcomes: Vec<_> = outcomes.collect();
        calls.push(ids(&events));
        ready(outcomes)
    });
    let body = message(&["a", "b", "c", "d"]);
    let first = service.clone().oneshot(sealed(&bank(), body.clone())).await.unwrap();
    assert!([500, 503].contains(&first.status().as_u16()), "{}", first.status());
    tokio::time::advance(Duration::from_secs(4)).await;
    let second = service.oneshot(sealed(&bank(), body)).await.unwrap();
    assert_eq!(second.status(), 200);
    assert_eq!(*calls.lock().unwrap(), [vec!["a", "b", "c", "d"], vec!["b", "c"]]);
}

#[tokio::test(start_paused = true)]
async fn an_error_counts_for_all_and_an_event_without_outcome_has_failed() {
    for (case, outcomes, done) in [
        ("an error", Err("the database is gone"), 0),
        ("too few", Ok(vec![Outcome::Done]), 1),
        ("too many", Ok(vec![Outcome::Done, Outcome::Done, Outcome::Done]), 2),
    ] {
        let (store, calls) = (MemoryStore::new(100), Calls::default());
        let given = Arc::new(Mutex::new(Some(outcomes)));
        let noted = calls.clone();
        let service = receiver(&store).handle_batch(move |events: Batch| {
            noted.lock().unwrap().push(ids(&events));
            let given = given.lock().unwrap().take();
            ready(given.unwrap_or_else(|| Ok(events.iter().map(|_| Outcome::Done).collect::<Vec<_>>())))
        });
        let first = service.clone().oneshot(sealed(&bank(), message(&["a", "b"]))).await.unwrap();
        assert_eq!(first.status(), if done == 2 { 200 } else { 500 }, "{case}");
        let second = service.oneshot(sealed(&bank(), message(&["a", "b"]))).await.unwrap();
        assert_eq!(second.status(), 200, "{case}");
        let calls = calls.lock().unwrap();
        assert_eq!(calls.get(1).map_or(0, Vec::len), 2 - done, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_panics_has_failed_and_one_that_hangs_ends_at_its_limit() {
    let store = MemoryStore::new(100);
    let panics = receiver(&store).handle_batch(|events: Batch| async move { assert!(events.is_empty(), "a bug") });
    let failed = panics.oneshot(sealed(&bank(), message(&["a", "b"]))).await.unwrap();
    assert_eq!((failed.status().as_u16(), kind(&failed)), (500, Some(RejectionKind::HandlerFailed)));
    tokio::time::advance(Duration::from_secs(2)).await;

    let limit = Duration::from_secs(60);
    let hangs = receiver(&store).settings(|settings| settings.handler_limit(limit)).unwrap();
    let hangs = hangs.handle_batch(|_: Batch| pending::<()>());
    let hung = timeout(limit * 2, hangs.oneshot(sealed(&bank(), message(&["a", "b"])))).await.expect("an end").unwrap();
    assert_eq!((hung.status().as_u16(), kind(&hung)), (503, Some(RejectionKind::HandlerTimedOut)));

    tokio::time::advance(Duration::from_secs(31)).await;
    let works = receiver(&store).handle_batch(|events: Batch| async move { assert_eq!(events.len(), 2) });
    assert_eq!(works.oneshot(sealed(&bank(), message(&["a", "b"]))).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_event_in_anothers_hands_holds_up_no_other() {
    let (store, go, calls) = (MemoryStore::new(100), Arc::new(Notify::new()), Calls::default());
    let wait = go.clone();
    let slow = receiver(&store).handle_batch(move |_: Batch| {
        let wait = wait.clone();
        async move { wait.notified().await }
    });
    let first = tokio::spawn(slow.oneshot(sealed(&bank(), message(&["a"]))));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let service = receiver(&store).handle_batch_with(calls.clone(), |calls: Calls, events: Batch| {
        calls.lock().unwrap().push(ids(&events));
        ready(())
    });
    let second = service.clone().oneshot(sealed(&bank(), message(&["a", "b"]))).await.unwrap();
    assert_eq!((second.status().as_u16(), kind(&second)), (503, Some(RejectionKind::InFlight)));
    go.notify_one();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    let third = service.oneshot(sealed(&bank(), message(&["a", "b"]))).await.unwrap();
    assert!(read(third).await.1);
    assert_eq!(*calls.lock().unwrap(), [vec!["b"]]);
}

#[tokio::test(start_paused = true)]
async fn every_event_of_a_batch_keeps_its_lease_while_the_batch_runs() {
    let ids: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let service = receiver(&MemoryStore::new(2000)).handle_batch(|events: Batch| async move {
        tokio::time::sleep(Duration::from_secs(200)).await;
        assert!(events.len() == 1000 && events.iter().all(|event| !event.lease_lost().is_lost()));
    });
    assert_eq!(service.oneshot(sealed(&bank(), message(&ids))).await.unwrap().status(), 200);
}
