//! What happens to a proved delivery before any of its events is handled, whoever handles them.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Extensions, HeaderMap, Uri};

use super::drain::Drain;
use super::lease_lost::LeaseLost;
use super::received::{Delivery, Head, Inner, Received};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Exit, Verified, leave_outside};
use crate::observe::{Fact, Scope};
use crate::provider::{Acknowledgement, Decoded, Provider};

/// For rejections that pass soon.
const SOON: Duration = Duration::from_secs(5);

/// Takes proved deliveries in: decodes them within limits.
pub(crate) struct Admission<P> {
    pub(crate) provider: Arc<P>,
    pub(crate) exit: Arc<Exit>,
    pub(crate) drain: Drain,
}

/// A delivery that has been decoded.
pub(crate) struct Admitted<E> {
    /// For who takes requests.
    pub(crate) head: Option<Box<Parts>>,
    pub(crate) events: Vec<Decoded<E>>,
    pub(crate) common: Common,
}

/// What all events of a delivery have in common.
pub(crate) struct Common {
    head: Arc<Head>,
    /// What the answer's extensions begin with: how the sender was proved.
    pub(crate) evidence: Extensions,
    pub(crate) scope: Scope,
    /// What the provider must read, where it reads more than a status.
    pub(crate) acknowledgement: Option<Acknowledgement>,
    /// What is answered once all of them are done, where some events of the delivery cannot be read.
    pub(crate) unreadable: Option<Rejection>,
}

impl Common {
    pub(crate) fn verified(&self) -> &Verified {
        &self.head.verified
    }
}

impl<P: Provider> Admission<P> {
    /// Decodes a delivery. The whole head is kept for who takes requests.
    pub(crate) fn admit(
        &self,
        mut head: Parts,
        plaintext: &Bytes,
        takes_requests: bool,
    ) -> Result<Admitted<P::Event>, Rejection> {
        let verified = self.check(&head)?;
        let events = self.provider.decode(&head.headers, plaintext)?;
        let max = self.provider.profile().max_events;
        if events.count() > max {
            return Err(Rejection::new(RejectionKind::TooManyEvents, format!("more than {max} events")));
        }
        let scope = Scope { reporter: self.exit.reporter.clone(), key_id: verified.shared_key_id() };
        if !events.absent().is_empty() {
            scope.report(Fact::MembersAbsent { names: events.absent() });
        }
        let unreadable = events.rejection();
        let acknowledgement = match unreadable {
            Some(rejection) if events.is_empty() => return Err(rejection),
            _ => self.provider.acknowledge(&events),
        };
        let events: Vec<_> = events.into_iter().collect();
        scope.report(Fact::Accepted { events: events.len() });
        let (inner, seen, mut evidence) = if takes_requests {
            self.make_inner(&mut head);
            let seen = (head.uri.clone(), head.headers.clone());
            (Some(Box::new(head)), seen, Extensions::new())
        } else {
            (None, (head.uri, head.headers), head.extensions)
        };
        // What stands in it beside the evidence is of the request. Its room is used again.
        if evidence.len() != 1 {
            evidence.clear();
            evidence.insert(verified.clone());
        }
        let head = Arc::new(self.seen(seen, verified));
        let common = Common { head, evidence, scope, acknowledgement, unreadable };
        Ok(Admitted { head: inner, events, common })
    }

    /// What is kept of a head, for who has the event in hand.
    fn seen(&self, (uri, headers): (Uri, HeaderMap), verified: Verified) -> Head {
        Head {
            uri,
            headers,
            verified,
            receiver: Arc::clone(self.exit.reporter.receiver()),
            provider: self.provider.profile().name,
            event_type: std::any::type_name::<P::Event>(),
            signs: Arc::clone(&self.provider) as _,
        }
    }

    fn check(&self, head: &Parts) -> Result<Verified, Rejection> {
        if self.drain.has_begun() {
            return Err(Rejection::new(RejectionKind::Draining, "the receiver drains").retry_in(SOON));
        }
        if self.exit.reporter.receiver().is_empty() {
            return Err(Rejection::new(RejectionKind::Misassembled, "the receiver has no name"));
        }
        let verified = head.extensions.get::<Verified>().cloned();
        verified.ok_or_else(|| Rejection::new(RejectionKind::Misassembled, "no verification in front of dedupe"))
    }

    /// What services further in see of the head: nothing of the proof, and the type of an event.
    fn make_inner(&self, head: &mut Parts) {
        leave_outside(head, self.provider.scheme().proof_headers());
        if let Some(content_type) = self.provider.event_content_type() {
            head.headers.insert(CONTENT_TYPE, content_type);
        }
    }

    /// An event in its handler's hands. Without a fencing token nothing was claimed.
    pub(crate) fn received(
        &self,
        common: &Common,
        event: Decoded<P::Event>,
        fence: Option<NonZeroU64>,
        lost: LeaseLost,
    ) -> Received<P::Event> {
        let delivery = Delivery::new(Inner {
            key: event.key,
            occurred_at: event.occurred_at,
            raw: event.raw,
            fence,
            lost,
            head: Arc::clone(&common.head),
        });
        Received::new(event.event, delivery)
    }
}
