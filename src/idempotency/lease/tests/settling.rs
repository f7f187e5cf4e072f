//! How a claim ends.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_short_work_is_claimed_and_completed_and_not_renewed() {
    let store = Arc::new(Scripted::new());
    let settled = run(&claims(&store), |grant| async move {
        assert_eq!(grant.fence.unwrap().get(), 7);
        assert!(!grant.lost.is_lost());
        done()
    })
    .await;
    assert!(matches!(settled, Settled::Done("ran")), "{settled:?}");
    let expected = [
        Asked { at: 0, what: "claim", token: 1, time: LEASE },
        Asked { at: 0, what: "complete", token: 1, time: RETENTION },
    ];
    assert_eq!(store.asked(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_panic_frees_the_key_soon() {
    type Panics = fn(Grant) -> futures_util::future::BoxFuture<'static, Handled<&'static str>>;
    let at_once: Panics = |_| panic!("the detail may hold a payload");
    let later: Panics = |_| {
        Box::pin(async {
            sleep(Duration::from_secs(1)).await;
            panic!("the detail may hold a payload")
        })
    };
    for (case, work) in [("at once", at_once), ("later", later)] {
        let store = Arc::new(Scripted::new());
        let settled = run(&claims(&store), work).await;
        let Settled::Refused(rejection) = settled else { panic!("{case}") };
        assert_eq!(rejection.kind(), RejectionKind::HandlerFailed, "{case}");
        assert_eq!(rejection.detail(), "the handler panicked", "{case}");
        let last = store.asked().pop().unwrap();
        assert_eq!((last.what, last.token, last.time), ("release", 1, PANIC_DELAY), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_work_that_is_not_done_frees_the_key_after_its_delay() {
    for (case, says) in [("free", Says::Now(Ok(Held::Ok))), ("lost", Says::Now(Ok(LOST))), ("hangs", Says::Never)] {
        let store = Arc::new(Scripted::new().releases([says]));
        let delay = Duration::from_secs(60);
        let settled = run(&claims(&store), |_| async move { Handled::NotDone { answer: "retry", delay } }).await;
        assert!(matches!(settled, Settled::NotDone("retry")), "{case}: {settled:?}");
        let last = store.asked().pop().unwrap();
        assert_eq!((last.what, last.token, last.time), ("release", 1, delay), "{case}");
        assert!(store.elapsed() <= Duration::from_secs(2), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_is_repeated_with_its_token_until_the_lease_ends() {
    let down = |times| (0..times).map(|_| Says::Now(Err(DOWN)));
    let cases = [
        ("a short failure", Scripted::new().completions(down(3)), 0, 4, 1),
        ("full, and then not", Scripted::new().completions([Says::Now(Err(StoreErrorKind::Full.into()))]), 0, 2, 1),
        ("corrupt", Scripted::new().completions([Says::Now(Err(StoreErrorKind::Corrupt.into()))]), 0, 1, 0),
        ("down", Scripted::new().completions(down(1000)), 0, 20, 30),
        // Renewed at 20 s, so that the lease ends at 50.
        ("down after 25 s", Scripted::new().completions(down(1000)), 25, 20, 50),
        ("hangs", Scripted::new().completions((0..1000).map(|_| Says::Never)), 0, 8, 32),
    ];
    for (case, store, work, least, latest) in cases {
        let store = Arc::new(store);
        let (claims, start) = (claims(&store), Instant::now());
        let settled = run_for(&claims, work).await;
        assert!(matches!(settled, Settled::Done("ran")), "{case}: {settled:?}");
        assert!(start.elapsed() <= Duration::from_secs(work + 2), "{case}: answered after {:?}", start.elapsed());
        claims.drain.begin();
        claims.drain.finished().await;
        let completions: Vec<_> = store.asked().into_iter().filter(|asked| asked.what == "complete").collect();
        assert!(completions.len() >= least, "{case}: {} tries", completions.len());
        assert!(completions.iter().all(|asked| asked.token == 1 && asked.time == RETENTION), "{case}");
        let seconds = store.elapsed().as_secs_f64();
        assert!(seconds <= f64::from(latest) && seconds > f64::from(latest) - 3.0, "{case}: until {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_completion_asks_who_has_done_it_and_leaves_no_claim() {
    let acquired = || Claim::Acquired { fence: 9, other_payload: false };
    let elsewhere = Claim::Done { fence: 8, response: answer(4) };
    let cases = [
        ("done", vec![Says::Now(Ok(elsewhere))], false),
        ("in flight", vec![Says::Now(Ok(Claim::InFlight { retry_in: LEASE }))], false),
        ("poisoned", vec![Says::Now(Ok(Claim::Poison { attempts: 8 }))], false),
        ("free", vec![Says::Now(Ok(acquired()))], true),
        ("free at the second try", vec![Says::Now(Err(DOWN)), Says::Now(Ok(acquired()))], true),
        ("free, but too late", vec![Says::Late(Duration::from_secs(9), Ok(acquired()))], true),
    ];
    for (case, says, released) in cases {
        let script = [Says::Now(Ok(acquired()))].into_iter().chain(says);
        let store = Arc::new(Scripted::new().claims(script).completions([Says::Now(Ok(LOST))]));
        let settled = run_for(&claims(&store), 0).await;
        match settled {
            Settled::Replayed(response) if case == "done" => assert_eq!(response, answer(4)),
            other => drop(assert_refused(other, RejectionKind::LeaseLost, case)),
        }
        let asked = store.asked();
        let asking = &asked[2];
        assert_eq!((asking.what, asking.token, asking.time), ("claim", 2, ASKING_LEASE), "{case}");
        let last = asked.last().unwrap();
        let freed = (last.what, last.token, last.time) == ("release", 2, Duration::ZERO);
        assert_eq!(freed, released, "{case}: {asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_its_mark_no_longer_than_set() {
    for wait in [0, 1, 500, 5000] {
        let late = Says::Late(Duration::from_secs(1), Ok(Held::Ok));
        let store = Arc::new(Scripted::new().completions([late]));
        let (claims, start) = (claims_with(&store, |s| s.mark_within(Duration::from_millis(wait))), Instant::now());
        assert!(matches!(run_for(&claims, 0).await, Settled::Done("ran")), "{wait}");
        assert_eq!(start.elapsed(), Duration::from_millis(wait.min(1000)), "{wait}");
        claims.drain.begin();
        claims.drain.finished().await;
        let order = store.order();
        assert_eq!(order.len(), if wait < 1000 { 3 } else { 2 }, "{wait}: begun anew in the background, {order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_is_dropped_at_its_limit_frees_the_key_after_a_lease() {
    let store = Arc::new(Scripted::new());
    let claims = claims_with(&store, |settings| settings.handler_limit(Duration::from_secs(25)));
    let settled = run_for(&claims, 3600).await;
    assert_eq!(assert_refused(settled, RejectionKind::HandlerTimedOut, "hangs"), None);
    let last = store.asked().pop().unwrap();
    assert_eq!((last.what, last.token, last.time), ("release", 1, LEASE));
    assert_eq!(store.order()[1..], [(10_000, "renew"), (20_000, "renew"), (26_000, "release")]);
}
