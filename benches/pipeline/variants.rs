//! What is compared: routers that take the same bytes and do more or less with them.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tower_webhook::error::BoxError;

use crate::apps::{self, bare};
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

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Traffic {
    /// New transfers, signed.
    Aella,
    /// One transfer again and again.
    Repeat,
    /// New payments, encrypted.
    Opp,
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
            Traffic::Aella | Traffic::Opp => Expected::Fresh,
            Traffic::Repeat => Expected::Replayed,
        }
    }

    /// The name of the bare handler with the same traffic.
    pub(crate) fn bare(&self) -> &'static str {
        if self.traffic == Traffic::Opp { "bare-opp" } else { "bare" }
    }

    /// The name of the handler that parses the same traffic with no security, where there is one.
    pub(crate) fn json(&self) -> &'static str {
        if self.traffic == Traffic::Opp { "" } else { "json" }
    }
}

pub(crate) fn all() -> Result<Vec<Variant>, BoxError> {
    use Traffic::{Aella, Opp, Repeat};
    let full = Variant::new("full", "Basic, HMAC, claim, typed event", Aella, apps::full()?);
    Ok(vec![
        Variant::new("bare", "axum, `Bytes`", Aella, bare()),
        Variant::new("json", "axum, `Json<T>`", Aella, apps::json()),
        Variant::new("from-str", "axum, UTF-8 check and `from_str`", Aella, apps::from_str()),
        Variant::new("verify", "`VerifyLayer` before axum, `Bytes`", Aella, apps::verify()?).reach("1.15"),
        Variant::new("no-parse", "Basic, HMAC, claim", Aella, apps::no_parse()?).reach("1.20"),
        Variant::new("no-dedupe", "Basic, HMAC, typed event", Aella, apps::no_dedupe()?),
        Variant { reach_of_json: Some("1.00"), ..full.reach("1.33") },
        Variant::new("replay", "the same, one event again", Repeat, apps::full()?),
        Variant::new("bare-opp", "axum, `Bytes`", Opp, bare()),
        Variant::new("opp", "hex, AES-GCM, claim, typed event", Opp, apps::opp()?).reach("1.35"),
    ])
}
