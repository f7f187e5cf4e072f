//! A lease while its work runs.

use futures_util::FutureExt as _;

use super::*;

/// The thread stands still meanwhile: the clock goes on, and nothing else is polled.
fn block(time: Duration) {
    assert!(tokio::time::advance(time).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_at_each_third() {
    let store = Arc::new(Scripted::new());
    assert!(matches!(run_for(&claims(&store), 35).await, Settled::Done(_)));
    let renewal = |at| Asked { at, what: "renew", token: 1, time: LEASE };
    let asked = store.asked();
    assert_eq!(asked[1..4], [renewal(10_000), renewal(20_000), renewal(30_000)]);
    assert_eq!(store.order()[4..], [(35_000, "complete")]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_claim_is_renewed_at_a_third_from_when_it_was_sent() {
    let slow = Says::Late(Duration::from_millis(1500), Ok(Claim::Acquired { fence: 7, other_payload: false }));
    let store = Arc::new(Scripted::new().claims([slow]));
    run_for(&claims(&store), 10).await;
    assert_eq!(store.order(), [(0, "claim"), (10_000, "renew"), (11_500, "complete")]);
}

#[tokio::test(start_paused = true)]
async fn a_work_is_told_that_its_lease_is_lost_and_is_not_stopped() {
    let refused = || Scripted::new().renewals([Says::Now(Ok(LOST))]);
    let failing = || {
        Scripted::new().renewals([Says::Now(Err(DOWN)), Says::Never, Says::Now(Err(StoreErrorKind::Timeout.into()))])
    };
    for (case, store, told_at) in [("refused", refused(), 10), ("three failures", failing(), 30)] {
        let store = Arc::new(store);
        let start = Instant::now();
        let settled = run(&claims(&store), |grant| async move {
            tokio::time::timeout(LEASE * 2, grant.lost.wait()).await.expect("told of the loss");
            assert_eq!(start.elapsed().as_secs(), told_at, "{case}");
            sleep(Duration::from_secs(100)).await;
            done()
        })
        .await;
        assert!(matches!(settled, Settled::Done("ran")), "{case}: {settled:?}");
        let last = store.order().pop();
        assert_eq!(last, Some((u128::from(told_at + 100) * 1000, "complete")), "{case}: no renewal after the loss");
    }
}

#[tokio::test(start_paused = true)]
async fn two_failed_renewals_in_a_row_are_no_loss() {
    let down = || Says::Now(Err(DOWN));
    let says = [down(), down(), Says::Now(Ok(Held::Ok)), down(), Says::Never, Says::Now(Ok(Held::Ok))];
    let store = Arc::new(Scripted::new().renewals(says));
    let settled = run(&claims(&store), |grant| async move {
        sleep(Duration::from_secs(65)).await;
        assert!(!grant.lost.is_lost());
        done()
    })
    .await;
    assert!(matches!(settled, Settled::Done(_)), "{settled:?}");
    assert_eq!(store.order().len(), 1 + 6 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_does_not_pass_its_next_turn() {
    let store = Arc::new(Scripted::new().renewals([Says::Never, Says::Never]));
    let claims = claims_with(&store, |settings| settings.lease(Duration::from_secs(3)));
    run_for(&claims, 4).await;
    let order = store.order();
    assert_eq!(order[1..4], [(1000, "renew"), (2000, "renew"), (3000, "renew")]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_no_time_does_not_spin() {
    let store = Arc::new(Scripted::new());
    let claims = claims_with(&store, |settings| settings.lease(Duration::ZERO));
    run_for(&claims, 1).await;
    assert!(store.asked().len() <= 102, "{} calls in a second", store.asked().len());
}

#[tokio::test(start_paused = true)]
async fn the_one_who_lost_the_lease_leaves_the_key_to_the_next() {
    let store = Arc::new(MemoryStore::new(10));
    let (key, event, thief) = (KeyHash::from_bytes([5; 32]), Fingerprint::of(b"event"), Token::from_bytes([99; 16]));
    let terms = Terms::new(RETENTION);
    let taken = {
        let store = Arc::clone(&store);
        async move |freed: bool| {
            // A thread that stands still: the lease passes without a renewal, and another takes the key.
            tokio::time::advance(LEASE).await;
            store.claim(&key, &thief, &event, &terms).await.unwrap();
            if freed {
                store.release(&key, &thief, Duration::ZERO).await.unwrap();
            }
            done()
        }
    };
    for freed in [false, true] {
        let settled = run(&claims(&store), |_| taken(freed)).await;
        assert_refused(settled, RejectionKind::LeaseLost, if freed { "freed" } else { "held" });
        tokio::time::advance(LEASE).await;
    }
    let next = Token::from_bytes([100; 16]);
    let claim = store.claim(&key, &next, &event, &terms).await.unwrap();
    assert!(matches!(claim, Claim::Acquired { .. }), "{claim:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_frees_the_key_with_its_lease() {
    let store = Arc::new(MemoryStore::new(10));
    let claims = claims(&store);
    let dropped = tokio::time::timeout(Duration::from_secs(5), run_for(&claims, 100)).await;
    assert!(dropped.is_err());
    let settled = run(&claims, never_runs).await;
    assert_eq!(assert_refused(settled, RejectionKind::InFlight, "within the lease"), Some(25));
    sleep(Duration::from_secs(25)).await;
    assert!(matches!(run_for(&claims, 0).await, Settled::Done(_)));
    assert!(matches!(run(&claims, never_runs).await, Settled::Replayed(_)));
}

#[tokio::test(start_paused = true)]
async fn work_is_told_of_its_limit_and_what_it_does_in_the_last_second_counts() {
    let limit = Duration::from_secs(25);
    for (case, left, ran) in [("in time", 999, true), ("too late", 1001, false)] {
        let store = Arc::new(Scripted::new());
        let (claims, start) = (claims_with(&store, |settings| settings.handler_limit(limit)), Instant::now());
        let settled = run(&claims, |grant| async move {
            grant.lost.wait().await;
            assert!(grant.lost.is_lost());
            assert_eq!(start.elapsed(), limit, "{case}");
            sleep(Duration::from_millis(left)).await;
            done()
        })
        .await;
        match settled {
            Settled::Done("ran") if ran => assert_eq!(store.order().pop().unwrap().1, "complete"),
            other => drop(assert_refused(other, RejectionKind::HandlerTimedOut, case)),
        }
        assert_eq!(store.order().pop().unwrap().1, if ran { "complete" } else { "release" }, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_counts_from_the_claim_and_holds_for_work_that_is_never_awaited() {
    let store = Arc::new(Scripted::new());
    let claims = claims_with(&store, |settings| settings.handler_limit(Duration::from_secs(40)).lease(LEASE * 10));
    let start = Instant::now();
    let settled = run(&claims, |_| async move {
        block(Duration::from_secs(35));
        std::future::pending().await
    })
    .await;
    assert_refused(settled, RejectionKind::HandlerTimedOut, "hangs after it has blocked");
    assert_eq!(start.elapsed(), Duration::from_secs(41));
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_without_a_claim_too() {
    let runs = crate::idempotency::UnprotectedRuns::default();
    let store = Arc::new(Scripted::new().claims([Says::Now(Err(StoreErrorKind::Full.into()))]));
    let claims = claims_with(&store, |settings| settings.dangerous_run_unprotected(&runs));
    let hangs = run(&claims, |grant| async move {
        block(LEASE * 2);
        assert!(!grant.lost.is_lost(), "what was not claimed is not lost by the clock");
        grant.lost.wait().await;
        std::future::pending().await
    });
    let settled = tokio::time::timeout(LEASE * 100, hangs).await.expect("an end");
    assert_refused(settled, RejectionKind::HandlerTimedOut, "unprotected");
    assert_eq!((store.order(), runs.count()), (vec![(0, "claim")], 1));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_has_run_out_is_lost_until_the_store_confirms_it() {
    for (case, says, lost) in [
        ("confirmed", Says::Now(Ok(Held::Ok)), false),
        ("refused", Says::Now(Ok(LOST)), true),
        ("unknown", Says::Now(Err(DOWN)), true),
    ] {
        let store = Arc::new(Scripted::new().renewals([says]));
        let settled = run(&claims(&store), |grant| async move {
            sleep(Duration::from_millis(1)).await;
            block(LEASE - Duration::from_millis(2));
            assert!(!grant.lost.is_lost(), "{case}: too early");
            block(Duration::from_millis(1));
            assert!(grant.lost.is_lost(), "{case}");
            grant.lost.wait().now_or_never().expect("it wakes by the clock");
            sleep(Duration::from_millis(1)).await;
            assert_eq!(grant.lost.is_lost(), lost, "{case}");
            done()
        })
        .await;
        assert!(matches!(settled, Settled::Done("ran")), "{case}: {settled:?}");
    }
}
