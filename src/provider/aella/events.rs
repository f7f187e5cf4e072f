//! From an envelope to a typed event and its key.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::model::{Mandate, MandateDebit, STRICT, Transfer, text_or_empty};
use crate::error::{Rejection, RejectionKind};
use crate::event::Text;
use crate::json::{self, Absent};
use crate::provider::shape::{Object, object, text};
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
struct Envelope<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The one event of a body.
///
/// Its identity is `data` alone: nobody says that a retry repeats the envelope's timestamp, and a fresh one must not
/// make a known event look like another with the same key.
pub(super) fn decode(plaintext: &Bytes) -> Result<Events<Event>, Rejection> {
    let text = json::one_meaning(plaintext)?;
    let mut absent = Absent::default();
    let Object(Envelope { event: name, timestamp, data }) = json::parse_leniently(text, STRICT, &mut absent)?;
    let (event, id) = typed(&name, data.unwrap_or(RawValue::NULL), &mut absent)?;
    let identity = Identity::of_checked(data.map_or(text, RawValue::get));
    let decoded = Decoded::identified(event, key(&name, id, text)?, plaintext.clone(), identity);
    Ok(Events::from(decoded.occurred_at(timestamp)).absent_members(absent.into_names()))
}

/// What tells an event from others of its name.
enum Id {
    /// An id that must be there.
    Known(Text),
    /// An id that may be there: the event is not known.
    Unknown(Option<Text>),
}

fn typed(name: &str, data: &RawValue, absent: &mut Absent) -> Result<(Event, Id), Rejection> {
    match name {
        "transfer.completed" => transfer(data, absent, Event::TransferCompleted),
        "transfer.failed" => transfer(data, absent, Event::TransferFailed),
        "inwards.completed" => transfer(data, absent, Event::InwardsCompleted),
        "inwards.failed" => transfer(data, absent, Event::InwardsFailed),
        "mandate.created" => mandate(data, absent, Event::MandateCreated),
        "mandate.confirmed" => mandate(data, absent, Event::MandateConfirmed),
        "mandate.debit.initiated" => debit(data, absent, Event::MandateDebitInitiated),
        "mandate.debit.failed" => debit(data, absent, Event::MandateDebitFailed),
        "mandate.debit.successful" => debit(data, absent, Event::MandateDebitSuccessful),
        _ => Ok((Event::Unknown { name: name.into(), data: data.to_owned() }, Id::Unknown(sole_id(data)))),
    }
}

type Typed = Result<(Event, Id), Rejection>;

fn transfer(data: &RawValue, absent: &mut Absent, event: fn(Box<Transfer>) -> Event) -> Typed {
    let transfer: Box<Transfer> = members(data, absent)?;
    let id = transfer.id.clone();
    Ok((event(transfer), Id::Known(id)))
}

/// The published mandate object stands under `mandate` in a debit; whether it does so here, nobody says.
fn mandate(data: &RawValue, absent: &mut Absent, event: fn(Box<Mandate>) -> Event) -> Typed {
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
fn debit(data: &RawValue, absent: &mut Absent, event: fn(Box<MandateDebit>) -> Event) -> Typed {
    let debit: Box<MandateDebit> = members(data, absent)?;
    let id = debit.transaction.id.clone();
    Ok((event(debit), Id::Known(id)))
}

fn sole_id(data: &RawValue) -> Option<Text> {
    #[derive(Deserialize)]
    struct Identified {
        #[serde(default, deserialize_with = "text")]
        id: Option<Text>,
    }
    json::parse_checked::<Object<Identified>>(data.get()).ok().and_then(|Object(data)| data.id)
}

fn members<'a, T: Deserialize<'a>>(data: &'a RawValue, absent: &mut Absent) -> Result<T, Rejection> {
    json::parse_leniently(data.get(), STRICT, absent).map(|Object(members)| members)
}

/// Name and id, which may be a number. An unknown event without an id is known by all that its body says, timestamp
/// included: a retry that carries a fresh timestamp is then handled twice, where the identity of `data` alone could
/// swallow a second event that says the same. What is handled twice can be seen in the ledger and taken back; an inflow
/// that was acknowledged and never handled is seen by nobody.
fn key(name: &str, id: Id, text: &str) -> Result<EventKey, Rejection> {
    match id {
        Id::Known(id) | Id::Unknown(Some(id)) if !is_blank(&id) => Ok(EventKey::of(&[name, &id])),
        Id::Known(_) => Err(Rejection::new(RejectionKind::KeyMissing, "the event has no id")),
        Id::Unknown(_) => Ok(EventKey::of(&[name, "identity", &Identity::of_checked(text).to_string()])),
    }
}

fn is_blank(id: &str) -> bool {
    id.trim().is_empty()
}
