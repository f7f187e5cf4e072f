//! Key rings.

use super::secret;
use crate::clock::Timestamp;
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
    /// Whether a key may say that it is short.
    pub(super) may_be_short: bool,
}

impl From<KeyEncoding> for Usual {
    fn from(encoding: KeyEncoding) -> Self {
        Self { encoding, strip: None, may_be_short: false }
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
    let is_number = check_number(keys, place);
    let one = |(at, spec): (usize, &KeySpec)| {
        let place = place.item("keys", at);
        let is_own = check_id(spec, keys.iter().take(at), &place);
        let may_be_short = check_short(spec, usual, &place);
        let key = key(spec, &place, usual)?;
        let passes = may_be_short || passes(&key, spec, &place, usual, test);
        (is_own && passes).then_some(key)
    };
    let all: Vec<Option<Key>> = keys.iter().enumerate().map(one).collect();
    let all = all.into_iter().collect::<Option<Vec<Key>>>().filter(|_| is_number)?;
    let ring = place.sound("keys", KeyRing::new(all), "write one to five keys, each with its own id")?;
    Some(Keys { ring, may_be_short: keys.iter().any(|key| key.dangerous_short) })
}

/// Looks at keys without a provider, by which they would be judged.
pub(super) fn alone(keys: &[KeySpec], place: &Place<'_>) {
    check_number(keys, place);
    for (at, spec) in keys.iter().enumerate() {
        let place = place.item("keys", at);
        check_id(spec, keys.iter().take(at), &place);
        ends(spec, &place);
        let Some(text) = secret::text(&spec.secret, &place) else { continue };
        // Any text may be right that is there.
        let encoding = spec.encoding.or(text.expose().is_empty().then_some(KeyEncoding::Utf8));
        if let Some(encoding) = encoding {
            decoded(spec, text.expose(), encoding, spec.strip.as_deref(), &place);
        }
    }
}

fn check_number(keys: &[KeySpec], place: &Place<'_>) -> bool {
    const MOST: usize = KeyRing::MAX;
    if keys.len() > MOST {
        place.fault("keys", format_args!("more than {MOST} keys"), format_args!("write one to {MOST} keys"));
    }
    keys.len() <= MOST
}

/// Whether a key has an id of its own.
fn check_id<'a>(spec: &KeySpec, mut earlier: impl Iterator<Item = &'a KeySpec>, place: &Place<'_>) -> bool {
    let wrong = match spec.id.as_str() {
        "" => "is empty".to_owned(),
        id if earlier.any(|key| key.id == id) => format!("{id:?} stands twice"),
        _ => return true,
    };
    place.fault("id", wrong, "give each key its own, such as \"2026-11\"");
    false
}

/// Whether a key may be short, which is a fault to say where none may be.
fn check_short(spec: &KeySpec, usual: Usual, place: &Place<'_>) -> bool {
    if spec.dangerous_short && !usual.may_be_short {
        let right = "leave it out: this provider's keys have a fixed length or at least 16 bytes";
        place.fault("dangerous_short", "is not taken here", right);
    }
    spec.dangerous_short && usual.may_be_short
}

fn passes(
    key: &Key,
    spec: &KeySpec,
    place: &Place<'_>,
    usual: Usual,
    test: &dyn Fn(&KeyRing) -> Result<(), ConfigError>,
) -> bool {
    let Err(error) = KeyRing::new([key.clone()]).and_then(|ring| test(&ring)) else { return true };
    let right = match error.kind() {
        ConfigErrorKind::ShortSecret { .. } if usual.may_be_short => {
            "take a longer secret, or say dangerous_short = true where the sender's is short"
        }
        ConfigErrorKind::ShortSecret { .. } => "take a longer secret",
        _ => "check the key and its encoding",
    };
    place.fault(spec.secret.key(), error, right);
    false
}

fn key(spec: &KeySpec, place: &Place<'_>, usual: Usual) -> Option<Key> {
    let not_after = ends(spec, place);
    let text = secret::text(&spec.secret, place)?;
    let text = text.expose();
    let encoding = spec.encoding.unwrap_or(usual.encoding);
    let is_public = [encoding, usual.encoding].contains(&KeyEncoding::Public) || text.starts_with("whpk_");
    if !is_public {
        secret::warn_of_readers(&spec.secret, place);
    }
    let secret = decoded(spec, text, encoding, spec.strip.as_deref().or(usual.strip), place)?;
    let mut key = Key::new(spec.id.as_str(), secret);
    if let Some(time) = spec.not_before {
        key = key.not_before(time);
    }
    if let Some(time) = not_after {
        key = key.not_after(time);
    }
    Some(key)
}

/// When a key ends. One that would end before it begins is a fault, which is said once: it ends never.
fn ends(spec: &KeySpec, place: &Place<'_>) -> Option<Timestamp> {
    if spec.not_before.zip(spec.not_after).is_some_and(|(start, end)| end <= start) {
        place.fault("not_after", "does not lie behind not_before", "write a later time, or leave one of them out");
        return None;
    }
    spec.not_after
}

fn decoded(
    spec: &KeySpec,
    text: &str,
    encoding: KeyEncoding,
    strip: Option<&str>,
    place: &Place<'_>,
) -> Option<Secret> {
    let secret = bytes(encoding, text.strip_prefix(strip.unwrap_or_default()).unwrap_or(text));
    place.sound(spec.secret.key(), secret, "check the key, its encoding and what is stripped from it")
}

fn bytes(encoding: KeyEncoding, text: &str) -> Result<Secret, ConfigError> {
    match encoding {
        KeyEncoding::Utf8 => Secret::utf8(text),
        KeyEncoding::Hex => Secret::hex(text),
        KeyEncoding::Base64 => Secret::base64(text),
        KeyEncoding::Public => public_key(text),
    }
}
