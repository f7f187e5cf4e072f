//! One endpoint of a run: who sends to it, under which keys, what about.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request, Uri};
use jiff::{SignedDuration, Timestamp};

use super::fault::Fault;
use super::mark::Mark;
use crate::clock::OsEntropy;
use crate::provider::{AnyProvider, Message, Provider};
use crate::scheme::{SealError, Sealing};
use crate::sender::conduct::{Conduct, Lie};
use crate::sender::forge::{forge, just_early, just_stale, with_wrong_password, without_credentials};
use crate::sender::profile::DeliveryProfile;

/// What an event is to be about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Theme {
    /// Its key, or the id in its body that is its key.
    pub key: Mark,
    /// The id in its body. Another than the key's for another event of the same body.
    pub about: Mark,
    /// Something to vary the rest by.
    pub variant: u64,
    /// Whether it says something else than the event of this key should, such as another amount.
    pub is_other: bool,
}

impl Theme {
    /// What is tried out before a run.
    pub(super) fn sample() -> Self {
        Self::new(Mark::new(0, 0), 0)
    }

    /// About this event.
    #[must_use]
    pub fn new(key: Mark, variant: u64) -> Self {
        Self { key, about: key, variant, is_other: false }
    }
}

/// Who writes the messages of a run. Any function of themes is one, for messages of one event whose key stands in the body.
pub trait Author: Send + Sync + 'static {
    /// A message of these events, at least one. The same for the same themes.
    fn write(&self, themes: &[Theme]) -> Message;

    /// The most events in one message. Default: 1.
    fn most(&self) -> u64 {
        1
    }

    /// Whether the key stands outside the body, so that one body can be two events. Default: no.
    fn has_key_outside(&self) -> bool {
        false
    }
}

impl<F: Fn(&[Theme]) -> Message + Send + Sync + 'static> Author for F {
    fn write(&self, themes: &[Theme]) -> Message {
        self(themes)
    }
}

/// One endpoint of a run.
#[derive(Clone)]
pub struct Route {
    pub(super) name: String,
    pub(super) profile: DeliveryProfile,
    pub(super) author: Arc<dyn Author>,
    target: Uri,
    provider: AnyProvider,
    others: Vec<AnyProvider>,
    strangers: Vec<AnyProvider>,
    credentials: Option<HeaderValue>,
}

impl Route {
    /// An endpoint of this name, at this address.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        target: Uri,
        provider: impl Provider,
        profile: DeliveryProfile,
        author: impl Author,
    ) -> Self {
        Self {
            name: name.into(),
            profile,
            author: Arc::new(author),
            target,
            provider: AnyProvider::new(provider),
            others: Vec::new(),
            strangers: Vec::new(),
            credentials: None,
        }
    }

    /// With these Basic credentials. Default: none.
    #[must_use]
    pub fn credentials(mut self, header: HeaderValue) -> Self {
        self.credentials = Some(header);
        self
    }

    /// Sealed now and then under another key that the receiver must take.
    #[must_use]
    pub fn other_key(mut self, provider: impl Provider) -> Self {
        self.others.push(AnyProvider::new(provider));
        self
    }

    /// Sealed now and then under a key that it must refuse: somebody else's, one that is over, or not valid yet.
    #[must_use]
    pub fn wrong_key(mut self, provider: impl Provider) -> Self {
        self.strangers.push(AnyProvider::new(provider));
        self
    }

    /// Whether the same provider sends to both, which are two receivers.
    pub(super) fn is_other_of(&self, route: &Self) -> bool {
        self.name != route.name && self.provider.profile().name == route.provider.profile().name
    }

    pub(super) fn provider(&self) -> &AnyProvider {
        &self.provider
    }

    /// Whether the same bytes are refused after a while.
    pub(super) fn is_timed(&self) -> bool {
        self.provider.scheme().tolerance().is_some()
    }

    /// Whether this can be done to a delivery such as this one.
    pub(super) fn applies(&self, fault: Fault, message: &Message, sample: &Request<Bytes>) -> bool {
        let scheme = self.provider.scheme();
        match fault {
            Fault::Stale | Fault::Early | Fault::ClockBehind | Fault::ClockAhead => scheme.tolerance().is_some(),
            Fault::Forged(how) => forge(sample, scheme, how).is_some(),
            Fault::Malformed(how) => {
                let with = Sealing::new(Timestamp::UNIX_EPOCH, &OsEntropy);
                how.sealed_by(&self.provider, message, &with).is_ok_and(|sealed| sealed.is_some())
            }
            Fault::NoCredentials | Fault::WrongPassword => self.credentials.is_some(),
            Fault::WrongKey => !self.strangers.is_empty(),
            Fault::OtherKey => !self.others.is_empty(),
            Fault::OtherId => self.author.has_key_outside(),
            Fault::OtherBody => self.has_one_key(message),
            // A body that was cut is another body, where nothing proves it.
            Fault::Sent(Conduct::Lies(Lie::TooSmall)) => scheme.covers_body(),
            _ => true,
        }
    }

    /// Whether the event that says something else has the key of this one. Some keys hold what the event says.
    fn has_one_key(&self, message: &Message) -> bool {
        let other = self.author.write(&[Theme { is_other: true, ..Theme::sample() }]);
        let key = |message: &Message| {
            let sealed = self.seal(message, Timestamp::UNIX_EPOCH).ok()?;
            let events = self.provider.decode(sealed.headers(), message.body.clone()).ok()?;
            Some(events.first()?.key.clone())
        };
        key(message) == key(&other)
    }

    /// Sealed as it should be.
    pub(super) fn seal(&self, message: &Message, now: Timestamp) -> Result<Request<Bytes>, SealError> {
        self.seal_by(&self.provider, message, now)
    }

    fn seal_by(&self, provider: &AnyProvider, message: &Message, now: Timestamp) -> Result<Request<Bytes>, SealError> {
        provider.seal(message.clone(), &Sealing::new(now, &OsEntropy)).map(|request| self.addressed(request))
    }

    fn addressed(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        *request.uri_mut() = self.target.clone();
        if let Some(credentials) = &self.credentials {
            request.headers_mut().insert(AUTHORIZATION, credentials.clone());
        }
        request
    }

    /// Sealed with a clock that is off, or under another key, and to be taken.
    pub(super) fn seal_oddly(
        &self,
        message: &Message,
        now: Timestamp,
        fault: Fault,
    ) -> Result<Request<Bytes>, SealError> {
        let scheme = self.provider.scheme();
        match (fault, scheme.tolerance()) {
            (Fault::ClockBehind, Some(tolerance)) => self.seal(message, moved(now, -half(tolerance.max_past()))),
            (Fault::ClockAhead, Some(tolerance)) => self.seal(message, moved(now, half(tolerance.max_future()))),
            (Fault::OtherKey, _) => self.seal_by(self.others.first().unwrap_or(&self.provider), message, now),
            _ => self.seal(message, now),
        }
    }

    /// Made so that it has to be refused. `drawn` chooses among several ways.
    pub(super) fn seal_badly(
        &self,
        message: &Message,
        now: Timestamp,
        fault: Fault,
        drawn: u64,
    ) -> Result<Option<Request<Bytes>>, SealError> {
        let (provider, with) = (&self.provider, Sealing::new(now, &OsEntropy));
        let addressed = |sealed: Option<Request<Bytes>>| sealed.map(|request| self.addressed(request));
        Ok(match fault {
            Fault::Stale => addressed(just_stale(provider, message.clone(), &with)?),
            Fault::Early => addressed(just_early(provider, message.clone(), &with)?),
            Fault::Malformed(how) => addressed(how.sealed_by(provider, message, &with)?),
            Fault::Forged(how) => forge(&self.seal(message, now)?, provider.scheme(), how),
            Fault::NoCredentials => without_credentials(&self.seal(message, now)?),
            Fault::WrongPassword => with_wrong_password(&self.seal(message, now)?),
            Fault::WrongKey => {
                let at = usize::try_from(drawn % self.strangers.len().max(1) as u64).unwrap_or_default();
                self.strangers.get(at).map(|stranger| self.seal_by(stranger, message, now)).transpose()?
            }
            _ => None,
        })
    }

    /// The same delivery, with ids in headers that nothing proves and nobody is told to read.
    pub(super) fn relabelled(&self, request: &Request<Bytes>, label: u64) -> Request<Bytes> {
        let mut request = request.clone();
        for name in LABELS {
            if !request.headers().contains_key(&name) {
                request.headers_mut().insert(name, HeaderValue::from(label));
            }
        }
        request
    }
}

/// Headers in which some senders put an id, and which those of this crate leave out unless they are asked for.
const LABELS: [HeaderName; 6] = [
    HeaderName::from_static("event-id"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-delivery-id"),
    HeaderName::from_static("x-event-id"),
    HeaderName::from_static("x-idempotency-key"),
    HeaderName::from_static("x-request-id"),
];

fn half(tolerance: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(tolerance).unwrap_or(SignedDuration::MAX) / 2
}

fn moved(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("name", &self.name).field("target", &self.target).finish_non_exhaustive()
    }
}
