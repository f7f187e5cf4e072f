//! One endpoint: where it listens, who may send, how it is proved, and where events go.

use std::path::PathBuf;
use std::time::Duration;

use super::provider::ProviderSpec;
use super::secret::{CredentialsSpec, KeySpec};
use crate::gate::Compression;
use crate::idempotency::Mismatch;

/// One `[[endpoint]]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointSpec {
    /// Where it listens.
    pub path: String,
    /// The receiver's name. Default: the path.
    pub name: Option<String>,
    /// Who sends.
    pub provider: ProviderSpec,
    /// The keys of its scheme.
    pub keys: Vec<KeySpec>,
    /// Who is tried beside it, and only reported. Default: nobody.
    pub candidate: Option<CandidateSpec>,
    /// Basic credentials, each of which is enough. Default: none is asked for.
    pub basic_auth: Vec<CredentialsSpec>,
    /// The addresses that may send. Default: all.
    pub sources: Option<SourcesSpec>,
    /// How many requests pass. Default: any number.
    pub rate_limit: Option<RateLimitSpec>,
    /// The longest body, in bytes. Default: the file's, else the provider's.
    pub max_body: Option<usize>,
    /// What becomes of compressed bodies.
    pub compression: Compression,
    /// How long a completed event is remembered. Default: the file's, else the provider's.
    pub retention: Option<Duration>,
    /// What becomes of an event whose key was completed with another payload.
    pub on_mismatch: Mismatch,
    /// Runs events while the store is down, though a repeat is then handled again.
    pub dangerous_run_unprotected: bool,
    /// Whether the program prints no payloads. Default: as the file says.
    pub quiet_payloads: Option<bool>,
    /// Where the program hands events to. Default: nowhere, they are printed.
    pub forward: Option<ForwardSpec>,
}

impl EndpointSpec {
    /// An endpoint at this path, without keys.
    #[must_use]
    pub fn new(path: impl Into<String>, provider: ProviderSpec) -> Self {
        Self {
            path: path.into(),
            name: None,
            provider,
            keys: Vec::new(),
            candidate: None,
            basic_auth: Vec::new(),
            sources: None,
            rate_limit: None,
            max_body: None,
            compression: Compression::default(),
            retention: None,
            on_mismatch: Mismatch::default(),
            dangerous_run_unprotected: false,
            quiet_payloads: None,
            forward: None,
        }
    }

    /// The name of the receiver that it is.
    #[must_use]
    pub fn receiver(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }
}

/// A provider that is [tried beside](crate::Receiver::candidate) the one that decides, and decides nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CandidateSpec {
    /// Whose scheme is tried.
    pub provider: ProviderSpec,
    /// The keys of its scheme.
    pub keys: Vec<KeySpec>,
}

impl CandidateSpec {
    /// This provider, with these keys.
    #[must_use]
    pub fn new(provider: ProviderSpec, keys: impl IntoIterator<Item = KeySpec>) -> Self {
        Self { provider, keys: keys.into_iter().collect() }
    }
}

/// The addresses that may send.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SourcesSpec {
    /// Networks such as `192.0.2.0/24`.
    pub networks: Vec<String>,
    /// How many hops at the right of `X-Forwarded-For` are ours. Default: 0.
    pub trusted_proxies: usize,
}

impl SourcesSpec {
    /// These networks, with no proxy in front.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { networks: networks.into_iter().map(Into::into).collect(), trusted_proxies: 0 }
    }
}

/// How many requests pass from each network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RateLimitSpec {
    /// In a second, on the average.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
    /// How many hops at the right of `X-Forwarded-For` are ours. Default: 0.
    pub trusted_proxies: usize,
}

impl RateLimitSpec {
    /// So many, with no proxy in front.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst, trusted_proxies: 0 }
    }
}

/// Where the program hands events to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ForwardSpec {
    /// An `http` or `https` address.
    pub to: String,
    /// How long its answer may take. Default: 10 seconds.
    pub timeout: Duration,
    /// Whether the sender is answered the upstream's 410. Default: 502 in its place.
    pub pass_gone: bool,
    /// A file with the only certificate authority that is believed, as PEM. Default: the machine's.
    pub ca: Option<PathBuf>,
    /// Takes an `http` address beyond this machine, although all between can read along.
    pub dangerous_in_clear: bool,
}

impl ForwardSpec {
    /// This address, with the defaults of each field.
    #[must_use]
    pub fn new(to: impl Into<String>) -> Self {
        let (to, timeout) = (to.into(), Duration::from_secs(10));
        Self { to, timeout, pass_gone: false, ca: None, dangerous_in_clear: false }
    }
}
