//! A proof under another name: headers of the request that look like the one that is missing.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::config::ProviderSpec;
use tower_webhook::scheme::{Layout, ProofHeader, ProofRole};

use super::change::Change;
use super::written::readings;
use crate::explain::case::Case;
use crate::explain::report::Why;
use crate::explain::words::{decodings, split, tidy};

/// So many headers are tried as the one that is missing: a stranger may send a thousand.
const MAX: usize = 64;

/// All that is missing, found under other names. A checksum may be missing.
pub(super) fn changes(case: &Case<'_>) -> Vec<Change> {
    let headers = case.headers();
    let is_there = |header: &ProofHeader| header.names().any(|name| headers.contains_key(name));
    let mut missing = case.carriers().filter(|header| header.role != ProofRole::Checksum && !is_there(header));
    let first = missing.next().map(|header| moved(case, header, headers)).unwrap_or_default();
    missing.fold(first, |found, header| {
        let both = found.iter().flat_map(|one| {
            let others = one.headers.iter().flat_map(|headers| moved(case, header, headers));
            others.map(|other| Change { why: one.why.and(&other.why), ..other })
        });
        both.take(MAX).collect()
    })
}

/// Each header that may be this one, under its name.
fn moved(case: &Case<'_>, header: &ProofHeader, headers: &HeaderMap) -> Vec<Change> {
    let is_known = |name: &HeaderName| {
        case.scheme().proofs().headers().iter().any(|known| known.names().any(|known| known == name))
    };
    let others = headers.iter().filter(|(name, _)| !is_known(name));
    let texts = others.flat_map(|(other, value)| {
        let texts = value.to_str().map(|text| texts(text.trim(), header)).unwrap_or_default();
        texts.into_iter().map(move |(how, text)| (other, how, text))
    });
    let change = |(other, how, text): (&HeaderName, String, String)| {
        let mut headers = headers.clone();
        headers.remove(other);
        headers.insert(&header.name, HeaderValue::try_from(text).ok()?);
        Some(Change::headers(why(case, header, other, &how), headers))
    };
    texts.filter_map(change).take(MAX).collect()
}

/// What a value would be in the header, if it looks like that at all, and how it is written otherwise.
fn texts(text: &str, header: &ProofHeader) -> Vec<(String, String)> {
    let has_length = |(_, bytes): &(_, Vec<u8>)| header.length.is_none_or(|length| length == bytes.len());
    let is_whole = match (&header.layout, header.encoding) {
        (_, None) => true,
        (Layout::Params { signature, .. }, _) => text.contains(&format!("{signature}=")),
        _ if decodings(split(text).1).iter().any(has_length) => return readings(text, header, &[&header.prefix]),
        _ => false,
    };
    if is_whole { vec![(String::new(), text.to_owned())] } else { Vec::new() }
}

fn why(case: &Case<'_>, header: &ProofHeader, other: &HeaderName, how: &str) -> Why {
    let (name, other) = (&header.name, tidy(other.as_str()));
    let (though, right) = match how {
        "" => (String::new(), ""),
        _ => (format!(", though it {how}"), ", written as this provider does"),
    };
    let fix = match key(&case.endpoint.spec.provider, header.role) {
        Some(key) => format!("write {key} = {other:?} for this endpoint, or have the sender send {name}{right}"),
        None => format!("have the sender, or the proxy in between, send it as {name}{right}"),
    };
    Why::new(format!("{name} is missing, and {other} carries what fits{though}"), fix)
}

/// The key of a configuration that takes the name of this header.
fn key(provider: &ProviderSpec, role: ProofRole) -> Option<&'static str> {
    match (provider, role) {
        (ProviderSpec::Aella(_), _) => Some("header"),
        (ProviderSpec::BankingCircle(_), ProofRole::Nonce) => Some("headers.nonce"),
        (ProviderSpec::BankingCircle(_), ProofRole::Tag) => Some("headers.tag"),
        (ProviderSpec::Custom(_), _) => Some("scheme.header"),
        (ProviderSpec::Mambu(_), _) => Some("static_header"),
        _ => None,
    }
}
