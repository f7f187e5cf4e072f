//! Who calls, by the connection and by the proxies in front.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName};

use crate::error::{Rejection, RejectionKind};
use crate::gate::PeerAddr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where the address of a caller is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// The number of proxies that are trusted.
    pub(super) hops: usize,
    pub(super) find: fn(&Extensions) -> Option<IpAddr>,
}

impl Peer {
    /// As the server says, with no proxy in front.
    pub(super) fn of_the_connection() -> Self {
        Self { hops: 0, find: |extensions| extensions.get::<PeerAddr>().map(|peer| peer.0.ip()) }
    }

    /// The address that a request comes from. One of IPv4 that is mapped into IPv6 is one of IPv4.
    pub(super) fn source(&self, head: &Parts) -> Result<IpAddr, Rejection> {
        let Some(peer) = (self.find)(&head.extensions) else {
            return Err(Rejection::new(RejectionKind::Misassembled, "the request carries no peer address"));
        };
        Ok(forwarded_for(&head.headers, self.hops).unwrap_or(peer).to_canonical())
    }
}

fn forwarded_for(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut values = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let mut client = None;
    for _ in 0..hops {
        client = Some(address(values.next()?)?);
    }
    client
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    text.parse().or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip())).ok()
}
