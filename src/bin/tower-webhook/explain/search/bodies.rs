//! Changes of the body: line ends, marks, JSON written anew, a ciphertext in another form.

use bytes::Bytes;
use http::HeaderValue;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{ProofHeader, ProofRole};

use super::change::Change;
use super::json;
use crate::explain::case::Case;
use crate::explain::gzip;
use crate::explain::report::Why;
use crate::explain::words::decodings;

/// Over this only what costs nothing is tried.
const MAX_REWRITTEN: usize = 1024 * 1024;

const EXACT: &str = "sign and send the same bytes: no editor, parser or proxy may write the body anew";

/// The variations, and whether all of them are here.
pub(super) fn changes(case: &Case<'_>) -> (Vec<Change>, bool) {
    let mut is_whole = true;
    let body = &case.request.body;
    let is_cipher = case.scheme().name().starts_with("aes");
    let mut all = edges(body);
    all.extend(gzip::otherwise(case).map(|(body, cause, fix)| Change::body(Why::new(cause, fix), body)));
    if body.len() <= MAX_REWRITTEN {
        all.extend(line_ends(body));
        match is_cipher {
            true => all.extend(ciphertexts(case)),
            false => {
                let (styles, all_styles) = json::rewritten(body);
                all.extend(styles);
                is_whole = all_styles;
            }
        }
    }
    all.retain(|change| change.headers.is_some() || change.body.as_ref() != Some(body));
    (all, is_whole)
}

fn exact(cause: &str, body: impl Into<Bytes>) -> Change {
    Change::body(Why::new(cause, EXACT), body)
}

fn edges(body: &Bytes) -> Vec<Change> {
    let less = |rest: &[u8]| body.slice_ref(rest);
    let more = |end: &[u8]| Bytes::from([body, end].concat());
    let mut all = Vec::new();
    if let Some(rest) = body.strip_suffix(b"\n") {
        let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
        all.push(exact(
            "the body has a line end behind it that was not signed: an editor or echo has added it",
            less(rest),
        ));
    }
    all.push(exact("the body has white space around it that was not signed", less(body.trim_ascii())));
    if let Some(rest) = body.strip_prefix(b"\xEF\xBB\xBF") {
        all.push(exact("the body has a byte order mark in front that was not signed", less(rest)));
    }
    if body.len() <= MAX_REWRITTEN {
        all.push(exact("the body lacks the line end that was signed: something has cut it off", more(b"\n")));
        all.push(exact("the body lacks the line end (CR LF) that was signed: something has cut it off", more(b"\r\n")));
        let marked = Bytes::from([b"\xEF\xBB\xBF", &body[..]].concat());
        all.push(exact("the body lacks the byte order mark that was signed", marked));
    }
    all
}

fn line_ends(body: &Bytes) -> [Change; 2] {
    let unix = replace(body, b"\r\n", b"\n");
    let dos = replace(&unix, b"\n", b"\r\n");
    [
        exact("the line ends of the body were changed from LF to CR LF", unix),
        exact("the line ends of the body were changed from CR LF to LF", dos),
    ]
}

fn replace(mut bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some((first, rest)) = bytes.split_first() {
        if let Some(rest) = bytes.strip_prefix(from) {
            out.extend_from_slice(to);
            bytes = rest;
        } else {
            out.push(*first);
            bytes = rest;
        }
    }
    out
}

/// The ciphertext in other clothes: another text form or wrapper, with the tag or the IV beside it.
fn ciphertexts(case: &Case<'_>) -> Vec<Change> {
    let proofs = case.scheme().proofs();
    let (iv, tag) = (proofs.with_role(ProofRole::Nonce), proofs.with_role(ProofRole::Tag));
    let mut all = Vec::new();
    for (found, bytes) in forms(&case.request.body) {
        for (wanted, write) in WRITTEN {
            let cause = format!("the body is {found}, {wanted} is expected");
            let why = Why::new(cause, format!("have the sender write the body as {wanted}"));
            all.push(Change::body(why, write(&bytes)));
            let appended = bytes.split_last_chunk::<16>();
            let Some((rest, given_tag)) = appended else { continue };
            let place = "the tag is appended to the ciphertext, and is expected in its header";
            all.extend(headed(case, &[(tag, given_tag)], place, write(rest)));
            let Some((given_iv, rest)) = rest.split_first_chunk::<12>() else { continue };
            let place = "IV and tag stand around the ciphertext, and are expected in their headers";
            all.extend(headed(case, &[(iv, given_iv), (tag, given_tag)], place, write(rest)));
        }
    }
    all
}

type Write = fn(&[u8]) -> Bytes;

const WRITTEN: [(&str, Write); 3] = [
    ("the bytes themselves", |bytes| Bytes::copy_from_slice(bytes)),
    ("hexadecimal", |bytes| Encoding::Hex.encode(bytes).into()),
    ("Base64", |bytes| Encoding::Base64.encode(bytes).into()),
];

/// Every reading of the body as a ciphertext.
fn forms(body: &Bytes) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("bytes".to_owned(), body.to_vec())];
    let mut texts = Vec::new();
    if let Ok(text) = std::str::from_utf8(body) {
        let text = text.trim();
        texts.push((String::new(), text.to_owned()));
        texts.extend(
            serde_json::from_str::<String>(text).ok().map(|inner| (" in JSON quotation marks".to_owned(), inner)),
        );
        let members = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).unwrap_or_default();
        let inner = members.into_iter().filter_map(|(_, value)| Some(value.as_str()?.to_owned()));
        texts.extend(inner.take(4).map(|inner| (" in a JSON object".to_owned(), inner)));
    }
    for (place, text) in texts {
        let dense: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        let broken = if dense.len() == text.len() { "" } else { " with line ends inside" };
        all.extend(decodings(&dense).into_iter().map(|(name, bytes)| (format!("{name}{place}{broken}"), bytes)));
    }
    all
}

/// A header of the scheme, and the bytes it should carry.
type Carried<'a> = (Option<&'a ProofHeader>, &'a [u8]);

/// A body together with headers that stood in it, each in its encoding.
fn headed(case: &Case<'_>, parts: &[Carried<'_>], cause: &str, body: Bytes) -> Option<Change> {
    let mut headers = case.headers().clone();
    for (header, bytes) in parts {
        let header = (*header)?;
        headers.insert(&header.name, HeaderValue::try_from(header.encoding?.encode(bytes)).ok()?);
    }
    let why = Why::new(cause, "have the sender send it in a header of its own");
    Some(Change { body: Some(body), ..Change::headers(why, headers) })
}
