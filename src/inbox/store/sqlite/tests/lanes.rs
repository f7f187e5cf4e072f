use super::*;
use crate::inbox::Filter;

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
    let _ = inbox.bury(&held, "poison", at(3)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), inbox.woken()).await.unwrap();
    assert_eq!(lease_one(&inbox, 1, 3).await.id, second);
}

#[tokio::test]
async fn a_replayed_event_waits_for_the_one_that_is_held_and_goes_before_later_ones() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    let first = accept(&inbox, in_lane(1, "a"), 0).await;
    let held = lease_one(&inbox, 1, 0).await;
    let _ = inbox.bury(&held, "down", at(1)).await.unwrap();
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
