//! What is built of an endpoint's words, and the words that providers of every kind have in common.

use http::HeaderName;
use http::header::AUTHORIZATION;
use tower_webhook::ConfigError;
use tower_webhook::provider::Lookup;

use super::reader::Section;
use crate::any::AnyProvider;

/// A provider, and what the rest of the program has to know of its configuration.
pub(crate) struct Built {
    pub(crate) provider: AnyProvider,
    /// Headers that carry proofs or secrets, and are not forwarded.
    pub(crate) secret_headers: Vec<HeaderName>,
    /// Whether its events are JSON, whatever the content type says.
    pub(crate) is_json: bool,
    /// What would be right where nothing proves the sender.
    pub(crate) proof_hint: &'static str,
}

pub(super) fn built(provider: AnyProvider, secret_headers: impl IntoIterator<Item = HeaderName>) -> Option<Built> {
    let secret_headers = secret_headers.into_iter().chain([AUTHORIZATION]).collect();
    Some(Built {
        provider,
        secret_headers,
        is_json: true,
        proof_hint: "write basic_auth = [{ username = \"…\", password = { env = \"…\" } }]",
    })
}

/// Turns a constructor's error into a fault at this key.
pub(super) fn sound<T>(section: &Section<'_>, key: &str, result: Result<T, ConfigError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            section.fault(key, error, "see the documentation of this provider");
            None
        }
    }
}

/// `{ json = "/event" }`, `{ header = "x-event" }` or `{ fixed = "…" }`.
pub(super) fn lookup(section: &Section<'_>) -> Option<Lookup> {
    let given = (section.text("json"), section.text("header"), section.text("fixed"));
    let result = match given {
        (Some(pointer), None, None) => Lookup::json(pointer),
        (None, Some(name), None) => Lookup::header(name),
        (None, None, Some(text)) => Ok(Lookup::fixed(text)),
        _ => {
            section.fault(
                "json",
                "one place is to be named",
                "write { json = \"/pointer\" }, { header = \"name\" } or { fixed = \"text\" }",
            );
            return None;
        }
    };
    section.finish();
    match result {
        Ok(lookup) => Some(lookup),
        Err(error) => {
            section.fault("json", error, "write a JSON pointer such as \"/data/id\", or a header name");
            None
        }
    }
}

pub(super) fn header_name(section: &Section<'_>, key: &'static str) -> Option<HeaderName> {
    let text = section.text(key)?;
    let name = text.parse().ok();
    if name.is_none() {
        section.fault(key, format_args!("{text:?} is not a header name"), "write letters, digits and hyphens");
    }
    name
}
