//! What is to be explained.

use std::net::IpAddr;

use http::HeaderMap;
use tower_webhook::clock::Timestamp;
use tower_webhook::config::{Config, Endpoint};
use tower_webhook::provider::Provider as _;
use tower_webhook::scheme::{ProofHeader, Scheme};

use super::files::Captured;

/// A request, and the endpoint to judge it by.
pub(super) struct Case<'a> {
    pub(super) config: &'a Config,
    pub(super) endpoint: &'a Endpoint,
    pub(super) request: &'a Captured,
    pub(super) at: Timestamp,
    pub(super) from: Option<IpAddr>,
}

impl Case<'_> {
    /// The other endpoints of the file.
    pub(super) fn others(&self) -> impl Iterator<Item = &Endpoint> {
        self.config.endpoints.iter().filter(|other| other.path() != self.endpoint.path())
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.request.head.headers
    }

    pub(super) fn scheme(&self) -> &dyn Scheme {
        self.endpoint.provider.scheme()
    }

    /// The headers that carry the proof.
    pub(super) fn carriers(&self) -> impl Iterator<Item = &ProofHeader> {
        self.scheme().proofs().headers().iter().filter(|header| header.role.carries_proof())
    }
}
