//! Payloads that are sealed, as Postgres has them: what a key that is gone, or a bit that has changed, makes of them.

use tokio_postgres::Client;
use tower_webhook::inbox::{Filter, InboxStore as _, LeaseToken, Leased, PostgresInbox, Sealed, StoredState};
use tower_webhook::secret::{Key, KeyRing, Secret};

use super::server::Server;
use super::{LEASE, at, event, opened, schema};
use crate::subscriber::Log;

/// Keys by id, newest first.
pub(super) fn ring(keys: &[(&str, u8)]) -> KeyRing {
    KeyRing::new(keys.iter().map(|(id, byte)| Key::new(*id, Secret::bytes([*byte; 32]).unwrap()))).unwrap()
}

/// One inbox in the hands of programs that have different keys.
struct Scene {
    inbox: PostgresInbox,
    client: Client,
    schema: String,
}

impl Scene {
    async fn new() -> Self {
        let (server, schema) = (Server::shared().await, schema());
        Self { inbox: opened(server, &schema).await, client: server.client().await, schema }
    }

    fn with(&self, keys: &[(&str, u8)]) -> Sealed<PostgresInbox> {
        Sealed::new(self.inbox.clone(), ring(keys)).unwrap()
    }

    async fn body(&self, number: i64) -> Vec<u8> {
        let text = format!("SELECT payload FROM {}.bodies WHERE id = $1", self.schema);
        self.client.query_one(&text, &[&number]).await.unwrap().get(0)
    }

    async fn put(&self, number: i64, body: &[u8]) {
        let text = format!("UPDATE {}.bodies SET payload = $2 WHERE id = $1", self.schema);
        assert_eq!(self.client.execute(&text, &[&number, &body]).await.unwrap(), 1);
    }
}

async fn lease(inbox: &Sealed<PostgresInbox>, second: i64) -> Vec<Leased> {
    inbox.lease(LeaseToken([1; 16]), 10, LEASE, at(second)).await.unwrap()
}

fn parked() -> Filter {
    let mut filter = Filter::default();
    filter.state = Some(StoredState::Parked);
    filter
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_payload_is_in_the_database_and_an_old_key_opens_what_it_sealed() {
    let scene = Scene::new().await;
    scene.with(&[("old", 1)]).accept(vec![event(1, None)], at(0)).await.unwrap();
    let rotated = scene.with(&[("new", 2), ("old", 1)]);
    rotated.accept(vec![event(2, None)], at(0)).await.unwrap();
    assert_eq!(rotated.seals().iter().map(|(id, count)| (&**id, *count)).collect::<Vec<_>>(), [("new", 1)]);
    for number in [1, 2] {
        let (body, plain) = (scene.body(number).await, format!("event {number}"));
        assert!(!body.windows(plain.len()).any(|window| window == plain.as_bytes()), "{number}");
    }
    let held = lease(&rotated, 1).await;
    assert_eq!(held.iter().map(|held| &held.event.payload[..]).collect::<Vec<_>>(), [b"event 1", b"event 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_key_opens_is_parked_with_the_reason_and_handled_when_the_key_is_back() {
    let scene = Scene::new().await;
    scene.with(&[("old", 1)]).accept(vec![event(1, None)], at(0)).await.unwrap();
    let without = scene.with(&[("new", 2)]);
    without.accept(vec![event(2, None)], at(0)).await.unwrap();
    let held = lease(&without, 1).await;
    assert_eq!(held.iter().map(|held| held.id.0).collect::<Vec<_>>(), [2], "it holds up no other");
    let aside = without.list(&parked(), 9).await.unwrap();
    assert!(aside.len() == 1 && aside[0].reason.as_ref().unwrap().contains("old"), "{aside:?}");
    let shown = without.show(aside[0].id).await.unwrap().unwrap();
    assert_eq!(shown.payload, None);
    assert!(shown.steps.last().unwrap().2.as_ref().unwrap().contains("old"), "{:?}", shown.steps);

    let back = scene.with(&[("new", 2), ("old", 1)]);
    assert_eq!(back.replay(&parked(), 9, false, "ann", at(2)).await.unwrap().replayed, 1);
    let held = lease(&back, 3).await;
    assert!(held.len() == 1 && held[0].event.payload == "event 1", "nothing of it is lost: {held:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_which_a_bit_has_changed_or_that_was_moved_is_handed_to_nobody() {
    let scene = Scene::new().await;
    let inbox = scene.with(&[("key", 1)]);
    inbox.accept((1..=4).map(|number| event(number, None)).collect(), at(0)).await.unwrap();
    let sound = scene.body(1).await;
    let mut changed = sound.clone();
    *changed.last_mut().unwrap() ^= 1;
    scene.put(1, &changed).await;
    scene.put(2, &sound).await;
    scene.put(3, b"event 3").await;
    let log = Log::capture();
    let held = lease(&inbox, 1).await;
    let lines = log.text();
    for number in 1..=3 {
        assert!(lines.contains("set aside") && lines.contains(&format!("id={number} ")), "{number}: {lines}");
    }
    assert!(!lines.contains("id=4 ") && !lines.contains("event 3"), "{lines}");
    assert_eq!(held.iter().map(|held| held.id.0).collect::<Vec<_>>(), [4]);
    assert_eq!(inbox.list(&parked(), 9).await.unwrap().len(), 3);
    // As it was, it is opened.
    scene.put(1, &sound).await;
    assert_eq!(inbox.replay(&parked(), 9, false, "ann", at(2)).await.unwrap().replayed, 3);
    let held = lease(&inbox, 3).await;
    assert_eq!(held.iter().map(|held| held.id.0).collect::<Vec<_>>(), [1]);
}
