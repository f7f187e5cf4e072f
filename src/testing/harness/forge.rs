//! What a test sends that no receiver may take, or may take but once: for [`Harness::forge`](super::Harness::forge).
//!
//! The near misses of each scheme are [`Forgery`]'s, and bodies that are proved and no event are [`Malformed`]'s: both can be
//! given where these can. No scheme here has additional data (AAD) that could be changed.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::book::Way;
use super::party::{Marks, Party};
use crate::provider::{AnyProvider, Message, Provider};
use crate::scheme::{SealError, Sealing};
use crate::sender::Malformed;
use crate::sender::forge::{Forgery, forge, just_early, just_stale, with_wrong_password, without_credentials};

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
        match &self.0 {
            Kind::Forged(how) => Ok(by(*how)),
            Kind::FlippedBit => Ok(by(Forgery::BodyBit).or_else(|| by(Forgery::ProofBit))),
            Kind::Malformed(how) => how.sealed_by(party, &message, with),
            Kind::Stale => just_stale(party, message, with),
            Kind::Early => just_early(party, message, with),
            Kind::WrongKey(other) => party.sealed_by(other, message, with).map(Some),
            Kind::NoCredentials => Ok(without_credentials(sealed)),
            Kind::WrongPassword => Ok(with_wrong_password(sealed)),
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
