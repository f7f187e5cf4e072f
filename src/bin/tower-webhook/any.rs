//! All providers as one type, so that one receiver serves whatever the configuration names.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use tower_webhook::Rejection;
use tower_webhook::event::{Event, Project};
use tower_webhook::provider::{Acknowledgement, Events, Message, Profile, Provider};
use tower_webhook::scheme::{Scheme, SealError, Sealing};

/// Any provider's event, in the shared vocabulary.
#[derive(Clone, Debug)]
pub(crate) struct AnyEvent {
    name: String,
    shared: Event,
    /// What the provider reads when the delivery of this event is done. Of several events the first has it.
    acknowledgement: Option<Acknowledgement>,
}

impl AnyEvent {
    fn of(event: &impl Project, acknowledgement: Option<Acknowledgement>) -> Self {
        Self { name: event.name().to_owned(), shared: event.project(), acknowledgement }
    }
}

impl Project for AnyEvent {
    fn project(&self) -> Event {
        self.shared.clone()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Any provider.
#[derive(Clone)]
pub(crate) struct AnyProvider(Arc<dyn Erased>);

impl AnyProvider {
    pub(crate) fn new(provider: impl Provider) -> Self {
        Self(Arc::new(provider))
    }
}

/// A provider without its event type.
trait Erased: Send + Sync {
    fn profile(&self) -> &Profile;
    fn scheme(&self) -> &dyn Scheme;
    fn decode(&self, headers: &HeaderMap, plaintext: &Bytes) -> Result<Events<AnyEvent>, Rejection>;
    fn event_content_type(&self) -> Option<HeaderValue>;
    fn seal(&self, message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError>;
}

impl<P: Provider> Erased for P {
    fn profile(&self) -> &Profile {
        Provider::profile(self)
    }

    fn scheme(&self) -> &dyn Scheme {
        Provider::scheme(self)
    }

    fn decode(&self, headers: &HeaderMap, plaintext: &Bytes) -> Result<Events<AnyEvent>, Rejection> {
        let events = Provider::decode(self, headers, plaintext)?;
        let mut acknowledgement = Provider::acknowledge(self, &events);
        Ok(events.map(|event| AnyEvent::of(&event, acknowledgement.take())))
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        Provider::event_content_type(self)
    }

    fn seal(&self, message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        Provider::seal(self, message, with)
    }
}

impl Provider for AnyProvider {
    type Event = AnyEvent;

    fn profile(&self) -> &Profile {
        self.0.profile()
    }

    fn scheme(&self) -> &dyn Scheme {
        self.0.scheme()
    }

    fn decode(&self, headers: &HeaderMap, plaintext: &Bytes) -> Result<Events<AnyEvent>, Rejection> {
        self.0.decode(headers, plaintext)
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        self.0.event_content_type()
    }

    fn acknowledge(&self, events: &Events<AnyEvent>) -> Option<Acknowledgement> {
        events.first()?.event.acknowledgement.clone()
    }

    fn seal(&self, message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        self.0.seal(message, with)
    }
}
