//! What a sealed payload looks like: five bytes that say what it is, the key's id after its length, the event's key and
//! fingerprint, a nonce, the ciphertext, its tag.

use std::fmt;
use std::sync::Arc;

use ::aes_gcm::aead::AeadInOut;
use ::aes_gcm::{Aes256Gcm, KeyInit};
use bytes::Bytes;
use jiff::Timestamp;

use super::super::store::{NewEvent, Stored};
use crate::clock::Entropy;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::secret::{KeyRing, PreparedKeys};

/// So many may one key seal.
pub(super) const MOST: u64 = 1 << 32;

const MAGIC: &[u8; 5] = b"\0tws\x01";
/// Key and fingerprint.
const NAMES: usize = 32 + 16;
const NONCE: usize = 12;
const TAG: usize = 16;

/// Why a payload was not opened.
#[derive(Debug)]
pub(super) enum Unopened {
    /// It is not sealed.
    Plain,
    /// The key of this id is not there.
    KeyIsGone(String),
    /// It is another event's, or was changed.
    Changed,
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("its payload is not sealed"),
            Self::KeyIsGone(id) => write!(f, "the key that sealed its payload is gone: {id}"),
            Self::Changed => f.write_str("the seal of its payload does not fit: it was changed, or is another event's"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Seals(PreparedKeys<Aes256Gcm>);

impl Seals {
    pub(super) fn new(keys: &KeyRing) -> Result<Self, ConfigError> {
        let prepare = |key: &[u8]| {
            Aes256Gcm::new_from_slice(key)
                .map_err(|_| ConfigError::new(ConfigErrorKind::KeyLength { needed: 32, given: key.len() }))
        };
        keys.prepare(prepare).map(Self)
    }

    pub(super) fn seal(
        &self,
        event: &NewEvent,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(Arc<str>, Bytes), &'static str> {
        let keys = self.0.valid_at(now);
        let (id, cipher) = keys.iter().next().ok_or("no key is valid now that could seal it")?;
        let length = u8::try_from(id.len()).map_err(|_| "the id of the key that would seal it is too long")?;
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce).map_err(|_| "there is no randomness to seal it with")?;
        let head = [&MAGIC[..], &[length], id.as_bytes(), &names(event)].concat();
        let bound = bound(&head, [&event.receiver, &event.provider, &event.event, &event.readable_key]);
        let mut text = event.payload.to_vec();
        let tag = cipher
            .encrypt_inout_detached(&nonce.into(), &bound, text.as_mut_slice().into())
            .map_err(|_| "it is too long to be sealed")?;
        Ok((Arc::clone(id), [&head[..], &nonce, &text, &tag].concat().into()))
    }

    pub(super) fn open(&self, event: &NewEvent) -> Result<Bytes, Unopened> {
        let parts = Parts::of(&event.payload)?;
        if parts.names != names(event) {
            return Err(Unopened::Changed);
        }
        self.opened(&parts, [&event.receiver, &event.provider, &event.event, &event.readable_key])
    }

    /// Of an event whose key and fingerprint are not shown.
    pub(super) fn open_shown(&self, stored: &Stored, payload: &[u8]) -> Result<Bytes, Unopened> {
        self.opened(&Parts::of(payload)?, [&stored.receiver, &stored.provider, &stored.event, &stored.key])
    }

    fn opened(&self, parts: &Parts<'_>, texts: [&str; 4]) -> Result<Bytes, Unopened> {
        let keys = self.0.all();
        let mut all = keys.iter();
        let gone = || Unopened::KeyIsGone(String::from_utf8_lossy(parts.id).into_owned());
        let (_, cipher) = all.find(|(id, _)| id.as_bytes() == parts.id).ok_or_else(gone)?;
        let mut text = parts.text.to_vec();
        cipher
            .decrypt_inout_detached(
                &(*parts.nonce).into(),
                &bound(parts.head, texts),
                text.as_mut_slice().into(),
                &(*parts.tag).into(),
            )
            .map_err(|_| Unopened::Changed)?;
        Ok(text.into())
    }
}

struct Parts<'a> {
    head: &'a [u8],
    id: &'a [u8],
    names: [u8; NAMES],
    nonce: &'a [u8; NONCE],
    text: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Parts<'a> {
    fn of(payload: &'a [u8]) -> Result<Self, Unopened> {
        let rest = payload.strip_prefix(MAGIC).ok_or(Unopened::Plain)?;
        Self::after_magic(payload, rest).ok_or(Unopened::Changed)
    }

    fn after_magic(payload: &'a [u8], rest: &'a [u8]) -> Option<Self> {
        let (length, rest) = rest.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(*length))?;
        let (names, rest) = rest.split_first_chunk::<NAMES>()?;
        let head = payload.get(..payload.len().checked_sub(rest.len())?)?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (text, tag) = rest.split_last_chunk()?;
        Some(Self { head, id, names: *names, nonce, text, tag })
    }
}

fn names(event: &NewEvent) -> [u8; NAMES] {
    let mut names = [0; NAMES];
    let (key, fingerprint) = names.split_at_mut(32);
    key.copy_from_slice(event.key.as_bytes());
    fingerprint.copy_from_slice(event.fingerprint.as_bytes());
    names
}

/// What a seal is bound to: all before the nonce, and texts after their lengths.
fn bound(head: &[u8], texts: [&str; 4]) -> Vec<u8> {
    let mut bound = head.to_vec();
    for text in texts {
        bound.extend((text.len() as u64).to_be_bytes());
        bound.extend(text.as_bytes());
    }
    bound
}
