//! What fails comes again, later each time, and not for ever.

use super::super::{IntoVerdict as _, StoredState, Verdict};
use super::*;
use crate::delivery::Outcome;

/// When the event was tried, in milliseconds, with this handler.
async fn tries(handler: impl InboxHandler, log: &Log, backoff: Backoff) -> (Vec<u128>, fake::Short) {
    let store = Fake::default();
    accept_all(&store, [1]).await;
    let running = worker(&store, log, handler).retry(backoff).start();
    seconds(10_000).await;
    running.stop().await;
    (log.calls().iter().map(|call| call.at.as_millis()).collect(), store.row(1))
}

#[tokio::test(start_paused = true)]
async fn the_rest_grows_until_the_attempts_are_used_up() {
    let log = Log::new();
    let seen = log.clone();
    let handler = move |handed: Handed| {
        seen.call(&handed);
        async { Err::<(), _>("no") }
    };
    let backoff = Backoff::default().base(Duration::from_secs(2)).cap(Duration::from_secs(10)).attempts(5);
    let (tries, row) = tries(handler, &log, backoff).await;
    // The wait for the clock's next millisecond is tokio's.
    let rests: Vec<_> = tries.windows(2).map(|pair| (pair[1] - pair[0] + 500) / 1000).collect();
    assert_eq!(rests, [2, 4, 8, 10]);
    assert_eq!(row, (StoredState::Dead, 5, Some("no".to_owned())));
    assert_eq!(log.endings().last().unwrap().1, Ending::Dead { reason: "no".to_owned() });
    let fences: Vec<_> = log.calls().iter().map(|call| call.fence).collect();
    assert_eq!(fences, [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn what_is_done_in_the_last_attempt_is_no_dead_letter() {
    for (done_in, state) in [(3, StoredState::Done), (4, StoredState::Dead)] {
        let log = Log::new();
        let seen = log.clone();
        let handler = move |handed: Handed| {
            seen.call(&handed);
            let is_done = handed.attempt >= done_in;
            async move { if is_done { Ok(()) } else { Err("no") } }
        };
        let (tries, row) = tries(handler, &log, Backoff::default().attempts(3)).await;
        assert_eq!((tries.len(), row.0), (3, state));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_says_when_and_whether_it_comes_again() {
    for (verdict, rest, state) in [
        (Verdict::retry_in(Duration::from_secs(77), "later"), Some(77), StoredState::Done),
        (Outcome::Retry(Duration::from_secs(7)).into_verdict(), Some(7), StoredState::Done),
        (Outcome::failed("no").into_verdict(), Some(1), StoredState::Done),
        (Verdict::retry_in(Duration::MAX, "never"), None, StoredState::Ready),
        (Verdict::dead("never"), None, StoredState::Dead),
        (Verdict::Done, None, StoredState::Done),
    ] {
        let log = Log::new();
        let (seen, said) = (log.clone(), verdict.clone());
        let handler = move |handed: Handed| {
            seen.call(&handed);
            let verdict = if handed.attempt == 1 { said.clone() } else { Verdict::Done };
            async move { verdict }
        };
        let (tries, row) = tries(handler, &log, Backoff::default()).await;
        let rested = tries.get(1).map(|second| (second - tries[0] + 500) / 1000);
        assert_eq!((rested, row.0), (rest, state), "{verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_retry_wherever_it_is() {
    for panics in ["before", "inside", "not"] {
        let log = Log::new();
        let seen = log.clone();
        let handler = move |handed: Handed| {
            seen.call(&handed);
            let is_first = handed.attempt == 1;
            assert!(!(is_first && panics == "before"), "on purpose");
            async move { assert!(!(is_first && panics == "inside"), "on purpose") }
        };
        let (tries, row) = tries(handler, &log, Backoff::default()).await;
        assert_eq!((tries.len(), row.0), (if panics == "not" { 1 } else { 2 }, StoredState::Done), "{panics}");
        let said = matches!(&log.endings()[0].1, Ending::Retry { reason, .. } if reason == "the handler panicked");
        assert_eq!(said, panics != "not", "{panics}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_too_often_is_buried_before_it_is_begun_again() {
    for (begun, calls) in [(20, 0), (19, 1)] {
        let (store, log) = (Fake::default(), Log::new());
        accept_all(&store, [1]).await;
        store.begun(1, begun);
        let seen = log.clone();
        let running = worker(&store, &log, move |handed: Handed| {
            seen.call(&handed);
            async {}
        })
        .start();
        seconds(5).await;
        assert_eq!(log.calls().len(), calls);
        assert_eq!(store.row(1).0, if calls == 0 { StoredState::Dead } else { StoredState::Done });
        running.stop().await;
    }
}
