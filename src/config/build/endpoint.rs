//! One endpoint: its provider, its layers, its limits.

use std::time::Duration;

use http::uri::PathAndQuery;

use super::candidate::candidate;
use super::forward::{Forward, forward};
use super::{keys, provider, secret};
use crate::config::fault::{Faults, Found, Place};
use crate::config::spec::{CredentialsSpec, EndpointSpec, ProviderSpec, RateLimitSpec, SecretSource, SourcesSpec};
use crate::idempotency::ReceiverIdentity;
use crate::layers::{BasicAuthLayer, Credentials, RateLimitLayer, SourceIpLayer};
use crate::provider::{AnyProvider, Profile, Provider as _};
use crate::secret::Secret;

/// The longest name of a receiver, in bytes.
const MAX_NAME: usize = 128;

/// An endpoint, checked and ready for use. [`Config::receiver`](crate::config::Config::receiver) makes a receiver of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// What it was built of.
    pub spec: EndpointSpec,
    /// The receiver's name: the path, unless it was given another.
    pub name: String,
    /// Who sends.
    pub provider: AnyProvider,
    /// Who is tried beside it, and only reported.
    pub candidate: Option<AnyProvider>,
    /// The credentials that are asked for.
    pub basic_auth: Option<BasicAuthLayer>,
    /// The addresses that may send.
    pub sources: Option<SourceIpLayer>,
    /// How many requests pass.
    pub rate_limit: Option<RateLimitLayer>,
    /// The longest body, in bytes.
    pub max_body: usize,
    /// How long a completed event is remembered. `None`: as long as the provider needs.
    pub retention: Option<Duration>,
    /// Where the program hands events to.
    pub forward: Option<Forward>,
}

/// What an endpoint takes over where it says nothing itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    pub(super) max_body: Option<usize>,
    /// With the key of the file that says so.
    pub(super) retention: Option<(Duration, &'static str)>,
}

impl EndpointSpec {
    /// Checks and builds this endpoint by itself. The keys of its faults begin at the endpoint: `keys[0].value`.
    ///
    /// # Errors
    ///
    /// All [`Faults`] at once.
    pub fn build(&self) -> Result<Endpoint, Faults> {
        let found = Found::in_file("");
        let endpoint = endpoint(self, &Place::root(&found), Defaults::default());
        found.or_faults(endpoint)
    }
}

impl Endpoint {
    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.spec.path
    }

    /// The provider's name, as it is written in a configuration.
    #[must_use]
    pub fn provider_name(&self) -> &'static str {
        self.spec.provider.name()
    }

    /// Who its receiver is to a store that others use too.
    #[must_use]
    pub fn identity(&self, tenant: &str) -> ReceiverIdentity {
        ReceiverIdentity::new(tenant, self.provider.profile().name, &self.name)
            .keys(self.provider.scheme().key_checks())
            .users(self.basic_auth.iter().flat_map(BasicAuthLayer::usernames))
    }
}

pub(super) fn endpoint(spec: &EndpointSpec, place: &Place<'_>, defaults: Defaults) -> Option<Endpoint> {
    if place.is_unread("provider") {
        keys::alone(&spec.keys, place);
        around(spec, place);
        return None;
    }
    let provider = provider::provider(spec, place);
    let around = around(spec, place);
    let provider = provider?;
    if !provider.scheme().proves_sender() && spec.basic_auth.is_empty() {
        let right = match spec.provider {
            ProviderSpec::Mambu(_) => {
                "write basic_auth = [{ username = \"…\", password = { env = \"…\" } }], or static_header and keys"
            }
            _ => "write basic_auth = [{ username = \"…\", password = { env = \"…\" } }]",
        };
        place.fault("basic_auth", "is missing, and nothing else proves this sender", right);
    }
    let profile = provider.profile();
    let retention = spec.retention.or(defaults.retention.map(|(time, _)| time));
    check_retention(spec, profile, place, defaults);
    let around = around?;
    Some(Endpoint {
        name: spec.receiver().to_owned(),
        candidate: around.candidate,
        basic_auth: around.basic_auth,
        sources: around.sources,
        rate_limit: around.rate_limit,
        max_body: spec.max_body.or(defaults.max_body).unwrap_or(profile.max_body),
        retention,
        forward: around.forward,
        provider,
        spec: spec.clone(),
    })
}

/// A fault lies where the retention stands: at the endpoint, or where the file says it for all.
fn check_retention(spec: &EndpointSpec, profile: &Profile, place: &Place<'_>, defaults: Defaults) {
    let days = profile.retention().as_secs().div_ceil(24 * 3600);
    let right = format!("take \"{days}d\" or longer, or leave it out");
    if let Some(own) = spec.retention {
        place.sound("retention", profile.check_retention(own), &right);
    } else if let Some((all, key)) = defaults.retention
        && let Err(error) = profile.check_retention(all)
    {
        place.found().add(key, format_args!("{}: {error}", spec.path), right);
    }
}

/// What stands around a provider, whoever it is.
struct Around {
    candidate: Option<AnyProvider>,
    basic_auth: Option<BasicAuthLayer>,
    sources: Option<SourceIpLayer>,
    rate_limit: Option<RateLimitLayer>,
    forward: Option<Forward>,
}

fn around(spec: &EndpointSpec, place: &Place<'_>) -> Option<Around> {
    check_path(&spec.path, place);
    check_name(spec.name.as_deref(), place);
    let all = (
        if_there(spec.candidate.as_ref(), |beside| candidate(beside, &spec.path, place)),
        if_there((!spec.basic_auth.is_empty()).then_some(&spec.basic_auth), |pairs| basic_auth(pairs, place)),
        if_there(spec.sources.as_ref(), |spec| sources(spec, place)),
        if_there(spec.rate_limit.as_ref(), |spec| rate_limit(spec, place)),
        if_there(spec.forward.as_ref(), |spec| forward(spec, place)),
    );
    let (candidate, basic_auth, sources, rate_limit, forward) = all;
    Some(Around {
        candidate: candidate?,
        basic_auth: basic_auth?,
        sources: sources?,
        rate_limit: rate_limit?,
        forward: forward?,
    })
}

/// `None` where something is there and cannot be built.
fn if_there<S, T>(spec: Option<S>, build: impl FnOnce(S) -> Option<T>) -> Option<Option<T>> {
    spec.map_or(Some(None), |spec| build(spec).map(Some))
}

fn check_path(path: &str, place: &Place<'_>) {
    // What is no path falls off when it is read.
    let is_path = path.starts_with('/') && path.parse::<PathAndQuery>().is_ok_and(|uri| uri.path() == path);
    if !is_path {
        place.fault("path", "is not a path", "begin it with \"/\", without a query or a fragment");
    }
}

fn check_name(name: Option<&str>, place: &Place<'_>) {
    let is_name = |name: &str| !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    if !name.is_none_or(is_name) {
        place.fault("name", "is not a name", "write 1 to 128 bytes of text, such as \"aella-ng\"");
    }
}

fn basic_auth(pairs: &[CredentialsSpec], place: &Place<'_>) -> Option<BasicAuthLayer> {
    let one = |(at, pair)| credentials(pair, &place.item("basic_auth", at));
    let all: Vec<Option<Credentials>> = pairs.iter().enumerate().map(one).collect();
    let layer = BasicAuthLayer::new(all.into_iter().collect::<Option<Vec<_>>>()?);
    place.sound("basic_auth", layer, "write one to eight pairs of username and password")
}

fn credentials(pair: &CredentialsSpec, place: &Place<'_>) -> Option<Credentials> {
    let username = pair.username.as_str();
    let made = |username: &str, password: &str| Credentials::new(username, Secret::utf8(password)?);
    // Each of the two beside another that is right.
    let right = "write a text that is not empty, without a colon and without control characters";
    let named = place.sound("username", made(username, "password"), right);
    let source = place.part("password");
    let password = secret::text(&pair.password, &source)?;
    secret::warn_of_readers(&pair.password, &source);
    let right = "write a text that is not empty, without white space around it and without control characters";
    let made = made(named.as_ref().map_or("username", |_| username), password.expose());
    let made = match &pair.password {
        // It may stand there without a table.
        SecretSource::Value(_) => place.sound("password", made, right),
        from => source.sound(from.key(), made, right),
    };
    made.filter(|_| named.is_some())
}

fn sources(spec: &SourcesSpec, place: &Place<'_>) -> Option<SourceIpLayer> {
    let layer =
        place.sound("sources", SourceIpLayer::new(&spec.networks), "write networks such as \"192.0.2.0/24\"")?;
    Some(layer.trusted_proxies(spec.trusted_proxies))
}

fn rate_limit(spec: &RateLimitSpec, place: &Place<'_>) -> Option<RateLimitLayer> {
    let layer = RateLimitLayer::new(spec.per_second, spec.burst);
    let right = "write rate_limit = { per_second = 50, burst = 500 }";
    Some(place.sound("rate_limit", layer, right)?.trusted_proxies(spec.trusted_proxies))
}
