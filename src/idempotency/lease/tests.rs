use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use bytes::Bytes;
use http::StatusCode;

use super::super::memory::MemoryStore;
use super::super::store::{LostWhy, StateTag, StoreError};
use super::super::unclaimed::Unclaimed;
use super::*;
use crate::clock::NoEntropy;

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LOST: Held = Held::Lost(LostWhy::Taken(StateTag::Pending));
const DOWN: StoreError = StoreError::Unavailable;

/// What was asked of the store, when (in milliseconds since the first call), and with which token.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    at: u128,
    what: &'static str,
    token: u8,
    time: Duration,
}

enum Says<T> {
    /// At once.
    Now(T),
    /// After this time.
    Late(Duration, T),
    Never,
}

/// Answers by script, and as a sound store would when the script is at its end. Writes down what it was asked.
struct Scripted {
    first: OnceLock<Instant>,
    asked: Mutex<Vec<Asked>>,
    claims: Mutex<VecDeque<Says<Result<Claim, StoreError>>>>,
    renewals: Mutex<VecDeque<Says<Result<Held, StoreError>>>>,
    completions: Mutex<VecDeque<Says<Result<Held, StoreError>>>>,
    releases: Mutex<VecDeque<Says<Result<Held, StoreError>>>>,
}

impl Scripted {
    fn new() -> Self {
        Self {
            first: OnceLock::new(),
            asked: Mutex::default(),
            claims: Mutex::default(),
            renewals: Mutex::default(),
            completions: Mutex::default(),
            releases: Mutex::default(),
        }
    }

    fn claims(self, says: impl IntoIterator<Item = Says<Result<Claim, StoreError>>>) -> Self {
        self.claims.lock().unwrap().extend(says);
        self
    }

    fn renewals(self, says: impl IntoIterator<Item = Says<Result<Held, StoreError>>>) -> Self {
        self.renewals.lock().unwrap().extend(says);
        self
    }

    fn completions(self, says: impl IntoIterator<Item = Says<Result<Held, StoreError>>>) -> Self {
        self.completions.lock().unwrap().extend(says);
        self
    }

    fn releases(self, says: impl IntoIterator<Item = Says<Result<Held, StoreError>>>) -> Self {
        self.releases.lock().unwrap().extend(says);
        self
    }

    async fn say<T>(
        &self,
        asked: (&'static str, &Token, Duration),
        script: &Mutex<VecDeque<Says<Result<T, StoreError>>>>,
        otherwise: T,
    ) -> Result<T, StoreError> {
        let (what, token, time) = asked;
        let at = self.elapsed().as_millis();
        self.asked.lock().unwrap().push(Asked { at, what, token: token.as_bytes()[0], time });
        let says = script.lock().unwrap().pop_front();
        match says {
            None => Ok(otherwise),
            Some(Says::Now(answer)) => answer,
            Some(Says::Late(time, answer)) => {
                sleep(time).await;
                answer
            }
            Some(Says::Never) => std::future::pending().await,
        }
    }

    /// Since the first call.
    fn elapsed(&self) -> Duration {
        self.first.get_or_init(Instant::now).elapsed()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What was asked, and when, without tokens and times.
    fn order(&self) -> Vec<(u128, &'static str)> {
        self.asked().into_iter().map(|asked| (asked.at, asked.what)).collect()
    }
}

impl DedupeStore for Scripted {
    async fn claim(&self, _: &Key, token: &Token, _: &Fingerprint, terms: &Terms) -> Result<Claim, StoreError> {
        self.say(("claim", token, terms.lease), &self.claims, Claim::Acquired { fence: 7, other_payload: false }).await
    }

    async fn renew(&self, _: &Key, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        self.say(("renew", token, lease), &self.renewals, Held::Ok).await
    }

    async fn complete(&self, _: &Key, token: &Token, r: &StoredResponse, keep: Duration) -> Result<Held, StoreError> {
        assert_eq!(*r, answer(1));
        self.say(("complete", token, keep), &self.completions, Held::Ok).await
    }

    async fn release(&self, _: &Key, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        self.say(("release", token, delay), &self.releases, Held::Ok).await
    }
}

/// The first token is all ones, the next all twos.
fn counting() -> Arc<dyn Entropy> {
    let count = AtomicU32::new(0);
    Arc::new(move |out: &mut [u8]| {
        out.fill(u8::try_from(count.fetch_add(1, Ordering::Relaxed) + 1).unwrap());
        Ok(())
    })
}

fn claims<S: DedupeStore>(store: &Arc<S>) -> Claims<S> {
    Claims::new(Arc::clone(store), Terms::new(RETENTION), counting())
}

fn answer(number: u8) -> StoredResponse {
    StoredResponse::new(StatusCode::OK, None, Bytes::copy_from_slice(&[number]))
}

fn done() -> Work<&'static str> {
    Work::Done { answer: "ran", remember: answer(1) }
}

async fn run_for<S: DedupeStore>(claims: &Claims<S>, seconds: u64) -> Settled<&'static str> {
    run(claims, |_| async move {
        sleep(Duration::from_secs(seconds)).await;
        done()
    })
    .await
}

async fn run<S, F, Fut>(claims: &Claims<S>, work: F) -> Settled<&'static str>
where
    S: DedupeStore,
    F: FnOnce(Grant) -> Fut,
    Fut: Future<Output = Work<&'static str>>,
{
    claims.run(&Key::from_bytes([5; 32]), &Fingerprint::of(b"event"), work).await
}

async fn never_runs(_: Grant) -> Work<&'static str> {
    panic!("the work must not run")
}

#[track_caller]
fn assert_refused(settled: Settled<&'static str>, kind: RejectionKind, case: &str) -> Option<u64> {
    let Settled::Refused(rejection) = settled else { panic!("{case}: {settled:?}") };
    assert_eq!(rejection.kind(), kind, "{case}");
    rejection.retry_after().map(|after| after.as_secs())
}

#[tokio::test(start_paused = true)]
async fn what_the_store_says_of_a_claim_is_what_the_sender_is_told() {
    use RejectionKind::{InFlight, PayloadMismatch, Poisoned, StoreUnavailable};
    let in_flight = |seconds: u64| Ok(Claim::InFlight { retry_in: Duration::from_millis(seconds * 1000 + 1) });
    // 5 s, and the entropy's second filling modulo 26: 0x0202 is 514.
    let jittered = Some(5 + 514 % 26);
    let cases = [
        (in_flight(0), InFlight, Some(1)),
        (in_flight(11), InFlight, Some(12)),
        (in_flight(100), InFlight, Some(30)),
        (Ok(Claim::InFlight { retry_in: Duration::ZERO }), InFlight, Some(1)),
        (Ok(Claim::InFlight { retry_in: Duration::MAX }), InFlight, Some(30)),
        (Ok(Claim::Mismatch { state: StateTag::Done }), PayloadMismatch, None),
        (Ok(Claim::Poison { attempts: 3 }), Poisoned, None),
        (Err(StoreError::Full), StoreUnavailable, jittered),
        (Err(StoreError::Corrupt), StoreUnavailable, jittered),
        (Err(StoreError::Misconfigured("eviction")), StoreUnavailable, jittered),
    ];
    for (says, kind, retry_after) in cases {
        let case = format!("{says:?}");
        let store = Arc::new(Scripted::new().claims([Says::Now(says)]));
        let settled = run(&claims(&store).in_flight_wait(Duration::ZERO), never_runs).await;
        assert_eq!(assert_refused(settled, kind, &case), retry_after, "{case}");
        assert_eq!(store.order(), [(0, "claim")], "{case}");
    }

    let said = Ok(Claim::Done { fence: 3, response: answer(4) });
    let store = Arc::new(Scripted::new().claims([Says::Now(said)]));
    let settled = run(&claims(&store), never_runs).await;
    assert!(matches!(&settled, Settled::Replayed(response) if *response == answer(4)), "{settled:?}");
}

#[tokio::test(start_paused = true)]
async fn a_short_work_is_claimed_and_completed_and_not_renewed() {
    let store = Arc::new(Scripted::new());
    let settled = run(&claims(&store), |grant| async move {
        assert_eq!(grant.fence.unwrap().get(), 7);
        assert!(!grant.lost.is_lost());
        done()
    })
    .await;
    assert!(matches!(settled, Settled::Ran("ran")), "{settled:?}");
    let expected = [
        Asked { at: 0, what: "claim", token: 1, time: LEASE },
        Asked { at: 0, what: "complete", token: 1, time: RETENTION },
    ];
    assert_eq!(store.asked(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_at_each_third() {
    let store = Arc::new(Scripted::new());
    assert!(matches!(run_for(&claims(&store), 35).await, Settled::Ran(_)));
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
    let failing = || Scripted::new().renewals([Says::Now(Err(DOWN)), Says::Never, Says::Now(Err(StoreError::Timeout))]);
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
        assert!(matches!(settled, Settled::Ran("ran")), "{case}: {settled:?}");
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
    assert!(matches!(settled, Settled::Ran(_)), "{settled:?}");
    assert_eq!(store.order().len(), 1 + 6 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_does_not_pass_its_next_turn() {
    let store = Arc::new(Scripted::new().renewals([Says::Never, Says::Never]));
    let terms = Terms::new(RETENTION).lease(Duration::from_secs(3));
    let claims = Claims::new(Arc::clone(&store), terms, counting());
    run_for(&claims, 4).await;
    let order = store.order();
    assert_eq!(order[1..4], [(1000, "renew"), (2000, "renew"), (3000, "renew")]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_no_time_does_not_spin() {
    let store = Arc::new(Scripted::new());
    let claims = Claims::new(Arc::clone(&store), Terms::new(RETENTION).lease(Duration::ZERO), counting());
    run_for(&claims, 1).await;
    assert!(store.asked().len() <= 102, "{} calls in a second", store.asked().len());
}

#[tokio::test(start_paused = true)]
async fn a_panic_frees_the_key_soon() {
    type Panics = fn(Grant) -> futures_util::future::BoxFuture<'static, Work<&'static str>>;
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
        let settled = run(&claims(&store), |_| async move { Work::NotDone { answer: "retry", delay } }).await;
        assert!(matches!(settled, Settled::Ran("retry")), "{case}: {settled:?}");
        let last = store.asked().pop().unwrap();
        assert_eq!((last.what, last.token, last.time), ("release", 1, delay), "{case}");
        assert!(store.elapsed() <= Duration::from_secs(2), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_repeated_with_its_token_within_two_seconds() {
    let says = [Says::Now(Err(DOWN)), Says::Now(Err(StoreError::Timeout)), Says::Now(Err(DOWN))];
    let store = Arc::new(Scripted::new().claims(says));
    assert!(matches!(run_for(&claims(&store), 0).await, Settled::Ran(_)));
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
        let store = Arc::new(Scripted::new().claims([Says::Now(Err(StoreError::Full))]));
        let claims = Claims::new(store, Terms::new(RETENTION), Arc::new(entropy));
        hints.extend(assert_refused(run(&claims, never_runs).await, RejectionKind::StoreUnavailable, "full"));
    }
    assert_eq!((hints.first(), hints.last()), (Some(&5), Some(&30)), "{hints:?}");
}

#[tokio::test(start_paused = true)]
async fn without_random_bytes_nothing_is_claimed() {
    let store = Arc::new(Scripted::new());
    let claims = Claims::new(Arc::clone(&store), Terms::new(RETENTION), Arc::new(|_: &mut [u8]| Err(NoEntropy)));
    let retry_after = assert_refused(run(&claims, never_runs).await, RejectionKind::StoreUnavailable, "no entropy");
    assert_eq!(retry_after, Some(20));
    assert_eq!(store.asked(), []);
}

#[tokio::test(start_paused = true)]
async fn a_completion_is_repeated_with_its_token_until_the_lease_ends() {
    let down = |times| (0..times).map(|_| Says::Now(Err(DOWN)));
    let cases = [
        ("a short failure", Scripted::new().completions(down(3)), 0, 4, 1),
        ("full, and then not", Scripted::new().completions([Says::Now(Err(StoreError::Full))]), 0, 2, 1),
        ("corrupt", Scripted::new().completions([Says::Now(Err(StoreError::Corrupt))]), 0, 1, 0),
        ("down", Scripted::new().completions(down(1000)), 0, 20, 30),
        // Renewed at 20 s, so that the lease ends at 50.
        ("down after 25 s", Scripted::new().completions(down(1000)), 25, 20, 50),
        ("hangs", Scripted::new().completions((0..1000).map(|_| Says::Never)), 0, 8, 32),
    ];
    for (case, store, work, least, latest) in cases {
        let store = Arc::new(store);
        let settled = run_for(&claims(&store), work).await;
        assert!(matches!(settled, Settled::Ran("ran")), "{case}: {settled:?}");
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

/// Any store's runs can be spawned.
fn spawn<S: DedupeStore>(claims: &Arc<Claims<S>>, time: Duration) -> tokio::task::JoinHandle<Settled<&'static str>> {
    let claims = Arc::clone(claims);
    tokio::spawn(async move {
        let work = |_| async move {
            sleep(time).await;
            done()
        };
        claims.run(&Key::from_bytes([5; 32]), &Fingerprint::of(b"event"), work).await
    })
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
    assert!(matches!(first.await.unwrap(), Settled::Ran("ran")));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_no_longer_than_told() {
    for wait in [0, 1, 500, 3000] {
        let busy = (0..1000).map(|_| Says::Now(Ok(Claim::InFlight { retry_in: LEASE })));
        let store = Arc::new(Scripted::new().claims(busy));
        let settled = run(&claims(&store).in_flight_wait(Duration::from_millis(wait)), never_runs).await;
        assert_eq!(assert_refused(settled, RejectionKind::InFlight, "busy"), Some(30), "{wait}");
        assert_eq!(store.elapsed().as_millis(), u128::from(wait), "the last look is at the end");
        assert!(store.asked().iter().all(|asked| asked.token == 1), "{wait}");
        assert!(store.asked().len() <= 30, "{wait}: {} looks", store.asked().len());
    }
}

#[tokio::test(start_paused = true)]
async fn the_one_who_lost_the_lease_leaves_the_key_to_the_next() {
    let store = Arc::new(MemoryStore::new(10));
    let (key, event, thief) = (Key::from_bytes([5; 32]), Fingerprint::of(b"event"), Token::from_bytes([99; 16]));
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
    assert!(matches!(run_for(&claims, 0).await, Settled::Ran(_)));
    assert!(matches!(run(&claims, never_runs).await, Settled::Replayed(_)));
}

#[tokio::test(start_paused = true)]
async fn without_a_store_every_delivery_runs_and_sees_no_fence() {
    let claims = claims(&Arc::new(Unclaimed));
    for _ in 0..2 {
        let settled = run(&claims, |grant| async move {
            assert_eq!(grant.fence, None);
            sleep(Duration::from_secs(100)).await;
            assert!(!grant.lost.is_lost());
            done()
        })
        .await;
        assert!(matches!(settled, Settled::Ran(_)), "{settled:?}");
    }
}

#[test]
fn debug_tells_the_terms() {
    let text = format!("{:?}", claims(&Arc::new(Unclaimed)));
    assert!(text.contains("lease: 30s"), "{text}");
}
