//! What a record is made of, whoever writes it: a script, or the first word of a claim.

use std::time::Duration;

use super::super::Terms;
use crate::delivery::{Fingerprint, KeyHash};

/// Longer durations count as this one, so that no sum of times passes what a double holds exactly.
const MAX_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A fingerprint that belongs to one key: the same event under another key has another.
pub(super) type Mark = [u8; 16];

pub(super) fn mark(key: &KeyHash, fingerprint: &Fingerprint) -> Mark {
    let mut mark = *fingerprint.as_bytes();
    for (byte, of_key) in mark.iter_mut().zip(key.as_bytes()) {
        *byte ^= of_key;
    }
    mark
}

/// How long the record of a claim lives, in milliseconds.
pub(super) fn life(terms: &Terms) -> u64 {
    millis(terms.retention).max(millis(terms.lease)).max(1)
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.min(MAX_TIME).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_has_another_mark_under_another_key() {
        let event = Fingerprint::of(b"event");
        let mut other = [7; 32];
        other[15] ^= 1;
        assert_ne!(mark(&KeyHash::from_bytes([7; 32]), &event), mark(&KeyHash::from_bytes(other), &event));
        assert_ne!(
            mark(&KeyHash::from_bytes([7; 32]), &event),
            mark(&KeyHash::from_bytes([7; 32]), &Fingerprint::of(b"other"))
        );
    }
}
