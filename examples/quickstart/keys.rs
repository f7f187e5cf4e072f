//! The keys that both sides know. They are examples, and protect nothing.

use std::time::Duration;

use tower_webhook::clock::{Clock as _, SystemClock, Timestamp};
use tower_webhook::error::BoxError;
use tower_webhook::secret::{Key, KeyRing, Secret};

use crate::common::Who;

pub(crate) const MAMBU_USER: &str = "mambu";
pub(crate) const MAMBU_PASSWORD: &str = "correct: horse battery";

/// Which of a provider's keys seals a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    Current,
    /// Replaced, and still valid for a day.
    Previous,
    /// Not valid since an hour ago.
    Expired,
    /// Not one of ours.
    Strange,
}

/// A key of a provider that has keys.
pub(crate) fn secret(who: Who, which: Which) -> Result<Secret, BoxError> {
    let letter = match which {
        Which::Current => "c",
        Which::Previous => "b",
        Which::Expired => "a",
        Which::Strange => "f",
    };
    Ok(match (who, which) {
        (Who::Mambu, Which::Current) => Secret::utf8(MAMBU_PASSWORD)?,
        // The keys of the vectors in `tests/fixtures/vectors.json`.
        (Who::Aella, Which::Current) => Secret::utf8("ae_sk_test_example")?,
        (Who::Opp, Which::Current) => Secret::bytes([(0..16).collect::<Vec<u8>>(), (0..16).collect()].concat())?,
        (Who::Bank, Which::Current) => Secret::utf8("sim-bc-notification-key-32-chars")?,
        (Who::Opp, _) => Secret::hex(letter.repeat(64))?,
        (Who::Mambu | Who::Aella | Who::Bank, _) => Secret::utf8(letter.repeat(32))?,
    })
}

/// What a receiver knows in the middle of a rotation.
pub(crate) fn ring(who: Who) -> Result<KeyRing, BoxError> {
    let now = now()?;
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    Ok(KeyRing::new([
        Key::new("current", secret(who, Which::Current)?),
        Key::new("previous", secret(who, Which::Previous)?).not_after(now + hours(24)),
        Key::new("expired", secret(who, Which::Expired)?).not_after(now - hours(1)),
    ])?)
}

pub(crate) fn now() -> Result<Timestamp, BoxError> {
    SystemClock.now().ok_or_else(|| "the clock failed".into())
}
