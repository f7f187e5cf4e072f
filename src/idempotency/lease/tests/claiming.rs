//! What a claim comes to.

use super::*;

/// Any store's runs can be spawned.
fn spawn<S: DedupeStore>(claims: &Arc<Claims<S>>, time: Duration) -> tokio::task::JoinHandle<Settled<&'static str>> {
    let claims = Arc::clone(claims);
    tokio::spawn(async move {
        let work = |_| async move {
            sleep(time).await;
            done()
        };
        let scope = Scope { reporter: &reporter(), key_id: None, proved_at: None, traced: None };
        claims.run(&KeyHash::from_bytes([5; 32]), &Fingerprint::of(b"event"), &scope, work).await
    })
}

#[tokio::test(start_paused = true)]
async fn what_the_store_says_of_a_claim_is_what_the_sender_is_told() {
    use RejectionKind::{InFlight, PayloadMismatch, Poisoned, Resting, StoreUnavailable};
    let in_flight = |seconds: u64| Ok(Claim::InFlight { retry_in: Duration::from_millis(seconds * 1000 + 1) });
    // 5 s, and the entropy's second filling modulo 26: 0x0202 is 514.
    let jittered = Some(5 + 514 % 26);
    let cases = [
        (in_flight(0), InFlight, Some(1)),
        (in_flight(11), InFlight, Some(12)),
        (in_flight(100), InFlight, Some(30)),
        (Ok(Claim::InFlight { retry_in: Duration::ZERO }), InFlight, Some(1)),
        (Ok(Claim::InFlight { retry_in: Duration::MAX }), InFlight, Some(30)),
        (Ok(Claim::Resting { retry_in: Duration::from_secs(3) }), Resting, Some(3)),
        (Ok(Claim::Mismatch { state: RecordState::Done }), PayloadMismatch, None),
        (Ok(Claim::Poison { attempts: 3 }), Poisoned, None),
        (Err(StoreErrorKind::Full.into()), StoreUnavailable, jittered),
        (Err(StoreErrorKind::Corrupt.into()), StoreUnavailable, jittered),
        (Err(StoreErrorKind::Misconfigured("eviction").into()), StoreUnavailable, jittered),
    ];
    for (says, kind, retry_after) in cases {
        let case = format!("{says:?}");
        let store = Arc::new(Scripted::new().claims([Says::Now(says)]));
        let settled = run(&claims_with(&store, |settings| settings.in_flight_wait(Duration::ZERO)), never_runs).await;
        assert_eq!(assert_refused(settled, kind, &case), retry_after, "{case}");
        assert_eq!(store.order(), [(0, "claim")], "{case}");
    }

    let said = Ok(Claim::Done { fence: 3, response: answer(4) });
    let store = Arc::new(Scripted::new().claims([Says::Now(said)]));
    let settled = run(&claims(&store), never_runs).await;
    assert!(matches!(&settled, Settled::Replayed(response) if *response == answer(4)), "{settled:?}");
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_repeated_with_its_token_within_two_seconds() {
    let says = [Says::Now(Err(DOWN)), Says::Now(Err(StoreErrorKind::Timeout.into())), Says::Now(Err(DOWN))];
    let store = Arc::new(Scripted::new().claims(says));
    assert!(matches!(run_for(&claims(&store), 0).await, Settled::Done(_)));
    assert_eq!(store.order()[..4], [(0, "claim"), (50, "claim"), (150, "claim"), (350, "claim")]);
    assert!(store.asked().iter().all(|asked| asked.token == 1), "{:?}", store.asked());

    let down = (0..100).map(|_| Says::Now(Err(DOWN)));
    for (case, store) in [("down", Scripted::new().claims(down)), ("hangs", Scripted::new().claims([Says::Never]))] {
        let store = Arc::new(store);
        let settled = run(&claims(&store), never_runs).await;
        let retry_after = assert_refused(settled, RejectionKind::StoreUnavailable, case);
        assert!(retry_after.is_some_and(|seconds| (5..=30).contains(&seconds)), "{case}: {retry_after:?}");
        assert_eq!(store.elapsed().as_millis(), 2000, "{case}");
        assert!(store.asked().iter().all(|asked| asked.token == 1), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_hint_stays_between_5_and_30_seconds() {
    let mut hints = std::collections::BTreeSet::new();
    for fill in 0..=255_u8 {
        let entropy = move |out: &mut [u8]| {
            out.fill(fill);
            Ok(())
        };
        let store = Arc::new(Scripted::new().claims([Says::Now(Err(StoreErrorKind::Full.into()))]));
        let claims = claims_with(&store, |settings| settings.entropy(entropy));
        hints.extend(assert_refused(run(&claims, never_runs).await, RejectionKind::StoreUnavailable, "full"));
    }
    assert_eq!((hints.first(), hints.last()), (Some(&5), Some(&30)), "{hints:?}");
}

#[tokio::test(start_paused = true)]
async fn without_random_bytes_nothing_is_claimed() {
    let store = Arc::new(Scripted::new());
    let claims = claims_with(&store, |settings| settings.entropy(|_: &mut [u8]| Err(NoEntropy)));
    let retry_after = assert_refused(run(&claims, never_runs).await, RejectionKind::StoreUnavailable, "no entropy");
    assert_eq!(retry_after, Some(20));
    assert_eq!(store.asked(), []);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_for_the_first_and_gets_its_answer() {
    let store = Arc::new(MemoryStore::new(10));
    let claims = Arc::new(claims(&store));
    let first = spawn(&claims, Duration::from_millis(300));
    sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    let second = run(&claims, never_runs).await;
    assert!(matches!(&second, Settled::Replayed(response) if *response == answer(1)), "{second:?}");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert!(matches!(first.await.unwrap(), Settled::Done("ran")));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_no_longer_than_told() {
    for wait in [0, 1, 500, 3000] {
        let busy = (0..1000).map(|_| Says::Now(Ok(Claim::InFlight { retry_in: LEASE })));
        let store = Arc::new(Scripted::new().claims(busy));
        let claims = claims_with(&store, |settings| settings.in_flight_wait(Duration::from_millis(wait)));
        let settled = run(&claims, never_runs).await;
        assert_eq!(assert_refused(settled, RejectionKind::InFlight, "busy"), Some(30), "{wait}");
        assert_eq!(store.elapsed().as_millis(), u128::from(wait), "the last look is at the end");
        assert!(store.asked().iter().all(|asked| asked.token == 1), "{wait}");
        assert!(store.asked().len() <= 30, "{wait}: {} looks", store.asked().len());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_store_every_delivery_runs_and_sees_no_fence() {
    let claims = claims(&Arc::new(WithoutDedupe));
    for _ in 0..2 {
        let settled = run(&claims, |grant| async move {
            assert_eq!(grant.fence, None);
            sleep(Duration::from_secs(100)).await;
            assert!(!grant.lost.is_lost());
            done()
        })
        .await;
        assert!(matches!(settled, Settled::Done(_)), "{settled:?}");
    }
}

#[test]
fn debug_tells_the_terms() {
    let text = format!("{:?}", claims(&Arc::new(WithoutDedupe)));
    assert!(text.contains("lease: 30s"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_rests_is_not_waited_for() {
    let resting = || Says::Now(Ok(Claim::Resting { retry_in: Duration::from_millis(1) }));
    let in_flight = || Says::Now(Ok(Claim::InFlight { retry_in: LEASE }));
    for (case, says, looks) in [("at once", vec![resting()], 1), ("after a look", vec![in_flight(), resting()], 2)] {
        let store = Arc::new(Scripted::new().claims(says));
        assert_eq!(assert_refused(run(&claims(&store), never_runs).await, RejectionKind::Resting, case), Some(1));
        assert_eq!(store.asked().len(), looks, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_payload_is_acknowledged_where_the_route_says_so_and_the_key_is_done() {
    use Mismatch::{AcknowledgeUnhandled, Refuse};
    for (policy, state, acknowledged) in [
        (Refuse, RecordState::Done, false),
        (AcknowledgeUnhandled, RecordState::Done, true),
        (AcknowledgeUnhandled, RecordState::Pending, false),
        (AcknowledgeUnhandled, RecordState::Poison, false),
    ] {
        let store = Arc::new(Scripted::new().claims([Says::Now(Ok(Claim::Mismatch { state }))]));
        let claims = claims_with(&store, |settings| settings.on_mismatch(policy));
        match run(&claims, never_runs).await {
            Settled::Acknowledged(rejection) if acknowledged => {
                assert_eq!(rejection.kind(), RejectionKind::PayloadMismatch);
                assert_eq!(rejection.receiver(), Some("test"));
            }
            other => drop(assert_refused(other, RejectionKind::PayloadMismatch, &format!("{policy:?} {state:?}"))),
        }
        assert_eq!(store.order(), [(0, "claim")], "{policy:?} {state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_pending_is_awaited_and_not_asked_again() {
    let soon = Duration::from_millis(100);
    let script = Scripted::new()
        .claims([Says::Late(soon, Ok(Claim::Acquired { fence: 7, other_payload: false }))])
        .completions([Says::Late(soon, Ok(Held::Ok))]);
    let store = Arc::new(script);
    let settled = run(&claims(&store), |_| async { done() }).await;
    assert!(matches!(settled, Settled::Done("ran")), "{settled:?}");
    assert_eq!(store.order(), [(0, "claim"), (100, "complete")]);
}

#[tokio::test(start_paused = true)]
async fn work_begins_with_a_claim_that_came_at_once_and_not_before_one_that_was_waited_for() {
    let acquired = || Ok(Claim::Acquired { fence: 7, other_payload: false });
    let late = || Says::Late(Duration::from_secs(1), acquired());
    let in_flight = || Says::Now(Ok(Claim::InFlight { retry_in: Duration::ZERO }));
    for (case, says, is_told) in [
        ("at once", vec![Says::Now(acquired())], true),
        ("late", vec![late()], false),
        ("late, after a look", vec![in_flight(), late()], false),
    ] {
        let store = Arc::new(Scripted::new().claims(says));
        let (claims, mut at) = (claims(&store), None);
        let settled = run(&claims, |grant| {
            at = Some(grant.at);
            async { done() }
        });
        assert!(matches!(settled.await, Settled::Done("ran")), "{case}");
        assert_eq!(at.unwrap().map(|at| at.elapsed()), is_told.then_some(Duration::ZERO), "{case}");
    }
}

/// It is boxed for each delivery. Some allocators keep only small pieces at hand: glibc's those of up to 1032 bytes.
#[test]
fn a_run_has_no_more_room_for_its_work_than_it_needs() {
    fn room<const GIVEN: usize>() -> usize {
        let claims = claims(&Arc::new(MemoryStore::new(1)));
        let (key, fingerprint) = (KeyHash::from_bytes([5; 32]), Fingerprint::of(b"event"));
        let scope = Scope { reporter: &reporter(), key_id: None, proved_at: None, traced: None };
        let given = [0_u8; GIVEN];
        let work = move |_| async move { if given.is_empty() { done() } else { std::future::pending().await } };
        size_of_val(&claims.run(&key, &fingerprint, &scope, work))
    }
    assert!(room::<0>() <= 640, "{} bytes", room::<0>());
    // Before it is begun, when it is begun, and at work.
    assert!(room::<1000>() <= 640 + 3 * 1000, "{} bytes", room::<1000>());
}
