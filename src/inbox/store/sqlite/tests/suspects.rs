//! Which of those that were in hand ended the process nobody knows: they go on one by one.

use super::*;
use crate::inbox::{Filter, StoredState};

/// Ten that were leased together, and a process that died.
async fn ten_in_hand(folder: &Folder) -> SqliteInbox {
    let inbox = opened(folder).await;
    for key in 0..10 {
        accept(&inbox, event(key, "a"), 0).await;
    }
    assert_eq!(lease(&inbox, 1, 16, 1).await.len(), 10);
    drop(inbox);
    opened(folder).await
}

/// The first kills its process whenever it is handled, and is a dead letter behind its third attempt.
#[tokio::test]
async fn what_kills_its_process_takes_its_own_attempts_and_no_others() {
    let folder = Folder::new();
    let mut inbox = ten_in_hand(&folder).await;
    let (mut deaths, mut second) = (1, 10);
    while let [ref held, ..] = lease(&inbox, 2, 16, second).await[..] {
        second += 1;
        match held.event.readable_key.as_str() {
            "key-0" if held.attempt <= 3 => {
                drop(inbox);
                deaths += 1;
                inbox = opened(&folder).await;
            }
            _ if held.attempt > 3 => drop(inbox.bury(held, "used up", LanePolicy::SkipAndFlag, at(second)).await),
            _ => drop(inbox.complete(held, at(second)).await),
        }
        assert!(second < 100, "it does not end");
    }
    let stats = inbox.stats(at(second)).await.unwrap();
    assert_eq!((stats.dead, stats.done, deaths), (1, 9, 3), "{stats:?}");
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn suspects_are_leased_one_at_a_time_and_others_beside_them() {
    let folder = Folder::new();
    let inbox = ten_in_hand(&folder).await;
    let new = accept(&inbox, event(20, "a"), 2).await;
    let held = lease(&inbox, 2, 16, 3).await;
    assert_eq!(held.iter().map(|held| held.outcome_unknown).collect::<Vec<_>>(), [true, false]);
    assert_eq!(held[1].id, new);
    // Nor by another process.
    let visitor = SqliteInbox::visit(folder.file()).await.unwrap();
    assert!(lease(&visitor, 3, 16, 4).await.is_empty());
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(33)), "until the suspect's lease ends none is due");
    assert_eq!(inbox.stats(at(40)).await.unwrap().oldest_age, 40.0, "the others wait all the same");
    let _ = inbox.complete(&held[0], at(5)).await.unwrap();
    assert_eq!(inbox.next_due().await.unwrap(), Some(at(0)));
    let next = lease_one(&visitor, 3, 6).await;
    assert!(next.outcome_unknown && next.id != held[0].id);
    counts_are_true(&inbox).await;
}

/// A place for one: who waits takes no place of others, and is not left behind by them.
#[tokio::test]
async fn a_suspect_that_waits_hides_nobody_and_is_hidden_by_nobody() {
    let folder = Folder::new();
    let inbox = ten_in_hand(&folder).await;
    let new: Vec<_> = [accept(&inbox, event(20, "a"), 2).await, accept(&inbox, event(21, "a"), 2).await].into();
    let suspect = lease_one_of(&inbox, 2, 3).await;
    assert!(suspect.outcome_unknown);
    let mut others = Vec::new();
    for token in [3, 4] {
        others.push(lease_one_of(&inbox, token, 3).await.id);
    }
    assert_eq!(others, new);
    assert!(lease(&inbox, 5, 1, 3).await.is_empty());
}

async fn lease_one_of(inbox: &SqliteInbox, token: u8, second: i64) -> Leased {
    lease(inbox, token, 1, second).await.remove(0)
}

#[tokio::test]
async fn leases_that_ran_out_make_suspects_too_and_hide_nobody() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    for key in 0..4 {
        accept(&inbox, event(key, "a"), 0).await;
    }
    assert_eq!(lease(&inbox, 1, 16, 1).await.len(), 4);
    let new = [accept(&inbox, event(20, "a"), 40).await, accept(&inbox, event(21, "a"), 40).await];
    let held = lease(&inbox, 2, 3, 41).await;
    assert_eq!(ids(&held), [EventId(1), new[0], new[1]]);
    assert!(held[0].outcome_unknown && held[0].attempt == 2);
    counts_are_true(&inbox).await;
    // The suspect's own runs out as well: it is one of those that wait again.
    let again = lease_one(&inbox, 3, 71).await;
    assert!(again.outcome_unknown);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn whoever_ends_a_suspects_lease_takes_the_suspicion_away() {
    let folder = Folder::new();
    let inbox = ten_in_hand(&folder).await;
    for (token, second) in [(2, 3), (3, 4), (4, 5)] {
        let held = lease_one(&inbox, token, second).await;
        match token {
            2 => drop(inbox.retry(&held, at(50), "down", at(second)).await),
            3 => drop(inbox.park(&held, "nobody knows it", at(second)).await),
            _ => drop(inbox.bury(&held, "no", LanePolicy::SkipAndFlag, at(second)).await),
        }
    }
    for state in [StoredState::Parked, StoredState::Dead] {
        let filter = Filter { state: Some(state), ..Filter::default() };
        assert_eq!(inbox.replay(&filter, 9, false, "ann", at(6)).await.unwrap().replayed, 1);
    }
    let held = lease(&inbox, 5, 16, 50).await;
    assert_eq!(held.iter().filter(|held| held.outcome_unknown).count(), 1);
    assert_eq!(held.len(), 4);
}

#[tokio::test]
async fn an_erased_suspect_keeps_no_other_waiting() {
    let folder = Folder::new();
    let inbox = ten_in_hand(&folder).await;
    let held = lease_one(&inbox, 2, 3).await;
    assert!(lease(&inbox, 3, 16, 3).await.is_empty());
    assert_eq!(inbox.erase(&held.event.readable_key, at(4)).await.unwrap(), 1);
    assert!(lease_one(&inbox, 3, 5).await.outcome_unknown);
    let waiting = Filter { state: Some(StoredState::Ready), ..Filter::default() };
    assert_eq!(inbox.list(&waiting, 20).await.unwrap().len(), 8);
    counts_are_true(&inbox).await;
}
