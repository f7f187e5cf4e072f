//! Changes of the keys: out of their time, read in another encoding, another endpoint's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_webhook::clock::Timestamp;
use tower_webhook::config::{Endpoint, EndpointSpec, KeyEncoding, KeySpec, SecretSource, SecretText};
use tower_webhook::encoding::Encoding;

use super::change::Change;
use crate::explain::case::Case;
use crate::explain::report::Why;
use crate::explain::words;

/// More keys than this are not read anew.
const MAX_KEYS: usize = 40;
/// Where the library asks for a word of its own.
const SHORT: usize = 16;

/// What senders put in front of their keys. No other part of a key may be printed.
const PREFIXES: [&str; 4] = ["whsec_", "whsk_", "wsk_", "sk_"];

/// Why a key does not count at this time. `None` when it does.
pub(in crate::explain) fn validity(key: &KeySpec, at: Timestamp) -> Option<String> {
    match (key.not_before, key.not_after) {
        (Some(start), _) if at < start => Some(format!("which begins {}", words::from(at, start))),
        (_, Some(end)) if at > end => Some(format!("which ended {}", words::from(at, end))),
        _ => None,
    }
}

/// Each key that is not valid now, as if it were.
pub(super) fn out_of_time(case: &Case<'_>) -> Vec<Change> {
    let change = |key: &KeySpec| {
        let why = validity(key, case.at)?;
        let cause = format!("it fits the key {}, {why}", key.id);
        let why =
            Why::new(cause, "have the sender use a key that is valid, or change the key's not_before or not_after");
        let mut key = key.clone();
        (key.not_before, key.not_after) = (None, None);
        Some(Change::endpoint(why, with_key(&case.endpoint.spec, key)?))
    };
    case.endpoint.spec.keys.iter().filter_map(change).collect()
}

/// The endpoint with this key alone.
pub(super) fn with_key(endpoint: &EndpointSpec, key: KeySpec) -> Option<Endpoint> {
    let mut endpoint = endpoint.clone();
    endpoint.keys = vec![key];
    endpoint.build().ok()
}

/// Every key of this endpoint and of the others, in every reading, under this specification.
pub(super) fn under(case: &Case<'_>, spec: &EndpointSpec) -> Vec<Change> {
    let change = |(why, key)| Some(Change::endpoint(why, with_key(spec, key)?));
    readings(case).into_iter().filter_map(change).collect()
}

/// The keys whose text can be had, with it.
fn texts(endpoint: &Endpoint) -> impl Iterator<Item = (&KeySpec, SecretText)> {
    endpoint.spec.keys.iter().filter_map(|key| Some((key, key.secret.text().ok()?)))
}

/// Keys in every reading, and where each comes from.
fn readings(case: &Case<'_>) -> Vec<(Why, KeySpec)> {
    let mine = texts(case.endpoint).flat_map(|(key, text)| {
        let (id, when) = (&key.id, validity(key, case.at));
        let when = when.map(|when| format!(" ({when})")).unwrap_or_default();
        spellings(text.expose()).into_iter().map(move |Spelling { name, fix, bytes }| {
            let why = Why::new(format!("the key {id}{when} fits when it is read {name}"), fix);
            (why, key_of(id, &bytes))
        })
    });
    let theirs = case.others().flat_map(|other| {
        texts(other).take(MAX_KEYS).flat_map(|(key, text)| {
            let why = of_other(other, key);
            spellings(text.expose()).into_iter().map(move |spelling| (why.clone(), key_of(&key.id, &spelling.bytes)))
        })
    });
    mine.chain(theirs).take(MAX_KEYS * 10).collect()
}

/// A key that another endpoint of the file has.
pub(super) fn of_other(other: &Endpoint, key: &KeySpec) -> Why {
    let (path, id) = (other.path(), &key.id);
    Why::new(
        format!("it fits the key {id} of {path}: wrong environment?"),
        format!("give both sides the same key, or send it to {path}"),
    )
}

/// A key in which nothing is left to be read in two ways.
fn key_of(id: &str, bytes: &[u8]) -> KeySpec {
    let mut key = KeySpec::new(id, SecretSource::value(Encoding::Hex.encode(bytes)));
    key.encoding = Some(KeyEncoding::Hex);
    key.dangerous_short = bytes.len() < SHORT;
    key
}

struct Spelling {
    name: String,
    fix: String,
    bytes: Vec<u8>,
}

/// What a key's text may mean.
fn spellings(text: &str) -> Vec<Spelling> {
    let mut all: Vec<Spelling> = Vec::new();
    let mut add = |name: String, fix: String, bytes: Vec<u8>| {
        if !bytes.is_empty() && all.iter().all(|known| known.bytes != bytes) {
            all.push(Spelling { name, fix, bytes });
        }
    };
    let unquoted = text.trim_matches(['"', '\'']);
    let prefix = PREFIXES.iter().find_map(|prefix| Some((*prefix, text.strip_prefix(prefix)?)));
    let mut texts = vec![(text.to_owned(), String::new(), String::new())];
    if let Some((prefix, rest)) = prefix {
        texts.push((rest.to_owned(), format!(" without its {prefix:?}"), format!(", strip = {prefix:?}")));
    }
    if unquoted != text {
        texts.push((unquoted.to_owned(), " without its quotation marks".to_owned(), ", without them".to_owned()));
    }
    if !text.starts_with("whsec_") {
        texts.push((
            format!("whsec_{text}"),
            " with \"whsec_\" in front".to_owned(),
            ", strip = \"\" and the whole value".to_owned(),
        ));
    }
    for (text, how, also) in &texts {
        // A prefix that is kept must not be stripped by default.
        let keep = if also.is_empty() && prefix.is_some() { ", strip = \"\"" } else { also };
        add(format!("as text{how}"), format!("write encoding = \"utf8\"{keep} for it"), text.clone().into_bytes());
        if let Ok(bytes) = Encoding::Hex.decode(text.as_bytes()) {
            add(format!("as hexadecimal{how}"), format!("write encoding = \"hex\"{also} for it"), bytes);
            for cased in [text.to_ascii_lowercase(), text.to_ascii_uppercase()] {
                let name = "as text with its letters in the other case";
                add(format!("{name}{how}"), "write it in the other case".to_owned(), cased.into_bytes());
            }
        }
        if let Ok(bytes) = Encoding::Base64.decode(text.as_bytes()) {
            add(format!("as Base64{how}"), format!("write encoding = \"base64\"{also} for it"), bytes);
        }
        let safe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
        if let Ok(bytes) = URL_SAFE_NO_PAD.decode(safe) {
            let fix = "write it in the standard alphabet, padded with =, and encoding = \"base64\"";
            add(format!("as URL-safe or unpadded Base64{how}"), fix.to_owned(), bytes);
        }
        let fix = "have the sender take the line end off its key: it was read from a file with one";
        add(format!("with a line end behind it{how}"), fix.to_owned(), format!("{text}\n").into_bytes());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_every_way_once() {
        let names = |text: &str| spellings(text).into_iter().map(|spelling| spelling.name).collect::<Vec<_>>();
        let hex = names("00ff00ff");
        for name in ["as text", "as hexadecimal", "as Base64", "as text with its letters in the other case"] {
            assert_eq!(hex.iter().filter(|known| *known == name).count(), 1, "{name}: {hex:?}");
        }
        let secret = names("whsec_AAAA");
        for name in ["as text", "as Base64 without its \"whsec_\"", "as text without its \"whsec_\""] {
            assert!(secret.iter().any(|known| known == name), "{name}: {secret:?}");
        }
        assert!(names("a b").iter().all(|name| !name.contains("Base64")));
    }
}
