//! From the opened JSON to the typed event and its key.

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::event::Event;
use super::model::{Action, Registration, STRICT, Schedule, Test};
use crate::error::Rejection;
use crate::event::Text;
use crate::json::{self, Absent};
use crate::provider::shape::{Object, text, text_if_any};
use crate::provider::{Decoded, EventKey, Events, Identity};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", default, deserialize_with = "text")]
    kind: Option<Text>,
    #[serde(default, deserialize_with = "text")]
    action: Option<Text>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

pub(super) fn decode(plaintext: &Bytes) -> Result<Events<Event>, Rejection> {
    let text = json::one_meaning(plaintext)?;
    let Object(envelope) = json::parse_checked::<Object<Envelope<'_>>>(text)?;
    let head = Head::of(envelope.payload);
    let identity = Identity::of_checked(text);
    let key = head.key(&envelope, identity);
    let occurred_at = head.timestamp.and_then(|text| text.parse().ok());
    let mut absent = Absent::default();
    let event = event(envelope, plaintext, &mut absent)?;
    let decoded = Decoded::identified(event, key, plaintext.clone(), identity).occurred_at(occurred_at);
    Ok(Events::from(decoded).absent_members(absent.into_names()))
}

fn event(envelope: Envelope<'_>, plaintext: &Bytes, absent: &mut Absent) -> Result<Event, Rejection> {
    let Envelope { kind, action, payload } = envelope;
    let kind = kind.unwrap_or_default();
    Ok(match kind.as_str() {
        "PAYMENT" => Event::Payment(typed(payload, absent)?),
        "REGISTRATION" => {
            let mut registration: Box<Registration> = typed(payload, absent)?;
            registration.action = action.as_deref().map(Action::from);
            Event::Registration(registration)
        }
        "SCHEDULE" => {
            let mut schedule: Box<Schedule> = typed(payload, absent)?;
            schedule.action = action.as_deref().map(Action::from);
            Event::Schedule(schedule)
        }
        "RISK" => Event::Risk(typed(payload, absent)?),
        "test" => Event::Test(Test { action, ..typed(payload, absent)? }),
        _ => Event::Unknown { name: kind, raw: plaintext.clone() },
    })
}

/// A payload that is missing or null has no member, which is what every one of them may lack.
fn typed<T: DeserializeOwned + Default>(payload: Option<&RawValue>, absent: &mut Absent) -> Result<T, Rejection> {
    match payload {
        Some(raw) => json::parse_leniently::<Object<T>>(raw.get(), STRICT, absent).map(|Object(payload)| payload),
        None => Ok(T::default()),
    }
}

/// The members that tell one notification from another, of whatever type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(deserialize_with = "text_if_any")]
    id: Option<Text>,
    #[serde(deserialize_with = "text_if_any")]
    ndc: Option<Text>,
    #[serde(deserialize_with = "text_if_any")]
    timestamp: Option<Text>,
    result: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default, deserialize_with = "text_if_any")]
    code: Option<Text>,
}

impl Head {
    /// Of an unknown type the payload may be anything; then it tells nothing.
    fn of(payload: Option<&RawValue>) -> Self {
        payload
            .and_then(|raw| json::parse_checked::<Object<Self>>(raw.get()).ok())
            .map_or_else(Self::default, |Object(head)| head)
    }

    fn key(&self, envelope: &Envelope<'_>, identity: Identity) -> EventKey {
        let kind = envelope.kind.as_deref().unwrap_or_default();
        let action = envelope.action.as_deref().unwrap_or_default();
        let digest = identity.to_string();
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
        let result = self.result.as_ref()?;
        json::parse_checked::<Object<Code>>(result.get()).ok()?.0.code
    }
}

fn filled(text: &Option<Text>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
