//! The whole configuration: what all endpoints have in common, and the endpoints.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::endpoint::EndpointSpec;
use super::inbox::InboxSpec;
use super::secret::SecretSource;

/// A configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfigSpec {
    /// What its faults call it: the file it was read from. Empty where there is none.
    pub file: String,
    /// Where it listens. Default: any free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// The certificate to listen with. Default: none, plain HTTP.
    pub tls: Option<TlsSpec>,
    /// Where it tells how it is: `/live`, `/ready`, `/metrics`. Default: nowhere.
    pub admin: Option<SocketAddr>,
    /// Keeps its keys apart from others on the same store. Default: empty.
    pub tenant: String,
    /// The longest body, in bytes, where an endpoint says nothing. Default: the provider's.
    pub max_body: Option<usize>,
    /// The time for a whole body. Default: 10 seconds.
    pub body_deadline: Duration,
    /// For the bodies of all endpoints together, in bytes. Default: enough for the longest.
    pub body_budget: Option<usize>,
    /// How long a peer may not read of its answer. Default: 10 seconds.
    pub write_deadline: Duration,
    /// How long what is in hand may take after a signal to stop. Default: 30 seconds.
    pub drain: Duration,
    /// Whether the program prints no payloads, where an endpoint says nothing. Default: it does.
    pub quiet_payloads: bool,
    /// How events are claimed.
    pub dedupe: DedupeSpec,
    /// Where events are stored before they are answered. Default: nowhere, they are handled first.
    pub inbox: Option<InboxSpec>,
    /// The endpoints, at least one.
    pub endpoints: Vec<EndpointSpec>,
}

impl ConfigSpec {
    /// These endpoints, with the defaults of each field.
    #[must_use]
    pub fn new(endpoints: impl IntoIterator<Item = EndpointSpec>) -> Self {
        Self {
            file: String::new(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            admin: None,
            tenant: String::new(),
            max_body: None,
            body_deadline: Duration::from_secs(10),
            body_budget: None,
            write_deadline: Duration::from_secs(10),
            drain: Duration::from_secs(30),
            quiet_payloads: false,
            dedupe: DedupeSpec::default(),
            inbox: None,
            endpoints: endpoints.into_iter().collect(),
        }
    }
}

/// `tls`: the certificate to listen with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsSpec {
    /// A file with the certificate and what leads to its root, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: SecretSource,
    /// A file with the authorities whose certificates a sender must have, as PEM. Default: a sender needs none.
    pub client_ca: Option<PathBuf>,
}

impl TlsSpec {
    /// This certificate with its key, and senders that need none.
    #[must_use]
    pub fn new(certificate: impl Into<PathBuf>, key: SecretSource) -> Self {
        Self { certificate: certificate.into(), key, client_ca: None }
    }
}

/// Whom a client of TLS believes, and by what it proves itself. No key of a file: for who sends.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsClientSpec {
    /// A file with the only certificate authority that is believed, as PEM. Default: the machine's.
    pub ca: Option<PathBuf>,
    /// A file with a certificate of its own and what leads to its root, as PEM, and its private key. Default: none.
    pub identity: Option<(PathBuf, SecretSource)>,
}

/// `[dedupe]`: how events are claimed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DedupeSpec {
    /// Where idempotency keys live.
    pub store: StoreSpec,
    /// How long a claim holds without renewal. Default: 30 seconds.
    pub lease: Option<Duration>,
    /// How long a completed event is remembered, where an endpoint says nothing. Default: the provider's.
    pub retention: Option<Duration>,
}

/// Where idempotency keys live.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreSpec {
    /// In memory, for as long as the process lives.
    Memory {
        /// How many keys are remembered. Default: a million.
        capacity: usize,
    },
    /// In Redis or Valkey.
    Redis(RedisSpec),
}

impl Default for StoreSpec {
    fn default() -> Self {
        Self::Memory { capacity: 1_000_000 }
    }
}

/// A store in Redis.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RedisSpec {
    /// Its address, which may hold a password.
    pub url: SecretSource,
    /// Whether a server that cannot be probed, or may not promise all, ends the program at its start. Default: no.
    pub strict: bool,
    /// The time for one operation. Default: the store's.
    pub deadline: Option<Duration>,
    /// What every key begins with. Default: the store's.
    pub prefix: Option<String>,
    /// Replicas that are waited for. Default: none.
    pub wait: Option<WaitSpec>,
}

impl RedisSpec {
    /// The store at this address.
    #[must_use]
    pub fn new(url: SecretSource) -> Self {
        Self { url, strict: false, deadline: None, prefix: None, wait: None }
    }
}

/// Replicas that are waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WaitSpec {
    /// How many.
    pub replicas: u32,
    /// For how long.
    pub time: Duration,
}

impl WaitSpec {
    /// So many replicas, for so long.
    #[must_use]
    pub fn new(replicas: u32, time: Duration) -> Self {
        Self { replicas, time }
    }
}
