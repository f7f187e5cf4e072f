//! What stands in for a store where a receiver was built to do without one.

use std::time::Duration;

use super::store::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};

/// The state of a receiver that does without a store: grants every claim and remembers nothing. Its fence is 0, which no store gives out and no handler sees.
#[derive(Clone, Copy, Debug)]
pub struct WithoutDedupe;

impl DedupeStore for WithoutDedupe {
    fn token(&self, _: &dyn Entropy) -> Result<Token, NoEntropy> {
        Ok(Token::from_bytes([0; 16]))
    }

    async fn claim(&self, _: &KeyHash, _: &Token, _: &Fingerprint, _: &Terms) -> Result<Claim, StoreError> {
        Ok(Claim::Acquired { fence: 0, other_payload: false })
    }

    async fn renew(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Ok(Held::Ok)
    }

    async fn complete(&self, _: &KeyHash, _: &Token, _: &StoredResponse, _: Duration) -> Result<Held, StoreError> {
        Ok(Held::Ok)
    }

    async fn release(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Ok(Held::Ok)
    }
}
