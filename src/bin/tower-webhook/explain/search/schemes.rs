//! Changes of the endpoint's other words: another endpoint as it stands, another MAC, spelling, URL or provider.

use tower_webhook::config::{Endpoint, EndpointSpec, KeySpec, ProofSpec, ProviderSpec, SchemeSpec, SignedSpec};
use tower_webhook::provider::Provider as _;
use tower_webhook::provider::standard_webhooks::Spelling;
use tower_webhook::scheme::{MacAlgorithm, Template};

use super::change::Change;
use super::keys;
use crate::explain::case::Case;
use crate::explain::report::Why;

/// The other endpoints of the file, each with one of its keys. One that proves no sender takes everything, and says
/// nothing.
pub(super) fn other_endpoints(case: &Case<'_>) -> Vec<Change> {
    let others = case.others().filter(|other| other.provider.scheme().proves_sender());
    others.flat_map(|other| other.spec.keys.iter().filter_map(|key| with_one_key(case, other, key))).collect()
}

fn with_one_key(case: &Case<'_>, other: &Endpoint, key: &KeySpec) -> Option<Change> {
    let path = other.path();
    let why = if other.provider_name() == case.endpoint.provider_name() {
        keys::of_other(other, key)
    } else {
        Why::new(format!("it fits {path}: wrong address?"), format!("have the sender send it to {path}"))
    };
    Some(Change::endpoint(why, keys::with_key(&other.spec, key.clone())?))
}

/// The endpoint with one of its settings changed, as far as its provider has that setting.
pub(super) fn changes(case: &Case<'_>) -> Vec<Change> {
    let spec = &case.endpoint.spec;
    let changed: Vec<(Why, ProviderSpec)> = match &spec.provider {
        ProviderSpec::Aella(aella) => {
            let with = |mac| ProviderSpec::Aella(with(aella, |aella| aella.mac = Some(mac)));
            macs(aella.mac).map(|(why, mac)| (why, with(mac))).collect()
        }
        ProviderSpec::StandardWebhooks(webhooks) => {
            let with = |headers| ProviderSpec::StandardWebhooks(with(webhooks, |webhooks| webhooks.headers = headers));
            spellings(webhooks.headers).map(|(why, headers)| (why, with(headers))).collect()
        }
        ProviderSpec::Custom(custom) => {
            let with = |signed| ProviderSpec::Custom(with(custom, |custom| custom.scheme = SchemeSpec::Signed(signed)));
            signatures(&custom.scheme).into_iter().map(|(why, signed)| (why, with(signed))).collect()
        }
        _ => Vec::new(),
    };
    let changed = changed.into_iter().map(|(why, provider)| (why, with(spec, |spec| spec.provider = provider)));
    changed.chain(providers(spec)).filter_map(|(why, spec)| Some(Change::endpoint(why, spec.build().ok()?))).collect()
}

fn with<T: Clone>(all: &T, change: impl FnOnce(&mut T)) -> T {
    let mut all = all.clone();
    change(&mut all);
    all
}

fn macs(now: Option<MacAlgorithm>) -> impl Iterator<Item = (Why, MacAlgorithm)> {
    MacAlgorithm::ALL.iter().filter(move |mac| Some(**mac) != now).map(|mac| {
        let name = mac.name();
        (Why::new(format!("it was made with {name}"), format!("write mac = {name:?}")), *mac)
    })
}

fn spellings(now: Spelling) -> impl Iterator<Item = (Why, Spelling)> {
    let all = [("svix", Spelling::Svix), ("webhook", Spelling::Webhook)].into_iter();
    all.filter(move |(_, spelling)| *spelling != now).map(|(name, spelling)| {
        let cause = format!("the headers are spelled {name}-id, {name}-timestamp and {name}-signature");
        (Why::new(cause, format!("write headers = {name:?}")), spelling)
    })
}

/// Another MAC, another URL, or the body alone.
fn signatures(scheme: &SchemeSpec) -> Vec<(Why, SignedSpec)> {
    let SchemeSpec::Signed(signed) = scheme else { return Vec::new() };
    let mut all = Vec::new();
    if let ProofSpec::Mac(now) = signed.proof {
        all.extend(macs(Some(now)).map(|(why, mac)| (why, with(signed, |signed| signed.proof = ProofSpec::Mac(mac)))));
    }
    for (cause, url) in signed.url.iter().flat_map(|url| other_urls(url)) {
        let why = Why::new(cause, "write url as the sender was given it, byte for byte");
        all.push((why, with(signed, |signed| signed.url = Some(url))));
    }
    if signed.signed != Template::body() || signed.timestamp.is_some() {
        let why = Why::new("the body alone was signed", "write signed = \"{body}\", without timestamp");
        let body_alone = |signed: &mut SignedSpec| (signed.signed, signed.timestamp) = (Template::body(), None);
        all.push((why, with(signed, body_alone)));
    }
    all
}

/// The same keys and credentials under another provider.
fn providers(spec: &EndpointSpec) -> impl Iterator<Item = (Why, EndpointSpec)> {
    let mine = spec.provider.name();
    ProviderSpec::NAMES.into_iter().filter(move |name| *name != mine).filter_map(move |name| {
        let mut other = EndpointSpec::new(spec.path.as_str(), ProviderSpec::named(name)?);
        (other.keys, other.basic_auth) = (spec.keys.clone(), spec.basic_auth.clone());
        let why = Why::new(
            format!("this is a delivery of {name}, and the endpoint is one of {mine}"),
            format!("write provider = {name:?}, or have it sent to another endpoint"),
        );
        Some((why, other))
    })
}

fn other_urls(url: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![match url.strip_suffix('/') {
        Some(short) => ("the URL was signed without the slash at its end", short.to_owned()),
        None => ("the URL was signed with a slash at its end", format!("{url}/")),
    }];
    if let Some(rest) = url.strip_prefix("https://") {
        all.push(("the URL was signed with http in front", format!("http://{rest}")));
    }
    if let Some(rest) = url.strip_prefix("http://") {
        all.push(("the URL was signed with https in front", format!("https://{rest}")));
    }
    if let Some((short, _)) = url.split_once('?') {
        all.push(("the URL was signed without its query", short.to_owned()));
    }
    all
}
