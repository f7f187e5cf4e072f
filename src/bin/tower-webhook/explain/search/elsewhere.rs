//! A proof under another name: headers of the request that look like the one that is missing.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::config::ProviderSpec;
use tower_webhook::scheme::{Layout, ProofHeader, ProofRole};

use super::change::Variant;
use super::written;
use crate::explain::case::Case;
use crate::explain::report::Why;
use crate::explain::words::{decodings, split, tidy};

/// So many ways to find what is missing are tried: a stranger may send a thousand headers.
const MAX: usize = 64;

/// All that is missing, found under other names. A checksum may be missing.
pub(super) fn variants(case: &Case<'_>) -> Vec<Variant> {
    let headers = case.headers();
    let is_there = |header: &ProofHeader| header.names().any(|name| headers.contains_key(name));
    let missing = case.carriers().filter(|header| header.role != ProofRole::Checksum && !is_there(header));
    let mut found: Vec<(Option<Why>, HeaderMap)> = vec![(None, headers.clone())];
    for header in missing {
        let candidates = candidates(case, header);
        let all = found.iter().flat_map(|(why, headers)| {
            let one = |candidate: &Candidate<'_>| Some((Some(candidate.why(why.as_ref())), candidate.moved(headers)?));
            candidates.iter().filter_map(one)
        });
        found = all.take(MAX).collect();
    }
    found.into_iter().filter_map(|(why, headers)| Some(Variant::of_headers(why?, headers))).collect()
}

/// A header that may be the one that is missing.
struct Candidate<'a> {
    header: &'a ProofHeader,
    /// The key of the endpoint that names this header.
    key: Option<&'static str>,
    other: &'a HeaderName,
    /// The value, written as it should be.
    value: HeaderValue,
    /// How it is written otherwise. Empty where it is not.
    otherwise: String,
}

fn candidates<'a>(case: &'a Case<'_>, header: &'a ProofHeader) -> Vec<Candidate<'a>> {
    let key = key(&case.endpoint.spec.provider, header.role);
    let known: Vec<&HeaderName> = case.scheme().proofs().headers().iter().flat_map(ProofHeader::names).collect();
    let others = case.headers().iter().filter(|(name, _)| !known.contains(name));
    let all = others.flat_map(|(other, value)| {
        let texts = value.to_str().map(|text| texts(text.trim(), header)).unwrap_or_default();
        let one = move |(otherwise, text): (String, String)| {
            let mut value = HeaderValue::try_from(text).ok()?;
            value.set_sensitive(true);
            Some(Candidate { header, key, other, value, otherwise })
        };
        texts.into_iter().filter_map(one)
    });
    all.take(MAX).collect()
}

/// What this text would be in the header, if it looks like that at all, and how it is written otherwise.
fn texts(text: &str, header: &ProofHeader) -> Vec<(String, String)> {
    let as_it_is = |looks_right: bool| looks_right.then(|| (String::new(), text.to_owned())).into_iter().collect();
    match (&header.layout, header.encoding) {
        (_, None) => as_it_is(true),
        (Layout::Params { signature, .. }, _) => as_it_is(text.contains(&format!("{signature}="))),
        _ if decodings(split(text).1)
            .iter()
            .any(|(_, bytes)| header.length.is_none_or(|length| length == bytes.len())) =>
        {
            written::readings(text, header, &[&header.prefix])
        }
        _ => Vec::new(),
    }
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

impl Candidate<'_> {
    fn why(&self, also: Option<&Why>) -> Why {
        let (name, other) = (&self.header.name, tidy(self.other.as_str()));
        let (but, right) = match self.otherwise.as_str() {
            "" => (String::new(), ""),
            otherwise => (format!(", though it {otherwise}"), ", written as this provider does"),
        };
        let fix = match self.key {
            Some(key) => format!("write {key} = {other:?} for this endpoint, or have the sender send {name}{right}"),
            None => format!("have the sender, or the proxy in between, send it as {name}{right}"),
        };
        let why = Why::new(format!("{name} is missing, and {other} carries what fits{but}"), fix);
        also.map_or(why.clone(), |also| also.and(&why))
    }

    /// The headers with this one under its right name, unless it stands for another already.
    fn moved(&self, headers: &HeaderMap) -> Option<HeaderMap> {
        let mut headers = headers.clone();
        headers.remove(self.other)?;
        headers.insert(self.header.name.clone(), self.value.clone());
        Some(headers)
    }
}
