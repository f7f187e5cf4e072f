//! What is compared: routers that take the same bytes and do more or less with them.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tower_webhook::error::BoxError;

use crate::apps::{self, bare};
use crate::by_hand::by_hand;
use crate::client::Expected;

/// A way to serve, and what it is compared with.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) app: Router,
    pub(crate) address: SocketAddr,
    pub(crate) traffic: Traffic,
    /// The most that it may cost against a bare handler of the same traffic.
    pub(crate) reach_of_bare: Option<&'static str>,
    /// The most that it may cost against the `json` variant.
    pub(crate) reach_of_json: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Traffic {
    /// New transfers, signed.
    Aella,
    /// One transfer again and again.
    Repeat,
    /// New payments, encrypted.
    Opp,
    /// New transfers of 64 KB, signed.
    Large,
    /// New transfers of nearly 1 MB, signed.
    Huge,
}

impl Traffic {
    /// So many requests of 0.7 KB take about as long as one of these.
    pub(crate) fn weight(self) -> usize {
        match self {
            Self::Aella | Self::Repeat | Self::Opp => 1,
            Self::Large => 16,
            Self::Huge => 128,
        }
    }
}

impl Variant {
    fn new(name: &'static str, what: &'static str, traffic: Traffic, app: Router) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Self { name, what, app, address, traffic, reach_of_bare: None, reach_of_json: None }
    }

    fn reach(mut self, of_bare: &'static str) -> Self {
        self.reach_of_bare = Some(of_bare);
        self
    }

    pub(crate) fn expected(&self) -> Expected {
        match self.traffic {
            Traffic::Aella | Traffic::Opp | Traffic::Large | Traffic::Huge => Expected::Fresh,
            Traffic::Repeat => Expected::Replayed,
        }
    }

    /// The name of the bare handler with the same traffic.
    pub(crate) fn bare(&self) -> &'static str {
        match self.traffic {
            Traffic::Aella | Traffic::Repeat => "bare",
            Traffic::Opp => "bare-opp",
            Traffic::Large => "bare-64k",
            Traffic::Huge => "bare-1m",
        }
    }

    /// The name of the handler that parses the same traffic with no security, where there is one.
    pub(crate) fn json(&self) -> &'static str {
        match self.traffic {
            Traffic::Aella | Traffic::Repeat => "json",
            Traffic::Large => "json-64k",
            Traffic::Opp | Traffic::Huge => "",
        }
    }
}

/// What any layer costs before it does something: axum boxes a route anew behind each.
fn identity() -> Router {
    bare().layer(tower::layer::util::Identity::new())
}

pub(crate) fn all() -> Result<Vec<Variant>, BoxError> {
    use Traffic::{Aella, Huge, Large, Opp, Repeat};
    let full = Variant::new("full", "Basic, HMAC, claim, typed event", Aella, apps::full()?);
    let large = Variant::new("full-64k", "the full stack, 64 KB", Large, apps::full()?);
    Ok(vec![
        Variant::new("bare", "axum, `Bytes`", Aella, bare()),
        Variant::new("json", "axum, `Json<T>`", Aella, apps::json()),
        Variant::new("from-str", "axum, UTF-8 check and `from_str`", Aella, apps::from_str()),
        Variant::new("identity", "a layer that does nothing, `Bytes`", Aella, identity()),
        Variant::new("verify", "`VerifyLayer` before axum, `Bytes`", Aella, apps::verify()?).reach("1.12"),
        Variant::new("no-parse", "Basic, HMAC, claim", Aella, apps::no_parse()?).reach("1.30"),
        Variant::new("no-dedupe", "Basic, HMAC, typed event", Aella, apps::no_dedupe()?),
        Variant { reach_of_json: Some("1.00"), ..full.reach("1.50") },
        #[cfg(feature = "metrics")]
        Variant::new("metrics", "the same, numbers for Prometheus", Aella, apps::metrics()?),
        Variant::new("replay", "the same, one event again", Repeat, apps::full()?),
        Variant::new("again", "the full stack once more", Aella, apps::full()?),
        Variant::new("by-hand", "its steps by hand, in one handler", Aella, by_hand()?),
        Variant::new("bare-opp", "axum, `Bytes`", Opp, bare()),
        Variant::new("opp", "hex, AES-GCM, claim, typed event", Opp, apps::opp()?).reach("1.50"),
        Variant::new("bare-64k", "axum, `Bytes`, 64 KB", Large, bare()),
        Variant::new("verify-64k", "`VerifyLayer`, 64 KB", Large, apps::verify()?).reach("3.70"),
        Variant::new("json-64k", "axum, `Json<T>`, 64 KB", Large, apps::json()),
        Variant { reach_of_json: Some("1.20"), ..large },
        Variant::new("bare-1m", "axum, `Bytes`, 1 MB", Huge, bare()),
        Variant::new("verify-1m", "`VerifyLayer`, 1 MB", Huge, apps::verify()?).reach("3.80"),
    ])
}
