//! What a store sees of an event: 32 bytes of hash, and nothing personal.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::provider::{EventKey, Identity};

/// SHA-256 over length-prefixed tenant, provider, receiver's name and event key: what a store is asked for.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key of these bytes, for stores and tests.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Half of it is enough to tell keys apart.
impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.first_chunk::<16>().hash(state);
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({})", faster_hex::Hex::new(self.0.get(..4).unwrap_or_default()))
    }
}

/// Where keys are told apart: tenant or application, provider, and the receiver's name.
///
/// Two receivers that get the same notification share one effect when they share this, and have one each when not.
#[derive(Clone, Debug)]
pub struct Namespace(Sha256State);

#[derive(Clone)]
struct Sha256State(Arc<Sha256>);

impl fmt::Debug for Sha256State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Namespace {
    /// The namespace of a tenant or application (may be empty), a provider and a receiver's name.
    #[must_use]
    pub fn new(tenant: &str, provider: &str, receiver: &str) -> Self {
        let mut state = Sha256::new();
        for part in [tenant, provider, receiver] {
            state.update((part.len() as u64).to_be_bytes());
            state.update(part.as_bytes());
        }
        Self(Sha256State(Arc::new(state)))
    }

    /// The namespace of one tenant within this one.
    #[must_use]
    pub fn of_tenant(&self, tenant: &str) -> Self {
        let mut state = Sha256::clone(&self.0.0);
        state.update((tenant.len() as u64).to_be_bytes());
        state.update(tenant.as_bytes());
        Self(Sha256State(Arc::new(state)))
    }

    /// The store's key of an event.
    #[must_use]
    pub fn key(&self, event: &EventKey) -> KeyHash {
        let mut state = Sha256::clone(&self.0.0);
        state.update((event.as_str().len() as u64).to_be_bytes());
        state.update(event.as_str().as_bytes());
        KeyHash(state.finalize().into())
    }
}

/// What an event says, in 16 bytes: the same key with another fingerprint is another event.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of an event's identity: its 16 bytes.
    #[must_use]
    pub fn of(identity: impl Into<Identity>) -> Self {
        Self(*identity.into().as_bytes())
    }

    /// A fingerprint of these bytes, for stores and tests.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The fingerprint's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", faster_hex::Hex::new(self.0.get(..4).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_letter_over_a_border_makes_another_key() {
        let event = EventKey::of(&["e"]);
        let keys: std::collections::HashSet<_> =
            [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("", "abc", "d")]
                .iter()
                .map(|(tenant, provider, receiver)| Namespace::new(tenant, provider, receiver).key(&event))
                .collect();
        assert_eq!(keys.len(), 4);
    }

    #[test]
    fn tenants_of_a_receiver_are_apart_from_each_other_and_from_the_receiver() {
        let namespace = Namespace::new("", "aella", "ng");
        let event = EventKey::of(&["e"]);
        let keys: std::collections::HashSet<_> = [
            namespace.key(&event),
            namespace.of_tenant("").key(&event),
            namespace.of_tenant("a").key(&event),
            namespace.of_tenant("ae").key(&EventKey::of(&[""])),
            namespace.of_tenant("a").of_tenant("e").key(&EventKey::of(&[""])),
        ]
        .into();
        assert_eq!(keys.len(), 5);
    }

    #[test]
    fn the_key_is_the_documented_hash() {
        let key = Namespace::new("", "aella", "ng").key(&EventKey::of(&["x"]));
        let mut text = Vec::new();
        for part in ["", "aella", "ng", "x"] {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        assert_eq!(key.as_bytes()[..], Sha256::digest(&text)[..]);
    }
}
