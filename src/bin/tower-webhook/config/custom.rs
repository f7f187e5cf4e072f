//! A sender by configuration alone: a MAC over a template, or a static token.

use std::path::Path;
use std::time::Duration;

use http::HeaderName;
use tower_webhook::encoding::Encoding;
use tower_webhook::provider::Lookup;
use tower_webhook::provider::custom::Custom;
use tower_webhook::scheme::{
    Ed25519, Hmac, MacAlgorithm, Scheme, Signature, SignatureAlgorithm, Signed, StaticToken, Template, TimeUnit,
    Tolerance,
};
use tower_webhook::secret::KeyRing;
use tower_webhook::{ConfigError, ConfigErrorKind};

use super::built::{Built, built, header_name, lookup, sound};
use super::keys::{self, KeyText};
use super::reader::Section;
use crate::any::AnyProvider;

pub(super) fn custom(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let places = lookups(section);
    let event = section.section("event").and_then(|section| lookup(&section));
    let (scheme, headers) = scheme(section, folder)?;
    let mut custom = sound(section, "key", Custom::new(scheme, places?))?;
    if let Some(place) = event {
        custom = custom.event_from(place);
    }
    let path = section.text("path").unwrap_or_default();
    custom.unsigned_lookups().iter().for_each(|unsigned| section.faults().warn(format_args!("{path}: {unsigned}")));
    let mut built = built(AnyProvider::new(custom), headers)?;
    built.is_json = false;
    Some(built)
}

/// `key`: one place or several, all of which make the key.
fn lookups(section: &Section<'_>) -> Option<Vec<Lookup>> {
    let places = section.sections("key");
    if places.is_empty() {
        section.fault(
            "key",
            "is missing, and nothing tells one event from another",
            "write key = { header = \"…\" } or { json = \"/…\" }, or a list of them",
        );
        return None;
    }
    places.iter().map(lookup).collect()
}

/// The scheme, and the headers that carry its proofs.
type Made = (Box<dyn Scheme>, Vec<HeaderName>);

fn scheme(endpoint: &Section<'_>, folder: &Path) -> Option<Made> {
    let Some(section) = endpoint.section("scheme") else {
        if !endpoint.has("scheme") {
            let right = "write scheme = { mac = \"hmac-sha256\", header = \"…\", encoding = \"hex\" }";
            endpoint.fault("scheme", "is missing", right);
        }
        return None;
    };
    let header = section.needed("header", "name the header of the signature");
    let header = header.and_then(|_| header_name(&section, "header"));
    if section.truth("token").unwrap_or(false) {
        section.finish();
        return token(endpoint, folder, header?);
    }
    let (proof, signed) = (proof(&section), signed(&section, endpoint, header.clone()));
    section.finish();
    let (signed, header) = (signed?, header?);
    let scheme = match proof? {
        Proof::Mac(algorithm) => mac(endpoint, folder, algorithm, signed),
        Proof::Signature(algorithm) => public(endpoint, folder, |ring| Signature::new(algorithm, signed.clone(), ring)),
        Proof::Ed25519 => public(endpoint, folder, |ring| Ed25519::new(signed.clone(), ring)),
    };
    Some((scheme?, vec![header]))
}

/// What a signature is made with.
enum Proof {
    Mac(MacAlgorithm),
    Signature(SignatureAlgorithm),
    Ed25519,
}

/// `mac = "…"` or `signature = "…"`.
fn proof(section: &Section<'_>) -> Option<Proof> {
    match (section.text("mac"), section.text("signature")) {
        (Some(name), None) => {
            let known = MacAlgorithm::from_name(name).ok().map(Proof::Mac);
            if known.is_none() {
                let right = "write \"hmac-sha256\", \"hmac-sha512\" or \"dangerous-hmac-sha1\"";
                section.fault("mac", format_args!("{name:?} is not known"), right);
            }
            known
        }
        (None, Some("ed25519")) => Some(Proof::Ed25519),
        (None, Some(name)) => {
            let known = SignatureAlgorithm::from_name(name).ok().map(Proof::Signature);
            if known.is_none() {
                let names: Vec<_> = SignatureAlgorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
                let right = format!("write \"ed25519\" or one of {}", names.join(", "));
                section.fault("signature", format_args!("{name:?} is not known"), right);
            }
            known
        }
        _ => {
            section.fault("mac", "one proof is to be named", "write mac = \"hmac-sha256\", or signature = \"ed25519\"");
            None
        }
    }
}

fn mac(endpoint: &Section<'_>, folder: &Path, algorithm: MacAlgorithm, signed: Signed) -> Option<Box<dyn Scheme>> {
    let plain = |ring: &KeyRing| Hmac::new(algorithm, signed.clone(), ring.clone());
    let keys = keys::read(endpoint, folder, KeyText::Utf8, None, &|ring| only_keys(plain(ring).map(drop)))?;
    let scheme = match keys.short_allowed {
        true => Hmac::dangerous_short_keys(algorithm, signed, keys.ring),
        false => plain(&keys.ring),
    };
    boxed(endpoint, scheme)
}

/// A scheme by public keys, in PEM or JWK unless a key says otherwise.
fn public<S: Scheme>(
    endpoint: &Section<'_>,
    folder: &Path,
    make: impl Fn(KeyRing) -> Result<S, ConfigError>,
) -> Option<Box<dyn Scheme>> {
    let keys = keys::read(endpoint, folder, KeyText::Public, None, &|ring| only_keys(make(ring.clone()).map(drop)))?;
    boxed(endpoint, make(keys.ring))
}

fn boxed(endpoint: &Section<'_>, scheme: Result<impl Scheme, ConfigError>) -> Option<Box<dyn Scheme>> {
    let error = match scheme {
        Ok(scheme) => return Some(Box::new(scheme)),
        Err(error) => error,
    };
    let (key, right) = match error.kind() {
        ConfigErrorKind::TimestampUnchecked(_) => {
            ("timestamp", "write timestamp = { header = \"…\", unit = \"s\", past = \"5m\", future = \"5m\" }")
        }
        ConfigErrorKind::TimestampUnsigned(_) => ("timestamp", "name it in scheme.signed, or leave timestamp out"),
        ConfigErrorKind::BodyUnsigned => {
            ("scheme.signed", "name {body} in it, or say dangerous_unsigned_body = true where the sender signs no body")
        }
        _ => ("scheme", "see what a template knows: {body}, {header:NAME}, {param:NAME}, {url}"),
    };
    endpoint.fault(key, error, right);
    None
}

/// Keeps what is the key's fault; what is the scheme's is said once, later.
fn only_keys(result: Result<(), ConfigError>) -> Result<(), ConfigError> {
    use ConfigErrorKind::{EmptySecret, Encoding, KeyLength, ShortSecret};
    match result {
        Err(error) if matches!(error.kind(), ShortSecret { .. } | EmptySecret | KeyLength { .. } | Encoding(_)) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

fn token(endpoint: &Section<'_>, folder: &Path, header: HeaderName) -> Option<Made> {
    let plain = |ring: &KeyRing| StaticToken::new(header.clone(), ring.clone());
    let keys = keys::read(endpoint, folder, KeyText::Utf8, None, &|ring| plain(ring).map(drop))?;
    let scheme = match keys.short_allowed {
        true => StaticToken::dangerous_short_keys(header.clone(), keys.ring),
        false => plain(&keys.ring),
    };
    Some((Box::new(sound(endpoint, "keys", scheme)?), vec![header]))
}

fn signed(section: &Section<'_>, endpoint: &Section<'_>, header: Option<HeaderName>) -> Option<Signed> {
    let encoding = match section.text("encoding") {
        None | Some("hex") => Some(Encoding::Hex),
        Some("base64") => Some(Encoding::Base64),
        Some(_) => {
            section.fault("encoding", "is not known", "write \"hex\" or \"base64\"");
            None
        }
    };
    let template = match section.text("signed").map(Template::parse) {
        None => Some(Template::body()),
        Some(Ok(template)) => Some(template),
        Some(Err(error)) => {
            section.fault("signed", error, "see what a template knows: {body}, {header:NAME}, {param:NAME}, {url}");
            None
        }
    };
    let prefix = section.text("prefix").map(str::to_owned);
    let (list, params) = (section.text("list"), section.text("params"));
    let signature_param = section.text("signature_param").unwrap_or("v1");
    let (strictly, url) = (section.truth("split_strictly").unwrap_or(false), endpoint.text("url"));
    let without_body = endpoint.truth("dangerous_unsigned_body").unwrap_or(false);
    let tolerance = tolerance(endpoint);

    let mut signed = Signed::new(header?, encoding?).template(template?);
    if let Some(prefix) = prefix {
        signed = signed.prefix(prefix);
    }
    match (list, params) {
        (Some(_), Some(_)) => section.fault("list", "stands beside params", "write one of them"),
        (Some(separator), None) => signed = signed.list(separator),
        (None, Some(separator)) => signed = signed.params(separator, signature_param),
        (None, None) => {}
    }
    if strictly {
        signed = signed.split_strictly();
    }
    if without_body {
        signed = signed.dangerous_unsigned_body();
    }
    if let Some(url) = url {
        signed = signed.url(url);
    }
    Some(match tolerance {
        Age::Within(tolerance) => signed.timestamp(tolerance),
        Age::Dangerous => signed.dangerous_without_tolerance(),
        Age::Unsaid => signed,
    })
}

enum Age {
    Within(Tolerance),
    Dangerous,
    Unsaid,
}

/// `timestamp = { header = "…", unit = "s", past = "5m", future = "5m" }`.
fn tolerance(endpoint: &Section<'_>) -> Age {
    let Some(section) = endpoint.section("timestamp") else { return Age::Unsaid };
    let dangerous = section.truth("dangerous_without_tolerance").unwrap_or(false);
    let unit = match section.text("unit") {
        None | Some("s") => TimeUnit::Seconds,
        Some("ms") => TimeUnit::Milliseconds,
        Some(_) => {
            section.fault("unit", "is not known", "write \"s\" or \"ms\"");
            TimeUnit::Seconds
        }
    };
    let usual = Duration::from_secs(300);
    let (past, future) = (section.some_time("past").unwrap_or(usual), section.duration("future").unwrap_or(usual));
    let (in_header, in_param) = (header_name(&section, "header"), section.text("param"));
    section.finish();
    let tolerance = match (in_header, in_param) {
        _ if dangerous => return Age::Dangerous,
        (Some(name), None) => Tolerance::header(name, unit),
        (None, Some(name)) => Tolerance::param(name, unit),
        _ => {
            section.fault("header", "one place of the time is to be named", "write header = \"…\" or param = \"…\"");
            return Age::Dangerous;
        }
    };
    Age::Within(tolerance.past(past).future(future))
}
