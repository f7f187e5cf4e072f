use super::*;
use crate::inbox::{Ended, Filter, StoredState};

#[tokio::test]
async fn of_a_lane_one_is_held_at_a_time_in_order_and_other_lanes_go_on() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let first = accept(&inbox, in_lane(1, "a"), 0).await;
    let second = accept(&inbox, in_lane(2, "a"), 1).await;
    let other = accept(&inbox, in_lane(3, "b"), 2).await;
    let free = accept(&inbox, event(4, "x"), 3).await;
    let held = lease(&inbox, 1, 10, 4).await;
    assert_eq!(ids(&held), [first, other, free]);
    assert_eq!(inbox.show(second).await.unwrap().unwrap().waits_for, Some(first));
    assert_eq!(inbox.show(free).await.unwrap().unwrap().waits_for, None);

    // A retry keeps its turn.
    let _ = inbox.retry(&held[0], at(50), "not yet", at(5)).await.unwrap();
    assert!(lease(&inbox, 1, 10, 20).await.is_empty());
    let again = lease(&inbox, 2, 1, 50).await.remove(0);
    assert_eq!(again.id, other, "its lease ran out at 34");
    let again = lease(&inbox, 2, 10, 50).await;
    let head = again.iter().find(|held| held.id == first).unwrap();
    let _ = inbox.complete(head, at(51)).await.unwrap();
    assert_eq!(ids(&lease(&inbox, 3, 10, 51).await), [second]);
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_dead_letter_gives_its_turn_to_the_next() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, in_lane(1, "a"), 0).await;
    let second = accept(&inbox, in_lane(2, "a"), 1).await;
    let held = lease_one(&inbox, 1, 2).await;
    inbox.woken().await;
    while tokio::time::timeout(Duration::from_millis(20), inbox.woken()).await.is_ok() {}
    let _ = inbox.bury(&held, "poison", LanePolicy::SkipAndFlag, at(3)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), inbox.woken()).await.unwrap();
    let next = lease_one(&inbox, 1, 3).await;
    assert!(next.id == second && next.follows_dead && !held.follows_dead);
}

#[tokio::test]
async fn a_replayed_event_waits_for_the_one_that_is_held_and_goes_before_later_ones() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let first = accept(&inbox, in_lane(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&held, "down", LanePolicy::SkipAndFlag, at(1)).await.unwrap();
    accept(&inbox, in_lane(2, "a"), 2).await;
    let second = lease_one(&inbox, 1, 2).await;
    accept(&inbox, in_lane(3, "a"), 2).await;
    let filter = Filter { id: Some(first), ..Filter::default() };
    assert_eq!(inbox.replay(&filter, 10, false, "ann", at(3)).await.unwrap().replayed, 1);
    assert!(lease(&inbox, 2, 10, 4).await.is_empty());
    assert_eq!(inbox.show(first).await.unwrap().unwrap().waits_for, Some(second.id));
    let _ = inbox.complete(&second, at(5)).await.unwrap();
    assert_eq!(lease_one(&inbox, 2, 5).await.id, first);
}

#[tokio::test]
async fn a_dead_letter_that_blocks_its_lane_holds_it_until_it_is_replayed_and_done() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let first = accept(&inbox, in_lane(1, "a"), 0).await;
    let second = accept(&inbox, in_lane(2, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&held, "poison", LanePolicy::BlockLane, at(1)).await.unwrap();
    let third = accept(&inbox, in_lane(3, "a"), 2).await;
    let other = accept(&inbox, in_lane(4, "b"), 2).await;
    assert_eq!(ids(&lease(&inbox, 2, 10, 3).await), [other]);
    for waiting in [second, third] {
        assert_eq!(inbox.show(waiting).await.unwrap().unwrap().waits_for, Some(first));
    }
    let filter = Filter { id: Some(first), ..Filter::default() };
    assert_eq!(inbox.replay(&filter, 10, false, "ann", at(4)).await.unwrap().replayed, 1);
    let again = lease_one(&inbox, 3, 4).await;
    assert_eq!(again.id, first);
    let _ = inbox.complete(&again, at(5)).await.unwrap();
    let next = lease_one(&inbox, 3, 5).await;
    assert!(next.id == second && !next.follows_dead, "{next:?}");
    counts_are_true(&inbox).await;
}

#[tokio::test]
async fn a_dead_letter_that_blocks_its_lane_frees_it_when_it_is_erased() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    accept(&inbox, in_lane(1, "a"), 0).await;
    let second = accept(&inbox, in_lane(2, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&held, "poison", LanePolicy::BlockLane, at(1)).await.unwrap();
    assert!(lease(&inbox, 2, 10, 3).await.is_empty());
    assert_eq!(inbox.erase("key-1", at(4)).await.unwrap(), 1);
    assert_eq!(lease_one(&inbox, 3, 4).await.id, second);
}

/// An earlier one is replayed, and the one that blocks after it: they do not run side by side.
#[tokio::test]
async fn what_is_replayed_behind_a_block_waits_for_it() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let first = accept(&inbox, in_lane(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&held, "skipped", LanePolicy::SkipAndFlag, at(1)).await.unwrap();
    let second = accept(&inbox, in_lane(2, "a"), 1).await;
    let held = lease_one(&inbox, 1, 1).await;
    let _ = inbox.bury(&held, "poison", LanePolicy::BlockLane, at(2)).await.unwrap();
    let replay = async |id| {
        let filter = Filter { id: Some(id), ..Filter::default() };
        assert_eq!(inbox.replay(&filter, 10, false, "ann", at(3)).await.unwrap().replayed, 1);
    };
    replay(first).await;
    assert!(lease(&inbox, 2, 10, 3).await.is_empty());
    replay(second).await;
    let held = lease_one(&inbox, 2, 4).await;
    assert_eq!(held.id, second);
    let _ = inbox.complete(&held, at(5)).await.unwrap();
    assert_eq!(lease_one(&inbox, 2, 5).await.id, first);
}

#[tokio::test]
async fn what_is_parked_waits_until_it_is_replayed_and_its_lane_goes_on() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let first = accept(&inbox, in_lane(1, "a"), 0).await;
    let second = accept(&inbox, in_lane(2, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    assert_eq!(inbox.park(&held, "nobody knows it", at(1)).await.unwrap(), Ended::Done);
    assert_eq!(inbox.park(&held, "nobody knows it", at(1)).await.unwrap(), Ended::Lost);
    let held = lease_one(&inbox, 2, 100).await;
    assert!(held.id == second && !held.follows_dead);
    let _ = inbox.complete(&held, at(101)).await.unwrap();
    let filter = Filter { state: Some(StoredState::Parked), ..Filter::default() };
    assert_eq!(inbox.list(&filter, 10).await.unwrap()[0].reason.as_deref(), Some("nobody knows it"));
    assert_eq!(inbox.replay(&filter, 10, false, "ann", at(102)).await.unwrap().replayed, 1);
    assert_eq!(lease_one(&inbox, 3, 102).await.id, first);
    counts_are_true(&inbox).await;
}

/// It had no turn to give: what rests goes on resting, and what is held stays with its holder.
#[tokio::test]
async fn what_is_erased_without_having_the_turn_gives_it_to_nobody() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    for key in 1..=4 {
        accept(&inbox, in_lane(key, "a"), 0).await;
    }
    let done = lease_one(&inbox, 1, 0).await;
    let _ = inbox.complete(&done, at(0)).await.unwrap();
    let dead = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&dead, "no", LanePolicy::SkipAndFlag, at(0)).await.unwrap();
    let third = lease_one(&inbox, 1, 0).await;
    let _ = inbox.retry(&third, at(50), "later", at(0)).await.unwrap();
    for key in ["key-1", "key-2"] {
        assert_eq!(inbox.erase(key, at(1)).await.unwrap(), 1, "{key}");
        assert!(lease(&inbox, 2, 10, 49).await.is_empty(), "{key}");
    }
    let third = lease_one(&inbox, 2, 50).await;
    let _ = inbox.bury(&third, "poison", LanePolicy::BlockLane, at(51)).await.unwrap();
    let fifth = accept(&inbox, in_lane(5, "a"), 51).await;
    assert_eq!(inbox.erase("key-4", at(52)).await.unwrap(), 1, "it waits behind the block");
    assert!(lease(&inbox, 3, 10, 53).await.is_empty());
    assert_eq!(inbox.erase("key-3", at(54)).await.unwrap(), 1);
    assert_eq!(lease_one(&inbox, 3, 54).await.id, fifth);
    counts_are_true(&inbox).await;
}
