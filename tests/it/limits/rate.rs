//! A limit of requests by their network: over a socket, and by a clock that is set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use http::{HeaderValue, Request};
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::clock::Timestamp;
use tower_webhook::gate::{HeadCheck as _, PeerAddr};
use tower_webhook::layers::{BasicAuthLayer, Credentials, RateLimitLayer, SourceIpLayer};
use tower_webhook::provider::aella::Event;
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigErrorKind, MemoryStore, Received, Receiver, Rejection, RejectionKind};

use super::{exchange, genuine, listener, listener_with, statuses};
use crate::deliveries::{TRANSFER, aella, now, sealed};

#[test]
fn beyond_the_burst_a_network_is_answered_503_before_anybody_looks_at_its_signature() {
    let listener = listener_with("rate_limit = { per_second = 1, burst = 5 }");
    let start = Instant::now();
    let forged =
        String::from_utf8(genuine("forged")).unwrap().replacen("x-aella-signature: ", "x-aella-signature: 00", 1);
    let answers: Vec<_> = (0..40).map(|_| exchange(&listener, forged.as_bytes())).collect();
    let judged = answers.iter().filter(|answer| statuses(answer) == [401]).count();
    let limited: Vec<_> = answers.iter().filter(|answer| statuses(answer) == [503]).collect();
    assert_eq!(judged + limited.len(), 40, "{answers:?}");
    let most = 5 + usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    assert!((5..=most).contains(&judged), "{judged} of {most}");
    for answer in limited {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("retry-after: 1") && body.is_empty(), "{answer}");
    }
    assert!((0..40).any(|_| listener.json()["kind"] == "rate_limited"));
}

#[test]
fn without_a_limit_there_is_none() {
    let listener = listener();
    for at in 0..40 {
        assert_eq!(statuses(&exchange(&listener, &genuine(&at.to_string()))), [200]);
    }
}

/// A clock that stands where it is put, in milliseconds.
fn by_hand() -> (Arc<AtomicI64>, impl Fn() -> Option<Timestamp> + Clone + Send + Sync + 'static) {
    let millis = Arc::new(AtomicI64::new(now().as_millisecond()));
    let hand = Arc::clone(&millis);
    (millis, move || Timestamp::from_millisecond(hand.load(Ordering::Relaxed)).ok())
}

fn from(address: &str, forwarded: Option<&str>) -> Request<Full<bytes::Bytes>> {
    let mut request = sealed(&aella(), TRANSFER);
    request.extensions_mut().insert(PeerAddr(format!("{address}:443").parse().unwrap()));
    if let Some(forwarded) = forwarded {
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
    }
    request
}

async fn status(
    receiver: &Receiver<tower_webhook::provider::aella::Aella, MemoryStore>,
    request: Request<Full<bytes::Bytes>>,
) -> u16 {
    let service = receiver.clone().handle(|_: Received<Event>| async {});
    service.oneshot(request).await.unwrap().status().as_u16()
}

fn receiver(layer: &RateLimitLayer) -> Receiver<tower_webhook::provider::aella::Aella, MemoryStore> {
    Receiver::new("aella", aella()).clock(now()).rate_limit(layer).dedupe(MemoryStore::new(100))
}

#[tokio::test(start_paused = true)]
async fn a_receiver_counts_by_network_and_forgives_with_time() {
    let (millis, clock) = by_hand();
    let limited = receiver(&RateLimitLayer::new(2, 3).unwrap().clock(clock));
    for (address, expected) in [
        ("192.0.2.1", 200),
        ("192.0.2.2", 200),
        ("192.0.2.255", 200),
        ("192.0.2.3", 503),
        ("::ffff:192.0.2.4", 503),
        ("192.0.3.1", 200),
        ("2001:db8:0:100::1", 200),
        ("2001:db8:0:1ff::1", 200),
        ("2001:db8:0:1aa::1", 200),
        ("2001:db8:0:1bb::1", 503),
        ("2001:db8:0:200::1", 200),
    ] {
        let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        assert_eq!(status(&limited, from(&address, None)).await, expected, "{address}");
    }
    millis.fetch_add(499, Ordering::Relaxed);
    assert_eq!(status(&limited, from("192.0.2.1", None)).await, 503);
    millis.fetch_add(1, Ordering::Relaxed);
    assert_eq!(status(&limited, from("192.0.2.1", None)).await, 200);
    assert_eq!(status(&limited, from("192.0.2.1", None)).await, 503);
    // Set back by a day, the clock keeps nobody out for longer than a whole burst.
    millis.fetch_sub(86_400_000, Ordering::Relaxed);
    assert_eq!(status(&limited, from("192.0.2.1", None)).await, 503);
    millis.fetch_add(500, Ordering::Relaxed);
    assert_eq!(status(&limited, from("192.0.2.1", None)).await, 200);
}

#[tokio::test(start_paused = true)]
async fn guesses_of_a_password_are_limited_before_they_are_looked_at() {
    let (millis, clock) = by_hand();
    let basic = BasicAuthLayer::new([Credentials::new("u", Secret::utf8("open sesame").unwrap()).unwrap()]).unwrap();
    let limited = receiver(&RateLimitLayer::new(1, 2).unwrap().clock(clock)).basic_auth(&basic);
    let knock = |pair: &str| {
        let mut request = from("192.0.2.1", None);
        request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Basic {pair}")).unwrap());
        request
    };
    let (right, wrong) = ("dTpvcGVuIHNlc2FtZQ==", "dTpvcGVuIHNlc2FtZX==");
    let mut told = Vec::new();
    for pair in [wrong, wrong, wrong, right] {
        told.push(status(&limited, knock(pair)).await);
    }
    assert_eq!(told, [401, 401, 503, 503], "a guess that is limited is not told whether it was right");
    millis.fetch_add(1000, Ordering::Relaxed);
    assert_eq!(status(&limited, knock(right)).await, 200);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_on_the_list_is_not_counted_and_a_proxy_is_looked_through() {
    let (_, clock) = by_hand();
    let layer = RateLimitLayer::new(1, 1).unwrap().trusted_proxies(1).clock(clock.clone());
    let sources = SourceIpLayer::new(["192.0.2.0/24", "198.51.100.0/24"]).unwrap().trusted_proxies(1);
    let limited = receiver(&layer).sources(&sources);
    for (forwarded, expected, known) in [
        ("203.0.113.1", 403, 0),
        ("192.0.2.1", 200, 1),
        ("198.51.100.1, 192.0.2.2", 503, 1),
        ("192.0.2.1, 198.51.100.1", 200, 2),
    ] {
        assert_eq!(status(&limited, from("10.0.0.1", Some(forwarded))).await, expected, "{forwarded}");
        assert_eq!(layer.networks(), known, "{forwarded}");
    }
    let direct = RateLimitLayer::new(1, 1).unwrap().clock(clock);
    let limited = receiver(&direct);
    assert_eq!(status(&limited, from("10.0.0.1", Some("192.0.2.1"))).await, 200);
    assert_eq!(status(&limited, from("10.0.0.1", Some("192.0.3.1"))).await, 503, "a header that nobody trusts");
}

#[test]
fn a_hundred_thousand_networks_take_no_more_room_than_there_is() {
    let (_, clock) = by_hand();
    let layer = RateLimitLayer::new(1, 1).unwrap().prefixes(32, 128).unwrap().capacity(1000).clock(clock);
    let check = |address: u32| {
        let peer = PeerAddr((std::net::Ipv4Addr::from_bits(address), 443).into());
        let (mut head, ()) = Request::post("/").extension(peer).body(()).unwrap().into_parts();
        layer.check(&mut head).map_err(|rejection| rejection.kind())
    };
    for address in 0..100_000 {
        assert_eq!(check(address), Ok(()));
        assert!(layer.networks() <= 1000);
    }
    assert_eq!(check(99_999), Err(RejectionKind::RateLimited), "who was seen last is known");
}

#[test]
fn what_limits_nothing_or_everything_is_refused() {
    let kind = |built: Result<RateLimitLayer, tower_webhook::ConfigError>| {
        built.map(|_| ()).map_err(|error| error.kind().clone())
    };
    assert_eq!(kind(RateLimitLayer::new(0, 1)), Err(ConfigErrorKind::OutOfRange("the number of requests per second")));
    assert_eq!(kind(RateLimitLayer::new(1_000_000_000, 1)), Ok(()));
    assert_eq!(
        kind(RateLimitLayer::new(1_000_000_001, 1)),
        Err(ConfigErrorKind::OutOfRange("the number of requests per second"))
    );
    assert_eq!(kind(RateLimitLayer::new(1, 0)), Err(ConfigErrorKind::OutOfRange("the burst")));
    let layer = || RateLimitLayer::new(1, 1).unwrap();
    for (ipv4, ipv6, fits) in [(0, 0, true), (32, 128, true), (33, 56, false), (24, 129, false)] {
        assert_eq!(kind(layer().prefixes(ipv4, ipv6)).is_ok(), fits, "{ipv4} {ipv6}");
    }
    let (mut head, ()) = Request::post("/").body(()).unwrap().into_parts();
    assert_eq!(layer().check(&mut head).unwrap_err().kind(), RejectionKind::Misassembled, "no address");
    let told = |rejection: Rejection| (rejection.status().as_u16(), rejection.retry_after().is_some());
    let (mut head, ()) = from("192.0.2.1", None).map(|_| ()).into_parts();
    let (_, clock) = by_hand();
    let once = layer().clock(clock);
    assert!(once.check(&mut head).is_ok());
    assert_eq!(once.check(&mut head).map_err(told), Err((503, true)));
}
