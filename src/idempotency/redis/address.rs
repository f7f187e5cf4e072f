//! What the operator writes: a URL, and what it means.

use std::time::Duration;

use redis::cluster::ClusterClientBuilder;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{Client, ConnectionInfo, IntoConnectionInfo as _};

use super::setup::SetupError;
use super::target::Target;

/// What a URL says, with its secrets: never printed.
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
        let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(user, rest)| (user, rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let (kind, path) = match kind {
            "" if !hosts.contains(',') => (Kind::Single, path),
            "" => return Err(SetupError::new("several hosts need redis-sentinel:// or redis-cluster://")),
            "cluster" => (Kind::Cluster, path),
            "sentinel" => {
                let (name, path) = path.split_once('/').unwrap_or((path, ""));
                if name.is_empty() {
                    return Err(SetupError::new("redis-sentinel:// needs the master's name after the hosts"));
                }
                (Kind::Sentinel(name.to_owned()), path)
            }
            _ => return Err(SetupError::new("the address is not a redis:// URL")),
        };
        let node = |host: &str| {
            let host = if matches!(kind, Kind::Sentinel(_)) && !has_port(host) {
                format!("{host}:26379")
            } else {
                host.to_owned()
            };
            format!("{scheme}://{user}{host}/{path}").into_connection_info().map_err(SetupError::url)
        };
        let nodes = hosts.split(',').map(node).collect::<Result<_, _>>()?;
        Ok(Self { kind, nodes })
    }

    /// The client for it.
    #[cfg_attr(not(feature = "redis-tls"), allow(unused_variables, reason = "there is no TLS to have roots"))]
    pub(super) fn target(self, roots: Option<Vec<u8>>, time: Duration) -> Result<Target, SetupError> {
        #[cfg(feature = "redis-tls")]
        let certificates = roots.map(|pem| redis::TlsCertificates { client_tls: None, root_cert: Some(pem) });
        let mut nodes = self.nodes.into_iter();
        match self.kind {
            Kind::Single => {
                let node = nodes.next().ok_or(SetupError::new("the address names no host"))?;
                #[cfg(feature = "redis-tls")]
                if let Some(certificates) = certificates {
                    return Client::build_with_tls(node, certificates)
                        .map(|client| Target::Single(client.into()))
                        .map_err(SetupError::url);
                }
                Client::open(node).map(|client| Target::Single(client.into())).map_err(SetupError::url)
            }
            Kind::Cluster => {
                let cluster = ClusterClientBuilder::new(nodes)
                    .connection_timeout(time)
                    .response_timeout(time)
                    .overall_response_timeout(None);
                #[cfg(feature = "redis-tls")]
                let cluster = match certificates {
                    Some(certificates) => cluster.certs(certificates),
                    None => cluster,
                };
                cluster.build().map(|client| Target::Cluster(client.into())).map_err(SetupError::url)
            }
            Kind::Sentinel(name) => {
                #[cfg(feature = "redis-tls")]
                if certificates.is_some() {
                    return Err(SetupError::new("Sentinel takes no root of its own: use the machine's"));
                }
                let first = nodes.as_slice().first().ok_or(SetupError::new("the address names no host"))?;
                let mut master = SentinelNodeConnectionInfo::default()
                    .set_redis_connection_info(first.redis_settings().clone())
                    .set_tcp_settings(first.tcp_settings().clone());
                if let redis::ConnectionAddr::TcpTls { .. } = first.addr() {
                    master = master.set_tls_mode(redis::TlsMode::Secure);
                }
                // The user in the URL is the server's. Sentinels are asked without one.
                let sentinels: Vec<ConnectionInfo> =
                    nodes.map(|node| node.set_redis_settings(redis::RedisConnectionInfo::default())).collect();
                SentinelClient::build(sentinels, name, Some(master), SentinelServerType::Master)
                    .map(|client| Target::Sentinel(Box::new(client.into())))
                    .map_err(SetupError::url)
            }
        }
    }
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
