//! Whose the events are, of those that are looked at.

use super::*;
use crate::inbox::ReceiverStats;

fn of(receiver: &str, key: u8) -> NewEvent {
    NewEvent { receiver: receiver.to_owned(), ..event(key, "x") }
}

fn stats(receiver: &str, ready: u64, oldest_age: f64, dead: u64) -> ReceiverStats {
    ReceiverStats { receiver: receiver.to_owned(), ready, oldest_age, dead }
}

#[tokio::test]
async fn what_waits_and_what_is_dead_is_told_by_receiver_and_no_more_is_looked_at_than_asked_for() {
    let folder = Folder::new();
    let inbox = opened(&folder).await;
    assert_eq!(inbox.stats_by_receiver(10, at(0)).await.unwrap(), []);
    for key in 0..2 {
        accept(&inbox, of("a", key), 0).await;
    }
    for held in lease(&inbox, 1, 2, 0).await {
        let _ = inbox.bury(&held, "why", LanePolicy::SkipAndFlag, at(0)).await.unwrap();
    }
    accept(&inbox, of("a", 10), 5).await;
    let suspect = lease_one(&inbox, 1, 5).await;
    for (key, second) in [(11, 10), (12, 20)] {
        accept(&inbox, of("b", key), second).await;
    }
    // Held, it waits no longer.
    let held = inbox.stats_by_receiver(10, at(30)).await.unwrap();
    assert_eq!(held, [stats("a", 0, 0.0, 2), stats("b", 2, 20.0, 0)]);
    assert_eq!(inbox.stats_by_receiver(1, at(30)).await.unwrap(), [stats("a", 0, 0.0, 1), stats("b", 1, 20.0, 0)]);
    drop((suspect, inbox));
    let inbox = opened(&folder).await;
    let all = inbox.stats_by_receiver(10, at(30)).await.unwrap();
    assert_eq!(all, [stats("a", 1, 25.0, 2), stats("b", 2, 20.0, 0)], "whose process has died waits");
    let whole = inbox.stats(at(30)).await.unwrap();
    let sums = (all.iter().map(|one| one.ready).sum(), all.iter().map(|one| one.dead).sum());
    assert_eq!((whole.ready, whole.dead, whole.oldest_age), (sums.0, sums.1, 25.0));
    assert_eq!(inbox.stats_by_receiver(10, at(-5)).await.unwrap()[0].oldest_age, 0.0, "nothing is younger than new");
}
