//! A delivery is on disk before it is answered, all of it or nothing.

use std::sync::{Arc, Mutex};

use http::header::RETRY_AFTER;
use tower::ServiceExt as _;
use tower_webhook::inbox::{Accepted, StoredState};
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::receiver::InboxService;
use tower_webhook::secret::Secret;
use tower_webhook::{Receiver, Rejection, RejectionKind};

use super::Inbox;
use crate::deliveries::{BATCH, TRANSFER, aella, bank, now, read, sealed};

fn service(inbox: &Inbox) -> InboxService<Aella, Inbox> {
    Receiver::new("aella", aella()).clock(now()).inbox(inbox)
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_stored_once_and_a_repeat_is_answered_as_one() {
    let inbox = Inbox::open().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let service = service(&inbox).on_accepted(move |event, accepted| {
        let what = match accepted {
            Accepted::Stored(_) => "stored",
            Accepted::Duplicate(_) => "duplicate",
            _ => "quarantined",
        };
        tell.lock().unwrap().push((event.event.clone(), what));
    });
    let other = TRANSFER.replace("Success", "Failed");
    assert_ne!(other, TRANSFER);
    for (body, replayed) in [(TRANSFER, false), (TRANSFER, true), (other.as_str(), false)] {
        let answer = read(service.clone().oneshot(sealed(&aella(), body.to_owned())).await.unwrap()).await;
        assert_eq!(answer, (200, replayed, String::new()));
    }
    let name = "transfer.completed".to_owned();
    let expected = [(name.clone(), "stored"), (name.clone(), "duplicate"), (name, "quarantined")];
    assert_eq!(*told.lock().unwrap(), expected);
    let all = inbox.all().await;
    let states: Vec<_> = all.iter().map(|stored| stored.state).collect();
    assert_eq!(states, [StoredState::Ready, StoredState::Quarantined]);
    assert_eq!((all[0].receiver.as_str(), all[0].provider.as_str()), ("aella", "aella"));
    assert!(all[0].key.starts_with("transfer.completed|"), "{}", all[0].key);
}

#[tokio::test(start_paused = true)]
async fn nothing_unproved_is_stored() {
    let inbox = Inbox::open().await;
    let forger = Aella::new(Secret::utf8("ae_sk_test_another").unwrap()).unwrap();
    let credentials = Credentials::new("hook", Secret::utf8("correct horse battery staple").unwrap()).unwrap();
    let basic = BasicAuthLayer::new([credentials]).unwrap();
    let behind_a_password = Receiver::new("aella", aella()).clock(now()).basic_auth(&basic).inbox(&inbox);
    for (service, provider, body, status) in [
        (service(&inbox), forger, TRANSFER, 401),
        (behind_a_password, aella(), TRANSFER, 401),
        (service(&inbox), aella(), "{", 400),
    ] {
        let response = service.oneshot(sealed(&provider, body.to_owned())).await.unwrap();
        assert_eq!(response.status(), status);
    }
    assert!(inbox.all().await.is_empty());
    assert_eq!(service(&inbox).oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    assert_eq!(inbox.all().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_inbox_is_away_the_sender_is_asked_to_come_again_and_nothing_is_stored() {
    let inbox = Inbox::open().await;
    inbox.away(true);
    let response = service(&inbox).oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()[RETRY_AFTER].to_str().unwrap()), (503, "5"));
    assert_eq!(response.extensions().get::<Rejection>().unwrap().kind(), RejectionKind::StoreUnavailable);
    inbox.away(false);
    assert!(inbox.all().await.is_empty());
    let answer = read(service(&inbox).oneshot(sealed(&aella(), TRANSFER)).await.unwrap()).await;
    assert_eq!((answer, inbox.all().await.len()), ((200, false, String::new()), 1));
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_each_event_is_stored_and_one_that_cannot_be_read_stops_no_other() {
    let broken = BATCH.replacen("\"eventId\"", "\"nobodysId\"", 1);
    assert_ne!(broken, BATCH);
    for (body, status) in [(BATCH.to_owned(), 200), (broken, 400)] {
        let inbox = Inbox::open().await;
        let service = Receiver::new("bank", bank()).clock(now()).inbox(&inbox);
        let count = BATCH.matches("\"eventId\"").count();
        assert!(count > 1);
        for repeat in [false, true] {
            let answer = read(service.clone().oneshot(sealed(&bank(), body.clone())).await.unwrap()).await;
            assert_eq!((answer.0, answer.1), (status, repeat && status == 200));
        }
        assert_eq!(inbox.all().await.len(), if status == 200 { count } else { count - 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_reads_what_it_wants_to_read() {
    let inbox = Inbox::open().await;
    let key = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
    let sibs = || Sibs::new(Secret::hex(key).unwrap()).unwrap();
    let service = Receiver::new("sibs", sibs()).clock(now()).inbox(&inbox);
    let body = include_str!("../../fixtures/sibs/payment.json");
    for repeat in [false, true] {
        let (status, replayed, text) = read(service.clone().oneshot(sealed(&sibs(), body)).await.unwrap()).await;
        assert!((status, replayed) == (200, repeat) && text.contains("notificationID"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_receivers_share_no_keys_and_a_lane_is_what_its_function_says() {
    let inbox = Inbox::open().await;
    for (name, lane) in [("one", Some("7b")), ("two", None)] {
        let receiver = Receiver::new(name, aella()).clock(now()).inbox(&inbox);
        let service = receiver.lane(move |_| lane.map(str::to_owned));
        assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    }
    let lanes: Vec<_> = inbox.all().await.into_iter().map(|stored| (stored.receiver, stored.lane)).collect();
    assert_eq!(lanes, [("one".to_owned(), Some("7b".to_owned())), ("two".to_owned(), None)]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_remembered_as_long_as_the_sender_may_repeat_itself() {
    let inbox = Inbox::open().await;
    let until = Arc::new(Mutex::new(None));
    let told = Arc::clone(&until);
    let service = service(&inbox).on_accepted(move |event, _| *told.lock().unwrap() = Some(event.key_until));
    assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    let retention = tower_webhook::provider::Provider::profile(&aella()).retention();
    assert_eq!(until.lock().unwrap().unwrap(), now() + retention);
}
