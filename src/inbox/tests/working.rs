//! What is leased, when, and how many at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Accepted, EventId, StoredState, Verdict};
use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_handled_once_and_a_repeat_is_no_event() {
    let (store, log) = (Fake::default(), Log::new());
    accept_all(&store, 1..=3).await;
    let seen = log.clone();
    let running = worker(&store, &log, move |handed: Handed| {
        seen.call(&handed);
        async {}
    })
    .start();
    seconds(1).await;
    assert_eq!(accept(&store, [event(2)]).await, [Accepted::Duplicate(EventId(2))]);
    let mut other = event(2);
    other.fingerprint = Fingerprint::from_bytes([1; 16]);
    assert_eq!(accept(&store, [other]).await, [Accepted::Quarantined(EventId(4))]);
    seconds(3600).await;
    let mut ids = log.ids();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(store.row(1), (StoredState::Done, 1, None));
    assert_eq!(store.row(4).0, StoredState::Quarantined);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn so_many_are_handled_at_a_time_and_one_that_hangs_blocks_no_other() {
    for places in [1, 3] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, 1..=9).await;
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let high = Arc::clone(&most);
        let running = worker(&store, &log, move |handed: Handed| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&high));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                seconds(if handed.id.0 == 2 { 100 } else { 1 }).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .concurrency(u32::try_from(places).unwrap())
        .start();
        seconds(20).await;
        assert_eq!(most.load(Ordering::SeqCst), places);
        // With one place there is none beside it.
        let done = log.endings().len();
        assert_eq!(done, if places == 1 { 1 } else { 8 }, "{places}");
        running.stop_within(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_goes_in_its_order_and_others_do_not_wait_for_it() {
    for has_lanes in [true, false] {
        let (store, log) = (Fake::default(), Log::new());
        let lanes = [(1, "a"), (2, "a"), (3, "b")].map(|(number, lane)| {
            let mut event = event(number);
            event.lane = has_lanes.then(|| lane.to_owned());
            event
        });
        accept(&store, lanes).await;
        let seen = log.clone();
        let running = worker(&store, &log, move |handed: Handed| {
            seen.call(&handed);
            let is_first = handed.id.0 == 1 && handed.attempt == 1;
            async move {
                seconds(10).await;
                if is_first { Verdict::retry_in(Duration::from_secs(20), "later") } else { Verdict::Done }
            }
        })
        .start();
        seconds(60).await;
        let order = if has_lanes { [1, 3, 1, 2] } else { [1, 2, 3, 1] };
        assert_eq!(log.ids(), order);
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_woken_by_the_store_or_finds_out_within_a_second() {
    for (is_mute, waits) in [(false, 0..=0), (true, 1..=1000)] {
        let (store, log) = (Fake::default(), Log::new());
        if is_mute {
            store.mute();
        }
        let seen = log.clone();
        let running = worker(&store, &log, move |handed: Handed| {
            seen.call(&handed);
            async {}
        })
        .start();
        sleep(Duration::from_millis(10_300)).await;
        accept_all(&store, [1]).await;
        seconds(5).await;
        let waited = log.calls()[0].at - Duration::from_millis(10_300);
        assert!(waits.contains(&waited.as_millis()), "{waited:?}");
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_due_it_asks_once_a_second() {
    let (store, log) = (Fake::default(), Log::new());
    let running = worker(&store, &log, |_: Handed| async {}).start();
    seconds(100).await;
    assert!((95..=105).contains(&store.leases()), "{}", store.leases());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_clock_or_random_bytes_nothing_is_leased() {
    for case in ["clock", "entropy", "neither"] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        let worker = worker(&store, &log, |_: Handed| async {});
        let running = match case {
            "clock" => worker.clock(|| None).start(),
            "entropy" => worker.entropy(|_: &mut [u8]| Err(NoEntropy)).start(),
            _ => worker.start(),
        };
        seconds(5).await;
        assert_eq!(store.leases() == 0, case != "neither", "{case}");
        running.stop().await;
    }
}
