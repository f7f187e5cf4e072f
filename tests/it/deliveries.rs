//! What several test files need: keys, fixtures, sealed requests, and a look at answers.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower_webhook::clock::{NoEntropy, Timestamp};
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::BankingCircle;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;

pub(crate) const TRANSFER: &str = include_str!("../fixtures/aella/transfer.completed.json");
pub(crate) const BATCH: &str = include_str!("../fixtures/banking-circle/batch.json");

pub(crate) fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub(crate) fn aella() -> Aella {
    Aella::new(Secret::utf8("ae_sk_test_example").unwrap()).unwrap()
}

pub(crate) fn bank() -> BankingCircle {
    BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars").unwrap()).unwrap()
}

/// Counts instead of drawing: never the same bytes twice in one run.
pub(crate) fn counting(out: &mut [u8]) -> Result<(), NoEntropy> {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let next = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = next[at % 8];
    }
    Ok(())
}

/// A request as the provider would send it.
pub(crate) fn sealed(provider: &impl Provider, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    provider.seal(Message::new(body), &Sealing::new(now(), &counting)).unwrap().map(Full::new)
}

/// Status, whether it is a repeat's answer, and the body's text.
pub(crate) async fn read<B>(response: Response<B>) -> (u16, bool, String)
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let status = response.status().as_u16();
    let replayed = response.headers().get("idempotent-replayed").is_some_and(|value| value == "true");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, replayed, String::from_utf8(body.to_vec()).unwrap())
}
