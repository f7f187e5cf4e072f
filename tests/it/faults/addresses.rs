//! Who claims to be near.

use std::net::{IpAddr, SocketAddr};

use http::Request;
use http::request::Parts;
use tower_webhook::gate::{HeadCheck, PeerAddr};
use tower_webhook::layers::SourceIpLayer;

use super::{Kept, must};

const LISTED: &str = "198.51.100.7";

fn head(peer: &str, forwarded: Option<&str>) -> Parts {
    let request = Request::builder().extension(PeerAddr(SocketAddr::new(peer.parse().unwrap(), 443)));
    let request = forwarded.into_iter().fold(request, |request, value| request.header("x-forwarded-for", value));
    request.body(()).unwrap().into_parts().0
}

fn nearness_is_no_proof(admits: &dyn Fn(Parts) -> bool) -> Kept {
    must(admits(head(LISTED, None)), "who is listed is refused")?;
    for near in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "192.168.1.1", "0.0.0.0"] {
        must(!admits(head(near, None)), format!("{near} is taken"))?;
        must(!admits(head("203.0.113.9", Some(near))), format!("whoever says {near} is taken"))?;
    }
    for said in [LISTED.to_owned(), format!("{LISTED}, 127.0.0.1"), format!("127.0.0.1, {LISTED}")] {
        must(!admits(head("203.0.113.9", Some(&said))), format!("whoever says {said} is taken"))?;
    }
    Ok(())
}

#[test]
fn a_near_address_and_one_that_is_only_claimed_open_nothing() {
    let layer = SourceIpLayer::new([LISTED]).unwrap();
    assert_eq!(nearness_is_no_proof(&|mut head| layer.check(&mut head).is_ok()), Ok(()));

    let peer = |head: &Parts| head.extensions.get::<PeerAddr>().unwrap().0.ip();
    let listed = |address: IpAddr| address.to_string() == LISTED;
    let loopback = |head: Parts| peer(&head).is_loopback() || listed(peer(&head));
    assert_eq!(nearness_is_no_proof(&loopback), Err("127.0.0.1 is taken".into()));
    let leftmost = |head: Parts| {
        let said = head.headers.get("x-forwarded-for").and_then(|value| value.to_str().unwrap().split(',').next());
        listed(said.map_or(peer(&head), |said| said.parse().unwrap()))
    };
    assert_eq!(nearness_is_no_proof(&leftmost), Err(format!("whoever says {LISTED} is taken")));
}
