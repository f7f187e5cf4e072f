//! Bytes in flight over all connections: what they cost, who finds room, and that all of it comes back.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzEncoder;
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use proptest::prelude::*;
use tokio::sync::Semaphore;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_webhook::gate::{Body, BodyBudget, BodyCheck, BodyGate, BodyLimits, Compression, ResponseBody};
use tower_webhook::layers::VerifyLayer;
use tower_webhook::provider::aella;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{TRANSFER, aella, now, sealed};
use crate::support::{Scripted, Step, TestScheme};

const SHORT: usize = BodyBudget::SHORT;

type Answer = Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>;

struct Limited;

impl BodyCheck for Limited {
    fn limits(&self) -> BodyLimits {
        BodyLimits::default().max_bytes(100 * SHORT)
    }

    fn check(&self, _: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        match body.last() {
            Some(b'!') => Err(Rejection::new(RejectionKind::SignatureMismatch, "refused")),
            _ => Ok(body.into()),
        }
    }
}

/// Sends a body to a gate with this budget, whose inner service waits until it is let go.
fn send(budget: &BodyBudget, body: Scripted, go: &Arc<Semaphore>) -> Answer {
    let go = Arc::clone(go);
    let inner = service_fn(move |_: Request<Body>| {
        let go = Arc::clone(&go);
        async move {
            drop(go.acquire().await.unwrap());
            Ok::<_, Infallible>(Response::new(Body::default()))
        }
    });
    let gate = BodyGate::new(Arc::new(Limited), inner).budget(budget);
    Box::pin(async move { gate.oneshot(Request::new(body)).await.unwrap() })
}

fn closed() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

fn bytes(length: usize) -> Step {
    Step::Data(Bytes::from(vec![b'x'; length]))
}

fn for_ever() -> Step {
    Step::Wait(Duration::from_hours(1))
}

fn kind(response: &Response<ResponseBody>) -> Option<RejectionKind> {
    response.extensions().get::<Rejection>().map(Rejection::kind)
}

#[tokio::test(start_paused = true)]
async fn strangers_with_large_bodies_get_503_while_a_good_delivery_passes() {
    let budget = BodyBudget::new(16 * SHORT);
    let receiver = || Receiver::new("aella", aella()).clock(now()).body_budget(&budget).max_body(12 * SHORT);
    let service = receiver().dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| ());
    let stranger = |length| {
        let body = Scripted::new([bytes(length), for_ever()]);
        let request = Request::post("/").header("x-aella-signature", "00".repeat(64)).body(body).unwrap();
        service.clone().oneshot(request)
    };
    let mut held: Vec<_> = (0..3).map(|_| Box::pin(stranger(4 * SHORT))).collect();
    for stranger in &mut held {
        assert!(stranger.now_or_never().is_none(), "it is read");
    }
    assert_eq!(budget.in_flight(), 12 * SHORT);
    for _ in 0..10 {
        let response = stranger(4 * SHORT).now_or_never().expect("refused at once").unwrap();
        assert_eq!(kind(&response), Some(RejectionKind::Overloaded));
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"5".parse().unwrap()));
        assert_eq!(budget.in_flight(), 12 * SHORT);
    }
    let good = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(good.status(), 200, "in the share of short bodies");
    drop(held);
    assert_eq!(budget.in_flight(), 0);
    assert!(stranger(4 * SHORT).now_or_never().is_none(), "and there is room again");
}

#[tokio::test(start_paused = true)]
async fn the_budget_ends_at_the_byte() {
    for (second, refused) in [(5 * SHORT, None), (5 * SHORT + 1, Some(RejectionKind::Overloaded))] {
        let (budget, go) = (BodyBudget::new(8 * SHORT), closed());
        let mut first = send(&budget, Scripted::new([bytes(SHORT + 1)]), &go);
        assert!((&mut first).now_or_never().is_none());
        let second = send(&budget, Scripted::new([bytes(SHORT + 1), bytes(second - SHORT - 2)]), &go);
        go.add_permits(2);
        assert_eq!(kind(&second.await), refused);
        assert_eq!(budget.in_flight(), SHORT + 1);
        assert_eq!(kind(&first.await), None);
        assert_eq!(budget.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_can_never_find_room_is_too_large_and_not_told_to_come_again() {
    for (length, refused) in [(6 * SHORT, None), (6 * SHORT + 1, Some(RejectionKind::BodyTooLarge))] {
        let (budget, go) = (BodyBudget::new(8 * SHORT), Arc::new(Semaphore::new(1)));
        assert_eq!(kind(&send(&budget, Scripted::new([bytes(length)]), &go).await), refused, "{length}");
        assert_eq!(budget.in_flight(), 0, "{length}");
    }
}

/// What is decompressed before it is opened.
struct Zipped;

impl BodyCheck for Zipped {
    fn limits(&self) -> BodyLimits {
        Limited.limits()
    }

    fn compression(&self) -> Compression {
        Compression::SignedPlain
    }

    fn check(&self, _: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        Ok(body.into())
    }
}

/// A body of four times this length that gzip brings to three times, since so much of it is noise.
fn zipped() -> Vec<u8> {
    let mut noise = std::iter::successors(Some(0x9e37_79b9_u32), |state| {
        let state = state ^ state << 13;
        let state = state ^ state >> 17;
        Some(state ^ state << 5)
    });
    let mut plain: Vec<u8> = noise.by_ref().take(3 * SHORT).map(|number| number.to_le_bytes()[1]).collect();
    plain.resize(4 * SHORT, 0);
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_beside_its_compressed_form_is_not_told_to_come_again() {
    for (most, refused) in [(16 * SHORT, None), (8 * SHORT, Some(RejectionKind::BodyTooLarge))] {
        let budget = BodyBudget::new(most);
        let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
        let gate = BodyGate::new(Arc::new(Zipped), inner).budget(&budget);
        let request =
            Request::post("/").header("content-encoding", "gzip").body(Full::<Bytes>::from(zipped())).unwrap();
        let response = gate.oneshot(request).await.unwrap();
        assert_eq!((kind(&response), budget.in_flight()), (refused, 0), "{most}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_length_that_is_only_said_takes_nothing() {
    let (budget, go) = (BodyBudget::new(64 * SHORT), closed());
    let said = Scripted::new([for_ever()]).hint(http_body::SizeHint::with_exact(40 * SHORT as u64));
    let mut waiting = send(&budget, said, &go);
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(budget.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_are_held_until_the_answer_and_given_back_however_it_ends() {
    let last = |text: &'static str| Step::Data(Bytes::from_static(text.as_bytes()));
    for (what, steps, status) in [
        ("handled", vec![bytes(1000)], 200),
        ("handled, and long", vec![bytes(9 * SHORT)], 200),
        ("not proved", vec![bytes(1000), last("!")], 401),
        ("long and not proved", vec![bytes(9 * SHORT), last("!")], 401),
        ("broken off", vec![bytes(1000), Step::Fail], 400),
        ("late", vec![bytes(1000), for_ever()], 408),
        ("too long", vec![bytes(60 * SHORT), bytes(50 * SHORT)], 413),
        ("no room", vec![bytes(SHORT), bytes(66 * SHORT)], 503),
    ] {
        let budget = BodyBudget::new(128 * SHORT);
        let large = matches!(status, 503).then(|| {
            let mut large = send(&budget, Scripted::new([bytes(90 * SHORT), for_ever()]), &closed());
            assert!((&mut large).now_or_never().is_none());
            large
        });
        let before = budget.in_flight();
        let go = Arc::new(Semaphore::new(1));
        assert_eq!(send(&budget, Scripted::new(steps.clone()), &go).await.status(), status, "{what}");
        assert_eq!(budget.in_flight(), before, "{what}");
        drop(large);

        // And while it is handled, and when its sender hangs up amid it.
        let mut waiting = send(&budget, Scripted::new(steps), &closed());
        let answered = tokio::time::timeout(Duration::from_secs(1), &mut waiting).await;
        assert_eq!(budget.in_flight() > 0, answered.is_err(), "{what}");
        drop(waiting);
        assert_eq!(budget.in_flight(), 0, "{what}");
    }
}

#[tokio::test]
async fn receivers_and_layers_share_a_budget_and_have_one_of_their_own_without() {
    let full = BodyBudget::new(0);
    let transfer = || sealed(&aella(), TRANSFER);
    for (shared, limits_last, status) in [(None, false, 200), (Some(&full), false, 413), (Some(&full), true, 413)] {
        let mut receiver = Receiver::new("aella", aella()).clock(now());
        let mut verify = VerifyLayer::new(TestScheme { proves: true });
        if let Some(budget) = shared {
            receiver = receiver.body_budget(budget);
            verify = verify.limits(BodyLimits::default()).body_budget(budget);
        }
        if limits_last {
            verify = verify.limits(BodyLimits::default());
        }
        let service = receiver.dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| ());
        assert_eq!(service.oneshot(transfer()).await.unwrap().status(), status);
        let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
        let request = Request::post("/").header("x-token", "ok").body(Full::new(Bytes::from_static(b"x"))).unwrap();
        assert_eq!(verify.layer(inner).oneshot(request).await.unwrap().status(), status);
    }
}

#[derive(Clone, Debug)]
enum Move {
    Begin(Vec<usize>, u8),
    Advance(u64),
    LetGo,
    HangUp(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let begin = (prop::collection::vec(0..3 * SHORT, 0..6), 0..4u8).prop_map(|(frames, end)| Move::Begin(frames, end));
    let one = prop_oneof![
        4 => begin,
        2 => (0..15_000u64).prop_map(Move::Advance),
        1 => Just(Move::LetGo),
        1 => (0..8usize).prop_map(Move::HangUp),
    ];
    prop::collection::vec(one, 1..40)
}

/// Frames with a second between them, and an end: whole, not proved, broken off, or none.
fn body(frames: &[usize], end: u8) -> Scripted {
    let steps = frames.iter().flat_map(|length| [bytes(*length), Step::Wait(Duration::from_secs(1))]);
    let end = match end {
        0 => vec![],
        1 => vec![Step::Data(Bytes::from_static(b"!"))],
        2 => vec![Step::Fail],
        _ => vec![for_ever()],
    };
    Scripted::new(steps.chain(end))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever comes, waits, is refused, handled, late or hangs up: the budget is never passed, and all of it comes back.
    #[test]
    fn no_sequence_leaks(moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (budget, go) = (BodyBudget::new(16 * SHORT), closed());
            let mut answers: Vec<tokio::task::JoinHandle<Response<ResponseBody>>> = Vec::new();
            for step in moves {
                match step {
                    Move::Begin(frames, end) => answers.push(tokio::spawn(send(&budget, body(&frames, end), &go))),
                    Move::Advance(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
                    Move::LetGo => go.add_permits(1),
                    Move::HangUp(at) if at < answers.len() => answers.swap_remove(at).abort(),
                    Move::HangUp(_) => {}
                }
                tokio::task::yield_now().await;
                assert!(budget.in_flight() <= 16 * SHORT);
            }
            go.add_permits(answers.len());
            for answer in answers {
                drop(answer.await);
            }
            while budget.in_flight() > 0 {
                let soon = tokio::time::timeout(Duration::from_mins(1), pending::<()>()).await;
                assert!(soon.is_err() && budget.in_flight() == 0, "{} bytes are lost", budget.in_flight());
            }
        });
    }
}
