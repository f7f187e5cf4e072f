//! From the opened JSON to the typed event and its key.

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::event::Event;
use super::model::{Action, Registration, Schedule, Test};
use crate::error::Rejection;
use crate::json;
use crate::provider::shape::{Object, text, text_if_any};
use crate::provider::{Decoded, EventKey};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", default, deserialize_with = "text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "text")]
    action: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

pub(super) fn decode(plaintext: &Bytes) -> Result<Decoded<Event>, Rejection> {
    let Object(envelope) = json::parse::<Object<Envelope<'_>>>(plaintext)?;
    let head = Head::of(envelope.payload);
    let key = head.key(&envelope, plaintext);
    let occurred_at = head.timestamp.and_then(|text| text.parse().ok());
    let event = event(envelope, plaintext)?;
    Ok(Decoded::new(event, key, plaintext.clone()).occurred_at(occurred_at))
}

fn event(envelope: Envelope<'_>, plaintext: &Bytes) -> Result<Event, Rejection> {
    let Envelope { kind, action, payload } = envelope;
    let kind = kind.unwrap_or_default();
    Ok(match kind.as_str() {
        "PAYMENT" => Event::Payment(typed(payload)?),
        "REGISTRATION" => {
            let mut registration: Box<Registration> = typed(payload)?;
            registration.action = action.as_deref().map(Action::from);
            Event::Registration(registration)
        }
        "SCHEDULE" => {
            let mut schedule: Box<Schedule> = typed(payload)?;
            schedule.action = action.as_deref().map(Action::from);
            Event::Schedule(schedule)
        }
        "RISK" => Event::Risk(typed(payload)?),
        "test" => Event::Test(Test { action, ..typed(payload)? }),
        _ => Event::Unknown { name: kind, raw: plaintext.clone() },
    })
}

/// A payload that is missing or null has no member, which is what every one of them may lack.
fn typed<T: DeserializeOwned + Default>(payload: Option<&RawValue>) -> Result<T, Rejection> {
    match payload {
        Some(raw) => json::parse_checked::<Object<T>>(raw.get()).map(|Object(payload)| payload),
        None => Ok(T::default()),
    }
}

/// The members that tell one notification from another, of whatever type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(deserialize_with = "text_if_any")]
    id: Option<String>,
    #[serde(deserialize_with = "text_if_any")]
    ndc: Option<String>,
    #[serde(deserialize_with = "text_if_any")]
    timestamp: Option<String>,
    result: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default, deserialize_with = "text_if_any")]
    code: Option<String>,
}

impl Head {
    /// Of an unknown type the payload may be anything; then it tells nothing.
    fn of(payload: Option<&RawValue>) -> Self {
        payload
            .and_then(|raw| json::parse_checked::<Object<Self>>(raw.get()).ok())
            .map_or_else(Self::default, |Object(head)| head)
    }

    fn key(&self, envelope: &Envelope<'_>, plaintext: &[u8]) -> EventKey {
        let kind = envelope.kind.as_deref().unwrap_or_default();
        let action = envelope.action.as_deref().unwrap_or_default();
        let digest = || const_hex::encode(Sha256::digest(plaintext));
        let Some(subject) = filled(&self.id).or(filled(&self.ndc)) else {
            return EventKey::of(&[kind, action, &digest()]);
        };
        let code = self.code().unwrap_or_default();
        match filled(&self.timestamp) {
            Some(time) => EventKey::of(&[kind, action, subject, &code, time]),
            None => EventKey::of(&[kind, action, subject, &code, &digest()]),
        }
    }

    fn code(&self) -> Option<String> {
        let result = self.result.as_ref()?;
        json::parse_checked::<Object<Code>>(result.get()).ok()?.0.code
    }
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
