//! A custom sender: its scheme, the time that it signs, and the places of key and event.

use http::HeaderName;

use super::section::Section;
use crate::config::spec::{
    CustomSpec, ProofSpec, SchemeSpec, SignatureLayout, SignedSpec, TimestampPlace, TimestampSpec,
};
use crate::encoding::Encoding;
use crate::provider::Lookup;
use crate::scheme::{MacAlgorithm, SignatureAlgorithm, Template, TimeUnit};

/// What a scheme is made with of which nothing could be read.
const USUAL: ProofSpec = ProofSpec::Mac(MacAlgorithm::HmacSha256);

pub(super) fn custom(section: &Section<'_>) -> CustomSpec {
    let key = section.sections("key").iter().filter_map(lookup).collect::<Vec<_>>();
    let event = section.section("event").and_then(|section| lookup(&section));
    let spec = CustomSpec::new(scheme(section), key);
    CustomSpec { event, ..spec }
}

/// `{ json = "/event" }`, `{ header = "x-event" }` or `{ fixed = "…" }`.
pub(super) fn lookup(section: &Section<'_>) -> Option<Lookup> {
    let (key, result) = match (section.text("json"), section.text("header"), section.text("fixed")) {
        (Some(pointer), None, None) => ("json", Lookup::json(pointer)),
        (None, Some(name), None) => ("header", Lookup::header(name)),
        (None, None, Some(text)) => ("fixed", Ok(Lookup::fixed(text))),
        _ => {
            let right = "write { json = \"/pointer\" }, { header = \"name\" } or { fixed = \"text\" }";
            section.fault("json", "one place is to be named", right);
            section.finish();
            return None;
        }
    };
    section.finish();
    let right = "write a JSON pointer such as \"/data/id\", or a header name";
    result.map_err(|error| section.fault(key, error, right)).ok()
}

/// What of it cannot be read is a fault, and the usual stands in its place: what else is wrong is of interest too.
fn scheme(endpoint: &Section<'_>) -> SchemeSpec {
    if !endpoint.has("scheme") {
        let right = "write scheme = { mac = \"hmac-sha256\", header = \"…\", encoding = \"hex\" }";
        endpoint.fault("scheme", "is missing", right);
    }
    let section = endpoint.section("scheme");
    let section = section.as_ref();
    let header = section.and_then(header).unwrap_or(HeaderName::from_static("signature"));
    if let Some(section) = section.filter(|section| section.truth("token").unwrap_or(false)) {
        section.finish();
        return SchemeSpec::Token(header);
    }
    let mut spec = SignedSpec::new(section.map_or(USUAL, proof), header);
    if let Some(section) = section {
        signed(section, &mut spec);
    }
    spec.url = endpoint.text("url").map(str::to_owned);
    spec.dangerous_unsigned_body = endpoint.truth("dangerous_unsigned_body").unwrap_or(false);
    timestamp(endpoint, &mut spec);
    SchemeSpec::Signed(spec)
}

fn header(section: &Section<'_>) -> Option<HeaderName> {
    section.needed("header", "name the header of the signature")?;
    section.header_name("header")
}

/// `mac = "…"` or `signature = "…"`.
fn proof(section: &Section<'_>) -> ProofSpec {
    match (section.text("mac"), section.text("signature")) {
        (Some(name), None) => {
            let right = "write \"hmac-sha256\", \"hmac-sha512\" or \"dangerous-hmac-sha1\"";
            section.known("mac", name, MacAlgorithm::from_name(name).ok().map(ProofSpec::Mac), right).unwrap_or(USUAL)
        }
        (None, Some("ed25519")) => ProofSpec::Ed25519,
        (None, Some(name)) => {
            let names: Vec<_> = SignatureAlgorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
            let right = format!("write \"ed25519\" or one of {}", names.join(", "));
            let known = SignatureAlgorithm::from_name(name).ok().map(ProofSpec::Signature);
            section.known("signature", name, known, &right).unwrap_or(USUAL)
        }
        _ => {
            section.fault("mac", "one proof is to be named", "write mac = \"hmac-sha256\", or signature = \"ed25519\"");
            USUAL
        }
    }
}

/// What stands in the table of the scheme.
fn signed(section: &Section<'_>, spec: &mut SignedSpec) {
    let encodings = |text: &str| match text {
        "hex" => Some(Encoding::Hex),
        "base64" => Some(Encoding::Base64),
        _ => None,
    };
    spec.encoding = section.word("encoding", Encoding::Hex, encodings, "write \"hex\" or \"base64\"");
    match section.text("signed").map(Template::parse) {
        None => {}
        Some(Ok(template)) => spec.signed = template,
        Some(Err(error)) => {
            section.fault("signed", error, "see what a template knows: {body}, {header:NAME}, {param:NAME}, {url}");
        }
    }
    spec.prefix = section.text("prefix").unwrap_or_default().to_owned();
    let signature = section.text("signature_param").unwrap_or("v1").to_owned();
    if section.has("signature_param") && !section.has("params") {
        section.fault("signature_param", "has no effect without params", "write params = \",\" too, or leave it out");
    }
    spec.layout = match (section.text("list"), section.text("params")) {
        (Some(separator), None) => SignatureLayout::List(separator.to_owned()),
        (None, Some(separator)) => SignatureLayout::Params { separator: separator.to_owned(), signature },
        (None, None) => SignatureLayout::One,
        (Some(_), Some(_)) => {
            section.fault("list", "stands beside params", "write one of them");
            SignatureLayout::One
        }
    };
    spec.split_strictly = section.truth("split_strictly").unwrap_or(false);
    section.finish();
}

/// `timestamp = { header = "…", unit = "s", past = "5m", future = "5m" }`.
fn timestamp(endpoint: &Section<'_>, spec: &mut SignedSpec) {
    let Some(section) = endpoint.section("timestamp") else { return };
    spec.dangerous_without_tolerance = section.truth("dangerous_without_tolerance").unwrap_or(false);
    let units = |text: &str| match text {
        "s" => Some(TimeUnit::Seconds),
        "ms" => Some(TimeUnit::Milliseconds),
        _ => None,
    };
    let unit = section.word("unit", TimeUnit::Seconds, units, "write \"s\" or \"ms\"");
    let (past, future) = (section.some_time("past"), section.duration("future"));
    let place = match (section.header_name("header"), section.text("param")) {
        (Some(name), None) => Some(TimestampPlace::Header(name)),
        (None, Some(name)) => Some(TimestampPlace::Param(name.to_owned())),
        _ if spec.dangerous_without_tolerance => None,
        _ => {
            section.fault("header", "one place of the time is to be named", "write header = \"…\" or param = \"…\"");
            None
        }
    };
    for key in ["header", "param", "unit", "past", "future"] {
        if spec.dangerous_without_tolerance && section.has(key) {
            section.fault(key, "has no effect beside dangerous_without_tolerance", "leave one of the two out");
        }
    }
    section.finish();
    spec.timestamp = place.map(TimestampSpec::new).map(|usual| TimestampSpec {
        unit,
        past: past.unwrap_or(usual.past),
        future: future.unwrap_or(usual.future),
        ..usual
    });
}
