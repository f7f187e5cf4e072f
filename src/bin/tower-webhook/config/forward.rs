//! `forward_to` and what belongs to it: where opened events go.

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderName, Uri};

use super::built::Built;
use super::reader::Section;

/// Where opened events go, and how long an answer may take.
#[derive(Clone)]
pub(crate) struct Forward {
    pub(crate) to: Uri,
    pub(crate) timeout: Duration,
    /// Headers that prove the sender, and are nobody else's business.
    pub(crate) secret_headers: Vec<HeaderName>,
    /// Whether the provider's events are JSON, whatever the delivery's content type was.
    pub(crate) is_json: bool,
    /// Whether the sender is told the upstream's 410.
    pub(crate) passes_gone: bool,
}

/// The words, before the provider is known.
pub(super) struct Words {
    to: Uri,
    timeout: Duration,
    passes_gone: bool,
}

impl Words {
    pub(super) fn with(self, built: &Built) -> Forward {
        let Self { to, timeout, passes_gone } = self;
        Forward { to, timeout, passes_gone, secret_headers: built.secret_headers.clone(), is_json: built.is_json }
    }
}

pub(super) fn read(section: &Section<'_>) -> Option<Words> {
    let timeout = section.some_time("forward_timeout").unwrap_or(Duration::from_secs(10));
    let passes_gone = section.truth("pass_gone").unwrap_or(false);
    let in_clear = section.truth("dangerous_forward_in_clear").unwrap_or(false);
    let text = section.text("forward_to")?;
    let uri: Option<Uri> = text.parse().ok();
    let Some(to) = uri.filter(|uri| uri.scheme_str() == Some("http") && uri.authority().is_some()) else {
        section.fault(
            "forward_to",
            "is not an address that can be forwarded to",
            "write \"http://host:port/path\"; https is not spoken here",
        );
        return None;
    };
    if !in_clear && !to.host().is_some_and(is_loopback) {
        section.fault(
            "forward_to",
            "is not this machine, and events would go there in clear for everybody between",
            "write an address of 127.0.0.0/8, [::1] or localhost, or say dangerous_forward_in_clear = true",
        );
        return None;
    }
    Some(Words { to, timeout, passes_gone })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
