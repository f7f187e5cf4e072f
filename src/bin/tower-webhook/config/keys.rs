//! Secrets and key rings: from the file, the environment or another file, and never printed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tower_webhook::clock::Timestamp;
use tower_webhook::scheme::public_key;
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{ConfigError, ConfigErrorKind};

use super::reader::Section;

/// How the text of a key becomes bytes, where the key does not say.
#[derive(Clone, Copy)]
pub(crate) enum KeyText {
    Utf8,
    Hex,
    Base64,
    /// A public key in PEM or JWK.
    Public,
}

impl KeyText {
    pub(crate) fn secret(self, text: &str) -> Result<Secret, ConfigError> {
        match self {
            Self::Utf8 => Secret::utf8(text),
            Self::Hex => Secret::hex(text),
            Self::Base64 => Secret::base64(text),
            Self::Public => public_key(text),
        }
    }
}

/// The keys of an endpoint, and whether one of them may be short.
pub(crate) struct Keys {
    pub(crate) ring: KeyRing,
    pub(crate) short_allowed: bool,
}

/// Reads `keys = [...]`. A fault leaves `None`.
pub(crate) fn read(
    section: &Section<'_>,
    folder: &Path,
    default: KeyText,
    default_strip: Option<&str>,
    check: &dyn Fn(&KeyRing) -> Result<(), ConfigError>,
) -> Option<Keys> {
    if !section.has("keys") {
        let _ = section.sections("keys");
        section.fault("keys", "is missing", "write keys = [{ id = \"…\", value = \"…\" }], or env or file for value");
        return None;
    }
    let entries = section.sections("keys");
    let mut short_allowed = false;
    let keys: Vec<Option<Key>> = entries
        .iter()
        .map(|entry| {
            let key = read_key(entry, folder, default, default_strip);
            let short = entry.truth("dangerous_short").unwrap_or(false);
            short_allowed |= short;
            if let (Some(key), false) = (&key, short) {
                check_key(entry, key, check);
            }
            entry.finish();
            key
        })
        .collect();
    let keys: Vec<Key> = keys.into_iter().collect::<Option<_>>()?;
    match KeyRing::new(keys) {
        Ok(ring) => Some(Keys { ring, short_allowed }),
        Err(error) => {
            section.fault("keys", error, "write one to five keys, each with its own id");
            None
        }
    }
}

fn check_key(entry: &Section<'_>, key: &Key, check: &dyn Fn(&KeyRing) -> Result<(), ConfigError>) {
    let Err(error) = KeyRing::new([key.clone()]).and_then(|ring| check(&ring)) else { return };
    let right = match error.kind() {
        ConfigErrorKind::ShortSecret { .. } => {
            "take a longer secret, or say dangerous_short = true where the sender's is short"
        }
        _ => "check the key and its encoding",
    };
    entry.fault("value", error, right);
}

fn read_key(entry: &Section<'_>, folder: &Path, default: KeyText, default_strip: Option<&str>) -> Option<Key> {
    let id = entry.needed("id", "name the key, for the log: id = \"2026-11\"");
    let encoding = match entry.text("encoding") {
        None => Some(default),
        Some("utf8") => Some(KeyText::Utf8),
        Some("hex") => Some(KeyText::Hex),
        Some("base64") => Some(KeyText::Base64),
        Some("pem" | "jwk") => Some(KeyText::Public),
        Some(_) => {
            entry.fault("encoding", "is not known", "write \"utf8\", \"hex\", \"base64\", \"pem\" or \"jwk\"");
            None
        }
    };
    let strip = entry.text("strip").or(default_strip);
    let (not_before, mut not_after) = (time(entry, "not_before"), time(entry, "not_after"));
    if let (Some(start), Some(end)) = (not_before, not_after)
        && end <= start
    {
        entry.fault("not_after", "does not lie behind not_before", "write a later time, or leave one of them out");
        // Said once is enough.
        not_after = None;
    }
    let text = secret_text(entry, folder)?;
    if !is_public(default, encoding, &text) {
        warn_of_readers(entry, folder);
    }
    let text = strip.and_then(|prefix| text.strip_prefix(prefix)).unwrap_or(&text);
    let secret = match encoding?.secret(text) {
        Ok(secret) => secret,
        Err(error) => {
            entry.fault("value", error, "check the key, its encoding and what is stripped from it");
            return None;
        }
    };
    let mut key = Key::new(id?, secret);
    if let Some(time) = not_before {
        key = key.not_before(time);
    }
    if let Some(time) = not_after {
        key = key.not_after(time);
    }
    Some(key)
}

pub(super) fn time(entry: &Section<'_>, key: &'static str) -> Option<Timestamp> {
    let text = entry.time_text(key)?;
    let time = text.parse().ok();
    if time.is_none() {
        entry.fault(key, "is not a time", "write it as \"2026-12-01T00:00:00Z\"");
    }
    time
}

/// Whether everybody may know this key.
fn is_public(default: KeyText, encoding: Option<KeyText>, text: &str) -> bool {
    matches!((default, encoding), (KeyText::Public, _) | (_, Some(KeyText::Public))) || text.starts_with("whpk_")
}

/// Warns of a file with a secret that others than its owner may read.
pub(super) fn warn_of_readers(entry: &Section<'_>, folder: &Path) {
    let Some(file) = entry.plain_text("file") else { return };
    let mode = std::fs::metadata(folder.join(file)).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o044 != 0) {
        entry.warn("file", format_args!("{file} holds a secret, and others may read it: chmod go-rwx"));
    }
}

/// The text of a secret from exactly one of `value`, `env` and `file`.
pub(crate) fn secret_text(entry: &Section<'_>, folder: &Path) -> Option<String> {
    let given = (entry.text("value"), entry.text("env"), entry.text("file"));
    match given {
        (Some(value), None, None) => Some(value.to_owned()),
        (None, Some(name), None) => match std::env::var(name) {
            Ok(value) => Some(value),
            Err(_) => {
                entry.fault("env", format_args!("{name} is not set"), "set it in the environment of the program");
                None
            }
        },
        (None, None, Some(file)) => match std::fs::read_to_string(folder.join(file)) {
            Ok(text) => Some(
                text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text).to_owned(),
            ),
            Err(error) => {
                entry.fault(
                    "file",
                    format_args!("{file} cannot be read: {error}"),
                    "give a path from the folder of this file",
                );
                None
            }
        },
        _ => {
            entry.fault("value", "a secret comes from one place", "write one of value, env and file");
            None
        }
    }
}
