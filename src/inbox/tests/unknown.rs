//! Attempts without an end: handled again, or parked.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{OnUnknown, StoredState, Verdict};
use super::*;

#[tokio::test(start_paused = true)]
async fn an_attempt_without_an_end_is_the_last_where_it_is_parked() {
    for case in ["lease", "panic", "limit", "stop"] {
        for then in [OnUnknown::Again, OnUnknown::Park] {
            let (store, log) = (Fake::default(), Log::new());
            accept_all(&store, [1]).await;
            let seen = log.clone();
            let handler = move |handed: Handed| {
                seen.call(&handed);
                async move {
                    match (handed.attempt, case) {
                        (1, "panic") => panic!("as told"),
                        (1, _) => pending::<()>().await,
                        _ => {}
                    }
                }
            };
            let first = || worker(&store, &log, handler.clone()).on_unknown(then).handler_limit(LIMIT);
            if case == "lease" {
                // Who held it is gone, and with it whatever it did.
                let token = super::super::LeaseToken([9; 16]);
                assert_eq!(store.lease(token, 1, LIMIT, Timestamp::UNIX_EPOCH).await.unwrap().len(), 1);
            }
            let running = first().start();
            seconds(1).await;
            match case {
                "stop" => running.stop_within(Duration::ZERO).await,
                _ => {
                    seconds(200).await;
                    running.stop().await;
                }
            }
            let running = first().start();
            seconds(200).await;
            running.stop().await;
            let (state, _, reason) = store.row(1);
            let before = usize::from(case != "lease");
            match then {
                OnUnknown::Park => {
                    assert_eq!((state, log.calls().len()), (StoredState::Parked, before), "{case}");
                    assert!(reason.unwrap().starts_with("outcome unknown: "), "{case}");
                }
                _ if case == "stop" => assert!(log.calls().len() > 1, "{case}"),
                _ => assert_eq!((state, log.calls().len()), (StoredState::Done, before + 1), "{case}"),
            }
        }
    }
}

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn what_the_handler_has_ended_itself_is_known() {
    let (store, log) = (Fake::default(), Log::new());
    accept_all(&store, [1]).await;
    let was_unknown = Arc::new(AtomicBool::new(false));
    let (seen, tell) = (log.clone(), Arc::clone(&was_unknown));
    let handler = move |handed: Handed| {
        seen.call(&handed);
        tell.fetch_or(handed.outcome_unknown, Ordering::SeqCst);
        async move { if handed.attempt < 3 { Verdict::retry("nothing done") } else { Verdict::Done } }
    };
    let running = worker(&store, &log, handler).on_unknown(OnUnknown::Park).start();
    seconds(60).await;
    running.stop().await;
    assert_eq!((store.row(1).0, log.calls().len()), (StoredState::Done, 3));
    assert!(!was_unknown.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn what_is_old_goes_once_in_ten_minutes_even_after_a_store_that_was_away() {
    for (retention, before) in [(None, [-604_800, -604_200, -603_600]), (Some(Duration::ZERO), [0, 600, 1200])] {
        let (store, log) = (Fake::default(), Log::new());
        store.away(true);
        let worker = worker(&store, &log, |_: Handed| async {});
        let running = match retention {
            Some(bodies) => worker.retention(bodies).start(),
            None => worker.start(),
        };
        seconds(1).await;
        store.away(false);
        seconds(1500).await;
        let expected: Vec<_> = before.into_iter().zip([0, 600, 1200]).collect();
        assert_eq!(store.purges(), expected);
        running.stop().await;
        seconds(1500).await;
        assert_eq!(store.purges(), expected, "a worker that has stopped drops nothing");
    }
}
