//! A key that was completed with another payload: refused, or acknowledged with an alarm where the route says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Response;
use tower::ServiceExt as _;
use tower_webhook::gate::ResponseBody;
use tower_webhook::idempotency::Mismatch;
use tower_webhook::provider::{Provider, sibs::Sibs};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{BATCH, TRANSFER, aella, bank, now, read, sealed};
use crate::support::{Log, kind};

const PAYMENT: &str = include_str!("../fixtures/sibs/payment.json");

/// Answers of one receiver to these bodies, one after the other, and how often its handler ran.
async fn answers<P>(provider: fn() -> P, policy: Mismatch, bodies: &[&str]) -> (Vec<Response<ResponseBody>>, usize)
where
    P: Provider,
    P::Event: Clone + Send + Sync + 'static,
{
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let receiver = Receiver::new("shop", provider()).clock(now()).settings(|s| s.on_mismatch(policy)).unwrap();
    let service = receiver.dedupe(MemoryStore::new(100)).handle(move |_: Received<P::Event>| {
        counted.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    let mut answers = Vec::new();
    for body in bodies {
        answers.push(service.clone().oneshot(sealed(&provider(), (*body).to_owned())).await.unwrap());
    }
    (answers, runs.load(Ordering::SeqCst))
}

/// The same key with another amount.
fn other_transfer() -> String {
    let other = TRANSFER.replacen("\"amount\": ", "\"amount\": 1", 1);
    assert_ne!(other, TRANSFER);
    other
}

#[tokio::test(start_paused = true)]
async fn another_payload_is_refused_unless_the_route_says_otherwise() {
    let log = Log::capture();
    for (policy, status, alarms) in [(Mismatch::Refuse, 422, 0), (Mismatch::AcknowledgeUnhandled, 200, 1)] {
        let before = log.text().matches("acknowledged and not handled").count();
        let (mut answers, runs) = answers(aella, policy, &[TRANSFER, &other_transfer(), TRANSFER]).await;
        assert_eq!(runs, 1, "{policy:?}");
        let repeat = answers.pop().unwrap();
        let other = answers.pop().unwrap();
        let rejection = other.extensions().get::<Rejection>().unwrap();
        assert_eq!((rejection.kind(), rejection.receiver()), (RejectionKind::PayloadMismatch, Some("shop")));
        assert_eq!(read(other).await, (status, false, String::new()), "{policy:?}");
        assert_eq!((kind(&repeat), read(repeat).await.1), (None, true), "{policy:?}: the first is still known");
        let text = log.text();
        assert_eq!(text.matches("acknowledged and not handled").count() - before, alarms, "{policy:?}: {text}");
    }
    let text = log.text();
    let line = text.lines().find(|line| line.contains("acknowledged and not handled")).unwrap();
    assert!(line.starts_with("ERROR") && line.contains("receiver=\"shop\"") && line.contains("key=\""), "{line}");
    assert!(!text.contains("7b129bdd"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn in_a_batch_the_others_run_and_the_alarm_goes_along() {
    let other = BATCH.replacen("1250.35", "1250.36", 1);
    assert_ne!(other, BATCH);
    for (policy, status) in [(Mismatch::Refuse, 422), (Mismatch::AcknowledgeUnhandled, 200)] {
        let (answers, runs) = answers(bank, policy, &[BATCH, &other]).await;
        assert_eq!(answers[0].status(), 200, "{policy:?}");
        assert_eq!((kind(&answers[0]), runs), (None, 12), "{policy:?}");
        let told = (answers[1].status().as_u16(), kind(&answers[1]));
        assert_eq!(told, (status, Some(RejectionKind::PayloadMismatch)), "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_reads_a_body_gets_its_own() {
    let sibs = || Sibs::new(Secret::base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap()).unwrap();
    let other = PAYMENT.replacen("\"Success\"", "\"Declined\"", 1);
    assert_ne!(other, PAYMENT);
    let (mut answers, runs) = answers(sibs, Mismatch::AcknowledgeUnhandled, &[PAYMENT, &other]).await;
    let (second, first) = (answers.pop().unwrap(), answers.pop().unwrap());
    assert_eq!((runs, kind(&first), kind(&second)), (1, None, Some(RejectionKind::PayloadMismatch)));
    let (first, second) = (read(first).await, read(second).await);
    assert!(first.2.contains("notificationID"), "{first:?}");
    assert_eq!(first, second);
}
