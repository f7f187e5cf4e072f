//! What happens to a proved delivery before any of its events is handled, whoever handles them.

use std::future::Future;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Extensions, Response};

use super::drain::Drain;
use super::inner::{Answer, Handled, Job};
use super::lease_lost::LeaseLost;
use super::received::{Delivery, Head, Inner, Origin, Received};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Body, Exit, ResponseBody, Verified, leave_outside};
use crate::observe::{Fact, Scope, Traced};
use crate::provider::{Acknowledgement, Decoded, Events, Provider};

/// For rejections that pass soon.
const SOON: Duration = Duration::from_secs(5);

/// Takes proved deliveries in: decodes them within limits.
pub(crate) struct Admission<P> {
    pub(crate) provider: Arc<P>,
    pub(crate) exit: Arc<Exit>,
    pub(crate) drain: Drain,
    origin: Arc<Origin>,
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
    /// What the provider must read, where it reads more than a status.
    pub(crate) acknowledgement: Option<Box<Acknowledgement>>,
    /// What is answered once all of them are done, where some events of the delivery cannot be read.
    pub(crate) unreadable: Option<Rejection>,
    pub(crate) traced: Traced,
    /// Who looks on, in a test.
    #[cfg(feature = "testing")]
    pub(crate) witness: Option<super::witness::Witness>,
}

impl Common {
    pub(crate) fn verified(&self) -> &Verified {
        &self.head.verified
    }

    /// The first of this name among the request's headers, unless it proves.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn public_header(&self, name: &http::HeaderName) -> Option<&http::HeaderValue> {
        self.head.headers.get(name).filter(|_| !self.head.proves(name))
    }

    /// Which trace the request is in, unless what says so proves.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn trace_parent(&self) -> Option<crate::observe::TraceParent> {
        use crate::observe::{TRACEPARENT, TraceParent};
        self.public_header(&TRACEPARENT).and_then(|_| TraceParent::of(&self.head.headers))
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        let Head { origin, verified, .. } = &*self.head;
        Scope {
            reporter: &origin.reporter,
            key_id: verified.key_id(),
            proved_at: Some(verified.at()),
            traced: Some(&self.traced),
        }
    }
}

/// How an event comes into the hands of who handles it.
impl Common {
    #[cfg(not(feature = "testing"))]
    pub(crate) fn hand<E, I: super::inner::Inner<E>>(
        &self,
        job: Job<E>,
        to: I,
    ) -> impl Future<Output = Handled<Answer<I::Error>>> {
        to.handle(job)
    }

    /// And before somebody's eyes, in a test.
    #[cfg(feature = "testing")]
    pub(crate) fn hand<E, I: super::inner::Inner<E>>(
        &self,
        job: Job<E>,
        to: I,
    ) -> impl Future<Output = Handled<Answer<I::Error>>> {
        let ended = self.witness.as_ref().map(|witness| witness.called(job.received.delivery()));
        super::witness::Watched::new(to.handle(job), ended)
    }
}

/// The events of a delivery, and what the provider is to read.
type Read<E> = (Events<E>, Option<Box<Acknowledgement>>);

impl<P: Provider> Admission<P> {
    pub(crate) fn new(provider: Arc<P>, exit: Arc<Exit>, drain: Drain) -> Self {
        let origin = Origin::of::<P::Event>(exit.reporter.clone(), Arc::clone(&provider) as _);
        Self { provider, exit, drain, origin }
    }

    /// Decodes a delivery, or has its answer. The whole head is kept for who takes requests.
    pub(crate) fn admit(
        &self,
        mut head: Parts,
        body: Body,
        takes_requests: bool,
    ) -> Result<Admitted<P::Event>, Box<Response<ResponseBody>>> {
        let (plaintext, evidence, traced) = body.into_parts();
        let verified = evidence.or_else(|| head.extensions.remove());
        let refuse = |rejection, verified: Option<&Verified>| {
            Box::new(self.exit.reject(rejection, verified.and_then(Verified::key_id)))
        };
        if let Err(rejection) = self.check() {
            return Err(refuse(rejection, verified.as_ref()));
        }
        let Some(verified) = verified else {
            let rejection = Rejection::new(RejectionKind::Misassembled, "no verification in front of dedupe");
            return Err(refuse(rejection, None));
        };
        let (events, acknowledgement) = match self.read(&head, plaintext, &verified) {
            Ok(read) => read,
            Err(rejection) => return Err(refuse(rejection, Some(&verified))),
        };
        let unreadable = events.rejection();
        traced.holds(events.len());
        #[cfg(feature = "testing")]
        let witness = head.extensions.remove();
        let (inner, uri, headers, mut evidence) = if takes_requests {
            self.make_inner(&mut head);
            let (uri, headers) = (head.uri.clone(), head.headers.clone());
            head.extensions.insert(verified.clone());
            (Some(Box::new(head)), uri, headers, Extensions::new())
        } else {
            (None, head.uri, head.headers, head.extensions)
        };
        // What stands in it is of the request. Its room is used again.
        evidence.clear();
        evidence.insert(verified.clone());
        // What is kept of it for who has the event in hand.
        let head = Arc::new(Head { uri, headers, verified, origin: Arc::clone(&self.origin) });
        let common = Common {
            head,
            evidence,
            acknowledgement,
            unreadable,
            traced,
            #[cfg(feature = "testing")]
            witness,
        };
        Ok(Admitted { head: inner, events: events.into_iter().collect(), common })
    }

    fn check(&self) -> Result<(), Rejection> {
        if self.drain.has_begun() {
            return Err(Rejection::new(RejectionKind::Draining, "the receiver drains").retry_in(SOON));
        }
        if self.exit.reporter.receiver().is_empty() {
            return Err(Rejection::new(RejectionKind::Misassembled, "the receiver has no name"));
        }
        Ok(())
    }

    fn read(&self, head: &Parts, plaintext: Bytes, verified: &Verified) -> Result<Read<P::Event>, Rejection> {
        let events = self.provider.decode(&head.headers, plaintext)?;
        let max = self.provider.profile().max_events;
        if events.count() > max {
            return Err(Rejection::new(RejectionKind::TooManyEvents, format!("more than {max} events")));
        }
        let (key_id, proved_at) = (verified.key_id(), Some(verified.at()));
        let scope = Scope { reporter: &self.exit.reporter, key_id, proved_at, traced: None };
        if !events.absent().is_empty() {
            scope.report(Fact::MembersAbsent { names: events.absent() });
        }
        match events.rejection() {
            Some(rejection) if events.is_empty() => return Err(rejection),
            _ => scope.report(Fact::Accepted { events: events.len() }),
        }
        let acknowledgement = self.provider.acknowledge(&events).map(Box::new);
        Ok((events, acknowledgement))
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
            attempt: fence,
            lost,
            head: Arc::clone(&common.head),
        });
        Received::new(event.event, delivery)
    }
}
