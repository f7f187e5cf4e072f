//! A sender by configuration alone: a MAC or a signature over a template, or a static token.

use http::HeaderName;

use super::keys::{self, Keys, Usual};
use crate::config::fault::Place;
use crate::config::spec::{
    CustomSpec, EndpointSpec, KeyEncoding, KeySpec, ProofSpec, SchemeSpec, SignatureLayout, SignedSpec, TimestampPlace,
    TimestampSpec,
};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::provider::custom::Custom;
use crate::scheme::{Ed25519, Hmac, MacAlgorithm, Scheme, Signature, Signed, StaticToken, Tolerance};
use crate::secret::KeyRing;

pub(super) fn custom(spec: &CustomSpec, endpoint: &EndpointSpec, place: &Place<'_>) -> Option<Custom> {
    if spec.key.is_empty() {
        let right = "write key = { header = \"…\" } or { json = \"/…\" }, or a list of them";
        place.fault("key", "is missing, and nothing tells one event from another", right);
    }
    if place.is_unread("scheme") {
        keys::alone(&endpoint.keys, place);
        return None;
    }
    let scheme = match &spec.scheme {
        SchemeSpec::Token(header) => token(header, &endpoint.keys, place),
        SchemeSpec::Signed(spec) => signature(spec, &endpoint.keys, place),
    };
    let right = "name a header or a member of the body among them";
    let mut custom = place.sound("key", Custom::new(scheme?, spec.key.iter().cloned()), right)?;
    if let Some(event) = &spec.event {
        custom = custom.event_from(event.clone());
    }
    for unsigned in custom.unsigned_lookups() {
        place.found().warn(format_args!("{}: {unsigned}", endpoint.path));
    }
    Some(custom)
}

/// A sender of its own may have let people choose a short key.
fn usual(encoding: KeyEncoding) -> Usual {
    Usual { may_be_short: true, ..encoding.into() }
}

fn token(header: &HeaderName, keys: &[KeySpec], place: &Place<'_>) -> Option<Box<dyn Scheme>> {
    let plain = |ring: KeyRing| StaticToken::new(header.clone(), ring);
    let Keys { ring, may_be_short } =
        keys::ring(keys, place, usual(KeyEncoding::Utf8), &|ring| plain(ring.clone()).map(drop))?;
    let scheme = match may_be_short {
        true => StaticToken::dangerous_short_keys(header.clone(), ring),
        false => plain(ring),
    };
    Some(Box::new(place.sound("keys", scheme, "see the documentation of StaticToken")?))
}

fn signature(spec: &SignedSpec, keys: &[KeySpec], place: &Place<'_>) -> Option<Box<dyn Scheme>> {
    check_effect(spec, place);
    let signed = signed(spec);
    match spec.proof {
        ProofSpec::Mac(algorithm) => mac(algorithm, signed, keys, place),
        ProofSpec::Signature(algorithm) => public(keys, place, |ring| Signature::new(algorithm, signed.clone(), ring)),
        ProofSpec::Ed25519 => public(keys, place, |ring| Ed25519::new(signed.clone(), ring)),
    }
}

/// What says something of a part that is not signed.
fn check_effect(spec: &SignedSpec, place: &Place<'_>) {
    if place.is_unread("scheme.signed") {
        return;
    }
    let template = &spec.signed;
    let has_values = template.headers().next().is_some() || template.params().next().is_some();
    for (key, is_said, needs, right) in [
        ("url", spec.url.is_some() && !template.covers_url(), "no {url}", "name {url} there, or leave it out"),
        ("dangerous_unsigned_body", spec.dangerous_unsigned_body && template.covers_body(), "{body}", "leave it out"),
        (
            "scheme.split_strictly",
            spec.split_strictly && !has_values,
            "no {header:NAME} and no {param:NAME}",
            "leave it out",
        ),
    ] {
        if is_said {
            place.fault(key, format_args!("has no effect where scheme.signed names {needs}"), right);
        }
    }
}

fn mac(algorithm: MacAlgorithm, signed: Signed, keys: &[KeySpec], place: &Place<'_>) -> Option<Box<dyn Scheme>> {
    let plain = |ring: KeyRing| Hmac::new(algorithm, signed.clone(), ring);
    let Keys { ring, may_be_short } =
        keys::ring(keys, place, usual(KeyEncoding::Utf8), &|ring| only_keys(plain(ring.clone())))?;
    let scheme = match may_be_short {
        true => Hmac::dangerous_short_keys(algorithm, signed.clone(), ring),
        false => plain(ring),
    };
    boxed(scheme, place)
}

/// A scheme by public keys, in PEM or JWK unless a key says otherwise.
fn public<S: Scheme>(
    keys: &[KeySpec],
    place: &Place<'_>,
    new: impl Fn(KeyRing) -> Result<S, ConfigError>,
) -> Option<Box<dyn Scheme>> {
    let keys = keys::ring(keys, place, KeyEncoding::Public.into(), &|ring| only_keys(new(ring.clone())))?;
    boxed(new(keys.ring), place)
}

fn boxed(scheme: Result<impl Scheme, ConfigError>, place: &Place<'_>) -> Option<Box<dyn Scheme>> {
    let error = match scheme {
        Ok(scheme) => return Some(Box::new(scheme)),
        Err(error) => error,
    };
    let (key, right) = match error.kind() {
        ConfigErrorKind::TimestampUnchecked(_) => {
            ("timestamp", "write timestamp = { header = \"…\", unit = \"s\", past = \"5m\", future = \"5m\" }")
        }
        ConfigErrorKind::TimestampUnsigned(_) => (
            "timestamp",
            "name it in scheme.signed, write param for one in the signature's header, or leave timestamp out",
        ),
        ConfigErrorKind::BodyUnsigned => {
            ("scheme.signed", "name {body} in it, or say dangerous_unsigned_body = true where the sender signs no body")
        }
        _ => ("scheme", "see what a template knows: {body}, {header:NAME}, {param:NAME}, {url}"),
    };
    place.fault(key, error, right);
    None
}

/// Keeps what is the key's fault; what is the scheme's is said once, later.
fn only_keys<S>(result: Result<S, ConfigError>) -> Result<(), ConfigError> {
    use ConfigErrorKind::{EmptySecret, Encoding, KeyLength, ShortSecret};
    match result {
        Err(error) if matches!(error.kind(), ShortSecret { .. } | EmptySecret | KeyLength { .. } | Encoding(_)) => {
            Err(error)
        }
        _ => Ok(()),
    }
}

fn signed(spec: &SignedSpec) -> Signed {
    let mut signed = Signed::new(spec.header.clone(), spec.encoding).prefix(spec.prefix.clone());
    signed = signed.template(spec.signed.clone());
    signed = match &spec.layout {
        SignatureLayout::One => signed,
        SignatureLayout::List(separator) => signed.list(separator),
        SignatureLayout::Params { separator, signature } => signed.params(separator, signature),
    };
    if spec.split_strictly {
        signed = signed.split_strictly();
    }
    if spec.dangerous_unsigned_body {
        signed = signed.dangerous_unsigned_body();
    }
    if let Some(url) = &spec.url {
        signed = signed.url(url);
    }
    match spec.timed() {
        _ if spec.dangerous_without_tolerance => signed.dangerous_without_tolerance(),
        Some(timestamp) => signed.timestamp(tolerance(&timestamp)),
        None => signed,
    }
}

fn tolerance(spec: &TimestampSpec) -> Tolerance {
    let tolerance = match &spec.place {
        TimestampPlace::Header(name) => Tolerance::header(name.clone(), spec.unit),
        TimestampPlace::Param(name) => Tolerance::param(name, spec.unit),
    };
    tolerance.past(spec.past).future(spec.future)
}
