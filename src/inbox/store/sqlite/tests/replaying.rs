use super::*;
use crate::inbox::store::sqlite::replay;
use crate::inbox::store::sqlite::row::Micros;
use crate::inbox::{Filter, Replayed, StoredState};

/// Dead: 1, 2. Done: 3. Ready: 4. Kept apart: 5.
async fn filled(folder: &Folder) -> SqliteInbox {
    let inbox = opened(folder).await;
    for (key, reason) in [(1, "down: a"), (2, "down: b")] {
        accept(&inbox, event(key, "a"), i64::from(key)).await;
        let held = lease_one(&inbox, 1, 10).await;
        let _ = inbox.bury(&held, reason, LanePolicy::SkipAndFlag, at(10)).await.unwrap();
    }
    accept(&inbox, NewEvent { event: "payment.failed".to_owned(), ..event(3, "a") }, 3).await;
    let held = lease_one(&inbox, 1, 10).await;
    let _ = inbox.complete(&held, at(10)).await.unwrap();
    accept(&inbox, event(4, "a"), 4).await;
    inbox.accept(vec![event(4, "b")], at(5)).await.unwrap();
    inbox
}

fn filters() -> Vec<(Filter, &'static [i64])> {
    let all = Filter::default;
    vec![
        (all(), &[1, 2, 3, 4, 5]),
        (Filter { id: Some(EventId(2)), ..all() }, &[2]),
        (Filter { id: Some(EventId(9)), ..all() }, &[]),
        (Filter { key: Some("key-4".to_owned()), ..all() }, &[4, 5]),
        (Filter { state: Some(StoredState::Ready), ..all() }, &[4]),
        (Filter { state: Some(StoredState::Running), ..all() }, &[]),
        (Filter { state: Some(StoredState::Done), ..all() }, &[3]),
        (Filter { state: Some(StoredState::Dead), ..all() }, &[1, 2]),
        (Filter { state: Some(StoredState::Parked), ..all() }, &[]),
        (Filter { state: Some(StoredState::Quarantined), ..all() }, &[5]),
        (Filter { event: Some("payment.failed".to_owned()), ..all() }, &[3]),
        (Filter { reason: Some("down".to_owned()), ..all() }, &[1, 2]),
        (Filter { reason: Some("down: b".to_owned()), ..all() }, &[2]),
        (Filter { reason: Some("own".to_owned()), ..all() }, &[]),
        (Filter { reason: Some("d%".to_owned()), ..all() }, &[]),
        (Filter { since: Some(at(3)), ..all() }, &[3, 4, 5]),
        (Filter { after: Some(EventId(2)), ..all() }, &[3, 4, 5]),
        (Filter { after: Some(EventId(5)), ..all() }, &[]),
        (Filter { after: Some(EventId(4)), key: Some("key-4".to_owned()), ..all() }, &[5]),
        (Filter { since: Some(at(2)), state: Some(StoredState::Dead), ..all() }, &[2]),
    ]
}

#[tokio::test]
async fn every_part_of_a_filter_is_kept_to() {
    let folder = Folder::new();
    let inbox = filled(&folder).await;
    for (filter, expected) in filters() {
        let found: Vec<_> = inbox.list(&filter, 10).await.unwrap().iter().map(|stored| stored.id.0).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    assert_eq!(inbox.list(&Filter::default(), 2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_has_ended_is_replayed_and_nothing_else() {
    for (filter, expected) in filters() {
        let folder = Folder::new();
        let inbox = filled(&folder).await;
        let count = expected.iter().filter(|id| **id <= 3).count() as u64;
        let dry = inbox.replay(&filter, 10, true, "ann", at(20)).await.unwrap();
        assert_eq!(dry, Replayed { matches: count, replayed: 0 }, "{filter:?}");
        assert_eq!(inbox.stats(at(20)).await.unwrap().ready, 1);
        let real = inbox.replay(&filter, 10, false, "ann", at(20)).await.unwrap();
        assert_eq!(real, Replayed { matches: count, replayed: count }, "{filter:?}");
        assert_eq!(lease(&inbox, 1, 10, 20).await.len() as u64, count + 1);
        counts_are_true(&inbox).await;
    }
}

#[tokio::test]
async fn a_replay_has_a_cap_a_higher_fence_and_the_name_of_who_asked() {
    let folder = Folder::new();
    let inbox = filled(&folder).await;
    let before = inbox.show(EventId(1)).await.unwrap().unwrap().stored.fence;
    let filter = Filter { state: Some(StoredState::Dead), ..Filter::default() };
    let replayed = inbox.replay(&filter, 1, false, "ann", at(20)).await.unwrap();
    assert_eq!(replayed, Replayed { matches: 2, replayed: 1 });
    let held = lease(&inbox, 1, 10, 20).await.into_iter().find(|held| held.id == EventId(1)).unwrap();
    assert!(held.fence > before);
    assert_eq!((held.attempt, held.event.readable_key.as_str()), (1, "key-1"));
    let shown = inbox.show(EventId(1)).await.unwrap().unwrap();
    assert_eq!(shown.stored.replayed_by.as_deref(), Some("ann"));
    assert!(
        shown
            .steps
            .iter()
            .any(|(when, what, who)| { (*when, what.as_str(), who.as_deref()) == (at(20), "replayed", Some("ann")) })
    );
}

/// Of many that were found the last are replayed some time later.
#[tokio::test]
async fn what_was_handled_since_it_was_found_is_not_due_again() {
    let folder = Folder::new();
    let inbox = filled(&folder).await;
    let dead = Filter { state: Some(StoredState::Dead), ..Filter::default() };
    let (matches, found) = replay::fitting(&inbox.0, &dead, 10).await.unwrap();
    assert_eq!((matches, found.len()), (2, 2));
    // Somebody else has replayed the first, and it is done by now.
    let first = Filter { id: Some(EventId(1)), ..Filter::default() };
    assert_eq!(inbox.replay(&first, 1, false, "ann", at(20)).await.unwrap().replayed, 1);
    for held in lease(&inbox, 1, 10, 20).await {
        let _ = inbox.complete(&held, at(20)).await.unwrap();
    }
    let late = inbox.0.write(0, move |write| replay::again(write, &found, "bob", Micros::of(at(21)))).await.unwrap();
    assert_eq!(late, 1);
    assert_eq!(ids(&lease(&inbox, 2, 10, 21).await), [EventId(2)]);
    counts_are_true(&inbox).await;
}

/// What happened, and at which second.
async fn history(inbox: &SqliteInbox, id: EventId) -> Vec<(i64, String)> {
    let steps = inbox.show(id).await.unwrap().unwrap().steps;
    steps.into_iter().map(|(when, what, _)| (when.as_second() - at(0).as_second(), what)).collect()
}

fn told(steps: &[(i64, &str)]) -> Vec<(i64, String)> {
    steps.iter().map(|(when, what)| (*when, (*what).to_owned())).collect()
}

#[tokio::test]
async fn a_history_has_each_end_in_its_place_whatever_came_after_it() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let _ = inbox.complete(&lease_one(&inbox, 1, 1).await, at(10)).await.unwrap();
    assert_eq!(history(&inbox, id).await, told(&[(0, "accepted"), (10, "done")]));
    assert_eq!(inbox.replay(&Filter::default(), 9, false, "ann", at(20)).await.unwrap().replayed, 1);
    let replayed = [(0, "accepted"), (10, "done"), (20, "replayed")];
    assert_eq!(history(&inbox, id).await, told(&replayed));
    let _ = inbox.retry(&lease_one(&inbox, 1, 30).await, at(31), "down", at(30)).await.unwrap();
    let _ = inbox.complete(&lease_one(&inbox, 1, 40).await, at(40)).await.unwrap();
    assert_eq!(inbox.erase("key-1", at(50)).await.unwrap(), 1);
    let after = [(30, "attempt 1 failed"), (40, "done"), (50, "erased")];
    assert_eq!(history(&inbox, id).await, told(&[&replayed[..], &after].concat()));
}

#[tokio::test]
async fn what_was_erased_before_it_was_handled_is_never_said_to_be_done() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let waits = accept(&inbox, event(1, "a"), 0).await;
    assert_eq!(inbox.erase("key-1", at(5)).await.unwrap(), 1);
    assert_eq!(history(&inbox, waits).await, told(&[(0, "accepted"), (5, "erased")]));
    let dead = accept(&inbox, event(2, "a"), 6).await;
    let held = lease_one(&inbox, 1, 7).await;
    let _ = inbox.bury(&held, "down", LanePolicy::SkipAndFlag, at(8)).await.unwrap();
    assert_eq!(inbox.erase("key-2", at(9)).await.unwrap(), 1);
    let steps = [(6, "accepted"), (8, "dead after attempt 1"), (9, "erased")];
    assert_eq!(history(&inbox, dead).await, told(&steps));
}
