//! From the opened JSON to the typed event and its key.

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};

use super::event::Event;
use super::model::{Action, Payment, Registration, Risk, STRICT, Schedule, Test};
use crate::error::Rejection;
use crate::event::Text;
use crate::json::{self, Absent, Identified, Piece, Span};
use crate::provider::shape::{Object, text, text_if_any};
use crate::provider::{Decoded, EventKey, Events, Identity, time};

#[derive(Deserialize)]
struct Envelope<'a, T> {
    #[serde(rename = "type", default, deserialize_with = "text")]
    kind: Option<Text>,
    #[serde(default, deserialize_with = "text")]
    action: Option<Text>,
    #[serde(borrow)]
    payload: Option<Span<'a, T>>,
}

/// An envelope that has been read.
struct Read<'a> {
    kind: Text,
    action: Option<Text>,
    payload: Option<&'a str>,
    identity: Identity,
    event: Event,
}

pub(super) fn decode(plaintext: Bytes) -> Result<Events<Event>, Rejection> {
    let text = json::text(&plaintext)?;
    let mut absent = Absent::default();
    let read = match at_once(text)? {
        Some(read) => read,
        None => in_pieces(text, &plaintext, &mut absent)?,
    };
    let head = Head::of(read.payload);
    let key = head.key(&read);
    let occurred_at = head.timestamp.as_deref().and_then(|text| time::read(text).ok());
    let Read { event, identity, .. } = read;
    let decoded = Decoded::identified(event, key, plaintext, identity).occurred_at(occurred_at);
    Ok(Events::from(decoded).absent_members(absent.into_names()))
}

/// Everything in one pass, which takes that the type stands in front and all members are as their types say.
fn at_once(text: &str) -> Result<Option<Read<'_>>, Rejection> {
    match json::peek(text, "type").as_deref() {
        Some("PAYMENT") => typed(text, of_payment),
        Some("REGISTRATION") => typed(text, of_registration),
        Some("SCHEDULE") => typed(text, of_schedule),
        Some("RISK") => typed(text, of_risk),
        _ => json::check(text).map(|()| None),
    }
}

fn typed<'a, T: Deserialize<'a> + Default>(
    text: &'a str,
    of: impl FnOnce(T, Option<&str>) -> Event,
) -> Result<Option<Read<'a>>, Rejection> {
    let read = json::parse_if_typed::<Identified<'_, Object<Envelope<'_, Object<T>>>>>(text)?;
    Ok(read.map(|Identified { value: Object(Envelope { kind, action, payload }), identity, .. }| {
        let (payload, piece) = payload.map_or_else(Default::default, |Span { value, text }| (value.0, Some(text)));
        let event = of(payload, action.as_deref());
        Read { kind: kind.unwrap_or_default(), action, payload: piece, identity, event }
    }))
}

/// The envelope, and then its payload leniently.
fn in_pieces<'a>(text: &'a str, plaintext: &Bytes, absent: &mut Absent) -> Result<Read<'a>, Rejection> {
    let Identified { value: Object(envelope), identity, .. } =
        json::parse_checked::<Identified<'_, Object<Envelope<'_, Piece<'_>>>>>(text)?;
    let Envelope { kind, action, payload } = envelope;
    let (kind, payload) = (kind.unwrap_or_default(), payload.map(|payload| payload.text));
    let event = match kind.as_str() {
        "PAYMENT" => of_payment(members(payload, absent)?, None),
        "REGISTRATION" => of_registration(members(payload, absent)?, action.as_deref()),
        "SCHEDULE" => of_schedule(members(payload, absent)?, action.as_deref()),
        "RISK" => of_risk(members(payload, absent)?, None),
        "test" => Event::Test(Test { action: action.clone(), ..members(payload, absent)? }),
        _ => Event::Unknown { name: kind.clone(), raw: plaintext.clone() },
    };
    Ok(Read { kind, action, payload, identity, event })
}

fn of_payment(payment: Box<Payment>, _: Option<&str>) -> Event {
    Event::Payment(payment)
}

fn of_registration(mut registration: Box<Registration>, action: Option<&str>) -> Event {
    registration.action = action.map(Action::from);
    Event::Registration(registration)
}

fn of_schedule(mut schedule: Box<Schedule>, action: Option<&str>) -> Event {
    schedule.action = action.map(Action::from);
    Event::Schedule(schedule)
}

fn of_risk(risk: Box<Risk>, _: Option<&str>) -> Event {
    Event::Risk(risk)
}

/// A payload that is missing or null has no member, which is what every one of them may lack.
fn members<T: DeserializeOwned + Default>(payload: Option<&str>, absent: &mut Absent) -> Result<T, Rejection> {
    match payload {
        Some(piece) => json::parse_leniently::<Object<T>>(piece, STRICT, absent).map(|Object(payload)| payload),
        None => Ok(T::default()),
    }
}

/// The members that tell one notification from another, of whatever type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head<'a> {
    #[serde(deserialize_with = "text_if_any")]
    id: Option<Text>,
    #[serde(deserialize_with = "text_if_any")]
    ndc: Option<Text>,
    #[serde(deserialize_with = "text_if_any")]
    timestamp: Option<Text>,
    #[serde(borrow)]
    result: Option<Piece<'a>>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default, deserialize_with = "text_if_any")]
    code: Option<Text>,
}

impl<'a> Head<'a> {
    /// Of an unknown type the payload may be anything; then it tells nothing.
    fn of(payload: Option<&'a str>) -> Self {
        let head = payload.and_then(|piece| json::parse_checked::<Object<Self>>(piece).ok());
        head.map_or_else(Self::default, |Object(head)| head)
    }

    fn key(&self, read: &Read<'_>) -> EventKey {
        let (kind, action) = (read.kind.as_str(), read.action.as_deref().unwrap_or_default());
        let digest = read.identity.to_string();
        let Some(subject) = filled(&self.id).or(filled(&self.ndc)) else {
            return EventKey::of(&[kind, action, &digest]);
        };
        let code = self.code().unwrap_or_default();
        match filled(&self.timestamp) {
            Some(time) => EventKey::of(&[kind, action, subject, &code, time, &digest]),
            None => EventKey::of(&[kind, action, subject, &code, &digest]),
        }
    }

    fn code(&self) -> Option<Text> {
        let Piece(result) = self.result?;
        json::parse_checked::<Object<Code>>(result).ok()?.0.code
    }
}

fn filled(text: &Option<Text>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
