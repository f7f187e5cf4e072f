//! What a test sends that no receiver may take, or may take but once: for [`Harness::forge`](super::Harness::forge).
//!
//! The near misses of each scheme are [`Forgery`]'s, and bodies that are proved and no event are [`Malformed`]'s: both can be
//! given where these can. No scheme here has additional data (AAD) that could be changed.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING};
use http::{HeaderValue, Request};
use serde_json::Value;

use super::book::Way;
use super::party::{Marks, Party};
use crate::provider::{AnyProvider, Message, Provider};
use crate::scheme::{SealError, Sealing};
use crate::sender::Malformed;
use crate::sender::forge::{Forgery, early as sealed_early, forge, stale as sealed_late};

/// Beyond what is just about taken.
const BEYOND: Duration = Duration::from_secs(60);
/// `harness:not-the-password`
const WRONG_PASSWORD: HeaderValue = HeaderValue::from_static("Basic aGFybmVzczpub3QtdGhlLXBhc3N3b3Jk");

/// What is done to a delivery before it is sent.
#[derive(Clone, Debug)]
pub struct Wrong(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Forged(Forgery),
    FlippedBit,
    Malformed(Malformed),
    Stale,
    Early,
    Replayed,
    WrongKey(AnyProvider),
    NoCredentials,
    WrongPassword,
    UnreadableMember,
    TwinMember,
}

impl From<Forgery> for Wrong {
    fn from(how: Forgery) -> Self {
        Self(Kind::Forged(how))
    }
}

impl From<Malformed> for Wrong {
    fn from(how: Malformed) -> Self {
        Self(Kind::Malformed(how))
    }
}

/// One bit of the body is another; of the proof, where the proof covers no body.
#[must_use]
pub fn flipped_bit() -> Wrong {
    Wrong(Kind::FlippedBit)
}

/// Sealed a minute longer ago than the scheme's tolerance. Only where a time is signed.
#[must_use]
pub fn stale() -> Wrong {
    Wrong(Kind::Stale)
}

/// Sealed a minute further ahead than the scheme's tolerance. Only where a time is signed.
#[must_use]
pub fn early() -> Wrong {
    Wrong(Kind::Early)
}

/// The same bytes a second time, which is no forgery: it is accepted or refused, and not handled again.
#[must_use]
pub fn replayed() -> Wrong {
    Wrong(Kind::Replayed)
}

/// Sealed by this provider, which has another key.
#[must_use]
pub fn wrong_key(provider: impl Provider) -> Wrong {
    Wrong(Kind::WrongKey(AnyProvider::new(provider)))
}

/// Without the Basic credentials that the harness has.
#[must_use]
pub fn no_credentials() -> Wrong {
    Wrong(Kind::NoCredentials)
}

/// With Basic credentials that nobody has.
#[must_use]
pub fn wrong_password() -> Wrong {
    Wrong(Kind::WrongPassword)
}

/// The last event of a batch is an empty object. A receiver that refuses what it cannot read handles the others, and refuses the
/// delivery.
#[must_use]
pub fn unreadable_member() -> Wrong {
    Wrong(Kind::UnreadableMember)
}

/// A batch's first event stands at its end again, and says more: one key, two events. Whatever is answered, no event may be
/// handled twice.
#[must_use]
pub fn twin_member() -> Wrong {
    Wrong(Kind::TwinMember)
}

/// What is sent, one after the other, and how each is to be judged. `None`: there is nothing to do so to this delivery.
pub(super) type Made = Option<Vec<(Request<Bytes>, Way)>>;

impl Wrong {
    /// All that need nothing but the delivery, and have to be refused.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let of_scheme = Forgery::ALL.iter().map(|how| Self::from(*how));
        let of_time = [Kind::Stale, Kind::Early, Kind::NoCredentials, Kind::WrongPassword].map(Self);
        of_scheme.chain(of_time).chain(Malformed::ALL.iter().map(|how| Self::from(*how)))
    }

    pub(super) fn name(&self) -> String {
        match &self.0 {
            Kind::Forged(how) => format!("{how:?}"),
            Kind::Malformed(how) => format!("{how:?}"),
            Kind::WrongKey(_) => "WrongKey".to_owned(),
            other => format!("{other:?}"),
        }
    }

    pub(super) fn of(&self, party: &Party, message: Message, with: &Sealing<'_>) -> Result<Made, SealError> {
        let batch = |message, change: fn(&mut Vec<Value>) -> Option<()>, way| match changed(message, change) {
            Some(batch) => Ok(Some(vec![(party.seal(batch, with)?, way)])),
            None => Ok(None),
        };
        match &self.0 {
            Kind::UnreadableMember => return batch(message, emptied, Way::Genuine),
            Kind::TwinMember => return batch(message, twin, Way::Free("TwinMember")),
            _ => {}
        }
        let sealed = party.seal(message.clone(), with)?;
        if let Kind::Replayed = &self.0 {
            return Ok(Some(vec![(sealed.clone(), Way::Genuine), (sealed, Way::Free("Replayed"))]));
        }
        let forged = self.forged(party, message, &sealed, with)?;
        Ok(forged.map(|forged| vec![(marked(forged, &sealed), Way::Forged(self.name()))]))
    }

    fn forged(
        &self,
        party: &Party,
        message: Message,
        sealed: &Request<Bytes>,
        with: &Sealing<'_>,
    ) -> Result<Option<Request<Bytes>>, SealError> {
        let by = |how| forge(sealed, party.provider.scheme(), how);
        let tolerance = party.provider.scheme().tolerance();
        match (&self.0, tolerance) {
            (Kind::Forged(how), _) => Ok(by(*how)),
            (Kind::FlippedBit, _) => Ok(by(Forgery::BodyBit).or_else(|| by(Forgery::ProofBit))),
            (Kind::Malformed(how), _) => malformed(party, *how, &message, with),
            (Kind::Stale, Some(time)) => sealed_late(party, message, with, time.max_past().saturating_add(BEYOND)),
            (Kind::Early, Some(time)) => sealed_early(party, message, with, time.max_future().saturating_add(BEYOND)),
            (Kind::WrongKey(other), _) => party.sealed_by(other, message, with).map(Some),
            (Kind::NoCredentials, _) => Ok(with_credentials(sealed, None)),
            (Kind::WrongPassword, _) => Ok(with_credentials(sealed, Some(WRONG_PASSWORD))),
            _ => Ok(None),
        }
    }
}

/// With the marks of what it was made of.
fn marked(mut forged: Request<Bytes>, sealed: &Request<Bytes>) -> Request<Bytes> {
    if let Some(marks) = sealed.extensions().get::<Marks>() {
        forged.extensions_mut().insert(marks.clone());
    }
    forged
}

/// `None`: this provider's bodies are free, so that it may be an event.
fn malformed(
    party: &Party,
    how: Malformed,
    message: &Message,
    with: &Sealing<'_>,
) -> Result<Option<Request<Bytes>>, SealError> {
    let Some(message) = how.of(message) else { return Ok(None) };
    let request = match party.seal(message.clone(), with) {
        // A scheme that cannot carry it.
        Err(SealError::Unencodable) => return Ok(None),
        request => request?,
    };
    let is_refused = request.headers().contains_key(CONTENT_ENCODING)
        || party.provider.decode(request.headers(), message.body).is_err();
    Ok(is_refused.then_some(request))
}

fn with_credentials(sealed: &Request<Bytes>, credentials: Option<HeaderValue>) -> Option<Request<Bytes>> {
    let mut request = sealed.clone();
    request.headers_mut().remove(AUTHORIZATION)?;
    if let Some(credentials) = credentials {
        request.headers_mut().insert(AUTHORIZATION, credentials);
    }
    Some(request)
}

/// With other events in its batch: the first list of an object's members.
fn changed(mut message: Message, change: impl Fn(&mut Vec<Value>) -> Option<()>) -> Option<Message> {
    let mut body: Value = serde_json::from_slice(&message.body).ok()?;
    let members = body.as_object_mut()?.values_mut().find_map(Value::as_array_mut)?;
    change(members)?;
    message.body = serde_json::to_vec(&body).ok()?.into();
    Some(message)
}

fn twin(members: &mut Vec<Value>) -> Option<()> {
    let mut twin = members.first()?.clone();
    let event = twin.as_object_mut()?;
    let more = || ("twin".to_owned(), Value::Bool(true));
    event.values_mut().filter_map(Value::as_object_mut).for_each(|inside| inside.extend([more()]));
    event.extend([more()]);
    members.push(twin);
    Some(())
}

fn emptied(members: &mut Vec<Value>) -> Option<()> {
    members.pop()?;
    members.push(Value::Object(serde_json::Map::new()));
    Some(())
}
