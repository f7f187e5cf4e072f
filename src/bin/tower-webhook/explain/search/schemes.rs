//! Changes of the endpoint's other words: another endpoint as it stands, another MAC, spelling, URL or provider.

use tower_webhook::config::{
    CustomSpec, Endpoint, EndpointSpec, KeySpec, ProofSpec, ProviderSpec, SchemeSpec, SignedSpec,
};
use tower_webhook::provider::Provider as _;
use tower_webhook::provider::standard_webhooks::Spelling;
use tower_webhook::scheme::{MacAlgorithm, Template};

use super::change::Setting;
use super::keys;
use crate::explain::case::Case;
use crate::explain::report::Why;

/// The other endpoints of the file, each with one of its keys. One that proves no sender takes everything, and says
/// nothing.
pub(super) fn other_endpoints(case: &Case<'_>) -> Vec<Setting> {
    let others = case.others.iter().filter(|other| other.provider.scheme().proves_sender());
    others.flat_map(|other| other.spec.keys.iter().filter_map(|key| with_one_key(case, other, key))).collect()
}

fn with_one_key(case: &Case<'_>, other: &Endpoint, key: &KeySpec) -> Option<Setting> {
    let (path, id) = (other.path(), &key.id);
    let why = if other.provider_name() == case.endpoint.provider_name() {
        Why::new(
            format!("it fits the key {id} of {path}: wrong environment?"),
            format!("give both sides the same key, or send it to {path}"),
        )
    } else {
        Why::new(format!("it fits {path}: wrong address?"), format!("have the sender send it to {path}"))
    };
    Some(Setting { why, endpoint: keys::with_key(&other.spec, key.clone())? })
}

/// The endpoint with one of its settings changed, as far as its provider has that setting.
pub(super) fn settings(case: &Case<'_>) -> Vec<Setting> {
    let spec = &case.endpoint.spec;
    let changed = match &spec.provider {
        ProviderSpec::Aella(aella) => macs(spec, aella.mac, |provider, mac| {
            if let ProviderSpec::Aella(spec) = provider {
                spec.mac = Some(mac);
            }
        }),
        ProviderSpec::StandardWebhooks(webhooks) => spellings(spec, webhooks.headers),
        ProviderSpec::Custom(CustomSpec { scheme: SchemeSpec::Signed(signed), .. }) => signatures(spec, signed),
        _ => Vec::new(),
    };
    changed.into_iter().chain(providers(spec)).collect()
}

fn build(why: Why, spec: &EndpointSpec, change: impl FnOnce(&mut ProviderSpec)) -> Option<Setting> {
    let mut spec = spec.clone();
    change(&mut spec.provider);
    Some(Setting { why, endpoint: spec.build().ok()? })
}

fn macs(
    spec: &EndpointSpec,
    now: Option<MacAlgorithm>,
    change: impl Fn(&mut ProviderSpec, MacAlgorithm),
) -> Vec<Setting> {
    let setting = |mac: &MacAlgorithm| {
        let name = mac.name();
        let why = Why::new(format!("it was made with {name}"), format!("write mac = {name:?}"));
        build(why, spec, |provider| change(provider, *mac))
    };
    MacAlgorithm::ALL.iter().filter(|mac| Some(**mac) != now).filter_map(setting).collect()
}

fn spellings(spec: &EndpointSpec, now: Spelling) -> Vec<Setting> {
    let setting = |(name, spelling): (&str, Spelling)| {
        let why = Why::new(
            format!("the headers are spelled {name}-id, {name}-timestamp and {name}-signature"),
            format!("write headers = {name:?}"),
        );
        build(why, spec, |provider| {
            if let ProviderSpec::StandardWebhooks(spec) = provider {
                spec.headers = spelling;
            }
        })
    };
    let all = [("svix", Spelling::Svix), ("webhook", Spelling::Webhook)];
    all.into_iter().filter(|(_, spelling)| *spelling != now).filter_map(setting).collect()
}

/// Another MAC, another URL, or the body alone.
fn signatures(spec: &EndpointSpec, signed: &SignedSpec) -> Vec<Setting> {
    let mut all = match signed.proof {
        ProofSpec::Mac(now) => macs(spec, Some(now), |provider, mac| {
            change_signed(provider, |signed| signed.proof = ProofSpec::Mac(mac));
        }),
        _ => Vec::new(),
    };
    for (cause, url) in signed.url.iter().flat_map(|url| other_urls(url)) {
        let why = Why::new(cause, "write url as the sender was given it, byte for byte");
        all.extend(build(why, spec, |provider| change_signed(provider, |signed| signed.url = Some(url))));
    }
    if signed.signed == Template::body() && signed.timestamp.is_none() {
        return all;
    }
    let why = Why::new("the body alone was signed", "write signed = \"{body}\", without timestamp");
    all.extend(build(why, spec, |provider| {
        change_signed(provider, |signed| {
            signed.signed = Template::body();
            signed.timestamp = None;
        });
    }));
    all
}

fn change_signed(provider: &mut ProviderSpec, change: impl FnOnce(&mut SignedSpec)) {
    if let ProviderSpec::Custom(CustomSpec { scheme: SchemeSpec::Signed(signed), .. }) = provider {
        change(signed);
    }
}

/// The same keys and credentials under another provider.
fn providers(spec: &EndpointSpec) -> Vec<Setting> {
    let mine = spec.provider.name();
    let setting = |name: &str| {
        let mut other = EndpointSpec::new(spec.path.as_str(), ProviderSpec::named(name)?);
        (other.keys, other.basic_auth) = (spec.keys.clone(), spec.basic_auth.clone());
        let why = Why::new(
            format!("this is a delivery of {name}, and the endpoint is one of {mine}"),
            format!("write provider = {name:?}, or have it sent to another endpoint"),
        );
        Some(Setting { why, endpoint: other.build().ok()? })
    };
    ProviderSpec::NAMES.into_iter().filter(|name| *name != mine).filter_map(setting).collect()
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
