//! All providers as one type, so that one receiver serves whatever a configuration names.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};

use super::{Acknowledgement, Events, Message, Profile, Provider};
use crate::error::Rejection;
use crate::event::{Event, Project};
use crate::scheme::{Scheme, SealError, Sealing};

/// Any provider's event: its name, and what it says in the shared vocabulary.
#[derive(Clone, Debug)]
pub struct AnyEvent {
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

/// Any provider, for who chooses one when the program runs: all of them are one type, and their events are [`AnyEvent`]s.
/// Clones share the provider.
///
/// ```
/// use tower_webhook::provider::aella::Aella;
/// use tower_webhook::provider::mambu::Mambu;
/// use tower_webhook::provider::{AnyProvider, Provider as _};
/// use tower_webhook::secret::Secret;
///
/// # fn main() -> Result<(), tower_webhook::ConfigError> {
/// let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// let all = [AnyProvider::new(aella), AnyProvider::new(Mambu::new())];
/// assert_eq!(all.each_ref().map(|provider| provider.profile().name), ["aella", "mambu"]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AnyProvider(Arc<dyn Erased>);

impl AnyProvider {
    /// This provider, without its type.
    #[must_use]
    pub fn new(provider: impl Provider) -> Self {
        Self(Arc::new(provider))
    }
}

/// A provider without its event type.
trait Erased: Send + Sync {
    fn profile(&self) -> &Profile;
    fn scheme(&self) -> &dyn Scheme;
    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<AnyEvent>, Rejection>;
    fn decode_one(&self, name: &str, raw: Bytes) -> Result<AnyEvent, Rejection>;
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

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<AnyEvent>, Rejection> {
        let events = Provider::decode(self, headers, plaintext)?;
        let mut acknowledgement = Provider::acknowledge(self, &events);
        Ok(events.map(|event| AnyEvent::of(&event, acknowledgement.take())))
    }

    fn decode_one(&self, name: &str, raw: Bytes) -> Result<AnyEvent, Rejection> {
        Provider::decode_one(self, name, raw).map(|event| AnyEvent::of(&event, None))
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

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<AnyEvent>, Rejection> {
        self.0.decode(headers, plaintext)
    }

    fn decode_one(&self, name: &str, raw: Bytes) -> Result<AnyEvent, Rejection> {
        self.0.decode_one(name, raw)
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

impl fmt::Debug for AnyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyProvider").field(&self.0.profile().name).finish()
    }
}
