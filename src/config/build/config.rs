//! The whole configuration, and the receivers of its endpoints.

use std::net::SocketAddr;
use std::time::Duration;

use super::endpoint::{Defaults, Endpoint, endpoint};
use super::fixed::{Fixed, fixed};
use super::inbox::{self, Inbox};
use super::tls::{self, Tls};
use super::{store, validity};
use crate::clock::Timestamp;
use crate::config::fault::{Faults, Found, Place};
use crate::config::spec::{ConfigSpec, DedupeSpec, EndpointSpec, StoreSpec};
use crate::error::ConfigError;
use crate::gate::BodyBudget;
use crate::idempotency::{AnyStore, UnprotectedRuns};
use crate::provider::AnyProvider;
use crate::receiver::Receiver;

/// A configuration, checked and ready for use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How it listens with a certificate. `None`: it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Where it tells how it is. `None`: nowhere.
    pub admin: Option<SocketAddr>,
    /// Keeps its keys apart from others on the same store. May be empty.
    pub tenant: String,
    /// The time for a whole body.
    pub body_deadline: Duration,
    /// For the bodies of all endpoints together.
    pub body_budget: BodyBudget,
    /// How long a peer may not read of its answer.
    pub write_deadline: Duration,
    /// How long what is in hand may take after a signal to stop.
    pub drain: Duration,
    /// Whether the program prints no payloads, where an endpoint says nothing.
    pub quiet_payloads: bool,
    /// How events are claimed.
    pub dedupe: Dedupe,
    /// Where events are stored before they are answered. `None`: they are handled first.
    pub inbox: Option<Inbox>,
    /// The endpoints, at least one.
    pub endpoints: Vec<Endpoint>,
    /// Counts the events of endpoints that run unprotected.
    pub unprotected: UnprotectedRuns,
    /// What works and should be known, a line each.
    pub warnings: Vec<String>,
    pub(super) file: String,
    pub(super) fixed: Fixed,
}

/// How events are claimed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dedupe {
    /// Where idempotency keys live. A Redis store has not been connected yet.
    pub store: AnyStore,
    /// Whether a Redis server that cannot be probed, or may not promise all, is to end the program at its start.
    pub strict: bool,
    /// How long a claim holds without renewal.
    pub lease: Option<Duration>,
}

impl ConfigSpec {
    /// Checks and builds all of it. Whether keys are valid by now is not looked at.
    ///
    /// # Errors
    ///
    /// All [`Faults`] at once.
    pub fn build(&self) -> Result<Config, Faults> {
        self.build_whenever(None)
    }

    /// The same for whoever receives at this time: an endpoint all of whose keys are over is a fault, and one key that is over
    /// a warning.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_at(&self, now: Timestamp) -> Result<Config, Faults> {
        self.build_whenever(Some(now))
    }

    fn build_whenever(&self, now: Option<Timestamp>) -> Result<Config, Faults> {
        let found = Found::in_file(self.file.as_str());
        let config = build(self, now, &found);
        found.or_faults(config)
    }
}

impl Config {
    /// The receiver of one of the endpoints, with everything that is said of it but `forward_to`. It wants a store and a
    /// handler: `.dedupe(config.dedupe.store.clone()).handle(..)`.
    ///
    /// Where there are `sources`, whoever serves says who is connected: by [`PeerAddr`](crate::gate::PeerAddr) in a request's
    /// extensions, or by [`SourceIpLayer::peer`](crate::layers::SourceIpLayer::peer) on [`Endpoint::sources`]. A Redis that
    /// others use too learns by [`RedisStore::enroll`](crate::idempotency::RedisStore::enroll) whose the names are.
    ///
    /// # Errors
    ///
    /// As [`Receiver::settings`].
    pub fn receiver(&self, endpoint: &Endpoint) -> Result<Receiver<AnyProvider>, ConfigError> {
        let mut receiver = Receiver::new(endpoint.name.as_str(), endpoint.provider.clone())
            .max_body(endpoint.max_body)
            .compression(endpoint.spec.compression)
            .body_deadline(self.body_deadline)
            .body_budget(&self.body_budget);
        if let Some(candidate) = &endpoint.candidate {
            receiver = receiver.candidate(candidate.clone());
        }
        if let Some(layer) = &endpoint.basic_auth {
            receiver = receiver.basic_auth(layer);
        }
        if let Some(layer) = &endpoint.sources {
            receiver = receiver.sources(layer);
        }
        if let Some(layer) = &endpoint.rate_limit {
            receiver = receiver.rate_limit(layer);
        }
        receiver.settings(|mut settings| {
            settings = settings.tenant(self.tenant.as_str()).on_mismatch(endpoint.spec.on_mismatch);
            if let Some(retention) = endpoint.retention {
                settings = settings.retention(retention);
            }
            if let Some(lease) = self.dedupe.lease {
                settings = settings.lease(lease);
            }
            if endpoint.spec.dangerous_run_unprotected {
                settings = settings.dangerous_run_unprotected(&self.unprotected);
            }
            settings
        })
    }

    /// Whether the program prints no payloads of this endpoint.
    #[must_use]
    pub fn is_quiet(&self, endpoint: &Endpoint) -> bool {
        endpoint.spec.quiet_payloads.unwrap_or(self.quiet_payloads)
    }
}

/// Builds what was read. Of endpoints whose provider could not be read, everything else is looked at.
pub(in crate::config) fn build(spec: &ConfigSpec, now: Option<Timestamp>, found: &Found) -> Option<Config> {
    let root = Place::root(found);
    if spec.admin.is_some_and(|admin| admin == spec.listen && admin.port() != 0) {
        root.fault("admin", "is the address to listen on", "write another port");
    }
    let tls = spec.tls.as_ref().and_then(|spec| tls::server(spec, &root.part("tls")));
    let dedupe = dedupe(spec, &root.part("dedupe"));
    if spec.endpoints.is_empty() {
        root.fault("endpoint", "is missing", "write at least one [[endpoint]] with path and provider");
    }
    // Which of the two remembers keys.
    let retention = match &spec.inbox {
        Some(inbox) => inbox.retention.keys.map(|keys| (keys, "inbox.retention.keys")),
        None => spec.dedupe.retention.map(|keys| (keys, "dedupe.retention")),
    };
    let defaults = Defaults { max_body: spec.max_body, retention };
    let one = |(at, spec): (usize, &EndpointSpec)| {
        let place = root.item("endpoint", at);
        let endpoint = endpoint(spec, &place, defaults);
        if let Some(now) = now {
            validity::judge(spec, &place, now);
        }
        endpoint.map(|endpoint| (at, endpoint))
    };
    let endpoints: Vec<(usize, Endpoint)> = spec.endpoints.iter().enumerate().filter_map(one).collect();
    let inbox = inbox(spec, &root);
    check_paths(&spec.endpoints, &root);
    check_names(&endpoints, &spec.tenant, &root);
    let endpoints: Vec<Endpoint> = endpoints.into_iter().map(|(_, endpoint)| endpoint).collect();
    let body_budget = budget(spec.body_budget, &endpoints, &root);
    warn_of_forgetting(spec, found);
    Some(Config {
        listen: spec.listen,
        tls,
        admin: spec.admin,
        tenant: spec.tenant.clone(),
        body_deadline: spec.body_deadline,
        body_budget,
        write_deadline: spec.write_deadline,
        drain: spec.drain,
        quiet_payloads: spec.quiet_payloads,
        dedupe: dedupe?,
        inbox,
        endpoints,
        unprotected: UnprotectedRuns::default(),
        warnings: found.take_warnings(),
        file: spec.file.clone(),
        fixed: fixed(spec),
    })
}

fn inbox(spec: &ConfigSpec, root: &Place<'_>) -> Option<Inbox> {
    let inbox = spec.inbox.as_ref()?;
    inbox::check_endpoints(spec, root);
    inbox::inbox(inbox, &root.part("inbox"))
}

fn dedupe(spec: &ConfigSpec, place: &Place<'_>) -> Option<Dedupe> {
    let (spec, lease) = (&spec.dedupe, spec.dedupe.lease);
    if lease.is_some_and(|lease| lease < Duration::from_secs(1)) {
        place.fault("lease", "is shorter than a second", "write \"30s\" or leave it out");
    }
    let strict = matches!(&spec.store, StoreSpec::Redis(redis) if redis.strict);
    store::store(&spec.store, place).map(|store| Dedupe { store, strict, lease })
}

fn budget(given: Option<usize>, endpoints: &[Endpoint], root: &Place<'_>) -> BodyBudget {
    let longest = endpoints.iter().map(|endpoint| endpoint.max_body).max().unwrap_or_default();
    let Some(bytes) = given else { return BodyBudget::for_bodies_of(longest) };
    let budget = BodyBudget::new(bytes);
    if budget.longest() < longest {
        let wrong = format_args!("has no room for a body of {longest} bytes");
        root.fault("body_budget", wrong, "take twice the largest max_body, or more");
    }
    budget
}

fn warn_of_forgetting(spec: &ConfigSpec, found: &Found) {
    let listen = spec.listen;
    let DedupeSpec { store, lease, retention } = &spec.dedupe;
    let is_usual = matches!(store, StoreSpec::Memory { .. }) && lease.is_none() && retention.is_none();
    if spec.inbox.is_some() && !is_usual {
        found.warn("dedupe: is not used beside an [inbox], which dedupes by itself");
    }
    if spec.inbox.is_none() && !listen.ip().is_loopback() && matches!(spec.dedupe.store, StoreSpec::Memory { .. }) {
        found.warn(format_args!(
            "dedupe: the memory store forgets at exit, and {listen} is not loopback: a repeat after a restart is handled again"
        ));
    }
}

/// Endpoints of one name share their effects: what one has handled is a repeat for the others. So they must be one
/// receiver's.
fn check_names(endpoints: &[(usize, Endpoint)], tenant: &str, root: &Place<'_>) {
    let receivers: Vec<_> = endpoints.iter().map(|(at, endpoint)| (at, endpoint, endpoint.identity(tenant))).collect();
    for (count, (at, endpoint, receiver)) in receivers.iter().enumerate() {
        let namesakes = || receivers.iter().take(count).filter(|(_, earlier, _)| earlier.name == endpoint.name);
        if let Some(taken) = namesakes().find_map(|(_, _, earlier)| receiver.may_join(earlier).err()) {
            root.item("endpoint", **at).fault("name", taken.problem(), taken.remedy());
            continue;
        }
        for (_, earlier, _) in namesakes() {
            root.found().warn(format_args!(
                "{} and {} have one name ({:?}) and one provider: an event that one of them has handled is a repeat for \
                 the other",
                earlier.path(),
                endpoint.path(),
                endpoint.name
            ));
        }
    }
}

fn check_paths(endpoints: &[EndpointSpec], root: &Place<'_>) {
    for (at, endpoint) in endpoints.iter().enumerate() {
        if endpoints.iter().take(at).any(|earlier| earlier.path == endpoint.path) {
            let wrong = format_args!("{:?} stands twice", endpoint.path);
            root.item("endpoint", at).fault("path", wrong, "give each endpoint its own path");
        }
    }
}
