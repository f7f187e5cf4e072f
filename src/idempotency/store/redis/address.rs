//! What the operator writes: a URL, and what it means.

use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::cluster::ClusterClientBuilder;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, RedisResult, TlsMode};

use super::setup_error::SetupError;
use super::target::Target;

/// How long connecting takes at most where there are several hosts, of which some may say nothing. Each is waited for a
/// second at most: so the client library does with Sentinels.
pub(super) const CONNECTING: Duration = Duration::from_secs(3);

/// What a URL means, with its secrets: never printed.
pub(super) struct Address {
    kind: Kind,
    nodes: Vec<ConnectionInfo>,
}

enum Kind {
    Single,
    /// Of the master with this name.
    Sentinel(String),
    Cluster,
}

impl Kind {
    /// The kind of this name, and what is left of the path.
    fn of<'a>(name: &str, path: &'a str) -> Result<(Self, &'a str), SetupError> {
        match name {
            "" => Ok((Self::Single, path)),
            "cluster" => Ok((Self::Cluster, path)),
            "sentinel" => match path.split_once('/').unwrap_or((path, "")) {
                ("", _) => Err(SetupError::new("redis-sentinel:// needs the master's name after the hosts")),
                (name, path) => Ok((Self::Sentinel(name.to_owned()), path)),
            },
            _ => Err(SetupError::new("the address is not a redis:// URL")),
        }
    }
}

impl Address {
    /// `redis://`, `redis-sentinel://` or `redis-cluster://`, and each with `rediss`.
    pub(super) fn parse(url: &str) -> Result<Self, SetupError> {
        let (scheme, rest) = url.split_once("://").ok_or(SetupError::new("the address is not a URL"))?;
        let (scheme, kind) = scheme.split_once('-').unwrap_or((scheme, ""));
        if !["redis", "rediss", "valkey", "valkeys"].contains(&scheme) {
            return Err(SetupError::new("the address is not a redis:// URL"));
        }
        if scheme.ends_with("ss") || scheme.ends_with("keys") {
            needs_tls()?;
        }
        let (user, rest) =
            rest.rsplit_once('@').map_or((String::new(), rest), |(user, rest)| (format!("{user}@"), rest));
        let (rest, query) = rest.find('?').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (kind, path) = Kind::of(kind, path)?;
        if matches!(kind, Kind::Single) && hosts.contains(',') {
            return Err(SetupError::new("several hosts need redis-sentinel:// or redis-cluster://"));
        }
        let node = |host: &str| {
            let port = if matches!(kind, Kind::Sentinel(_)) && !has_port(host) { ":26379" } else { "" };
            format!("{scheme}://{user}{host}{port}/{path}{query}")
                .into_connection_info()
                .map_err(|error| SetupError::url(&error))
        };
        let nodes = hosts.split(',').map(node).collect::<Result<_, _>>()?;
        Ok(Self { kind, nodes })
    }

    /// The client for it. It trusts these roots for TLS, or the machine's. A try has this time.
    pub(super) fn target(self, roots: Option<Vec<u8>>, time: Duration) -> Result<Target, SetupError> {
        let target = match self.kind {
            Kind::Single => single(self.nodes, roots).map(|client| Target::Single(client.into())),
            Kind::Cluster => cluster(self.nodes, roots, time).map(|client| Target::Cluster(client.into())),
            Kind::Sentinel(name) => {
                sentinel(self.nodes, &name, roots).map(|client| Target::Sentinel(Box::new(client.into())))
            }
        };
        target.map_err(|error| SetupError::url(&error))
    }
}

fn single(nodes: Vec<ConnectionInfo>, roots: Option<Vec<u8>>) -> RedisResult<Client> {
    let node = first(&nodes)?.clone();
    match roots {
        #[cfg(feature = "redis-tls")]
        Some(roots) => Client::build_with_tls(node, certificates(roots)),
        _ => Client::open(node),
    }
}

fn cluster(nodes: Vec<ConnectionInfo>, roots: Option<Vec<u8>>, time: Duration) -> RedisResult<ClusterClient> {
    // It asks all hosts of the address, and then all that the cluster names: one may say nothing twice.
    let one = time.min(CONNECTING / 3);
    let cluster =
        ClusterClientBuilder::new(nodes).connection_timeout(one).response_timeout(time).overall_response_timeout(None);
    match roots {
        #[cfg(feature = "redis-tls")]
        Some(roots) => cluster.certs(certificates(roots)).build(),
        _ => cluster.build(),
    }
}

/// The user and the database in the URL are the server's. Sentinels are asked without a user.
fn sentinel(nodes: Vec<ConnectionInfo>, name: &str, roots: Option<Vec<u8>>) -> RedisResult<SentinelClient> {
    let node = first(&nodes)?;
    let server = node.redis_settings();
    let addresses = nodes.iter().map(|node| node.addr().clone());
    let mut sentinel =
        SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?.set_client_to_redis_db(server.db());
    if let Some(user) = server.username() {
        sentinel = sentinel.set_client_to_redis_username(user);
    }
    if let Some(password) = server.password() {
        sentinel = sentinel.set_client_to_redis_password(password);
    }
    if let ConnectionAddr::TcpTls { .. } = node.addr() {
        sentinel = sentinel.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    match roots {
        #[cfg(feature = "redis-tls")]
        Some(roots) => sentinel
            .set_client_to_redis_certificates(certificates(roots.clone()))
            .set_client_to_sentinel_certificates(certificates(roots))
            .build(),
        _ => sentinel.build(),
    }
}

fn first(nodes: &[ConnectionInfo]) -> RedisResult<&ConnectionInfo> {
    nodes.first().ok_or_else(|| (ErrorKind::InvalidClientConfig, "the address names no host").into())
}

#[cfg(feature = "redis-tls")]
fn certificates(roots: Vec<u8>) -> redis::TlsCertificates {
    redis::TlsCertificates { client_tls: None, root_cert: Some(roots) }
}

/// Whether the host is followed by a port. An IPv6 address stands in brackets.
fn has_port(host: &str) -> bool {
    host.rsplit_once(']').map_or(host, |(_, rest)| rest).contains(':')
}

#[cfg(feature = "redis-tls")]
fn needs_tls() -> Result<(), SetupError> {
    // The client library would panic where two providers are compiled in and none is chosen.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    Ok(())
}

#[cfg(not(feature = "redis-tls"))]
fn needs_tls() -> Result<(), SetupError> {
    Err(SetupError::new("a rediss:// address needs the feature `redis-tls`"))
}
