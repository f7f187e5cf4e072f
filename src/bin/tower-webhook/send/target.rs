//! Where to: an address on this machine, unless it is said aloud that it may be another.

use std::net::{IpAddr, SocketAddr};

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use tower_webhook::config::TlsClient;
use tower_webhook::sender::{NotLoopback, Tcp};

/// An address that has been looked up once, so that what was checked is what is connected to.
pub(crate) struct Target {
    pub(crate) uri: Uri,
    /// As it stands in the address.
    pub(crate) host: HeaderValue,
    pub(crate) addresses: Vec<SocketAddr>,
    /// Whom it believes. `None`: the address is `http`.
    pub(crate) tls: Option<TlsClient>,
    way: fn(SocketAddr) -> Result<Tcp, NotLoopback>,
}

impl Target {
    /// Looks an address up, of http or, by what this makes of its options, of https.
    ///
    /// # Errors
    ///
    /// One line: what is wrong and what would be right.
    pub(crate) async fn by(
        text: &str,
        path: &str,
        any_host: bool,
        https: impl FnOnce() -> Result<TlsClient, String>,
    ) -> Result<Self, String> {
        Self::looked_up(parse(text, path)?, any_host, ANY_HOST, https).await
    }

    /// Looks an address of http up that is on this machine, and has no path: those are a file's.
    ///
    /// # Errors
    ///
    /// As [`by`](Self::by).
    pub(crate) async fn of_storm(text: &str) -> Result<Self, String> {
        let uri = parse(text, "")?;
        if uri.path_and_query().is_some_and(|path| path != "/") {
            let own = uri.authority().map(Authority::as_str).unwrap_or_default();
            return Err(format!("--to: {text} has a path; write http://{own}: the paths are those of the file"));
        }
        let https = || Err("--to: https is not spoken here; send to the plain port behind it".to_owned());
        Self::looked_up(uri, false, HERE_ALONE, https).await
    }

    async fn looked_up(
        uri: Uri,
        any_host: bool,
        right: &str,
        https: impl FnOnce() -> Result<TlsClient, String>,
    ) -> Result<Self, String> {
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let authority = uri.authority().cloned().ok_or("--to: no host; write http://127.0.0.1:PORT/path")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if !any_host {
            check_name(&host, right)?;
        }
        let tls = is_https.then(https).transpose()?;
        let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let addresses = found.map_err(|error| format!("--to: {host} cannot be found: {error}"))?.collect();
        let way = if any_host { |address| Ok(Tcp::dangerous_any_host(address)) } else { Tcp::new };
        let header = HeaderValue::from_str(authority.as_str()).map_err(|error| format!("--to: {error}"))?;
        let target = Self { uri, host: header, addresses, tls, way };
        target.ways().map_err(|_| not_here(&host, right))?;
        Ok(target)
    }

    /// A way to each of the addresses. None has a connection yet.
    ///
    /// # Errors
    ///
    /// For an address that is not this machine's.
    pub(crate) fn ways(&self) -> Result<Vec<Tcp>, NotLoopback> {
        self.addresses.iter().copied().map(self.way).collect()
    }
}

/// An absolute address. Without a path of its own it gets this one.
fn parse(text: &str, path: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("--to: {text:?} is not an address: {error}"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err(format!("--to: {text:?} is not an address; write http://127.0.0.1:PORT/path")),
    }
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    if authority.contains('@') {
        return Err("--to: credentials do not belong in an address; take --user and --password-env".into());
    }
    if authority.len() > uri.host().map_or(0, str::len) && uri.port_u16().is_none_or(|port| port == 0) {
        return Err(format!("--to: {text:?} has a port that there is not; write one from 1 to 65535"));
    }
    let behind = text.split_once("://").and_then(|(_, rest)| rest.strip_prefix(authority)).unwrap_or_default();
    if behind.starts_with('/') {
        return Ok(uri);
    }
    let scheme = uri.scheme_str().unwrap_or_default();
    format!("{scheme}://{authority}{path}{behind}").parse().map_err(|error| format!("--to: {error}"))
}

fn check_name(host: &str, right: &str) -> Result<(), String> {
    let here = match host.parse::<IpAddr>() {
        Ok(address) => is_loopback(address),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    if here { Ok(()) } else { Err(not_here(host, right)) }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// What would be right for who may send anywhere.
const ANY_HOST: &str = "send to 127.0.0.0/8, ::1 or localhost, or add --dangerous-any-host";
/// The same for who may not.
const HERE_ALONE: &str = "storm sends to 127.0.0.0/8, ::1 or localhost alone";

fn not_here(host: &str, right: &str) -> String {
    format!("--to: {host} is not this machine; {right}")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(text: &str, any_host: bool) -> Result<Target, String> {
        Target::by(text, "/p", any_host, || Err("no https".to_owned())).await
    }

    #[tokio::test]
    async fn only_this_machine_is_sent_to_unless_it_is_said_aloud() {
        for text in ["http://127.0.0.1:1/a", "http://127.9.9.9/", "http://[::1]:1", "http://LocalHost:1?x=1"] {
            assert!(of(text, false).await.is_ok(), "{text}");
        }
        for text in [
            "http://192.0.2.1/",
            "http://0.0.0.0/",
            "http://127.1/",
            "http://2130706433/",
            "http://localhost.example/",
            "http://127.0.0.1.nip.io/",
            "http://[::]/",
            "http://[::ffff:192.0.2.1]/",
        ] {
            let refused = of(text, false).await.map(|target| target.uri).unwrap_err();
            assert!(refused.contains("--dangerous-any-host"), "{text}: {refused}");
        }
        assert!(of("http://192.0.2.1/", true).await.is_ok());
    }

    #[tokio::test]
    async fn https_is_for_who_says_whom_it_believes() {
        let refused = Target::of_storm("https://localhost:1/").await.map(|target| target.uri).unwrap_err();
        assert!(refused.contains("https is not spoken here"), "{refused}");
        let asked = Target::by("https://localhost:1/", "/p", false, || Err("asked".to_owned())).await;
        assert_eq!(asked.map(|target| target.uri).unwrap_err(), "asked");
        let plain = Target::by("http://localhost:1/", "/p", false, || Err("asked".to_owned())).await.unwrap();
        assert!(plain.tls.is_none());
    }

    #[tokio::test]
    async fn a_storm_is_on_this_machine_and_has_no_path() {
        for text in ["http://127.0.0.1:1", "http://[::1]:1/", "http://localhost:1"] {
            assert!(Target::of_storm(text).await.is_ok(), "{text}");
        }
        for (text, right) in [
            ("http://127.0.0.1:1/aella", "write http://127.0.0.1:1: "),
            ("http://127.0.0.1:1?a=b", "write http://127.0.0.1:1: "),
            ("http://192.0.2.1", "localhost alone"),
        ] {
            let refused = Target::of_storm(text).await.map(|target| target.uri).unwrap_err();
            assert!(refused.contains(right) && !refused.contains("--dangerous"), "{text}: {refused}");
        }
    }

    #[test]
    fn an_address_without_a_path_gets_the_endpoints() {
        for (text, uri) in [
            ("http://localhost:8080", "http://localhost:8080/aella"),
            ("http://localhost:8080/", "http://localhost:8080/"),
            ("http://localhost:8080/b?c=d", "http://localhost:8080/b?c=d"),
            ("https://localhost", "https://localhost/aella"),
            ("http://localhost:8080?c=d", "http://localhost:8080/aella?c=d"),
            ("http://localhost:8080/?c=d", "http://localhost:8080/?c=d"),
            ("http://http?http", "http://http/aella?http"),
            ("http://localhost#c", "http://localhost/aella"),
        ] {
            assert_eq!(parse(text, "/aella").unwrap(), uri, "{text}");
        }
        for text in ["localhost:1/", "/aella", "ftp://localhost/", "http://u:p@localhost/", "http://"] {
            assert!(parse(text, "/aella").is_err(), "{text}");
        }
    }
}
