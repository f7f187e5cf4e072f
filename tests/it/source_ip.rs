//! The source address list, with and without proxies in front.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use http::{HeaderValue, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::gate::PeerAddr;
use tower_webhook::layers::SourceIpLayer;
use tower_webhook::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};

async fn knock(layer: &SourceIpLayer, peer: Option<&str>, forwarded: &[&[u8]]) -> Option<RejectionKind> {
    let mut request = Request::new(String::new());
    if let Some(peer) = peer {
        request.extensions_mut().insert(PeerAddr(SocketAddr::new(peer.parse().unwrap(), 443)));
    }
    for line in forwarded {
        request.headers_mut().append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
    }
    let inner = service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new())));
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    let refused = response.extensions().get::<Rejection>().map(Rejection::kind);
    assert_eq!(response.status(), refused.map_or(http::StatusCode::OK, RejectionKind::status));
    assert!(response.headers().is_empty());
    refused
}

#[tokio::test]
async fn only_listed_networks_get_in() {
    let list = ["192.0.2.0/24", "198.51.100.7", "2001:db8:1::/48", "2001:db8::7", "::ffff:203.0.113.0/120"];
    let layer = SourceIpLayer::new(list).unwrap();
    for (peer, listed) in [
        ("192.0.2.0", true),
        ("192.0.2.255", true),
        ("192.0.3.0", false),
        ("192.0.1.255", false),
        ("198.51.100.7", true),
        ("198.51.100.6", false),
        ("2001:db8:1:ffff::1", true),
        ("2001:db8:2::1", false),
        ("2001:db8::7", true),
        ("2001:db8::6", false),
        ("::ffff:192.0.2.9", true),
        ("::ffff:192.0.3.9", false),
        ("203.0.113.9", true),
        ("::ffff:203.0.113.9", true),
        ("203.0.114.9", false),
        ("127.0.0.1", false),
        ("::1", false),
        ("::192.0.2.9", false),
    ] {
        let refused = (!listed).then_some(RejectionKind::SourceForbidden);
        assert_eq!(knock(&layer, Some(peer), &[]).await, refused, "{peer}");
    }
}

#[tokio::test]
async fn a_network_is_its_first_bits_in_its_own_family() {
    for (network, inside, outside) in [
        ("192.0.2.6/31", "192.0.2.7", "192.0.2.5"),
        ("192.0.2.9/30", "192.0.2.8", "192.0.2.12"),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
        ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "ffff::", "0.0.0.0"),
        ("8000::/1", "ffff::", "7fff::"),
        ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
        ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ("::ffff:192.0.2.1/128", "192.0.2.1", "192.0.2.0"),
        ("::ffff:0:0/96", "192.0.2.1", "::1"),
        ("::ffff:0:0/95", "::fffe:0:0", "192.0.2.1"),
    ] {
        let layer = SourceIpLayer::new([network]).unwrap();
        assert_eq!(knock(&layer, Some(inside), &[]).await, None, "{inside} in {network}");
        let refused = knock(&layer, Some(outside), &[]).await;
        assert_eq!(refused, Some(RejectionKind::SourceForbidden), "{outside} in {network}");
    }
}

#[tokio::test]
async fn forwarded_addresses_count_from_the_right_and_only_behind_proxies() {
    const LISTED: bool = true;
    const REFUSED: bool = false;
    let peer = "10.0.0.1";
    for (proxies, lines, expected) in [
        // Nobody is trusted: the peer counts, and it is not on the list.
        (0, &[&b"192.0.2.1"[..]][..], REFUSED),
        (1, &[b"192.0.2.1"], LISTED),
        (1, &[b"198.51.100.1"], REFUSED),
        (1, &[b"192.0.2.1, 198.51.100.1"], REFUSED),
        (1, &[b"198.51.100.1, 192.0.2.1"], LISTED),
        (1, &[b"192.0.2.1", b"198.51.100.1"], REFUSED),
        (1, &[b"198.51.100.1", b"192.0.2.1"], LISTED),
        (2, &[b"192.0.2.1, 10.0.0.2"], LISTED),
        (2, &[b"192.0.2.1", b"10.0.0.2"], LISTED),
        (2, &[b"198.51.100.1, 192.0.2.1", b"10.0.0.2"], LISTED),
        (2, &[b"192.0.2.1, 198.51.100.1", b"10.0.0.2"], REFUSED),
        (3, &[b"192.0.2.1", b"10.0.0.3,10.0.0.2"], LISTED),
        // Too few, or none: the peer counts.
        (1, &[], REFUSED),
        (2, &[b"192.0.2.1"], REFUSED),
        (usize::MAX, &[b"192.0.2.1"], REFUSED),
        // Malformed in what is read: the peer counts.
        (1, &[b"192.0.2.1,"], REFUSED),
        (1, &[b""], REFUSED),
        (1, &[b"192.0.2.1", b""], REFUSED),
        (1, &[b"unknown"], REFUSED),
        (1, &[b"192.0.2.1\xff"], REFUSED),
        (1, &[b"192.0.2.01"], REFUSED),
        (1, &[b"192.0.2.1;"], REFUSED),
        (1, &[b"192.0.2"], REFUSED),
        (1, &[b"\"192.0.2.1\""], REFUSED),
        (2, &[b"192.0.2.1, unknown"], REFUSED),
        // Malformed further left is the client's own affair.
        (1, &[b"\xff, 192.0.2.1"], LISTED),
        // Ports, white space and IPv6.
        (1, &[b" \t192.0.2.1 "], LISTED),
        (1, &[b"192.0.2.1:8080"], LISTED),
        (1, &[b"192.0.2.1:99999"], REFUSED),
        (1, &[b"[2001:db8::1]:8080"], LISTED),
        (1, &[b"2001:db8::1"], LISTED),
        (1, &[b"2001:db8::2"], REFUSED),
        (1, &[b"::ffff:192.0.2.1"], LISTED),
        (1, &[b"[::ffff:192.0.2.1]:8080"], LISTED),
    ] {
        let layer = SourceIpLayer::new(["192.0.2.0/24", "2001:db8::1"]).unwrap().trusted_proxies(proxies);
        let refused = (expected == REFUSED).then_some(RejectionKind::SourceForbidden);
        assert_eq!(knock(&layer, Some(peer), lines).await, refused, "{proxies} proxies, {lines:?}");
    }
}

#[tokio::test]
async fn malformed_and_missing_values_fall_back_to_the_peer() {
    let layer = SourceIpLayer::new(["10.0.0.1"]).unwrap().trusted_proxies(1);
    for lines in [&[][..], &[&b"unknown"[..]]] {
        assert_eq!(knock(&layer, Some("10.0.0.1"), lines).await, None, "{lines:?}");
        assert_eq!(knock(&layer, Some("10.0.0.2"), lines).await, Some(RejectionKind::SourceForbidden), "{lines:?}");
    }
    assert_eq!(knock(&layer, Some("10.0.0.1"), &[b"10.0.0.2"]).await, Some(RejectionKind::SourceForbidden));
}

#[tokio::test]
async fn without_a_peer_address_nobody_gets_in() {
    for proxies in [0, 1] {
        let layer = SourceIpLayer::new(["0.0.0.0/0", "::/0"]).unwrap().trusted_proxies(proxies);
        assert_eq!(knock(&layer, None, &[b"192.0.2.1"]).await, Some(RejectionKind::Misassembled), "{proxies}");
        assert_eq!(knock(&layer, Some("192.0.2.1"), &[b"192.0.2.1"]).await, None, "{proxies}");
    }
}

#[tokio::test]
async fn the_peer_can_be_found_elsewhere() {
    #[derive(Clone)]
    struct Elsewhere(IpAddr);
    let layer = SourceIpLayer::new(["192.0.2.1"]).unwrap();
    let layer = layer.peer(|extensions| extensions.get::<Elsewhere>().map(|peer| peer.0));
    assert_eq!(knock(&layer, Some("192.0.2.1"), &[]).await, Some(RejectionKind::Misassembled));
    for (peer, status) in [("192.0.2.1", 200), ("192.0.2.2", 403)] {
        let inner = service_fn(async |_: Request<String>| Ok::<_, Infallible>(Response::new(String::new())));
        let request = Request::get("/").extension(Elsewhere(peer.parse().unwrap())).body(String::new()).unwrap();
        assert_eq!(layer.layer(inner).oneshot(request).await.unwrap().status(), status, "{peer}");
    }
}

#[test]
fn what_is_no_network_is_refused_when_building() {
    for text in [
        "",
        "192.0.2.0/33",
        "192.0.2",
        "localhost",
        "192.0.2.1:80",
        " 192.0.2.1",
        "::/129",
        "*",
        "192.0.2.0/",
        "/24",
        "192.0.2.0/+24",
        "192.0.2.0/-24",
        "192.0.2.0/ 24",
        "192.0.2.0/24/24",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/4294967296",
    ] {
        assert_eq!(SourceIpLayer::new([text]).unwrap_err(), ConfigError::new(ConfigErrorKind::Network(text.into())));
    }
    assert!(SourceIpLayer::new(["192.0.2.0/32", "::/0", "fe80::1"]).is_ok());
    assert!(matches!(SourceIpLayer::new([""; 0]).unwrap_err().kind(), ConfigErrorKind::OutOfRange(_)));
}
