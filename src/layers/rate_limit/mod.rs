//! A limit of requests by where they come from, before anybody is asked who they are.

mod buckets;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Extensions;
use http::request::Parts;
use tower_layer::Layer;

use self::buckets::{Buckets, Rate};
use super::peer::Peer;
use crate::clock::{Clock, SystemClock};
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};
use crate::gate::{HeadCheck, HeadGate};

/// How many networks are known unless told otherwise. Each takes some fifty bytes.
const CAPACITY: usize = 65_536;

/// Takes so many requests a second from each network, and so many at once; what is beyond is answered 503 with `Retry-After`.
///
/// A network is a /24 of IPv4 and a /56 of IPv6, unless [`prefixes`](Self::prefixes) says otherwise: who guesses passwords has
/// more than one address. Clones share what they have counted.
///
/// The address is that of the connection: [`PeerAddr`](crate::gate::PeerAddr) in the request's extensions, or what
/// [`peer`](Self::peer) finds. A request without one is answered with 500: the stack is assembled wrongly.
///
/// The answer is 503 and not 429: some senders take any 4xx as final, and a provider that sends its backlog after an outage
/// must not lose it. All senders come again after a 503.
///
/// # Order
///
/// Behind a [`SourceIpLayer`](super::SourceIpLayer), which costs less and lets no stranger into the table, and in front of
/// a [`BasicAuthLayer`](super::BasicAuthLayer).
///
/// # Security
///
/// It bounds how fast one network can guess, and what it costs meanwhile. It is no shield against many networks: the table
/// has a fixed size, and who was not seen for longest is forgotten, which means a full burst again. Set the burst to what the
/// provider sends after an outage; all its customers may share its addresses.
///
/// # Example
///
/// ```
/// use std::convert::Infallible;
///
/// use http::{Request, Response, StatusCode};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_webhook::gate::PeerAddr;
/// use tower_webhook::layers::RateLimitLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ServiceBuilder::new()
///     .layer(RateLimitLayer::new(1, 2)?)
///     .service(service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) }));
/// let from = |peer: &str| Request::post("/").extension(PeerAddr(peer.parse().unwrap())).body(String::new()).unwrap();
///
/// for (peer, status) in [
///     ("192.0.2.1:443", StatusCode::OK),
///     ("192.0.2.2:443", StatusCode::OK),
///     ("192.0.2.3:443", StatusCode::SERVICE_UNAVAILABLE),
///     ("198.51.100.1:443", StatusCode::OK),
/// ] {
///     assert_eq!(service.clone().oneshot(from(peer)).await?.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RateLimitLayer {
    rate: Rate,
    peer: Peer,
    /// Of IPv4 and of IPv6.
    prefixes: (u32, u32),
    clock: Arc<dyn Clock>,
    buckets: Arc<Mutex<Buckets<(bool, u128)>>>,
}

impl RateLimitLayer {
    /// Takes so many requests a second from each network, and so many at once.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::OutOfRange`] when one of them is 0: nothing would pass; and over a billion requests per second, which
    /// would be no limit.
    pub fn new(per_second: u32, burst: u32) -> Result<Self, ConfigError> {
        let out = |what| ConfigError::new(ConfigErrorKind::OutOfRange(what));
        if per_second == 0 || per_second > 1_000_000_000 {
            return Err(out("the number of requests per second"));
        }
        if burst == 0 {
            return Err(out("the burst"));
        }
        Ok(Self {
            rate: Rate { interval: 1_000_000_000 / i128::from(per_second), burst },
            peer: Peer::of_the_connection(),
            prefixes: (24, 56),
            clock: Arc::new(SystemClock),
            buckets: Arc::new(Mutex::new(Buckets::new(CAPACITY))),
        })
    }

    /// How many bits of an address are its network, in IPv4 and in IPv6. Default: 24 and 56.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::OutOfRange`] when an address has not as many.
    pub fn prefixes(mut self, ipv4: u8, ipv6: u8) -> Result<Self, ConfigError> {
        if ipv4 > 32 || ipv6 > 128 {
            return Err(ConfigError::new(ConfigErrorKind::OutOfRange("the length of a prefix")));
        }
        self.prefixes = (ipv4.into(), ipv6.into());
        Ok(self)
    }

    /// How many networks are known at most, two at least. What was counted is forgotten. Default: 65,536.
    #[must_use]
    pub fn capacity(mut self, networks: usize) -> Self {
        self.buckets = Arc::new(Mutex::new(Buckets::new(networks)));
        self
    }

    /// The number of proxies of yours in front. Default: 0. See
    /// [`SourceIpLayer::trusted_proxies`](super::SourceIpLayer::trusted_proxies).
    ///
    /// # Security
    ///
    /// With too few all requests come from the proxy, and a stranger uses up what the provider needs; with too many anybody
    /// names an address of their own choice.
    #[must_use]
    pub fn trusted_proxies(mut self, hops: usize) -> Self {
        self.peer.hops = hops;
        self
    }

    /// Where the address of the connection is found. Default: [`PeerAddr`](crate::gate::PeerAddr) in the request's
    /// extensions.
    #[must_use]
    pub fn peer(mut self, find: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.peer.find = find;
        self
    }

    /// The clock that buckets fill by. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many networks are known now.
    #[must_use]
    pub fn networks(&self) -> usize {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self, network: (bool, u128), now: i128) -> Result<(), Duration> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).take(network, now, self.rate)
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = HeadGate<RateLimitLayer, S>;

    fn layer(&self, inner: S) -> Self::Service {
        HeadGate::new(Arc::new(self.clone()), inner)
    }
}

impl HeadCheck for RateLimitLayer {
    fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
        let source = self.peer.source(head)?;
        let Some(now) = self.clock.now() else {
            return Err(Rejection::new(RejectionKind::Misassembled, "the clock failed"));
        };
        self.take(network(source, self.prefixes), now.as_nanosecond()).map_err(|wait| {
            Rejection::new(RejectionKind::RateLimited, format!("{source} is one of too many")).retry_in(wait)
        })
    }
}

/// Its family and the bits that count.
fn network(address: IpAddr, (ipv4, ipv6): (u32, u32)) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(address.to_bits().checked_shr(32 - ipv4).unwrap_or(0))),
        IpAddr::V6(address) => (false, address.to_bits().checked_shr(128 - ipv6).unwrap_or(0)),
    }
}

impl fmt::Debug for RateLimitLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitLayer")
            .field("rate", &self.rate)
            .field("prefixes", &self.prefixes)
            .finish_non_exhaustive()
    }
}
