//! Changes of the headers that carry proofs: another name, another encoding, one of two, swapped, left out.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_webhook::encoding::Encoding;

use super::Variant;
use crate::explain::judge::Case;
use crate::explain::report::Why;
use crate::explain::sample::Sample;
use crate::explain::words::{decodings, shape, split};

pub(super) fn variants(case: &Case<'_>, sample: &Sample) -> Vec<Variant> {
    let headers = &case.request.head.headers;
    let mut all = Vec::new();
    for (name, right) in &sample.proofs {
        match headers.get_all(name).iter().count() {
            0 => all.extend(elsewhere(headers, name, right)),
            1 => all.extend(written_otherwise(headers, name, right)),
            _ => all.extend(one_of_many(headers, name)),
        }
    }
    all.extend(all_written_otherwise(headers, sample));
    all.extend(swapped(headers, sample));
    all.extend(left_out(headers, sample));
    all
}

fn with(headers: &HeaderMap, name: &HeaderName, text: &str) -> Option<HeaderMap> {
    let mut headers = headers.clone();
    headers.insert(name, HeaderValue::try_from(text).ok()?);
    Some(headers)
}

/// A header of another name that looks as this one should.
fn elsewhere(headers: &HeaderMap, name: &HeaderName, right: &str) -> Vec<Variant> {
    let wanted = shape(split(right).1);
    let like = headers.iter().filter(|(_, value)| value.to_str().is_ok_and(|text| shape(split(text).1) == wanted));
    let variant = |(other, value): (&HeaderName, &HeaderValue)| {
        let why = Why::new(
            format!("{name} is missing, and {other} carries what fits"),
            format!("configure the name of the header, or have the sender (or a proxy) send {name}"),
        );
        Some(Variant::of_headers(why, with(headers, name, value.to_str().ok()?)?))
    };
    like.filter_map(variant).collect()
}

fn one_of_many(headers: &HeaderMap, name: &HeaderName) -> Vec<Variant> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let variant = |(number, value): (usize, &&str)| {
        let why = Why::new(
            format!("{name} stands {} times, and number {number} alone fits", values.len()),
            "have the sender, or the proxy that adds the other, send it once",
        );
        Some(Variant::of_headers(why, with(headers, name, value)?))
    };
    (1..).zip(&values).take(4).filter_map(variant).collect()
}

/// The value's bytes in the encoding that is right, behind the prefix that is right.
fn rewritten(given: &str, right: &str) -> Vec<(String, String)> {
    let (right_prefix, right) = split(right);
    let Some((wanted, _)) = decodings(right).into_iter().next() else { return Vec::new() };
    let encoding = if wanted == "hexadecimal" { Encoding::Hex } else { Encoding::Base64 };
    // What is not seen as a prefix may be one without an end: `sha256 00ff`, or none at all.
    let (prefix, encoded) = split(given);
    let mut all = Vec::new();
    for (found, bytes) in decodings(encoded) {
        let text = encoding.encode(&bytes);
        for kept in [prefix, right_prefix, ""] {
            let mut what = Vec::new();
            if text != encoded {
                what.push(format!("is {found} in place of {wanted}"));
            }
            if kept != prefix {
                what.push(match kept {
                    "" => "has a prefix too many".to_owned(),
                    _ if prefix.is_empty() => "lacks its prefix".to_owned(),
                    _ => "has another prefix than is expected".to_owned(),
                });
            }
            if !what.is_empty() {
                all.push((what.join(" and "), format!("{kept}{text}")));
            }
        }
    }
    all
}

fn written_otherwise(headers: &HeaderMap, name: &HeaderName, right: &str) -> Vec<Variant> {
    let Some(given) = headers.get(name).and_then(|value| value.to_str().ok()) else { return Vec::new() };
    let variant = |(what, text): (String, String)| {
        let why = Why::new(
            format!("{name} {what}"),
            "have the sender write it as this provider does, or set prefix and encoding of the scheme",
        );
        Some(Variant::of_headers(why, with(headers, name, &text)?))
    };
    let word = given
        .trim()
        .rsplit_once(' ')
        .map(|(_, rest)| ("has a word in front, such as Bearer".to_owned(), rest.to_owned()));
    rewritten(given.trim(), right).into_iter().chain(word).filter_map(variant).collect()
}

/// IV, tag and checksum in the other encoding together.
fn all_written_otherwise(headers: &HeaderMap, sample: &Sample) -> Option<Variant> {
    let mut changed = headers.clone();
    let mut count = 0;
    for (name, right) in &sample.proofs {
        let Some(given) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
        if let Some((_, text)) = rewritten(given.trim(), right).into_iter().next() {
            changed.insert(name, HeaderValue::try_from(text).ok()?);
            count += 1;
        }
    }
    let wanted = sample.proofs.first().and_then(|(_, right)| decodings(split(right).1).into_iter().next());
    let wanted = wanted.map_or("the right encoding", |(name, _)| name);
    let why = Why::new(
        format!("none of the headers is in {wanted}, as this provider writes them"),
        format!("have the sender write them in {wanted}; is this another provider's endpoint?"),
    );
    (count > 1).then(|| Variant::of_headers(why, changed))
}

fn swapped(headers: &HeaderMap, sample: &Sample) -> Vec<Variant> {
    let mut all = Vec::new();
    for (at, (one, right_one)) in sample.proofs.iter().enumerate() {
        for (other, right_other) in sample.proofs.iter().skip(at + 1) {
            let mut changed = headers.clone();
            let (Some(first), Some(second)) = (headers.get(one), headers.get(other)) else { continue };
            changed.insert(one, second.clone());
            changed.insert(other, first.clone());
            if split(right_one).1.len() != split(right_other).1.len() {
                let cause = format!("{one} and {other} have changed places");
                let why = Why::new(cause, "swap them at the sender, or the names of these headers in the file");
                all.push(Variant::of_headers(why, changed));
            }
        }
    }
    all
}

/// A header that may be missing, and is wrong where it stands.
fn left_out(headers: &HeaderMap, sample: &Sample) -> Vec<Variant> {
    let there = sample.proofs.iter().filter(|(name, _)| headers.contains_key(name));
    let variant = |(name, _): &(HeaderName, String)| {
        let mut changed = headers.clone();
        changed.remove(name);
        let why = Why::new(
            format!("everything fits but {name}: it was made of another text"),
            format!("have the sender make {name} of the same text, as this provider describes it"),
        );
        Variant::of_headers(why, changed)
    };
    there.map(variant).collect()
}
