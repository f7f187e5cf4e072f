//! What sealing needs beside a key, and who sends has to give.

use std::fmt;

use http::HeaderName;
use tower_webhook::config::{
    EndpointSpec, ProofSpec, ProviderSpec, SchemeSpec, SignedSpec, TimestampPlace, TimestampSpec,
};
use tower_webhook::provider::{Lookup, Message};

/// What an endpoint's deliveries are sealed with.
#[derive(Default)]
pub(crate) struct Needs {
    /// The keys are public ones, and seal nothing.
    has_public_keys: bool,
    headers: Vec<HeaderName>,
    params: Vec<String>,
    /// Where a message's idempotency key goes.
    key: Option<HeaderName>,
}

/// What is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Lack {
    PrivateKey,
    Header(HeaderName),
    Param(String),
}

impl Lack {
    /// The key of the endpoint that asks for it.
    pub(crate) fn asked_at(&self) -> &'static str {
        if *self == Self::PrivateKey { "keys" } else { "scheme.signed" }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrivateKey => f.write_str("its keys are public, and only its sender can sign"),
            Self::Header(name) => write!(f, "header {name} is signed and has no value"),
            Self::Param(name) => write!(f, "parameter {name} is signed and has no value"),
        }
    }
}

impl Needs {
    pub(crate) fn of(endpoint: &EndpointSpec) -> Self {
        match &endpoint.provider {
            ProviderSpec::StandardWebhooks(own) => Self { has_public_keys: own.is_asymmetric, ..Self::default() },
            ProviderSpec::Custom(own) => match &own.scheme {
                SchemeSpec::Signed(signed) => Self { key: key(&own.key), ..Self::of_signed(signed) },
                _ => Self::default(),
            },
            _ => Self::default(),
        }
    }

    fn of_signed(spec: &SignedSpec) -> Self {
        // The time is written by who seals.
        let place = spec.timed().map(|TimestampSpec { place, .. }| place);
        let in_header = |name: &HeaderName| matches!(&place, Some(TimestampPlace::Header(time)) if time == name);
        let in_param = |name: &str| matches!(&place, Some(TimestampPlace::Param(time)) if time == name);
        Self {
            has_public_keys: !matches!(spec.proof, ProofSpec::Mac(_)),
            headers: spec.signed.headers().filter(|name| !in_header(name)).cloned().collect(),
            params: spec.signed.params().filter(|name| !in_param(name)).map(str::to_owned).collect(),
            key: None,
        }
    }

    /// The first that this message has not.
    pub(crate) fn lacking(&self, message: &Message) -> Option<Lack> {
        if self.has_public_keys {
            return Some(Lack::PrivateKey);
        }
        let is_key = |name: &HeaderName| message.idempotency_key.is_some() && self.key.as_ref() == Some(name);
        let mut headers = self.headers.iter();
        let header = headers.find(|name| !message.headers.contains_key(*name) && !is_key(name)).cloned();
        header.map(Lack::Header).or_else(|| self.params.first().cloned().map(Lack::Param))
    }
}

fn key(places: &[Lookup]) -> Option<HeaderName> {
    places.iter().find_map(|place| match place {
        Lookup::Header(name) => Some(name.clone()),
        _ => None,
    })
}
