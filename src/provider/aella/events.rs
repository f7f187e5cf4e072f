//! From an envelope to a typed event and its key.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::model::{Mandate, MandateDebit, STRICT, Transfer, text_or_empty};
use crate::error::{Rejection, RejectionKind};
use crate::event::Text;
use crate::json::{self, Absent, Identified, Piece};
use crate::provider::shape::{Object, object, text};
use crate::provider::time::time;
use crate::provider::{Decoded, EventKey, Events, Identity};

/// An event of Aella's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// `transfer.completed`: an outgoing transfer moved money.
    TransferCompleted(Box<Transfer>),
    /// `transfer.failed`: an outgoing transfer moved none. No sample is published.
    TransferFailed(Box<Transfer>),
    /// `inwards.completed`: money came in.
    InwardsCompleted(Box<Transfer>),
    /// `inwards.failed`: money did not come in. Second hand: an integrator's code handles it, the docs do not list it.
    InwardsFailed(Box<Transfer>),
    /// `mandate.created`. No sample is published.
    MandateCreated(Box<Mandate>),
    /// `mandate.confirmed`. No sample is published.
    MandateConfirmed(Box<Mandate>),
    /// `mandate.debit.initiated`. No sample is published.
    MandateDebitInitiated(Box<MandateDebit>),
    /// `mandate.debit.failed`. No sample is published.
    MandateDebitFailed(Box<MandateDebit>),
    /// `mandate.debit.successful`: a debit moved money.
    MandateDebitSuccessful(Box<MandateDebit>),
    /// An event that this version does not know, without loss.
    Unknown {
        /// Its name as it came.
        name: Text,
        /// Its `data` as it came, letter for letter; `null` when there was none.
        data: Box<RawValue>,
    },
}

#[derive(Deserialize)]
struct Envelope<'a, T> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(default, deserialize_with = "time")]
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    data: Option<Identified<'a, T>>,
}

/// An envelope that has been read.
struct Read<'a> {
    name: Cow<'a, str>,
    timestamp: Option<Timestamp>,
    /// Of `data`, where there is any.
    identity: Option<Identity>,
    event: Event,
    id: Id,
}

/// The one event of a body.
///
/// Its identity is `data` alone: nobody says that a retry repeats the envelope's timestamp, and a fresh one must not
/// make a known event look like another with the same key.
pub(super) fn decode(plaintext: Bytes) -> Result<Events<Event>, Rejection> {
    let text = json::text(&plaintext)?;
    let mut absent = Absent::default();
    let Read { name, timestamp, identity, event, id } = match at_once(text)? {
        Some(read) => read,
        None => in_pieces(text, &mut absent)?,
    };
    let identity = identity.unwrap_or_else(|| Identity::of_checked(text));
    let key = key(name, id, text)?;
    let decoded = Decoded::identified(event, key, plaintext, identity).occurred_at(timestamp);
    Ok(Events::from(decoded).absent_members(absent.into_names()))
}

/// Everything in one pass, which takes that the name stands in front and all members are as their types say.
fn at_once(text: &str) -> Result<Option<Read<'_>>, Rejection> {
    match json::peek(text, "event").as_deref().map(kind) {
        Some(Kind::Transfer(event)) => typed(text, |data| of_transfer(data, event)),
        Some(Kind::Debit(event)) => typed(text, |data| of_debit(data, event)),
        _ => json::check(text).map(|()| None),
    }
}

fn typed<'a, T: Deserialize<'a>>(
    text: &'a str,
    of: impl FnOnce(T) -> (Event, Id),
) -> Result<Option<Read<'a>>, Rejection> {
    let envelope = json::parse_if_typed::<Object<Envelope<'_, Object<T>>>>(text)?;
    Ok(envelope.and_then(|Object(Envelope { event: name, timestamp, data })| {
        let Identified { value: Object(data), identity, .. } = data?;
        let (event, id) = of(data);
        Some(Read { name, timestamp, identity: Some(identity), event, id })
    }))
}

/// The envelope leniently, and then `data`. By itself, since the code of an event that is read at once goes around it.
#[inline(never)]
fn in_pieces<'a>(text: &'a str, absent: &mut Absent) -> Result<Read<'a>, Rejection> {
    let Object(Envelope { event: name, timestamp, data }) =
        json::parse_leniently::<Object<Envelope<'_, Piece<'_>>>>(text, STRICT, absent)?;
    let piece = data.as_ref().map_or("null", |data| data.text);
    let (event, id) = match kind(&name) {
        Kind::Transfer(event) => of_transfer(members(piece, absent)?, event),
        Kind::Debit(event) => of_debit(members(piece, absent)?, event),
        Kind::Mandate(event) => of_mandate(piece, absent, event)?,
        Kind::Unknown => (Event::Unknown { name: (*name).into(), data: raw(piece)? }, Id::Unknown(sole_id(piece))),
    };
    Ok(Read { name, timestamp, identity: data.map(|data| data.identity), event, id })
}

/// What an event of a name holds.
enum Kind {
    Transfer(fn(Box<Transfer>) -> Event),
    Mandate(fn(Box<Mandate>) -> Event),
    Debit(fn(Box<MandateDebit>) -> Event),
    Unknown,
}

fn kind(name: &str) -> Kind {
    match name {
        "transfer.completed" => Kind::Transfer(Event::TransferCompleted),
        "transfer.failed" => Kind::Transfer(Event::TransferFailed),
        "inwards.completed" => Kind::Transfer(Event::InwardsCompleted),
        "inwards.failed" => Kind::Transfer(Event::InwardsFailed),
        "mandate.created" => Kind::Mandate(Event::MandateCreated),
        "mandate.confirmed" => Kind::Mandate(Event::MandateConfirmed),
        "mandate.debit.initiated" => Kind::Debit(Event::MandateDebitInitiated),
        "mandate.debit.failed" => Kind::Debit(Event::MandateDebitFailed),
        "mandate.debit.successful" => Kind::Debit(Event::MandateDebitSuccessful),
        _ => Kind::Unknown,
    }
}

/// What tells an event from others of its name.
enum Id {
    /// An id that must be there.
    Known(Text),
    /// An id that may be there: the event is not known.
    Unknown(Option<Text>),
}

fn of_transfer(transfer: Box<Transfer>, event: fn(Box<Transfer>) -> Event) -> (Event, Id) {
    let id = transfer.id.clone();
    (event(transfer), Id::Known(id))
}

/// The published mandate object stands under `mandate` in a debit; whether it does so here, nobody says.
fn of_mandate(data: &str, absent: &mut Absent, event: fn(Box<Mandate>) -> Event) -> Result<(Event, Id), Rejection> {
    #[derive(Deserialize)]
    struct Nested {
        #[serde(default, deserialize_with = "text_or_empty")]
        id: Text,
        #[serde(default, deserialize_with = "object")]
        mandate: Option<Box<Mandate>>,
    }
    let Nested { id, mandate } = members(data, absent)?;
    let mut mandate = mandate.map_or_else(|| members(data, absent), Ok)?;
    let id = if is_blank(&id) { mandate.id.clone().unwrap_or_default() } else { id };
    mandate.id.get_or_insert_with(|| id.clone());
    Ok((event(mandate), Id::Known(id)))
}

/// Never keyed by anything but the debit's own id: a mandate has many debits, and its id would swallow all but the first.
fn of_debit(debit: Box<MandateDebit>, event: fn(Box<MandateDebit>) -> Event) -> (Event, Id) {
    let id = debit.transaction.id.clone();
    (event(debit), Id::Known(id))
}

fn sole_id(data: &str) -> Option<Text> {
    #[derive(Deserialize)]
    struct Identified {
        #[serde(default, deserialize_with = "text")]
        id: Option<Text>,
    }
    json::parse_checked::<Object<Identified>>(data).ok().and_then(|Object(data)| data.id)
}

fn raw(data: &str) -> Result<Box<RawValue>, Rejection> {
    json::parse_checked(data)
}

fn members<'a, T: Deserialize<'a>>(data: &'a str, absent: &mut Absent) -> Result<T, Rejection> {
    json::parse_leniently(data, STRICT, absent).map(|Object(members)| members)
}

/// Name and id, which may be a number. An unknown event without an id is known by all that its body says, timestamp
/// included: a retry that carries a fresh timestamp is then handled twice, where the identity of `data` alone could
/// swallow a second event that says the same. What is handled twice can be seen in the ledger and taken back; an inflow
/// that was acknowledged and never handled is seen by nobody.
fn key(name: Cow<'_, str>, id: Id, text: &str) -> Result<EventKey, Rejection> {
    match id {
        Id::Known(id) | Id::Unknown(Some(id)) if !is_blank(&id) => Ok(EventKey::of(&[&name, &id])),
        Id::Known(_) => Err(Rejection::new(RejectionKind::KeyMissing, "the event has no id")),
        Id::Unknown(_) => Ok(EventKey::of(&[&name, "identity", &Identity::of_checked(text).to_string()])),
    }
}

fn is_blank(id: &str) -> bool {
    id.trim().is_empty()
}
