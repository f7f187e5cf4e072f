//! A candidate beside the keys that decide: whom it would have taken is reported, and nobody passes by it.

use std::sync::{Arc, Mutex};

use http::HeaderName;
use tower::ServiceExt as _;
use tower_webhook::layers::{BasicAuthLayer, Credentials};
use tower_webhook::observe::{About, Fact, Observer};
use tower_webhook::provider::aella::{Aella, Event};
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::{AnyProvider, Provider};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{TRANSFER, bank, now, sealed};
use crate::support::Log;

/// What was reported of candidates: fits or refuses, whether it was proved, and by which key.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<String>>>);

impl Observer for Reports {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        let told = match fact {
            Fact::CandidateFits { is_proved, .. } => format!("fits {is_proved} {:?}", about.key_id),
            Fact::CandidateRefuses { rejection, .. } => format!("refuses {}", rejection.kind()),
            _ => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

fn by(secret: &str) -> Aella {
    let ring = KeyRing::new([Key::new(secret, Secret::utf8(secret).unwrap())]).unwrap();
    Aella::new(ring).unwrap()
}

const TODAY: &str = "ae_sk_test_example";
const TOMORROW: &str = "ae_sk_test_another";
const STRANGER: &str = "ae_sk_test_of_nobody";

/// The status of a delivery that is sealed so, how often a handler ran, what was reported, and lines of warning.
async fn deliver(
    change: impl FnOnce(Receiver<Aella>) -> Receiver<Aella>,
    sealer: &impl Provider,
) -> (u16, usize, Vec<String>, usize) {
    let (log, reports, ran) = (Log::capture(), Reports::default(), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&ran);
    let receiver = change(Receiver::new("aella", by(TODAY)).clock(now()).observer(reports.clone()));
    let service = receiver.dedupe(MemoryStore::new(10)).handle(move |_: Received<Event>| {
        *count.lock().unwrap() += 1;
        async {}
    });
    let status = service.oneshot(sealed(sealer, TRANSFER)).await.unwrap().status().as_u16();
    let warned = log.text().lines().filter(|line| line.starts_with("WARN") && line.contains("candidate")).count();
    let reports = reports.0.lock().unwrap().clone();
    (status, *ran.lock().unwrap(), reports, warned)
}

#[tokio::test(start_paused = true)]
async fn it_reports_whom_it_would_take_and_decides_nothing() {
    for (candidate, sealer, status, told, warned) in [
        (Some(TODAY), TODAY, 200, Some(format!("fits true Some({TODAY:?})")), 0),
        (Some(TOMORROW), TODAY, 200, Some("refuses signature_mismatch".to_owned()), 1),
        (Some(TOMORROW), TOMORROW, 401, Some(format!("fits false Some({TOMORROW:?})")), 1),
        (Some(TOMORROW), STRANGER, 401, None, 0),
        (None, TODAY, 200, None, 0),
        (None, TOMORROW, 401, None, 0),
    ] {
        let change = |receiver: Receiver<Aella>| match candidate {
            Some(candidate) => receiver.candidate(by(candidate)),
            None => receiver,
        };
        let expected = (status, usize::from(status == 200), told.into_iter().collect::<Vec<_>>(), warned);
        assert_eq!(deliver(change, &by(sealer)).await, expected, "{candidate:?} {sealer}");
    }
}

/// Where nothing is verified yet, it says what would be.
#[tokio::test(start_paused = true)]
async fn beside_no_verification_it_says_who_would_be_refused() {
    for (sealer, told) in
        [(TOMORROW, format!("fits true Some({TOMORROW:?})")), (STRANGER, "refuses signature_mismatch".to_owned())]
    {
        let change = |receiver: Receiver<Aella>| receiver.dangerous_skip_verification().candidate(by(TOMORROW));
        let (status, ran, reports, _) = deliver(change, &by(sealer)).await;
        assert_eq!((status, ran, reports), (200, 1, vec![told]), "{sealer}");
    }
}

/// A scheme that decrypts cannot open what is not encrypted, and says so.
#[tokio::test(start_paused = true)]
async fn another_providers_scheme_is_tried_as_it_is() {
    let change = |receiver: Receiver<Aella>| receiver.candidate(bank());
    let (status, ran, reports, warned) = deliver(change, &by(TODAY)).await;
    assert_eq!((status, ran, reports.len(), warned), (200, 1, 1, 1), "{reports:?}");
    assert!(reports[0].starts_with("refuses "), "{reports:?}");
    let change = |receiver: Receiver<Aella>| receiver.candidate(AnyProvider::new(by(TODAY)));
    assert_eq!(deliver(change, &by(TODAY)).await.2, [format!("fits true Some({TODAY:?})")]);
}

/// Credentials that were checked count for a candidate that proves no sender, also where a handler sees no request.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_proves_no_sender_is_tried_with_the_credentials() {
    let ours = || Credentials::new("Aladdin", Secret::utf8("open sesame").unwrap()).unwrap();
    let mut request = sealed(&by(TODAY), TRANSFER);
    request.headers_mut().insert("authorization", ours().header());
    let reports = Reports::default();
    let service = Receiver::new("aella", by(TODAY))
        .clock(now())
        .observer(reports.clone())
        .basic_auth(&BasicAuthLayer::new([ours()]).unwrap())
        .candidate(Mambu::new())
        .dedupe(MemoryStore::new(10))
        .handle(async |_: Received<Event>| {});
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    assert_eq!(*reports.0.lock().unwrap(), ["fits true Some(\"Aladdin\")"]);
}

/// What proves a candidate is nobody's business further in, and the one that decides keeps what it reads.
#[tokio::test(start_paused = true)]
async fn a_token_of_the_candidates_stays_outside() {
    let (token, seen) = (HeaderName::from_static("x-token"), Arc::new(Mutex::new(Vec::new())));
    let saw = Arc::clone(&seen);
    let candidate = Mambu::static_header(token.clone(), Secret::utf8("a static token, and long").unwrap());
    let service =
        Receiver::new("aella", by(TODAY)).clock(now()).candidate(candidate.unwrap()).dedupe(MemoryStore::new(10));
    let service = service.handle(move |event: Received<Event>| {
        let header = |name: &str| event.delivery().header(&name.parse().unwrap()).is_some();
        saw.lock().unwrap().extend([header("x-token"), header("x-other")]);
        async {}
    });
    let mut request = sealed(&by(TODAY), TRANSFER);
    request.headers_mut().insert(token, "a static token, and long".parse().unwrap());
    request.headers_mut().insert("x-other", "1".parse().unwrap());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    assert_eq!(*seen.lock().unwrap(), [false, true]);
}

/// What is refused by its head is not tried, whether its body is there already or comes later.
#[tokio::test(start_paused = true)]
async fn without_todays_signature_it_is_not_tried() {
    let candidate = |receiver: Receiver<Aella>| {
        let token = HeaderName::from_static("x-token");
        receiver.candidate(Mambu::static_header(token, Secret::utf8("a static token, and long").unwrap()).unwrap())
    };
    let reports = Reports::default();
    let service = candidate(Receiver::new("aella", by(TODAY)).clock(now()).observer(reports.clone()))
        .dedupe(MemoryStore::new(10))
        .handle(async |_: Received<Event>| {});
    let mut request = sealed(&by(TODAY), TRANSFER);
    request.headers_mut().clear();
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    request.headers_mut().insert("x-token", "a static token, and long".parse().unwrap());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 401);
    assert!(reports.0.lock().unwrap().is_empty(), "{:?}", reports.0);
}
