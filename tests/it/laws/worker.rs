//! One of several who want the same keys, and do with them what deliveries do.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tower_webhook::delivery::KeyHash;
use tower_webhook::idempotency::{DedupeStore, StoreErrorKind};

use super::history::{History, Recorded};
use super::model::{Answer, Call};
use super::stand::{EVENT, ask};

/// Small and with a seed, so that a storm can be raised again, as far as threads allow.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % sides
    }
}

pub(crate) struct Worker<S> {
    number: u8,
    store: Arc<Recorded<S>>,
    dice: Dice,
    tokens: u64,
    /// Leases and pauses are 20 to 320 of it.
    unit: Duration,
    pass: fn(Duration) -> BoxFuture<'static, ()>,
}

impl<S: DedupeStore> Worker<S> {
    pub(crate) fn new(
        number: u8,
        store: Arc<Recorded<S>>,
        seed: u64,
        unit: Duration,
        pass: fn(Duration) -> BoxFuture<'static, ()>,
    ) -> Self {
        Self { number, store, dice: Dice(seed.wrapping_add(number.into())), tokens: 0, unit, pass }
    }

    pub(crate) fn history(&self) -> History {
        self.store.history.clone()
    }

    fn time(&mut self) -> Duration {
        self.unit * u32::try_from(20 + self.dice.below(300)).expect("a small number")
    }

    /// A call, again with the same token when nobody knows what became of it.
    async fn call(&self, key: &KeyHash, call: &Call) -> Option<Answer> {
        for _ in 0..2 {
            match ask(&*self.store, key, call).await {
                Ok(answer) => return Some(answer),
                Err(error) if matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout) => {}
                Err(other) => panic!("{call:?} of {key:?}: {other}"),
            }
        }
        None
    }

    /// One delivery, of six calls at most: claims the key and does with it what deliveries do.
    pub(crate) async fn deliver(&mut self, key: &KeyHash, retention: Duration) {
        self.tokens += 1;
        let answer = self.tokens << 8 | u64::from(self.number);
        let token = u128::from(answer);
        let event = if self.dice.below(20) == 0 { 2 } else { EVENT };
        let most = (self.dice.below(8) == 0).then_some(2);
        let claim = Call::Claim { token, event, lease: self.time(), retention, most };
        match self.call(key, &claim).await {
            Some(Answer::Acquired(_) | Answer::AcquiredOther(_)) => {}
            Some(Answer::InFlight(_)) | None => return self.pass().await,
            _ => return,
        }
        if self.dice.below(2) == 0 {
            let lease = self.time();
            self.call(key, &Call::Renew { token, lease }).await;
        }
        if self.dice.below(2) == 0 {
            self.pass().await;
        }
        match self.dice.below(8) {
            0..5 => {
                let delay = self.time() / 4;
                self.call(key, &Call::Release { token, delay }).await;
            }
            5..7 => {
                self.call(key, &Call::Complete { token, answer, retention }).await;
            }
            _ => {}
        }
    }

    /// What the key has come to.
    #[cfg(feature = "redis")]
    pub(crate) async fn look(&mut self, key: &KeyHash, retention: Duration) -> Option<Answer> {
        self.tokens += 1;
        let token = u128::from(self.tokens << 8 | u64::from(self.number));
        let lease = self.time();
        self.call(key, &Call::Claim { token, event: EVENT, lease, retention, most: None }).await
    }

    async fn pass(&mut self) {
        let time = self.time();
        (self.pass)(time).await;
    }
}
