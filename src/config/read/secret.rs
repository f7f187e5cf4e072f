//! Keys, credentials and other secrets: where they come from, not what they are.

use std::path::Path;

use super::section::Section;
use crate::config::spec::{CredentialsSpec, KeyEncoding, KeySpec, SecretSource};

/// What stands for a secret of which nothing could be read.
pub(super) fn unread() -> SecretSource {
    SecretSource::value("")
}

/// A secret from exactly one of `value`, `env` and `file`, which stand in this table.
fn source(entry: &Section<'_>, folder: &Path) -> SecretSource {
    match (entry.text("value"), entry.text("env"), entry.text("file")) {
        (Some(value), None, None) => SecretSource::value(value),
        (None, Some(name), None) => SecretSource::Env(name.to_owned()),
        (None, None, Some(file)) => SecretSource::File(folder.join(file)),
        _ => {
            entry.fault("value", "a secret comes from one place", "write one of value, env and file");
            unread()
        }
    }
}

/// A secret under a key of its own: a text, or a table that names its source.
pub(super) fn named_secret(
    section: &Section<'_>,
    key: &'static str,
    folder: &Path,
    right: &str,
) -> Option<SecretSource> {
    // A variable that names a source is all of the secret, whatever source the file names.
    let entry = match section.overriding(key) {
        Some(entry) => entry,
        None => {
            if let Some(text) = section.plain_text(key) {
                return Some(SecretSource::value(text));
            }
            if !section.has(key) {
                section.fault(key, "is missing", right);
            }
            section.section_or(key, &format!("write {key} = \"…\", or {{ env = \"…\" }}, or value or file for env"))?
        }
    };
    let source = source(&entry, folder);
    entry.finish();
    Some(source)
}

pub(super) fn keys(section: &Section<'_>, folder: &Path) -> Vec<KeySpec> {
    section.sections("keys").iter().map(|entry| key(entry, folder)).collect()
}

fn key(entry: &Section<'_>, folder: &Path) -> KeySpec {
    let id = entry.needed("id", "name the key, for the log: id = \"2026-11\"").unwrap_or_default();
    let mut key = KeySpec::new(id, source(entry, folder));
    let encodings = |text: &str| match text {
        "utf8" => Some(Some(KeyEncoding::Utf8)),
        "hex" => Some(Some(KeyEncoding::Hex)),
        "base64" => Some(Some(KeyEncoding::Base64)),
        "pem" | "jwk" => Some(Some(KeyEncoding::Public)),
        _ => None,
    };
    key.encoding = entry.word("encoding", None, encodings, "write \"utf8\", \"hex\", \"base64\", \"pem\" or \"jwk\"");
    key.strip = entry.text("strip").map(str::to_owned);
    (key.not_before, key.not_after) = (entry.time("not_before"), entry.time("not_after"));
    key.dangerous_short = entry.truth("dangerous_short").unwrap_or(false);
    entry.finish();
    key
}

pub(super) fn credentials(section: &Section<'_>, folder: &Path) -> Vec<CredentialsSpec> {
    section.sections("basic_auth").iter().map(|entry| pair(entry, folder)).collect()
}

fn pair(entry: &Section<'_>, folder: &Path) -> CredentialsSpec {
    let username = entry.needed("username", "write username and password").unwrap_or("unread");
    let right = "write password = { env = \"…\" }, or value or file for env";
    let password = named_secret(entry, "password", folder, right);
    entry.finish();
    CredentialsSpec::new(username, password.unwrap_or_else(unread))
}
