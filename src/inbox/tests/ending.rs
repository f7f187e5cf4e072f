//! The end of a lease, and a store that is away.

use super::super::StoredState;
use super::*;

#[tokio::test(start_paused = true)]
async fn an_end_is_said_again_until_the_store_hears_it_or_the_lease_is_over() {
    for (away_for, first, calls) in [(0, Ending::Done, 1), (10, Ending::Done, 1), (40, Ending::Unknown, 2)] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        let (seen, gone) = (log.clone(), store.clone());
        let running = worker(&store, &log, move |handed: Handed| {
            seen.call(&handed);
            gone.away(handed.attempt == 1 && away_for > 0);
            async {}
        })
        .start();
        seconds(away_for).await;
        store.away(false);
        seconds(60).await;
        assert_eq!((log.endings()[0].clone().1, log.calls().len()), (first, calls), "{away_for}");
        assert_eq!(store.row(1).0, StoredState::Done);
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_outlives_a_store_that_is_away() {
    let (store, log) = (Fake::default(), Log::new());
    accept_all(&store, [1]).await;
    store.away(true);
    let seen = log.clone();
    let running = worker(&store, &log, move |handed: Handed| {
        seen.call(&handed);
        async {}
    })
    .start();
    seconds(1000).await;
    assert!(log.calls().is_empty());
    assert!((900..1100).contains(&store.leases()), "it rests between two tries: {}", store.leases());
    store.away(false);
    seconds(2).await;
    assert_eq!(log.ids(), [1]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reason_is_short_and_whole_letters() {
    for (letters, kept) in [(100, 200), (300, 512), (256, 512)] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        let reason = "ä".repeat(letters);
        let running = worker(&store, &log, move |_: Handed| {
            let reason = reason.clone();
            async move { Err::<(), _>(reason) }
        })
        .start();
        sleep(Duration::from_millis(100)).await;
        assert_eq!(store.row(1).2.unwrap().len(), kept);
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_who_is_told_costs_nobody_a_place() {
    let (store, log) = (Fake::default(), Log::new());
    accept_all(&store, 1..=4).await;
    let seen = log.clone();
    let running = worker(&store, &log, move |handed: Handed| {
        seen.call(&handed);
        async {}
    })
    .concurrency(1)
    .on_ended(|_, _| panic!("on purpose"))
    .start();
    // The next one comes at once, and not when it is looked again.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(log.ids(), [1, 2, 3, 4]);
    running.stop().await;
}
