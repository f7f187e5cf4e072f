//! What is judged by the head alone: credentials and addresses.

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use tower_webhook::gate::{Authenticated, HeadCheck as _, PeerAddr};
use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer};
use tower_webhook::secret::Secret;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `user:password`, a pair that seeds can name.
const TOKEN: &[u8] = b"dXNlcjpwYXNzd29yZA==";

static BASIC: LazyLock<BasicAuthLayer> = LazyLock::new(|| {
    let pair = |name: &'static str, password| Credentials::new(name, Secret::utf8(password).expect("it is one"));
    BasicAuthLayer::new([
        pair("other", "another password").expect("they are some"),
        pair("user", "password").expect("they are some"),
    ])
    .expect("they are few")
});

/// Each line is one header of this name.
fn head(name: HeaderName, lines: &[u8]) -> (Parts, Vec<Vec<u8>>) {
    let (mut head, ()) = Request::new(()).into_parts();
    let mut values = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').take(8) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            head.headers.append(&name, value);
            values.push(line.to_vec());
        }
    }
    (head, values)
}

/// Credentials are taken where one header says exactly them, and then it is known whose they are.
pub fn basic(input: &[u8]) {
    let (mut head, values) = head(AUTHORIZATION, input);
    let ours = BASIC.check(&mut head).is_ok();
    assert_eq!(ours, matches!(&values[..], [one] if is_ours(one)), "{values:?}");
    assert_eq!(head.extensions.get::<Authenticated>().is_some(), ours);
}

fn is_ours(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some((scheme, rest)) = value.split_at_checked(5) else { return false };
    let spaces = rest.strip_suffix(TOKEN).unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"basic") && !spaces.is_empty() && spaces.iter().all(|byte| *byte == b' ')
}

/// The first byte says how many proxies are ours, and who calls.
pub fn forwarded(input: &[u8]) {
    let Some((first, lines)) = input.split_first() else { return };
    let hops = usize::from(first % 4);
    let peer: IpAddr = if first & 4 == 0 { [10, 9, 9, 9].into() } else { [192, 0, 2, 1].into() };
    let layer = SourceIpLayer::new(["10.0.0.0/8", "2001:db8::/32"]).expect("they are networks").trusted_proxies(hops);
    let (mut head, values) = head(FORWARDED_FOR, lines);
    head.extensions.insert(PeerAddr(SocketAddr::new(peer, 1)));
    let expected = is_listed(told(&values, hops).unwrap_or(peer));
    assert_eq!(layer.check(&mut head).is_ok(), expected, "{hops} hops, {peer}: {values:?}");
}

/// The address that the outermost of our proxies has seen. `None` where any of ours says what is none.
fn told(values: &[Vec<u8>], hops: usize) -> Option<IpAddr> {
    let joined = values.join(&b',');
    let all: Vec<&[u8]> = joined.split(|byte| *byte == b',').collect();
    let ours = all.get(all.len().checked_sub(hops)?..).filter(|_| !values.is_empty())?;
    let read: Option<Vec<IpAddr>> = ours.iter().map(|value| address(value)).collect();
    read?.first().copied()
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()
}

fn is_listed(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0xdb8],
    }
}
