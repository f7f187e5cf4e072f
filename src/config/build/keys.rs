//! Key rings.

use super::secret;
use crate::config::fault::Place;
use crate::config::spec::{KeyEncoding, KeySpec};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::scheme::public_key;
use crate::secret::{Key, KeyRing, Secret};

/// The keys of an endpoint, and whether one of them may be short.
pub(super) struct Keys {
    pub(super) ring: KeyRing,
    pub(super) may_be_short: bool,
}

/// How a provider writes its keys, where a key does not say otherwise.
#[derive(Clone, Copy)]
pub(super) struct Usual {
    pub(super) encoding: KeyEncoding,
    pub(super) strip: Option<&'static str>,
}

impl From<KeyEncoding> for Usual {
    fn from(encoding: KeyEncoding) -> Self {
        Self { encoding, strip: None }
    }
}

/// Builds a ring. Each key is put to the test by itself, so that it is known which one is wrong.
pub(super) fn ring(
    keys: &[KeySpec],
    place: &Place<'_>,
    usual: Usual,
    test: &dyn Fn(&KeyRing) -> Result<(), ConfigError>,
) -> Option<Keys> {
    if keys.is_empty() {
        place.fault("keys", "is missing", "write keys = [{ id = \"…\", value = \"…\" }], or env or file for value");
        return None;
    }
    let one = |(at, spec): (usize, &KeySpec)| {
        let place = place.item("keys", at);
        let key = key(spec, &place, usual)?;
        (spec.dangerous_short || passes(&key, &place, test)).then_some(key)
    };
    let all: Vec<Option<Key>> = keys.iter().enumerate().map(one).collect();
    let ring = KeyRing::new(all.into_iter().collect::<Option<Vec<Key>>>()?);
    let ring = place.sound("keys", ring, "write one to five keys, each with its own id")?;
    Some(Keys { ring, may_be_short: keys.iter().any(|key| key.dangerous_short) })
}

fn passes(key: &Key, place: &Place<'_>, test: &dyn Fn(&KeyRing) -> Result<(), ConfigError>) -> bool {
    let Err(error) = KeyRing::new([key.clone()]).and_then(|ring| test(&ring)) else { return true };
    let right = match error.kind() {
        ConfigErrorKind::ShortSecret { .. } => {
            "take a longer secret, or say dangerous_short = true where the sender's is short"
        }
        _ => "check the key and its encoding",
    };
    place.fault("value", error, right);
    false
}

fn key(spec: &KeySpec, place: &Place<'_>, usual: Usual) -> Option<Key> {
    let (not_before, mut not_after) = (spec.not_before, spec.not_after);
    if not_before.zip(not_after).is_some_and(|(start, end)| end <= start) {
        place.fault("not_after", "does not lie behind not_before", "write a later time, or leave one of them out");
        // Said once is enough.
        not_after = None;
    }
    let text = secret::text(&spec.secret, place)?;
    let text = text.expose();
    let encoding = spec.encoding.unwrap_or(usual.encoding);
    let is_public = [encoding, usual.encoding].contains(&KeyEncoding::Public) || text.starts_with("whpk_");
    if !is_public {
        secret::warn_of_readers(&spec.secret, place);
    }
    let strip = spec.strip.as_deref().or(usual.strip).unwrap_or_default();
    let secret = bytes(encoding, text.strip_prefix(strip).unwrap_or(text));
    let right = "check the key, its encoding and what is stripped from it";
    let mut key = Key::new(spec.id.as_str(), place.sound("value", secret, right)?);
    if let Some(time) = not_before {
        key = key.not_before(time);
    }
    if let Some(time) = not_after {
        key = key.not_after(time);
    }
    Some(key)
}

fn bytes(encoding: KeyEncoding, text: &str) -> Result<Secret, ConfigError> {
    match encoding {
        KeyEncoding::Utf8 => Secret::utf8(text),
        KeyEncoding::Hex => Secret::hex(text),
        KeyEncoding::Base64 => Secret::base64(text),
        KeyEncoding::Public => public_key(text),
    }
}
