//! Providers of the library.

use super::custom::custom;
use super::keys::{self, Keys, Usual};
use crate::config::fault::Place;
use crate::config::spec::{
    AellaSpec, BankingCircleSpec, EndpointSpec, KeyEncoding, KeySpec, MambuSpec, ProviderSpec, StandardWebhooksSpec,
};
use crate::error::ConfigError;
use crate::provider::AnyProvider;
use crate::provider::aella::Aella;
use crate::provider::banking_circle::{BankingCircle, HeaderNames};
use crate::provider::mambu::Mambu;
use crate::provider::opp::Opp;
use crate::provider::sibs::Sibs;
use crate::provider::standard_webhooks::StandardWebhooks;
use crate::secret::KeyRing;

const SEE: &str = "see the documentation of this provider";

pub(super) fn provider(endpoint: &EndpointSpec, place: &Place<'_>) -> Option<AnyProvider> {
    let keys = &endpoint.keys;
    match &endpoint.provider {
        ProviderSpec::Aella(spec) => aella(spec, keys, place).map(AnyProvider::new),
        ProviderSpec::BankingCircle(spec) => banking_circle(spec, keys, place).map(AnyProvider::new),
        ProviderSpec::Custom(spec) => custom(spec, endpoint, place).map(AnyProvider::new),
        ProviderSpec::Mambu(spec) => mambu(spec, keys, place).map(AnyProvider::new),
        ProviderSpec::Opp(spec) => {
            let opp = keyed(keys, place, KeyEncoding::Hex, Opp::new)?;
            Some(AnyProvider::new(match spec.retries {
                Some(schedule) => opp.retry_schedule(schedule),
                None => opp,
            }))
        }
        ProviderSpec::Sibs(spec) => {
            let sibs = keyed(keys, place, KeyEncoding::Base64, Sibs::new)?;
            Some(AnyProvider::new(sibs.ack_code(spec.status_code)))
        }
        ProviderSpec::StandardWebhooks(spec) => standard_webhooks(spec, keys, place).map(AnyProvider::new),
    }
}

/// A provider whose constructor judges the keys.
fn keyed<P>(
    keys: &[KeySpec],
    place: &Place<'_>,
    usual: impl Into<Usual>,
    new: impl Fn(KeyRing) -> Result<P, ConfigError>,
) -> Option<P> {
    let Keys { ring, .. } = keys::ring(keys, place, usual.into(), &|ring| new(ring.clone()).map(drop))?;
    place.sound("keys", new(ring), SEE)
}

fn mambu(spec: &MambuSpec, keys: &[KeySpec], place: &Place<'_>) -> Option<Mambu> {
    let mut provider = match &spec.static_header {
        Some(header) => keyed(keys, place, KeyEncoding::Utf8, |ring| Mambu::static_header(header.clone(), ring))?,
        None => Mambu::new(),
    };
    if spec.static_header.is_none() && !keys.is_empty() {
        place.fault(
            "keys",
            "has no effect without static_header",
            "name the header that carries a key, or leave it out",
        );
    }
    if let Some(event) = &spec.event {
        provider = provider.event_at(event.clone());
    }
    Some(provider.key_policy(spec.key_policy).key_from_body(spec.key_from_body.iter().cloned()))
}

fn aella(spec: &AellaSpec, keys: &[KeySpec], place: &Place<'_>) -> Option<Aella> {
    let mut provider = keyed(keys, place, KeyEncoding::Utf8, Aella::new)?;
    if let Some(header) = &spec.header {
        provider = place.sound("header", provider.signature_header(header.clone()), SEE)?;
    }
    if let Some(mac) = spec.mac {
        provider = place.sound("mac", provider.algorithm(mac), SEE)?;
    }
    Some(provider)
}

fn banking_circle(spec: &BankingCircleSpec, keys: &[KeySpec], place: &Place<'_>) -> Option<BankingCircle> {
    check_headers(&spec.headers, &place.part("headers"));
    let mut provider = keyed(keys, place, KeyEncoding::Utf8, BankingCircle::new)?.unreadable_policy(spec.unreadable);
    if let Some(count) = spec.retries {
        provider = provider.retry_count(count);
    }
    place.sound("headers", provider.headers(spec.headers.clone()), SEE)
}

fn check_headers(names: &HeaderNames, place: &Place<'_>) {
    let usual = HeaderNames::default();
    let all = [
        ("nonce", &names.nonce, &usual.nonce),
        ("tag", &names.tag, &usual.tag),
        ("checksum", &names.checksum, &usual.checksum),
        ("version", &names.version, &usual.version),
    ];
    for (at, (key, name, usual)) in all.iter().enumerate() {
        let Some((earlier, ..)) = all.iter().take(at).find(|(_, earlier, _)| earlier == name) else { continue };
        // What has its usual name may not stand in the file at all.
        let key = if name == usual { earlier } else { key };
        place.fault(key, format_args!("{name:?} stands twice"), "give each of these headers a name of its own");
    }
}

fn standard_webhooks(spec: &StandardWebhooksSpec, keys: &[KeySpec], place: &Place<'_>) -> Option<StandardWebhooks> {
    let new = |ring: KeyRing| match spec.is_asymmetric {
        true => StandardWebhooks::asymmetric(ring),
        false => StandardWebhooks::new(ring),
    };
    let strip = Some(if spec.is_asymmetric { "whpk_" } else { "whsec_" });
    let provider = keyed(keys, place, Usual { strip, ..KeyEncoding::Base64.into() }, new)?;
    let provider = place.sound("headers", provider.spelling(spec.headers), SEE)?;
    place.sound("timestamp", provider.tolerance(spec.past, spec.future), SEE)
}
