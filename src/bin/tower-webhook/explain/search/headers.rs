//! Changes of the headers that carry proofs: another encoding, one of two, swapped, left out.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::config::{CustomSpec, ProviderSpec, SchemeSpec};
use tower_webhook::scheme::{ProofHeader, ProofRole};

use super::change::Change;
use super::written::readings;
use crate::explain::case::Case;
use crate::explain::proofs::name;
use crate::explain::report::Why;
use crate::explain::words::split;

pub(super) fn changes(case: &Case<'_>) -> Vec<Change> {
    let headers = case.headers();
    let one = |header| match headers.get_all(name(headers, header)).iter().count() {
        0 => Vec::new(),
        1 => written_otherwise(case, header),
        _ => one_of_many(headers, name(headers, header)),
    };
    let mut all: Vec<Change> = case.carriers().flat_map(one).collect();
    all.extend(all_written_otherwise(case));
    all.extend(swapped(case));
    all.extend(left_out(case));
    all
}

fn with(headers: &HeaderMap, name: &HeaderName, text: &str) -> Option<HeaderMap> {
    let mut headers = headers.clone();
    headers.insert(name, HeaderValue::try_from(text).ok()?);
    Some(headers)
}

fn one_of_many(headers: &HeaderMap, name: &HeaderName) -> Vec<Change> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let change = |(number, value): (usize, &&str)| {
        let why = Why::new(
            format!("{name} stands {} times, and number {number} alone fits", values.len()),
            "have the sender, or the proxy that adds the other, send it once",
        );
        Some(Change::headers(why, with(headers, name, value)?))
    };
    (1..).zip(&values).take(4).filter_map(change).collect()
}

/// How else this value may be meant: with its prefix, with the right one, with none.
fn others(given: &str, header: &ProofHeader) -> impl Iterator<Item = (String, String)> {
    let (prefix, _) = split(given);
    readings(given, header, &[prefix, &header.prefix, ""]).into_iter().filter(|(how, _)| !how.is_empty())
}

fn written_otherwise(case: &Case<'_>, header: &ProofHeader) -> Vec<Change> {
    let headers = case.headers();
    let or = match &case.endpoint.spec.provider {
        ProviderSpec::Custom(CustomSpec { scheme: SchemeSpec::Signed(_), .. }) => {
            ", or set prefix and encoding of the scheme"
        }
        _ => "",
    };
    let name = name(headers, header);
    let Some(given) = headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim) else { return Vec::new() };
    let change = |(how, text): (String, String)| {
        let why = Why::new(
            format!("{name} {how}"),
            format!("have the sender, or the proxy in between, write it as this provider does{or}"),
        );
        Some(Change::headers(why, with(headers, name, &text)?))
    };
    let word =
        given.rsplit_once(' ').map(|(_, rest)| ("has a word in front, such as Bearer".to_owned(), rest.to_owned()));
    others(given, header).chain(word).filter_map(change).collect()
}

/// IV, tag and checksum in the other encoding together.
fn all_written_otherwise(case: &Case<'_>) -> Option<Change> {
    let mut changed = case.headers().clone();
    let mut encodings = Vec::new();
    for header in case.carriers() {
        let Some(given) = case.headers().get(&header.name).and_then(|value| value.to_str().ok()) else { continue };
        if let Some((_, text)) = others(given.trim(), header).next() {
            changed.insert(&header.name, HeaderValue::try_from(text).ok()?);
            encodings.extend(header.encoding);
        }
    }
    let wanted = encodings.get(1)?.name();
    let why = Why::new(
        format!("none of the headers is in {wanted}, as this provider writes them"),
        format!("have the sender write them in {wanted}; is this another provider's endpoint?"),
    );
    Some(Change::headers(why, changed))
}

fn swapped(case: &Case<'_>) -> Vec<Change> {
    let carriers: Vec<&ProofHeader> = case.carriers().collect();
    let pairs =
        carriers.iter().enumerate().flat_map(|(at, one)| carriers.iter().skip(at + 1).map(move |other| (one, other)));
    let change = |(one, other): (&&ProofHeader, &&ProofHeader)| {
        let (one, other) = (&one.name, &other.name);
        let mut changed = case.headers().clone();
        let (first, second) = (changed.get(one)?.clone(), changed.get(other)?.clone());
        changed.insert(one, second);
        changed.insert(other, first);
        let cause = format!("{one} and {other} have changed places");
        let why = Why::new(cause, "swap them at the sender, or the names of these headers in the file");
        Some(Change::headers(why, changed))
    };
    pairs.filter(|(one, other)| one.length != other.length).filter_map(change).collect()
}

/// A header that may be missing, and is wrong where it stands.
fn left_out(case: &Case<'_>) -> Option<Change> {
    let name = &case.carriers().find(|header| header.role == ProofRole::Checksum)?.name;
    let mut changed = case.headers().clone();
    changed.remove(name)?;
    let why = Why::new(
        format!("everything fits but {name}: it was made of another text"),
        format!("have the sender make {name} of the same text, as this provider describes it"),
    );
    Some(Change::headers(why, changed))
}
