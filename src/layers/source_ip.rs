//! The source address list: who calls from elsewhere is refused before anything else is looked at.

use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;
use http::request::Parts;
use tower_layer::Layer;

use super::peer::Peer;
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};
use crate::gate::{HeadCheck, HeadGate};

/// Takes requests from these networks only.
///
/// The address is that of the connection: [`PeerAddr`](crate::gate::PeerAddr) in the request's extensions, or what [`peer`](Self::peer) finds.
/// A request without one is answered with 500: the stack is assembled wrongly.
///
/// # Order
///
/// Outermost of the layers here, so that strangers cost least. What puts [`PeerAddr`](crate::gate::PeerAddr) or axum's `ConnectInfo` into the
/// extensions stands outside of it, as does whatever else changes what it reads, such as a layer that drops
/// `X-Forwarded-For`.
///
/// # Security
///
/// An address list is an extra and never the only proof: addresses of providers change, are shared and are routed by
/// others. Put a signature or credentials behind it.
///
/// # Example
///
/// ```
/// use std::convert::Infallible;
/// use std::net::SocketAddr;
///
/// use http::{Request, Response, StatusCode};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_webhook::gate::PeerAddr;
/// use tower_webhook::layers::SourceIpLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ServiceBuilder::new()
///     .layer(SourceIpLayer::new(["192.0.2.0/24", "2001:db8::7"])?)
///     .service(service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) }));
/// let from = |peer: &str| {
///     let peer = PeerAddr(peer.parse::<SocketAddr>().unwrap());
///     Request::post("/").extension(peer).body(String::new()).unwrap()
/// };
///
/// assert_eq!(service.clone().oneshot(from("192.0.2.9:443")).await?.status(), StatusCode::OK);
/// assert_eq!(service.oneshot(from("198.51.100.9:443")).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SourceIpLayer {
    networks: Vec<Network>,
    peer: Peer,
}

impl SourceIpLayer {
    /// Takes requests from these networks, each in CIDR or as a bare address. An IPv4 address that is mapped into IPv6
    /// counts as IPv4, here and in requests.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Network`] for what is no network, [`ConfigErrorKind::OutOfRange`] for an empty list.
    pub fn new(networks: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, ConfigError> {
        let unreadable = |text: &str| ConfigError::new(ConfigErrorKind::Network(text.to_owned()));
        let read = |text: &str| Network::parse(text).ok_or_else(|| unreadable(text));
        let networks: Vec<_> = networks.into_iter().map(|text| read(text.as_ref())).collect::<Result<_, _>>()?;
        if networks.is_empty() {
            return Err(ConfigError::new(ConfigErrorKind::OutOfRange("the number of networks")));
        }
        Ok(Self { networks, peer: Peer::of_the_connection() })
    }

    /// The number of proxies of yours in front: the client is the value that the outermost of them has written, the
    /// n-th of `X-Forwarded-For` from the right over all its lines. Values may carry a port (`192.0.2.1:80`,
    /// `[2001:db8::1]:80`). Where there are fewer values, or one of these n is no address, the address of the
    /// connection counts. Default: 0.
    ///
    /// # Security
    ///
    /// Whoever can reach the receiver around these proxies can claim any address. Values further left are the client's
    /// own claim and are never looked at. Keep the proxies' own addresses off the list.
    #[must_use]
    pub fn trusted_proxies(mut self, hops: usize) -> Self {
        self.peer.hops = hops;
        self
    }

    /// Where the address of the connection is found. Default: [`PeerAddr`](crate::gate::PeerAddr) in the request's
    /// extensions.
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use axum::extract::ConnectInfo;
    /// use tower_webhook::layers::SourceIpLayer;
    ///
    /// // For `axum::serve` with `into_make_service_with_connect_info::<SocketAddr>()`.
    /// let layer = SourceIpLayer::new(["192.0.2.0/24"])?
    ///     .peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.ip()));
    /// # Ok::<(), tower_webhook::ConfigError>(())
    /// ```
    #[must_use]
    pub fn peer(mut self, find: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.peer.find = find;
        self
    }
}

impl<S> Layer<S> for SourceIpLayer {
    type Service = HeadGate<SourceIpLayer, S>;

    fn layer(&self, inner: S) -> Self::Service {
        HeadGate::new(Arc::new(self.clone()), inner)
    }
}

impl HeadCheck for SourceIpLayer {
    fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
        let source = self.peer.source(head)?;
        if self.networks.iter().any(|network| network.contains(source)) {
            return Ok(());
        }
        Err(Rejection::new(RejectionKind::SourceForbidden, format!("{source} is not on the list")))
    }
}

/// The addresses of one family that begin with the same bits.
#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    /// How many bits at the end may be any.
    free: u32,
}

impl Network {
    /// `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let free = width.checked_sub(length.map_or(Some(width), number)?)?;
        let unmapped = if free <= 32 { address.to_canonical() } else { address };
        Some(Self { address: unmapped, free })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => u128::from(ours.to_bits() ^ other.to_bits()),
            (IpAddr::V6(ours), IpAddr::V6(other)) => ours.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        differing.checked_shr(self.free).unwrap_or(0) == 0
    }
}

/// Digits and nothing else: `parse` takes a plus sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
