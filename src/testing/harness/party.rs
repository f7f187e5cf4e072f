//! Who sends to a path of the app: a provider, with what its requests carry beside the proof.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Uri};

use crate::error::Rejection;
use crate::provider::{Acknowledgement, AnyEvent, AnyProvider, EventKey, Events, Message, Profile, Provider};
use crate::scheme::{Scheme, SealError, Sealing};
use crate::sender::DeliveryProfile;
use crate::sender::judge::expected;

/// A provider that sends to a path of the app, with credentials where it was given any. It is what a [`Webhook`] of the
/// harness seals by.
///
/// [`Webhook`]: crate::sender::Webhook
#[derive(Clone, Debug)]
pub struct Party {
    pub(super) number: usize,
    pub(super) path: Uri,
    pub(super) provider: AnyProvider,
    pub(super) profile: DeliveryProfile,
    pub(super) credentials: Option<HeaderValue>,
}

/// What a request says, for who has it under way: it rides in its extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    pub(super) party: usize,
    pub(super) path: String,
    pub(super) keys: Vec<EventKey>,
    /// Why no receiver may say yes to it, though it is proved.
    pub(super) unusable: Option<Rejection>,
    pub(super) expected: Option<Acknowledgement>,
    pub(super) profile: Option<DeliveryProfile>,
}

impl Party {
    pub(super) fn new(number: usize, path: Uri, provider: AnyProvider) -> Self {
        let profile = DeliveryProfile::of(provider.profile());
        Self { number, path, provider, profile, credentials: None }
    }

    /// As it is sealed by another provider, such as one with another key.
    pub(super) fn sealed_by(
        &self,
        provider: &AnyProvider,
        mut message: Message,
        with: &Sealing<'_>,
    ) -> Result<Request<Bytes>, SealError> {
        let target = message.target.get_or_insert_with(|| self.path.clone()).clone();
        let mut request = provider.seal(message.clone(), with)?;
        *request.uri_mut() = target;
        if let Some(credentials) = &self.credentials {
            request.headers_mut().insert(AUTHORIZATION, credentials.clone());
        }
        let marks = self.marks(&request, &message);
        request.extensions_mut().insert(marks);
        Ok(request)
    }

    fn marks(&self, request: &Request<Bytes>, message: &Message) -> Marks {
        let read = self.provider.decode(request.headers(), message.body.clone());
        let (keys, unusable) = match read {
            Ok(events) => (events.iter().map(|event| event.key.clone()).collect(), events.rejection()),
            Err(rejection) => (Vec::new(), Some(rejection)),
        };
        Marks {
            party: self.number,
            path: request.uri().to_string(),
            keys,
            unusable,
            expected: expected(&self.profile, &self.provider, request, message),
            profile: Some(self.profile.clone()),
        }
    }
}

impl Provider for Party {
    type Event = AnyEvent;

    fn profile(&self) -> &Profile {
        self.provider.profile()
    }

    fn scheme(&self) -> &dyn Scheme {
        self.provider.scheme()
    }

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<AnyEvent>, Rejection> {
        self.provider.decode(headers, plaintext)
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        self.provider.event_content_type()
    }

    fn acknowledge(&self, events: &Events<AnyEvent>) -> Option<Acknowledgement> {
        self.provider.acknowledge(events)
    }

    fn seal(&self, message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        self.sealed_by(&self.provider, message, with)
    }
}
