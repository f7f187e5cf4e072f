//! `forward_to`: where the program hands events to.

use std::net::IpAddr;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;

use super::tls::{self, TlsClient};
use crate::config::fault::Place;
use crate::config::spec::ForwardSpec;

/// Where the program hands events to, checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Forward {
    /// An `http` or `https` address.
    pub to: Uri,
    /// Whom it believes. `None`: the address is `http`.
    pub tls: Option<TlsClient>,
    /// How long its answer may take.
    pub timeout: Duration,
    /// Whether the sender is answered the upstream's 410.
    pub pass_gone: bool,
}

pub(super) fn forward(spec: &ForwardSpec, place: &Place<'_>) -> Option<Forward> {
    let uri: Option<Uri> = spec.to.parse().ok();
    let Some(to) = uri.filter(|uri| is_spoken(uri.scheme()) && uri.authority().is_some()) else {
        let right = "write \"http://host:port/path\" or \"https://host/path\"";
        place.fault("forward_to", "is not an address that can be forwarded to", right);
        return None;
    };
    if to.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let right = "write the address without them: what is there can be told by the headers of each delivery alone";
        place.fault("forward_to", "holds a user name or a password, which would not be sent", right);
        return None;
    }
    let names_port = to.authority().is_some_and(|authority| authority.as_str().len() > authority.host().len());
    let wrong = match to.port_u16() {
        Some(0) => Some("has the port 0, where nobody listens"),
        None if names_port => Some("has a port that there is not"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        place.fault("forward_to", wrong, "write the port of the service, up to 65535, or none");
        return None;
    }
    let is_https = to.scheme() == Some(&Scheme::HTTPS);
    let tls = match (is_https, &spec.ca) {
        (true, ca) => Some(tls::client(ca.as_deref(), ("forward_to", "forward_ca"), None, place)?),
        (false, None) => None,
        (false, Some(_)) => {
            place.fault("forward_ca", "means nothing for an http address", "write https in forward_to");
            return None;
        }
    };
    if !is_https && !spec.dangerous_in_clear && !to.host().is_some_and(is_loopback) {
        place.fault(
            "forward_to",
            "is not this machine, and events would go there in clear for everybody between",
            "write https, an address of 127.0.0.0/8, [::1] or localhost, or say dangerous_forward_in_clear = true",
        );
        return None;
    }
    Some(Forward { to, tls, timeout: spec.timeout, pass_gone: spec.pass_gone })
}

fn is_spoken(scheme: Option<&Scheme>) -> bool {
    scheme.is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
