use super::*;
use crate::inbox::StoredState;

async fn done(inbox: &SqliteInbox, key: u8, second: i64) -> EventId {
    let id = accept(inbox, event(key, "a"), second).await;
    let held = lease_one(inbox, 1, second).await;
    let _ = inbox.complete(&held, at(second)).await.unwrap();
    id
}

#[tokio::test]
async fn bodies_go_before_keys_and_only_those_of_what_is_done() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let old = done(&inbox, 1, 0).await;
    let young = done(&inbox, 2, 100).await;
    let dead = accept(&inbox, event(3, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&held, "down", LanePolicy::SkipAndFlag, at(0)).await.unwrap();
    for times in 0..2 {
        assert_eq!(inbox.purgeable(at(50), at(200)).await.unwrap(), (1, 0), "{times}: to count changes nothing");
    }
    assert_eq!(inbox.purge(at(50), at(200)).await.unwrap(), (1, 0));
    for (id, has_body) in [(old, false), (young, true), (dead, true)] {
        assert_eq!(inbox.show(id).await.unwrap().unwrap().payload.is_some(), has_body, "{id}");
    }
    assert_eq!(inbox.accept(vec![event(1, "a")], at(201)).await.unwrap(), [Accepted::Duplicate(old)]);

    assert_eq!(inbox.purgeable(at(50), at(2_000_000)).await.unwrap(), (1, 2));
    assert_eq!(inbox.purge(at(50), at(2_000_000)).await.unwrap(), (1, 2));
    assert!(inbox.show(old).await.unwrap().is_none());
    assert_eq!(inbox.show(dead).await.unwrap().unwrap().stored.state, StoredState::Dead);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn an_event_that_ends_late_keeps_its_body_for_as_long() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 100).await;
    let _ = inbox.complete(&held, at(100)).await.unwrap();
    assert_eq!(inbox.purge(at(100), at(100)).await.unwrap(), (0, 0));
    assert!(inbox.show(id).await.unwrap().unwrap().payload.is_some());
    assert_eq!(inbox.purge(at(101), at(101)).await.unwrap(), (1, 0));
}

#[tokio::test]
async fn many_are_purged_over_many_transactions() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let events = (0..600_u32).map(|number| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        NewEvent { key: KeyHash::from_bytes(key), ..event(0, "a") }
    });
    inbox.accept(events.collect(), at(0)).await.unwrap();
    for held in lease(&inbox, 1, 600, 0).await {
        let _ = inbox.complete(&held, at(0)).await.unwrap();
    }
    assert_eq!(inbox.purge(at(1), at(1)).await.unwrap(), (600, 0));
    assert_eq!(inbox.purge(at(1), at(1_000_000)).await.unwrap(), (0, 600));
    counts_are_true(&inbox).await;
}

/// Not even a key that was forgotten sees a fence twice.
#[tokio::test]
async fn a_fence_goes_on_after_its_key_was_forgotten() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    let before = lease_one(&inbox, 1, 0).await;
    let _ = inbox.complete(&before, at(0)).await.unwrap();
    assert_eq!(inbox.purge(at(1), at(1_000_000)).await.unwrap(), (1, 1));
    let id = accept(&inbox, event(1, "a"), 1_000_001).await;
    let after = lease_one(&inbox, 1, 1_000_001).await;
    assert!(after.fence > before.fence && id > before.id);
}

#[tokio::test]
async fn what_is_erased_says_nothing_any_more_and_stays_known() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let secret = "Jane-Doe-GB33BUKB20201555555555";
    let given = NewEvent { lane: Some(secret.to_owned()), ..event(1, secret) };
    let id = accept(&inbox, given.clone(), 0).await;
    let next = accept(&inbox, NewEvent { lane: Some(secret.to_owned()), ..event(2, "b") }, 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.retry(&held, at(0), secret, at(0)).await.unwrap();
    let held = lease_one(&inbox, 1, 0).await;
    assert_eq!(inbox.erase("key-9", at(1)).await.unwrap(), 0);
    assert_eq!(inbox.erase("key-1", at(1)).await.unwrap(), 1);
    assert_eq!(inbox.erase("key-1", at(1)).await.unwrap(), 0);
    assert_eq!(inbox.complete(&held, at(2)).await.unwrap(), crate::inbox::Ended::Lost);
    let shown = inbox.show(id).await.unwrap().unwrap();
    assert_eq!((shown.stored.state, shown.payload.is_none()), (StoredState::Done, true));
    assert!(!format!("{shown:?}").contains(secret));
    assert_eq!(inbox.accept(vec![given], at(2)).await.unwrap(), [Accepted::Duplicate(id)]);
    counts_are_true(&inbox).await;

    let held = lease_one(&inbox, 1, 2).await;
    assert_eq!(held.id, next);
    assert_eq!(inbox.erase("key-2", at(3)).await.unwrap(), 1);
    drop(inbox);
    let file = std::fs::read(folder.file()).unwrap();
    assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()));
}

/// Retention drops the body alone.
#[tokio::test]
async fn what_has_no_body_any_more_is_erased_too() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let secret = "Jane-Doe-GB33BUKB20201555555555";
    let headers = vec![("content-type".to_owned(), secret.to_owned())];
    let id = accept(&inbox, NewEvent { lane: Some(secret.to_owned()), headers, ..event(1, "a") }, 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.retry(&held, at(0), secret, at(0)).await.unwrap();
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.complete(&held, at(1)).await.unwrap();
    assert_eq!(inbox.purge(at(2), at(2)).await.unwrap(), (1, 0));
    assert_eq!(inbox.erase("key-1", at(3)).await.unwrap(), 1);
    assert_eq!(inbox.erase("key-1", at(4)).await.unwrap(), 0);
    assert!(!format!("{:?}", inbox.show(id).await.unwrap().unwrap()).contains(secret));
    counts_are_true(&inbox).await;
    drop(inbox);
    let file = std::fs::read(folder.file()).unwrap();
    assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()));
}

fn says(payload: &str, until: i64) -> NewEvent {
    NewEvent { key_until: at(until), ..event(1, payload) }
}

async fn accepted(inbox: &SqliteInbox, event: NewEvent, second: i64) -> Accepted {
    inbox.accept(vec![event], at(second)).await.unwrap().remove(0)
}

/// The first is done, and another was kept apart.
async fn kept_apart(inbox: &SqliteInbox) -> (EventId, EventId) {
    let first = accept(inbox, says("a", 100), 0).await;
    let held = lease_one(inbox, 1, 1).await;
    let _ = inbox.complete(&held, at(1)).await.unwrap();
    let Accepted::Quarantined(other) = accepted(inbox, says("b", 200), 2).await else { panic!("it is kept apart") };
    (first, other)
}

#[tokio::test]
async fn what_was_kept_apart_goes_when_the_time_of_its_key_is_over() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let (first, other) = kept_apart(&inbox).await;
    assert_eq!(inbox.purge(at(-1), at(99)).await.unwrap(), (0, 0), "control: nothing is over yet");
    assert_eq!(inbox.purge(at(-1), at(100)).await.unwrap(), (1, 1));
    assert!(inbox.show(first).await.unwrap().is_none() && inbox.show(other).await.unwrap().is_some());
    // The key is new again for whatever comes with it first.
    assert!(matches!(accepted(&inbox, says("c", 300), 101).await, Accepted::Stored(_)));
    assert_eq!(accepted(&inbox, says("b", 300), 101).await, Accepted::Quarantined(other));
    assert_eq!(inbox.purge(at(-1), at(200)).await.unwrap(), (1, 1));
    assert!(inbox.show(other).await.unwrap().is_none());
    assert_eq!(inbox.stats(at(200)).await.unwrap().quarantined, 0);
    assert_eq!(inbox.purge(at(-1), at(200)).await.unwrap(), (0, 0));
    counts_are_true(&inbox).await;
    keys_are_true(&inbox).await;
}

#[tokio::test]
async fn what_was_kept_apart_is_for_nobody_any_more_when_it_was_erased() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let (_, other) = kept_apart(&inbox).await;
    assert_eq!(inbox.stats(at(3)).await.unwrap().quarantined, 1);
    assert_eq!(inbox.erase("key-1", at(3)).await.unwrap(), 2);
    counts_are_true(&inbox).await;
    assert_eq!(inbox.stats(at(3)).await.unwrap().quarantined, 0);
    let shown = inbox.show(other).await.unwrap().unwrap();
    assert_eq!((shown.stored.state, shown.payload), (StoredState::Done, None));
    // A repeat brings nothing back.
    assert_eq!(accepted(&inbox, says("b", 300), 4).await, Accepted::Quarantined(other));
    let all = crate::inbox::Filter::default();
    assert_eq!(inbox.replay(&all, 9, false, "ann", at(5)).await.unwrap().replayed, 0);
    assert_eq!(inbox.purge(at(-1), at(200)).await.unwrap(), (0, 2));
    counts_are_true(&inbox).await;
}

/// Nor does it make a key known that nobody else has.
#[tokio::test]
async fn a_key_whose_first_was_purged_is_new_for_what_was_kept_apart() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    kept_apart(&inbox).await;
    assert_eq!(inbox.purge(at(-1), at(100)).await.unwrap(), (1, 1));
    let Accepted::Stored(new) = accepted(&inbox, says("b", 300), 101).await else { panic!("it is new") };
    assert_eq!(accepted(&inbox, says("b", 300), 102).await, Accepted::Duplicate(new));
    assert!(matches!(accepted(&inbox, says("a", 300), 102).await, Accepted::Quarantined(_)));
    counts_are_true(&inbox).await;
}
