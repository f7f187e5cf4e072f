//! From a delivery's events to what is stored of them.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;

use super::store::{Accepted, NewEvent};
use crate::delivery::{Common, Fingerprint, Namespace};
use crate::event::Project;
use crate::observe::{Reporter, TRACEPARENT};
use crate::provider::Decoded;

/// Headers that are kept with an event, unless they are a proof: what its body was sent as, and which trace it is in.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, TRACEPARENT, HeaderName::from_static("tracestate")];
/// Longer values are not kept, in bytes. A `tracestate` may be dropped beyond 512.
const LONGEST: usize = 512;

/// Says of an event which lane it is in.
pub(crate) type Lane<E> = Arc<dyn Fn(&E) -> Option<String> + Send + Sync>;
/// Is told of each event what became of it.
pub(crate) type Told = Arc<dyn Fn(&NewEvent, Accepted) + Send + Sync>;

/// How a receiver's events are stored.
pub(crate) struct Entries<E> {
    pub(crate) namespace: Namespace,
    /// How long a key is remembered.
    pub(crate) retention: Duration,
    pub(crate) lane: Option<Lane<E>>,
    pub(crate) told: Option<Told>,
}

impl<E> Clone for Entries<E> {
    fn clone(&self) -> Self {
        Self {
            namespace: self.namespace.clone(),
            retention: self.retention,
            lane: self.lane.clone(),
            told: self.told.clone(),
        }
    }
}

impl<E: Project> Entries<E> {
    /// All of them, in their order.
    pub(super) fn of(
        &self,
        events: Vec<Decoded<E>>,
        common: &Common,
        reporter: &Reporter,
        now: Timestamp,
    ) -> Vec<NewEvent> {
        let verified = common.verified();
        let of_tenant = verified.tenant().map(|tenant| self.namespace.of_tenant(tenant));
        let namespace = of_tenant.as_ref().unwrap_or(&self.namespace);
        let key_until = now.checked_add(self.retention).unwrap_or(Timestamp::MAX);
        let mut headers = kept(common);
        let last = events.len().saturating_sub(1);
        let entry = |(index, decoded): (usize, Decoded<E>)| NewEvent {
            key: namespace.key(&decoded.key),
            readable_key: decoded.key.as_str().to_owned(),
            fingerprint: Fingerprint::of(decoded.identity),
            receiver: reporter.receiver().to_string(),
            tenant: verified.tenant().map(str::to_owned),
            provider: reporter.provider().to_owned(),
            event: decoded.event.name().to_owned(),
            lane: self.lane.as_ref().and_then(|lane| lane(&decoded.event)),
            occurred_at: decoded.occurred_at,
            key_id: verified.key_id().map(str::to_owned),
            headers: if index == last { std::mem::take(&mut headers) } else { headers.clone() },
            payload: decoded.raw,
            key_until,
        };
        events.into_iter().enumerate().map(entry).collect()
    }
}

/// What is kept of a delivery's headers, the first of each name. Of a trace that cannot be read nothing is.
fn kept(common: &Common) -> Vec<(String, String)> {
    let is_traced = common.trace_parent().is_some();
    let of = |name: &HeaderName| {
        let value = common.public_header(name)?.to_str().ok().filter(|value| value.len() <= LONGEST)?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    KEPT.iter().filter(|name| is_traced || **name == CONTENT_TYPE).filter_map(of).collect()
}
