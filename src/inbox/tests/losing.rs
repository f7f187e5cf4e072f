//! Leases that are renewed, lost, and outlived.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::super::{StoredState, Verdict};
use super::*;
use crate::observe::{About, Fact, Observer};

#[tokio::test(start_paused = true)]
async fn a_slow_handler_keeps_its_lease_and_loses_it_where_nobody_renews() {
    for renews in [true, false] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        if !renews {
            store.renews_nothing();
        }
        let seen = log.clone();
        let running = worker(&store, &log, move |handed: Handed| {
            seen.call(&handed);
            async move {
                seconds(200).await;
                assert_eq!(handed.lease_lost.is_lost(), !renews);
            }
        })
        .start();
        seconds(100).await;
        assert_eq!(log.calls().len(), if renews { 1 } else { 4 }, "it comes again when its lease ends");
        assert_eq!(store.renewals(), if renews { 9 } else { 0 }, "a third of 30 seconds");
        seconds(120).await;
        assert_eq!(log.endings()[0].1, if renews { Ending::Done } else { Ending::Lost });
        running.stop_within(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_its_lease_is_told_and_ends_nothing() {
    for is_taken in [true, false] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        let told = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&told);
        let running = worker(&store, &log, move |handed: Handed| {
            let tell = Arc::clone(&tell);
            async move {
                let lost = tokio::time::timeout(Duration::from_secs(25), handed.lease_lost.wait()).await;
                tell.store(lost.is_ok(), Ordering::SeqCst);
            }
        })
        .start();
        seconds(5).await;
        if is_taken {
            store.taken(1);
        }
        seconds(40).await;
        assert_eq!(told.load(Ordering::SeqCst), is_taken);
        let (state, ending) = match is_taken {
            true => (StoredState::Running, Ending::Lost),
            false => (StoredState::Done, Ending::Done),
        };
        assert_eq!((store.row(1).0, log.endings()), (state, vec![(1, ending)]));
        running.stop().await;
    }
}

/// Counts losses of a lease, and events that were done by then.
#[derive(Clone, Default)]
struct Losses(Arc<[AtomicU32; 2]>);

impl Losses {
    fn counted(&self) -> [u32; 2] {
        [0, 1].map(|at| self.0[at].load(Ordering::SeqCst))
    }
}

impl Observer for Losses {
    fn observe(&self, fact: &Fact<'_>, _: &About<'_>) {
        let at = match fact {
            Fact::LeaseLost { .. } => 0,
            Fact::CompletionLost => 1,
            _ => return,
        };
        self.0[at].fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_told_once_whether_it_is_found_by_a_renewal_or_at_the_end() {
    // Taken after a second, or not; handled for so long, well or not; whether renewals are answered.
    for (is_taken, time, is_good, renews, losses) in [
        (true, 5, true, true, [1, 1]),
        (true, 5, false, true, [1, 0]),
        (true, 15, true, true, [1, 1]),
        (true, 15, false, true, [1, 0]),
        (false, 35, true, false, [1, 1]),
        (false, 5, true, true, [0, 0]),
        (false, 15, false, true, [0, 0]),
    ] {
        let (store, log, told) = (Fake::default(), Log::new(), Losses::default());
        accept_all(&store, [1]).await;
        if !renews {
            store.renews_nothing();
        }
        let handler = move |handed: Handed| async move {
            seconds(if handed.attempt == 1 { time } else { 1 }).await;
            if is_good { Verdict::Done } else { Verdict::retry("no") }
        };
        let running = worker(&store, &log, handler).observer(told.clone()).start();
        seconds(1).await;
        if is_taken {
            store.taken(1);
        }
        seconds(time + 2).await;
        assert_eq!(told.counted(), losses, "{is_taken} {time} {is_good} {renews}: {:?}", log.endings());
        running.stop_within(Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_beyond_its_limit_is_told_and_dropped_and_comes_again() {
    /// Notes that it was dropped.
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (store, log) = (Fake::default(), Log::new());
    accept_all(&store, 1..=3).await;
    let dropped = Arc::new(AtomicBool::new(false));
    let drops = Arc::clone(&dropped);
    let running = worker(&store, &log, move |handed: Handed| {
        let dropped = Dropped(Arc::clone(&drops));
        async move {
            match handed.id.0 {
                1 => pending::<()>().await,
                // Told, it ends by itself.
                2 => handed.lease_lost.wait().await,
                _ => seconds(59).await,
            }
            std::mem::forget(dropped);
        }
    })
    .handler_limit(Duration::from_secs(60))
    .start();
    sleep(Duration::from_millis(60_300)).await;
    assert_eq!(log.endings(), [(3, Ending::Done), (2, Ending::Done)]);
    assert!(!dropped.load(Ordering::SeqCst), "it has a moment left");
    sleep(Duration::from_millis(300)).await;
    assert!(dropped.load(Ordering::SeqCst));
    let (state, attempts, reason) = store.row(1);
    assert_eq!((state, attempts), (StoredState::Ready, 1));
    assert_eq!(reason.unwrap(), "the handler took longer than its limit");
    running.stop().await;
}
