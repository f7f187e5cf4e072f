use super::*;
use crate::inbox::{Ended, StoredState};

async fn state(inbox: &SqliteInbox, id: EventId) -> StoredState {
    inbox.show(id).await.unwrap().unwrap().stored.state
}

#[tokio::test]
async fn an_event_is_held_by_one_and_its_attempt_is_counted_first() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 1).await;
    assert_eq!((held.id, held.attempt, held.until), (id, 1, at(31)));
    assert!(lease(&inbox, 2, 10, 2).await.is_empty());
    assert_eq!(inbox.show(id).await.unwrap().unwrap().stored.attempts, 1);
    assert_eq!(inbox.complete(&held, at(3)).await.unwrap(), Ended::Done);
    assert_eq!(inbox.complete(&held, at(3)).await.unwrap(), Ended::Lost);
    assert_eq!(inbox.next_due().await.unwrap(), None);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_late_holder_changes_nothing() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let late = lease_one(&inbox, 1, 0).await;
    let now = lease_one(&inbox, 2, 30).await;
    assert!(now.fence > late.fence && now.attempt == 2);
    for ended in [
        inbox.complete(&late, at(31)).await,
        inbox.retry(&late, at(31), "late", at(31)).await,
        inbox.bury(&late, "late", LanePolicy::SkipAndFlag, at(31)).await,
        inbox.release(&late, at(31)).await,
        inbox.extend(&late, LEASE, at(31)).await,
    ] {
        assert_eq!(ended.unwrap(), Ended::Lost);
    }
    assert_eq!(state(&inbox, id).await, StoredState::Running);
    assert_eq!(inbox.complete(&now, at(32)).await.unwrap(), Ended::Done);
    counts_are_true(&inbox).await;
}

/// The same token again: the fence alone tells the leases apart. And the same fence under another token.
#[tokio::test]
async fn token_and_fence_must_both_be_the_current_ones() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    let first = lease_one(&inbox, 1, 0).await;
    let _ = inbox.release(&first, at(1)).await.unwrap();
    let second = lease_one(&inbox, 1, 2).await;
    assert_eq!(first.token, second.token);
    assert_eq!(inbox.complete(&first, at(3)).await.unwrap(), Ended::Lost);
    let mut stranger = second.clone();
    stranger.token = LeaseToken([9; 16]);
    assert_eq!(inbox.complete(&stranger, at(3)).await.unwrap(), Ended::Lost);
    assert_eq!(inbox.complete(&second, at(3)).await.unwrap(), Ended::Done);
}

#[tokio::test]
async fn a_lease_that_is_extended_is_not_due_and_one_that_is_not_is() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    assert_eq!(inbox.extend(&held, LEASE, at(20)).await.unwrap(), Ended::Done);
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(50)));
    assert!(lease(&inbox, 2, 10, 49).await.is_empty());
    assert_eq!(lease(&inbox, 2, 10, 50).await.len(), 1);
}

#[tokio::test]
async fn a_retry_is_due_at_its_time_and_a_release_at_once_and_uncounted() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    assert_eq!(inbox.retry(&held, at(100), "timeout", at(1)).await.unwrap(), Ended::Done);
    assert!(lease(&inbox, 1, 10, 99).await.is_empty());
    let held = lease_one(&inbox, 1, 100).await;
    assert_eq!(held.attempt, 2);
    assert_eq!(inbox.release(&held, at(101)).await.unwrap(), Ended::Done);
    assert_eq!(lease_one(&inbox, 1, 101).await.attempt, 2);
    let shown = inbox.show(id).await.unwrap().unwrap();
    assert_eq!(shown.stored.reason.as_deref(), Some("timeout"));
    let what: Vec<_> = shown.steps.iter().map(|(_, what, why)| (what.as_str(), why.as_deref())).collect();
    assert_eq!(what, [("accepted", None), ("attempt 1 failed", Some("timeout")), ("given back", None)]);
}

#[tokio::test]
async fn a_dead_letter_is_due_no_more_and_says_why() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let id = accept(&inbox, event(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    assert_eq!(inbox.bury(&held, "no such account", LanePolicy::SkipAndFlag, at(1)).await.unwrap(), Ended::Done);
    assert!(lease(&inbox, 1, 10, 1_000).await.is_empty());
    let shown = inbox.show(id).await.unwrap().unwrap();
    assert_eq!((shown.stored.state, shown.stored.reason.as_deref()), (StoredState::Dead, Some("no such account")));
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn the_longest_due_comes_first_and_no_more_than_asked_for() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let late = accept(&inbox, event(1, "a"), 20).await;
    let early = accept(&inbox, event(2, "b"), 10).await;
    let middle = accept(&inbox, event(3, "c"), 15).await;
    assert_eq!(inbox.stats(at(25)).await.unwrap().oldest_age, 15.0);
    assert_eq!(ids(&lease(&inbox, 1, 2, 30).await), [early, middle]);
    assert_eq!(ids(&lease(&inbox, 1, 2, 30).await), [late]);
}

#[tokio::test]
async fn an_event_whose_body_is_gone_is_dead_and_blocks_nobody() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let gone = accept(&inbox, in_lane(1, "l"), 0).await;
    let next = accept(&inbox, in_lane(2, "l"), 0).await;
    inbox
        .0
        .write(0, move |write| Ok(write.connection.execute("DELETE FROM webhook_bodies WHERE id = ?1", [gone.0])?))
        .await
        .unwrap();
    assert!(lease(&inbox, 1, 10, 1).await.is_empty());
    assert_eq!(state(&inbox, gone).await, StoredState::Dead);
    assert_eq!(lease_one(&inbox, 1, 1).await.id, next);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_lease_that_nobody_ended_is_told_to_the_next_and_one_that_was_ended_is_not() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, event(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    assert!(!held.outcome_unknown);
    let _ = inbox.retry(&held, at(1), "later", at(1)).await.unwrap();
    assert!(!lease_one(&inbox, 1, 1).await.outcome_unknown);
    let held = lease_one(&inbox, 2, 100).await;
    assert!(held.outcome_unknown, "it ran out");
    let _ = inbox.release(&held, at(101)).await.unwrap();
    let held = lease_one(&inbox, 1, 101).await;
    assert!(!held.outcome_unknown);
    // Its process dies.
    drop(inbox);
    let inbox = opened(&folder).await;
    assert_eq!(inbox.complete(&held, at(102)).await.unwrap(), Ended::Lost);
    let held = lease_one(&inbox, 3, 102).await;
    assert!(held.outcome_unknown);
    let _ = inbox.park(&held, "outcome unknown", at(103)).await.unwrap();
    let filter = crate::inbox::Filter::default();
    assert_eq!(inbox.replay(&filter, 1, false, "me", at(104)).await.unwrap().replayed, 1);
    assert!(!lease_one(&inbox, 4, 105).await.outcome_unknown);
}

#[tokio::test]
async fn what_is_of_a_receiver_that_is_passed_over_waits_and_the_rest_does_not() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let of = |receiver: &str, key: u8| NewEvent { receiver: receiver.to_owned(), ..event(key, "x") };
    for (receiver, key) in [("a", 1), ("a, \"b", 2), ("b", 3), ("b", 4)] {
        accept(&inbox, NewEvent { lane: None, ..of(receiver, key) }, 0).await;
    }
    let but_of = |receivers: &[&str], token, most, second| {
        let (inbox, receivers) = (inbox.clone(), receivers.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        async move {
            let token = LeaseToken([token; 16]);
            let held = inbox.lease_but_of(&receivers, token, most, LEASE, at(second)).await.unwrap();
            held.iter().map(|held| (held.event.receiver.clone(), held.outcome_unknown)).collect::<Vec<_>>()
        }
    };
    let known = |receiver: &str| (receiver.to_owned(), false);
    assert_eq!(but_of(&["a", "a, \"b"], 1, 1, 1).await, [known("b")], "no more than are asked for");
    assert_eq!(but_of(&["a", "b"], 2, 9, 1).await, [known("a, \"b")], "names are whole names");
    assert_eq!(but_of(&["a"], 3, 9, 1).await, [known("b")]);
    assert_eq!(but_of(&["a"], 4, 9, 1).await, []);
    assert_eq!(but_of(&["c"], 5, 9, 1).await, [known("a")]);
    // Leases that ran out are suspects here too, and go one at a time.
    assert_eq!(but_of(&["a"], 6, 9, 40).await.iter().filter(|(_, unknown)| *unknown).count(), 1);
    counts_are_true(&inbox).await;
}
