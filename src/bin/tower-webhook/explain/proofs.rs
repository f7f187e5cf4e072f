//! The headers that carry proofs: whether each stands once, and whether it looks as it should. No letter is quoted.

use http::{HeaderMap, HeaderName};
use tower_webhook::{Rejection, RejectionKind};

use super::report::{State, Step};
use super::sample::Sample;
use super::words;

/// What a header in which anything may stand is called without being quoted.
const PREFIXES: [&str; 8] = ["sha256=", "sha512=", "sha1=", "v1=", "v1,", "v0=", "v1a,", "hmac-sha256="];

/// One step for each header that carries a proof.
pub(super) fn steps(headers: &HeaderMap, sample: &Sample, no: Option<&Rejection>) -> Vec<Step> {
    let step = |(name, right): &(HeaderName, String)| {
        let saw = describe(headers, name);
        let problem = problem(headers, name, right).filter(|_| no.is_some());
        let is_mismatch = no.is_some_and(|no| no.kind() == RejectionKind::SignatureMismatch);
        match problem {
            Some(problem) if !is_mismatch => Step::new(name.as_str(), State::Failed, format!("{saw}; {problem}")),
            Some(problem) => Step::new(name.as_str(), State::Note, format!("{saw}; {problem}")),
            None => Step::ok(name.as_str(), saw),
        }
    };
    sample.proofs.iter().map(step).collect()
}

pub(super) fn describe(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.count()) {
        (None, _) => "missing".to_owned(),
        (Some(value), 0) => match value.to_str() {
            Ok(text) => {
                let (prefix, encoded) = words::split(text.trim());
                let prefix = match PREFIXES.iter().find(|known| **known == prefix) {
                    Some(known) => format!("{known:?} and "),
                    None if prefix.is_empty() => String::new(),
                    None => "text and ".to_owned(),
                };
                format!("stands once, {prefix}{}", words::shape(encoded))
            }
            Err(_) => "stands once, not ASCII".to_owned(),
        },
        (Some(_), more) => format!("stands {} times", more + 1),
    }
}

/// How a header differs from a right one, by its looks.
pub(super) fn problem(headers: &HeaderMap, name: &HeaderName, right: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Some("it must stand once".to_owned()) };
    let (right_prefix, right) = words::split(right);
    if words::decodings(right).is_empty() {
        // Not encoded bytes but the secret itself: not even its length is told.
        return None;
    }
    let text = value.to_str().unwrap_or_default().trim();
    let (prefix, given) = words::split(text);
    let right_shape = words::shape(right);
    if given.len() != right.len() || words::shape(given) != right_shape {
        return Some(format!("{right_shape} are expected"));
    }
    let prefix_differs = PREFIXES.contains(&right_prefix) && prefix != right_prefix;
    prefix_differs.then(|| format!("{right_prefix:?} is expected in front"))
}
