//! The provider's part of an endpoint.

use super::custom::{custom, lookup};
use super::section::Section;
use crate::config::spec::{
    AellaSpec, BankingCircleSpec, MambuSpec, OppSpec, ProviderSpec, SibsSpec, StandardWebhooksSpec,
};
use crate::json::Pointer;
use crate::provider::banking_circle::{RetryCount, UnreadablePolicy};
use crate::provider::mambu::KeyPolicy;
use crate::provider::opp::RetrySchedule;
use crate::provider::sibs::AckCode;
use crate::provider::standard_webhooks::Spelling;
use crate::scheme::MacAlgorithm;

/// Reads the provider's name and its settings. `None` when there is no telling which provider it is.
pub(super) fn read(section: &Section<'_>) -> Option<ProviderSpec> {
    let names = ProviderSpec::NAMES.join(", ");
    let right = format!("write one of {names}");
    let name = section.needed("provider", &right)?;
    if name == "custom" {
        return Some(ProviderSpec::Custom(custom(section)));
    }
    let mut spec = section.known("provider", name, ProviderSpec::named(name), &right)?;
    match &mut spec {
        ProviderSpec::Aella(spec) => aella(section, spec),
        ProviderSpec::BankingCircle(spec) => banking_circle(section, spec),
        ProviderSpec::Mambu(spec) => mambu(section, spec),
        ProviderSpec::Opp(spec) => opp(section, spec),
        ProviderSpec::Sibs(spec) => sibs(section, spec),
        ProviderSpec::StandardWebhooks(spec) => standard_webhooks(section, spec),
        ProviderSpec::Custom(_) => {}
    }
    Some(spec)
}

fn aella(section: &Section<'_>, spec: &mut AellaSpec) {
    spec.header = section.header_name("header");
    let macs = |text: &str| match text {
        "hmac-sha512" => Some(None),
        "hmac-sha256" => Some(Some(MacAlgorithm::HmacSha256)),
        _ => None,
    };
    spec.mac = section.word("mac", None, macs, "write \"hmac-sha512\" or \"hmac-sha256\"");
}

fn banking_circle(section: &Section<'_>, spec: &mut BankingCircleSpec) {
    if let Some(headers) = section.section("headers") {
        let names = &mut spec.headers;
        for (key, name) in [
            ("nonce", &mut names.nonce),
            ("tag", &mut names.tag),
            ("checksum", &mut names.checksum),
            ("version", &mut names.version),
        ] {
            if let Some(given) = headers.header_name(key) {
                *name = given;
            }
        }
        headers.finish();
    }
    let words = |text: &str| match text {
        "refuse" => Some(UnreadablePolicy::Refuse),
        "hand_over" => Some(UnreadablePolicy::HandOver),
        _ => None,
    };
    spec.unreadable = section.word("unreadable", spec.unreadable, words, "write \"refuse\" or \"hand_over\"");
    let counts = |text: &str| match text {
        "10" => Some(Some(RetryCount::Ten)),
        "11" => Some(Some(RetryCount::Eleven)),
        _ => None,
    };
    spec.retries = section.word("retries", None, counts, "write \"10\" or \"11\"");
}

fn mambu(section: &Section<'_>, spec: &mut MambuSpec) {
    spec.static_header = section.header_name("static_header");
    spec.event = section.section("event").and_then(|section| lookup(&section));
    let words = |text: &str| match text {
        "require" => Some(KeyPolicy::Require),
        "body_digest" => Some(KeyPolicy::OrBodyDigest),
        _ => None,
    };
    spec.key_policy = section.word("key_policy", spec.key_policy, words, "write \"require\" or \"body_digest\"");
    let pointers = section.texts("key_from_body").unwrap_or_default();
    match pointers.into_iter().map(Pointer::new).collect() {
        Ok(pointers) => spec.key_from_body = pointers,
        Err(error) => {
            let error: crate::error::ConfigError = error;
            section.fault("key_from_body", error, "write JSON pointers such as \"/data/id\"");
        }
    }
}

fn opp(section: &Section<'_>, spec: &mut OppSpec) {
    let words = |text: &str| match text {
        "5d" => Some(Some(RetrySchedule::FiveDays)),
        "30d" => Some(Some(RetrySchedule::ThirtyDays)),
        _ => None,
    };
    spec.retries = section.word("retries", None, words, "write \"5d\" or \"30d\"");
}

fn sibs(section: &Section<'_>, spec: &mut SibsSpec) {
    let words = |text: &str| match text {
        "200" => Some(AckCode::TwoHundred),
        "000" => Some(AckCode::TripleZero),
        _ => None,
    };
    spec.status_code = section.word("status_code", spec.status_code, words, "write \"200\" or \"000\"");
}

fn standard_webhooks(section: &Section<'_>, spec: &mut StandardWebhooksSpec) {
    let signatures = |text: &str| matches!(text, "v1" | "v1a").then_some(text == "v1a");
    spec.is_asymmetric = section.word("signature", false, signatures, "write \"v1\" or \"v1a\"");
    let spellings = |text: &str| match text {
        "either" => Some(Spelling::Either),
        "webhook" => Some(Spelling::Webhook),
        "svix" => Some(Spelling::Svix),
        _ => None,
    };
    spec.headers = section.word("headers", spec.headers, spellings, "write \"either\", \"webhook\" or \"svix\"");
    if let Some(timestamp) = section.section("timestamp") {
        spec.past = timestamp.some_time("past").unwrap_or(spec.past);
        spec.future = timestamp.duration("future").unwrap_or(spec.future);
        timestamp.finish();
    }
}
