//! Ports for who has to be known before it listens.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// An address for who listens there later, or again; with the port that a node of a cluster takes beside its own.
///
/// It is given once, and lies below the ports that a system chooses by itself: so nobody takes it meanwhile.
pub(crate) fn free_address() -> SocketAddr {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    const PORTS: u32 = 10_000;
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    // Other processes begin elsewhere.
    let first = std::process::id().wrapping_mul(97);
    for _ in 0..PORTS {
        let number = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = 12_000 + u16::try_from(number).unwrap();
        if is_free(port) && is_free(port + 10_000) {
            return (Ipv4Addr::LOCALHOST, port).into();
        }
    }
    panic!("no port is free");
}
