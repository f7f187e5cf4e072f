//! The headers that carry proofs: whether each stands once, and whether it looks as it should. No letter is quoted.

use http::{HeaderMap, HeaderName};
use tower_webhook::scheme::{Layout, ProofHeader, ProofRole};
use tower_webhook::{Rejection, RejectionKind};

use super::case::Case;
use super::report::{State, Step};
use super::words;

/// One step for each header that carries a proof.
pub(super) fn steps(case: &Case<'_>, no: Option<&Rejection>) -> Vec<Step> {
    let headers = case.headers();
    let is_mismatch = no.is_some_and(|no| no.kind() == RejectionKind::SignatureMismatch);
    let step = |header: &ProofHeader| {
        let (name, saw) = (name(headers, header).as_str(), describe(headers, header));
        match problem(headers, header).filter(|_| no.is_some()) {
            Some(problem) if is_mismatch => Step::new(name, State::Note, format!("{saw}; {problem}")),
            Some(problem) => Step::new(name, State::Failed, format!("{saw}; {problem}")),
            None => Step::ok(name, saw),
        }
    };
    case.carriers().map(step).collect()
}

/// The first header that does not look as it should, and how.
pub(super) fn first_problem(case: &Case<'_>) -> Option<String> {
    let headers = case.headers();
    case.carriers().find_map(|header| {
        let problem = problem(headers, header)?;
        Some(format!("{}: {}; {problem}", name(headers, header), describe(headers, header)))
    })
}

/// The name under which it stands here.
pub(super) fn name<'a>(headers: &HeaderMap, header: &'a ProofHeader) -> &'a HeaderName {
    header.names().find(|name| headers.contains_key(*name)).unwrap_or(&header.name)
}

fn describe(headers: &HeaderMap, header: &ProofHeader) -> String {
    let mut values = headers.get_all(name(headers, header)).iter();
    match (values.next(), values.count()) {
        (None, _) => "missing".to_owned(),
        (Some(value), 0) => match value.to_str() {
            Ok(text) => {
                let (prefix, encoded) = words::split(text.trim());
                let prefix = match prefix {
                    "" => String::new(),
                    // Any other may hold anything.
                    _ if *prefix == *header.prefix => format!("{prefix:?} and "),
                    _ => "text and ".to_owned(),
                };
                format!("stands once, {prefix}{}", words::shape(encoded))
            }
            Err(_) => "stands once, not ASCII".to_owned(),
        },
        (Some(_), more) => format!("stands {} times", more + 1),
    }
}

/// How a header differs from a right one, by its looks.
fn problem(headers: &HeaderMap, header: &ProofHeader) -> Option<String> {
    let mut values = headers.get_all(name(headers, header)).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value,
        (None, _) if header.role == ProofRole::Checksum => return None,
        _ => return Some("it must stand once".to_owned()),
    };
    // Not encoded bytes but the secret itself: not even its length is told.
    let encoding = header.encoding?;
    let is_right = |text: &str| {
        let bytes = encoding.decode(text.as_bytes());
        bytes.is_ok_and(|bytes| header.length.is_none_or(|length| length == bytes.len()))
    };
    let text = value.to_str().unwrap_or_default().trim();
    let (is_named, item) = match &header.layout {
        Layout::List(separator) => (false, text.rsplit(separator.as_str()).next().unwrap_or(text)),
        layout => (matches!(layout, Layout::Params { .. }), text),
    };
    if !is_named && item.strip_prefix(&*header.prefix).is_some_and(is_right) {
        return None;
    }
    if !is_right(words::split(text).1) {
        return Some(match header.length {
            Some(bytes) => format!("{} are expected", words::encoded(encoding, bytes)),
            None => format!("{} is expected", encoding.name()),
        });
    }
    let expected = if header.prefix.is_empty() { "nothing".to_owned() } else { format!("{:?}", header.prefix) };
    (!is_named).then(|| format!("{expected} is expected in front"))
}
