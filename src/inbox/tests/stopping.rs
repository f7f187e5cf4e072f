//! A stop loses nothing.

use super::super::StoredState;
use super::*;

/// One event in hand for 20 seconds, and one behind it.
async fn at_work(log: &Log) -> (Fake, Running) {
    let store = Fake::default();
    accept_all(&store, 1..=2).await;
    let seen = log.clone();
    let running = worker(&store, log, move |handed: Handed| {
        seen.call(&handed);
        async { seconds(20).await }
    })
    .concurrency(1)
    .start();
    seconds(5).await;
    (store, running)
}

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_finishes_and_nothing_new_is_begun() {
    let log = Log::new();
    let (store, running) = at_work(&log).await;
    running.stop().await;
    assert_eq!(log.began.elapsed().as_secs(), 20);
    assert_eq!((store.row(1).0, store.row(2)), (StoredState::Done, (StoredState::Ready, 0, None)));
    seconds(100).await;
    assert_eq!(log.ids(), [1]);
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_back_and_its_attempt_is_not_counted() {
    for (patience, ending, row) in
        [(3, Ending::Released, (StoredState::Ready, 0, None)), (30, Ending::Done, (StoredState::Done, 1, None))]
    {
        let log = Log::new();
        let (store, running) = at_work(&log).await;
        running.stop_within(Duration::from_secs(patience)).await;
        assert_eq!((log.endings(), store.row(1)), (vec![(1, ending)], row));
        seconds(100).await;
        assert_eq!(log.ids(), [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_it_begins_nothing_new_and_kept_it_goes_on() {
    for is_dropped in [true, false] {
        let log = Log::new();
        let (store, running) = at_work(&log).await;
        let kept = (!is_dropped).then_some(running);
        seconds(100).await;
        assert_eq!(store.row(1).0, StoredState::Done);
        assert_eq!(log.ids(), if is_dropped { vec![1] } else { vec![1, 2] });
        drop(kept);
    }
}

/// What could not be given back comes back by itself.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_holds_up_no_stop() {
    for patience in [0, 3] {
        let log = Log::new();
        let (store, running) = at_work(&log).await;
        store.away(true);
        running.stop_within(Duration::from_secs(patience)).await;
        assert_eq!(log.began.elapsed().as_secs(), 5 + patience + 1);
        assert_eq!((log.endings(), store.row(1).0), (vec![], StoredState::Running));
        // As long as the process lives, it is tried again.
        store.away(false);
        seconds(2).await;
        assert_eq!((log.endings(), store.row(1)), (vec![(1, Ending::Released)], (StoredState::Ready, 0, None)));
    }
}
