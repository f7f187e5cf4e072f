//! From the words of an endpoint to a provider of the library.

use std::path::Path;
use std::time::Duration;

use http::HeaderName;
use tower_webhook::ConfigError;
use tower_webhook::provider::aella::Aella;
use tower_webhook::provider::banking_circle::{BankingCircle, HeaderNames, UnreadablePolicy};
use tower_webhook::provider::mambu::{KeyPolicy, Mambu};
use tower_webhook::provider::opp::{Opp, RetrySchedule};
use tower_webhook::provider::sibs::{AckCode, Sibs};
use tower_webhook::provider::standard_webhooks::{Spelling, StandardWebhooks};
use tower_webhook::scheme::MacAlgorithm;
use tower_webhook::secret::KeyRing;

use super::built::{Built, built, header_name, lookup, sound};
use super::custom::custom;
use super::keys::{self, KeyText, Keys};
use super::reader::Section;
use crate::any::AnyProvider;

/// What may be written as a provider.
pub(crate) const KNOWN: &str = "write mambu, aella, opp, sibs, banking_circle, standard_webhooks or custom";

/// Reads the provider's part of an endpoint.
pub(crate) fn read(section: &Section<'_>, name: &str, folder: &Path) -> Option<Built> {
    match name {
        "mambu" => mambu(section, folder),
        "aella" => aella(section, folder),
        "opp" => opp(section, folder),
        "banking_circle" => banking_circle(section, folder),
        "sibs" => sibs(section, folder),
        "standard_webhooks" => standard_webhooks(section, folder),
        "custom" => custom(section, folder),
        _ => {
            section.fault("provider", format_args!("{name:?} is not known"), KNOWN);
            None
        }
    }
}

/// Reads a key ring for a provider whose constructor judges the keys.
fn ring(
    section: &Section<'_>,
    folder: &Path,
    text: KeyText,
    strip: Option<&str>,
    check: &dyn Fn(&KeyRing) -> Result<(), ConfigError>,
) -> Option<KeyRing> {
    let Keys { ring, short_allowed } = keys::read(section, folder, text, strip, check)?;
    if short_allowed {
        section.fault(
            "keys",
            "dangerous_short is not taken here",
            "this provider's keys have a fixed length or at least 16 bytes",
        );
        return None;
    }
    Some(ring)
}

fn mambu(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let header = header_name(section, "static_header");
    let (mut provider, secret) = match header {
        Some(header) => {
            let new = |ring: &KeyRing| Mambu::static_header(header.clone(), ring.clone());
            let ring = ring(section, folder, KeyText::Utf8, None, &|ring| new(ring).map(drop))?;
            (sound(section, "keys", new(&ring))?, vec![header.clone()])
        }
        None => (Mambu::new(), Vec::new()),
    };
    if let Some(place) = section.section("event").and_then(|section| lookup(&section)) {
        provider = provider.event_at(place);
    }
    match section.text("key_policy") {
        None | Some("require") => {}
        Some("body_digest") => provider = provider.key_policy(KeyPolicy::OrBodyDigest),
        Some(_) => section.fault("key_policy", "is not known", "write \"require\" or \"body_digest\""),
    }
    let pointers = section.texts("key_from_body").unwrap_or_default();
    let pointers: Result<Vec<_>, _> = pointers.into_iter().map(tower_webhook::json::Pointer::new).collect();
    provider = provider.key_from_body(sound(section, "key_from_body", pointers)?);
    let mut built = built(AnyProvider::new(provider), secret)?;
    built.is_json = false;
    built.proof_hint =
        "write basic_auth = [{ username = \"…\", password = { env = \"…\" } }], or static_header and keys";
    Some(built)
}

fn aella(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let ring = ring(section, folder, KeyText::Utf8, None, &|ring| Aella::new(ring.clone()).map(drop));
    let header = header_name(section, "header");
    let mac = match section.text("mac") {
        None | Some("hmac-sha512") => None,
        Some("hmac-sha256") => Some(MacAlgorithm::HmacSha256),
        Some(_) => {
            section.fault("mac", "is not known", "write \"hmac-sha512\" or \"hmac-sha256\"");
            None
        }
    };
    let mut provider = sound(section, "keys", Aella::new(ring?))?;
    let signature = header.unwrap_or(HeaderName::from_static("x-aella-signature"));
    provider = sound(section, "header", provider.signature_header(signature.clone()))?;
    if let Some(mac) = mac {
        provider = sound(section, "mac", provider.algorithm(mac))?;
    }
    built(AnyProvider::new(provider), [signature])
}

fn opp(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let ring = ring(section, folder, KeyText::Hex, None, &|ring| Opp::new(ring.clone()).map(drop));
    let mut provider = sound(section, "keys", Opp::new(ring?))?;
    match section.text("retries") {
        None | Some("30d") => {}
        Some("5d") => provider = provider.retry_schedule(RetrySchedule::FiveDays),
        Some(_) => section.fault("retries", "is not known", "write \"5d\" or \"30d\""),
    }
    built(AnyProvider::new(provider), ["x-initialization-vector", "x-authentication-tag"].map(HeaderName::from_static))
}

fn banking_circle(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let ring = ring(section, folder, KeyText::Utf8, None, &|ring| BankingCircle::new(ring.clone()).map(drop));
    let mut names = HeaderNames::default();
    if let Some(headers) = section.section("headers") {
        for (key, name) in [
            ("nonce", &mut names.nonce),
            ("tag", &mut names.tag),
            ("checksum", &mut names.checksum),
            ("version", &mut names.version),
        ] {
            if let Some(given) = header_name(&headers, key) {
                *name = given;
            }
        }
        headers.finish();
    }
    let secret = [names.nonce.clone(), names.tag.clone(), names.checksum.clone()];
    let unreadable = match section.text("unreadable") {
        None | Some("refuse") => UnreadablePolicy::Refuse,
        Some("hand_over") => UnreadablePolicy::HandOver,
        Some(_) => {
            section.fault("unreadable", "is not known", "write \"refuse\" or \"hand_over\"");
            UnreadablePolicy::Refuse
        }
    };
    let provider = sound(section, "keys", BankingCircle::new(ring?))?.unreadable_policy(unreadable);
    built(AnyProvider::new(sound(section, "headers", provider.headers(names))?), secret)
}

fn sibs(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let ring = ring(section, folder, KeyText::Base64, None, &|ring| Sibs::new(ring.clone()).map(drop));
    let code = match section.text("status_code") {
        None | Some("200") => AckCode::TwoHundred,
        Some("000") => AckCode::TripleZero,
        Some(_) => {
            section.fault("status_code", "is not known", "write \"200\" or \"000\"");
            AckCode::TwoHundred
        }
    };
    let provider = sound(section, "keys", Sibs::new(ring?))?.ack_code(code);
    built(AnyProvider::new(provider), ["x-initialization-vector", "x-authentication-tag"].map(HeaderName::from_static))
}

fn standard_webhooks(section: &Section<'_>, folder: &Path) -> Option<Built> {
    let is_public = match section.text("signature") {
        None | Some("v1") => false,
        Some("v1a") => true,
        Some(_) => {
            section.fault("signature", "is not known", "write \"v1\" or \"v1a\"");
            false
        }
    };
    let new = |ring: KeyRing| match is_public {
        true => StandardWebhooks::asymmetric(ring),
        false => StandardWebhooks::new(ring),
    };
    let strip = if is_public { "whpk_" } else { "whsec_" };
    let ring = ring(section, folder, KeyText::Base64, Some(strip), &|ring| new(ring.clone()).map(drop));
    let spelling = match section.text("headers") {
        None | Some("webhook") => Spelling::Webhook,
        Some("svix") => Spelling::Svix,
        Some(_) => {
            section.fault("headers", "is not known", "write \"webhook\" or \"svix\"");
            Spelling::Webhook
        }
    };
    let usual = Duration::from_secs(300);
    let (mut past, mut future) = (usual, usual);
    if let Some(timestamp) = section.section("timestamp") {
        past = timestamp.some_time("past").unwrap_or(usual);
        future = timestamp.duration("future").unwrap_or(usual);
        timestamp.finish();
    }
    let provider = sound(section, "keys", new(ring?))?;
    let provider = sound(section, "headers", provider.spelling(spelling))?;
    let provider = sound(section, "timestamp", provider.tolerance(past, future))?;
    let signature = match spelling {
        Spelling::Svix => "svix-signature",
        _ => "webhook-signature",
    };
    built(AnyProvider::new(provider), [HeaderName::from_static(signature)])
}
